"""CFG208 and CFG209: the learning rate. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledge.zoo import largest_rate, recipe
from tests.projects import CONFIG, REMOVED, Generation, Project, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]
RATE: dict[Generation, str] = {"modern": "Optimizer.lr.learning_rate", "legacy": "LEARNING_RATE.params.lr"}


def project_with(folder: Path, generation: Generation, rate: Any, **changes: Any) -> Project:
    return Project(folder, generation, {RATE[generation]: rate, **{key.replace("__", "."): value for key, value in changes.items()}})


def test_recipes() -> None:
    found = recipe("ResNet50")
    assert found is not None
    assert (found.optimizer, found.learning_rate, found.batch) == ("Momentum", 0.1, 256)
    assert recipe("NoSuchNet") is None and recipe("") is None
    assert largest_rate("AdamW") == 0.009 and largest_rate("NoSuchOptimizer") is None


# CFG208 learning-rate-not-positive


@pytest.mark.parametrize("rate", [0, 0.0, -0.1])
@pytest.mark.parametrize("generation", BOTH)
def test_cfg208_positive(tmp_path: Path, generation: Generation, rate: float) -> None:
    project = project_with(tmp_path, generation, rate)
    finding = project.finding("CFG208", shows=(f"{rate:g}",))
    assert (finding.severity, finding.entry) == ("error", "train.schedule")
    assert (finding.location.file, finding.location.key) == (CONFIG, RATE[generation])
    assert finding.evidence == {"learning_rate": rate}


def test_cfg208_positive_among_the_values(tmp_path: Path) -> None:
    lr = {"name": "Piecewise", "decay_epochs": [1], "values": [0.1, -0.01]}
    finding = Project(tmp_path, "modern", {"Optimizer.lr": lr}).finding("CFG208", shows=("-0.01",))
    assert finding.location.key == "Optimizer.lr.values.1"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg208_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG208")


def test_cfg208_near_miss(tmp_path: Path) -> None:
    zero = {"name": "Piecewise", "learning_rate": 0, "decay_epochs": [1], "values": [0.1, 0.0]}
    assert passes(Project(tmp_path, "modern", {"Optimizer.lr": zero}), "CFG208")  # 0 means "not given" here, and ends the schedule there
    assert passes(project_with(tmp_path, "modern", 1e-7), "CFG208")
    assert passes(project_with(tmp_path, "modern", "1e-4"), "CFG208")  # text that PaddleClas turns into a number


def test_cfg208_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Optimizer": REMOVED}), "CFG208") == "no-schedule"


# CFG209 learning-rate-above-recipe


@pytest.mark.parametrize("generation", BOTH)
def test_cfg209_positive(tmp_path: Path, generation: Generation) -> None:
    project = project_with(tmp_path, generation, 1.0)
    finding = project.finding("CFG209", shows=("ResNet50", "Momentum", "256"))
    assert (finding.severity, finding.entry, finding.location.key) == ("warning", "train.lr-too-large", RATE[generation])
    expected = {
        "learning_rate": 1.0,
        "batch": 2,
        "cards": 1,
        "architecture": "ResNet50",
        "optimizer": "Momentum",
        "recipe_rate": 0.1,
        "recipe_batch": 256,
        "scaled_rate": 0.000781,
        "factor": 1280.0,
    }
    assert finding.evidence == expected
    assert project.assert_repaired_by(finding) == [0.000781]


def test_cfg209_positive_cards_and_accumulation_count(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 20.0, Global__device="gpu", train_batch=64, Global__update_freq=2)
    finding = project.finding("CFG209", assume=("shm=1g", "cpus=64", "gpus=4"))
    assert (finding.evidence["batch"], finding.evidence["scaled_rate"]) == (512, 0.2)


def test_cfg209_positive_an_optimizer_without_a_recipe(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 0.1, Optimizer__name="AdamW")
    finding = project.finding("CFG209", shows=("AdamW", "0.009"))
    assert finding.severity == "warning"


def test_cfg209_positive_a_note_where_only_the_scaled_rate_is_exceeded(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 0.1, epochs=1000)
    assert project.finding("CFG209", shows=("0.000781",)).severity == "info"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg209_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG209")


def test_cfg209_near_miss(tmp_path: Path) -> None:
    # the shipped recipes on one card instead of four or eight
    assert passes(project_with(tmp_path, "modern", 0.1, train_batch=64, epochs=5000), "CFG209", ignore=("CFG203",))
    swin = {"Arch__name": "SwinTransformer_tiny_patch4_window7_224", "Optimizer__name": "AdamW", "train_batch": 128, "epochs": 5000}
    assert passes(project_with(tmp_path, "modern", 0.001, **swin), "CFG209", ignore=("CFG203",))
    assert passes(project_with(tmp_path, "modern", 0.8, train_batch=2048), "CFG209", ignore=("CFG203",))  # scaled up with the batch
    assert passes(project_with(tmp_path, "modern", 5.0, Arch__name="SomeOwnNet"), "CFG209")


def test_cfg209_skipped(tmp_path: Path) -> None:
    assert reason(project_with(tmp_path, "modern", REMOVED), "CFG209") == "no-schedule"
    assert reason(Project(tmp_path, "modern", {"train_batch": REMOVED}), "CFG209") == "no-schedule"


# CFG219 adamw-without-weight-decay


def adamw(folder: Path, **optimizer: Any) -> Project:
    return Project(folder, "modern", {"Optimizer": {"name": "AdamW", "lr": {"name": "Cosine", "learning_rate": 0.001}, **optimizer}})


def test_cfg219_positive(tmp_path: Path) -> None:
    project = adamw(tmp_path)
    finding = project.finding("CFG219", shows=("weight_decay",))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.schedule", "Optimizer.name")
    assert project.assert_repaired_by(finding) == [0.05]
    for more in ({}, {"weight_decay": 0.05}):
        project = adamw(tmp_path, regularizer={"name": "L2", "coeff": 0.0001}, **more)
        finding = project.finding("CFG219", shows=("regularizer",))
        assert (finding.location.key, finding.fixes[0].snippet) == ("Optimizer.regularizer", "weight_decay: 0.0001")


@pytest.mark.parametrize("decay", [0.05, 0.0, "5e-2"])
def test_cfg219_negative(tmp_path: Path, decay: float | str) -> None:
    assert passes(adamw(tmp_path, weight_decay=decay), "CFG219")


def test_cfg219_near_miss(tmp_path: Path) -> None:
    assert passes(adamw(tmp_path, weight_decay=0.05, regularizer=None), "CFG219")
    lr = {"name": "Cosine", "learning_rate": 0.001}
    several = [{"AdamW": {"scope": "RecModel", "weight_decay": 0.05, "lr": lr}}, {"SGD": {"scope": "CenterLoss", "lr": dict(lr)}}]
    assert passes(Project(tmp_path, "modern", {"Optimizer": several}), "CFG219")


def test_cfg219_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG219") == "no-adamw"
    assert reason(Project(tmp_path, "modern", {"Optimizer": REMOVED}), "CFG219") == "no-schedule"


def test_cfg209_near_miss_sgd_takes_the_rates_of_momentum(tmp_path: Path) -> None:
    """No shipped config trains with SGD at a usual rate; without momentum the same rate makes a smaller step."""
    sgd = {"name": "SGD", "lr": {"name": "Cosine", "learning_rate": 0.1}}
    assert passes(Project(tmp_path, "modern", {"Optimizer": sgd}), "CFG209")
    sgd["lr"] = {"name": "Cosine", "learning_rate": 50.0}
    assert Project(tmp_path, "modern", {"Optimizer": sgd}).finding("CFG209").severity == "warning"
