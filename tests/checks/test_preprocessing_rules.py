"""DEP1xx: lists of transforms against each other. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.facts.base import World
from doctor.report import ReportedFinding
from doctor.run import Run, run_check
from doctor.settings import Settings
from tests.checks.test_pipeline_rules import CHW, CROP, DECODE, NORMAL, Ops, normal
from tests.projects import CONFIG, MACHINE, REMOVED, Project, found, passes, reason

EVAL: Ops = [DECODE, {"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}, NORMAL]
DEPLOYED: Ops = [*EVAL[1:3], normal(scale=0.00392157, channel_num=3), CHW]

EVAL_KEY = "DataLoader.Eval.dataset.transform_ops"
TRAIN_KEY = "DataLoader.Train.dataset.transform_ops"


def project(folder: Path, evaluated: Ops | None = None, infer: Ops | None = None, **more: Any) -> Project:
    """Evaluation and inference with these transforms, as in training if not given."""
    changes = {TRAIN_KEY: [DECODE, CROP, NORMAL], EVAL_KEY: evaluated or EVAL, "Infer.transforms": infer or [*EVAL, CHW], **more}
    return Project(folder, "modern", changes)


def served(folder: Path, ops: Ops, stage: str = "deploy", **more: Any) -> Run:
    """A check with a deploy config of these transforms."""
    made = project(folder, **more)
    settings = {"infer_imgs": "a.jpg", "inference_model_dir": "./inference", "batch_size": 1, "use_gpu": False}
    made.write("deploy.yaml", yaml.safe_dump({"Global": settings, "PreProcess": {"transform_ops": ops}}, sort_keys=False))
    run = run_check(
        CONFIG,
        stage=stage,
        lang="en",
        assume=MACHINE,
        settings=Settings(),
        deploy_config="deploy.yaml",
        world=World(cwd=str(folder)),
    )
    assert not run.crashes, run.crashes
    return run


def compared(run: Run) -> list[ReportedFinding]:
    return [f for f in run.report.findings if f.code.startswith("DEP1")]


def changed(ops: Ops, name: str, **params: Any) -> Ops:
    """The list with other parameters of one transform."""
    return [{name: {**(op[name] or {}), **params}} if name in op else op for op in ops]


@pytest.mark.parametrize("stage", ["train", "eval", "infer", "deploy", "export"])
def test_lists_that_agree_have_no_finding(tmp_path: Path, stage: str) -> None:
    assert compared(served(tmp_path, DEPLOYED, stage)) == []


# DEP101 colour-order-differs


@pytest.mark.parametrize("stage", ["train", "eval"])
def test_dep101_positive_evaluation(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, changed(EVAL, "DecodeImage", to_rgb=False))
    finding = made.finding("DEP101", stage=stage, shows=("Eval", "Train", "BGR", "RGB"))
    assert (finding.severity, finding.entry) == ("warning", "1.1")
    assert finding.location.key == f"{EVAL_KEY}.0.DecodeImage.to_rgb"
    assert made.assert_repaired_by(finding, stage=stage) == [True]


def test_dep101_positive_inference_and_deployment(tmp_path: Path) -> None:
    made = project(tmp_path, infer=changed([*EVAL, CHW], "DecodeImage", to_rgb=False))
    assert made.finding("DEP101", stage="infer").location.key == "Infer.transforms.0.DecodeImage.to_rgb"
    bgr = {TRAIN_KEY: changed([DECODE, CROP, NORMAL], "DecodeImage", to_rgb=False)}
    (finding,) = found(served(tmp_path, DEPLOYED, **bgr, evaluated=changed(EVAL, "DecodeImage", to_rgb=False)), "DEP101")
    assert (finding.severity, finding.location.file) == ("error", "deploy.yaml")


def test_dep101_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "DEP101")


def test_dep101_near_miss(tmp_path: Path) -> None:
    assert passes(project(tmp_path, [{"DecodeImage": None}, *EVAL[1:]]), "DEP101")  # the default
    assert passes(project(tmp_path, changed(EVAL, "DecodeImage", backend="pil")), "DEP101")
    assert passes(project(tmp_path, changed(EVAL, "DecodeImage", to_np=False)), "DEP101")  # differs between branches
    both = {TRAIN_KEY: changed([DECODE, CROP, NORMAL], "DecodeImage", to_rgb=False)}
    bgr = changed(EVAL, "DecodeImage", to_rgb=False)
    assert passes(project(tmp_path, bgr, [*bgr, CHW], **both), "DEP101", stage="infer")


def test_dep101_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"DataLoader.Eval": REMOVED, "Infer": REMOVED}), "DEP101") == "nothing-to-compare"


# DEP102 normalisation-differs


@pytest.mark.parametrize(
    ("params", "parameter"),
    [({"scale": "1.0"}, "scale"), ({"mean": [0.5, 0.5, 0.5]}, "mean"), ({"std": [0.5, 0.5, 0.5]}, "std"), ({"scale": "1/127.5"}, "scale")],
)
@pytest.mark.parametrize("stage", ["train", "eval"])
def test_dep102_positive_evaluation(tmp_path: Path, params: dict[str, Any], parameter: str, stage: str) -> None:
    made = project(tmp_path, changed(EVAL, "NormalizeImage", **params))
    finding = made.finding("DEP102", stage=stage, shows=("Eval", "Train"))
    assert (finding.severity, finding.entry) == ("error", "1.1")
    assert finding.location.key == f"{EVAL_KEY}.3.NormalizeImage.{parameter}"
    assert made.assert_repaired_by(finding, stage=stage) == [NORMAL["NormalizeImage"][parameter]]


def test_dep102_positive_deployment(tmp_path: Path) -> None:
    ops = changed(DEPLOYED, "NormalizeImage", mean=[0, 0, 0], std=[1, 1, 1])
    for stage in ("train", "deploy"):
        (finding,) = found(served(tmp_path, ops, stage), "DEP102")
        assert (finding.severity, finding.entry, finding.location.file) == ("error", "1.1", "deploy.yaml")
        assert "mean: [0.485, 0.456, 0.406]" in (finding.fixes[0].snippet or "")


def test_dep102_positive_inference(tmp_path: Path) -> None:
    made = project(tmp_path, infer=changed([*EVAL, CHW], "NormalizeImage", mean=[0.5, 0.5, 0.5]))
    assert [made.finding("DEP102", stage=stage).severity for stage in ("train", "infer")] == ["warning", "warning"]
    made = project(tmp_path, infer=changed([*EVAL, CHW], "NormalizeImage", scale=1.0))
    assert [made.finding("DEP102", stage=stage).severity for stage in ("train", "infer")] == ["warning", "error"]


def test_dep102_positive_the_training_is_the_odd_one(tmp_path: Path) -> None:
    made = project(tmp_path, **{TRAIN_KEY: [DECODE, CROP, normal(scale=1.0)]})
    finding = made.finding("DEP102", shows=("Train", "Eval"))
    assert finding.location.key == f"{TRAIN_KEY}.2.NormalizeImage.scale"
    assert made.assert_repaired_by(finding) == ["1.0/255.0"]


def test_dep102_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "DEP102")


@pytest.mark.parametrize(
    "step",
    [
        normal(scale=0.00392157),
        normal(scale="1/255"),
        normal(scale=None),
        normal(scale=1.0, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
        normal(order="hwc"),
        {"NormalizeImage": {"order": ""}},
    ],
)
def test_dep102_near_miss_written_differently(tmp_path: Path, step: dict[str, Any]) -> None:
    assert passes(project(tmp_path, [*EVAL[:3], step]), "DEP102")


def test_dep102_near_miss_tensors(tmp_path: Path) -> None:
    vehicle = {"DataLoader.Eval.dataset.name": "VeriWild", "DataLoader.Eval.dataset.backend": "pil"}
    steps = [{"Resize": {"size": 256}}, {"CenterCrop": {"size": 224}}, {"ToTensor": None}]
    tensors = [*steps, {"Normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}]
    assert passes(project(tmp_path, tensors, **vehicle), "DEP102")


def test_dep102_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"DataLoader": REMOVED, "Infer": REMOVED}), "DEP102") == "nothing-to-compare"


# DEP103 resize-or-crop-differs


def test_dep103_positive_deployment(tmp_path: Path) -> None:
    small = [DECODE, {"ResizeImage": {"resize_short": 72}}, {"CropImage": {"size": 64}}, NORMAL]
    (finding,) = found(served(tmp_path, DEPLOYED, evaluated=small), "DEP103")
    assert (finding.severity, finding.entry, finding.location.file) == ("error", "1.1", "deploy.yaml")
    assert (finding.location.key or "").endswith("0.ResizeImage.resize_short")
    assert "resize_short: 72" in (finding.fixes[0].snippet or "")
    assert "CropImage" in (finding.fixes[0].snippet or "")


@pytest.mark.parametrize("stage", ["train", "eval", "infer"])
def test_dep103_positive_inference(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, infer=changed([*EVAL, CHW], "ResizeImage", resize_short=248))
    finding = made.finding("DEP103", stage=stage, shows=(248, 256))
    assert finding.severity == "warning"
    assert made.assert_repaired_by(finding, stage=stage) == [256]


def test_dep103_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "DEP103")


def test_dep103_near_miss(tmp_path: Path) -> None:
    larger = [DECODE, {"ResizeImage": {"resize_short": 320}}, {"CropImage": {"size": 288}}, NORMAL]
    assert passes(project(tmp_path, larger, [*larger, CHW]), "DEP103")  # evaluated at a higher resolution than trained
    stretched = [DECODE, {"ResizeImage": {"size": 224}}, NORMAL]
    cropped = [DECODE, {"ResizeImage": {"size": [224, 224]}}, {"CropImage": {"size": 224}}, NORMAL, CHW]
    assert passes(project(tmp_path, stretched, cropped), "DEP103")  # cropped to the size that it has


def test_dep103_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "DEP103") == "nothing-to-compare"


# DEP104 interpolation-differs

BICUBIC = changed(EVAL, "ResizeImage", interpolation="bicubic", backend="pil")


def test_dep104_positive(tmp_path: Path) -> None:
    made = project(tmp_path, changed(EVAL, "ResizeImage", interpolation="bicubic"))
    finding = made.finding("DEP104", shows=("bicubic", "bilinear", "Infer", "Eval"))
    assert (finding.severity, finding.entry) == ("warning", "1.1")
    assert made.assert_repaired_by(finding) == ["bicubic"]
    (finding,) = found(served(tmp_path, DEPLOYED, evaluated=BICUBIC, infer=[*BICUBIC, CHW]), "DEP104")
    assert finding.location.file == "deploy.yaml"


def test_dep104_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, BICUBIC, [*BICUBIC, CHW]), "DEP104")


def test_dep104_near_miss(tmp_path: Path) -> None:
    assert passes(project(tmp_path, changed(EVAL, "ResizeImage", interpolation="bilinear", backend="cv2")), "DEP104")  # the defaults
    assert passes(project(tmp_path, changed(EVAL, "ResizeImage", interpolation="random")), "DEP104")


def test_dep104_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "DEP104") == "nothing-to-compare"


# DEP105 channel-count-differs-when-used

FOUR: Ops = [*EVAL[:3], normal(channel_num=4)]


def test_dep105_positive(tmp_path: Path) -> None:
    changes = {TRAIN_KEY: [DECODE, CROP, normal(channel_num=4)], "Arch.input_image_channel": 4}
    made = project(tmp_path, FOUR, **changes)
    assert [made.finding("DEP105", stage=stage, shows=(3, 4)).severity for stage in ("train", "infer")] == ["warning", "error"]
    (finding,) = found(served(tmp_path, DEPLOYED, evaluated=FOUR, infer=[*FOUR, CHW], **changes), "DEP105")
    assert (finding.severity, finding.entry) == ("error", "1.1")


def test_dep105_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "DEP105")


def test_dep105_near_miss_said_and_left_out(tmp_path: Path) -> None:
    assert passes(project(tmp_path, changed(EVAL, "NormalizeImage", channel_num=3)), "DEP105")


def test_dep105_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"DataLoader": REMOVED, "Infer": REMOVED}), "DEP105") == "nothing-to-compare"


# DEP106 exported-size-differs


def test_dep106_positive(tmp_path: Path) -> None:
    made = project(tmp_path, **{"Global.image_shape": [3, 256, 256]})
    finding = made.finding("DEP106", stage="export", shows=("224×224",))
    assert (finding.severity, finding.location.key) == ("info", "Global.image_shape")
    assert made.assert_repaired_by(finding, stage="export") == [[3, 224, 224]]


def test_dep106_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "DEP106", stage="export")


def test_dep106_near_miss_size_of_the_image(tmp_path: Path) -> None:
    assert passes(project(tmp_path, [DECODE, {"ResizeImage": {"resize_short": 256}}, NORMAL]), "DEP106", stage="export")


def test_dep106_skipped(tmp_path: Path) -> None:
    assert reason(project(tmp_path, **{"Global.image_shape": REMOVED}), "DEP106", stage="export") == "nothing-to-compare"
