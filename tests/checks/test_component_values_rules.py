"""CFG115, and what CFG130, CFG131 and CFG134 say of parameters of components. Each fault was made with the real PaddleClas first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import Project, passes, reason

OPS = "DataLoader.Train.dataset.transform_ops"
BATCH = "DataLoader.Train.dataset.batch_transform_ops"
LOSSES = [{"CELoss": {"weight": 1.0}}, {"CELoss": {"weight": 0.5, "epsilon": 0.1}}]


def adamw(**params: Any) -> dict[str, Any]:
    return {"Optimizer": {"name": "AdamW", "weight_decay": 0.05, "lr": {"name": "Cosine", "learning_rate": 0.001}, **params}}


def schedule(name: str, **params: Any) -> dict[str, Any]:
    return {"Optimizer.lr": {"name": name, "learning_rate": 0.1, **params}}


def one_cycle(**params: Any) -> dict[str, Any]:
    return {"Optimizer.lr": {"name": "OneCycleLR", "max_learning_rate": 0.1, **params}}


def pk(**params: Any) -> dict[str, Any]:
    block = {"name": "PKSampler", "batch_size": 2, "sample_per_id": 2, "drop_last": False, "shuffle": True, **params}
    return {"DataLoader.Train.sampler": block}


def weighted(weight: Any) -> dict[str, Any]:
    return {"Loss.Train": [LOSSES[0], {"CELoss": {"weight": weight, "epsilon": 0.1}}]}


# CFG115 transform-broken-here


def cutout(folder: Path, params: Any) -> Project:
    project = Project(folder, "modern")
    ops = project.data["DataLoader"]["Train"]["dataset"]["transform_ops"]
    project.set(OPS, [*ops[:2], {"Cutout": params}, *ops[2:]])
    project.save()
    return project


@pytest.mark.parametrize("params", [None, {"n_holes": 1, "length": 8}])
def test_cfg115_positive_where_the_branch_is_not_known(tmp_path: Path, params: Any) -> None:
    finding = cutout(tmp_path, params).finding("CFG115", shows=("Cutout", "2.5.2"))
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "config.transforms", f"{OPS}.2.Cutout")


def test_cfg115_positive_a_colour(tmp_path: Path) -> None:
    project = cutout(tmp_path, {"fill_value": [0, 0, 0]})
    finding = project.finding("CFG115", shows=("fill_value",))
    assert finding.severity == "error"
    assert project.assert_repaired_by(finding) == ["none"]


def test_cfg115_negative(tmp_path: Path) -> None:
    for value in ("none", None):
        assert passes(cutout(tmp_path, {"n_holes": 1, "length": 8, "fill_value": value}), "CFG115")


def test_cfg115_near_miss_no_holes(tmp_path: Path) -> None:
    assert passes(cutout(tmp_path, {"n_holes": 0}), "CFG115")


def test_cfg115_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG115") == "no-such-transform"


# CFG130 value-of-another-type


@pytest.mark.parametrize(
    "changes, key, meant",
    [
        ({"Optimizer.clip_norm": "abc"}, "Optimizer.clip_norm", []),
        ({"Optimizer.clip_norm": [1.0]}, "Optimizer.clip_norm", [1]),
        ({"Optimizer.clip_norm": None}, "Optimizer.clip_norm", []),
        (adamw(no_weight_decay_name=["bias", "norm"]), "Optimizer.no_weight_decay_name", ["bias norm"]),
        (adamw(no_weight_decay_name=1), "Optimizer.no_weight_decay_name", []),
        (adamw(weight_decay="abc"), "Optimizer.weight_decay", []),
        (adamw(beta1=[0.9, 0.999]), "Optimizer.beta1", []),
        (schedule("Linear", power="abc"), "Optimizer.lr.power", []),
        (schedule("Cosine", warmup_epoch=1, warmup_start_lr="0,001"), "Optimizer.lr.warmup_start_lr", [0.001]),
        ({"Optimizer.lr": {"name": "Constant", "learning_rate": None}}, "Optimizer.lr.learning_rate", []),
        (weighted("1e-3"), "Loss.Train.1.CELoss.weight", [0.001]),
        (weighted(None), "Loss.Train.1.CELoss.weight", []),
        (pk(sample_per_id=2.0), "DataLoader.Train.sampler.sample_per_id", [2]),
        (pk(batch_size="eight"), "DataLoader.Train.sampler.batch_size", []),
        ({"DataLoader.Train.sampler.num_replicas": "two"}, "DataLoader.Train.sampler.num_replicas", []),
        ({"Optimizer.weight_decay": [0.0001]}, "Optimizer.weight_decay", [0.0001]),
        ({"Optimizer.lr": {"name": "Piecewise", "decay_epochs": 30, "values": [0.1, 0.01]}}, "Optimizer.lr.decay_epochs", [[30]]),
        (schedule("Step", step_size=1, gamma="abc"), "Optimizer.lr.gamma", []),
        ({BATCH: [{"MixupOperator": {"alpha": "0.2"}}]}, f"{BATCH}.0.MixupOperator.alpha", [0.2]),
        ({BATCH: [{"OpSampler": {"CutmixOperator": {"prob": "0.5"}}}]}, f"{BATCH}.0.OpSampler.CutmixOperator.prob", [0.5]),
        ({f"{OPS}.1": {"ColorJitter": {"brightness": "0.4"}}}, f"{OPS}.1.ColorJitter.brightness", [0.4]),
        ({f"{OPS}.1": {"TimmAutoAugment": {"img_size": "224"}}}, f"{OPS}.1.TimmAutoAugment.img_size", [224]),
        ({"DataLoader.Train.dataset.delimiter": [" "]}, "DataLoader.Train.dataset.delimiter", []),
        ({"Metric.Eval.0.TopkAcc.topk": []}, "Metric.Eval.0.TopkAcc.topk", [[1, 5]]),
        ({"Metric.Eval.0.TopkAcc.topk": ["1", "2"]}, "Metric.Eval.0.TopkAcc.topk.0", [[1, 2]]),
    ],
)
def test_cfg130_positive_of_a_component(tmp_path: Path, changes: dict[str, Any], key: str, meant: list[Any]) -> None:
    project = Project(tmp_path, "modern", changes)
    finding = project.finding("CFG130", shows=(key,))
    assert (finding.severity, finding.location.key) == ("error", key)
    assert [fix.value for fix in finding.fixes if fix.kind == "edit"] == meant


@pytest.mark.parametrize(
    "changes",
    [
        {"Optimizer.clip_norm": "1.0"},
        {"Optimizer.clip_norm": 10},
        adamw(no_weight_decay_name="bias norm"),
        adamw(no_weight_decay_name=None),
        adamw(epsilon="1e-8"),
        {"Loss.Train.0.CELoss.weight": "abc"},  # one loss alone is not multiplied with its weight
        {"Loss.Train": LOSSES},
        {"Metric.Train.0.TopkAcc.topk": []},
    ],
)
def test_cfg130_near_miss_of_a_component(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert passes(Project(tmp_path, "modern", changes), "CFG130")


def test_cfg130_positive_a_date(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace("output_dir: ./output/", "output_dir: 2024-01-01"))
    assert project.finding("CFG130", shows=("2024-01-01", "date")).severity == "error"
    project.save(project.text.replace("2024-01-01", '"2024-01-01"'))
    assert passes(project, "CFG130")


def test_cfg130_near_miss_no_top_beside_another_metric(tmp_path: Path) -> None:
    metrics = [{"TopkAcc": {"topk": []}}, {"TopkAcc": {"topk": [1]}}]
    assert passes(Project(tmp_path, "modern", {"Metric.Eval": metrics}), "CFG130")


# CFG131 number-out-of-range


@pytest.mark.parametrize(
    "changes, key, severity",
    [
        ({"Optimizer.clip_norm": 0}, "Optimizer.clip_norm", "error"),
        ({"Optimizer.clip_norm": -1.0}, "Optimizer.clip_norm", "error"),
        (adamw(beta1=1.0), "Optimizer.beta1", "error"),
        (adamw(beta2=-0.1), "Optimizer.beta2", "error"),
        (adamw(epsilon=0), "Optimizer.epsilon", "error"),
        (adamw(weight_decay=-0.05), "Optimizer.weight_decay", "error"),
        ({"Optimizer.regularizer": {"name": "L2", "coeff": -0.0001}}, "Optimizer.regularizer.coeff", "error"),
        (schedule("Linear", power=0), "Optimizer.lr.power", "error"),
        (schedule("Step", step_size=0, gamma=0.1), "Optimizer.lr.step_size", "error"),
        (schedule("Cosine", eta_min=-0.1), "Optimizer.lr.eta_min", "error"),
        (schedule("ReduceOnPlateau", by_epoch=True, mode="max", factor=1.5), "Optimizer.lr.factor", "error"),
        (one_cycle(phase_pct=1.5), "Optimizer.lr.phase_pct", "error"),
        (one_cycle(divide_factor=0), "Optimizer.lr.divide_factor", "error"),
        (pk(sample_per_id=0), "DataLoader.Train.sampler.sample_per_id", "error"),
        (weighted(-0.5), "Loss.Train.1.CELoss.weight", "warning"),
        (weighted(1e6), "Loss.Train.1.CELoss.weight", "warning"),
        ({"Optimizer.lr.warmup_epoch": -2}, "Optimizer.lr.warmup_epoch", "warning"),
        ({"Loss.Train.0.CELoss.epsilon": 2}, "Loss.Train.0.CELoss.epsilon", "warning"),
        ({"Loss.Train.0.CELoss.epsilon": -0.1}, "Loss.Train.0.CELoss.epsilon", "warning"),
    ],
)
def test_cfg131_positive_of_a_component(tmp_path: Path, changes: dict[str, Any], key: str, severity: str) -> None:
    finding = Project(tmp_path, "modern", changes).finding("CFG131", shows=(key,))
    assert (finding.severity, finding.location.key) == (severity, key)


@pytest.mark.parametrize(
    "block, key",
    [({"name": "MultiLabelThreshOutput", "threshold": 1.5}, "threshold"), ({"name": "Topk", "topk": 0}, "topk")],
)
def test_cfg131_positive_of_a_postprocess(tmp_path: Path, block: dict[str, Any], key: str) -> None:
    project = Project(tmp_path, "modern", {"Infer.PostProcess": block})
    assert project.finding("CFG131", stage="infer").location.key == f"Infer.PostProcess.{key}"
    assert not project.findings("CFG131")  # a training does not read it


@pytest.mark.parametrize(
    "changes",
    [
        adamw(weight_decay=0, beta1=0),
        schedule("Cosine", eta_min=0),
        schedule("Linear", power=0.5),
        weighted(0),
        {"Loss.Train.0.CELoss.weight": -1.0},
        {"Loss.Train.0.CELoss.epsilon": 0},
        one_cycle(phase_pct=1),
    ],
)
def test_cfg131_near_miss_of_a_component(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert passes(Project(tmp_path, "modern", changes), "CFG131")


# CFG134 value-not-allowed


@pytest.mark.parametrize(
    "changes, key, meant",
    [
        (one_cycle(anneal_strategy="cosine"), "Optimizer.lr.anneal_strategy", []),
        (schedule("ReduceOnPlateau", by_epoch=True, mode="Max"), "Optimizer.lr.mode", ["max"]),
        (schedule("ReduceOnPlateau", by_epoch=True, mode="max", threshold_mode="relative"), "Optimizer.lr.threshold_mode", []),
        ({"Loss.Train.0.CELoss.reduction": "avg"}, "Loss.Train.0.CELoss.reduction", []),
        ({"Loss.Train.0.CELoss.reduction": "none"}, "Loss.Train.0.CELoss.reduction", []),
        (pk(sample_method="random"), "DataLoader.Train.sampler.sample_method", []),
    ],
)
def test_cfg134_positive_of_a_component(tmp_path: Path, changes: dict[str, Any], key: str, meant: list[str]) -> None:
    finding = Project(tmp_path, "modern", changes).finding("CFG134", shows=(key,))
    assert (finding.severity, finding.location.key) == ("error", key)
    assert [fix.value for fix in finding.fixes] == meant


@pytest.mark.parametrize("level, meant", [("o1", ["O1"]), ("O3", []), (1, [])])
def test_cfg134_positive_amp(tmp_path: Path, level: Any, meant: list[str]) -> None:
    finding = Project(tmp_path, "modern", {"AMP": {"use_amp": True, "level": level}}).finding("CFG134", shows=("AMP.level", "O1"))
    assert finding.severity == "warning"
    assert [fix.value for fix in finding.fixes] == meant


@pytest.mark.parametrize(
    "changes",
    [
        {"AMP": {"level": "O2"}},
        {"AMP": {"use_amp": False, "level": "O9"}},
        {"AMP": {"use_amp": True}},
        one_cycle(anneal_strategy="linear"),
        {"UnLabelLoss": {"Train": [{"CELoss": {"weight": 1.0, "reduction": "none"}}]}},
        {"Loss.Train.0.CELoss.reduction": "sum"},
    ],
)
def test_cfg134_near_miss_of_a_component(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert passes(Project(tmp_path, "modern", changes), "CFG134")


@pytest.mark.parametrize("branch, severity", [("release/2.5.2", "error"), ("develop", "error"), ("release/2.4", None)])
def test_cfg115_positive_by_the_checkout_at_hand(tmp_path: Path, branch: str, severity: str | None) -> None:
    project = cutout(tmp_path, {"n_holes": 1, "length": 8})
    for name, text in {"ppcls/arch/__init__.py": "", "tools/train.py": "", ".git/HEAD": f"ref: refs/heads/{branch}\n"}.items():
        project.write(name, text)
    assert [finding.severity for finding in project.findings("CFG115")] == ([severity] if severity else [])
