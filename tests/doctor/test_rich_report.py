"""The report for a person stays readable however much is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doctor.reporters.json_report import render
from doctor.reporters.rich_report import SHOWN_OF_A_RULE, compose
from doctor.run import Run
from tests.projects import Project

MANY = 10_000


def text(run: Run, lang: str = "en", **how: bool) -> str:
    return "\n".join("".join(piece for piece, _ in line) for line in compose(run, lang, 100, **how))


def crowded(tmp_path: Path, count: int, lang: str = "en") -> Run:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace("Global:\n", "Global:\n" + "".join(f"  strange_{n}: 1\n" for n in range(count)), 1))
    return project.check(lang=lang, select=("CFG101",))


@pytest.mark.parametrize(("lang", "rest"), [("en", "… 9,995 more of CFG101"), ("zh", "CFG101 unknown-config-key 还有 9,995 条")])
def test_ten_thousand_findings_fit_on_a_screen_or_two(tmp_path: Path, lang: str, rest: str) -> None:
    run = crowded(tmp_path, MANY, lang)
    page = text(run, lang)
    assert page.count("\n") < 80
    assert page.count("strange_") >= SHOWN_OF_A_RULE
    assert rest.replace("9,995", "9995") in page or rest in page
    assert len(json.loads(render(run.report))["findings"]) == MANY


def test_all_shows_all(tmp_path: Path) -> None:
    run = crowded(tmp_path, 30)
    assert all(f"Global.strange_{n}:" in text(run, everything=True) for n in range(30))
    assert "--all" not in text(run, everything=True)
    assert "25 more" in text(run)


def test_as_many_as_are_shown_are_not_counted(tmp_path: Path) -> None:
    assert "--all" not in text(crowded(tmp_path, SHOWN_OF_A_RULE))


def test_why_it_matters_is_said_once_for_a_rule(tmp_path: Path) -> None:
    run = crowded(tmp_path, 4)
    because = run.report.findings[0].because[:40]
    assert text(run).count(because) == 1
    assert text(run).count("paddle-doctor rule CFG101") == 1


def test_quiet_is_capped_too_and_all_lifts_it(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace("Global:\n", "Global:\n" + "  epochs: 1\n" * 10, 1))
    run = project.check(select=("CFG105",))
    assert len(run.report.findings) == 10
    assert text(run, quiet=True).count("\n") == SHOWN_OF_A_RULE
    assert text(run, quiet=True, everything=True).count("CFG105 ") == 10


def test_rules_without_anything_to_look_at_are_counted_and_named_with_all(tmp_path: Path) -> None:
    run = Project(tmp_path, "modern").check()
    idle = [row.code for row in run.report.checks if not row.applies]
    assert idle
    assert all(row.status == "skipped" for row in run.report.checks if not row.applies)
    assert f"{len(idle)} rules found nothing of their kind" in text(run)
    assert "CFG217" in idle
    assert "CFG217" not in text(run)
    assert "CFG217" in text(run, everything=True)


def test_what_could_not_be_measured_is_always_told(tmp_path: Path) -> None:
    run = Project(tmp_path, "modern", {"train_list": "./no.txt"}).check()
    assert {row.code for row in run.report.checks if row.status == "skipped" and row.applies} >= {"LAB105"}
    assert "LAB105" in text(run)
