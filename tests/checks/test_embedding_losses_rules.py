"""MDL: losses on embeddings, and evaluation by retrieval. What stops and what trains was seen on PaddleClas develop."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.projects import REMOVED, Project, modern_config, passes, reason

REC: dict[str, Any] = {
    "name": "RecModel",
    "Backbone": {"name": "PPLCNet_x0_25", "pretrained": False},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 1280, "class_num": 64},
    "Head": {"name": "ArcMargin", "embedding_size": 64, "class_num": 3},
}
PK = {"name": "PKSampler", "batch_size": 6, "sample_per_id": 2, "drop_last": True, "shuffle": True}
PLAIN = {"name": "DistributedBatchSampler", "batch_size": 6, "drop_last": True, "shuffle": True}
SAMPLER = "DataLoader.Train.sampler"


def losses(name: str, **params: Any) -> dict[str, Any]:
    return {"Loss.Train": [{"CELoss": {"weight": 1.0}}, {name: {"weight": 1.0, **params}}]}


def rec(folder: Path, changes: dict[str, Any] | None = None, sampler: dict[str, Any] = PK) -> Project:
    return Project(folder, "modern", {"Arch": REC, SAMPLER: sampler, **(changes or {})})


def retrieval(folder: Path, changes: dict[str, Any] | None = None) -> Project:
    """Six images, each against all six."""
    part = copy.deepcopy(modern_config()["DataLoader"]["Eval"])
    base: dict[str, Any] = {
        "Arch": REC,
        "Global.eval_mode": "retrieval",
        "DataLoader.Eval": {"Query": part, "Gallery": copy.deepcopy(part)},
        "Metric": {"Eval": [{"Recallk": {"topk": [1, 5]}}]},
    }
    return Project(folder, "modern", {**base, **(changes or {})})


# MDL116 loss-batch-mismatch


@pytest.mark.parametrize(
    ("name", "params", "severity", "edits"),
    [
        ("TriHardLoss", {}, "error", []),
        ("TriHardLoss", {"batch_size": 12}, "error", [6]),
        ("TriHardLoss", {"batch_size": 4}, "error", [6]),
        ("MSMLoss", {}, "error", []),
        ("MSMLoss", {"batch_size": 12}, "error", [6]),
        ("MSMLoss", {"batch_size": 4}, "warning", [6]),
        ("EmlLoss", {"batch_size": 40}, "error", [6]),
        ("EmlLoss", {"batch_size": 2}, "warning", [6]),
        ("SupConLoss", {}, "error", []),
        ("SupConLoss", {"views": 4}, "error", [2]),
        ("SupConLoss", {"views": 3}, "warning", [2]),
        ("TriHardLoss", {"batch_size": 6, "samples_each_class": 3}, "warning", [2]),
    ],
)
def test_mdl116_positive(tmp_path: Path, name: str, params: dict[str, Any], severity: str, edits: list[int]) -> None:
    project = rec(tmp_path, losses(name, **params))
    finding = project.finding("MDL116", shows=(name,))
    assert (finding.severity, finding.entry) == (severity, "train.parts-mismatch")
    assert project.assert_repaired_by(finding) == edits


def test_mdl116_positive_pairs_of_an_odd_batch(tmp_path: Path) -> None:
    project = rec(tmp_path, losses("NpairsLoss"), {**PLAIN, "batch_size": 3})
    assert project.finding("MDL116", shows=("NpairsLoss", 3, 2)).severity == "error"


@pytest.mark.parametrize(("name", "params"), [("NpairsLoss", {}), ("SupConLoss", {"views": 2}), ("MSMLoss", {"batch_size": 6})])
def test_mdl116_positive_samples_as_they_come(tmp_path: Path, name: str, params: dict[str, Any]) -> None:
    finding = rec(tmp_path, losses(name, **params), PLAIN).finding("MDL116", shows=(name, 2))
    assert finding.severity == "warning" and "PKSampler" in str(finding.fixes[0].snippet)


def test_mdl116_positive_the_last_batch(tmp_path: Path) -> None:
    sampler = {**PLAIN, "batch_size": 8, "drop_last": False}  # of 12 samples
    project = rec(tmp_path, losses("TriHardLoss", batch_size=8), sampler)
    finding = project.finding("MDL116", shows=(8, 4))
    assert (finding.severity, finding.location.key) == ("error", f"{SAMPLER}.drop_last")


def test_mdl116_negative(tmp_path: Path) -> None:
    for number, (name, params) in enumerate(
        [("TriHardLoss", {"batch_size": 6}), ("MSMLoss", {"batch_size": 6}), ("EmlLoss", {"batch_size": 6}), ("SupConLoss", {"views": 2})]
    ):
        assert passes(rec(tmp_path / str(number), losses(name, **params)), "MDL116"), name
    assert passes(rec(tmp_path / "n", losses("NpairsLoss")), "MDL116")


def test_mdl116_near_miss_whole_groups_of_a_class(tmp_path: Path) -> None:
    four = {**PK, "batch_size": 12, "sample_per_id": 4}
    assert passes(rec(tmp_path / "a", losses("SupConLoss", views=2), four), "MDL116")
    by_identity = {"name": "DistributedRandomIdentitySampler", "batch_size": 6, "num_instances": 2, "drop_last": False}
    assert passes(rec(tmp_path / "b", losses("TriHardLoss", batch_size=6), by_identity), "MDL116")


def test_mdl116_skipped(tmp_path: Path) -> None:
    assert reason(rec(tmp_path / "a"), "MDL116") == "no-grouping-loss"
    assert reason(Project(tmp_path / "b", "modern"), "MDL116") == "no-rec-model"


# MDL117 loss-table-mismatch


@pytest.mark.parametrize(
    ("name", "params", "key", "severity", "value"),
    [
        ("CenterLoss", {"num_classes": 3, "feat_dim": 128}, "feat_dim", "error", 64),
        ("CenterLoss", {"num_classes": 3, "feat_dim": 64, "feature_from": "backbone"}, "feat_dim", "error", 1280),
        ("CenterLoss", {"num_classes": 2, "feat_dim": 64}, "num_classes", "warning", 3),
        ("DCHLoss", {"gamma": 1.0, "_lambda": 0.1, "n_class": 2}, "n_class", "error", 3),
        ("LCDSHLoss", {"_lambda": 0.1, "n_class": 1}, "n_class", "error", 3),
        (
            "ContrastiveLoss_XBM",
            {"xbm_size": 8, "xbm_weight": 1.0, "start_iter": 1, "margin": 0.5, "embedding_size": 32},
            "embedding_size",
            "error",
            64,
        ),
    ],
)
def test_mdl117_positive(tmp_path: Path, name: str, params: dict[str, Any], key: str, severity: str, value: int) -> None:
    project = rec(tmp_path, losses(name, **params))
    finding = project.finding("MDL117", shows=(name, params[key], value))
    assert (finding.severity, finding.location.key) == (severity, f"Loss.Train.1.{name}.{key}")
    assert project.assert_repaired_by(finding) == [value]


def test_mdl117_negative(tmp_path: Path) -> None:
    assert passes(rec(tmp_path, losses("CenterLoss", num_classes=3, feat_dim=64)), "MDL117")


def test_mdl117_near_miss_more_than_needed_and_what_is_not_known(tmp_path: Path) -> None:
    assert passes(rec(tmp_path / "a", losses("CenterLoss", num_classes=9, feat_dim=64)), "MDL117")
    unknown = {"Arch.Neck": REMOVED, "Arch.Backbone.name": "TheirNet", "Arch.Head.embedding_size": 99}
    assert passes(rec(tmp_path / "b", {**losses("CenterLoss", num_classes=3, feat_dim=99), **unknown}), "MDL117")


def test_mdl117_skipped(tmp_path: Path) -> None:
    assert reason(rec(tmp_path / "a"), "MDL117") == "no-loss-table"
    assert reason(Project(tmp_path / "b", "modern"), "MDL117") == "no-rec-model"


# MDL118 retrieval-cannot-be-measured


@pytest.mark.parametrize("metric", ["Recallk", "Precisionk"])
def test_mdl118_positive_more_results_than_images(tmp_path: Path, metric: str) -> None:
    project = retrieval(tmp_path, {"Metric": {"Eval": [{metric: {"topk": [1, 7]}}]}})
    for stage in ("train", "eval"):
        finding = project.finding("MDL118", stage=stage, shows=(metric, 7, 6))
        assert (finding.severity, finding.location.key) == ("error", f"Metric.Eval.0.{metric}.topk.1")
        assert project.assert_repaired_by(finding, stage=stage) == [6]


def test_mdl118_positive_the_default_of_five(tmp_path: Path) -> None:
    project = retrieval(tmp_path, {"Metric": {"Eval": [{"Recallk": {}}]}})
    project.write_list("val_list.txt", "val/0/0.png 0\nval/1/0.png 1\n")
    assert project.finding("MDL118", shows=(5, 2)).location.key == "Metric.Eval.0.Recallk"


@pytest.mark.parametrize(
    ("changes", "key", "severity", "edits"),
    [
        ({"Metric": REMOVED}, "Global.eval_mode", "error", []),
        ({"Metric.Eval": None}, "Metric.Eval", "error", []),
        ({"Loss.Eval": None}, "Loss.Eval", "error", []),
        ({"Loss": {"Train": [{"CELoss": {"weight": 1.0}}]}}, "Loss", "error", []),
        ({"Global.retrieval_feature_from": "feature"}, "Global.retrieval_feature_from", "warning", ["features"]),
        ({"Global.retrieval_feature_from": "neck"}, "Global.retrieval_feature_from", "warning", ["features"]),
        ({"Global.sim_block_size": 0}, "Global.sim_block_size", "error", [64]),
        ({"Global.sim_block_size": "64a"}, "Global.sim_block_size", "error", [64]),
        ({"Metric": {"Eval": [{"mAP": {"descending": False}}]}}, "Metric.Eval.0.mAP.descending", "warning", [True]),
        ({"Global.re_ranking": True}, "Global.re_ranking", "error", [False]),
    ],
)
def test_mdl118_positive_settings(tmp_path: Path, changes: dict[str, Any], key: str, severity: str, edits: list[Any]) -> None:
    project = retrieval(tmp_path, changes)
    finding = project.finding("MDL118", stage="eval")
    assert (finding.severity, finding.location.key) == (severity, key)
    assert project.assert_repaired_by(finding, stage="eval") == edits


def test_mdl118_negative(tmp_path: Path) -> None:
    assert passes(retrieval(tmp_path), "MDL118")
    assert passes(retrieval(tmp_path / "a", {"Global.retrieval_feature_from": "backbone", "Global.sim_block_size": 1}), "MDL118")


def test_mdl118_near_miss(tmp_path: Path) -> None:
    assert passes(retrieval(tmp_path / "a", {"Metric": {"Eval": [{"Recallk": {"topk": [1, 6]}}]}}), "MDL118")
    unread = retrieval(tmp_path / "b", {"Metric": {"Eval": [{"Recallk": {"topk": [1, 99]}}]}})
    (unread.folder / "data" / "val_list.txt").unlink()  # what is in the gallery is not known then
    assert passes(unread, "MDL118")
    enough = "".join(f"val/0/{n}.png 0\n" for n in range(11))
    project = retrieval(tmp_path / "c", {"Global.re_ranking": True})
    project.write_list("val_list.txt", enough)
    assert passes(project, "MDL118")


def test_mdl118_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path / "a", "modern"), "MDL118") == "no-retrieval"
    project = retrieval(tmp_path / "b", {"Global.eval_during_train": False, "Loss.Eval": None})
    assert reason(project, "MDL118") == "no-retrieval"
