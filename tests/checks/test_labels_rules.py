"""LAB: the label files, against the config and against each other. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.zoo import head_bytes
from tests.projects import (
    CONFIG,
    EVAL,
    REMOVED,
    TRAIN,
    Generation,
    Project,
    found,
    numbered,
    passes,
    reason,
    rows,
    status,
)

BOTH: list[Generation] = ["modern", "legacy"]
TRAIN_FILE = "./data/train_list.txt"
EVAL_FILE = "./data/val_list.txt"
MULTI = {"DataLoader.Train.dataset.name": "MultiLabelDataset", "DataLoader.Eval.dataset.name": "MultiLabelDataset"}


def shell(project: Project, command: str | None) -> None:
    """Run a command that a finding offers, in the project's folder."""
    assert command
    subprocess.run(["sh", "-c", command], cwd=project.folder, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})


def test_the_project_is_what_the_tests_think() -> None:
    assert [label for _, label in TRAIN] == [0] * 4 + [1] * 4 + [2] * 4
    assert [label for _, label in EVAL] == [0, 0, 1, 1, 2, 2]


# LAB101 label-file-missing


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"eval_list": "./data/lists/val.txt"})
    resolved, nearest = str(tmp_path / "data/lists/val.txt"), str(tmp_path / "data")
    for stage in ("train", "eval"):
        finding = project.finding("LAB101", stage=stage, shows=("Eval", "./data/lists/val.txt", resolved, nearest))
        assert (finding.severity, finding.entry) == ("error", "data.path-missing")
        at = finding.location
        assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(": ^./data/lists/val.txt"), project.key("eval_list"))
        expected = {"split": "Eval", "path": "./data/lists/val.txt", "resolved": resolved, "root": str(tmp_path), "nearest": nearest}
        assert finding.evidence == expected
        assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


def test_lab101_positive_one_of_several(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "gone.txt"]})
    assert project.finding("LAB101", shows=("gone.txt",)).location.key == "DataLoader.Train.dataset.cls_label_path.1"


def test_lab101_positive_blamed_on_the_override(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    finding = project.finding("LAB101", f"{project.key('train_list')}=gone.txt", shows=("gone.txt",))
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", 1, project.key("train_list"))


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB101")
    assert passes(Project(tmp_path, generation), "LAB101", stage="eval")


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_near_miss_absolute_linked_or_there_but_not_readable(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": str(tmp_path / "data/train_list.txt"), "eval_list": "linked.txt"})
    os.symlink(tmp_path / "data/val_list.txt", tmp_path / "linked.txt")
    assert passes(project, "LAB101")
    folder = Project(tmp_path, generation, {"eval_list": "./data"})
    assert passes(folder, "LAB101")  # LAB113 says it


def test_lab101_near_miss_a_dataset_class_without_a_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "Market1501", "train_list": "bounding_box_train"})
    assert passes(project, "LAB101")


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_skipped_without_a_label_file(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": REMOVED, "eval_list": REMOVED}), "LAB101") == "no-label-file"


# LAB102 label-exceeds-class-num


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 2, "topk": 2})
    finding = project.finding("LAB102", shows=(TRAIN_FILE, "2", "3", "9"))
    assert (finding.severity, finding.entry) == ("error", "2.1")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (
        CONFIG,
        *project.place("class_num: ^2" if generation == "modern" else "classes_num: ^2"),
        project.key("class_num"),
    )
    expected = {
        "class_num": 2,
        "max_label": 2,
        "min_label": 0,
        "classes": 3,
        "needed_class_num": 3,
        "file": TRAIN_FILE,
        "line": 9,
        "split": "Train",
        "samples_above": 4,
    }
    assert finding.evidence == expected
    assert project.assert_repaired_by(finding) == [3]


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_positive_labels_that_start_at_one(tmp_path: Path, generation: Generation) -> None:
    train, val = numbered(1, 2, 3), numbered(1, 2, 3, split="val")
    project = Project(tmp_path, generation, train=train, val=val)
    finding = project.finding("LAB102", shows=("3", "1"))
    assert (finding.evidence["min_label"], finding.evidence["max_label"], finding.evidence["line"]) == (1, 3, 3)
    advice = finding.fixes[0]
    assert (advice.kind, advice.safety) == ("advice", "unsafe")
    assert project.assert_repaired_by(finding) == [4]
    shell(project, advice.command)
    project.write_list("val_list.txt", numbered(0, 1, 2, split="val"))
    project.write("data/train_list.txt", (tmp_path / "data/train_list.txt.from0").read_text())
    assert passes(project, "LAB102")
    assert (tmp_path / "data/train_list.txt").read_text() == rows([(path, int(label) - 1) for path, label in train])


