"""CFG: what the config itself says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import Project, passes, reason, status


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_a_project_without_a_fault_has_no_finding(tmp_path: Path, generation) -> None:
    project = Project(tmp_path, generation)
    for stage in ("train", "eval", "export", "infer"):
        run = project.check(stage=stage)
        assert run.report.findings == []
        print(stage, [(c.code, c.status, c.reason) for c in run.report.checks])
