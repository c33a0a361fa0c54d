"""EXP: what the numbers say in an exported model, by themselves and beside the weights that were to be exported."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checks.test_weight_values_rules import Weights, fresh, trained
from tests.exports import Net, stored_tensor
from tests.projects import Project, passes, reason

PARAMETERS = {"conv1": "conv2d_0", "bn1": "batch_norm_0", "conv2": "conv2d_1", "bn2": "batch_norm_1", "fc": "linear_0"}
ENDS = {"weight": "w_0", "bias": "b_0", "_mean": "w_1", "_variance": "w_2"}
HERE: dict[str, Any] = {"stage": "deploy", "inference_model": "models"}
THERE = HERE | {"weights": "w.pdparams"}


def parameter(name: str) -> str:
    layer, _, end = name.partition(".")
    return f"{PARAMETERS[layer]}.{ENDS[end]}"


def export(folder: Path, weights: Weights, model: str = "json") -> None:
    """A model with these parameters; its file of values is what PaddlePaddle writes."""
    net = Net()
    classes = weights["fc.weight"].shape[1]
    value = net.op("conv2d", net.fed[0])
    net.fetch(net.op("softmax", net.op("matmul", value, shape=(-1, classes)), shape=(-1, classes)))
    named = {parameter(name): array for name, array in weights.items()}
    net.parameters = [(name, array.shape, str(array.dtype)) for name, array in named.items()]
    net.operators[0][1].extend(named)
    net.write(folder / "models", model)
    values = [stored_tensor(array.shape, str(array.dtype))[: -array.nbytes] + array.tobytes() for _, array in sorted(named.items())]
    (folder / "models/inference.pdiparams").write_bytes(b"".join(values))


def project(folder: Path, saved: Weights | None, exported: Weights, **how: Any) -> Project:
    made = Project(folder, "modern")
    export(folder, exported, **how)
    if saved is not None:
        names = {name: parameter(name) for name in saved if name.partition(".")[0] in PARAMETERS}
        made.write("w.pdparams", pickle.dumps(saved | {"StructuredToParameterName@@": names}, protocol=4))
    return made


def later(weights: Weights, by: float = 0.02) -> Weights:
    draw = np.random.default_rng(9)
    return {name: array + np.float32(by) * draw.normal(size=array.shape).astype("float32") for name, array in weights.items()}


def other() -> Weights:
    draw = np.random.default_rng(77)
    return {name: draw.normal(0, 0.1, array.shape).astype("float32") for name, array in trained().items()}


# EXP120 export-has-other-weights


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp120_positive_of_another_training(tmp_path: Path, model: str) -> None:
    finding = project(tmp_path, trained(), other(), model=model).finding("EXP120", **THERE, shows=("w.pdparams", "0", "12"))
    assert (finding.severity, finding.entry) == ("error", "1.1")


def test_exp120_positive_another_epoch_and_which(tmp_path: Path) -> None:
    made = project(tmp_path, trained(), later(trained()))
    finding = made.finding("EXP120", **THERE)
    assert finding.severity == "warning" and finding.evidence["correlation"] > 0.9
    made.write("epoch_1.pdparams", pickle.dumps(later(trained()), protocol=4))
    assert made.finding("EXP120", **THERE, shows=("epoch_1",)).evidence["beside"] == "epoch_1"


def test_exp120_positive_all_but_the_classifier(tmp_path: Path) -> None:
    head = {name: array for name, array in other().items() if name.startswith("fc.")}
    finding = project(tmp_path, trained(), trained() | head).finding("EXP120", **THERE)
    assert (finding.severity, finding.evidence["equal"]) == ("error", 10)


def test_exp120_positive_weights_of_another_network(tmp_path: Path) -> None:
    """What fits by shape is loaded, the rest keeps what it was drawn with."""
    rng = np.random.default_rng(7)
    wider = {name: rng.normal(size=(array.shape[0] * 2, *array.shape[1:])).astype("float32") for name, array in trained().items()}
    exported = wider | {name: array for name, array in trained().items() if name.startswith("fc.")}
    finding = project(tmp_path, trained(), exported).finding("EXP120", **THERE, shows=("w.pdparams", "12"))
    assert finding.severity == "error" and "another network" in finding.message and finding.evidence["equal"] == 2


def test_exp120_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained(), trained()), "EXP120", **THERE)


def test_exp120_near_miss_half_precision(tmp_path: Path) -> None:
    half = {name: array.astype("float16") for name, array in trained().items()}
    assert passes(project(tmp_path, trained(), half), "EXP120", **THERE)


def test_exp120_near_miss_teacher_left_out_and_other_names(tmp_path: Path) -> None:
    saved = {f"Student.{name}": array for name, array in trained().items()} | {f"Teacher.{name}": a for name, a in other().items()}
    assert passes(project(tmp_path, saved, trained()), "EXP120", **THERE)


def test_exp120_near_miss_a_bias_in_another_shape(tmp_path: Path) -> None:
    """As `convert_to_mixed_precision` of 2.6.2 folds them."""
    folded = {name: array.reshape(1, -1, 1, 1) if name == "bn1.bias" else array for name, array in trained().items()}
    assert passes(project(tmp_path, trained(), folded), "EXP120", **THERE)


def test_exp120_near_miss_branches_fused(tmp_path: Path) -> None:
    fused = {name: array for name, array in trained().items() if not name.startswith("bn")}
    for layer in ("conv1", "conv2"):
        fused[f"{layer}.weight"] = fused[f"{layer}.weight"] * np.float32(1.7) + np.float32(0.01)
        fused[f"{layer}.bias"] = np.full(32, 0.3, "float32") * np.arange(32, dtype="float32")
    assert passes(project(tmp_path, trained(), fused), "EXP120", **THERE)


def test_exp120_near_miss_another_class_count_is_another_rule(tmp_path: Path) -> None:
    head = {name: array for name, array in trained(5).items() if name.startswith("fc.")}
    assert passes(project(tmp_path, trained(), trained() | head), "EXP120", **THERE)


def test_exp120_skipped(tmp_path: Path) -> None:
    made = project(tmp_path, trained(), other())
    made.set("Global.pretrained_model", "w")  # may be what the training began with
    made.save()
    assert reason(made, "EXP120", **HERE) == "weights-not-of-export"
    (tmp_path / "models/inference.pdiparams").write_bytes(b"short")
    assert reason(made, "EXP120", **THERE) == "export-not-read"


# EXP121 export-is-random


@pytest.mark.parametrize("how", [HERE, THERE])
def test_exp121_positive_exported_without_weights(tmp_path: Path, how: dict[str, Any]) -> None:
    made = project(tmp_path, trained(), fresh())
    assert made.finding("EXP121", **how, shows=("2",)).severity == "error"
    if how is THERE:
        assert passes(made, "EXP120", **how)  # one fault, one finding


def test_exp121_positive_only_the_classifier(tmp_path: Path) -> None:
    head = {name: array for name, array in fresh().items() if name.startswith("fc.")}
    made = project(tmp_path, None, trained() | head)
    assert made.finding("EXP121", **HERE, shows=("linear_0.w_0", "3")).evidence["law"] == "uniform"


def test_exp121_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, None, trained()), "EXP121", **HERE)


def test_exp121_near_miss_one_small_step(tmp_path: Path) -> None:
    assert passes(project(tmp_path, None, trained(steps=1e-6)), "EXP121", **HERE)


def test_exp121_skipped(tmp_path: Path) -> None:
    made = project(tmp_path, None, trained())
    (tmp_path / "models/inference.pdiparams").unlink()
    assert made.check(**HERE).report is not None
    assert reason(made, "EXP121", **HERE) == "export-not-read"


# EXP122 export-not-finite


def test_exp122_positive(tmp_path: Path) -> None:
    weights = trained()
    weights["conv2.weight"][0, 0, 0, :2] = [np.nan, np.inf]
    finding = project(tmp_path, None, weights).finding("EXP122", **HERE, shows=("conv2d_1.w_0", "2"))
    assert finding.severity == "error"


def test_exp122_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, None, trained()), "EXP122", **HERE)


def test_exp122_near_miss_largest_half(tmp_path: Path) -> None:
    half = {name: array.astype("float16") for name, array in trained().items()}
    half["bn1._variance"][0] = np.finfo("float16").max
    assert passes(project(tmp_path, None, half), "EXP122", **HERE)


def test_exp122_skipped(tmp_path: Path) -> None:
    made = project(tmp_path, None, trained())
    (tmp_path / "models/inference.pdiparams").write_bytes(b"x")
    assert reason(made, "EXP122", **HERE) == "export-not-read"