def test_lab102_positive_a_command_for_names_that_a_shell_would_split(tmp_path: Path) -> None:
    changes = {"train_list": "data/my list's.txt", "DataLoader.Train.dataset.delimiter": "\t"}
    project = Project(tmp_path, "modern", changes, val=numbered(1, 2, 3, split="val"))
    project.write("data/my list's.txt", "a b.png\t1\nb.png\t2\nc.png\t3\n")
    shell(project, project.finding("LAB102").fixes[0].command)
    assert (tmp_path / "data/my list's.txt.from0").read_text() == "a b.png\t0\nb.png\t1\nc.png\t2\n"


def test_lab102_positive_a_command_that_works_outside_the_root(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "modern", train=numbered(1, 2, 3), val=numbered(1, 2, 3, split="val"))
    command = project.finding("LAB102", root=str(tmp_path / "project")).fixes[0].command
    subprocess.run(["sh", "-c", command or "false"], cwd=tmp_path, check=True)
    assert (tmp_path / "project/data/train_list.txt.from0").read_text() == rows([(p, int(k) - 1) for p, k in numbered(1, 2, 3)])


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_positive_gaps(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=numbered(0, 1, 7), val=numbered(0, 1, split="val"))
    finding = project.finding("LAB102", shows=("3", "7", "8"))
    assert (finding.evidence["classes"], finding.evidence["needed_class_num"], finding.evidence["line"]) == (3, 8, 3)
    assert project.assert_repaired_by(finding) == [8]


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_positive_the_evaluation_list_alone(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, val=numbered(5, 0, 1, 2, split="val"))
    finding = project.finding("LAB102", shows=(EVAL_FILE, "1", "3", "5"))
    assert (finding.location.file, finding.location.line) == (EVAL_FILE, 1)
    assert (finding.evidence["split"], finding.evidence["samples_above"]) == ("Eval", 1)
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]
    evaluated = project.finding("LAB102", stage="eval", shows=("6",))  # without the training list the config is to blame
    assert evaluated.location.key == project.key("class_num")
    assert project.assert_repaired_by(evaluated, stage="eval") == [6]


def test_lab102_positive_both_lists_are_one_finding_that_heals_both(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train=numbered(0, 3), val=numbered(0, 4, split="val"))
    assert project.assert_repaired_by(project.finding("LAB102", shows=("5",))) == [5]


def test_lab102_positive_relabel(tmp_path: Path) -> None:
    relabel = {f"DataLoader.{split}.dataset.relabel": True for split in ("Train", "Eval")}
    project = Project(tmp_path, "modern", relabel, train=numbered(10, 20, 30, 40), val=numbered(10, split="val"))
    finding = project.finding("LAB102", shows=("4", "3"))
    assert finding.evidence["needed_class_num"] == 4
    assert project.assert_repaired_by(finding) == [4]


@pytest.mark.parametrize(
    "arch, key",
    [
        (
            {
                "name": "RecModel",
                "Backbone": {"name": "ResNet50"},
                "Neck": {"name": "FC", "class_num": 512},
                "Head": {"name": "ArcMargin", "class_num": 2},
            },
            "Arch.Head.class_num",
        ),
        (
            {
                "name": "DistillationModel",
                "class_num": 9,
                "models": [{"Teacher": {"name": "ResNet50", "class_num": 9}}, {"Student": {"name": "ResNet18", "class_num": 2}}],
            },
            "Arch.models.1.Student.class_num",
        ),
    ],
)
def test_lab102_positive_where_the_class_count_hides(tmp_path: Path, arch: dict[str, Any], key: str) -> None:
    project = Project(tmp_path, "modern", {"Arch": arch})
    finding = project.finding("LAB102")
    assert finding.location.key == key
    assert (finding.location.line, finding.location.column) == project.place("class_num: ^2")
    assert project.assert_repaired_by(finding) == [3]


def test_lab102_positive_blamed_on_the_override(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("LAB102", "Global.epochs=3", "Arch.class_num=2")
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", 2, "Arch.class_num")


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB102")
    assert passes(Project(tmp_path, generation), "LAB102", stage="eval")


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_near_miss_the_largest_label_is_the_last_output(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, {"class_num": 8}, train=numbered(0, 7), val=numbered(7, split="val")), "LAB102")


def test_lab102_near_miss_ids_of_gallery_and_query_meet_no_classifier(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    block = project.data["DataLoader"]["Eval"]
    project.write_list("val_list.txt", numbered(500, 900, split="val"))
    project.set("DataLoader.Eval", {"Query": block, "Gallery": block})
    project.save()
    assert passes(project, "LAB102")


def test_lab102_near_miss_logo_lists_count_from_one(tmp_path: Path) -> None:
    changes = {"DataLoader.Train.dataset.name": "LogoDataset", "Global.eval_during_train": False}
    text = "image_id\tlabel\tbbox\tpath\n7\t1\tx\ta.png\n8\t2\tx\tb.png\n9\t3\tx\tc.png\n"
    assert passes(Project(tmp_path, "modern", changes, train=text), "LAB102")


def test_lab102_near_miss_values_of_several_labels_are_no_class_ids(tmp_path: Path) -> None:
    lists = "a.png\t0,0,5\nb.png\t1,0,0\n"
    assert reason(Project(tmp_path, "modern", MULTI, train=lists, val=lists), "LAB102") == "no-labels-read"


@pytest.mark.parametrize("generation", BOTH)
def test_lab102_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"class_num": REMOVED}), "LAB102") == "no-class-num"
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB102") == "no-labels-read"


