"""`paddle-doctor rule`: what a rule finds, why, how it is measured, how to repair."""

from __future__ import annotations

import argparse
import re

from rich.cells import cell_len

from checks.registry import Registry, matches
from doctor.cli import refuse
from doctor.cli.article import Output, output_arguments
from doctor.exit import Exit
from doctor.reporters.layout import Segment
from doctor.reporters.rich_report import STYLES
from knowledge import library, pages
from knowledge.pages import Page
from knowledge.phrases import phrase

_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The rule, or none for the table of all."""
    parser.add_argument("name", nargs="?", metavar="CODE_OR_NAME", help=phrase("help-rule-name", lang))
    parser.add_argument("--all", action="store_true", help=phrase("help-rule-all", lang))
    output_arguments(parser, lang)


def run(options: argparse.Namespace, lang: str) -> int:
    """Print the page of one rule, or the table of those that the name fits."""
    output = Output(options)
    wanted = (options.name or "").strip()
    try:
        found = _pages()
        if options.all or not options.name:
            _table(found, lang, output)
            return Exit.OK
        fitting = [page for page in found if matches(page.code, page.name, wanted)]
        exact = [page for page in fitting if wanted.upper() == page.code or wanted.lower() == page.name]
        if exact:
            _show(exact[0], lang, output)
        elif fitting:
            _table(fitting, lang, output)
        else:
            names = [name for page in found for name in (page.code, page.name)]
            close = library.closest(wanted.upper(), names) or library.closest(wanted.lower(), names)
            shown = " ".join(wanted.split())[:60]
            return refuse(phrase("rule-unknown-close" if close else "rule-unknown", lang, wanted=shown, close=close))
    except pages.PageError as error:
        return refuse(str(error))
    return Exit.OK


def _pages() -> list[Page]:
    """The pages of our rules and of those that plug-ins bring."""
    folders: dict[str, str | None] = dict.fromkeys(pages.codes())
    folders.update({code: check.pages for code, check in Registry.discover().checks.items()})
    return [pages.page(code, folder) for code, folder in sorted(folders.items())]


def _table(found: list[Page], lang: str, output: Output) -> None:
    if output.json:
        output.data({"rules": [{"code": p.code, "name": p.name, "severity": p.severity, "entry": p.entry} for p in found]})
        return
    lines: list[list[Segment]] = []
    longest = max(len(page.name) for page in found)
    widest = max(cell_len(phrase(f"severity-{severity}", lang)) for severity in STYLES)
    for page in found:
        severity = phrase(f"severity-{page.severity}", lang)
        padding = " " * (widest - cell_len(severity) + 2)
        lines.append(
            [
                (page.code, "bold"),
                ("  ", ""),
                (severity + padding, STYLES[page.severity]),
                (page.name.ljust(longest + 2), ""),
                (page.entry, "dim"),
            ]
        )
    command = f"paddle-doctor rule {found[0].code}"
    lines += [[], *output.folded((phrase("rule-next", lang, command=command), "dim"))]
    output.lines(lines)


def _show(page: Page, lang: str, output: Output) -> None:
    title = _entry_title(page.entry, lang)
    cases = [(name, case.severity, _readable(case.zh if lang == "zh" else case.en)) for name, case in page.cases.items()]
    fixes = [(id, _readable(text.get(lang))) for id, text in page.fixes.items()]
    body = page.body[lang]
    if output.json:
        output.data(
            {
                "code": page.code,
                "name": page.name,
                "severity": page.severity,
                "lang": lang,
                "entry": page.entry,
                "entry_title": title,
                "because": page.because.get(lang),
                "cases": [{"name": name, "severity": severity, "message": message} for name, severity, message in cases],
                "fixes": [{"id": id, "title": text} for id, text in fixes],
                "body": body,
            }
        )
        return
    entry = phrase("rule-entry", lang, id=page.entry)
    parts = [
        f"# {page.code} {page.name}",
        f"**{phrase(f'severity-{page.severity}', lang)}** · {entry} {_literal(title)}".rstrip(),
        f"> {_literal(page.because.get(lang))}",
        body.strip(),
        f"## {phrase('rule-messages', lang)}",
        "\n".join(f"- **{phrase(f'severity-{severity}', lang)}** ({name}) {_literal(message)}" for name, severity, message in cases),
    ]
    if fixes:
        parts += [f"## {phrase('rule-fixes', lang)}", "\n".join(f"- {_literal(text)}" for _, text in fixes)]
    output.article("\n\n".join(parts) + "\n")


def _entry_title(id: str, lang: str) -> str:
    try:
        return library.entry(id, lang).title
    except (library.UnknownEntry, pages.PageError):
        return ""  # a plug-in may explain its rule in an entry that is not ours


def _readable(template: str) -> str:
    """A message with its values as plain names: `{need_bytes:bytes}` becomes `{need_bytes}`, a plural ending `(s)`."""
    return _FIELD.sub(lambda field: "(s)" if field[2] == "s" else f"{{{field[1]}}}", template)


def _literal(text: str) -> str:
    """Keep what a sentence says from being taken for Markdown; names between backticks stay code."""
    return re.sub(r"([<*])", r"\\\1", text)
