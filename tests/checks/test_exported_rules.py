"""EXP: what an exported model holds."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.deployments import Deployment, deploy_config, deploy_project
from tests.exports import Net, classifier, repvgg, stored_tensor
from tests.projects import Project, found, passes, reason

BACKBONE = {"conv.weight": (8, 3, 3, 3), "bn.weight": (8,), "bn.bias": (8,), "conv2.weight": (8, 8, 3, 3)}


def checkpoint(path: Path, shapes: Mapping[str, Sequence[int]]) -> None:
    path.write_bytes(pickle.dumps({name: np.zeros(shape, "float32") for name, shape in shapes.items()}, protocol=4))


def net_of(classes: int) -> Net:
    """A network with `BACKBONE` and a classifier."""
    net = Net()
    value = net.fed[0]
    for name, shape in BACKBONE.items():
        value = net.op("conv2d" if "conv" in name else "scale", value, parameters=[(name, shape)])
    return net.fetch(net.op("softmax", net.head(value, (-1, classes)), shape=(-1, classes)))


def trained(
    folder: Path, exported: int, saved: int | None = None, changes: dict[str, Any] | None = None, net: Net | None = None
) -> Project:
    """A training project of 3 classes with an export and, with `saved`, a checkpoint `w.pdparams`."""
    project = Project(folder, "modern", changes)
    (net or net_of(exported)).write(folder / "models")
    if saved is not None:
        checkpoint(folder / "w.pdparams", {**BACKBONE, "fc.weight": (16, saved), "fc.bias": (saved,)})
    return project


DEPLOYED: dict[str, Any] = {"stage": "deploy", "inference_model": "models"}


# EXP107 export-width


def test_exp107_positive_exported_with_another_class_num(tmp_path: Path) -> None:
    project = trained(tmp_path, 1000, 3)
    finding = project.finding("EXP107", **DEPLOYED, weights="w.pdparams", shows=("1000", "3", "w.pdparams"))
    assert (finding.severity, finding.entry) == ("error", "1.1")
    assert "class_num=3" in (finding.fixes[0].snippet or "")


def test_exp107_positive_of_another_config(tmp_path: Path) -> None:
    finding = trained(tmp_path, 1000).finding("EXP107", **DEPLOYED, shows=("1000", "3"))
    assert finding.severity == "warning"


def test_exp107_positive_with_the_weights_of_the_config(tmp_path: Path) -> None:
    project = trained(tmp_path, 1000, 3, {"Global.pretrained_model": "w"})
    assert project.finding("EXP107", **DEPLOYED).severity == "error"


def test_exp107_negative(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, 3, 3), "EXP107", **DEPLOYED, weights="w.pdparams")


def test_exp107_near_miss_weights_that_training_began_with(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, 3, 1000, {"Global.pretrained_model": "w"}), "EXP107", **DEPLOYED)


def test_exp107_near_miss_another_network_and_none_at_all(tmp_path: Path) -> None:
    project = trained(tmp_path, 3)
    checkpoint(tmp_path / "w.pdparams", {"a.weight": (7, 7), "b.weight": (16, 1000)})
    assert passes(project, "EXP107", **DEPLOYED, weights="w.pdparams")
    (tmp_path / "w.pdparams").write_bytes(b"junk")
    assert passes(project, "EXP107", **DEPLOYED, weights="w.pdparams")


def test_exp107_near_miss_the_checkpoint_is_right_and_the_config_is_not(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, 5, 5), "EXP107", **DEPLOYED, weights="w.pdparams")


def test_exp107_near_miss_features(tmp_path: Path) -> None:
    arch = {
        "name": "RecModel",
        "infer_output_key": "features",
        "Backbone": {"name": "ResNet50"},
        "Head": {"name": "FC", "embedding_size": 64, "class_num": 3},
    }
    assert reason(trained(tmp_path, 64, changes={"Arch": arch}), "EXP107", **DEPLOYED) == "features-exported"


def test_exp107_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path / "a"), "EXP107") == "no-class-num"
    made = deploy_project(tmp_path / "b")
    (tmp_path / "b/models/inference.json").write_bytes(b"{}")
    assert reason(made, "EXP107") == "model-output-unknown"


def test_one_cause_is_one_finding(tmp_path: Path) -> None:
    """The map of the three classes, held against an export with 1000, is not to blame."""
    project = trained(tmp_path, 1000, 3)
    data = deploy_config()
    data["PreProcess"]["transform_ops"][0] = {"ResizeImage": {"resize_short": 72}}
    (tmp_path / "deploy.yaml").write_text(yaml.safe_dump(data))
    (tmp_path / "map.txt").write_text("0 a\n1 b\n2 c\n")
    run = project.check(**DEPLOYED, weights="w.pdparams", deploy_config="deploy.yaml")
    told = {f.code for f in run.report.findings if f.severity == "error" and f.code[:3] in ("EXP", "WTS", "CFG", "LAB")}
    assert told - {"EXP102"} == {"EXP107"}


# EXP108 export-activation


def ending(
    folder: Path, kinds: Sequence[str], reader: str = "Topk", model: str = "json", values: dict[str, Any] | None = None
) -> Deployment:
    made = deploy_project(folder, None, {"PostProcess": {"main_indicator": reader, reader: values or {}}} if reader != "Topk" else None)
    classifier(ending=kinds).write(folder / "models", model)
    return made


@pytest.mark.parametrize("model", ["json", "pdmodel"])
@pytest.mark.parametrize(
    "kinds", [("softmax", "softmax"), ("softmax", "scale", "softmax"), ("softmax", "cast", "reshape", "softmax"), ("sigmoid", "softmax")]
)
def test_exp108_positive_twice(tmp_path: Path, kinds: Sequence[str], model: str) -> None:
    finding = ending(tmp_path, kinds, model=model).finding("EXP108", shows=(" → ".join(kinds),))
    assert (finding.severity, finding.entry) == ("error", "1.1")


@pytest.mark.parametrize(
    ("kinds", "reader", "severity"),
    [
        ((), "Topk", "warning"),
        (("scale",), "Topk", "warning"),
        ((), "ThreshOutput", "error"),
        ((), "PersonAttribute", "error"),
        (("softmax",), "VehicleAttribute", "error"),
        (("softmax",), "MultiLabelThreshOutput", "error"),
        (("softmax", "argmax"), "Topk", "error"),
        (("argmax",), "Topk", "error"),
    ],
)
def test_exp108_positive_not_what_the_reader_needs(tmp_path: Path, kinds: Sequence[str], reader: str, severity: str) -> None:
    assert ending(tmp_path, kinds, reader).finding("EXP108").severity == severity


@pytest.mark.parametrize(
    ("kinds", "reader"),
    [
        (("softmax",), "Topk"),
        (("softmax", "scale"), "Topk"),
        (("softmax",), "ThreshOutput"),
        (("sigmoid",), "PersonAttribute"),
        (("sigmoid",), "MultiLabelThreshOutput"),
    ],
)
def test_exp108_negative(tmp_path: Path, kinds: Sequence[str], reader: str) -> None:
    assert passes(ending(tmp_path, kinds, reader), "EXP108")


@pytest.mark.parametrize(
    ("kinds", "reader"),
    [((), "ScoreOutput"), ((), "Binarize"), (("sigmoid",), "Topk"), (("hardsigmoid", "softmax"), "Topk"), (("softmax", "concat"), "Topk")],
)
def test_exp108_near_miss_other_readers_and_endings_that_cannot_be_judged(tmp_path: Path, kinds: Sequence[str], reader: str) -> None:
    assert passes(ending(tmp_path, kinds, reader), "EXP108")


def test_exp108_near_miss_a_mean_of_two_softmaxes(tmp_path: Path) -> None:
    net = Net()
    logits = net.head(net.fed[0], (-1, 5))
    both = net.op("add", net.op("softmax", logits, shape=(-1, 5)), net.op("softmax", logits, shape=(-1, 5)), shape=(-1, 5))
    made = deploy_project(tmp_path, None)
    net.fetch(net.op("scale", both, shape=(-1, 5))).write(tmp_path / "models")
    assert passes(made, "EXP108")


def test_exp108_near_miss_without_a_deploy_config(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    classifier((-1, 3), ending=()).write(tmp_path / "models")
    assert passes(project, "EXP108", **DEPLOYED)


def test_exp108_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    (tmp_path / "models/inference.json").write_bytes(b"{}")
    assert reason(made, "EXP108") == "model-output-unknown"


# EXP109 export-input


@pytest.mark.parametrize(("dtype", "severity"), [("float16", "error"), ("uint8", "warning")])
@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp109_positive_another_type(tmp_path: Path, dtype: str, severity: str, model: str) -> None:
    made = deploy_project(tmp_path, None)
    classifier(dtype=dtype).write(tmp_path / "models", model)
    assert made.finding("EXP109", shows=(dtype,)).severity == severity


def test_exp109_positive_two_inputs(tmp_path: Path) -> None:
    net = classifier()
    net.fed.append(net._value("im_shape", (-1, 2)))
    made = deploy_project(tmp_path, None)
    net.write(tmp_path / "models")
    assert made.finding("EXP109", shows=("x, im_shape",)).severity == "error"


def test_exp109_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path), "EXP109")


def test_exp109_near_miss_a_detector(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.det_inference_model_dir": "det"})
    net = classifier()
    net.fed.append(net._value("im_shape", (-1, 2)))
    net.write(tmp_path / "det")
    assert passes(made, "EXP109")


def test_exp109_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    (tmp_path / "models/inference.json").write_bytes(b"{}")
    assert reason(made, "EXP109") == "model-input-unknown"


# EXP110 export-parameters


@pytest.mark.parametrize("model", ["json", "pdmodel"])
@pytest.mark.parametrize(
    ("content", "severity", "shows"),
    [
        (repvgg(2).stored(), "error", "2"),
        (classifier().stored() + stored_tensor((3,)), "error", "3"),
        (stored_tensor((5,)) + stored_tensor((16, 7)), "error", "16×7"),
        (stored_tensor((5,)) + stored_tensor((16, 5), "float16"), "warning", "float16"),
        (classifier().stored()[:-3], "error", "inference.pdiparams"),
        (b"<html>", "error", "inference.pdiparams"),
        (b"", "error", "inference.pdiparams"),
    ],
)
def test_exp110_positive(tmp_path: Path, content: bytes, severity: str, shows: str, model: str) -> None:
    made = deploy_project(tmp_path, model)
    (tmp_path / "models/inference.pdiparams").write_bytes(content)
    assert made.finding("EXP110", shows=(shows,)).severity == severity


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp110_negative(tmp_path: Path, model: str) -> None:
    assert passes(deploy_project(tmp_path, model), "EXP110")


def test_exp110_near_miss_a_missing_file_is_of_another_rule(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    (tmp_path / "models/inference.pdiparams").unlink()
    run = made.check()
    assert found(run, "EXP101")
    assert not found(run, "EXP110")


def test_exp110_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    (tmp_path / "models/inference.json").write_bytes(b"{}")
    assert reason(made, "EXP110") == "no-readable-program"


# EXP111 inference-yml-differs


def with_yml(folder: Path, changes: Mapping[str, Any] | None = None, labels: int = 5) -> Deployment:
    """A deployment whose `inference.yml` has the transforms of the deploy config, but for `changes`: name → parameters."""
    made = deploy_project(folder)
    ops = yaml.safe_load(yaml.safe_dump(deploy_config()["PreProcess"]["transform_ops"]))
    for op in ops:
        for name, values in op.items():
            if name in (changes or {}):
                values.clear()
                values.update((changes or {})[name])
    ops[2]["NormalizeImage"].setdefault("channel_num", 3)
    told = {"PreProcess": {"transform_ops": ops}, "PostProcess": {"Topk": {"topk": 2, "label_list": [f"c{n}" for n in range(labels)]}}}
    made.write("models/inference.yml", yaml.safe_dump(told))
    return made


@pytest.mark.parametrize(
    ("changes", "shows"),
    [
        ({"ResizeImage": {"resize_short": 256}}, "ResizeImage.resize_short"),
        ({"CropImage": {"size": 224}}, "CropImage.size"),
        (
            {"NormalizeImage": {"scale": 0.00392157, "mean": [0.5, 0.5, 0.5], "std": [0.229, 0.224, 0.225], "order": ""}},
            "NormalizeImage.mean",
        ),
    ],
)
def test_exp111_positive(tmp_path: Path, changes: dict[str, Any], shows: str) -> None:
    finding = with_yml(tmp_path, changes).finding("EXP111", shows=(shows,))
    assert (finding.severity, finding.location.key) == ("warning", "PreProcess.transform_ops")


def test_exp111_positive_labels_of_imagenet(tmp_path: Path) -> None:
    assert with_yml(tmp_path, labels=1000).finding("EXP111", shows=("1000", "5")).severity == "warning"


def test_exp111_negative(tmp_path: Path) -> None:
    assert passes(with_yml(tmp_path), "EXP111")


def test_exp111_near_miss_the_same_in_other_words(tmp_path: Path) -> None:
    scale = {"scale": 1.0 / 255.0, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": "", "channel_num": 3}
    assert passes(with_yml(tmp_path / "a", {"NormalizeImage": scale, "CropImage": {"size": [64, 64]}}), "EXP111")
    assert passes(with_yml(tmp_path / "b", {"NormalizeImage": {**scale, "scale": "1.0/255.0"}}), "EXP111")


def test_exp111_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path), "EXP111") == "no-inference-yml"
