"""IMG: are the images where the config says? The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import World
from tests.projects import CONFIG, REMOVED, Generation, Project, found, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]

# IMG101 image-root-missing


@pytest.mark.parametrize("generation", BOTH)
def test_img101_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_root": "./data/images/2021/"})
    resolved, nearest = str(tmp_path / "data/images/2021"), str(tmp_path / "data")
    finding = project.finding("IMG101", shows=("Train", "./data/images/2021/", resolved, nearest))
    assert (finding.severity, finding.entry) == ("error", "data.path-missing")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(": ^./data/images/2021/"), project.key("train_root"))
    expected = {
        "split": "Train",
        "path": "./data/images/2021/",
        "resolved": resolved,
        "root": str(tmp_path),
        "absolute": False,
        "nearest": nearest,
    }
    assert finding.evidence == expected
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


@pytest.mark.parametrize("generation", BOTH)
def test_img101_positive_a_file(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"eval_root": "./data/val_list.txt"})
    for stage in ("train", "eval"):
        finding = project.finding("IMG101", stage=stage, shows=("Eval", "./data/val_list.txt"))
        assert finding.severity == "error"
        assert finding.location.key == project.key("eval_root")


def test_img101_positive_absolute(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    finding = Project(tmp_path, "modern", {"train_root": gone}).finding("IMG101", shows=(gone,))
    assert finding.evidence["absolute"] is True
    assert [fix.kind for fix in finding.fixes] == ["advice"]  # another start would not help


@pytest.mark.parametrize("name", ["project", "my project's copy"])
def test_img101_positive_started_elsewhere(tmp_path: Path, name: str) -> None:
    project = Project(tmp_path / name, "modern")
    config = f"{name}/{CONFIG}"
    project.write("../elsewhere/note.txt", "")
    world = World(cwd=str(tmp_path))
    from doctor.run import run_check
    from doctor.settings import Settings

    run = run_check(config, world=world, settings=Settings(), lang="en", select=("IMG101", "LAB101"), assume=("shm=1g",))
    findings = found(run, "IMG101")
    assert [f.location.key for f in findings] == [project.key("train_root"), project.key("eval_root")]
    for finding in (*findings, *found(run, "LAB101")):
        command = next(fix.command for fix in finding.fixes if fix.kind == "command")
        words = shlex.split(command or "")
        assert words == ["paddle-doctor", "check", "--config", config, "--root", str(tmp_path / name)]
        again = run_check(words[3], root=words[5], world=world, settings=Settings(), lang="en", select=("IMG101", "LAB101"))
        assert again.report.findings == []


@pytest.mark.parametrize("generation", BOTH)
def test_img101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "IMG101")
    assert passes(Project(tmp_path, generation), "IMG101", stage="eval")


@pytest.mark.parametrize("generation", BOTH)
def test_img101_near_miss_a_link_an_absolute_path_and_a_split_that_is_not_used(tmp_path: Path, generation: Generation) -> None:
    validate = {"modern": "Global.eval_during_train", "legacy": "validate"}[generation]
    changes: dict[str, Any] = {"train_root": "linked", "eval_root": "./gone/", validate: False}
    project = Project(tmp_path, generation, changes)
    os.symlink(tmp_path / "data", tmp_path / "linked")
    assert passes(project, "IMG101")
    project.set("train_root", str(tmp_path / "data"))
    project.save()
    assert passes(project, "IMG101")


def test_img101_near_miss_a_given_root_decides(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "modern")
    project.write("../start/data/note.txt", "")
    assert passes(project, "IMG101", root="../start")


@pytest.mark.parametrize("generation", BOTH)
def test_img101_skipped_without_an_image_root(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_root": REMOVED, "eval_root": REMOVED}), "IMG101") == "no-image-root"
