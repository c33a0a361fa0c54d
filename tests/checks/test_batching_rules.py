"""CFG213 to CFG216: how samples become batches. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import CONFIG, REMOVED, Project, found, numbered, passes, reason

OPS = "DataLoader.Train.dataset.batch_transform_ops"
SAMPLER = "DataLoader.Train.sampler"
MIX = [{"MixupOperator": {"alpha": 0.2}}]


def mixed(folder: Path, ops: Any = MIX, **changes: Any) -> Project:
    return Project(folder, "modern", {OPS: ops, **{key.replace("__", "."): value for key, value in changes.items()}})


# CFG213 batch-mixing


def test_cfg213_positive_without_a_class_count(tmp_path: Path) -> None:
    project = mixed(tmp_path, Arch__class_num=REMOVED)
    finding = project.finding("CFG213", shows=("MixupOperator",))
    assert (finding.severity, finding.entry) == ("error", "train.batches")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("^MixupOperator:"), f"{OPS}.0.MixupOperator")


@pytest.mark.parametrize(
    "ops, severity, shows",
    [
        ([{"MixupOperator": {"alpha": 0}}], "error", ("MixupOperator", "0")),
        ([{"CutmixOperator": {"alpha": -0.5}}], "error", ("-0.5",)),
        ([{"OpSampler": {"MixupOperator": {"alpha": 0.8, "prob": 0.5}, "CutmixOperator": {"alpha": 1.0, "prob": 0.8}}}], "error", ("1.3",)),
        ([{"OpSampler": {"MixupOperator": {"alpha": 0, "prob": 0.5}}}], "error", ("MixupOperator",)),
        ([{"OpSampler": {"MixupOperator": {"alpha": 0.8}}}], "warning", ("MixupOperator",)),
        ([{"MixupOperator": {"alpha": 0.2}}, {"CutmixOperator": {"alpha": 0.2}}], "error", ("CutmixOperator", "MixupOperator")),
    ],
)
def test_cfg213_positive(tmp_path: Path, ops: Any, severity: str, shows: tuple[str, ...]) -> None:
    project = mixed(tmp_path, ops)
    finding = project.finding("CFG213", shows=shows)
    assert finding.severity == severity
    project.assert_repaired_by(finding)


def test_cfg213_positive_what_reads_the_labels(tmp_path: Path) -> None:
    metrics = [{"TopkAcc": {"topk": [1]}}, {"TopkAcc": {"topk": [2]}}]
    assert mixed(tmp_path, Metric__Train=metrics).finding("CFG213").severity == "error"
    assert (
        mixed(tmp_path, Loss__Train=[{"CELoss": {"weight": 1.0}}, {"TripletLossV2": {"weight": 1.0}}]).finding("CFG213").severity
        == "warning"
    )
    assert mixed(tmp_path, DataLoader__Train__dataset__name="MultiLabelDataset").finding("CFG213").severity == "error"


@pytest.mark.parametrize(
    "ops", [[{"FmixOperator": {"alpha": 1}}], [{"OpSampler": {"MixupOperator": {"prob": 0.5}, "FmixOperator": {"prob": 0.1}}}]]
)
def test_cfg213_positive_images_of_64_bits(tmp_path: Path, ops: Any) -> None:
    finding = mixed(tmp_path, ops).finding("CFG213", shows=("FmixOperator", "64"))
    assert (finding.severity, str(finding.location.key).endswith("FmixOperator")) == ("error", True)


def test_cfg213_positive_in_the_wrong_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    ops = project.data["DataLoader"]["Train"]["dataset"]["transform_ops"]
    project.set("DataLoader.Train.dataset.transform_ops", [*ops, {"MixupOperator": {"alpha": 0.2}}])
    project.save()
    assert project.finding("CFG213", shows=("MixupOperator", "transform_ops")).severity == "error"
    assert mixed(tmp_path, [{"RandFlipImage": {"flip_code": 1}}]).finding("CFG213", shows=("RandFlipImage",)).severity == "error"


def test_cfg213_positive_hybrid(tmp_path: Path) -> None:
    assert mixed(tmp_path, [{"MixupCutmixHybrid": {"mixup_alpha": 0.8}}]).finding("CFG213", shows=(4, 3)).severity == "error"
    project = mixed(tmp_path, [{"MixupCutmixHybrid": {"mixup_alpha": 0.8, "num_classes": 7}}])
    assert project.assert_repaired_by(project.finding("CFG213", shows=(7, 3))) == [3]
    project = mixed(tmp_path, [{"MixupCutmixHybrid": {"mixup_alpha": 0.8, "num_classes": 3}}], DataLoader__Train__sampler__batch_size=3)
    assert project.assert_repaired_by(project.finding("CFG213", shows=(3,))) == [4]
    assert passes(mixed(tmp_path, [{"MixupCutmixHybrid": {"mixup_alpha": 0.8, "num_classes": 3}}]), "CFG213")


def test_cfg213_positive_in_the_evaluation(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Eval.dataset.batch_transform_ops": MIX})
    assert project.finding("CFG213", shows=("Eval",)).severity == "error"


@pytest.mark.parametrize("name", ["MixupOperator", "CutmixOperator"])
def test_cfg213_negative(tmp_path: Path, name: str) -> None:
    assert passes(mixed(tmp_path, [{name: {"alpha": 0.2}}]), "CFG213")


def test_cfg213_near_miss(tmp_path: Path) -> None:
    third = {"alpha": 1.0, "prob": 0.3333333}
    sampler = [{"OpSampler": {"MixupOperator": third, "CutmixOperator": dict(third), "FmixOperator": {"alpha": 1.0, "prob": 0}}}]
    assert passes(mixed(tmp_path, sampler), "CFG213")
    assert passes(mixed(tmp_path, Arch__class_num=REMOVED, Global__class_num=3), "CFG213")  # copied into Arch


def test_cfg213_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG213") == "no-batch-operators"
    assert reason(Project(tmp_path, "modern", {OPS: []}), "CFG213") == "no-batch-operators"


# CFG214 sampler-batch-mismatch

EACH = [("PKSampler", "sample_per_id"), ("DistributedRandomIdentitySampler", "num_instances")]


def sampled(folder: Path, name: str, key: str, batch: int, each: int, **how: Any) -> Project:
    return Project(folder, "modern", {SAMPLER: {"name": name, "batch_size": batch, key: each, "drop_last": False, "shuffle": True}}, **how)


@pytest.mark.parametrize("name, key", EACH)
def test_cfg214_positive_rows_are_no_classes(tmp_path: Path, name: str, key: str) -> None:
    project = sampled(tmp_path, name, key, 2, 2)
    project.set("DataLoader.Train.dataset.name", "MultiLabelDataset")
    project.save()
    finding = project.finding("CFG214", shows=(name, "MultiLabelDataset"))
    assert (finding.severity, finding.location.key) == ("error", f"{SAMPLER}.name")


def test_cfg214_positive_parts_of_a_mixed_set(tmp_path: Path) -> None:
    sampler = {"name": "MixSampler", "batch_size": 2, "sample_configs": [], "iter_per_epoch": 5}
    finding = Project(tmp_path, "modern", {SAMPLER: sampler}).finding("CFG214", shows=("MixSampler", "MixDataset", "ImageNetDataset"))
    assert (finding.severity, finding.location.key) == ("error", f"{SAMPLER}.name")


@pytest.mark.parametrize("name, key", EACH)
def test_cfg214_positive(tmp_path: Path, name: str, key: str) -> None:
    project = sampled(tmp_path, name, key, 8, 3)
    finding = project.finding("CFG214", shows=(8, 3, name, key))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.batches", f"{SAMPLER}.batch_size")
    assert project.assert_repaired_by(finding) == [6]
    fewer = sampled(tmp_path, name, key, 16, 4)
    finding = fewer.finding("CFG214", shows=(16, 4, 3))
    assert (finding.evidence["classes"], finding.evidence["wanted"]) == (3, 4)
    assert fewer.assert_repaired_by(finding) == [12]


@pytest.mark.parametrize("name, key", EACH)
def test_cfg214_negative(tmp_path: Path, name: str, key: str) -> None:
    assert passes(sampled(tmp_path, name, key, 8, 4), "CFG214")


@pytest.mark.parametrize("name, key", EACH)
def test_cfg214_near_miss(tmp_path: Path, name: str, key: str) -> None:
    assert passes(sampled(tmp_path, name, key, 12, 4), "CFG214")  # every class once
    assert passes(sampled(tmp_path, name, key, 8, 4, train=numbered(0, 0, 1, 1)), "CFG214")  # samples are repeated
    assert passes(sampled(tmp_path, name, key, 400, 4, train="broken\n"), "CFG214")  # the classes are not known


def test_cfg214_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG214") == "no-class-sampler"
    assert reason(Project(tmp_path, "legacy"), "CFG214") == "no-class-sampler"


# CFG215 evaluation-drops-samples

DROP = "DataLoader.Eval.sampler.drop_last"


@pytest.mark.parametrize("stage", ["train", "eval"])
def test_cfg215_positive(tmp_path: Path, stage: str) -> None:
    project = Project(tmp_path, "modern", {DROP: True, "eval_batch": 4})  # of 6 samples
    finding = project.finding("CFG215", stage=stage, shows=(2, 6))
    assert (finding.severity, finding.entry, finding.location.key) == ("warning", "5.1", DROP)
    assert project.assert_repaired_by(finding, stage=stage) == [False]


def test_cfg215_positive_unknown_samples(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {DROP: True, "eval_batch": 64, "eval_list": "./data/none.txt"})
    assert project.finding("CFG215", shows=(64,)).evidence["batch_size"] == 64


def test_cfg215_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG215")


def test_cfg215_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {DROP: True, "eval_batch": 3}), "CFG215")  # nothing is left over
    assert passes(Project(tmp_path, "modern", {DROP: True, "eval_batch": 64}), "CFG215")  # nothing is evaluated at all: CFG203


def test_cfg215_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG215") == "no-evaluation"
    assert reason(Project(tmp_path, "modern", {"Global.eval_during_train": False, DROP: True}), "CFG215") == "no-evaluation"


# CFG216 accumulation-exceeds-epoch

FREQUENCY = "Global.update_freq"


def test_cfg216_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {FREQUENCY: 7})  # 12 samples, 2 in a batch
    finding = project.finding("CFG216", shows=(7, 6, 12))
    assert (finding.severity, finding.entry, finding.location.key) == ("warning", "5.1", FREQUENCY)
    assert project.assert_repaired_by(finding) == [6]


def test_cfg216_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {FREQUENCY: 2}), "CFG216")


def test_cfg216_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {FREQUENCY: 6}), "CFG216")
    assert passes(Project(tmp_path, "modern", {FREQUENCY: 5}), "CFG216")  # one batch of each epoch is left out


def test_cfg216_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG216") == "no-accumulation"
    assert reason(Project(tmp_path, "modern", {FREQUENCY: 99, "Global.iter_per_epoch": 100}), "CFG216") == "no-accumulation"
    assert reason(Project(tmp_path, "modern", {FREQUENCY: 99, "train_list": "./data/none.txt"}), "CFG216") == "no-samples-known"


# CFG220 loss-needs-class-sampler

REC = {
    "name": "RecModel",
    "Backbone": {"name": "ResNet50_last_stage_stride1"},
    "Head": {"name": "FC", "embedding_size": 2048, "class_num": 3},
}


def paired(folder: Path, loss: str, **how: Any) -> Project:
    return Project(folder, "modern", {"Arch": REC, "Loss.Train": [{"CELoss": {"weight": 1.0}}, {loss: {"weight": 1.0}}]}, **how)


@pytest.mark.parametrize("loss", ["TripletLossV2", "TripletAngularMarginLoss"])
def test_cfg220_positive(tmp_path: Path, loss: str) -> None:
    many = [(f"train/{n % 3}/{n}.png", n % 3) for n in range(150)]
    finding = paired(tmp_path, loss, train=many).finding("CFG220", shows=(loss, "DistributedBatchSampler", 25))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.batches", f"Loss.Train.1.{loss}")


def test_cfg220_positive_hardly_a_pair(tmp_path: Path) -> None:
    assert paired(tmp_path, "TripletLossV2").finding("CFG220", shows=("TripletLossV2", 2)).severity == "warning"


def test_cfg220_negative(tmp_path: Path) -> None:
    project = paired(tmp_path, "TripletLossV2")
    project.set("DataLoader.Train.sampler", {"name": "PKSampler", "batch_size": 6, "sample_per_id": 2, "drop_last": True})
    project.save()
    assert passes(project, "CFG220")


@pytest.mark.parametrize("loss", ["TripletLoss", "NpairsLoss", "PairwiseCosface"])
def test_cfg220_near_miss_losses_that_take_any_batch(tmp_path: Path, loss: str) -> None:
    assert paired(tmp_path, loss).findings("CFG220") == []


def test_cfg220_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG220") == "no-loss-of-pairs"
    assert reason(Project(tmp_path, "legacy"), "CFG220") == "no-loss-of-pairs"


SCALES: dict[str, Any] = {"name": "MultiScaleSampler", "scales": [160, 224], "first_bs": 4, "divided_factor": 32, "is_training": True}
TRAIN_DATASET, TRAIN_SAMPLER = "DataLoader.Train.dataset.name", "DataLoader.Train.sampler"


def test_cfg214_positive_scales_for_a_dataset_that_wants_numbers(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {TRAIN_SAMPLER: SCALES})
    finding = project.finding("CFG214", shows=("MultiScaleSampler", "ImageNetDataset"))
    assert (finding.severity, finding.location.key) == ("error", TRAIN_DATASET)
    assert project.assert_repaired_by(finding) == ["MultiScaleDataset"]


def test_cfg214_positive_numbers_for_a_dataset_that_wants_scales(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {TRAIN_DATASET: "MultiScaleDataset"}).finding("CFG214", shows=("MultiScaleDataset",))
    assert (finding.severity, finding.location.key) == ("error", f"{TRAIN_SAMPLER}.name")


def test_cfg214_near_miss_scales_for_their_dataset_or_one_of_the_users_own(tmp_path: Path) -> None:
    for dataset in ("MultiScaleDataset", "MyDataset"):
        project = Project(tmp_path, "modern", {TRAIN_SAMPLER: SCALES, TRAIN_DATASET: dataset})
        assert not found(project.check(), "CFG214")
