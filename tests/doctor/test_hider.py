"""A mirror's folder never reaches the user."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec

from checks.facts.base import World
from checks.model import Finding, Fix, Location, Unavailable
from doctor.hider import Hider
from doctor.reporters.rich_report import render
from tests.projects import Project, found, status


def test_every_text_of_a_finding() -> None:
    hide = Hider("/tmp/m")
    fix = Fix("x", "command", "safe", Location("/tmp/m/c.yaml", 1), "/tmp/m/data", "ls /tmp/m/a /tmp/m/b", values={"at": ["/tmp/m"]})
    found = hide(Finding(at=Location("/tmp/m/a.txt", 3), fixes=(fix,), path="/tmp/m/x", many=("/tmp/m/y", 3), other="/tmp/mm"))
    assert (found.at, found.via) == (Location("/a.txt", 3), None)
    assert found.evidence == {"path": "/x", "many": ("/y", 3), "other": "/tmp/mm"}
    assert found.fixes == (Fix("x", "command", "safe", Location("/c.yaml", 1), "/data", "ls /a /b", values={"at": ["/"]}),)


def test_without_a_mirror_nothing_changes() -> None:
    finding = Finding(at=Location("/tmp/m/a.txt"), path="/tmp/m/x")
    assert Hider("")(finding) is finding


def test_a_project_below_a_sysroot_is_judged_and_shown_by_its_own_paths(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    changes = {
        "class_num": 2,
        "train_list": "/work/data/train_list.txt",
        "eval_root": "/nowhere/data",
        "Global.pretrained_model": "/w/best",
    }
    project = Project(mirror / "work", "modern", changes)
    done = project.check(world=World(cwd=str(mirror / "work"), sysroot=str(mirror)))
    assert done.report.config.root == "/work"
    text = msgspec.json.encode(done.report).decode()
    assert str(mirror) not in text and "/nowhere/data" in text
    (label,) = found(done, "LAB102")
    assert label.evidence["max_label"] == 2
    shown = io.StringIO()
    render(done, "en", file=shown, color=False, width=120)
    assert str(mirror) not in shown.getvalue()
    assert "config.yaml:" in shown.getvalue() and "│" in shown.getvalue()  # the line is quoted from the mirror


def test_a_lost_world_leaves_the_config(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.epoch": 3, "train_list": "nowhere.txt"})
    world = World(cwd=str(tmp_path))
    world.lost = Unavailable("images-off")
    done = project.check(world=world)
    assert {finding.code for finding in done.report.findings} == {"CFG101"}
    assert status(done, "LAB102")[0] == "skipped"
