"""LAB: the label map against the folders of the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.projects import Project, Samples, passes, reason

ANIMALS = ("ant", "bee", "cat", "dog", "emu")


def samples(split: str, names: tuple[str, ...] = ANIMALS, start: int = 0) -> Samples:
    return [(f"{split}/{name}/{n}.png", label + start) for label, name in enumerate(names) for n in range(2)]


def project(
    folder: Path, names: tuple[str, ...], classes: tuple[str, ...] = ANIMALS, start: int = 0, first: int = 0, **changes: Any
) -> Project:
    """Folders `classes` numbered from `start`, and a map with `names` from `first`."""
    text = "".join(f"{number} {name}\n" for number, name in enumerate(names, first))
    train, val = samples("train", classes, start), samples("val", classes, start)
    return Project(folder, "modern", {"class_num": 6, **changes}, train=train, val=val, label_map=text)


def test_lab125_positive_sorted_otherwise(tmp_path: Path) -> None:
    finding = project(tmp_path, ("ant", "cat", "bee", "dog", "emu")).finding("LAB125", shows=(2, 5, "bee", "cat"))
    assert (finding.severity, finding.entry) == ("warning", "infer.label-map-mismatch")
    assert (finding.location.file, finding.location.line) == ("data/label_map.txt", 2)
    assert (finding.evidence["label"], finding.evidence["name"], finding.evidence["map_id"]) == (1, "cat", 2)


def test_lab125_positive_the_map_counts_from_one(tmp_path: Path) -> None:
    assert project(tmp_path, ANIMALS, first=1).finding("LAB125", shows=("ant",)).evidence["shift"] == 1


def test_lab125_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, ANIMALS), "LAB125")


def test_lab125_near_miss_written_otherwise(tmp_path: Path) -> None:
    assert passes(project(tmp_path, ("Red Ant", "BEE", "cat", "dog", "emu"), ("red_ant", *ANIMALS[1:])), "LAB125")


def test_lab125_near_miss_a_map_of_other_names(tmp_path: Path) -> None:
    assert passes(project(tmp_path, ("cat", "ant", "x", "y", "z")), "LAB125")  # two of five names alone
    assert passes(project(tmp_path, ("Ameise", "Biene", "Katze", "Hund", "Emu")), "LAB125")


def test_lab125_near_miss_names_that_stand_twice(tmp_path: Path) -> None:
    assert passes(project(tmp_path, ("cat", "bee", "cat", "dog", "emu")), "LAB125")


def test_lab125_near_miss_a_list_that_begins_at_one(tmp_path: Path) -> None:
    assert passes(project(tmp_path, ANIMALS, start=1), "LAB125")  # LAB104 says it


def test_lab125_skipped_figures_or_folders_of_several_classes(tmp_path: Path) -> None:
    assert reason(project(tmp_path, ("1", "0", "2"), ("0", "1", "2")), "LAB125") == "folders-name-no-classes"
    flat = [(f"train/{n}.png", n % 3) for n in range(9)]
    assert reason(Project(tmp_path, "modern", train=flat), "LAB125") == "folders-name-no-classes"


def test_lab125_skipped_without_a_map(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", label_map=None), "LAB125") == "no-label-map"
