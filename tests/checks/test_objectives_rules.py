"""MDL: network, loss, metric and evaluation against each other. Each failing pair was run on PaddleClas develop, PaddlePaddle 3.3.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import REMOVED, Project, passes, reason

REC: dict[str, Any] = {
    "name": "RecModel",
    "Backbone": {"name": "MobileNetV3_small_x0_35"},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 1280, "class_num": 64},
    "Head": {"name": "ArcMargin", "embedding_size": 64, "class_num": 3},
}
DISTILLATION = {"name": "DistillationModel", "models": [{"Teacher": {"name": "ResNet18"}}, {"Student": {"name": "ResNet18"}}]}


def loss(name: str, **params: Any) -> list[dict[str, Any]]:
    return [{name: {"weight": 1.0, **params}}]


def without(changes: dict[str, Any], key: str) -> dict[str, Any]:
    """The changes, less a key of ours that is to be absent."""
    return {name: value for name, value in changes.items() if name != key or value is not REMOVED}


# MDL106 loss-does-not-fit-network


@pytest.mark.parametrize(
    ("arch", "section", "items"),
    [
        (DISTILLATION, "Loss.Train", loss("CELoss")),
        (DISTILLATION, "Metric.Train", [{"TopkAcc": {"topk": [1]}}]),
        ({"name": "ResNet18"}, "Loss.Train", loss("DistillationDMLLoss", model_name_pairs=[["Student", "Teacher"]])),
        (REC, "Loss.Train", loss("DistillationGTCELoss", model_names=["Student"])),
        ({"name": "ResNet18"}, "Loss.Train", loss("TripletLossV2")),
        ({"name": "ResNet18"}, "Loss.Train", loss("CenterLoss", num_classes=3, feat_dim=64)),
        ({"name": "GoogLeNet"}, "Loss.Train", loss("CELoss")),
        ({"name": "GoogLeNet"}, "Metric.Eval", [{"TopkAcc": {"topk": [1]}}]),
        ({"name": "ResNet18"}, "Loss.Eval", loss("GoogLeNetLoss")),
        ({"name": "ResNet18"}, "Metric.Train", [{"Recallk": {"topk": [1]}}]),
        ({key: REC[key] for key in REC if key != "Head"}, "Loss.Train", loss("CELoss")),
    ],
)
def test_mdl106_positive(tmp_path: Path, arch: dict[str, Any], section: str, items: list[dict[str, Any]]) -> None:
    good = {"Loss": {}, "Metric": {}}
    project = Project(tmp_path, "modern", {"Arch": arch, **good, section: items})
    (name,) = items[0]
    finding = project.finding("MDL106", shows=(name,))
    assert (finding.severity, finding.location.key) == ("error", f"{section}.0.{name}")
    assert (finding.location.line, finding.location.column) == project.place(f"- ^{name}:")


def test_mdl106_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "MDL106")
    assert passes(Project(tmp_path, "modern", {"Arch": REC}), "MDL106")


def test_mdl106_near_miss_the_student_is_taken_out_for_eval(tmp_path: Path) -> None:
    train = {"Loss.Train": loss("DistillationGTCELoss", model_names=["Student"]), "Metric.Train": REMOVED}
    assert passes(Project(tmp_path, "modern", {"Arch": DISTILLATION, **train}), "MDL106")


def test_mdl106_near_miss_other_pairs_that_run(tmp_path: Path) -> None:
    metric = [{"DistillationTopkAcc": {"model_key": "Student", "topk": [1]}}]
    assert passes(Project(tmp_path, "modern", {"Metric.Eval": metric}), "MDL106")
    assert passes(Project(tmp_path, "modern", {"Arch": REC, "Loss.Train": [*loss("CELoss"), *loss("TripletLossV2")]}), "MDL106")
    assert passes(Project(tmp_path, "modern", {"Loss.Train": [*loss("CELoss"), *loss("PairwiseCosface")]}), "MDL106")


def test_mdl106_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "MDL106") == "no-network"
    assert reason(Project(tmp_path, "modern", {"Arch.name": "MyNet"}), "MDL106") == "no-network"


# MDL107 single-and-multi-label-mixed

ROWS = "".join(f"train/0/{n}.png\t{n % 2},{1 - n % 2},0\n" for n in range(4))


def multilabel(tmp_path: Path, changes: dict[str, Any] | None = None) -> Project:
    """A multi-label project without a fault."""
    metrics = [{"HammingDistance": None}, {"AccuracyScore": None}]
    base: dict[str, Any] = {
        "Global.use_multilabel": True,
        "DataLoader.Train.dataset.name": "MultiLabelDataset",
        "DataLoader.Eval.dataset.name": "MultiLabelDataset",
        "Loss": {"Train": loss("MultiLabelLoss"), "Eval": loss("MultiLabelLoss")},
        "Metric": {"Train": metrics, "Eval": metrics},
    }
    return Project(tmp_path, "modern", without({**base, **(changes or {})}, "Global.use_multilabel"), train=ROWS, val=ROWS)


def test_mdl107_positive_parts_for_single_labels(tmp_path: Path) -> None:
    project = multilabel(tmp_path, {"Metric.Eval": [{"TopkAcc": {"topk": [1]}}]})
    assert project.finding("MDL107", shows=("TopkAcc",)).location.key == "Metric.Eval.0.TopkAcc"
    finding = multilabel(tmp_path, {"Loss.Train": loss("CELoss")}).finding("MDL107")
    assert (finding.severity, finding.location.key) == ("warning", "Loss.Train.0.CELoss")


@pytest.mark.parametrize("metric", ["HammingDistance", "AccuracyScore", "MultiLabelMAP", "ATTRMetric"])
def test_mdl107_positive_parts_for_many_labels(tmp_path: Path, metric: str) -> None:
    finding = Project(tmp_path, "modern", {"Metric.Eval": [{metric: None}]}).finding("MDL107", shows=(metric,))
    assert (finding.severity, finding.location.key) == ("error", f"Metric.Eval.0.{metric}")


def test_mdl107_positive_a_multi_label_loss_on_classes(tmp_path: Path) -> None:
    assert Project(tmp_path, "modern", {"Loss.Train": loss("MultiLabelLoss")}).finding("MDL107").severity == "error"


@pytest.mark.parametrize("value", [False, REMOVED])
def test_mdl107_positive_not_switched_on(tmp_path: Path, value: Any) -> None:
    project = multilabel(tmp_path, {"Global.use_multilabel": value})
    finding = project.finding("MDL107", shows=("use_multilabel",))
    assert finding.location.key == "Global.use_multilabel"
    assert finding.fixes[0].kind == ("advice" if value is REMOVED else "edit")


def test_mdl107_positive_ratios(tmp_path: Path) -> None:
    project = multilabel(tmp_path, {"Loss.Train": loss("MultiLabelLoss", weight_ratio=True)})
    assert project.finding("MDL107", shows=("label_ratio",)).location.key == "Loss.Train.0.MultiLabelLoss.weight_ratio"
    assert multilabel(tmp_path, {"Metric.Eval": [{"ATTRMetric": None}]}).finding("MDL107").location.key == "Metric.Eval.0.ATTRMetric"


RATIO: dict[str, Any] = {"Metric.Train": [], "DataLoader.Train.dataset.label_ratio": True, "DataLoader.Eval.dataset.label_ratio": True}


@pytest.mark.parametrize("metric", ["HammingDistance", "AccuracyScore", "MultiLabelMAP"])
def test_mdl107_positive_metrics_beside_ratios(tmp_path: Path, metric: str) -> None:
    finding = multilabel(tmp_path, {**RATIO, "Metric.Eval": [{metric: None}]}).finding("MDL107", shows=(metric, "label_ratio"))
    assert (finding.severity, finding.location.key) == ("error", f"Metric.Eval.0.{metric}")


def test_mdl107_positive_a_loss_beside_ratios(tmp_path: Path) -> None:
    project = multilabel(tmp_path, {**RATIO, "Loss.Train": loss("CELoss"), "Metric.Eval": [{"ATTRMetric": None}]})
    assert project.finding("MDL107", shows=("CELoss", "label_ratio")).severity == "error"


def test_mdl107_positive_a_ratio_that_loss_and_metric_miss_is_said_once(tmp_path: Path) -> None:
    changes = {"Loss.Eval": loss("MultiLabelLoss", weight_ratio=True), "Metric.Eval": [{"ATTRMetric": None}]}
    assert multilabel(tmp_path, changes).finding("MDL107").location.key == "Loss.Eval.0.MultiLabelLoss.weight_ratio"


def test_mdl107_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "MDL107")
    assert passes(multilabel(tmp_path), "MDL107")


def test_mdl107_near_miss(tmp_path: Path) -> None:
    # with smoothing the loss makes a row of a class by itself; without a loss of Eval nothing meets the integers
    assert passes(Project(tmp_path, "modern", {"Loss.Train": loss("MultiLabelLoss", epsilon=0.1)}), "MDL107")
    assert passes(multilabel(tmp_path, {"Global.use_multilabel": False}), "MDL107", stage="train") is False
    assert passes(multilabel(tmp_path, {"Global.use_multilabel": False, "Loss.Eval": REMOVED}), "MDL107")
    assert passes(multilabel(tmp_path, {"Global.use_multilabel": False, "Global.eval_during_train": False}), "MDL107")


def test_mdl107_skipped(tmp_path: Path) -> None:
    other = {"DataLoader.Train.dataset.name": "CIFAR10", "DataLoader.Eval.dataset.name": "CIFAR10"}
    assert reason(Project(tmp_path, "modern", other), "MDL107") == "no-labels-read"


# MDL108 evaluation-mode-mismatch


def retrieval(tmp_path: Path, changes: dict[str, Any] | None = None) -> Project:
    """A retrieval project without a fault."""
    part = Project(tmp_path, "modern").data["DataLoader"]["Eval"]
    base: dict[str, Any] = {
        "Global.eval_mode": "retrieval",
        "Arch": REC,
        "DataLoader.Eval": {"Gallery": part, "Query": part},
        "Metric.Eval": [{"Recallk": {"topk": [1, 2]}}],
    }
    return Project(tmp_path, "modern", without({**base, **(changes or {})}, "Global.eval_mode"))


@pytest.mark.parametrize("stage", ["train", "eval"])
def test_mdl108_positive_mode_and_data(tmp_path: Path, stage: str) -> None:
    project = Project(tmp_path, "modern", {"Global.eval_mode": "retrieval"})
    finding = project.finding("MDL108", stage=stage, shows=("Gallery",))
    assert (finding.severity, finding.location.key) == ("error", "Global.eval_mode")
    assert project.assert_repaired_by(finding, stage=stage) == ["classification"]
    finding = retrieval(tmp_path, {"Global.eval_mode": REMOVED}).finding("MDL108", stage=stage)
    assert (finding.location.key, finding.fixes[0].snippet) == ("DataLoader.Eval", "eval_mode: retrieval")


def test_mdl108_positive_metrics_and_network(tmp_path: Path) -> None:
    assert retrieval(tmp_path, {"Metric.Eval": [{"TopkAcc": {"topk": [1]}}]}).finding("MDL108").location.key == "Metric.Eval.0.TopkAcc"
    assert Project(tmp_path, "modern", {"Metric.Eval": [{"mAP": {}}]}).finding("MDL108").location.key == "Metric.Eval.0.mAP"
    assert retrieval(tmp_path, {"Arch": {"name": "ResNet50", "class_num": 3}}).finding("MDL108").location.key == "Arch.name"


def test_mdl108_positive_a_part_is_missing(tmp_path: Path) -> None:
    project = retrieval(tmp_path)
    parts = project.data["DataLoader"]["Eval"]
    parts["Other"] = parts.pop("Gallery")
    project.save()
    assert project.finding("MDL108", shows=("Gallery",)).location.key == "DataLoader.Eval"


def test_mdl108_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "MDL108")
    assert passes(retrieval(tmp_path), "MDL108")


def test_mdl108_near_miss_one_list_against_itself(tmp_path: Path) -> None:
    project = retrieval(tmp_path)
    del project.data["DataLoader"]["Eval"]["Gallery"]
    project.save()
    assert passes(project, "MDL108")
    assert passes(Project(tmp_path, "modern", {"Arch": REC}), "MDL108")  # a RecModel judged as a classifier runs


def test_mdl108_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.eval_mode": "retrieval", "Global.eval_during_train": False})
    assert reason(project, "MDL108") == "no-evaluation"


# MDL111 mixed-labels-do-not-fit

MIX = {"DataLoader.Train.dataset.batch_transform_ops": [{"MixupOperator": {"alpha": 0.2}}], "Metric.Train": REMOVED}
FC_HEAD = {"name": "FC", "embedding_size": 64, "class_num": 3}


def test_mdl111_positive_the_outer_count_differs(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch": {**REC, "class_num": 9, "Head": FC_HEAD}, **MIX})
    finding = project.finding("MDL111", shows=(9, 3, "MixupOperator"))
    assert (finding.severity, finding.location.key, finding.location.line) == ("error", "Arch.class_num", project.place("class_num: ^9")[0])
    assert project.assert_repaired_by(finding) == [3]


def test_mdl111_positive_a_margin_head(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch": {**REC, "class_num": 3}, **MIX})
    assert project.finding("MDL111", shows=("ArcMargin",)).location.key.endswith("0.MixupOperator")  # type: ignore[union-attr]


def test_mdl111_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", MIX), "MDL111")
    assert passes(Project(tmp_path, "modern", {"Arch": {**REC, "class_num": 3, "Head": FC_HEAD}, **MIX}), "MDL111")


def test_mdl111_near_miss_without_an_outer_count_another_rule_speaks(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch": {**REC, "Head": FC_HEAD}, **MIX})
    assert passes(project, "MDL111") and not passes(project, "CFG213")


def test_mdl111_near_miss_no_loss_reads_the_rows(tmp_path: Path) -> None:
    models = [{"Teacher": {"name": "ResNet18", "class_num": 3}}, {"Student": {"name": "ResNet18", "class_num": 3}}]
    train = loss("DistillationDMLLoss", model_name_pairs=[["Student", "Teacher"]])
    arch = {"name": "DistillationModel", "class_num": 9, "models": models}
    assert passes(Project(tmp_path, "modern", {"Arch": arch, "Loss.Train": train, **MIX}), "MDL111")
    train = loss("DistillationGTCELoss", model_names=["Student"])
    assert not passes(Project(tmp_path, "modern", {"Arch": arch, "Loss.Train": train, **MIX}), "MDL111")


def test_mdl111_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "MDL111") == "no-mixing"
