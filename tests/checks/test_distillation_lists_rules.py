"""DST: lists of a distillation, and what its losses name. Each failing form was run on PaddleClas develop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import REMOVED, Project, passes

PAIR = [["Student", "Teacher"]]


def net(**params: Any) -> dict[str, Any]:
    """A network of its own: one that two roles share would be written as a YAML alias."""
    return {"name": "ResNet18", "class_num": 3, "pretrained": True, **params}


ARCH = {"name": "DistillationModel", "models": [{"Teacher": net()}, {"Student": net()}], "infer_model_name": "Student"}
REC = {
    "name": "RecModel",
    "Backbone": {"name": "PPLCNet_x0_25"},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 1280, "class_num": 64},
    "Head": {"name": "ArcMargin", "embedding_size": 64, "class_num": 3},
}


def loss(name: str, **params: Any) -> dict[str, Any]:
    return {name: {"weight": 1.0, **params}}


BOTH = [loss("DistillationGTCELoss", model_names=["Student"]), loss("DistillationDMLLoss", model_name_pairs=PAIR)]


def distillation(folder: Path, changes: dict[str, Any] | None = None) -> Project:
    plain = {"Arch": ARCH, "Loss.Train": BOTH, "Metric": {"Eval": [{"TopkAcc": {"topk": [1]}}]}}
    return Project(folder, "modern", {**plain, **(changes or {})})


# DST103 distillation-lists: what is no list, and what is shared


@pytest.mark.parametrize("value", [True, "TF", {"Teacher": True, "Student": False}])
def test_dst103_positive_frozen_roles_not_in_a_list(tmp_path: Path, value: Any) -> None:
    project = distillation(tmp_path, {"Arch.freeze_params_list": value})
    finding = project.finding("DST103", shows=("freeze_params_list",))
    assert (finding.severity, finding.location.key) == ("error", "Arch.freeze_params_list")
    assert project.assert_repaired_by(finding) == [[False, False]]


@pytest.mark.parametrize("value", ["ab", {"Teacher": None, "Student": None}])
def test_dst103_positive_weights_not_in_a_list(tmp_path: Path, value: Any) -> None:
    assert distillation(tmp_path, {"Arch.pretrained_list": value}).finding("DST103").location.key == "Arch.pretrained_list"


@pytest.mark.parametrize(
    ("losses", "key", "edits"),
    [
        ([loss("DistillationGTCELoss", model_names="Student")], "Loss.Train.0.DistillationGTCELoss.model_names", [["Student"]]),
        ([loss("DistillationGTCELoss", model_names=None)], "Loss.Train.0.DistillationGTCELoss.model_names", []),
        ([loss("DistillationDMLLoss", model_name_pairs="Student, Teacher")], "Loss.Train.0.DistillationDMLLoss.model_name_pairs", []),
    ],
)
def test_dst103_positive_names_not_in_a_list(tmp_path: Path, losses: list[Any], key: str, edits: list[Any]) -> None:
    project = distillation(tmp_path, {"Loss.Train": losses})
    finding = project.finding("DST103")
    assert finding.location.key == key and project.assert_repaired_by(finding) == edits


def test_dst103_positive_items_that_are_no_roles(tmp_path: Path) -> None:
    project = distillation(tmp_path / "a", {"Arch.models": [{"Teacher": net()}, "Student"]})
    assert project.finding("DST103", shows=("Student",)).location.key == "Arch.models.1"
    project = distillation(tmp_path / "b", {"Arch.models": [{"Teacher": net()}, {"Student": {"class_num": 3}}]})
    assert project.finding("DST103", shows=("Student",)).location.key == "Arch.models.1.Student"


ALIAS = "  - Teacher: &net\n      name: ResNet18\n      class_num: 3\n      pretrained: true\n  - Student: *net\n"


def test_dst103_positive_one_mapping_for_two_roles(tmp_path: Path) -> None:
    project = distillation(tmp_path)
    before = project.text[project.text.index("  - Teacher:") : project.text.index("  infer_model_name")]
    project.save(project.text.replace(before, ALIAS))
    finding = project.finding("DST103", shows=("Student", "Teacher"))
    assert (finding.severity, finding.location.line) == ("error", project.place("^*net")[0])


def test_dst103_negative_lists(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path / "a", {"Arch.freeze_params_list": [True, False]}), "DST103")
    assert passes(distillation(tmp_path / "b", {"Arch.pretrained_list": [None, None], "Arch.freeze_params_list": None}), "DST103")


def test_dst103_near_miss_an_alias_for_a_value(tmp_path: Path) -> None:
    project = distillation(tmp_path)
    first, _, rest = project.text.partition("class_num: 3")
    project.save(f"{first}class_num: &classes 3{rest.replace('class_num: 3', 'class_num: *classes', 1)}")
    assert passes(project, "DST103")


# DST102 unknown-role: pairs that are none


@pytest.mark.parametrize("pairs", [[["Student"]], [{"Student": "Teacher"}], ["Student", "Teacher"]])
def test_dst102_positive_no_pair(tmp_path: Path, pairs: list[Any]) -> None:
    project = distillation(tmp_path, {"Loss.Train": [loss("DistillationDMLLoss", model_name_pairs=pairs)]})
    finding = project.finding("DST102", shows=("Student",))
    assert (finding.severity, finding.location.key) == ("error", "Loss.Train.0.DistillationDMLLoss.model_name_pairs.0")


def test_dst102_positive_a_role_with_itself(tmp_path: Path) -> None:
    losses = [BOTH[0], loss("DistillationDMLLoss", model_name_pairs=[["Student", "Student"]])]
    assert distillation(tmp_path, {"Loss.Train": losses}).finding("DST102", shows=("Student",)).severity == "warning"


# DST104 teacher-teaches-nothing: a student in no loss


@pytest.mark.parametrize(
    "losses",
    [
        [loss("DistillationGTCELoss", model_names=["Teacher"])],
        [loss("DistillationDMLLoss", model_name_pairs=[["Teacher", "Teacher"]])],
        [loss("DistillationGTCELoss", model_names=[])],
    ],
)
def test_dst104_positive_in_no_loss(tmp_path: Path, losses: list[Any]) -> None:
    finding = distillation(tmp_path, {"Loss.Train": losses}).finding("DST104", shows=("Student",))
    assert (finding.severity, finding.location.key) == ("error", "Loss.Train")


def test_dst104_near_miss_losses_that_name_no_roles(tmp_path: Path) -> None:
    assert passes(distillation(tmp_path / "a"), "DST104")
    afd = loss("AFDLoss", model_name_pair=["Student", "Teacher"], student_keys=["a"], teacher_keys=["b"], s_shapes=[], t_shapes=[])
    assert passes(distillation(tmp_path / "b", {"Loss.Train": [afd]}), "DST104")
    rkd = loss("DistillationRKDLoss", student_keepkeys=["a"], teacher_keepkeys=["a"])  # compares Student and Teacher of itself
    assert passes(distillation(tmp_path / "c", {"Loss.Train": [rkd]}), "DST104")
    unknown = loss("DistillationGTCELoss", model_names=["student"])  # that is DST102
    assert passes(distillation(tmp_path / "d", {"Loss.Train": [unknown]}), "DST104")


# DST101 roles-differ-in-classes: features


def features(folder: Path, key: str) -> Project:
    narrow = {**REC, "Neck": {**REC["Neck"], "class_num": 32}, "Head": {**REC["Head"], "embedding_size": 32}}
    arch = {"name": "DistillationModel", "models": [{"Teacher": narrow}, {"Student": REC}], "is_rec": True}
    losses = [loss("DistillationGTCELoss", model_names=["Student"], key="logits")]
    return distillation(
        folder, {"Arch": arch, "Loss.Train": [*losses, loss("DistillationDistanceLoss", mode="l2", model_name_pairs=PAIR, key=key)]}
    )


def test_dst101_positive_features_of_other_widths(tmp_path: Path) -> None:
    finding = features(tmp_path, "features").finding("DST101", shows=(64, 32))
    assert (finding.severity, finding.location.key) == ("error", "Arch.models.0.Teacher.Neck.name")


def test_dst101_near_miss_the_same_backbone(tmp_path: Path) -> None:
    assert passes(features(tmp_path, "backbone"), "DST101")


# MDL106 loss-does-not-fit-network: the student alone in Eval


def test_mdl106_positive_roles_in_an_evaluation(tmp_path: Path) -> None:
    later = {"Arch.models": [{"Teacher": net()}, {"Student": net(name="PPLCNet_x0_25")}]}  # a network that 2.2 has not
    changes = {"Loss.Eval": [loss("DistillationGTCELoss", model_names=["Student"])]}
    finding = distillation(tmp_path / "a", {**later, **changes}).finding("MDL106", shows=("DistillationGTCELoss", "Eval"))
    assert (finding.severity, finding.location.key) == ("error", "Loss.Eval.0.DistillationGTCELoss")
    assert distillation(tmp_path / "b", changes).finding("MDL106", shows=("2.3",)).severity == "info"
    metric = [{"DistillationTopkAcc": {"model_key": "Student", "feature_key": "logits", "topk": [1]}}]
    assert distillation(tmp_path / "c", {**later, "Metric.Eval": metric}).finding("MDL106").severity == "error"


def test_mdl106_near_miss_roles_that_stay_in_an_evaluation(tmp_path: Path) -> None:
    metric = [{"DistillationTopkAcc": {"model_key": "Student", "topk": [1]}}]
    assert passes(distillation(tmp_path / "a", {"Metric.Eval": metric}), "MDL106")
    roles = {"Arch.models": [{"Teacher": net()}, {"Small": net()}], "Arch.infer_model_name": "Small"}
    losses = [loss("DistillationGTCELoss", model_names=["Small"])]
    changes = {**roles, "Loss.Train": losses, "Loss.Eval": losses, "Metric": REMOVED}
    assert passes(distillation(tmp_path / "b", changes), "MDL106")


# MDL114 output-not-given: layers


@pytest.mark.parametrize(
    ("name", "params", "key"),
    [
        ("DistillationRKDLoss", {"student_keepkeys": ["blocks[3]"], "teacher_keepkeys": ["blocks[3]"]}, "student_keepkeys"),
        ("DistillationPairLoss", {"base_loss_name": "MGDLoss", "s_key": "blocks[3]", "t_key": "blocks[3]"}, "s_key"),
    ],
)
def test_mdl114_positive_layers_of_roles_that_give_scores(tmp_path: Path, name: str, params: dict[str, Any], key: str) -> None:
    project = distillation(tmp_path, {"Loss.Train": [BOTH[0], loss(name, model_name_pairs=PAIR, **params)]})
    finding = project.finding("MDL114", shows=(name, "blocks[3]"))
    assert finding.location.key == f"Loss.Train.1.{name}.{key}" and "return_patterns" in str(finding.fixes[0].snippet)


# what losses of a distillation take


@pytest.mark.parametrize(
    ("name", "params", "code", "severity"),
    [
        ("DistillationDMLLoss", {"act": "Softmax"}, "CFG134", "error"),
        ("DistillationDMLLoss", {"act": False}, "CFG130", "error"),
        ("DistillationDistanceLoss", {"mode": "L2"}, "CFG134", "error"),
        ("DistillationDistanceLoss", {"mode": "l2", "act": "relu"}, "CFG134", "error"),
        ("DistillationKLDivLoss", {"temperature": 0}, "CFG131", "warning"),
    ],
)
def test_values_of_losses_positive(tmp_path: Path, name: str, params: dict[str, Any], code: str, severity: str) -> None:
    project = distillation(tmp_path, {"Loss.Train": [BOTH[0], loss(name, model_name_pairs=PAIR, **params)]})
    assert project.finding(code).severity == severity


def test_values_of_losses_negative(tmp_path: Path) -> None:
    losses = [
        loss("DistillationDMLLoss", model_name_pairs=PAIR, act=None),
        loss("DistillationDistanceLoss", model_name_pairs=PAIR, mode="smooth_l1", act="sigmoid"),
        loss("DistillationKLDivLoss", model_name_pairs=PAIR, temperature=1.5),
    ]
    project = distillation(tmp_path, {"Loss.Train": losses})
    assert all(passes(project, code) for code in ("CFG130", "CFG131", "CFG134"))


# CFG213 batch-mixing and MDL107 single-and-multi-label-mixed, of roles


def test_cfg213_positive_a_metric_of_a_role(tmp_path: Path) -> None:
    mixup = {"DataLoader.Train.dataset.batch_transform_ops": [{"MixupOperator": {"alpha": 0.2}}], "Arch.class_num": 3}
    metric = {"Metric": {"Train": [{"DistillationTopkAcc": {"model_key": "Student", "topk": 1}}], "Eval": [{"TopkAcc": {"topk": 1}}]}}
    finding = distillation(tmp_path / "a", {**mixup, **metric}).finding("CFG213", shows=("DistillationTopkAcc",))
    assert (finding.severity, finding.location.key) == ("error", "Metric.Train.0.DistillationTopkAcc")
    assert passes(distillation(tmp_path / "b", mixup), "CFG213")


def test_mdl107_positive_switched_on_for_classes(tmp_path: Path) -> None:
    project = distillation(tmp_path / "a", {"Global.use_multilabel": True})
    finding = project.finding("MDL107", shows=("TopkAcc", "use_multilabel"))
    assert finding.severity == "error" and project.assert_repaired_by(finding) == [False]
    assert passes(distillation(tmp_path / "b", {"Global.use_multilabel": False}), "MDL107")


@pytest.mark.parametrize(
    ("loss", "params", "name"),
    [
        ("DistillationGTCELoss", {}, "model_names"),
        ("DistillationGTCELoss", {"model_names": []}, "model_names"),
        ("DistillationDMLLoss", {}, "model_name_pairs"),
    ],
)
def test_dst103_positive_a_loss_without_roles(tmp_path: Path, loss: str, params: dict[str, Any], name: str) -> None:
    alone = [{loss: {"weight": 1.0, **params}}]
    finding = distillation(tmp_path, {"Loss.Train": alone}).finding("DST103", shows=(loss, name))
    assert (finding.severity, finding.location.key) == ("error", f"Loss.Train.0.{loss}" + (f".{name}" if params else ""))
    beside = [*alone, {"DistillationDMLLoss": {"weight": 1.0, "model_name_pairs": [["Student", "Teacher"]]}}]
    assert distillation(tmp_path, {"Loss.Train": beside}).finding("DST103", shows=(loss, name)).severity == "warning"


@pytest.mark.parametrize(
    "loss",
    [
        {"DistillationGTCELoss": {"weight": 1.0, "model_names": ["Student"]}},
        {"DistillationRKDLoss": {"weight": 1.0}},  # its pairs have a default
        {"DistillationDMLLoss": {"weight": 1.0, "model_pairs": [["Student", "Teacher"]]}},  # CFG111
    ],
)
def test_dst103_near_miss_a_loss_with_roles(tmp_path: Path, loss: dict[str, Any]) -> None:
    assert passes(distillation(tmp_path, {"Loss.Train": [loss]}), "DST103")
