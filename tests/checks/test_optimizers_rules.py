"""CFG116, CFG117, CFG222, CFG223: training modes, optimizers of a list, weight decay, ReduceOnPlateau. Each fault was made for real first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import REMOVED, Project, passes, reason

LR = {"name": "Cosine", "learning_rate": 0.1}


def scoped(folder: Path, name: str = "Momentum", **params: Any) -> Project:
    return Project(folder, "modern", {"Optimizer": [{name: {"momentum": 0.9, "lr": dict(LR), **params}}]})


def plateau(folder: Path, **params: Any) -> Project:
    return Project(folder, "modern", {"Optimizer.lr": {"name": "ReduceOnPlateau", "learning_rate": 0.1, **params}})


# CFG116 train-mode-incomplete


@pytest.mark.parametrize(
    "mode, missing",
    [("progressive", "progress_size"), ("fixmatch", "UnLabelTrain"), ("fixmatch_ccssl", "UnLabelTrain"), ("metabin", "Metalearning")],
)
def test_cfg116_positive(tmp_path: Path, mode: str, missing: str) -> None:
    project = Project(tmp_path, "modern", {"Global.train_mode": mode})
    finding = project.finding("CFG116", shows=(mode, missing))
    assert (finding.severity, finding.location.key) == ("error", "Global.train_mode")
    assert project.assert_repaired_by(finding) == [None]


def test_cfg116_negative(tmp_path: Path) -> None:
    blocks = {"DataLoader.Metalearning": {"Train": {}}, "Loss.Basic": [{}], "Loss.MetaTrain": [{}], "Loss.MetaTest": [{}]}
    assert passes(Project(tmp_path, "modern", {"Global.train_mode": "metabin", **blocks}), "CFG116")


def test_cfg116_near_miss_a_mode_that_is_unknown(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Global.train_mode": "progresive"}), "CFG116") == "no-train-mode"  # CFG110


def test_cfg116_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG116") == "no-train-mode"
    assert reason(Project(tmp_path, "legacy"), "CFG116") == "no-train-mode"


# CFG117 optimizer-scope


def test_cfg117_positive_no_scope(tmp_path: Path) -> None:
    finding = scoped(tmp_path).finding("CFG117", shows=("Momentum", "scope"))
    assert (finding.severity, finding.location.key) == ("error", "Optimizer.0.Momentum")


@pytest.mark.parametrize("scope", ["backbone", "neck", "CELoss", "CenterLoss"])
def test_cfg117_positive_nothing_to_train(tmp_path: Path, scope: str) -> None:
    project = scoped(tmp_path, scope=scope)
    finding = project.finding("CFG117", shows=(scope,))
    assert (finding.severity, finding.location.key) == ("error", "Optimizer.0.Momentum.scope")
    assert project.assert_repaired_by(finding) == ["all"]


@pytest.mark.parametrize("scope", ["all", "ResNet50", "blocks", "head", ".*"])
def test_cfg117_negative(tmp_path: Path, scope: str) -> None:
    assert passes(scoped(tmp_path, scope=scope), "CFG117")


def test_cfg117_near_miss_a_loss_that_is_there(tmp_path: Path) -> None:
    losses = [{"CELoss": {"weight": 1.0}}, {"CenterLoss": {"weight": 0.1, "num_classes": 3, "feat_dim": 8}}]
    optimizers = [{"Momentum": {"scope": part, "momentum": 0.9, "lr": dict(LR)}} for part in ("ResNet50", "CenterLoss")]
    assert passes(Project(tmp_path, "modern", {"Loss.Train": losses, "Optimizer": optimizers}), "CFG117")


def test_cfg117_near_miss_parts_of_a_rec_model(tmp_path: Path) -> None:
    arch = {"name": "RecModel", "Backbone": {"name": "ResNet50"}, "Head": {"name": "FC", "embedding_size": 2048, "class_num": 3}}
    optimizers = [{"Momentum": {"scope": part, "momentum": 0.9, "lr": dict(LR)}} for part in ("backbone", "head")]
    project = Project(tmp_path, "modern", {"Arch": arch, "Optimizer": optimizers})
    assert not project.findings("CFG117")
    project.set("Optimizer.1.Momentum.scope", "neck")
    project.save()
    assert project.finding("CFG117").evidence["scope"] == "neck"


def test_cfg117_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG117") == "no-optimizer-list"


# CFG222 weight-decay-too-strong


@pytest.mark.parametrize(
    "changes, percent",
    [
        ({"Optimizer.regularizer": {"name": "L2", "coeff": 1.0}}, 10.0),
        ({"Optimizer.regularizer": {"name": "L2", "coeff": 10}}, 100.0),
        ({"Optimizer": {"name": "AdamW", "weight_decay": 20, "lr": {"name": "Cosine", "learning_rate": 0.001}}}, 2.0),
    ],
)
def test_cfg222_positive(tmp_path: Path, changes: dict[str, Any], percent: float) -> None:
    project = Project(tmp_path, "modern", changes)
    finding = project.finding("CFG222")
    assert (finding.severity, finding.evidence["percent"]) == ("warning", percent)
    project.assert_repaired_by(finding)


@pytest.mark.parametrize(
    "changes",
    [
        {"Optimizer.regularizer": {"name": "L2", "coeff": 0.0005}},
        {"Optimizer": {"name": "AdamW", "weight_decay": 0.2, "lr": {"name": "Cosine", "learning_rate": 0.002}}},
    ],
)
def test_cfg222_negative(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert passes(Project(tmp_path, "modern", changes), "CFG222")


def test_cfg222_near_miss_strong_at_a_small_rate(tmp_path: Path) -> None:
    decay = {"name": "L2", "coeff": 0.5}
    assert passes(Project(tmp_path, "modern", {"Optimizer.regularizer": decay, "Optimizer.lr.learning_rate": 0.001}), "CFG222")


def test_cfg222_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Optimizer.regularizer": None}), "CFG222") == "no-weight-decay"
    assert reason(Project(tmp_path, "modern", {"Optimizer.lr": REMOVED}), "CFG222") == "no-schedule"


# CFG223 plateau-without-metric


@pytest.mark.parametrize("params", [{}, {"by_epoch": False}, {"mode": "max"}])
def test_cfg223_positive(tmp_path: Path, params: dict[str, Any]) -> None:
    project = plateau(tmp_path, **params)
    finding = project.finding("CFG223", shows=("by_epoch",))
    assert finding.severity == "error"


def test_cfg223_positive_soft(tmp_path: Path) -> None:
    project = plateau(tmp_path, by_epoch=True, mode="min")
    finding = project.finding("CFG223", shows=("min",))
    assert (finding.severity, finding.location.key) == ("warning", "Optimizer.lr.mode")
    assert project.assert_repaired_by(finding) == ["max"]
    assert plateau(tmp_path, by_epoch=True).finding("CFG223").location.key == "Optimizer.lr.name"
    project = plateau(tmp_path, by_epoch=True, mode="max")
    assert project.finding("CFG223", "Global.eval_during_train=False").severity == "warning"


def test_cfg223_negative(tmp_path: Path) -> None:
    assert passes(plateau(tmp_path, by_epoch=True, mode="max"), "CFG223")


def test_cfg223_near_miss_another_schedule_by_step(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Optimizer.lr.by_epoch": False}), "CFG223") == "no-plateau"


def test_cfg223_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG223") == "no-plateau"
    assert reason(Project(tmp_path, "modern", {"Optimizer.lr": REMOVED}), "CFG223") == "no-schedule"
