"""The label lists against each other."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.projects import Project, Samples, passes, reason, rows

TRAIN, EVAL = "DataLoader.Train.dataset", "DataLoader.Eval.dataset"
ANIMALS = ("ant", "bee", "cat", "dog", "emu")


def folders(split: str, names: tuple[str, ...] = ANIMALS, each: int = 4, start: int = 0, order: list[int] | None = None) -> Samples:
    """`split/cat/0.png 2`, class by class."""
    ids = order or list(range(len(names)))
    return [(f"{split}/{name}/{n}.png", ids[k] + start) for k, name in enumerate(names) for n in range(each)]


def project(tmp_path: Path, train: Any = None, val: Any = None, changes: dict[str, Any] | None = None, classes: int = 6) -> Project:
    start = {"class_num": classes, **(changes or {})}
    return Project(tmp_path, "modern", start, train=train or folders("train"), val=val or folders("val", each=2), label_map=None)


# LAB115
def test_lab115_positive_all_labels_shifted_by_one(tmp_path: Path) -> None:
    made = project(tmp_path, val=folders("val", each=2, start=1))
    finding = made.finding("LAB115", shows=(5, "ant"))
    assert finding.severity == "error"
    assert (finding.location.file, finding.location.line) == ("./data/val_list.txt", 1)
    assert (finding.evidence["shift"], finding.evidence["samples"]) == (1, 10)


def test_lab115_positive_the_shift_command_repairs(tmp_path: Path) -> None:
    made = project(tmp_path, val=folders("val", each=2, start=1))
    (fix,) = made.finding("LAB115").fixes
    assert fix.command is not None
    subprocess.run(fix.command, shell=True, check=True, cwd=tmp_path)
    made.set("eval_list", "./data/val_list.txt.renumbered")
    made.save()
    assert passes(made, "LAB115")


def test_lab115_positive_rotated_numbers(tmp_path: Path) -> None:
    made = project(tmp_path, val=folders("val", each=2, order=[1, 2, 3, 4, 0]))
    finding = made.finding("LAB115")
    assert finding.evidence["differing"] == 5
    assert "shift" not in finding.evidence


def test_lab115_positive_two_classes_exchanged(tmp_path: Path) -> None:
    made = project(tmp_path, val=folders("val", each=2, order=[0, 2, 1, 3, 4]))
    finding = made.finding("LAB115", shows=("bee",))
    assert (finding.evidence["differing"], finding.evidence["folders"], finding.location.line) == (2, 5, 3)


def test_lab115_negative_same_numbers(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "LAB115")


def test_lab115_near_miss_evaluation_with_fewer_classes(tmp_path: Path) -> None:
    assert passes(project(tmp_path, val=folders("val", ANIMALS[:3], each=2)), "LAB115")


def test_lab115_positive_class_folders_below_others(tmp_path: Path) -> None:
    """`misc` names two classes, with its parent one each."""
    train = [(f"train/{a}/misc/{n}.png", k) for k, a in enumerate(("in", "out")) for n in range(3)]
    val = [(f"val/{a}/misc/{n}.png", 1 - k) for k, a in enumerate(("in", "out")) for n in range(2)]
    assert project(tmp_path, train, val, classes=2).finding("LAB115").evidence["folder"] == "in"


def test_lab115_positive_class_folders_above_those_of_the_splits(tmp_path: Path) -> None:
    """`cat/train` and `cat/val`: what all folders of a list end with names no class."""
    train = [(f"{name}/train/{n}.png", k) for k, name in enumerate(ANIMALS) for n in range(3)]
    val = [(f"{name}/val/{n}.png", 4 - k) for k, name in enumerate(ANIMALS) for n in range(2)]
    assert project(tmp_path, train, val).finding("LAB115").evidence["differing"] == 4
    assert passes(project(tmp_path, train, [(path, 4 - k) for path, k in val]), "LAB115")


def test_lab115_positive_folders_in_other_case(tmp_path: Path) -> None:
    val = [(path.replace("/ant", "/Ant").replace("/bee", "/BEE"), k) for path, k in folders("val", order=[1, 0, 2, 3, 4])]
    assert project(tmp_path, folders("train"), [row for row in val if row[1] < 2]).finding("LAB115").evidence["differing"] == 2


def test_lab115_positive_one_class_counted_as_another(tmp_path: Path) -> None:
    """Two folders with one label in the evaluation list alone: most others agree, so the folders do name classes."""
    finding = project(tmp_path, val=folders("val", each=2, order=[0, 1, 2, 3, 3])).finding("LAB115", shows=("emu",))
    assert (finding.evidence["differing"], finding.evidence["eval_label"]) == (1, 3)


def test_lab115_near_miss_folders_of_several_classes_that_mostly_differ(tmp_path: Path) -> None:
    """Days or cameras that hold one class each in one list and another in the other."""
    days = ("day1", "day2", "day3")
    made = project(tmp_path, folders("train", days, order=[0, 1, 1]), folders("val", days, order=[1, 0, 1]))
    assert reason(made, "LAB115") == "folders-name-no-classes"


def test_lab115_negative_two_folders_for_each_class(tmp_path: Path) -> None:
    assert passes(project(tmp_path, folders("train", order=[0, 0, 1, 1, 2]), folders("val", order=[0, 0, 1, 1, 2])), "LAB115")


def test_lab115_near_miss_a_stray_label_does_not_make_a_folder_another_class(tmp_path: Path) -> None:
    train = folders("train", each=40)
    train[0] = (train[0][0], 3)
    assert passes(project(tmp_path, train), "LAB115")


@pytest.mark.parametrize(
    "train",
    [
        [(f"train/{n}.png", n % 3) for n in range(12)],  # flat
        [(f"train/part{n % 2}/{n}.png", n % 3) for n in range(12)],  # folders of another kind
    ],
)
def test_lab115_skipped_folders_that_name_no_class(tmp_path: Path, train: Samples) -> None:
    assert (
        reason(project(tmp_path, train, [(p.replace("train", "val"), (k + 1) % 3) for p, k in train]), "LAB115")
        == "folders-name-no-classes"
    )


def test_lab115_near_miss_parts_that_hold_one_label_each_by_chance_of_both_lists_agree(tmp_path: Path) -> None:
    same = [(f"shard{k}/{n}.png", k) for k in range(3) for n in range(3)]
    assert passes(project(tmp_path, same, [(f"v/{p}", k) for p, k in same]), "LAB115")


# LAB116
def test_lab116_positive_train_alone(tmp_path: Path) -> None:
    """The case of the table of faults: labels 1, 3, 5, 7, 9 and class_num 10."""
    made = project(
        tmp_path, folders("train", order=[1, 3, 5, 7, 9]), folders("val", order=[1, 3, 5, 7, 9], each=2), {f"{TRAIN}.relabel": True}, 10
    )
    finding = made.finding("LAB116", shows=("train_list.txt",))
    assert finding.severity == "error"
    assert finding.location.key == f"{TRAIN}.relabel"
    assert finding.evidence["share"] == 100
    assert (finding.evidence["train_id"], finding.evidence["eval_id"]) == (0, 1)


def test_lab116_positive_evaluation_alone(tmp_path: Path) -> None:
    made = project(tmp_path, folders("train", start=1), folders("val", start=1, each=2), {f"{EVAL}.relabel": True})
    assert made.finding("LAB116").location.key == f"{EVAL}.relabel"


def test_lab116_positive_a_class_absent_from_the_evaluation(tmp_path: Path) -> None:
    both = {f"{TRAIN}.relabel": True, f"{EVAL}.relabel": True}
    val = [row for row in folders("val", each=2, start=1) if row[1] != 1]
    finding = project(tmp_path, folders("train", start=1), val, both, 5).finding("LAB116")
    assert (finding.evidence["missing"], finding.evidence["samples"]) == ([1], 8)


def test_lab116_negative_both_with_the_same_classes(tmp_path: Path) -> None:
    both = {f"{TRAIN}.relabel": True, f"{EVAL}.relabel": True}
    assert passes(project(tmp_path, folders("train", start=1), folders("val", start=1, each=2), both, 5), "LAB116")


def test_lab116_near_miss_the_last_class_absent_shifts_nothing(tmp_path: Path) -> None:
    both = {f"{TRAIN}.relabel": True, f"{EVAL}.relabel": True}
    val = [row for row in folders("val", each=2) if row[1] != 4]
    assert passes(project(tmp_path, folders("train"), val, both, 5), "LAB116")


def test_lab116_near_miss_train_alone_where_relabel_changes_nothing(tmp_path: Path) -> None:
    assert passes(project(tmp_path, changes={f"{TRAIN}.relabel": True}), "LAB116")


def test_lab116_positive_the_order_is_that_of_a_set(tmp_path: Path) -> None:
    """Field guide, trap 13: ids 500, 7, 1000, 3 became 2, 3, 0, 1 with the real PaddleClas."""
    train = [(f"t/{n}.png", label) for n, label in enumerate((500, 7, 1000, 3))]
    made = project(tmp_path, train, [(f"v/{n}.png", label) for n, label in enumerate((500, 7, 1000, 3))], {f"{TRAIN}.relabel": True}, 1001)
    finding = made.finding("LAB116")
    assert (finding.evidence["label"], finding.evidence["train_id"]) == (3, 1)


def test_lab116_skipped_without_relabel(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "LAB116") == "no-relabel"


# LAB117
def test_lab117_positive_two_labels_in_one_list(tmp_path: Path) -> None:
    train = [*folders("train"), ("train/ant/1.png", 3)]
    finding = project(tmp_path, train).finding("LAB117", shows=("train/ant/1.png",))
    assert finding.severity == "warning"
    assert (finding.evidence["conflicts"], finding.evidence["first_line"], finding.location.line) == (1, 2, 21)


def test_lab117_positive_one_image_in_both_lists_with_two_labels(tmp_path: Path) -> None:
    val = [*folders("val", each=2), ("train/ant/1.png", 3)]
    finding = project(tmp_path, val=val).finding("LAB117")
    assert (finding.location.file, finding.location.line, finding.evidence["train_file"]) == (
        "./data/val_list.txt",
        11,
        "./data/train_list.txt",
    )


def test_lab117_positive_written_in_two_ways(tmp_path: Path) -> None:
    train = rows([*folders("train"), ("./train//ant/1.png", 3)])
    assert project(tmp_path, train).finding("LAB117").evidence["conflicts"] == 1


def test_lab117_near_miss_the_same_label_again_is_no_conflict(tmp_path: Path) -> None:
    assert passes(project(tmp_path, [*folders("train"), ("train/ant/1.png", 0)]), "LAB117")


def test_lab117_negative_same_name_in_two_folders(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "LAB117")


def test_lab117_skipped_nothing_to_read(tmp_path: Path) -> None:
    assert reason(project(tmp_path, changes={"train_list": "./no", "eval_list": "./no"}), "LAB117") == "no-labels-read"


# LAB118
def test_lab118_positive_in_training_a_note(tmp_path: Path) -> None:
    finding = project(tmp_path, [*folders("train"), *folders("train")[:3]]).finding("LAB118", shows=(3,))
    assert (finding.severity, finding.location.line) == ("info", 21)


def test_lab118_positive_in_evaluation_a_warning(tmp_path: Path) -> None:
    val = folders("val", each=2)
    finding = project(tmp_path, val=[*val, val[0]]).finding("LAB118")
    assert (finding.severity, finding.location.file, finding.evidence["share"]) == ("warning", "./data/val_list.txt", 9.09)


def test_lab118_positive_the_command_leaves_each_once(tmp_path: Path) -> None:
    val = folders("val", each=2)
    made = project(tmp_path, val=[*val, val[0], val[4]])
    (fix,) = made.finding("LAB118").fixes
    assert fix.command is not None
    subprocess.run(fix.command, shell=True, check=True, cwd=tmp_path)
    assert (tmp_path / "data" / "val_list.txt.unique").read_text() == rows(val)


def test_lab118_negative_no_line_twice(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "LAB118")


def test_lab118_near_miss_conflicts_are_not_counted_again(tmp_path: Path) -> None:
    assert passes(project(tmp_path, [*folders("train"), ("train/ant/1.png", 3)]), "LAB118")


# LAB119
def test_lab119_positive_missing(tmp_path: Path) -> None:
    finding = project(tmp_path, val=folders("val", ANIMALS[:3])).finding("LAB119", shows=(2, 5, "3, 4"))
    assert (finding.severity, finding.location.key) == ("info", f"{EVAL}.cls_label_path")


def test_lab119_negative_all_there(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "LAB119")


def test_lab119_near_miss_more_in_the_evaluation_is_another_rule(tmp_path: Path) -> None:
    assert passes(project(tmp_path, folders("train", ANIMALS[:3])), "LAB119")


def test_lab119_skipped_only_one_list(tmp_path: Path) -> None:
    assert reason(project(tmp_path, changes={"eval_list": "./no"}), "LAB119") == "no-two-lists"


# LAB122
def lab122_project(tmp_path: Path, train: str, classes: int = 5) -> Project:
    val = "".join(f"val/{n}.png\t0,1,0,1,1\n" for n in range(4))
    changes = {f"{TRAIN}.name": "MultiLabelDataset", f"{EVAL}.name": "MultiLabelDataset"}
    return project(tmp_path, train, val, changes, classes)


def multi_row(width: int, n: int = 0) -> str:
    return f"train/{n}.png\t{','.join('01'[random.Random(n + k).random() < 0.5] for k in range(width))}\n"


@pytest.mark.parametrize("width", [1, 4, 6])
def test_lab122_positive_another_width_than_the_model(tmp_path: Path, width: int) -> None:
    finding = lab122_project(tmp_path, "".join(multi_row(width, n) for n in range(8))).finding("LAB122", shows=(width, 5))
    assert (finding.severity, finding.location.key) == ("error", "Arch.class_num")


def test_lab122_positive_rows_of_two_widths(tmp_path: Path) -> None:
    text = "".join(multi_row(5, n) for n in range(8)) + multi_row(4, 9)
    finding = lab122_project(tmp_path, text).finding("LAB122", shows=(9, 5))
    assert (finding.evidence["odd_rows"], finding.evidence["odd_widths"]) == (1, [4])
    assert finding.location.line is not None


def test_lab122_negative_the_width_of_the_model(tmp_path: Path) -> None:
    assert passes(lab122_project(tmp_path, "".join(multi_row(5, n) for n in range(8))), "LAB122")


def test_lab122_skipped_single_labels(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "LAB122") == "no-multi-label-list"


def test_lab118_skipped_nothing_to_read(tmp_path: Path) -> None:
    assert reason(project(tmp_path, changes={"train_list": "./no", "eval_list": "./no"}), "LAB118") == "no-labels-read"


def test_lab122_near_miss_an_evaluation_list_alone_is_held_against_the_model_too(tmp_path: Path) -> None:
    made = lab122_project(tmp_path, "".join(multi_row(5, n) for n in range(8)))
    made.write_list("val_list.txt", "".join(f"val/{n}.png\t0,1,0,1\n" for n in range(4)))
    assert [f.evidence["split"] for f in made.findings("LAB122")] == ["Eval"]


@pytest.mark.parametrize("metric", ["HammingDistance", "AccuracyScore"])
def test_lab122_positive_values_that_a_metric_refuses(tmp_path: Path, metric: str) -> None:
    made = lab122_project(tmp_path, "".join(multi_row(5, n) for n in range(8)))
    made.write_list("val_list.txt", "val/0.png\t0,1,-1,1,2\nval/1.png\t0,1,-1,1,0\n")
    made.set("Metric", {"Eval": [{metric: None}]})
    made.save()
    finding = made.finding("LAB122", shows=("3", "-1, 2", metric))
    assert (finding.severity, finding.location.file) == ("error", "./data/val_list.txt")


def test_lab122_near_miss_values_that_no_metric_reads(tmp_path: Path) -> None:
    rows = [multi_row(5, n) for n in range(8)] + ["train/9.png\t0,1,2,1,0\n"]
    made = lab122_project(tmp_path, "".join(rows))
    made.set("Metric", {"Eval": [{"HammingDistance": None}]})
    made.save()
    assert made.finding("LAB122", shows=("1", "2")).severity == "info"  # the training list is not judged


def test_lab122_positive_labels_that_never_change(tmp_path: Path) -> None:
    finding = lab122_project(tmp_path, "train/0.png\t0,1,0,1,0\ntrain/1.png\t0,1,1,0,1\n").finding("LAB122", shows=("2", "5", "0, 1"))
    assert (finding.severity, finding.evidence["never"]) == ("info", 1)


def test_lab122_positive_one_cause_in_two_lists_is_one_finding(tmp_path: Path) -> None:
    val = "".join(f"val/{n}.png\t0,1,0,1\n" for n in range(4))
    changes = {f"{TRAIN}.name": "MultiLabelDataset", f"{EVAL}.name": "MultiLabelDataset"}
    made = project(tmp_path, "".join(multi_row(4, n) for n in range(8)), val, changes, 5)
    finding = made.finding("LAB122", shows=(12, 2, 4, 5))
    assert finding.location.key == "Arch.class_num"
    assert made.assert_repaired_by(finding) == [4]


def test_lab122_positive_lists_of_two_widths_have_no_class_count(tmp_path: Path) -> None:
    finding = lab122_project(tmp_path, "".join(multi_row(4, n) for n in range(8)), classes=6).finding("LAB122", shows=(4, 5, 6))
    assert [fix.kind for fix in finding.fixes] == ["advice"]


def test_lab122_positive_the_evaluation_list_is_blamed_where_the_training_list_fits(tmp_path: Path) -> None:
    finding = lab122_project(tmp_path, "".join(multi_row(4, n) for n in range(8)), classes=4).finding("LAB122", shows=(4, 5))
    assert (finding.location.file, finding.location.line) == ("./data/val_list.txt", 1)
    assert [fix.kind for fix in finding.fixes] == ["advice"]
