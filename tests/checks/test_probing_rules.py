"""ENV112: what `--probe` could not measure. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import World
from checks.facts.probed_batches import ProbedBatches, ProbeTrouble
from tests.projects import CONFIG, Project, measured, passes, reason
from tests.standin import write_paddle, write_ppcls


def probed(trouble: ProbeTrouble | None, *splits: str) -> ProbedBatches:
    return ProbedBatches("/venv/bin/python", "3.3.1", "/clas", (), dict.fromkeys(splits or ("Train",), trouble) if trouble else {})


@pytest.mark.parametrize("generation, key", [("modern", "DataLoader.Train.dataset.transform_ops"), ("legacy", "TRAIN.transforms")])
def test_env112_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation: Any, key: str) -> None:
    measured(monkeypatch, probed(ProbeTrouble("raised", {"split": "Train", "error": "ValueError: bad sample"})))
    finding = Project(tmp_path, generation).finding("ENV112", shows=("Train", "ValueError: bad sample"))
    assert (finding.severity, finding.entry, finding.location.file, finding.location.key) == ("warning", "1.3", CONFIG, key)
    measured(monkeypatch, probed(ProbeTrouble("unequal", {"split": "Train", "small": "3×30×40", "large": "3×30×50"})))
    finding = Project(tmp_path, generation).finding("ENV112", shows=("3×30×40", "3×30×50"))
    assert (finding.severity, finding.location.key) == ("error", key)
    assert [fix.kind for fix in finding.fixes] == ["advice"]


@pytest.mark.parametrize(
    ("kind", "values", "severity"),
    [
        ("no-python", {"python": "/venv/bin/python", "error": "No such file"}, "info"),
        ("no-paddle", {"python": "/venv/bin/python", "error": "ModuleNotFoundError"}, "info"),
        ("no-ppcls", {"python": "/venv/bin/python", "root": "/data"}, "info"),
        ("ppcls-raised", {"python": "/venv/bin/python", "error": "ImportError: Callable"}, "warning"),
        ("late", {"seconds": 60}, "info"),
        ("ended", {"status": "SIGSEGV", "output": "Segmentation fault"}, "warning"),
    ],
)
def test_env112_positive_of_the_whole_attempt_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, values: dict[str, Any], severity: str
) -> None:
    measured(monkeypatch, probed(ProbeTrouble(kind, values), "Train", "Eval"))
    finding = Project(tmp_path, "modern").finding("ENV112", shows=tuple(values.values()))
    assert (finding.severity, finding.location.file, finding.location.line) == (severity, CONFIG, None)


def test_env112_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, probed(None))
    assert passes(Project(tmp_path, "modern"), "ENV112")


def test_env112_near_miss_a_loader_is_late_and_another_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late, raised = ProbeTrouble("late", {"seconds": 60}), ProbeTrouble("raised", {"split": "Train", "error": "X"})
    measured(monkeypatch, ProbedBatches("python", "3.3.1", "/clas", (), {"Train": raised, "Eval": late}))
    findings = Project(tmp_path, "modern").findings("ENV112")
    assert sorted(finding.severity for finding in findings) == ["info", "warning"]


def test_env112_skipped_where_it_was_not_asked_for(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "ENV112") == "probe-not-asked"
    row = next(c for c in Project(tmp_path, "modern").check().report.checks if c.code == "ENV112")
    assert not row.applies  # nobody wants to hear of it at every check


def test_nothing_of_the_users_is_run_without_the_word(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    write_ppcls(tmp_path)
    write_paddle(tmp_path)
    for name in ("ppcls", "paddle"):
        (tmp_path / name / "__init__.py").write_text("open('ran', 'w')")
    project.check(world=World(environ={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=str(tmp_path)))
    assert not (tmp_path / "ran").exists()
