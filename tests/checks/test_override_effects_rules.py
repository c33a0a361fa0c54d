"""CFG140 to CFG142: overrides that PaddleClas accepts and that then do nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import Project, passes, reason

DISTILLATION: dict[str, Any] = {
    "Arch": {
        "name": "DistillationModel",
        "class_num": 3,
        "models": [{"Teacher": {"name": "ResNet50", "class_num": 3}}, {"Student": {"name": "ResNet18", "class_num": 3}}],
    }
}


# CFG140 override-without-effect


def test_cfg140_positive_class_number_of_a_distillation(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", DISTILLATION).finding("CFG140", "Arch.class_num=5", shows=("DistillationModel", 5, 3))
    assert finding.severity == "error"
    assert finding.fixes[0].snippet == "-o Arch.models.0.Teacher.class_num=5\n-o Arch.models.1.Student.class_num=5\n"


@pytest.mark.parametrize(
    ("option", "stage", "severity"),
    [
        ("Global.image_shape=[3, 192, 192]", "train", "warning"), ("Global.epochs=10", "eval", "info"),
        ("Optimizer.lr.learning_rate=0.1", "export", "info"),
        ("DataLoader.Train.sampler.batch_size=1", "eval", "info"), ("Infer.batch_size=1", "train", "info"),
        ("Global.save_inference_dir=./x", "train", "info"),
    ],
)  # fmt: skip
def test_cfg140_positive_other_stages(tmp_path: Path, option: str, stage: str, severity: str) -> None:
    assert Project(tmp_path, "modern").finding("CFG140", option, stage=stage).severity == severity


def test_cfg140_positive_a_split_that_is_not_built(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.eval_during_train": False})
    assert project.finding("CFG140", "DataLoader.Eval.sampler.batch_size=1", shows=("DataLoader.Eval",)).severity == "info"


@pytest.mark.parametrize("stage", ["train", "eval", "infer", "export"])
def test_cfg140_negative(tmp_path: Path, stage: str) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG140", "Arch.class_num=3", "Global.pretrained_model=None", stage=stage)


def test_cfg140_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", DISTILLATION), "CFG140", "Arch.class_num=3")  # what the sub-models have already
    assert passes(Project(tmp_path, "modern"), "CFG140", "Global.image_shape=[3, 224, 224]")  # as the file has it
    assert passes(Project(tmp_path, "modern", {"Global.to_static": True}), "CFG140", "Global.image_shape=[3, 192, 192]")
    assert passes(Project(tmp_path, "modern"), "CFG140", "Global.checkpoints=output/latest", stage="eval")
    assert passes(Project(tmp_path, "modern"), "CFG140", "DataLoader.Eval.sampler.batch_size=1", "Global.checkpoints=a")
    assert passes(Project(tmp_path, "modern"), "CFG140", "Global.image_shape=[3, 192, 192]", stage="export")


def test_cfg140_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG140") == "no-overrides"
    assert reason(Project(tmp_path, "legacy"), "CFG140", "epochs=3") == "sections-modern"


# CFG141 override-undone


def test_cfg141_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    finding = project.finding(
        "CFG141", "Global.epochs=2", "Arch.class_num=3", "Global.epochs=3", shows=("Global.epochs=2", "Global.epochs=3", 3)
    )
    assert (finding.severity, finding.entry, finding.location.line) == ("warning", "5.2", 1)
    ops = "DataLoader.Train.dataset.transform_ops"
    assert project.finding("CFG141", f"{ops}.-1.NormalizeImage.order=hwc", f"{ops}.2={{'NormalizeImage': {{}}}}").location.line == 1


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg141_negative(tmp_path: Path, generation: Any) -> None:
    project = Project(tmp_path, generation)
    assert passes(project, "CFG141", f"{project.key('epochs')}=3", f"{project.key('class_num')}=3")


def test_cfg141_near_miss(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    assert passes(project, "CFG141", "Global.epochs=3", "Global.epochs=3")
    assert passes(project, "CFG141", "Optimizer.lr={'name': 'Cosine', 'learning_rate': 0.1}", "Optimizer.lr.learning_rate=0.2")


def test_cfg141_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG141", "Global.epochs=3") == "one-override"


# CFG142 override-cut-by-shell


@pytest.mark.parametrize("value", ["[1,", "[3", '"output', "{'a': 1", "['a', b]", "(1,", "'x"])
def test_cfg142_positive(tmp_path: Path, value: str) -> None:
    finding = Project(tmp_path, "modern").finding("CFG142", f"Global.output_dir={value}", shows=(value,))
    assert (finding.severity, finding.entry, finding.location.file) == ("warning", "5.2", "-o")


def test_cfg142_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG142", "Metric.Eval.0.TopkAcc.topk=[1, 2]", "Global.output_dir='a'")


@pytest.mark.parametrize("value", ["a[1", "data(1)", "list,of", "./[x", "it's"])
def test_cfg142_near_miss(tmp_path: Path, value: str) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG142", f"Global.output_dir={value}")


def test_cfg142_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG142") == "no-overrides"
