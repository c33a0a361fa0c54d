"""ENV: does the machine have what the config asks for? The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.environment import count_batches, queued_batches
from checks.facts.base import World
from checks.facts.machine import Container, Gpu, Host, SharedMemory, StaleFile
from tests.projects import CONFIG, Generation, Project, Samples, found, measured, numbered, passes, reason, status

BOTH: list[Generation] = ["modern", "legacy"]
IMAGE = 3 * 224 * 224 * 4
"""Bytes of one decoded image of the project, 602,112."""
DOCKER = 64 << 20
"""What `docker run` gives unless it is told otherwise."""
ON_DOCKER = ("shm=64m", "cpus=16", "gpus=0")


def many(count: int) -> Samples:
    return numbered(*(k % 3 for k in range(count)))


def text(samples: Samples) -> str:
    """Written as text, a list brings no images along."""
    return "".join(f"{path} {label}\n" for path, label in samples)


def project_with(folder: Path, generation: Generation, workers: int, batch: int, samples: int = 480, **changes: Any) -> Project:
    """A project whose training loader alone has workers."""
    loader = {"train_workers": workers, "train_batch": batch, "eval_workers": 0}
    return Project(folder, generation, {**loader, **changes}, train=text(many(samples)))


# ENV101 shared-memory-too-small


@pytest.mark.parametrize(
    "workers, batches, queued", [(0, None, 1), (1, None, 3), (4, None, 9), (8, None, 17), (4, 3, 3), (4, 9, 9), (4, 10, 9), (4, 0, 0)]
)
def test_queued_batches(workers: int, batches: int | None, queued: int) -> None:
    assert queued_batches(workers, batches) == queued


@pytest.mark.parametrize(
    "samples, batch, drop_last, batches", [(80, 32, False, 3), (80, 32, True, 2), (64, 32, False, 2), (5, 32, True, 0)]
)
def test_count_batches(samples: int, batch: int, drop_last: bool, batches: int) -> None:
    assert count_batches(samples, batch, drop_last) == batches


@pytest.mark.parametrize("generation", BOTH)
def test_env101_positive(tmp_path: Path, generation: Generation) -> None:
    project = project_with(tmp_path, generation, 4, 32)
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("Train", "165.4 MiB", "9", "18.4 MiB", "64 MiB"))
    assert (finding.severity, finding.entry) == ("error", "1.3")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("num_workers: ^4"), project.key("train_workers"))
    expected = {
        "split": "Train",
        "need_bytes": 9 * 32 * IMAGE,
        "have_bytes": DOCKER,
        "size_bytes": DOCKER,
        "num_workers": 4,
        "batch_size": 32,
        "batch_bytes": 32 * IMAGE,
        "queued_batches": 9,
        "batches": 15,
        "processes": 1,
        "safe_num_workers": 1,  # 3 × 18.4 MiB fit, 5 do not
        "safe_batch_size": 12,  # 9 × 12 images fit, 9 × 13 do not
        "stale_bytes": 0,
        "assumed": True,
    }
    assert finding.evidence == expected
    values = project.assert_repaired_by(finding, assume=ON_DOCKER)
    assert values == ([1, 12, False] if generation == "modern" else [1, 12])  # a legacy config has no use_shared_memory
    assert [fix.kind for fix in finding.fixes if "--shm-size=256m" in (fix.snippet or "")] == ["advice"]


@pytest.mark.parametrize("workers, most", [(1, 37), (2, 22), (4, 12), (8, 6)])
@pytest.mark.parametrize("generation", BOTH)
def test_env101_positive_one_image_above_what_docker_holds(tmp_path: Path, generation: Generation, workers: int, most: int) -> None:
    project = project_with(tmp_path, generation, workers, most + 1)
    finding = project.finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["safe_batch_size"] == most
    project.set("train_batch", most)
    project.save()
    assert passes(project, "ENV101", assume=ON_DOCKER)


@pytest.mark.parametrize("generation", BOTH)
def test_env101_positive_the_evaluation_alone(tmp_path: Path, generation: Generation) -> None:
    changes: dict[str, Any] = {"train_workers": 0, "eval_workers": 4, "eval_batch": 64}
    project = Project(tmp_path, generation, changes, val=text(many(480)))
    for stage in ("train", "eval"):
        finding = project.finding("ENV101", stage=stage, assume=ON_DOCKER, shows=("Eval", "294 MiB"))  # 480 images are 8 batches, not 9
        assert (finding.location.line, finding.location.column) == project.place("num_workers: ^4")
        assert (finding.evidence["queued_batches"], finding.evidence["batches"]) == (8, 8)
        project.assert_repaired_by(finding, stage=stage, assume=ON_DOCKER)


def test_env101_positive_not_even_one_image_fits(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 32)
    assume = (f"shm={IMAGE // 2}", "cpus=16", "gpus=0")
    finding = project.finding("ENV101", assume=assume)
    assert (finding.evidence["safe_num_workers"], finding.evidence["safe_batch_size"]) == (0, 0)
    assert project.assert_repaired_by(finding, assume=assume) == [0, False]  # no batch size helps, so none is offered


def test_env101_positive_every_card_has_loaders_of_its_own(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 12, **{"Global.device": "gpu"})
    assume = ("shm=64m", "cpus=64", "gpus=8")
    finding = project.finding("ENV101", assume=assume, shows=("8", "496.1 MiB", "64 MiB"))
    assert finding.severity == "warning"
    assert (finding.evidence["processes"], finding.evidence["need_bytes"]) == (8, 8 * 9 * 12 * IMAGE)
    assert project.assert_repaired_by(finding, assume=assume) == [0, 1, False]
    legacy = project_with(tmp_path / "legacy", "legacy", 4, 12, use_gpu=True)
    assert passes(legacy, "ENV101", assume=assume)  # there batch_size is the total of all cards


def test_env101_positive_multi_scale(tmp_path: Path) -> None:
    sampler = {"name": "MultiScaleSampler", "scales": [160, 192, 224, 288, 320], "first_bs": 32, "divided_factor": 32, "is_training": True}
    project = project_with(tmp_path, "modern", 4, 1, **{"DataLoader.Train.sampler": sampler})
    project.set("DataLoader.Train.dataset.name", "MultiScaleDataset")
    project.save()
    finding = project.finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == 32 * 160 * 160 * 3 * 4  # the first scale's area bounds the others'
    edit = next(fix for fix in finding.fixes if fix.safety == "unsafe" and fix.kind == "edit")
    assert edit.key == "DataLoader.Train.sampler.first_bs"
    project.assert_repaired_by(finding, assume=ON_DOCKER)


def _machine(monkeypatch: pytest.MonkeyPatch, **shm: Any) -> None:
    measured(
        monkeypatch,
        SharedMemory("/dev/shm", filesystem="tmpfs", **shm),
        Container(False, None, ()),
        Host(16.0, "processors", None, None, (), 0),
    )


def test_env101_positive_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = (StaleFile("paddle_41_0_1", 41, 50 << 20), StaleFile("paddle_42_0_1", 42, 50 << 20))
    _machine(monkeypatch, size=256 << 20, free=100 << 20, stale=stale)
    project = project_with(tmp_path, "modern", 4, 32)
    finding = project.finding("ENV101", assume=(), shows=("165.4 MiB", "100 MiB", "256 MiB"))
    assert finding.severity == "error"
    evidence = finding.evidence
    assert (evidence["size_bytes"], evidence["have_bytes"], evidence["stale_bytes"], evidence["assumed"]) == (
        256 << 20,
        *[100 << 20] * 2,
        False,
    )
    commands = {fix.command: fix.safety for fix in finding.fixes if fix.kind == "command"}
    assert commands["rm -- /dev/shm/paddle_41_0_1 /dev/shm/paddle_42_0_1"] == "unsafe"
    assert any("remount,size=256m" in (command or "") for command in commands)  # outside a container, where docker is no cure
    project.assert_repaired_by(finding, assume=())


def test_env101_positive_an_upper_bound_where_the_samples_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, size=DOCKER, free=DOCKER)
    project = project_with(tmp_path, "modern", 4, 32, train_list="nowhere.txt")
    finding = project.finding("ENV101", assume=(), shows=("165.4 MiB", "9", "64 MiB"))
    assert finding.severity == "warning"
    assert "batches" not in finding.evidence


@pytest.mark.parametrize("generation", BOTH)
def test_env101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(project_with(tmp_path, generation, 4, 32), "ENV101", assume=("shm=1g", "cpus=16", "gpus=0"))


@pytest.mark.parametrize("generation", BOTH)
def test_env101_near_miss_exactly_enough(tmp_path: Path, generation: Generation) -> None:
    project = project_with(tmp_path, generation, 4, 32)
    need = 9 * 32 * IMAGE
    assert passes(project, "ENV101", assume=(f"shm={need}", "cpus=16", "gpus=0"))
    assert not passes(project, "ENV101", assume=(f"shm={need - 1}", "cpus=16", "gpus=0"))


def test_env101_near_miss_fewer_batches_than_the_queue_holds(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 32, samples=80, **{"DataLoader.Train.sampler.drop_last": False})
    assert passes(project, "ENV101", assume=ON_DOCKER)  # 3 batches, 55.1 MiB


def test_env101_near_miss_half_precision_and_an_evaluation_that_is_not_run(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 24, **{"Global.eval_during_train": False, "eval_workers": 4, "eval_batch": 64})
    assert not passes(project, "ENV101", assume=ON_DOCKER)
    project.set("DataLoader.Train.dataset.transform_ops.2.NormalizeImage.output_fp16", True)
    project.save()
    assert passes(project, "ENV101", assume=ON_DOCKER)


def test_env101_positive_the_evaluation_beside_sleeping_workers(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 12, "eval_workers": 4, "eval_batch": 12}
    project = Project(tmp_path, "modern", start, train=text(many(480)), val=text(many(480)))
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("Eval", "27.6 MiB"))
    assert (finding.severity, finding.location.key) == ("warning", "DataLoader.Eval.loader.num_workers")
    assert finding.evidence["need_bytes"] == (8 + 4) * 12 * IMAGE
    assert project.assert_repaired_by(finding, assume=ON_DOCKER) == [False]


def test_env101_near_miss_the_evaluation_beside_sleeping_workers(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 8, "eval_workers": 4, "eval_batch": 8}
    lists = {"train": text(many(480)), "val": text(many(480))}
    assert passes(Project(tmp_path, "modern", start, **lists), "ENV101", assume=ON_DOCKER)
    full = {**start, "train_batch": 12, "eval_batch": 12}
    assert passes(Project(tmp_path, "legacy", full, **lists), "ENV101", assume=ON_DOCKER)  # its iterator ends with the epoch
    assert passes(Project(tmp_path, "modern", full, **lists), "ENV101", assume=ON_DOCKER, stage="eval")


def test_env101_near_miss_cards_that_a_cpu_run_does_not_use(tmp_path: Path) -> None:
    assert passes(project_with(tmp_path, "modern", 4, 12), "ENV101", assume=("shm=64m", "cpus=64", "gpus=8"))


@pytest.mark.parametrize("generation", BOTH)
def test_env101_skipped_without_workers(tmp_path: Path, generation: Generation) -> None:
    assert reason(project_with(tmp_path, generation, 0, 32), "ENV101", assume=ON_DOCKER) == "no-shm-loader"


def test_env101_skipped_where_nothing_uses_it(tmp_path: Path) -> None:
    unused = {f"DataLoader.{split}.loader.use_shared_memory": False for split in ("Train", "Eval")}
    assert (
        reason(Project(tmp_path, "modern", {"train_workers": 4, "train_batch": 64, **unused}), "ENV101", assume=ON_DOCKER)
        == "no-shm-loader"
    )
    dali = Project(tmp_path, "modern", {"train_workers": 4, "train_batch": 64, "Global.use_dali": True})
    assert reason(dali, "ENV101", assume=ON_DOCKER) == "no-shm-loader"


def test_env101_skipped_where_images_differ_in_size(tmp_path: Path) -> None:
    changes = {"DataLoader.Train.dataset.transform_ops": [{"ResizeImage": {"resize_short": 256}}], "eval_workers": 0}
    assert reason(Project(tmp_path, "modern", changes), "ENV101", assume=ON_DOCKER) == "shape-unknown"


def test_env101_skipped_on_a_system_without_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "modern")
    world = World(root=str(tmp_path / "no-system"), cwd=str(project.folder))
    assert reason(project, "ENV101", assume=("cpus=4", "gpus=0"), world=world) == "no-shared-memory"


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


# ENV108 stale-shared-memory

HERE = ("cpus=16", "gpus=0")


def left_behind(taken: int, size: int = 64 << 20) -> SharedMemory:
    stale = (StaleFile("paddle_12345_0", 12345, taken // 2), StaleFile("paddle_12345_1", 12345, taken - taken // 2))
    return SharedMemory("/dev/shm", size, size - taken, "tmpfs", stale=stale)


@pytest.mark.parametrize("taken, severity", [(7 << 20, "warning"), (1 << 20, "info")])
def test_env108_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int, severity: str) -> None:
    measured(monkeypatch, left_behind(taken))
    finding = Project(tmp_path, "modern", {"train_workers": 0, "eval_workers": 0}).finding(
        "ENV108", assume=HERE, shows=(2, f"{taken >> 20} MiB")
    )
    assert (finding.severity, finding.entry) == (severity, "1.3")
    assert finding.evidence["pids"] == [12345]
    assert finding.fixes[0].command == "rm -- /dev/shm/paddle_12345_0 /dev/shm/paddle_12345_1"


def test_env108_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, SharedMemory("/dev/shm", 64 << 20, 64 << 20, "tmpfs"))
    assert passes(Project(tmp_path, "modern"), "ENV108", assume=HERE)


def test_env108_near_miss_full_of_files_of_living_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, SharedMemory("/dev/shm", 64 << 20, 1 << 20, "tmpfs"))
    assert passes(Project(tmp_path, "modern"), "ENV108", assume=HERE)


def test_env108_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "ENV108") == "machine-assumed"