# LAB103 negative-label


@pytest.mark.parametrize("generation", BOTH)
def test_lab103_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=numbered(0, 1, -1, 2, -5, -1))
    finding = project.finding("LAB103", shows=("3", TRAIN_FILE, "Train", "-5, -1"))
    assert (finding.severity, finding.entry) == ("error", "2.1")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 3)
    assert finding.evidence == {"split": "Train", "labels": [-5, -1], "samples": 3, "line": 3, "file": TRAIN_FILE, "class_num": 3}
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


@pytest.mark.parametrize("generation", BOTH)
def test_lab103_positive_evaluation(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, val=numbered(0, -1, split="val"))
    for stage in ("train", "eval"):
        finding = project.finding("LAB103", stage=stage, shows=("Eval", "-1"))
        assert (finding.location.file, finding.location.line) == (EVAL_FILE, 2)


MIXED = {"DataLoader.Train.dataset.batch_transform_ops": [{"CutmixOperator": {"alpha": 0.2}}]}


def test_lab103_positive_mixed_batches(tmp_path: Path) -> None:
    inside = Project(tmp_path, "modern", MIXED, train=numbered(0, 1, -1, 2)).finding("LAB103", shows=("3 − 1",))
    outside = Project(tmp_path, "modern", MIXED, train=numbered(0, 1, -4, 2)).finding("LAB103", shows=("-4", "-3"))
    assert (inside.severity, outside.severity) == ("error", "error")
    assert "3 − 1" not in Project(tmp_path, "modern", MIXED, val=numbered(0, -1, split="val")).finding("LAB103").message


def test_lab103_positive_left_out_of_the_loss(tmp_path: Path) -> None:
    alone = {"Metric.Train": REMOVED}
    assert Project(tmp_path, "modern", alone, train=numbered(0, 1, -100, 2)).finding("LAB103", shows=("-100", "3")).severity == "info"
    for changes in ({}, {**alone, "Loss.Train": [{"CELoss": {"weight": 1.0, "epsilon": 0.1}}]}, {**alone, **MIXED}):
        assert Project(tmp_path, "modern", changes, train=numbered(0, 1, -100, 2)).finding("LAB103").severity == "error"
    assert Project(tmp_path, "modern", alone, train=numbered(0, -100, -1)).finding("LAB103").severity == "error"
    assert Project(tmp_path, "modern", alone, val=numbered(0, -100, split="val")).finding("LAB103").severity == "error"


def test_lab102_positive_mixed_batches(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", MIXED, train=numbered(0, 1, 5)).finding("LAB102", shows=("5", "6"))
    assert (finding.severity, finding.location.key) == ("error", "Arch.class_num")


@pytest.mark.parametrize("generation", BOTH)
def test_lab103_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB103")


def test_lab103_near_miss_a_minus_in_the_path_zero_and_relabelled(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", train="-1/a-1.png 0\nb -0\nc.png 1\nd.png 2\n"), "LAB103")
    relabel = {f"DataLoader.{split}.dataset.relabel": True for split in ("Train", "Eval")}
    assert passes(Project(tmp_path, "modern", relabel, train=numbered(-1, 0, 1)), "LAB103")


@pytest.mark.parametrize("generation", BOTH)
def test_lab103_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB103") == "no-labels-read"


# LAB104 labels-not-from-zero


@pytest.mark.parametrize("generation", BOTH)
def test_lab104_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 4}, train=numbered(3, 2, 1), val=numbered(1, 2, 3, split="val"))
    finding = project.finding("LAB104", shows=("1", "3", "4"))
    assert (finding.severity, finding.entry) == ("info", "2.1")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 3)
    assert finding.evidence == {"min_label": 1, "max_label": 3, "class_num": 4, "file": TRAIN_FILE}
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("advice", "unsafe")
    shell(project, fix.command)
    assert (tmp_path / "data/train_list.txt.from0").read_text() == rows([(p, int(k) - 1) for p, k in numbered(3, 2, 1)])


@pytest.mark.parametrize("generation", BOTH)
def test_lab104_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB104")


@pytest.mark.parametrize("generation", BOTH)
def test_lab104_near_miss_they_do_not_fit_at_all(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=numbered(1, 2, 3), val=numbered(1, split="val"))
    assert passes(project, "LAB104")  # LAB102 says it


