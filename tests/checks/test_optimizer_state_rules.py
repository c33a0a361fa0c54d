"""WTS112 and WTS113: what lies beside the weights of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.projects import Project, passes, reason
from tests.weights import SMALL, STATES, optimizer, saved

CHECKPOINTS = "Global.checkpoints"
ADAM = {"name": "Adam", "lr": {"name": "Cosine", "learning_rate": 0.001}}


def project(folder: Path, state: bytes | None = None, **changes: Any) -> Project:
    given = {name.replace("__", "."): value for name, value in changes.items()}
    made = Project(folder, "modern", {"Arch": {"name": SMALL, "class_num": 3}, CHECKPOINTS: "w/latest", **given})
    made.write("w/latest.pdparams", saved(classes=3))
    made.write("w/latest.pdopt", optimizer(classes=3) if state is None else state)
    made.write("w/latest.pdstates", STATES)
    return made


# WTS113 optimizer-state-foreign


def test_wts113_positive_another_optimizer(tmp_path: Path) -> None:
    finding = project(tmp_path, Optimizer=ADAM).finding("WTS113", shows=("velocity", "Adam", "moment1"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.resume", "Optimizer.name")


def test_wts113_positive_empty_and_of_other_parameters(tmp_path: Path) -> None:
    import pickle

    assert "no tensor" in project(tmp_path, pickle.dumps([{}])).finding("WTS113").message
    assert project(tmp_path, optimizer(classes=3, first=300)).finding("WTS113", shows=("0 / 144",)).severity == "error"


def test_wts113_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "WTS113")
    assert passes(project(tmp_path, optimizer(classes=3, accumulator="moment1"), Optimizer=ADAM), "WTS113")


def test_wts113_near_miss_frozen_parameters_and_the_weights_of_another_model(tmp_path: Path) -> None:
    import pickle

    some = pickle.loads(optimizer(classes=3))
    some[0] = {name: value for number, (name, value) in enumerate(some[0].items()) if number % 2 or name == "LR_Scheduler"}
    assert passes(project(tmp_path, pickle.dumps(some)), "WTS113")
    # of a checkpoint of another network WTS114 speaks, and of that alone
    made = project(tmp_path, optimizer("PPLCNet_x0_25", 3), Optimizer=ADAM)
    made.write("w/latest.pdparams", saved("PPLCNet_x0_25", 3))
    assert [f.code for f in made.check().report.findings if f.code in ("WTS113", "WTS114")] == ["WTS114"]


def test_wts113_skipped(tmp_path: Path) -> None:
    assert reason(project(tmp_path, Optimizer={"name": "SGD", "lr": {"name": "Cosine"}}), "WTS113") == "no-optimizer-state"
    made = Project(tmp_path, "modern", {"Global.pretrained_model": "w/latest", "Arch": {"name": SMALL, "class_num": 3}})
    assert reason(made, "WTS113") == "no-checkpoint"


# WTS112 average-of-weights


def test_wts112_positive_resuming_without_the_other_set(tmp_path: Path) -> None:
    finding = project(tmp_path, EMA={"decay": 0.99}).finding("WTS112", shows=("w/latest",))
    assert (finding.severity, finding.location.key) == ("error", CHECKPOINTS)


def test_wts112_positive_the_average_lies_beside(tmp_path: Path) -> None:
    made = project(tmp_path, Global__checkpoints=None, Global__pretrained_model="w/latest")
    made.write("w/latest.ema.pdparams", saved(classes=3))
    finding = made.finding("WTS112", stage="export", shows=(".ema.pdparams",))
    assert finding.severity == "info"
    assert made.assert_repaired_by(finding, stage="export") == ["w/latest.ema"]


def test_wts112_negative(tmp_path: Path) -> None:
    made = project(tmp_path, EMA={"decay": 0.99})
    made.write("w/latest.pdema", saved(classes=3))
    assert passes(made, "WTS112")


def test_wts112_near_miss(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "WTS112")
    # develop keeps the average in the weights themselves
    made = project(tmp_path, Global__checkpoints=None, Global__pretrained_model="w/latest")
    assert passes(made, "WTS112", stage="eval")


def test_wts112_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS112") == "no-weights-named"
