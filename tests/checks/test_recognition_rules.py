"""MDL: the parts of a RecModel, and what is asked of a network. What stops and what trains was seen on PaddleClas develop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.rec_parts import backbone_of, feature_width, outputs_of
from knowledge.layers import layers_of
from tests.projects import REMOVED, Project, passes, reason

REC: dict[str, Any] = {
    "name": "RecModel",
    "infer_output_key": "features",
    "infer_add_softmax": False,
    "Backbone": {"name": "PPLCNet_x0_25", "pretrained": False},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 1280, "class_num": 64},
    "Head": {"name": "ArcMargin", "embedding_size": 64, "class_num": 3},
}
DISTILLED = {
    "name": "DistillationModel",
    "models": [{"Teacher": {"name": "ResNet18", "class_num": 3}}, {"Student": {"name": "ResNet18", "class_num": 3}}],
    "infer_model_name": "Student",
}
PAIR = [["Student", "Teacher"]]


def loss(name: str, **params: Any) -> list[dict[str, Any]]:
    return [{name: {"weight": 1.0, **params}}]


def rec(folder: Path, changes: dict[str, Any] | None = None) -> Project:
    return Project(folder, "modern", {"Arch": REC, **(changes or {})})


# MDL105 parts-do-not-fit


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
def test_mdl105_positive(tmp_path: Path, stage: str) -> None:
    project = rec(tmp_path, {"Arch.Head.embedding_size": 512})
    finding = project.finding("MDL105", stage=stage, shows=(64, 512))
    assert (finding.severity, finding.location.key) == ("error", "Arch.Head.embedding_size")
    assert (finding.location.line, finding.location.column) == project.place("embedding_size: ^512")
    assert project.assert_repaired_by(finding, stage=stage) == [64]


@pytest.mark.parametrize(
    "neck", [{"name": "BNNeck", "num_features": 1280}, {"name": "VehicleNeck", "in_channels": 1280, "out_channels": 512}]
)
def test_mdl105_positive_other_necks_in_a_role(tmp_path: Path, neck: dict[str, Any]) -> None:
    stop = {"BackboneStopLayer": {"name": "last_conv" if neck["name"] == "VehicleNeck" else "flatten"}}
    models = [{"Teacher": {"name": "ResNet18"}}, {"Student": {**REC, "Neck": neck, **stop}}]
    project = Project(tmp_path, "modern", {"Arch": {"name": "DistillationModel", "models": models}})
    assert project.finding("MDL105").location.key == "Arch.models.1.Student.Head.embedding_size"


@pytest.mark.parametrize(
    ("changes", "key", "shows"),
    [
        ({"Arch.Neck.embedding_size": 512}, "Arch.Neck.embedding_size", (1280, 512)),
        ({"Arch.Backbone.name": "ResNet50"}, "Arch.Neck.embedding_size", (2048, 1280)),
        ({"Arch.Neck": {"name": "BNNeck", "num_features": 512}, "Arch.Head.embedding_size": 512}, "Arch.Neck.num_features", (1280, 512)),
        ({"Arch.Neck": {"name": "FRFNNeck", "num_features": 512, "low_dim": 64}}, "Arch.Neck.num_features", (1280, 512)),
        ({"Arch.Neck": {"name": "Tanh"}}, "Arch.Head.embedding_size", (1280, 64)),
        ({"Arch.Neck": REMOVED}, "Arch.Head.embedding_size", (1280, 64)),
        ({"Arch.head_feature_from": "backbone"}, "Arch.Head.embedding_size", (1280, 64)),
        ({"Arch.BackboneStopLayer.name": "fc"}, "Arch.Neck.embedding_size", (1000, 1280)),
    ],
)
def test_mdl105_positive_the_backbone(tmp_path: Path, changes: dict[str, Any], key: str, shows: tuple[int, ...]) -> None:
    project = rec(tmp_path, changes)
    finding = project.finding("MDL105", shows=shows)
    assert (finding.severity, finding.location.key) == ("error", key)
    if key != "Arch.Neck.num_features" or "BNNeck" not in finding.message:  # a BNNeck hands its width on, and the head is next
        assert project.assert_repaired_by(finding)


def test_mdl105_positive_a_map_where_a_row_is_taken(tmp_path: Path) -> None:
    finding = rec(tmp_path, {"Arch.BackboneStopLayer.name": "avg_pool"}).finding("MDL105", shows=("avg_pool", 1280))
    assert "flatten" in finding.fixes[0].title


def test_mdl105_positive_a_row_where_a_map_is_taken(tmp_path: Path) -> None:
    neck = {"name": "VehicleNeck", "in_channels": 1280, "out_channels": 64}
    assert rec(tmp_path, {"Arch.Neck": neck}).finding("MDL105", shows=("flatten", "VehicleNeck")).location.key == "Arch.Neck.in_channels"


@pytest.mark.parametrize("part", ["Neck", "Head"])
def test_mdl105_positive_a_part_without_a_value(tmp_path: Path, part: str) -> None:
    assert rec(tmp_path, {f"Arch.{part}": None}).finding("MDL105", shows=(part,)).location.key == f"Arch.{part}"


def test_mdl105_negative(tmp_path: Path) -> None:
    assert passes(rec(tmp_path), "MDL105")
    neck = {"name": "VehicleNeck", "in_channels": 1280, "out_channels": 64}
    assert passes(rec(tmp_path / "a", {"Arch.Neck": neck, "Arch.BackboneStopLayer.name": "last_conv"}), "MDL105")


@pytest.mark.parametrize(
    "change",
    [
        {"Arch.head_feature_from": "backbone"},
        {"Arch.Neck": REMOVED},
        {"Arch.Neck": {"name": "Tanh"}},
        {"Arch.Neck": {"name": "BNNeck", "num_features": 1280}},
        {"Arch.Backbone.class_expand": 512, "Arch.Head.embedding_size": 64},
        {"Arch.Backbone.name": "ResNet50_of_their_own", "Arch.Head.embedding_size": 64},
        {"Arch.BackboneStopLayer.name": "blocks6[1]", "Arch.Head.embedding_size": 64},
    ],
)
def test_mdl105_near_miss(tmp_path: Path, change: dict[str, Any]) -> None:
    assert passes(rec(tmp_path, {"Arch.Head.embedding_size": 1280, **change}), "MDL105")


def test_mdl105_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "MDL105") == "no-rec-model"


# MDL115 backbone-not-stopped


def test_mdl115_positive_a_layer_that_is_not_there(tmp_path: Path) -> None:
    project = rec(tmp_path, {"Arch.BackboneStopLayer.name": "flaten"})
    finding = project.finding("MDL115", shows=("PPLCNet_x0_25", "flaten", 1000, 1280))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "5.5", "Arch.BackboneStopLayer.name")
    assert project.assert_repaired_by(finding) == ["flatten"]
    assert passes(project, "MDL105")  # one cause, one finding


def test_mdl115_positive_scores_that_fit_by_chance(tmp_path: Path) -> None:
    project = rec(tmp_path, {"Arch.BackboneStopLayer.name": "flaten", "Arch.Neck.embedding_size": 1000})
    assert project.finding("MDL115", shows=("flaten", 1000)).severity == "warning"


def test_mdl115_positive_no_stop(tmp_path: Path) -> None:
    finding = rec(tmp_path, {"Arch.BackboneStopLayer": REMOVED}).finding("MDL115", shows=(1000, 1280))
    assert finding.location.key == "Arch.Backbone" and finding.fixes[0].snippet == "BackboneStopLayer:\n  name: flatten\n"


@pytest.mark.parametrize("value", [None, "flatten", {"layer": "flatten"}])
def test_mdl115_positive_malformed(tmp_path: Path, value: Any) -> None:
    assert rec(tmp_path, {"Arch.BackboneStopLayer": value}).finding("MDL115").severity == "error"


def test_mdl115_positive_a_network_without_the_method(tmp_path: Path) -> None:
    changes = {"Arch.Backbone": {"name": "DeiT_tiny_patch16_224"}, "Arch.BackboneStopLayer.name": "norm", "Arch.Neck.embedding_size": 192}
    assert rec(tmp_path, changes).finding("MDL115", shows=("stop_after",)).location.key == "Arch.BackboneStopLayer.name"


def test_mdl115_positive_a_full_name_where_the_branch_is_known(tmp_path: Path) -> None:
    block = {**REC, "BackboneStopLayer": {"name": "flatten_0"}}
    one, other = backbone_of(block), backbone_of(block, by_child=True)
    assert one is not None and other is not None and (one.stop, other.stop) == ("later", "unknown")


def test_mdl115_negative(tmp_path: Path) -> None:
    assert passes(rec(tmp_path), "MDL115")
    assert passes(rec(tmp_path / "a", {"Arch.BackboneStopLayer.name": "blocks6[1]"}), "MDL115")


@pytest.mark.parametrize(
    "change",
    [
        {"Arch.BackboneStopLayer.name": "flatten_0"},  # as 2.2 finds it
        {"Arch.Backbone.name": "AdaFace_IR_18", "Arch.BackboneStopLayer": REMOVED, "Arch.Neck": REMOVED, "Arch.Head.embedding_size": 512},
        {"Arch.Backbone.class_num": 64, "Arch.BackboneStopLayer": REMOVED, "Arch.Neck": REMOVED},  # an embedding as classes, on purpose
        {"Arch.Backbone.name": "TheirNet", "Arch.BackboneStopLayer.name": "pooling"},
        {"Arch.Backbone.use_last_conv": False, "Arch.BackboneStopLayer": REMOVED},
    ],
)
def test_mdl115_near_miss(tmp_path: Path, change: dict[str, Any]) -> None:
    assert passes(rec(tmp_path, change), "MDL115")


def test_mdl115_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "MDL115") == "no-rec-model"


# MDL114 output-not-given


def test_mdl114_positive_a_loss_of_features(tmp_path: Path) -> None:
    project = rec(tmp_path, {"Loss.Train": loss("TripletLossV2", margin=0.5, feature_from="feature")})
    finding = project.finding("MDL114", shows=("TripletLossV2", "feature"))
    assert (finding.severity, finding.location.key) == ("error", "Loss.Train.0.TripletLossV2.feature_from")
    assert project.assert_repaired_by(finding) == ["features"]


@pytest.mark.parametrize(
    ("section", "items", "key"),
    [
        ("Loss.Train", loss("DistillationGTCELoss", model_names=["Student"], key="logits"), "Loss.Train.0.DistillationGTCELoss.key"),
        ("Loss.Train", loss("DistillationDMLLoss", model_name_pairs=PAIR, key="logits"), "Loss.Train.0.DistillationDMLLoss.key"),
        ("Loss.Train", loss("DistillationKLDivLoss", model_name_pairs=PAIR, key=""), "Loss.Train.0.DistillationKLDivLoss.key"),
        (
            "Metric.Train",
            [{"DistillationTopkAcc": {"model_key": "Student", "feature_key": "logits", "topk": 1}}],
            "Metric.Train.0.DistillationTopkAcc.feature_key",
        ),
    ],
)
def test_mdl114_positive_a_name_for_plain_roles(tmp_path: Path, section: str, items: list[dict[str, Any]], key: str) -> None:
    losses = loss("DistillationGTCELoss", model_names=["Student"])
    project = Project(tmp_path, "modern", {"Arch": DISTILLED, "Loss.Train": losses, "Metric.Train": REMOVED_METRIC, section: items})
    finding = project.finding("MDL114")
    assert (finding.severity, finding.location.key) == ("error", key)
    assert project.assert_repaired_by(finding) == [None]


REMOVED_METRIC: list[Any] = []


def test_mdl114_positive_recognising_roles(tmp_path: Path) -> None:
    arch = {"name": "DistillationModel", "models": [{"Teacher": REC}, {"Student": REC}], "is_rec": True}
    project = Project(tmp_path, "modern", {"Arch": arch, "Loss.Train": loss("DistillationGTCELoss", model_names=["Student"])})
    assert project.finding("MDL114", shows=("logits",)).location.key == "Loss.Train.0.DistillationGTCELoss"
    project = Project(tmp_path, "modern", {"Arch": arch, "Loss.Train": loss("DistillationGTCELoss", model_names=["Student"], key="logit")})
    assert project.assert_repaired_by(project.finding("MDL114")) == ["logits"]


@pytest.mark.parametrize(
    ("arch", "key"),
    [
        ({"name": "ResNet18", "class_num": 3, "infer_output_key": "logits"}, "Arch.infer_output_key"),
        ({**DISTILLED, "infer_output_key": "features"}, "Arch.infer_output_key"),
        ({**REC, "infer_output_key": "feature"}, "Arch.infer_output_key"),
        ({k: v for k, v in REC.items() if k not in ("Head", "infer_output_key", "infer_add_softmax")}, "Arch"),
    ],
)
def test_mdl114_positive_at_export(tmp_path: Path, arch: dict[str, Any], key: str) -> None:
    project = Project(tmp_path, "modern", {"Arch": arch})
    finding = project.finding("MDL114", stage="export")
    assert (finding.severity, finding.location.key) == ("error", key)
    project.assert_repaired_by(finding, stage="export")


def test_mdl114_positive_a_softmax_on_features(tmp_path: Path) -> None:
    project = rec(tmp_path, {"Arch.infer_add_softmax": True})
    finding = project.finding("MDL114", stage="export")
    assert finding.severity == "warning" and project.assert_repaired_by(finding, stage="export") == [False]
    finding = rec(tmp_path, {"Arch.infer_add_softmax": REMOVED}).finding("MDL114", stage="export")
    assert finding.location.key == "Arch.infer_output_key"


def test_mdl114_negative(tmp_path: Path) -> None:
    project = rec(tmp_path, {"Loss.Train": [*loss("CELoss"), *loss("TripletLossV2", margin=0.5, feature_from="backbone")]})
    assert passes(project, "MDL114") and passes(project, "MDL114", stage="export")
    losses = [*loss("DistillationGTCELoss", model_names=["Student"]), *loss("DistillationDMLLoss", model_name_pairs=PAIR)]
    project = Project(tmp_path, "modern", {"Arch": DISTILLED, "Loss.Train": losses})
    assert passes(project, "MDL114") and passes(project, "MDL114", stage="export")


def test_mdl114_near_miss_networks_that_give_what_they_list(tmp_path: Path) -> None:
    arch = {"name": "ResNet18", "class_num": 3, "return_patterns": ["blocks[3]"], "infer_output_key": "logits"}
    assert passes(Project(tmp_path, "modern", {"Arch": arch}), "MDL114", stage="export")
    assert passes(Project(tmp_path, "modern", {"Arch": {"name": "TheirNet", "infer_output_key": "logits"}}), "MDL114", stage="export")
    models = [{"Teacher": {"name": "ResNet18", "return_stages": True}}, {"Student": {"name": "ResNet18", "return_stages": True}}]
    rkd = loss("DistillationRKDLoss", model_name_pairs=PAIR, student_keepkeys=["blocks[3]"], teacher_keepkeys=["blocks[3]"])
    assert passes(Project(tmp_path, "modern", {"Arch": {"name": "DistillationModel", "models": models}, "Loss.Train": rkd}), "MDL114")


def test_mdl114_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "MDL114") == "no-network"


# MDL119 head-needs-labels


@pytest.mark.parametrize(("head", "attribute"), [("CosMargin", "stop_gradient"), ("AdaMargin", "reshape")])
def test_mdl119_positive(tmp_path: Path, head: str, attribute: str) -> None:
    changes = {"Arch.Head": {"name": head, "embedding_size": 64, "class_num": 3}, "Arch.infer_output_key": "logits"}
    project = rec(tmp_path, changes)
    finding = project.finding("MDL119", stage="export", shows=(head, attribute))
    assert (finding.severity, finding.location.key) == ("error", "Arch.infer_output_key")
    assert project.assert_repaired_by(finding, stage="export") == ["features"]


def test_mdl119_positive_no_key(tmp_path: Path) -> None:
    changes = {"Arch.Head": {"name": "CosMargin", "embedding_size": 64, "class_num": 3}, "Arch.infer_output_key": REMOVED}
    assert rec(tmp_path, changes).finding("MDL119", stage="export").location.key == "Arch.Head"


def test_mdl119_negative(tmp_path: Path) -> None:
    assert passes(rec(tmp_path, {"Arch.Head.name": "CosMargin"}), "MDL119", stage="export")


@pytest.mark.parametrize("head", ["ArcMargin", "CircleMargin", "FC"])
def test_mdl119_near_miss_heads_that_do_without(tmp_path: Path, head: str) -> None:
    changes = {"Arch.Head.name": head, "Arch.infer_output_key": "logits"}
    assert passes(rec(tmp_path, changes), "MDL119", stage="export")


def test_mdl119_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "MDL119", stage="export") == "no-rec-model"


# what the rules stand on


def test_layers_and_widths() -> None:
    found = layers_of("ResNet50")
    assert found is not None and found.vector() == "flatten" and found.whole == (1000,) and layers_of("TheirNet") is None
    assert feature_width(REC) == 64 and feature_width(REC, "backbone") == 1280 and feature_width(REC, "logits") is None
    assert outputs_of(REC) == {"backbone", "features", "neck", "logits"}
    assert outputs_of({"name": "ResNet18"}) == frozenset() and outputs_of({"name": "TheirNet"}) is None


@pytest.mark.parametrize("value", ["FC", False, [{"name": "FC"}], {}, {"embedding_size": 1280, "class_num": 64}])
def test_mdl105_positive_a_part_that_is_none(tmp_path: Path, value: Any) -> None:
    finding = rec(tmp_path, {"Arch.Neck": value}).finding("MDL105", shows=("Neck",))
    assert (finding.severity, finding.location.key) == ("error", "Arch.Neck")


def test_cfg111_positive_a_part_that_is_needed(tmp_path: Path) -> None:
    changes = {"Arch.Backbone": REMOVED, "Arch.backbone": {"name": "PPLCNet_x0_25"}}
    finding = rec(tmp_path, changes).finding("CFG111", shows=("backbone", "Backbone"))
    assert (finding.severity, finding.location.key) == ("error", "Arch.backbone")


@pytest.mark.parametrize(
    ("key", "value", "code", "severity"),
    [
        ("Arch.head_feature_from", "bone", "CFG134", "error"),
        ("Arch.head_feature_from", None, "CFG130", "error"),
        ("Arch.Head.scale", 0, "CFG131", "warning"),
        ("Arch.Head.margin", "0.15a", "CFG130", "error"),
        ("Arch.Neck.class_num", 64.0, "CFG130", "error"),
        ("Arch.Neck.embedding_size", -1, "CFG131", "error"),
        ("Arch.Backbone.dropout_prob", 2, "CFG131", "error"),
    ],
)
def test_values_of_parts_positive(tmp_path: Path, key: str, value: Any, code: str, severity: str) -> None:
    finding = next(f for f in rec(tmp_path, {key: value}).findings(code) if f.location.key == key)
    assert finding.severity == severity


@pytest.mark.parametrize(
    ("key", "value"),
    [("Arch.head_feature_from", "neck"), ("Arch.Head.scale", 1), ("Arch.Head.margin", 0), ("Arch.Backbone.dropout_prob", 0)],
)
def test_values_of_parts_negative(tmp_path: Path, key: str, value: Any) -> None:
    project = rec(tmp_path, {key: value})
    assert all(passes(project, code) for code in ("CFG130", "CFG131", "CFG134"))