def test_lab104_near_miss_another_list_has_the_zero(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "./data/more.txt"]}, train=numbered(0))
    project.write_list("more.txt", numbered(1, 2))
    assert passes(project, "LAB104")


def test_lab104_near_miss_an_evaluation_list_without_class_zero_and_a_negative_label(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", val=numbered(1, 2, split="val")), "LAB104")
    assert passes(Project(tmp_path, "modern", train=numbered(-1, 1, 2)), "LAB104")


@pytest.mark.parametrize("generation", BOTH)
def test_lab104_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"class_num": REMOVED}), "LAB104") == "no-class-num"
    assert reason(Project(tmp_path, generation, {"train_list": "x"}), "LAB104") == "no-train-labels"
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB104") == "no-labels-read"


# LAB105 class-num-larger-than-needed


@pytest.mark.parametrize("generation", BOTH)
def test_lab105_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 50})
    cost = head_bytes("ResNet50", 47)
    assert cost == 2049 * 47 * 4
    finding = project.finding("LAB105", shows=("50", "3", "47", "376.2 KiB"))
    assert (finding.severity, finding.entry) == ("info", "2.1")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("_num: ^50"), project.key("class_num"))
    expected = {"class_num": 50, "needed_class_num": 3, "spare": 47, "extra_bytes": cost, "architecture": "ResNet50"}
    assert finding.evidence == expected
    assert project.assert_repaired_by(finding) == [3]


@pytest.mark.parametrize("generation", BOTH)
def test_lab105_positive_the_count_of_imagenet(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 1000})
    finding = project.finding("LAB105", shows=("1000", "3"))
    assert finding.severity == "warning"
    assert project.assert_repaired_by(finding) == [3]


def test_lab105_positive_an_architecture_that_is_not_known(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 50, "Arch.name": "MyOwnNet"})
    finding = project.finding("LAB105", shows=("50", "3", "47"))
    assert "extra_bytes" not in finding.evidence
    assert project.assert_repaired_by(finding) == [3]


def test_lab105_positive_each_model_of_a_distillation(tmp_path: Path) -> None:
    models = [{"Teacher": {"name": "ResNet50", "class_num": 4}}, {"Student": {"name": "ResNet18", "class_num": 5}}]
    project = Project(tmp_path, "modern", {"Arch": {"name": "DistillationModel", "models": models}})
    findings = project.findings("LAB105", shows=("4", "5"))
    assert [f.location.key for f in findings] == ["Arch.models.0.Teacher.class_num", "Arch.models.1.Student.class_num"]
    for finding in findings:
        assert project.assert_repaired_by(finding) == [3]


def test_lab105_positive_the_repair_keeps_room_for_the_evaluation_labels(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 50}, val=numbered(0, 7, split="val"))
    finding = project.finding("LAB105", shows=("50", "8"))
    assert project.assert_repaired_by(finding) == [8]


@pytest.mark.parametrize("generation", BOTH)
def test_lab105_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB105")


def test_lab105_near_miss_gaps_need_their_outputs(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"class_num": 8}, train=numbered(0, 1, 7)), "LAB105")


def test_lab105_near_miss_the_rest_stands_in_another_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "./data/more.txt"]}, train=numbered(0), val=numbered(0, split="val"))
    project.write_list("more.txt", numbered(1, 2))
    assert passes(project, "LAB105")


def test_lab105_near_miss_the_width_of_an_embedding(tmp_path: Path) -> None:
    arch = {
        "name": "RecModel",
        "Backbone": {"name": "ResNet50"},
        "Neck": {"name": "FC", "embedding_size": 2048, "class_num": 512},
        "Head": {"name": "ArcMargin", "embedding_size": 512, "class_num": 3},
    }
    assert passes(Project(tmp_path, "modern", {"Arch": arch}), "LAB105")


def test_lab105_near_miss_a_thousand_classes_with_most_of_their_labels(tmp_path: Path) -> None:
    project = Project(
        tmp_path, "modern", {"class_num": 1000}, train="".join(f"{k}.png {k}\n" for k in range(900)), val=numbered(0, split="val")
    )
    assert project.finding("LAB105", shows=("1000", "900")).severity == "info"


@pytest.mark.parametrize("generation", BOTH)
def test_lab105_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"class_num": REMOVED}), "LAB105") == "no-class-num"
    assert reason(Project(tmp_path, generation, {"class_num": 50, "train_list": "x"}), "LAB105") == "no-train-labels"


def test_lab105_skipped_where_one_of_the_training_lists_is_missing(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 50, "train_list": [TRAIN_FILE, "gone.txt"]})
    assert reason(project, "LAB105") == "no-train-labels"


# LAB106 label-id-gaps


