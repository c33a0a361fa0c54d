"""CFG204 to CFG207: epochs, schedule, evaluation. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.packages import Packages
from tests.projects import CONFIG, REMOVED, Generation, Project, found, measured, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]
LR = "Optimizer.lr"


def modern(folder: Path, lr: dict[str, Any] | None = None, **changes: Any) -> Project:
    """A modern project with a schedule of its own; `__` in a name stands for a dot."""
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return Project(folder, "modern", {**({LR: lr} if lr else {}), **named})


def legacy(folder: Path, function: str, epochs: int = 10, **params: Any) -> Project:
    return Project(folder, "legacy", {"epochs": epochs, "LEARNING_RATE": {"function": function, "params": {"lr": 0.1, **params}}})


def paddle(version: str | None) -> Packages:
    builds = ("paddlepaddle",) if version else ()
    return Packages("3.11.4", "/usr/bin/python3", {}, version, builds, None, None)


# CFG204 warmup-exceeds-epochs


@pytest.mark.parametrize("warmup", [2, 5, 2.0])
def test_cfg204_positive(tmp_path: Path, warmup: float) -> None:
    project = modern(tmp_path, {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": warmup})
    finding = project.finding("CFG204", shows=(f"{warmup:g}", "2"))
    assert (finding.severity, finding.entry) == ("warning", "train.schedule")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(f"warmup_epoch: ^{warmup}"), f"{LR}.warmup_epoch")
    assert finding.evidence == {"warmup_epoch": warmup, "epochs": 2}
    assert project.assert_repaired_by(finding) == [0]


def test_cfg204_positive_the_override_of_the_epochs_is_to_blame(tmp_path: Path) -> None:
    project = modern(tmp_path, {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": 5}, epochs=120)
    finding = project.finding("CFG204", "Global.epochs=3")
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", 1, "Global.epochs")


def test_cfg204_positive_each_optimizer_of_a_list(tmp_path: Path) -> None:
    lr = {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": 9}
    project = modern(tmp_path, Optimizer=[{"Adam": {"scope": "RecModel", "lr": lr}}, {"SGD": {"scope": "CenterLoss", "lr": {**lr}}}])
    keys = [f.location.key for f in project.findings("CFG204")]
    assert keys == ["Optimizer.0.Adam.lr.warmup_epoch", "Optimizer.1.SGD.lr.warmup_epoch"]


def test_cfg204_positive_legacy(tmp_path: Path) -> None:
    assert legacy(tmp_path, "CosineWarmup", 5).finding("CFG204").severity == "error"  # 5 where the config says nothing
    assert legacy(tmp_path, "CosineWarmup", 3, warmup_epoch=3).finding("CFG204").severity == "error"
    assert legacy(tmp_path, "ExponentialWarmup", 3, warmup_epoch=4).finding("CFG204").severity == "warning"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg204_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG204")


def test_cfg204_near_miss(tmp_path: Path) -> None:
    assert passes(modern(tmp_path, {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": 1}), "CFG204")
    assert passes(modern(tmp_path, {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": 0}), "CFG204")
    assert passes(legacy(tmp_path, "CosineWarmup", 6), "CFG204")
    assert passes(legacy(tmp_path, "Cosine", 3, warmup_epoch=5), "CFG204")  # which reads no warm-up


def test_cfg204_skipped(tmp_path: Path) -> None:
    assert reason(modern(tmp_path, Optimizer=REMOVED), "CFG204") == "no-schedule"
    assert reason(modern(tmp_path, epochs=REMOVED), "CFG204") == "no-epochs"


# CFG205 decay-schedule-mismatch


def piecewise(steps: list[float], values: list[float], **more: Any) -> dict[str, Any]:
    return {"name": "Piecewise", "decay_epochs": steps, "values": values, **more}


@pytest.mark.parametrize(
    "lr, epochs, severity, shows",
    [
        (piecewise([1, 2], [0.1, 0.01]), 3, "warning", ("2", "3")),  # values too few
        (piecewise([1], [0.1, 0.01, 0.001]), 3, "warning", ("3", "2")),  # too many
        (piecewise([2, 1], [0.1, 0.01, 0.001]), 3, "warning", ("2, 1",)),
        (piecewise([1, 1], [0.1, 0.01, 0.001]), 3, "warning", ("1, 1",)),
        ({"name": "MultiStepDecay", "learning_rate": 0.1, "milestones": [2, 1]}, 3, "error", ("2, 1",)),
        (piecewise([1, 2], [0.1, 0.01, 0.001], learning_rate=0.05), 3, "warning", ("0.05", "0.1")),
        (piecewise([12, 20, 24], [0.1, 0.01, 0.001, 0.0001], learning_rate=0.1), 26, "info", ("12, 20, 24",)),
        (piecewise([30, 60], [0.1, 0.01, 0.001]), 20, "warning", ("30, 60", "20")),
        ({"name": "MultiStepDecay", "learning_rate": 0.1, "milestones": [30, 60]}, 20, "warning", ("30, 60",)),
        (piecewise([30], [0.1, 0.01]), 20, "info", ("30", "20")),
        ({"name": "Step", "learning_rate": 0.1, "step_size": 30, "gamma": 0.1}, 20, "info", ("30", "20")),
    ],
)
def test_cfg205_positive(tmp_path: Path, lr: dict[str, Any], epochs: int, severity: str, shows: tuple[str, ...]) -> None:
    project = modern(tmp_path, lr, epochs=epochs)
    finding = project.finding("CFG205", shows=shows)
    assert (finding.severity, finding.entry) == (severity, "train.schedule")
    assert finding.location.file == CONFIG and (finding.location.key or "").startswith(LR)
    project.assert_repaired_by(finding)


@pytest.mark.parametrize(
    "lr, severity, key",
    [
        ({"name": "Step", "learning_rate": 0.1, "step_size": 1, "gamma": 1.0}, "error", "gamma"),
        ({"name": "Cosine", "learning_rate": 0.01, "warmup_epoch": 1, "warmup_start_lr": 0.1}, "error", "warmup_start_lr"),
        ({"name": "Cosine", "learning_rate": 0.01, "eta_min": 0.1}, "warning", "eta_min"),
        ({"name": "Linear", "learning_rate": 0.01, "end_lr": 0.1}, "warning", "end_lr"),
    ],
)
def test_cfg205_positive_starts_and_ends(tmp_path: Path, lr: dict[str, Any], severity: str, key: str) -> None:
    project = modern(tmp_path, lr)
    finding = project.finding("CFG205")
    assert (finding.severity, finding.location.key) == (severity, f"{LR}.{key}")
    project.assert_repaired_by(finding)


def test_cfg205_positive_too_few_values_stop_paddle_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = modern(tmp_path, piecewise([1, 2], [0.1, 0.01]))
    for version, severity in (("3.3.1", "error"), ("2.6.2", "warning"), (None, "warning")):
        measured(monkeypatch, paddle(version))
        assert project.finding("CFG205").severity == severity


def test_cfg205_positive_the_paddleclas_at_hand_decides(tmp_path: Path) -> None:
    project = modern(tmp_path, piecewise([12, 20], [0.1, 0.01, 0.001], learning_rate=0.1), epochs=26)
    project.write("tools/train.py", "")
    rule = project.write("ppcls/optimizer/learning_rate.py", "decay_epochs = list(range(0, epochs, 30))\n")
    assert project.finding("CFG205").severity == "warning"
    rule.write_text("boundaries = decay_epochs\n")
    assert passes(project, "CFG205")


def test_cfg205_positive_legacy(tmp_path: Path) -> None:
    assert legacy(tmp_path, "Piecewise", 20, decay_epochs=[30, 60, 90]).finding("CFG205").severity == "warning"


def test_cfg205_positive_epochs_set_for_a_trial_are_a_note(tmp_path: Path) -> None:
    project = modern(tmp_path, piecewise([30, 60], [0.1, 0.01, 0.001]), epochs=90)
    finding = project.finding("CFG205", "Global.epochs=1")
    assert (finding.severity, finding.location.file) == ("info", "-o")


@pytest.mark.parametrize("lr", [piecewise([1], [0.1, 0.01]), {"name": "MultiStepDecay", "learning_rate": 0.1, "milestones": [1]}])
def test_cfg205_negative(tmp_path: Path, lr: dict[str, Any]) -> None:
    assert passes(modern(tmp_path, lr), "CFG205")


def test_cfg205_near_miss(tmp_path: Path) -> None:
    shipped = piecewise([30, 60, 90], [0.1, 0.01, 0.001, 0.0001], learning_rate=0.1)
    assert passes(modern(tmp_path, shipped, epochs=120), "CFG205")  # the same by both rules
    # both hold the first value to the end of 20 epochs
    assert found(modern(tmp_path, shipped, epochs=29).check(), "CFG205")[0].evidence["milestones"] == [30, 60, 90]
    rising = {"name": "Cosine", "learning_rate": 0.1, "warmup_epoch": 0, "warmup_start_lr": 0.2, "eta_min": 0.1}
    assert reason(modern(tmp_path, rising), "CFG205") == "no-milestones"  # no warm-up, and a rate that stays
    assert passes(modern(tmp_path, piecewise([10, 30], [0.1, 0.01, 0.001]), epochs=20), "CFG205")  # one of them is reached


def test_cfg205_skipped(tmp_path: Path) -> None:
    assert reason(modern(tmp_path), "CFG205") == "no-milestones"
    assert reason(modern(tmp_path, Optimizer=REMOVED), "CFG205") == "no-schedule"


# CFG206 never-evaluated


@pytest.mark.parametrize(
    "interval, start, epochs, key",
    [(5, None, 2, "eval_interval"), (1, 5, 2, "start_eval_epoch"), (3, 4, 5, "start_eval_epoch"), (10, 2, 9, "eval_interval")],
)
def test_cfg206_positive(tmp_path: Path, interval: int, start: int | None, epochs: int, key: str) -> None:
    changes = {"Global__eval_interval": interval, "epochs": epochs, **({"Global__start_eval_epoch": start} if start else {})}
    project = modern(tmp_path, **changes)
    finding = project.finding("CFG206", shows=(epochs,))
    assert (finding.severity, finding.entry, finding.location.key) == ("warning", "train.schedule", f"Global.{key}")
    project.assert_repaired_by(finding)


@pytest.mark.parametrize("interval, start, epochs", [(1, 0, 2), (2, 0, 2), (2, 2, 3), (-1, 0, 2), (0, 0, 2)])
def test_cfg206_negative(tmp_path: Path, interval: int, start: int, epochs: int) -> None:
    assert passes(modern(tmp_path, Global__eval_interval=interval, Global__start_eval_epoch=start, epochs=epochs), "CFG206")


def test_cfg206_near_miss_the_last_epoch_is_evaluated(tmp_path: Path) -> None:
    assert passes(modern(tmp_path, Global__eval_interval=5, Global__start_eval_epoch=5, epochs=5), "CFG206")


def test_cfg206_skipped(tmp_path: Path) -> None:
    assert reason(modern(tmp_path, Global__eval_during_train=False, Global__eval_interval=9), "CFG206") == "no-evaluation"
    assert reason(Project(tmp_path, "legacy", {"valid_interval": 9}), "CFG206") == "no-evaluation"
    assert reason(modern(tmp_path, epochs=REMOVED), "CFG206") == "no-epochs"


# CFG207 count-not-positive


@pytest.mark.parametrize(
    "key, value, severity",
    [
        ("Global.epochs", 0, "error"),
        ("Global.epochs", -1, "error"),
        ("Global.eval_interval", 0, "error"),
        ("Global.print_batch_step", 0, "error"),
        ("Global.update_freq", 0, "error"),
        ("Global.update_freq", -2, "error"),
        ("Global.save_interval", 0, "info"),
    ],
)
def test_cfg207_positive(tmp_path: Path, key: str, value: int, severity: str) -> None:
    project = Project(tmp_path, "modern", {key: value})
    finding = project.finding("CFG207", shows=(key, value))
    assert (finding.severity, finding.entry, finding.location.key) == (severity, "train.schedule", key)
    assert project.assert_repaired_by(finding) == ([1] if severity == "error" else [])


@pytest.mark.parametrize("key", ["epochs", "valid_interval", "save_interval"])
def test_cfg207_positive_legacy(tmp_path: Path, key: str) -> None:
    assert Project(tmp_path, "legacy", {key: 0}).finding("CFG207").severity == "error"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg207_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG207")
    assert passes(Project(tmp_path, generation), "CFG207", stage="eval")


def test_cfg207_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.save_interval": -1}), "CFG207")  # none saved, from 2.5.1 on
    assert passes(Project(tmp_path, "modern", {"Global.eval_interval": 0, "Global.eval_during_train": False}), "CFG207")
    assert passes(Project(tmp_path, "modern", {"Global.epochs": 0}), "CFG207", stage="eval")


def test_cfg207_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save("base_config_file: a.yaml\nsearch_dict: []\n")
    assert reason(project, "CFG207") == "no-schedule"


# CFG218 average-follows-too-slowly


@pytest.mark.parametrize("ema, decay", [({"decay": 0.9999}, 0.9999), ({"decay": 1.0}, 1.0), ({}, 0.9999)])
def test_cfg218_positive(tmp_path: Path, ema: dict[str, float], decay: float) -> None:
    project = modern(tmp_path, EMA=ema, epochs=100)  # 6 batches
    finding = project.finding("CFG218", shows=(f"{decay:g}", 600))
    assert (finding.severity, finding.entry, finding.location.key) == ("warning", "train.schedule", "EMA.decay")
    assert finding.evidence["percent"] == round(100 * decay**600, 1)
    assert project.assert_repaired_by(finding) == [0.9833]


def test_cfg218_negative(tmp_path: Path) -> None:
    assert passes(modern(tmp_path, EMA={"decay": 0.99}, epochs=100), "CFG218")


def test_cfg218_near_miss(tmp_path: Path) -> None:
    assert passes(modern(tmp_path, EMA={"decay": 0.9999}, epochs=1200), "CFG218")  # 7200 steps hold 48.7 % of the start
    assert passes(modern(tmp_path, EMA={"decay": 0.0}, epochs=1), "CFG218")


def test_cfg218_skipped(tmp_path: Path) -> None:
    assert reason(modern(tmp_path), "CFG218") == "no-average"
    assert reason(modern(tmp_path, EMA=None), "CFG218") == "no-average"
    assert reason(modern(tmp_path, EMA={"decay": 0.9999}, epochs=REMOVED), "CFG218") == "no-epochs"
    assert reason(modern(tmp_path, EMA={"decay": 0.9999}, train_list="./data/none.txt"), "CFG218") == "no-samples-known"
