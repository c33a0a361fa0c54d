"""LAB: an evaluation of one class, and lists in each other's place."""

from __future__ import annotations

from pathlib import Path

from tests.projects import TRAIN, Project, Samples, found, passes, reason

LIST = "./data/val_list.txt"


def of_one(label: int, samples: int = 12) -> Samples:
    return [(f"val/all/{n}.png", label) for n in range(samples)]


def test_lab123_positive_zeros(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", val=of_one(0))
    finding = project.finding("LAB123", shows=(12, 3, LIST))
    assert (finding.severity, finding.entry, finding.location.file, finding.location.line) == ("warning", "2.1", LIST, 1)
    assert not found(project.check(), "LAB119")  # one cause, one finding


def test_lab123_positive_another_class(tmp_path: Path) -> None:
    assert Project(tmp_path, "legacy", val=of_one(2)).finding("LAB123", shows=(12, 2)).evidence["chance"] < 1e-4


def test_lab123_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "LAB123")


def test_lab123_near_miss_a_few_lines_and_a_class_that_nearly_all_have(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", val=of_one(0, 4)), "LAB123")
    mostly = [(f"train/{n}.png", int(n == 0)) for n in range(200)]
    assert passes(Project(tmp_path, "modern", {"class_num": 2}, train=mostly, val=of_one(0)), "LAB123")


def test_lab123_near_miss_one_class_is_all_there_is(tmp_path: Path) -> None:
    train = [(f"train/{n}.png", 0) for n in range(8)]
    assert passes(Project(tmp_path, "modern", {"class_num": 1}, train=train, val=of_one(0)), "LAB123")


def test_lab123_near_miss_a_label_that_training_lacks(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 4}, val=of_one(3))
    assert passes(project, "LAB123") and found(project.check(), "LAB110")


def test_lab123_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"eval_list": "x"}), "LAB123") == "no-two-lists"


def split(folder: str, each: int) -> Samples:
    return [(f"{folder}/{label}/{n}.png", label) for label in range(3) for n in range(each)]


def test_lab124_positive(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", train=split("val", 2), val=split("train", 8)).finding("LAB124", shows=(6, 24))
    assert (finding.severity, finding.location.key) == ("warning", "DataLoader.Train.dataset.cls_label_path")
    assert finding.evidence["times"] == 4.0


def test_lab124_positive_by_the_names_of_the_lists(tmp_path: Path) -> None:
    changes = {"train_list": "./data/val_list.txt", "eval_list": "./data/train_list.txt"}
    project = Project(tmp_path, "legacy", changes, train=split("images", 8), val=[(f"images/0/x{n}.png", n % 3) for n in range(6)])
    assert project.finding("LAB124").evidence["train_samples"] == 6


def test_lab124_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "LAB124")


def test_lab124_near_miss_only_one_of_the_signs(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", train=split("train", 2), val=split("val", 8)), "LAB124")  # larger alone
    assert passes(Project(tmp_path, "modern", train=split("val", 8), val=split("train", 2)), "LAB124")  # names alone
    assert passes(Project(tmp_path, "modern", train=split("val", 2), val=split("other", 8)), "LAB124")  # one name alone


def test_lab124_near_miss_names_that_hold_the_words(tmp_path: Path) -> None:
    for folders in (("interval", "training_camp_latest"), ("testtrain", "trains"), ("valley", "trainer")):
        assert passes(Project(tmp_path, "modern", train=split(folders[0], 2), val=split(folders[1], 8)), "LAB124")


def test_lab124_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"eval_list": "x"}), "LAB124") == "no-two-lists"
    assert TRAIN
