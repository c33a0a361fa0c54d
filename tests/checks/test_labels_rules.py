"""LAB: the numbers of the label lists against the classes of the model. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from knowledge.zoo import head_bytes
from tests.label_projects import BOTH, EVAL_FILE, MULTI, TRAIN_FILE
from tests.projects import CONFIG, EVAL, REMOVED, TRAIN, Generation, Project, numbered, passes, reason, rows, shell


def test_the_project_is_what_the_tests_think() -> None:
    assert [label for _, label in TRAIN] == [0] * 4 + [1] * 4 + [2] * 4
    assert [label for _, label in EVAL] == [0, 0, 1, 1, 2, 2]


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