@pytest.mark.parametrize("generation", BOTH)
def test_lab106_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"class_num": 6}, train=numbered(5, 0, 3, 5), val=numbered(0, 3, split="val"))
    finding = project.finding("LAB106", shows=("3", "0", "5", "1, 2, 4"))
    assert (finding.severity, finding.entry) == ("info", "2.1")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 1)
    expected = {"gaps": 3, "missing": [1, 2, 4], "classes": 3, "min_label": 0, "max_label": 5, "file": TRAIN_FILE}
    assert finding.evidence == expected
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


def test_lab106_positive_many(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 10**9}, train=numbered(1, 3, 10**9 - 1), val=numbered(1, split="val"))
    finding = project.finding("LAB106")
    assert finding.evidence["gaps"] == 10**9 - 1 - 3
    assert finding.evidence["missing"] == [2, *range(4, 14)]


@pytest.mark.parametrize("generation", BOTH)
def test_lab106_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB106")


@pytest.mark.parametrize("generation", BOTH)
def test_lab106_near_miss_a_start_above_zero_and_an_end_above_class_num_are_other_rules(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, {"class_num": 5}, train=numbered(2, 3, 4)), "LAB106")
    assert passes(Project(tmp_path, generation, train=numbered(0, 1, 7)), "LAB106")


def test_lab106_near_miss_another_list_has_them(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "./data/more.txt"]}, train=numbered(0, 2))
    project.write_list("more.txt", numbered(1))
    assert passes(project, "LAB106")


def test_lab106_near_miss_an_evaluation_list_may_lack_classes(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", val=numbered(0, 2, split="val")), "LAB106")


@pytest.mark.parametrize("generation", BOTH)
def test_lab106_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x"}), "LAB106") == "no-train-labels"


def test_lab106_skipped_where_ids_are_renumbered(tmp_path: Path) -> None:
    relabel = {f"DataLoader.{split}.dataset.relabel": True for split in ("Train", "Eval")}
    assert reason(Project(tmp_path, "modern", relabel, train=numbered(10, 20, 30)), "LAB106") == "no-train-labels"


# LAB107 label-line-unparsable

GOOD = "a.png 0\nb.png 1\nc.png 2\n"


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_blank_lines(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train="a.png 0\n\nb.png 1\n \t\nc.png 2\n\n")
    finding = project.finding("LAB107", shows=("3", "6", TRAIN_FILE))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.entry == "data.label-parse"
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 2)
    evidence = finding.evidence
    assert (evidence["count"], evidence["lines"], evidence["total_lines"], evidence["split"]) == (3, [2, 4, 6], 6, "Train")
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    before = (tmp_path / "data/train_list.txt").read_text()
    shell(project, fix.command)
    assert passes(project, "LAB107")
    assert (tmp_path / "data/train_list.txt").read_text() == GOOD
    assert (tmp_path / "data/train_list.txt.bak").read_text() == before


@pytest.mark.parametrize(
    "bad, shown", [("x.png", "x.png"), ("x.png cat", "x.png cat"), ("x.png 0.5", "x.png 0.5"), ("x.png 1\u200b", "<U+200B>")]
)
@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_no_integer(tmp_path: Path, generation: Generation, bad: str, shown: str) -> None:
    project = Project(tmp_path, generation, val=f"{GOOD}{bad}\n")
    for stage in ("train", "eval"):
        finding = project.finding("LAB107", stage=stage, shows=("1", "4", EVAL_FILE, shown))
        assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
        assert (finding.location.file, finding.location.line) == (EVAL_FILE, 4)
        assert finding.evidence["lines"] == [4]
        assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


def test_lab107_positive_words_are_numbered_by_one_mapping(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="a.png cat\nb.png dog\nc.png bird\n", val="d.png dog\ne.png cat\n")
    one, other = project.findings("LAB107", shows=("3", "cat", "2", "dog"))
    assert (one.severity, one.location.line, one.evidence["label"]) == ("error", 1, "cat")
    assert one.fixes[0].command == other.fixes[0].command
    shell(project, one.fixes[0].command)
    assert (tmp_path / "data/train_list.txt.numbered").read_text() == "a.png 0\nb.png 1\nc.png 2\n"
    assert (tmp_path / "data/val_list.txt.numbered").read_text() == "d.png 1\ne.png 0\n"


def test_lab107_near_miss_words_in_one_list_only_or_of_two_parts(tmp_path: Path) -> None:
    mixed = Project(tmp_path, "modern", train="a.png cat\nb.png dog\n").finding("LAB107", shows=("cat",))
    assert [fix.kind for fix in mixed.fixes] == ["advice"]  # which number a word has in the other list is not known
    for project in (
        Project(tmp_path, "modern", train="a.png hot dog\nb.png hot pot\n", val="c.png hot dog\n"),
        Project(tmp_path, "modern", train="a.png cat\nb.png 1\n", val="c.png cat\n"),
    ):
        assert project.findings("LAB107")[0].fixes[0].kind == "advice"


