"""DST: teacher and student. Outcomes are those of PaddleClas develop on PaddlePaddle 3.3.1, run once for each case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import CONFIG, REMOVED, Project, numbered, passes, reason

TEACHER, STUDENT = "Arch.models.0.Teacher", "Arch.models.1.Student"


def distillation(tmp_path: Path, changes: dict[str, Any] | None = None, **lists: Any) -> Project:
    """A project that distils ResNet50_vd into PPLCNet_x0_25, three classes, without a fault."""
    arch = {
        "name": "DistillationModel",
        "class_num": 3,
        "freeze_params_list": [True, False],
        "models": [
            {"Teacher": {"name": "ResNet50_vd", "class_num": 3, "pretrained": "teacher/best_model"}},
            {"Student": {"name": "PPLCNet_x0_25", "class_num": 3, "pretrained": True}},
        ],
        "infer_model_name": "Student",
    }
    base: dict[str, Any] = {
        "Arch": arch,
        "Loss.Train": [{"DistillationDMLLoss": {"weight": 1.0, "model_name_pairs": [["Student", "Teacher"]]}}],
        "Metric.Train": [{"DistillationTopkAcc": {"model_key": "Student", "topk": [1, 2]}}],
        "Optimizer.lr.learning_rate": 0.001,
    }
    return Project(tmp_path, "modern", {**base, **(changes or {})}, **lists)


def plain(tmp_path: Path) -> Project:
    return Project(tmp_path, "modern")


# DST101 roles-differ-in-classes


@pytest.mark.parametrize("loss", ["DistillationDMLLoss", "DistillationCELoss", "DistillationKLDivLoss", "DistillationDKDLoss"])
def test_dst101_positive_the_role_that_does_not_fit_the_labels(tmp_path: Path, loss: str) -> None:
    pair = [{loss: {"weight": 1.0, "model_name_pairs": [["Student", "Teacher"]]}}]
    project = distillation(tmp_path, {f"{TEACHER}.class_num": 7, "Loss.Train": pair})
    finding = project.finding("DST101", shows=("Teacher", 7, loss))
    assert (finding.severity, finding.entry) == ("error", "2.3")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("class_num: ^7"), f"{TEACHER}.class_num")
    assert project.assert_repaired_by(finding) == [3]


def test_dst101_positive_an_override_that_reaches_one_role(tmp_path: Path) -> None:
    finding = distillation(tmp_path).finding("DST101", f"-o{STUDENT}.class_num=7".removeprefix("-o"))
    assert (finding.location.file, finding.location.key) == ("-o", f"{STUDENT}.class_num")


def test_dst101_positive_a_role_without_a_count_has_1000(tmp_path: Path) -> None:
    finding = distillation(tmp_path, {f"{TEACHER}.class_num": REMOVED}).finding("DST101")
    assert (finding.evidence["count"], finding.evidence["given"]) == (1000, False)


def test_dst101_negative(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path), "DST101")


@pytest.mark.parametrize(
    "loss",
    [
        {"DistillationGTCELoss": {"weight": 1.0, "model_names": ["Student", "Teacher"]}},
        {"DistillationDistanceLoss": {"weight": 1.0, "key": "features", "model_name_pairs": [["Student", "Teacher"]]}},
    ],
)
def test_dst101_near_miss_losses_that_compare_no_outputs(tmp_path: Path, loss: dict[str, Any]) -> None:
    assert passes(distillation(tmp_path, {f"{TEACHER}.class_num": 7, "Loss.Train": [loss]}), "DST101")


def test_dst101_near_miss_the_count_beside_models_is_read_by_no_role(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path, {"Arch.class_num": 9}), "DST101")


def test_dst101_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST101") == "no-distillation"


# DST102 unknown-role


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("Loss.Train.0.DistillationDMLLoss.model_name_pairs.0.1", "Teacher1", "Teacher1"),
        ("Loss.Train.0.DistillationDMLLoss.model_name_pairs.0.0", "student", "student"),
        ("Metric.Train.0.DistillationTopkAcc.model_key", "Studnt", "Studnt"),
    ],
)
def test_dst102_positive_a_name_that_is_no_role(tmp_path: Path, key: str, value: str, shown: str) -> None:
    project = distillation(tmp_path, {key: value})
    finding = project.finding("DST102", shows=(shown, "Student"))
    assert (finding.severity, finding.location.key, finding.location.line) == ("error", key, project.place(f"^{value}")[0])
    assert len(project.assert_repaired_by(finding)) == 1


def test_dst102_positive_a_pair_written_flat(tmp_path: Path) -> None:
    key = "Loss.Train.0.DistillationDMLLoss.model_name_pairs"
    assert distillation(tmp_path, {key: ["Student", "Teacher"]}).finding("DST102").location.key == f"{key}.0"


def test_dst102_positive_a_role_that_several_name_is_said_once(tmp_path: Path) -> None:
    project = distillation(tmp_path)
    project.data["Arch"]["models"][1] = {"student": project.data["Arch"]["models"][1]["Student"]}
    project.save()
    assert project.finding("DST102", shows=("student",)).evidence["name"] == "Student"


def test_dst102_positive_export_without_or_with_a_wrong_name(tmp_path: Path) -> None:
    project = distillation(tmp_path, {"Arch.infer_model_name": REMOVED})
    finding = project.finding("DST102", stage="export")
    assert finding.location.key == "Arch" and finding.fixes[0].snippet == "infer_model_name: Student"
    project = distillation(tmp_path, {"Arch.infer_model_name": "student"})
    assert project.assert_repaired_by(project.finding("DST102", stage="export"), stage="export") == ["Student"]


@pytest.mark.parametrize("stage", ["train", "eval", "infer"])
def test_dst102_positive_no_student(tmp_path: Path, stage: str) -> None:
    project = distillation(
        tmp_path,
        {
            "Arch.models.1": {"S": {"name": "PPLCNet_x0_25", "class_num": 3}},
            "Loss.Train.0.DistillationDMLLoss.model_name_pairs": [["S", "Teacher"]],
            "Metric.Train.0.DistillationTopkAcc.model_key": "S",
        },
    )
    assert project.finding("DST102", stage=stage).location.key == "Arch.models"


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
def test_dst102_negative(tmp_path: Path, stage: str) -> None:
    assert passes(distillation(tmp_path), "DST102", stage=stage)


def test_dst102_near_miss_no_export_and_no_use(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path, {"Arch.infer_model_name": REMOVED}), "DST102", stage="train")
    eval_metric = [{"DistillationTopkAcc": {"model_key": "Anyone", "topk": [1]}}]  # the student's output is taken out before
    assert passes(distillation(tmp_path, {"Metric.Eval": eval_metric}), "DST102", stage="eval")


def test_dst102_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST102") == "no-distillation"
    assert reason(distillation(tmp_path, {"Arch.models": {"Teacher": {}}}), "DST102") == "no-roles-read"


# DST103 distillation-lists


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
def test_dst103_positive_pretrained_list(tmp_path: Path, stage: str) -> None:
    project = distillation(tmp_path, {"Arch.pretrained_list": ["teacher/best_model", None]})
    finding = project.finding("DST103", stage=stage, shows=("teacher/best_model",))
    assert (finding.severity, finding.location.key) == ("error", "Arch.pretrained_list.0")
    assert (finding.location.line, finding.location.column) == project.place("- ^teacher/best_model")
    assert finding.fixes[0].snippet == "pretrained: teacher/best_model" and f"{TEACHER}.pretrained" in finding.fixes[0].title
    assert project.assert_repaired_by(finding, stage=stage) == [None]


@pytest.mark.parametrize("key", ["pretrained_list", "freeze_params_list"])
def test_dst103_positive_another_length(tmp_path: Path, key: str) -> None:
    assert distillation(tmp_path, {f"Arch.{key}": [None]}).finding("DST103", shows=(key,)).location.key == f"Arch.{key}"


def test_dst103_positive_models_that_are_no_list_of_single_roles(tmp_path: Path) -> None:
    assert distillation(tmp_path, {"Arch.models": "Teacher"}).finding("DST103").location.key == "Arch.models"
    project = distillation(tmp_path, {"Arch.models": [{}], "Arch.freeze_params_list": REMOVED})
    assert project.finding("DST103").location.key == "Arch.models.0"


def test_dst103_near_miss_roles_without_dashes(tmp_path: Path) -> None:
    one: dict[str, Any] = {"Teacher": {"name": "ResNet18"}, "Student": {"name": "ResNet18"}}
    for models in (one, [one]):
        project = distillation(tmp_path, {"Arch.models": models, "Arch.freeze_params_list": REMOVED})
        assert not project.findings("DST103")
        assert project.finding("CFG113").fixes[0].snippet


def test_dst103_negative(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path), "DST103")


def test_dst103_near_miss_nulls(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path, {"Arch.pretrained_list": [None, None]}), "DST103")
    assert passes(distillation(tmp_path, {"Arch.pretrained_list": None, "Arch.freeze_params_list": None}), "DST103")


def test_dst103_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST103") == "no-distillation"


# DST104 teacher-teaches-nothing


@pytest.mark.parametrize("given", [False, None, REMOVED])
def test_dst104_positive_a_random_teacher(tmp_path: Path, given: Any) -> None:
    finding = distillation(tmp_path, {f"{TEACHER}.pretrained": given}).finding("DST104", shows=("ResNet50_vd",))
    assert finding.severity == "warning"
    assert finding.location.key == f"{TEACHER}.{'name' if given is REMOVED else 'pretrained'}"


@pytest.mark.parametrize("frozen", [[True, True], [False, True]])
def test_dst104_positive_the_student_is_frozen(tmp_path: Path, frozen: list[bool]) -> None:
    project = distillation(tmp_path, {"Arch.freeze_params_list": frozen})
    finding = project.finding("DST104")
    assert (finding.severity, finding.location.key) == ("error", "Arch.freeze_params_list.1")
    assert project.assert_repaired_by(finding) == [False]


def test_dst104_negative(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path), "DST104")


def test_dst104_near_miss_roles_that_learn_from_each_other(tmp_path: Path) -> None:
    changes = {f"{TEACHER}.pretrained": False, "Arch.freeze_params_list": REMOVED}
    assert passes(distillation(tmp_path, changes), "DST104")
    # weights of the whole distillation, or of a run to go on with, hold the teacher's as well
    assert passes(distillation(tmp_path, {f"{TEACHER}.pretrained": False, "Global.pretrained_model": "output/latest"}), "DST104")
    assert passes(distillation(tmp_path, {f"{TEACHER}.name": "UniFormer_small", f"{TEACHER}.pretrained": REMOVED}), "DST104")


def test_dst104_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST104") == "no-distillation"


# DST105 distillation-recipe


def test_dst105_positive_the_rate_of_imagenet(tmp_path: Path) -> None:
    finding = distillation(tmp_path, {"Optimizer.lr.learning_rate": 0.4}).finding("DST105", shows=(0.4, 12))
    assert (finding.severity, finding.location.key) == ("info", "Optimizer.lr.learning_rate")
    assert finding.evidence["bound"] == 0.0031  # 0.4 · 2 · 4 / 1024


def test_dst105_positive_a_student_without_weights(tmp_path: Path) -> None:
    finding = distillation(tmp_path, {f"{STUDENT}.pretrained": False}).finding("DST105", shows=("Student",))
    assert (finding.severity, finding.location.key) == ("info", f"{STUDENT}.pretrained")


def test_dst105_negative(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path), "DST105")


def test_dst105_near_miss_another_optimizer_has_other_rates(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path, {"Optimizer.name": "AdamW", "Optimizer.lr.learning_rate": 0.4}), "DST105")


def test_dst105_near_miss_many_samples(tmp_path: Path) -> None:
    many = "".join(f"train/{n % 3}/0.png {n % 3}\n" for n in range(50_000))
    assert passes(distillation(tmp_path, {f"{STUDENT}.pretrained": False}, train=many), "DST105", ignore=("LAB", "IMG"))


def test_dst105_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST105") == "no-distillation"
    project = distillation(tmp_path, train=numbered(0, 1, 2))
    (tmp_path / "data/train_list.txt").unlink()
    assert reason(project, "DST105") == "no-train-labels"


# DST106 legacy-distillation-switch

PAIR = "ResNet50_vd_distill_MobileNetV3_large_x1_0"


def test_dst106_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy", {"use_distillation": True})
    finding = project.finding("DST106", shows=("ResNet50",))
    assert (finding.severity, finding.location.key) == ("error", "use_distillation")
    assert project.assert_repaired_by(finding) == [False]
    finding = Project(tmp_path, "legacy", {"ARCHITECTURE.name": PAIR}).finding("DST106", shows=(PAIR,))
    assert (finding.location.key, finding.fixes[0].snippet) == ("ARCHITECTURE.name", "use_distillation: True")


def test_dst106_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "legacy"), "DST106")


def test_dst106_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "legacy", {"ARCHITECTURE.name": PAIR, "use_distillation": True}), "DST106")
    assert passes(Project(tmp_path, "legacy", {"use_distillation": False}), "DST106")


def test_dst106_skipped(tmp_path: Path) -> None:
    assert reason(plain(tmp_path), "DST106") == "no-legacy-network"
