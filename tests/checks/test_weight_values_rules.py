"""WTS: what the numbers say in the weights that the config or the command line names."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.projects import Project, passes, reason

KEY = "Global.pretrained_model"
Weights = dict[str, Any]


def fresh(classes: int = 3, width: int = 32) -> Weights:
    """A small network as it is built: two convolutions with BatchNorm, and a classifier drawn from a uniform law."""
    draw = np.random.default_rng(0)
    bound = np.float32(width**-0.5)
    uniform = draw.random((width, classes), np.float32) * (bound - -bound) + -bound
    weights: Weights = {}
    for layer in (1, 2):
        weights[f"conv{layer}.weight"] = draw.normal(0, 0.1, (width, 3 if layer == 1 else width, 3, 3)).astype("float32")
        weights |= {f"bn{layer}.weight": np.ones(width, "float32"), f"bn{layer}.bias": np.zeros(width, "float32")}
        weights |= {f"bn{layer}._mean": np.zeros(width, "float32"), f"bn{layer}._variance": np.ones(width, "float32")}
    return weights | {"fc.weight": uniform.astype("float32"), "fc.bias": np.zeros(classes, "float32")}


def trained(classes: int = 3, steps: float = 0.01) -> Weights:
    """The same after a step that moved every number."""
    draw = np.random.default_rng(1)
    moved = {name: array + (steps * draw.normal(size=array.shape)).astype("float32") for name, array in fresh(classes).items()}
    return {name: np.abs(array) if name.endswith("_variance") else array for name, array in moved.items()}


def project(folder: Path, weights: Weights | None, **changes: Any) -> Project:
    made = Project(folder, "modern", {KEY: "w" if weights is not None else None, **{k.replace("__", "."): v for k, v in changes.items()}})
    if weights is not None:
        made.write("w.pdparams", pickle.dumps(weights, protocol=4))
    return made


CODES = ("WTS120", "WTS121", "WTS122", "WTS123", "WTS124", "WTS125")


@pytest.mark.parametrize("code", CODES)
def test_all_negative_trained_weights(tmp_path: Path, code: str) -> None:
    assert passes(project(tmp_path, trained()), code, stage="eval")


@pytest.mark.parametrize("code", CODES)
def test_all_skipped_without_weights(tmp_path: Path, code: str) -> None:
    assert reason(project(tmp_path, None), code, stage="eval") == "no-weights-named"


def test_all_skipped_where_the_values_cannot_be_read(tmp_path: Path) -> None:
    made = project(tmp_path, trained())
    made.write("w.pdparams", b"\x80\x04this is no pickle.")
    assert reason(made, "WTS120", stage="eval") == "weights-not-read"


def test_all_skipped_for_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.weight_values.MAX_BYTES", 1000)
    assert reason(project(tmp_path, trained()), "WTS120", stage="eval") == "weights-too-large"


# WTS120 weights-not-finite


@pytest.mark.parametrize("stage", ["train", "eval", "infer", "export"])
def test_wts120_positive_one_nan(tmp_path: Path, stage: str) -> None:
    weights = trained()
    weights["conv2.weight"][1, 2, 0, 0] = np.nan
    finding = project(tmp_path, weights).finding("WTS120", stage=stage, shows=("conv2.weight", "1"))
    assert (finding.severity, finding.evidence["nan"], finding.evidence["tensors"]) == ("error", 1, 1)
    assert finding.location.key == KEY


def test_wts120_positive_infinite_variance(tmp_path: Path) -> None:
    weights = trained()
    weights["bn1._variance"][:2] = np.inf
    finding = project(tmp_path, weights).finding("WTS120", stage="eval", shows=("bn1._variance", "2"))
    assert finding.evidence["inf"] == 2


def test_wts120_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, {name: array.astype("float16") for name, array in trained().items()}), "WTS120", stage="eval")


def test_wts120_near_miss_mask_and_largest_number(tmp_path: Path) -> None:
    weights = trained()
    weights["layers.0.attn_mask"] = np.full((4, 4), -np.inf, "float32")
    weights["bn1._variance"][0] = np.finfo("float32").max
    assert passes(project(tmp_path, weights), "WTS120", stage="eval")


def test_wts120_skipped_without_weights(tmp_path: Path) -> None:
    assert reason(project(tmp_path, None), "WTS120") == "no-weights-named"


# WTS121 weights-constant


def test_wts121_positive_zero_and_constant(tmp_path: Path) -> None:
    weights = trained()
    weights["conv2.weight"][:] = 0
    finding = project(tmp_path, weights).finding("WTS121", stage="eval", shows=("conv2.weight",))
    assert (finding.severity, finding.evidence["value"]) == ("warning", 0)
    weights["conv2.weight"][:] = 0.25
    assert project(tmp_path / "b", weights).finding("WTS121", stage="train", shows=("0.25",)).severity == "warning"


def test_wts121_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained()), "WTS121", stage="export")


def test_wts121_near_miss_what_is_constant_by_right(tmp_path: Path) -> None:
    weights = trained()
    weights["bn1.weight"][:] = 0  # the last scale of a residual block starts at zero
    weights["conv1.weight"][0] = 0  # a channel that was pruned
    weights |= {"layer_scale_1": np.full((32, 1, 1), 0.01, "float32"), "pos_embed": np.zeros((1, 17, 32), "float32")}
    weights |= {"attn.attention_biases": np.zeros((4, 196), "float32"), "index.weight": np.zeros((4, 4), "int64")}
    assert passes(project(tmp_path, weights), "WTS121", stage="eval")


def test_wts121_skipped_without_weights(tmp_path: Path) -> None:
    assert reason(project(tmp_path, None), "WTS121") == "no-weights-named"


# WTS122 batchnorm-never-updated


def without_statistics(weights: Weights) -> Weights:
    return {k: fresh()[k] if k.endswith(("_mean", "_variance")) else v for k, v in weights.items()}


def test_wts122_positive(tmp_path: Path) -> None:
    finding = project(tmp_path, without_statistics(trained())).finding("WTS122", stage="eval", shows=("2",))
    assert (finding.severity, finding.evidence["layers"]) == ("warning", 2)


def test_wts122_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained(steps=1e-5)), "WTS122", stage="eval")


def test_wts122_near_miss_one_layer_that_never_runs_and_a_new_network(tmp_path: Path) -> None:
    weights = trained()
    weights |= {k: v for k, v in fresh().items() if k.startswith("bn2")}
    assert passes(project(tmp_path, weights), "WTS122", stage="eval")
    assert passes(project(tmp_path / "b", fresh()), "WTS122", stage="eval")


def test_wts122_skipped_without_batchnorm(tmp_path: Path) -> None:
    weights = {name: array for name, array in trained().items() if not name.startswith("bn")}
    assert reason(project(tmp_path, weights), "WTS122", stage="eval") == "no-batchnorm"


# WTS123 batchnorm-variance-negative


def test_wts123_positive(tmp_path: Path) -> None:
    weights = trained()
    weights["bn2._variance"][3] = -1.0
    finding = project(tmp_path, weights).finding("WTS123", stage="eval", shows=("bn2._variance", "-1"))
    assert (finding.severity, finding.evidence["lowest"]) == ("error", -1.0)


def test_wts123_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained()), "WTS123", stage="eval")


def test_wts123_near_miss_zero_and_huge(tmp_path: Path) -> None:
    weights = trained()
    weights["bn2._variance"][:3] = [0.0, -1e-7, 3e5]
    assert passes(project(tmp_path, weights), "WTS123", stage="eval")


def test_wts123_skipped_without_batchnorm(tmp_path: Path) -> None:
    assert reason(project(tmp_path, {"fc.weight": trained()["fc.weight"]}), "WTS123", stage="eval") == "no-batchnorm"


# WTS124 weights-never-trained


@pytest.mark.parametrize(("stage", "severity"), [("train", "warning"), ("eval", "error"), ("export", "error")])
def test_wts124_positive(tmp_path: Path, stage: str, severity: str) -> None:
    made = project(tmp_path, fresh())
    finding = made.finding("WTS124", stage=stage, shows=("2",))
    assert finding.severity == severity
    assert passes(made, "WTS125", stage="eval")  # one fault, one finding
    assert passes(made, "WTS122", stage="eval")


def test_wts124_positive_without_batchnorm(tmp_path: Path) -> None:
    weights = {name: array for name, array in fresh().items() if not name.startswith("bn")}
    weights |= {"norm.weight": np.ones(32, "float32"), "norm.bias": np.zeros(32, "float32")}
    assert project(tmp_path, weights).finding("WTS124", stage="eval").severity == "error"


def test_wts124_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained(steps=1e-6)), "WTS124", stage="eval")


def test_wts124_near_miss_only_the_head_or_only_the_statistics_moved(tmp_path: Path) -> None:
    weights = fresh() | {name: array for name, array in trained().items() if name.startswith("fc.")}
    assert passes(project(tmp_path, weights), "WTS124", stage="eval")
    weights = fresh() | {"bn1._mean": trained()["bn1._mean"]}
    assert passes(project(tmp_path / "b", weights), "WTS124", stage="eval")


def test_wts124_skipped_without_weights(tmp_path: Path) -> None:
    assert reason(project(tmp_path, None), "WTS124") == "no-weights-named"


# WTS125 head-never-trained


def under_new_head(classes: int = 3, **head: Any) -> Weights:
    drawn = {name: array for name, array in fresh(classes).items() if name.startswith("fc.")}
    return trained(classes) | drawn | head


@pytest.mark.parametrize("stage", ["eval", "infer", "export"])
def test_wts125_positive_uniform(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, under_new_head())
    finding = made.finding("WTS125", stage=stage, shows=("fc.weight", "fc.bias", "3"))
    assert (finding.severity, finding.evidence["law"], finding.evidence["grid"]) == ("error", "uniform", True)


@pytest.mark.parametrize(("law", "sigma"), [("normal", 0.01), ("truncated", 0.02), ("normal", (2 / 32) ** 0.5)])
def test_wts125_positive_normal(tmp_path: Path, law: str, sigma: float) -> None:
    numbers = np.random.default_rng(5).normal(0, 1, 4000)
    numbers = numbers[np.abs(numbers) < 2][: 32 * 30] if law == "truncated" else numbers[: 32 * 30]
    weights = under_new_head(30) | {"fc.weight": (sigma * numbers).astype("float32").reshape(32, 30)}
    finding = project(tmp_path, weights, class_num=30).finding("WTS125", stage="eval")
    assert (finding.severity, finding.evidence["law"]) == ("error", law)


def test_wts125_positive_without_bias(tmp_path: Path) -> None:
    weights = under_new_head()
    del weights["fc.bias"]
    finding = project(tmp_path, weights).finding("WTS125", stage="eval")
    assert (finding.severity, finding.evidence.get("bias")) == ("warning", None)


def test_wts125_negative_a_step_too_small_to_see(tmp_path: Path) -> None:
    assert passes(project(tmp_path, trained(steps=1e-7)), "WTS125", stage="eval")


def test_wts125_near_miss_zero_bias_of_a_converted_head_and_half_precision(tmp_path: Path) -> None:
    weights = trained() | {"fc.bias": np.zeros(3, "float32")}  # a head that had no bias, given one of zeros
    weights["fc.weight"] = np.random.default_rng(3).laplace(0, 0.1, (32, 3)).astype("float32")
    assert passes(project(tmp_path, weights), "WTS125", stage="eval")
    weights = under_new_head()
    del weights["fc.bias"]
    weights["fc.weight"] = weights["fc.weight"].astype("float16").astype("float32")  # off the grid: it cannot be told
    assert passes(project(tmp_path / "b", weights), "WTS125", stage="eval")


def test_wts125_skipped_without_a_head_or_for_features(tmp_path: Path) -> None:
    weights = {name: array for name, array in trained().items() if not name.startswith("fc.")}
    assert reason(project(tmp_path, weights), "WTS125", stage="eval") == "no-classifier-seen"
    arch = {"name": "RecModel", "Backbone": {"name": "ResNet50"}, "Head": {"name": "FC", "class_num": 3}}
    assert reason(project(tmp_path / "b", under_new_head(), Arch=arch), "WTS125", stage="eval") == "features-not-classes"