def test_lab107_positive_whole_numbers_with_a_point(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="a.png 0.0\nb.png 1\nc.png 2.\n")
    finding = project.finding("LAB107", shows=("2", "3", "0.0"))
    assert (finding.severity, finding.location.line) == ("error", 1)
    shell(project, finding.fixes[0].command)
    assert (tmp_path / "data/train_list.txt.integers").read_text() == "a.png 0\nb.png 1\nc.png 2\n"
    half = Project(tmp_path, "modern", train="a.png 0.5\nb.png 1\n").finding("LAB107")
    assert [fix.kind for fix in half.fixes] == ["advice"]


def test_lab107_positive_cameras_on_some_lines_alone(tmp_path: Path) -> None:
    """On develop `IndexError: list index out of range` for every sample past the number of cameras."""
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train="a.png 0\nb.png 1\nc.png 2 7\n")
    finding = project.finding("LAB107", shows=("2", "3"))
    assert (finding.severity, finding.location.line) == ("error", 3)
    for lists in ("a.png 0\nb.png 1\n", "a.png 0 1\nb.png 1 7\n"):
        assert passes(Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train=lists), "LAB107")


def test_lab107_positive_legacy_takes_two_parts_only(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy", train=f"{GOOD}d.png 1 extra\n").finding("LAB107", shows=("d.png 1 extra",))
    assert (finding.severity, finding.location.line) == ("warning", 4)
    whole = Project(tmp_path, "legacy", train="d.png 1 extra\n", val=GOOD).finding("LAB107")
    assert whole.severity == "error"  # there is no sample left to take in its place


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_a_line_without_end(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=GOOD + "x" * 70_000 + " 1\n")
    finding = project.finding("LAB107", shows=("1", "4", "xxx…"))
    assert finding.location.line == 4
    assert len(finding.evidence["text"]) < 100


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_an_empty_delimiter(tmp_path: Path, generation: Generation) -> None:
    assert project_with_delimiter(tmp_path, generation, "", GOOD).finding("LAB107", shows=("3",)).severity == "error"


def project_with_delimiter(folder: Path, generation: Generation, delimiter: str, train: str) -> Project:
    return Project(folder, generation, {"train_delimiter": delimiter}, train=train)


def test_lab107_positive_a_value_of_several_labels(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", MULTI, train="a.png\t0,1\nb.png\t0,x\n", val="a.png\t0,1\n")
    assert project.finding("LAB107", shows=("0,x",)).location.line == 2


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB107")
    assert passes(Project(tmp_path, generation), "LAB107", stage="eval")


@pytest.mark.parametrize(
    "text", [GOOD.strip(), GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "   \n"), "".join(f"  {line}\n" for line in GOOD.split("\n")[:3])]
)
@pytest.mark.parametrize("generation", BOTH)
def test_lab107_near_miss_what_strip_takes_away(tmp_path: Path, generation: Generation, text: str) -> None:
    assert passes(Project(tmp_path, generation, train=text), "LAB107")


def test_lab107_near_miss_columns_that_are_passed_over(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", train="a.png 0 x\nb.png 1 y z\nc.png 2\n"), "LAB107")
    assert passes(Project(tmp_path, "modern", train="a.png +0\nb.png 01\nc.png 2\n"), "LAB107")


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB107") == "no-labels-read"


# LAB108 wrong-separator


@pytest.mark.parametrize("separator, shown", [("\t", "\\t"), (",", ","), (";", ";"), ("\u3000", "U+3000")])
@pytest.mark.parametrize("generation", BOTH)
def test_lab108_positive(tmp_path: Path, generation: Generation, separator: str, shown: str) -> None:
    project = Project(tmp_path, generation, train=rows(TRAIN, separator))
    finding = project.finding("LAB108", shows=("12", TRAIN_FILE, shown))
    assert (finding.severity, finding.entry) == ("error", "data.label-parse")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 1)
    evidence = finding.evidence
    assert (evidence["count"], evidence["total_lines"], evidence["separator"], evidence["separator_seen"]) == (12, 12, " ", shown)
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("advice", "safe")
    block = {"modern": "DataLoader.Train.dataset", "legacy": "TRAIN"}[generation]
    assert f"{block}.delimiter" in fix.title
    assert fix.snippet is not None
    project.set(f"{block}.delimiter", yaml.safe_load(fix.snippet)["delimiter"])
    project.save()
    run = project.check()
    assert not found(run, "LAB108") and not found(run, "CFG101") and not found(run, "LAB107")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_positive_one_line_of_many(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}d.png\t1\n")
    finding = project.finding("LAB108", shows=("1", "4", "\\t"))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.location.line == 4
    assert [fix.snippet for fix in finding.fixes] == [None]  # another delimiter would lose the three lines that are read now


def test_lab108_positive_a_tab_in_single_quotes_is_no_tab(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_delimiter": "\\t"}, train=rows(TRAIN, "\t"))
    evidence = project.finding("LAB108").evidence
    assert (evidence["separator"], evidence["separator_seen"]) == ("\\\\t", "\\t")


def test_lab108_positive_a_dataset_class_with_a_fixed_separator(tmp_path: Path) -> None:
    lists = "a.png 0,1\nb.png 1,0\n"
    (train, evaluated) = Project(tmp_path, "modern", MULTI, train=lists, val=lists).findings("LAB108", shows=("\\t",))
    assert (train.evidence["separator"], train.evidence["separator_seen"]) == ("\\t", " ")
    assert [fix.snippet for fix in (*train.fixes, *evaluated.fixes)] == [None, None]  # it takes no delimiter


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB108")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_near_miss_the_delimiter_says_so(tmp_path: Path, generation: Generation) -> None:
    assert passes(
        project_with_delimiter(tmp_path, generation, "\t", rows([("my dir/a.png", 0), ("b,c.png", 1), ("d.png", 2)], "\t")), "LAB108"
    )


def test_lab108_near_miss_classes_that_split_at_any_white_space(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train="a.png\t0\nb.png  1\nc.png 2 7\n")
    assert passes(project, "LAB108")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_near_miss_a_comma_in_the_path_is_no_separator(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}a,b.png\n")
    assert passes(project, "LAB108")
    assert status(project.check(), "LAB107")[0] == "failed"


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB108") == "no-labels-read"


# LAB109 path-contains-separator


@pytest.mark.parametrize("bad", ["my dir/d.png 1", "d.png  1", "a b c.png 1"])
@pytest.mark.parametrize("generation", BOTH)
def test_lab109_positive(tmp_path: Path, generation: Generation, bad: str) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}{bad}\n")
    finding = project.finding("LAB109", shows=("1", "4", TRAIN_FILE))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.entry == "data.label-parse"
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 4)
    assert finding.evidence["text"] == bad
    assert (finding.evidence["count"], finding.evidence["lines"], finding.evidence["separator"]) == (1, [4], " ")
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("advice", "unsafe")
    assert {"modern": "DataLoader.Train.dataset.delimiter", "legacy": "TRAIN.delimiter"}[generation] in fix.title
    assert yaml.safe_load(fix.snippet or "") == {"delimiter": "\t"}


