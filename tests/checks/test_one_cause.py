"""One cause, one finding: faults that more than one rule could speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.checks.test_distillation_rules import STUDENT, TEACHER, distillation
from tests.projects import EVAL, REMOVED, TRAIN, Project, rows
from tests.weights import SMALL, STATES, optimizer, saved

TRAINED, JUDGED = "DataLoader.Train.dataset", "DataLoader.Eval.dataset"
SAMPLER = {"name": "DistributedBatchSampler", "batch_size": 2, "drop_last": False, "shuffle": True}
EMBEDDING = {
    "name": "RecModel",
    "infer_output_key": "features",
    "infer_add_softmax": False,
    "Backbone": {"name": "ResNet50_last_stage_stride1", "pretrained": True},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 2048, "class_num": 512},
    "Head": {"name": "FC", "embedding_size": 512, "class_num": 3},
}
DISTILLED = {
    "name": "DistillationModel",
    "models": [{"Teacher": {"name": SMALL, "class_num": 3}}, {"Student": {"name": SMALL, "class_num": 3}}],
    "infer_model_name": "Student",
}
MIXING = [{"MixupOperator": {"alpha": 0.2}}]
WITHOUT_WEIGHTS = {"WTS101"}
"""What an evaluation or an inference of this project is told of anyway: it names no weights."""


def spoken(project: Project, stage: str = "train") -> list[str]:
    """The codes of the errors and warnings."""
    told = (f.code for f in project.check(stage=stage).report.findings if f.severity != "info")
    return sorted(set(told) - (WITHOUT_WEIGHTS if stage != "train" else set()))


@pytest.mark.parametrize(
    ("code", "stage", "changes"),
    [
        ("CFG213", "train", {f"{JUDGED}.batch_transform_ops": MIXING}),
        ("CFG213", "eval", {f"{JUDGED}.batch_transform_ops": MIXING}),
        ("CFG130", "train", {f"{TRAINED}.image_root": 102}),
        ("CFG130", "train", {f"{TRAINED}.image_root": None}),
        ("CFG130", "train", {f"{JUDGED}.image_root": ""}),
        ("CFG130", "eval", {f"{JUDGED}.image_root": None}),
        ("CFG130", "infer", {"Infer.infer_imgs": ""}),
        ("CFG130", "infer", {"Infer.infer_imgs": None}),
        ("CFG107", "train", {f"{TRAINED}.transform_ops": None}),
        ("CFG107", "infer", {"Infer.transforms": []}),
        ("CFG106", "infer", {"Infer.transforms": REMOVED}),
        ("CFG301", "train", {f"{TRAINED}.transform_ops": []}),
        ("CFG301", "train", {f"{TRAINED}.transform_ops": REMOVED}),
        ("CFG301", "eval", {f"{JUDGED}.transform_ops": REMOVED}),
        ("CFG112", "infer", {"Infer.transforms.2": {"CropImage": None}}),
        ("CFG111", "infer", {"Infer.transforms.2": {"CropImage": {"sise": 224}}}),
        ("CFG133", "train", {"Global.pretrained_model": "null"}),
        ("CFG133", "train", {"Arch.pretrained": "yes"}),
        ("CFG106", "train", {"Optimizer": {"name": "Momentum", "momentum": 0.9, "learning_rate": 0.1}}),
        ("CFG111", "train", {"Optimizer.lr": {"name": "OneCycleLR", "learning_rate": 0.1}}),
        ("CFG308", "infer", {"Infer.transforms.2": {"CropImage": {"size": "224"}}}),
        ("CFG110", "train", {TRAINED: {"name": "ImageFolder", "root": "./data/train"}}),
        ("DEP102", "train", {f"{TRAINED}.transform_ops.2.NormalizeImage.scale": 255.0}),
        ("DEP102", "train", {f"{TRAINED}.transform_ops.2.NormalizeImage.mean": [123.675, 116.28, 103.53]}),
        ("DEP102", "eval", {f"{JUDGED}.transform_ops.3.NormalizeImage.scale": 1.0}),
        ("CFG111", "train", {f"{TRAINED}.transform_ops": REMOVED, f"{TRAINED}.transforms": [{"DecodeImage": None}]}),
        ("CFG111", "eval", {f"{JUDGED}.transform_ops": REMOVED, f"{JUDGED}.transform_op": [{"DecodeImage": None}]}),
        ("CFG106", "train", {"DataLoader.Train.sampler": REMOVED, f"{TRAINED}.sampler": SAMPLER}),
        ("CFG106", "eval", {"DataLoader.Eval.loader": REMOVED, "DataLoader.Eval.sampler.loader": {"num_workers": 0}}),
        ("EXP105", "export", {"Global.image_shape": [224, 224, 3]}),
        ("CFG132", "export", {"Arch": {**EMBEDDING, "infer_add_softmax": "false"}}),
    ],
)
def test_config(tmp_path: Path, code: str, stage: str, changes: dict[str, Any]) -> None:
    assert spoken(Project(tmp_path, "modern", changes), stage) == [code]


@pytest.mark.parametrize(
    ("code", "train", "val"),
    [
        ("LAB114", rows(TRAIN).encode() + "train/0/狗.png 0\n".encode("gbk"), EVAL),
        ("LAB114", b"\xef\xbb\xbf" + rows(TRAIN).encode(), EVAL),
        ("LAB107", rows(TRAIN) + "\n", EVAL),
        ("LAB107", rows(TRAIN) + "train/9/none cat\n", EVAL),
        ("LAB115", TRAIN, [(path, (label + 1) % 3) for path, label in TRAIN]),
        ("LAB117", TRAIN, [*EVAL, (TRAIN[0][0], 2)]),
        ("LAB111", TRAIN, [*EVAL, TRAIN[0]]),
    ],
)
def test_lists(tmp_path: Path, code: str, train: Any, val: Any) -> None:
    project = Project(tmp_path, "modern", train=train, val=val)
    assert spoken(project) == [code]


@pytest.mark.parametrize("stage", ["train", "eval", "infer"])
def test_healthy(tmp_path: Path, stage: str) -> None:
    assert spoken(Project(tmp_path, "modern"), stage) == []


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("DST101", {f"{TEACHER}.class_num": 1000}),
        ("LAB102", {f"{STUDENT}.class_num": 2}),
        (
            "CFG113",
            {"Arch.models": [{"Teacher": {"name": "ResNet50_vd", "class_num": 3}, "Student": {"name": "PPLCNet_x0_25", "class_num": 3}}]},
        ),
    ],
)
def test_distillation(tmp_path: Path, code: str, changes: dict[str, Any]) -> None:
    errors = [f.code for f in distillation(tmp_path, changes).check().report.findings if f.severity != "info" and f.code != "WTS103"]
    assert errors == [code]


def test_a_teacher_of_imagenet_whose_features_alone_are_compared(tmp_path: Path) -> None:
    loss = {"DistillationDistanceLoss": {"weight": 1.0, "key": "features", "model_name_pairs": [["Student", "Teacher"]]}}
    assert "LAB105" not in spoken(distillation(tmp_path, {f"{TEACHER}.class_num": 1000, "Loss.Train": [loss]}))


@pytest.mark.parametrize(
    ("code", "stage", "network", "classes", "changes"),
    [
        ("WTS106", "eval", "PPLCNet_x0_25", 3, {}),
        ("WTS106", "train", "PPLCNet_x0_25", 3, {}),
        ("WTS106", "export", "PPLCNet_x0_25", 5, {}),
        ("WTS107", "eval", SMALL, 5, {}),
        ("WTS107", "infer", SMALL, 3, {"Arch.class_num": 1000}),
        ("WTS107", "export", SMALL, 5, {}),
        ("WTS109", "eval", SMALL, 3, {"Arch": DISTILLED}),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, code: str, stage: str, network: str, classes: int, changes: dict[str, Any]) -> None:
    made = Project(tmp_path, "modern", {"Arch.name": SMALL, "Global.pretrained_model": "w/model", **changes})
    made.write("w/model.pdparams", saved(network, classes))
    assert spoken(made, stage) == [code]


@pytest.mark.parametrize(("network", "classes"), [("PPLCNet_x0_25", 3), (SMALL, 5)])
def test_a_checkpoint_that_does_not_fit(tmp_path: Path, network: str, classes: int) -> None:
    made = Project(tmp_path, "modern", {"Arch.name": SMALL, "Global.checkpoints": "w/latest", "Global.epochs": 2})
    for suffix, content in (("pdparams", saved(network, classes)), ("pdopt", optimizer(network, classes)), ("pdstates", STATES)):
        made.write(f"w/latest.{suffix}", content)
    assert spoken(made) == ["WTS114"]
