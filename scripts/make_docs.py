"""Write what the READMEs show: the tables of rules and of the 25 questions, and the screenshots in `docs/`.

A test holds the tables against the pages and entries; run this after changing either.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from pathlib import Path

from checks.facts.base import World
from doctor.demo import CONFIG, write_demo
from doctor.reporters.layout import to_rich
from doctor.reporters.rich_report import compose
from doctor.run import complete_registry, run_check
from doctor.settings import Settings
from knowledge import library, pages
from knowledge.phrases import phrase

ROOT = Path(__file__).parent.parent
READMES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
WIDTH = 96
HEADS = {
    "rules": {"en": "| code | rule | severity | finds | explained in |", "zh": "| 代码 | 规则 | 级别 | 查什么 | 相关条目 |"},
    "faq": {"en": "| FAQ | question | live today | planned |", "zh": "| FAQ | 问题 | 现已可用 | 计划中 |"},
}
SEVERITIES = {"error": "错误", "warning": "警告", "info": "提示"}

SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "Fira Code", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; font-size: {char_height}px;
 line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own SVG frame without its web fonts: a picture must not call anyone."""


def rule_rows(lang: str) -> list[str]:
    """One row per rule, from its page."""
    rows = []
    for code in complete_registry().checks:
        page = pages.page(code)
        severity = SEVERITIES[page.severity] if lang == "zh" else page.severity
        paragraph = page.body[lang].split("\n## ")[0].partition("\n")[2].strip().split("\n\n")[0]
        rows.append(f"| {code} | `{page.name}` | {severity} | {_first_sentence(paragraph, lang)} | {page.entry} |")
    return rows


def faq_rows(lang: str) -> list[str]:
    """One row per question: what makes it live today, and what will."""
    rows = []
    for entry in library.entries(lang):
        if entry.kind == "faq":
            now = ", ".join(f"`{item.by.removeprefix('rule ')}`" for item in entry.live if item.now) or "–"
            later = ", ".join(f"`{item.by}`" for item in entry.live if not item.now) or "–"
            rows.append(f"| {entry.id} | {entry.title} | {now} | {later} |")
    return rows


def tabled(rows: list[str], name: str, lang: str) -> str:
    """Rows under their head."""
    head = HEADS[name][lang]
    return "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *rows])


def folded(rows: list[str], lang: str) -> str:
    """The rules family by family, each folded away under its name and count."""
    families: dict[str, list[str]] = {}
    for row in rows:
        families.setdefault(row[2:5], []).append(row)
    return "\n".join(
        f"<details><summary>{code} {phrase(f'family-{code}', lang)} ({len(found)})</summary>\n\n{tabled(found, 'rules', lang)}\n\n</details>"
        for code, found in families.items()
    )


def with_tables(text: str, lang: str) -> str:
    """A README with its tables renewed, between `<!-- table: NAME -->` and `<!-- end -->`."""
    for name, table in (("rules", folded(rule_rows(lang), lang)), ("faq", tabled(faq_rows(lang), "faq", lang))):
        text = re.sub(
            rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", lambda m, t=table: f"{m.group(1)}{t}\n{m.group(2)}", text, flags=re.DOTALL
        )
    return text


def screenshot(lang: str) -> str:
    """The demo's report as an SVG."""
    from rich.console import Console

    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "paddle-doctor-demo")
        write_demo(target)
        done = run_check(CONFIG, lang=lang, settings=Settings(), world=World(cwd=target))
        lines = compose(done, lang, WIDTH)
    shown = [[(text.replace(target, "~/paddle-doctor-demo"), style) for text, style in line] for line in lines]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(to_rich(shown), soft_wrap=True, end="")
    svg = console.export_svg(title="paddle-doctor demo", code_format=SVG, unique_id=f"demo-{lang}")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _first_sentence(paragraph: str, lang: str) -> str:
    text = " ".join(paragraph.split()) if lang == "en" else "".join(line.strip() for line in paragraph.splitlines())
    end = re.search(r"[。；]" if lang == "zh" else r"\.(?=\s|$)", text)
    return (text[: end.start()] if end else text).rstrip(":：").replace("|", "\\|")


if __name__ == "__main__":
    for language, readme in READMES.items():
        readme.write_text(with_tables(readme.read_text(encoding="utf-8"), language), encoding="utf-8")
        (ROOT / "docs" / f"demo.{language}.svg").write_text(screenshot(language), encoding="utf-8")