def test_lab109_positive_where_another_delimiter_is_no_way_out(tmp_path: Path) -> None:
    tabs = project_with_delimiter(tmp_path, "modern", "\t", "a.png\t0\nb.png\t\t1\nc.png\t2\n").finding("LAB109", shows=("\\t",))
    assert [fix.snippet for fix in tabs.fixes] == [None]
    fixed = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train=f"{GOOD}my d.png 1\n").finding("LAB109")
    assert [fix.snippet for fix in fixed.fixes] == [None]


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB109")


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_near_miss_blanks_in_a_list_of_tabs(tmp_path: Path, generation: Generation) -> None:
    project = project_with_delimiter(tmp_path, generation, "\t", "my dir/a 1.png\t0\nb.png\t1\nc.png\t2\n")
    assert passes(project, "LAB109")


def test_lab109_near_miss_a_blank_that_hides_because_a_number_follows(tmp_path: Path) -> None:
    # "a 1.png 2" is no integer in its second part, "a 1 2" is: PaddleClas reads the image "a" with the label 1
    assert passes(Project(tmp_path, "modern", train=f"{GOOD}a 1 2\n"), "LAB109")


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB109") == "no-labels-read"


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


# LAB112 label-file-empty


@pytest.mark.parametrize("split, concept, file", [("Train", "train_list", TRAIN_FILE), ("Eval", "eval_list", EVAL_FILE)])
@pytest.mark.parametrize("generation", BOTH)
def test_lab112_positive(tmp_path: Path, generation: Generation, split: str, concept: str, file: str) -> None:
    project = Project(tmp_path, generation)
    project.write(file, "")
    finding = project.finding("LAB112", shows=(split, file, "0 B"))
    assert (finding.severity, finding.entry) == ("error", "data.empty-list")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(f": ^{file}"), project.key(concept))
    assert finding.evidence == {"split": split, "file": file, "size": 0}
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


def test_lab112_positive_a_header_alone(tmp_path: Path) -> None:
    changes = {"DataLoader.Train.dataset.name": "LogoDataset"}
    finding = Project(tmp_path, "modern", changes, train="image_id\tlabel\tbbox\tpath\n").finding("LAB112")
    assert finding.evidence["size"] == len("image_id\tlabel\tbbox\tpath\n")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB112")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_near_miss_one_sample_or_lines_that_cannot_be_read(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, train="a.png 0"), "LAB112")
    assert passes(Project(tmp_path, generation, train="\n\n"), "LAB112")  # LAB107 says it
    validate = {"modern": "Global.eval_during_train", "legacy": "validate"}[generation]
    assert passes(Project(tmp_path, generation, {validate: False}, val=""), "LAB112")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB112") == "no-labels-read"


