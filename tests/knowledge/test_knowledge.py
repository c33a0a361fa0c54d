"""What is written holds together: both languages, every rule, every entry, both READMEs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.registry import FAMILIES, Check
from doctor.run import complete_registry
from knowledge import library, pages
from knowledge.component_values import BOUNDS
from knowledge.phrases import PHRASES
from knowledge.phrases_cli import PHRASES_CLI
from knowledge.phrases_container import PHRASES_CONTAINER
from knowledge.phrases_faq import PHRASES_FAQ
from knowledge.phrases_parity import PHRASES_PARITY
from knowledge.phrases_rules import OUTCOMES_ZH, PHRASES_RULES
from knowledge.phrases_settings import PHRASES_SETTINGS
from knowledge.template import fields, fill, size
from knowledge.value_types import KINDS, LEGACY_KINDS

ROOT = Path(__file__).parents[2]
RULES: dict[str, Check] = complete_registry().checks
SEED = [f"{a}.{b}" for a in range(1, 6) for b in range(1, 6)]
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_has_its_page_in_both_languages(code: str) -> None:
    page = pages.page(code)
    assert (page.code, page.name) == (code, RULES[code].name)
    assert page.entry in library.entry_ids()
    assert "default" in page.cases
    for case in page.cases.values():
        assert case.severity in ("error", "warning", "info")
        assert fields(case.en) == fields(case.zh)
        assert HAN.search(case.zh)
        assert not HAN.search(case.en)
    for fix in page.fixes.values():
        assert fields(fix.en) == fields(fix.zh)
    assert HAN.search(page.because.zh)
    assert set(page.body) == {"en", "zh"}
    assert page.body["en"].count("\n## ") == page.body["zh"].count("\n## ") == 3


def test_every_page_has_its_rule() -> None:
    assert pages.codes() == sorted(RULES)


def test_every_case_and_fix_that_a_rule_names_is_on_its_page() -> None:
    known = {code: pages.page(code) for code in RULES}
    for family in FAMILIES:
        source = (ROOT / "checks" / f"{family}.py").read_text(encoding="utf-8")
        for block in re.split(r"\n@check\(", source)[1:]:
            page = known[re.match(r'"(\w+)"', block).group(1)]  # type: ignore[union-attr]
            for name in re.findall(r'case="([\w-]+)"', block):
                assert name in page.cases, (page.code, name)
            for name in re.findall(r'Fix\(\s*"([\w-]+)"', block):
                assert any(name in p.fixes for p in known.values()), (page.code, name)


def test_every_seed_question_is_live_in_both_languages() -> None:
    assert [i for i in library.entry_ids() if re.fullmatch(r"\d\.\d", i)] == SEED
    for identity in library.entry_ids():
        en, zh = library.entry(identity, "en"), library.entry(identity, "zh")
        for field in ("id", "kind", "tags", "signatures", "rules", "related", "source", "live"):
            assert getattr(en, field) == getattr(zh, field), (identity, field)
        assert HAN.search(zh.title)
        assert len(re.findall("^## ", en.body, re.M)) == len(re.findall("^## ", zh.body, re.M)), identity
        assert set(en.related) <= set(library.entry_ids()), identity
        assert set(en.rules) <= set(RULES), identity
        for pattern in en.signatures:
            re.compile(pattern)
        if en.kind == "faq":
            assert en.live, identity
        for item in en.live:
            if item.now and item.by.startswith("rule "):
                assert item.by.removeprefix("rule ") in RULES, (identity, item)


def test_the_slugs_of_known_causes_have_notes(shared: Path) -> None:
    cases = (shared / "cases" / "issue_cases.yaml").read_text(encoding="utf-8")
    labels = set(re.findall(r'"([\w.-]+)"', " ".join(re.findall(r"label: \[(.*?)\]", cases)))) - {"none"}
    assert labels <= set(library.entry_ids())


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("shm 不够", "1.3"),
        ("blcking queue", "1.3"),
        ("标签 从1开始", "2.1"),
        ("类别不平衡", "1.2"),
        ("LAB102", "2.1"),
        ("1.3", "1.3"),
        ("命令行 -o 修改配置", "5.2"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_search_finds(query: str, wanted: str, lang: str) -> None:
    hits = library.search(query, lang)
    assert wanted in [hit.entry.id for hit in hits[:3]]
    assert all(hit.entry.lang == lang for hit in hits)


def test_phrases_have_the_same_values_in_both_languages() -> None:
    for key, (en, zh) in {
        **PHRASES,
        **PHRASES_CLI,
        **PHRASES_CONTAINER,
        **PHRASES_FAQ,
        **PHRASES_PARITY,
        **PHRASES_RULES,
        **PHRASES_SETTINGS,
    }.items():
        assert fields(en) == fields(zh) or fields(zh) <= fields(en), key
        assert en, key
        assert zh, key


def test_templates() -> None:
    text = fill(
        "{n} {n:s} {b:bytes} {ids:list} {f} {big} {big:raw}", {"n": 1, "b": 64 << 20, "ids": list(range(12)), "f": 0.5, "big": 123456}
    )
    assert text == "1  64 MiB 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 … 0.5 123,456 123456"
    assert (size(1023), size(1024), size(1536)) == ("1023 B", "1 KiB", "1.5 KiB")
    with pytest.raises(KeyError):
        fill("{missing}", {})


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_says_what_it_finds_before_it_lists_cases(lang: str) -> None:
    """The first sentence is the rule's row in the README."""
    begins = {code: pages.page(code).body[lang].split("\n## ")[0].partition("\n")[2].strip() for code in RULES}
    assert [code for code, text in begins.items() if text.startswith(("|", "- ", "#", "```"))] == []


@pytest.mark.parametrize(("lang", "name"), [("en", "README.md"), ("zh", "README.zh-CN.md")])
def test_the_readmes_tables_are_true(lang: str, name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for code in RULES:
        assert f"| {code} | `{RULES[code].name}` |" in text, "run scripts/make_docs.py"
    for number in SEED:
        assert f"| {number} | {library.entry(number, lang).title} |" in text, "run scripts/make_docs.py"
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (ROOT / picture).is_file()


def test_outcomes_in_words_of_our_own_are_said_in_chinese_too() -> None:
    said = {kind.says for kind in (*KINDS, *LEGACY_KINDS, *(bound.value for bound in BOUNDS))} - {""}
    ours = {says for says in said if not re.match(r"(\w*(Error|Exception)|classes_num\(…\))([: ](?!or )|$)", says)}
    assert len(said) > len(ours) > 10
    assert ours <= OUTCOMES_ZH.keys()
    assert all(re.search("[\u4e00-\u9fff]", text) for text in OUTCOMES_ZH.values())
    assert [fill("{n} batch{n:es}", {"n": n}) for n in (0, 1, 2)] == ["0 batches", "1 batch", "2 batches"]
    assert fill("{says:zh}", {"says": "no class ever reaches it"}) == "任何类别都达不到"
