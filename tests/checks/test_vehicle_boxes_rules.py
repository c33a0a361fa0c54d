"""LAB: the boxes of CompCars. What is expected was seen on develop: each positive case stopped the real dataset class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import EVAL, REMOVED, TRAIN, Project, passes, reason

BOX = "1\n1\n2 2 40 40\n"


def cars(folder: Path, root: Any = "./data/label", crop: Any = True, missing: tuple[str, ...] = (), **boxes: str) -> Project:
    """A project of CompCars with a box for each image; `boxes` are those of `train/<n>` that are other."""
    for path, _ in [*TRAIN, *EVAL]:
        name = path.partition(".")[0]
        if name not in missing:
            file = folder / "data/label" / f"{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(boxes.get(name.replace("/", "_"), BOX))
    changes = {}
    for split in ("Train", "Eval"):
        key = f"DataLoader.{split}.dataset"
        changes |= {f"{key}.name": "CompCars", f"{key}.bbox_crop": crop}
        if root is not REMOVED:
            changes[f"{key}.label_root"] = root
    return Project(folder, "modern", changes)


def test_lab126_positive_no_root(tmp_path: Path) -> None:
    """`TypeError: stat: path should be string, bytes, os.PathLike or integer, not NoneType`."""
    found = cars(tmp_path, REMOVED).findings("LAB126", shows=("bbox_crop", "label_root"))
    assert [(f.severity, f.location.key) for f in found] == [("error", f"DataLoader.{s}.dataset.bbox_crop") for s in ("Train", "Eval")]


def test_lab126_positive_no_such_folder(tmp_path: Path) -> None:
    found = cars(tmp_path, "./data/lable").findings("LAB126", shows=("./data/lable",))
    assert [f.location.key for f in found] == [f"DataLoader.{s}.dataset.label_root" for s in ("Train", "Eval")]


def test_lab126_positive_a_file_is_missing(tmp_path: Path) -> None:
    finding = cars(tmp_path, missing=("train/0/3",)).finding("LAB126", shows=(1, 12, "train/0/3.txt"))
    assert (finding.severity, finding.location.line, finding.entry) == ("error", 4, "data.path-missing")


def test_lab126_positive_a_point_in_the_name(tmp_path: Path) -> None:
    project = cars(tmp_path)
    project.write_list("train_list.txt", [*TRAIN, ("train/0/a.b.png", 0)])
    project.write("data/label/train/0/a.b.txt", BOX)
    assert project.finding("LAB126", shows=("train/0/a.txt",)).location.line == 13


@pytest.mark.parametrize(
    "box, shown", [("1\n2.0 2 40 40\n", "2.0 2 40 40"), ("", '""'), ("1\n2 2 40\n", "2 2 40"), ("1\n40 2 2 40", "40 2 2 40")]
)
def test_lab126_positive_no_box_in_the_file(tmp_path: Path, box: str, shown: str) -> None:
    assert cars(tmp_path, train_0_3=box).finding("LAB126", shows=(shown, "train/0/3.txt")).location.line == 4


def test_lab126_negative(tmp_path: Path) -> None:
    assert passes(cars(tmp_path), "LAB126")
    assert passes(cars(tmp_path), "LAB126", stage="eval")


def test_lab126_near_miss_more_numbers_and_crlf(tmp_path: Path) -> None:
    assert passes(cars(tmp_path, train_0_3="1\r\n1\r\n2 2 40 40 7\r\n"), "LAB126")


def test_lab126_near_miss_the_whole_data_set_is_absent(tmp_path: Path) -> None:
    """LAB101 or IMG101 says it."""
    for key in ("train_list", "train_root"):
        project = cars(tmp_path, "./data/lable")
        project.set(key, "./gone")
        project.save()
        assert project.finding("LAB126").location.key == "DataLoader.Eval.dataset.label_root"


def test_lab126_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "LAB126") == "no-boxes"
    assert reason(cars(tmp_path, REMOVED, False), "LAB126") == "no-boxes"