# LAB113 label-file-unreadable


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_positive_a_folder(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "./data/train"})
    finding = project.finding("LAB113", shows=("Train", "./data/train"))
    assert (finding.severity, finding.entry) == ("error", "data.path-missing")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(": ^./data/train\n"), project.key("train_list"))
    assert finding.evidence == {"split": "Train", "file": "./data/train", "error": ""}
    assert finding.fixes == []


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_positive_a_pipe_a_device_and_bytes(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "pipe", "eval_list": "/dev/zero"})
    os.mkfifo(tmp_path / "pipe")
    for stage, files in (("train", ["/dev/zero", "pipe"]), ("eval", ["/dev/zero"])):
        assert sorted(f.evidence["file"] for f in project.findings("LAB113", stage=stage, shows=files)) == files
    binary = Project(tmp_path, generation, train=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    binary.finding("LAB113", shows=("Train", TRAIN_FILE))


@pytest.fixture
def outside_root() -> Iterator[Path]:
    """A folder that everyone may enter (pytest's own are for one user alone), while the test itself has no rights of root."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        Project(Path(name), "modern").check()  # everything is imported before the rights are gone
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(user)


def test_lab113_positive_without_permission(outside_root: Path) -> None:
    user = os.geteuid()
    if user == 65534:
        os.seteuid(0)
    project = Project(outside_root, "modern")
    os.chmod(outside_root / "data/train_list.txt", 0o000)
    if user == 65534:
        os.seteuid(user)
    finding = project.finding("LAB113", shows=("Train", TRAIN_FILE))
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "unsafe")
    assert shlex.split(fix.command or "") == ["chmod", "u+r", str(outside_root / "data/train_list.txt")]


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB113")


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_near_miss_missing_linked_or_a_zero_byte_far_behind(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "gone.txt", "eval_list": "linked.txt"})
    os.symlink(tmp_path / "data/val_list.txt", tmp_path / "linked.txt")
    assert passes(project, "LAB113")  # LAB101 says it


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": REMOVED, "eval_list": REMOVED}), "LAB113") == "no-label-file"


# LAB114 label-file-encoding


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_gbk(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=GOOD.encode() + "花/玫瑰.png 1\n".encode("gbk"))
    finding = project.finding("LAB114", shows=("0xbb", f"{TRAIN_FILE}:4", "gb18030"))
    assert (finding.severity, finding.entry) == ("error", "data.label-parse")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 4)
    assert finding.evidence == {"file": TRAIN_FILE, "line": 4, "byte": "0xbb", "encoding": "gb18030"}
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    shell(project, fix.command)
    assert (tmp_path / "data/train_list.txt.utf8").read_text(encoding="utf-8") == GOOD + "花/玫瑰.png 1\n"


def test_lab114_positive_of_no_known_encoding(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", train=GOOD.encode() + b"\xff\xff.png 1\n").finding("LAB114", shows=("0xff", "?"))
    assert finding.fixes == []


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_byte_order_mark(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, val=b"\xef\xbb\xbf" + GOOD.encode())
    for stage in ("train", "eval"):
        finding = project.finding("LAB114", stage=stage, shows=(EVAL_FILE,))
        assert (finding.severity, finding.location.file, finding.location.line) == ("error", EVAL_FILE, 1)
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    shell(project, fix.command)
    assert (tmp_path / "data/val_list.txt").read_bytes() == GOOD.encode()
    assert (tmp_path / "data/val_list.txt.bak").read_bytes() == b"\xef\xbb\xbf" + GOOD.encode()
    assert passes(project, "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_characters_that_nobody_sees(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}my\u00a0rose.png 1\nd\u200b.png 1\n")
    finding = project.finding("LAB114", shows=("2", TRAIN_FILE, "4", "U+00A0"))
    assert (finding.severity, finding.location.line) == ("info", 4)
    assert finding.evidence == {"file": TRAIN_FILE, "count": 2, "line": 4, "characters": "U+00A0"}


def test_lab114_positive_after_a_byte_order_mark(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="\ufeff" + f"{GOOD}d\u200b.png 1\n")
    mark, hidden = project.findings("LAB114")
    assert (mark.severity, hidden.severity, hidden.evidence["count"], hidden.location.line) == ("error", "info", 1, 4)


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_near_miss_chinese_accents_and_windows_line_ends(tmp_path: Path, generation: Generation) -> None:
    text = "花/玫瑰，红.png 0\r\ncafé/ñ😀.png 1\r\nc.png 2\r\n"
    assert passes(Project(tmp_path, generation, train=text), "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB114") == "no-labels-read"
