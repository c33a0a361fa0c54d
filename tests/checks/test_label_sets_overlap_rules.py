"""LAB: what the training and the evaluation list have in common, and what only one has. See `test_config_rules.py` for the kinds of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.label_projects import BOTH, EVAL_FILE, TRAIN_FILE
from tests.projects import EVAL, TRAIN, Generation, Project, numbered, passes, reason, rows

# LAB110 eval-label-outside-training


@pytest.mark.parametrize("generation", BOTH)
def test_lab110_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 7}, train=numbered(0, 1, 3), val=numbered(0, 6, 2, 6, split="val"))
    finding = project.finding("LAB110", shows=("3", "75", EVAL_FILE, "2, 6"))
    assert (finding.severity, finding.entry) == ("warning", "2.1")
    assert (finding.location.file, finding.location.line) == (EVAL_FILE, 2)
    expected = {
        "labels": [2, 6],
        "count": 2,
        "samples": 3,
        "share": 75.0,
        "train_min": 0,
        "train_max": 3,
        "file": EVAL_FILE,
        "line": 2,
    }
    assert finding.evidence == expected
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


@pytest.mark.parametrize("generation", BOTH)
def test_lab110_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB110")


@pytest.mark.parametrize("generation", BOTH)
def test_lab110_near_miss_fewer_classes_or_labels_that_other_rules_speak_of(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, val=numbered(1, split="val")), "LAB110")
    assert passes(Project(tmp_path, generation, val=numbered(0, 9, -1, split="val")), "LAB110")  # LAB102 and LAB103


def test_lab110_near_miss_another_training_list_has_it(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "./data/more.txt"]}, train=numbered(0, 1))
    project.write_list("more.txt", numbered(2))
    assert passes(project, "LAB110")


@pytest.mark.parametrize("generation", BOTH)
def test_lab110_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x"}), "LAB110") == "no-train-labels"


def test_lab110_skipped_where_ids_are_renumbered(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"DataLoader.Eval.dataset.relabel": True}), "LAB110") == "no-train-labels"


# LAB111 train-eval-leakage


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, val=[*EVAL, *TRAIN[4:6]])
    finding = project.finding("LAB111", shows=("2", TRAIN_FILE, EVAL_FILE, "25", "8", "train/1/0.png"))
    assert (finding.severity, finding.entry) == ("warning", "data.leakage")
    assert (finding.location.file, finding.location.line) == (EVAL_FILE, 7)
    expected = {
        "shared": 2,
        "eval_samples": 8,
        "share": 25.0,
        "train_file": TRAIN_FILE,
        "eval_file": EVAL_FILE,
        "example": "train/1/0.png",
        "train_line": 5,
        "eval_line": 7,
    }
    assert finding.evidence == expected
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_positive_one_list_for_both(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"eval_list": "data/../data/train_list.txt"})
    finding = project.finding("LAB111", shows=("12", "data/../data/train_list.txt"))
    assert (finding.evidence["shared"], finding.evidence["share"]) == (12, 100.0)


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_positive_other_roots_and_spellings(tmp_path: Path, generation: Generation) -> None:
    changes = {"eval_root": "./data/train"}
    project = Project(tmp_path, generation, changes, val="./0/0.png 0\n2//3.png 2\n1/9.png 1\n")
    assert project.finding("LAB111", shows=("2",)).evidence["shared"] == 2


def test_lab111_positive_an_absolute_path_is_the_relative_one(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/val_list.txt", f"{tmp_path}/data/train/1/2.png 1\n" + rows(EVAL))
    finding = project.finding("LAB111")
    assert (finding.evidence["shared"], finding.location.line) == (1, 1)


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB111")


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_near_miss_the_same_names_below_another_root(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"eval_root": "./data/val"}, val=TRAIN)
    assert passes(project, "LAB111")


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_near_miss_an_image_twice_in_one_list(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, train=TRAIN * 2, val=EVAL * 2), "LAB111")


@pytest.mark.parametrize("generation", BOTH)
def test_lab111_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"eval_list": "x"}), "LAB111") == "no-two-lists"
