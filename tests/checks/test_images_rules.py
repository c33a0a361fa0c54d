"""IMG: are the images where the config says? The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import World
from tests.projects import CONFIG, EVAL, PIXEL, REMOVED, TRAIN, Generation, Project, found, passes, reason, rows

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
    assert [(fix.kind, fix.value) for fix in finding.fixes] == [("edit", "./data/"), ("advice", None)]
    project.assert_repaired_by(finding)


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
    assert "command" not in [fix.kind for fix in finding.fixes]  # another start would not help


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


def test_img101_near_miss_legacy_with_absolute_paths_needs_no_root(tmp_path: Path) -> None:
    changes = {"train_root": "./gone/", "eval_root": "./gone/"}
    for generation, silent in (("legacy", True), ("modern", False)):
        project = Project(tmp_path / generation, generation, changes)  # type: ignore[arg-type]
        for name, samples in (("train_list.txt", TRAIN), ("val_list.txt", EVAL)):
            project.write(f"data/{name}", rows([(str(project.folder / "data" / path), label) for path, label in samples]))
        assert passes(project, "IMG101") is silent
        assert passes(project, "IMG102")


# IMG102 listed-image-missing


def _without(project: Project, *names: str) -> None:
    for name in names:
        os.unlink(project.folder / "data" / name)


@pytest.mark.parametrize("generation", BOTH)
def test_img102_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    _without(project, "train/0/2.png", "train/2/1.png")
    finding = project.finding("IMG102", shows=("train/0/2.png", "12", str(tmp_path / "data/train/0/2.png")))
    assert (finding.severity, finding.entry) == ("error" if generation == "modern" else "warning", "data.missing-image")
    assert (finding.location.file, finding.location.line) == ("./data/train_list.txt", 3)
    assert (finding.evidence["missing"], finding.evidence["listed"], finding.evidence["lines"]) == (2, 12, [3, 10])
    assert finding.evidence["share"] == 17


def test_img102_positive_eval_list_in_both_stages(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    _without(project, "val/1/0.png")
    for stage in ("train", "eval"):
        finding = project.finding("IMG102", stage=stage)
        assert (finding.location.file, finding.location.line) == ("./data/val_list.txt", 3)
    assert passes(project, "IMG102", "Global.eval_during_train=False")


@pytest.mark.parametrize(
    ("kind", "listed", "there"),
    [
        ("case", "train/a.jpg", "train/a.JPG"),
        ("quotes", '"train/a.jpg"', "train/a.jpg"),
        ("slash", "/train/a.jpg", "train/a.jpg"),
        ("case", "Train/b.jpg", "train/b.jpg"),
        ("suffix", "train/a.jpg", "train/a.jpeg"),
        ("suffix", "train/a.jpg", "train/a.PNG"),
        ("backslash", "train\\a.jpg", "train/a.jpg"),
        ("url", "train/a%20b.jpg", "train/a b.jpg"),
        ("blank", "train/a.jpg\u200b", "train/a.jpg"),
        ("unicode", "train/e\u0301.jpg", "train/\u00e9.jpg"),
    ],
)
def test_img102_positive_near_match(tmp_path: Path, kind: str, listed: str, there: str) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/train_list.txt", rows([*TRAIN, (listed, 0)]))
    project.write(f"data/{there}", PIXEL)
    finding = project.finding("IMG102", shows=(there,))
    assert (finding.evidence["near_kind"], finding.evidence["near"], finding.evidence["near_line"]) == (kind, there, 13)


def test_img102_positive_legacy_all_and_dead_links(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy")
    for path, _ in TRAIN:
        os.unlink(tmp_path / "data" / path)
        os.symlink("nowhere", tmp_path / "data" / path)
    finding = project.finding("IMG102")
    assert (finding.severity, finding.evidence["missing"]) == ("error", 12)


def test_img102_positive_a_dead_link_is_not_near_to_itself(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/train_list.txt", rows([*TRAIN, ("dead.jpg", 0)]))
    os.symlink("nowhere", tmp_path / "data/dead.jpg")
    assert "near" not in project.finding("IMG102").evidence


@pytest.mark.parametrize("generation", BOTH)
def test_img102_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "IMG102")


def test_img102_near_miss_odd_paths_that_are_there(tmp_path: Path) -> None:
    odd = [("./train/../train/0/0.png", 0), ("train//0/1.png", 0), (str(tmp_path / "b/data/train/1/0.png"), 1), ("train/0", 0)]
    project = Project(tmp_path / "b", "modern")
    project.write("data/train_list.txt", rows([*TRAIN, *odd]).replace("\n", "\r\n"))
    os.symlink(tmp_path / "b/data/train/0/0.png", tmp_path / "b/data/linked.png")
    project.write("data/train_list.txt", (tmp_path / "b/data/train_list.txt").read_bytes() + b"linked.png 0")
    assert passes(project, "IMG102")


def test_img102_near_miss_the_encoding_has_a_rule_of_its_own(tmp_path: Path) -> None:
    project = Project(tmp_path / "gbk", "modern")
    project.write("data/train_list.txt", rows(TRAIN).encode() + "\u82b1.png 1\n".encode("gbk") * 300)
    assert passes(project, "IMG102")
    project = Project(tmp_path / "bom", "modern")
    project.write("data/train_list.txt", "\ufeff" + rows(TRAIN))
    assert passes(project, "IMG102")
    os.unlink(tmp_path / "bom/data/train/1/1.png")
    assert project.finding("IMG102").evidence["missing"] == 1


def test_img102_near_miss_market1501_has_no_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "Market1501", "DataLoader.Eval.dataset.name": "Market1501"})
    assert reason(project, "IMG102") == "no-images-listed"


def test_img102_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_root": "./gone/", "eval_root": "./gone/"})
    assert reason(project, "IMG102") == "no-images-listed"


def test_img102_positive_beside_a_line_that_is_too_long(tmp_path: Path) -> None:
    """The long line is LAB107's, the missing image is not."""
    project = Project(tmp_path, "modern")
    listed = tmp_path / "data/train_list.txt"
    listed.write_text(listed.read_text() + "train/gone.jpg 0\n" + "x" * (1 << 16) + " 1\n")
    finding = project.finding("IMG102", shows=("train/gone.jpg",))
    assert finding.evidence["missing"] == 1


