"""ENV106 and ENV107: where logs and checkpoints go. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.output_folder import OutputFolder, Problem
from checks.model import Location
from tests.projects import CONFIG, REMOVED, Generation, Project, found, measured, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]
KEY: dict[Generation, str] = {"modern": "Global.output_dir", "legacy": "model_save_dir"}
HERE = ("shm=1g", "cpus=4")
MB = 1 << 20


def folder(problem: Problem | None = None, free: int | None = 100 << 30, replaced: int = 0) -> OutputFolder:
    return OutputFolder("./output/", "/p/output", Location(CONFIG, 4, 15, "Global.output_dir"), "/p", problem, free, 200 << 30, replaced)


# ENV106 output-not-writable


@pytest.mark.parametrize("problem", ["read-only", "no-permission", "not-a-folder"])
@pytest.mark.parametrize("stage", ["train", "eval", "infer", "export"])
def test_env106_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, problem: Problem) -> None:
    measured(monkeypatch, folder(problem))
    finding = Project(tmp_path, "modern").finding("ENV106", stage=stage, shows=("./output/", "/p"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "env.disk-full", "Global.output_dir")


@pytest.mark.parametrize("generation", BOTH)
def test_env106_positive_a_file_is_in_the_way(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {KEY[generation]: "./out/run1"})
    project.write("out", "a file")
    finding = project.finding("ENV106", shows=("./out/run1",))
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (
        CONFIG,
        *project.place(f"{KEY[generation].split('.')[-1]}: ^./out/run1"),
        KEY[generation],
    )


@pytest.mark.parametrize("generation", BOTH)
def test_env106_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "ENV106")


def test_env106_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.output_dir": "./not/yet/there"}), "ENV106")
    project = Project(tmp_path, "modern", {"Global.output_dir": "out"})
    (tmp_path / "out").mkdir()
    assert passes(project, "ENV106")


def test_env106_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Global.output_dir": REMOVED}), "ENV106") == "no-output-dir"
    assert reason(Project(tmp_path, "legacy"), "ENV106", stage="eval") == "no-output-dir"


# ENV107 disk-too-small-for-checkpoints


def small(folder_: Path, **changes: Any) -> Project:
    """MobileNetV3_small_x0_35 for 5 classes: 1.6 MB of weights, and as much for each state of the optimizer, as measured."""
    named = {key.replace("__", "."): value for key, value in changes.items()}
    start = {"Arch.name": "MobileNetV3_small_x0_35", "Arch.class_num": 5, "Global.save_interval": 1, "epochs": 10}
    return Project(folder_, "modern", {**start, **named})


def test_env107_positive_none_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, folder(free=5 * MB))
    finding = small(tmp_path).finding("ENV107", shows=("5 MiB", "./output/"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "env.disk-full", "Global.output_dir")
    assert 3_100_000 < finding.evidence["each_bytes"] < 3_220_000
    assert finding.evidence["least_bytes"] == 3 * finding.evidence["each_bytes"]


def test_env107_positive_not_all_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, folder(free=20 * MB))
    project = small(tmp_path)
    finding = project.finding("ENV107", assume=HERE, shows=(12, "20 MiB"))
    assert (finding.severity, finding.location.key) == ("warning", "Global.save_interval")
    assert project.assert_repaired_by(finding, assume=HERE) == [3]


def test_env107_positive_a_note_where_the_data_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free in (5 * MB, 20 * MB):
        measured(monkeypatch, folder(free=free))
        assert small(tmp_path, train_list="./data/none.txt").finding("ENV107", assume=HERE).severity == "info"


@pytest.mark.parametrize("name, factor", [("SGD", 1), ("Momentum", 2), ("Adam", 3), ("AdamW", 3), ("RMSProp", 4)])
def test_env107_positive_states_of_the_optimizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, factor: int) -> None:
    measured(monkeypatch, folder(free=MB))
    finding = small(tmp_path, Optimizer__name=name).finding("ENV107")
    weights = finding.evidence["each_bytes"] / factor
    assert abs(weights - 1_580_000) < 25_000


def test_env107_positive_legacy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, folder(free=MB))
    assert Project(tmp_path, "legacy").finding("ENV107").severity == "error"


def test_env107_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, folder(free=1 << 30))
    assert passes(small(tmp_path), "ENV107", assume=HERE)


def test_env107_near_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, folder(free=20 * MB))
    assert passes(small(tmp_path, Global__save_interval=-1), "ENV107", assume=HERE)  # best and latest alone
    assert passes(small(tmp_path, epochs=3), "ENV107", assume=HERE)
    assert passes(small(tmp_path), "ENV107", assume=("gpus=8",))  # another machine has another disk
    measured(monkeypatch, folder(free=20 * MB, replaced=30 * MB))  # the last run's checkpoints are overwritten
    assert passes(small(tmp_path), "ENV107", assume=HERE)


def test_env107_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason(small(tmp_path, Arch__name="SomeOwnNet"), "ENV107") == "model-size-unknown"
    assert reason(small(tmp_path, epochs=REMOVED), "ENV107") == "no-epochs"
    measured(monkeypatch, folder(free=None))
    assert reason(small(tmp_path), "ENV107") == "no-free-space"


def test_checkpoints_that_a_run_replaces_are_counted(tmp_path: Path) -> None:
    project = small(tmp_path, Global__output_dir="out")
    for name in ("out/latest.pdparams", "out/latest.pdopt", "out/best_model/model.pdparams", "out/MobileNetV3_small_x0_35/epoch_1.pdopt"):
        project.write(name, b"x" * 1000)
    project.write("out/train.log", b"x" * 1000)
    assert not found(project.check(), "ENV106")
    (seen,) = [fact for fact in project.check().diagnosis.facts.values() if isinstance(fact, OutputFolder)]
    assert seen.replaced == 4000
