"""ENV: does the machine have what the config asks for? The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.machine import Gpu, Host
from tests.projects import CONFIG, Generation, Project, found, measured, passes, reason, status

BOTH: list[Generation] = ["modern", "legacy"]


# ENV102 workers-exceed-cpus


@pytest.mark.parametrize("generation", BOTH)
def test_env102_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_workers": 8})
    finding = project.finding("ENV102", assume=("shm=8g", "cpus=2", "gpus=0"), shows=("Train", "8", "1", "2"))
    assert (finding.severity, finding.entry) == ("info", "5.1")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("num_workers: ^8"), project.key("train_workers"))
    expected = {
        "split": "Train",
        "num_workers": 8,
        "cards": 1,
        "total_workers": 8,
        "cpus": 2.0,
        "cpu_limit": "assumed",
        "total_batch_size": 2,
    }
    assert finding.evidence == expected
    assert project.assert_repaired_by(finding, assume=("shm=8g", "cpus=2", "gpus=0")) == [2]


@pytest.mark.parametrize("generation", BOTH)
def test_env102_positive_workers_count_per_card(tmp_path: Path, generation: Generation) -> None:
    device: dict[str, Any] = {"Global.device": "gpu"} if generation == "modern" else {"use_gpu": True}
    project = Project(tmp_path, generation, {"train_workers": 4, "train_batch": 2, "eval_workers": 0, **device})
    assume = ("shm=8g", "cpus=16", "gpus=8")
    finding = project.finding("ENV102", assume=assume, shows=("4", "8", "32", "16"))
    assert (finding.evidence["cards"], finding.evidence["total_workers"]) == (8, 32)
    # a batch counts per card from 2.2 on, and was the total of all cards before
    assert finding.evidence["total_batch_size"] == {"modern": 16, "legacy": 2}[generation]
    assert project.assert_repaired_by(finding, assume=assume) == [2]


def test_env102_positive_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = tuple(Gpu(k, "A100", 40 << 30) for k in range(2))
    measured(monkeypatch, Host(3.5, "cgroup", 8 << 30, "cgroup", cards, 2))
    project = Project(tmp_path, "modern", {"train_workers": 2, "eval_workers": 1, "Global.device": "gpu"})
    finding = project.finding("ENV102", assume=("shm=1g",), shows=("3.5",))
    assert (finding.evidence["cpus"], finding.evidence["cpu_limit"]) == (3.5, "cgroup")
    assert project.assert_repaired_by(finding, assume=("shm=1g",)) == [1]


def test_env102_positive_more_cards_than_processors(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.device": "gpu", "eval_workers": 0})
    finding = project.finding("ENV102", assume=("shm=8g", "cpus=4", "gpus=8"), shows=("8", "4"))
    assert finding.fixes == []  # one worker per card are too many already


@pytest.mark.parametrize("generation", BOTH)
def test_env102_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "ENV102")


@pytest.mark.parametrize("generation", BOTH)
def test_env102_near_miss_as_many_as_there_are(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_workers": 4, "eval_workers": 4})
    assert passes(project, "ENV102", assume=("shm=8g", "cpus=4", "gpus=0"))  # the two loaders do not run at once


def test_env102_near_miss_cards_that_a_cpu_run_does_not_use(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"train_workers": 4}), "ENV102", assume=("shm=8g", "cpus=4", "gpus=8"))


def test_env102_near_miss_a_loader_that_the_stage_does_not_build(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_workers": 8})
    assert passes(project, "ENV102", stage="eval")
    assert len(found(project.check(), "ENV102")) == 1


@pytest.mark.parametrize("generation", BOTH)
def test_env102_skipped_without_workers(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_workers": 0, "eval_workers": 0}), "ENV102") == "no-workers"


def test_env102_skipped_where_the_machine_cannot_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.machine._cpus", lambda world: 1 / 0)
    project = Project(tmp_path, "modern")
    assert reason(project, "ENV102") == "collector-crashed"
    assert status(project.check(), "ENV101") == ("passed", None)  # it can do without