# IMG103 image-root-off


@pytest.mark.parametrize("generation", BOTH)
@pytest.mark.parametrize(("old", "new"), [("./data/train/", "./data/"), ("./data/train/0", "./data"), ("./", "./data/"), ("other", "data")])
def test_img103_positive(tmp_path: Path, generation: Generation, old: str, new: str) -> None:
    project = Project(tmp_path, generation, {"train_root": old})
    os.makedirs(tmp_path / "other", exist_ok=True)
    finding = project.finding("IMG103", shows=(old, new))
    assert (finding.severity, finding.entry) == ("error", "data.path-missing")
    assert finding.location.key == project.key("train_root")
    assert (finding.evidence["missing"], finding.evidence["found"], finding.evidence["tried"]) == (12, 12, 12)
    assert project.assert_repaired_by(finding) == [new]
    assert passes(project, "IMG102")


def test_img103_positive_a_folder_too_many_in_the_paths(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_root": "./data/train"})
    project.write("data/train_list.txt", rows([(path.replace("train/", "imgs/"), label) for path, label in TRAIN]))
    finding = project.finding("IMG103", shows=("./data/train",))
    assert (finding.evidence["strip"], finding.evidence["new_root"]) == (1, "./data/train")
    assert [fix.kind for fix in finding.fixes] == ["advice"]


def test_img103_positive_absolute_root_stays_absolute(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_root": str(tmp_path / "data/train")})
    assert project.assert_repaired_by(project.finding("IMG103")) == [str(tmp_path / "data")]


@pytest.mark.parametrize("generation", BOTH)
def test_img103_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "IMG103")


def test_img103_near_miss_another_encoding_and_no_root_have_rules_of_their_own(tmp_path: Path) -> None:
    project = Project(tmp_path / "gbk", "modern")
    lines = "".join(f"train/\u732b\u72d7{label}/0/{n}.png {label}\n" for label in range(3) for n in range(4))
    project.write("data/train_list.txt", lines.encode("gbk"))
    assert passes(project, "IMG103")
    assert passes(project, "IMG102")
    assert passes(Project(tmp_path / "null", "modern", {"train_root": None}), "IMG103")


@pytest.mark.parametrize("before", ["/home/someone/sets/mine/", "D:\\sets\\"])
def test_img103_positive_absolute_paths_of_another_machine(tmp_path: Path, before: str) -> None:
    project = Project(tmp_path, "modern")
    listed = [(before + path, label) for path, label in TRAIN]
    project.write("data/train_list.txt", rows([(path.replace("/", "\\"), n) for path, n in listed] if "\\" in before else listed))
    finding = project.finding("IMG103", shows=("12",))
    assert (finding.evidence["strip"], finding.evidence["found"]) == (before.count("/") - 1 if "/" in before else 1, 12)


def test_img103_near_miss_images_of_the_other_split(tmp_path: Path) -> None:
    project = Project(
        tmp_path, "modern", {"train_root": "./data/train", "eval_root": "./data/gone"}, val=[(f"0/{n}.png", 0) for n in range(4)]
    )
    project.write("data/train_list.txt", rows([(path.partition("/")[2], label) for path, label in TRAIN]))
    shutil.rmtree(tmp_path / "data/0")
    assert [fix for fix in project.finding("IMG101").fixes if fix.kind == "edit"] == []
    project = Project(tmp_path / "b", "modern")
    shutil.rmtree(tmp_path / "b/data/val")
    assert passes(project, "IMG103")
    assert project.finding("IMG102").evidence["missing"] == 6


def test_img102_near_miss_lines_longer_than_any_path(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/train_list.txt", rows(TRAIN) + "train/" + "x" * 70_000 + ".png 0\n")
    assert passes(project, "IMG102")
    assert project.finding("LAB107").location.line == 13


def test_img103_near_miss_half_missing(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    for path, _ in TRAIN[:6]:
        (tmp_path / "data/old" / path).parent.mkdir(parents=True, exist_ok=True)
        os.rename(tmp_path / "data" / path, tmp_path / "data/old" / path)
    assert passes(project, "IMG103")
    assert project.finding("IMG102").evidence["missing"] == 6


def test_img103_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_root": "./gone/", "eval_root": "./gone/"})
    assert reason(project, "IMG103") == "no-images-listed"
