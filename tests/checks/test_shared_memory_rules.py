"""ENV101, ENV108: what /dev/shm holds. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.facts.base import World
from checks.facts.container_settings import ContainerSettings
from checks.facts.machine import Container, Host, SharedMemory, StaleFile
from checks.facts.probed_batches import ProbedArray, ProbedBatch, ProbedBatches
from checks.facts.shm_holders import ShmHolder
from checks.model import Location
from checks.shm_sizes import GIB, MIB, batch_bytes, largest_batch, need, semaphore_bytes
from tests.projects import CONFIG, Generation, Project, Samples, found, measured, numbered, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]
IMAGE = 3 * 224 * 224 * 4
"""Bytes of one decoded image of the project, 602,112."""
FIELDS = (IMAGE, 8)
DOCKER = 64 << 20
"""What `docker run` gives unless it is told otherwise."""
ON_DOCKER = ("shm=64m", "cpus=16", "gpus=0")
bytes_of = partial(batch_bytes, fields=FIELDS)


def many(count: int) -> Samples:
    return numbered(*(k % 3 for k in range(count)))


def text(samples: Samples) -> str:
    """Written as text, a list brings no images along."""
    return "".join(f"{path} {label}\n" for path, label in samples)


def project_with(folder: Path, generation: Generation, workers: int, batch: int, samples: int = 480, **changes: Any) -> Project:
    """A project whose training loader alone has workers, for one epoch."""
    loader = {"train_workers": workers, "train_batch": batch, "eval_workers": 0, "epochs": 1}
    return Project(folder, generation, {**loader, **changes}, train=text(many(samples)))


def edits(finding: Any) -> list[Any]:
    return [fix.value for fix in finding.fixes if fix.kind == "edit"]


# ENV101 shared-memory-too-small


@pytest.mark.parametrize("generation", BOTH)
def test_env101_positive(tmp_path: Path, generation: Generation) -> None:
    project = project_with(tmp_path, generation, 4, 32)
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("Train", "165.5 MiB", "9", "18.4 MiB", "64 MiB"))
    assert (finding.severity, finding.entry) == ("error", "1.3")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("num_workers: ^4"), project.key("train_workers"))
    total = 9 * bytes_of(32) + 20 * 4096
    expected = {
        "split": "Train",
        "need_bytes": total,
        "have_bytes": DOCKER,
        "margin_bytes": DOCKER - total,
        "size_bytes": DOCKER,
        "num_workers": 4,
        "batch_size": 32,
        "batch_bytes": bytes_of(32),
        "queued_batches": 9,
        "batches": 15,
        "processes": 1,
        "beside_bytes": 0,
        "left_bytes": 0,
        "worst_moment": "train",
        "worst_bytes": total,
        "loaders": {"Train": total},
        "largest_that_fit": [[1, 32], [2, 22], [4, 12]],
        "safe_num_workers": 1,  # 3 × 18.4 MiB fit, 5 do not
        "safe_batch_size": 12,  # 9 × 12 images fit, 9 × 13 do not
        "shm_size": "256m",
        "stale_bytes": 0,
        "holders": [],
        "sizes_from": "transforms",
        "assumed": True,
    }
    assert finding.evidence == expected
    values = project.assert_repaired_by(finding, assume=ON_DOCKER)
    assert values == ([1, 12, False] if generation == "modern" else [1, 12])  # a legacy config has no use_shared_memory
    assert [fix.snippet for fix in finding.fixes if fix.kind == "advice"] == ["docker run --shm-size=256m ...", "shm_size: 256mb"]


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
        finding = project.finding("ENV101", stage=stage, assume=ON_DOCKER, shows=("Eval", "294.1 MiB"))  # 480 images are 8 batches, not 9
        assert (finding.location.line, finding.location.column) == project.place("num_workers: ^4")
        assert (finding.evidence["queued_batches"], finding.evidence["batches"]) == (8, 8)
        project.assert_repaired_by(finding, stage=stage, assume=ON_DOCKER)


def test_env101_positive_not_even_one_image_fits(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 32)
    assume = (f"shm={IMAGE // 2}", "cpus=16", "gpus=0")
    finding = project.finding("ENV101", assume=assume)
    assert (finding.evidence["safe_num_workers"], finding.evidence["safe_batch_size"]) == (0, 0)
    assert finding.evidence["largest_that_fit"] == []
    assert project.assert_repaired_by(finding, assume=assume) == [0, False]  # no batch size helps, so none is offered


def test_env101_positive_every_card_has_loaders_of_its_own(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 12, samples=4800, **{"Global.device": "gpu"})
    assume = ("shm=64m", "cpus=64", "gpus=8")
    finding = project.finding("ENV101", assume=assume, shows=("8", "497.3 MiB", "64 MiB"))
    assert finding.severity == "warning"
    assert (finding.evidence["processes"], finding.evidence["need_bytes"]) == (8, 8 * need(4, bytes_of(12)).total)
    assert finding.evidence["shm_size"] == "640m"
    assert project.assert_repaired_by(finding, assume=assume) == [0, 1, False]
    legacy = project_with(tmp_path / "legacy", "legacy", 4, 12, use_gpu=True)
    assert passes(legacy, "ENV101", assume=assume)  # there batch_size is the total of all cards


def test_env101_near_miss_the_list_is_shared_by_the_cards(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 12, samples=96, **{"Global.device": "gpu"})
    assert passes(project, "ENV101", assume=("shm=64m", "cpus=64", "gpus=8"))  # one batch for each of them


MULTI_SCALE = {"name": "MultiScaleSampler", "scales": [160, 192, 224, 288, 320], "first_bs": 32, "divided_factor": 32, "is_training": True}


def test_env101_positive_multi_scale(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 1, samples=4800, **{"DataLoader.Train.sampler": MULTI_SCALE})
    project.set("DataLoader.Train.dataset.name", "MultiScaleDataset")
    project.save()
    finding = project.finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == batch_bytes(32, (3 * 160 * 160 * 4, 8))  # the first scale's area bounds the others'
    edit = next(fix for fix in finding.fixes if fix.safety == "unsafe" and fix.kind == "edit")
    assert edit.key == "DataLoader.Train.sampler.first_bs"
    project.assert_repaired_by(finding, assume=ON_DOCKER)


def test_env101_near_miss_multi_scale_with_a_short_list(tmp_path: Path) -> None:
    # as PaddleClas develop did: 80 images, 24 of 128 px in a batch or 10 of 192 px, and 24 MiB were enough
    sampler = {**MULTI_SCALE, "scales": [128, 160, 192], "first_bs": 24}
    project = project_with(tmp_path, "modern", 4, 1, samples=80, **{"DataLoader.Train.sampler": sampler})
    project.set("DataLoader.Train.dataset.name", "MultiScaleDataset")
    project.save()
    (finding,) = found(project.check(assume=("shm=24m", "cpus=16", "gpus=0")), "ENV101")
    assert (finding.severity, finding.evidence["queued_batches"]) == ("warning", 8)  # eight would be of ten images each
    assert passes(project, "ENV101", assume=("shm=40m", "cpus=16", "gpus=0"))


def _machine(monkeypatch: pytest.MonkeyPatch, **shm: Any) -> None:
    measured(
        monkeypatch,
        SharedMemory("/dev/shm", filesystem="tmpfs", **shm),
        Container(False, None, ()),
        Host(16.0, "processors", None, None, (), 0),
    )


STALE = (StaleFile("paddle_41_0_1", 41, 50 << 20), StaleFile("paddle_42_0_1", 42, 50 << 20))


def test_env101_positive_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, size=256 << 20, free=100 << 20, stale=STALE)
    project = project_with(tmp_path, "modern", 4, 32)
    finding = project.finding("ENV101", assume=(), shows=("165.5 MiB", "100 MiB", "256 MiB"))
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


def test_env101_positive_in_use_by_a_living_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holders = (ShmHolder(77, "python train.py", 120 << 20), ShmHolder(78, "postgres", 30 << 20))
    _machine(monkeypatch, size=256 << 20, free=100 << 20, holders=holders)
    finding = project_with(tmp_path, "modern", 4, 32).finding("ENV101", assume=(), shows=("python train.py", "77", "120 MiB"))
    assert (finding.severity, finding.evidence["holder_pid"]) == ("error", 77)
    assert finding.evidence["holders"][1] == {"pid": 78, "command": "postgres", "bytes": 30 << 20}


def test_env101_positive_an_upper_bound_where_the_samples_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, size=DOCKER, free=DOCKER)
    project = project_with(tmp_path, "modern", 4, 32, train_list="nowhere.txt")
    finding = project.finding("ENV101", assume=(), shows=("165.5 MiB", "9", "64 MiB"))
    assert finding.severity == "warning"
    assert "batches" not in finding.evidence


@pytest.mark.parametrize("generation", BOTH)
def test_env101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(project_with(tmp_path, generation, 4, 32), "ENV101", assume=("shm=1g", "cpus=16", "gpus=0"))


@pytest.mark.parametrize("generation", BOTH)
def test_env101_near_miss_exactly_enough(tmp_path: Path, generation: Generation) -> None:
    project = project_with(tmp_path, generation, 4, 32)
    total = need(4, bytes_of(32)).total
    assert passes(project, "ENV101", assume=(f"shm={total}", "cpus=16", "gpus=0"))
    assert not passes(project, "ENV101", assume=(f"shm={total - 1}", "cpus=16", "gpus=0"))


def test_env101_near_miss_fewer_batches_than_the_queue_holds(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 32, samples=80, **{"DataLoader.Train.sampler.drop_last": False})
    assert passes(project, "ENV101", assume=ON_DOCKER)  # 3 batches, 55.1 MiB


# what a batch is made of


@pytest.mark.parametrize(
    "changes, image, others",
    [
        ({}, IMAGE, (8,)),
        ({"DataLoader.Train.dataset.transform_ops.2": {"NormalizeImage": {"output_fp16": True, "order": ""}}}, IMAGE // 2, (8,)),
        ({"DataLoader.Train.dataset.transform_ops.2": {"RandFlipImage": {"flip_code": 1}}}, IMAGE // 4, (8,)),
        ({"DataLoader.Train.dataset.transform_ops.2": {"NormalizeImage": {"channel_num": 4, "order": ""}}}, IMAGE // 3 * 4, (8,)),
        ({"DataLoader.Train.dataset.transform_ops.1": {"RandCropImage": {"size": [192, 256]}}}, 3 * 192 * 256 * 4, (8,)),
        ({"DataLoader.Train.dataset.batch_transform_ops": [{"MixupOperator": {"alpha": 0.2}}]}, IMAGE, (12,)),
        ({"DataLoader.Train.dataset.batch_transform_ops": [{"FmixOperator": {"alpha": 1}}]}, IMAGE * 2, (12,)),
        (
            {"Arch.class_num": 2000, "DataLoader.Train.dataset.batch_transform_ops": [{"OpSampler": {"CutmixOperator": {"prob": 0.5}}}]},
            IMAGE,
            (8000,),
        ),
        ({"DataLoader.Train.dataset.name": "VeriWild"}, IMAGE, (8, 8)),
    ],
)
def test_env101_positive_the_fields_of_a_batch(tmp_path: Path, changes: dict[str, Any], image: int, others: tuple[int, ...]) -> None:
    finding = project_with(tmp_path, "modern", 4, 128, samples=4800, **changes).finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == batch_bytes(128, (image, *others))


def test_env101_positive_multilabel(tmp_path: Path) -> None:
    rows = "".join(f"train/{k}.png\t{','.join(['0'] * 80)}\n" for k in range(480))
    project = Project(tmp_path, "modern", {"train_workers": 4, "train_batch": 64, "eval_workers": 0, "epochs": 1}, train=rows)
    project.set("DataLoader.Train.dataset.name", "MultiLabelDataset")
    project.save()
    for ratio, label in ((None, 320), (True, 640)):
        if ratio:
            project.set("DataLoader.Train.dataset.label_ratio", True)
            project.save()
        assert project.finding("ENV101", assume=ON_DOCKER).evidence["batch_bytes"] == batch_bytes(64, (IMAGE, label))


def test_env101_positive_legacy_mixup(tmp_path: Path) -> None:
    changes = {"use_mix": True, "TRAIN.mix": [{"MixupOperator": {"alpha": 0.2}}]}
    finding = project_with(tmp_path, "legacy", 4, 64, **changes).finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == batch_bytes(64, (IMAGE, 8, 8, 8))


def test_env101_positive_progressive(tmp_path: Path) -> None:
    crop = {"RandCropImage": {"size": 64, "progress_size": [64, 128, 192, 256]}}
    changes = {"Global.train_mode": "progressive", "DataLoader.Train.dataset.transform_ops.1": crop}
    finding = project_with(tmp_path, "modern", 4, 16, **changes).finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == batch_bytes(16, (3 * 256 * 256 * 4, 8))


def test_env101_near_miss_half_precision_and_an_evaluation_that_is_not_run(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 24, **{"Global.eval_during_train": False, "eval_workers": 4, "eval_batch": 64})
    assert not passes(project, "ENV101", assume=ON_DOCKER)
    project.set("DataLoader.Train.dataset.transform_ops.2.NormalizeImage.output_fp16", True)
    project.save()
    assert passes(project, "ENV101", assume=ON_DOCKER)


BY_SHORTER_SIDE = {"DataLoader.Train.dataset.transform_ops.1": {"ResizeImage": {"resize_short": 224}}}


def test_env101_positive_a_lower_bound_where_only_the_shorter_side_is_known(tmp_path: Path) -> None:
    finding = project_with(tmp_path, "modern", 4, 32, **BY_SHORTER_SIDE).finding("ENV101", assume=ON_DOCKER, shows=("165.5 MiB",))
    assert (finding.severity, finding.evidence["sizes_from"]) == ("error", "least")


def test_env101_skipped_where_a_lower_bound_fits(tmp_path: Path) -> None:
    assert reason(project_with(tmp_path, "modern", 4, 12, **BY_SHORTER_SIDE), "ENV101", assume=ON_DOCKER) == "batch-unknown"


def probed(monkeypatch: pytest.MonkeyPatch, batches: int, side: int) -> None:
    arrays = (ProbedArray("float32", (64, 3, side, side), 64 * 3 * side * side * 4), ProbedArray("int64", (64,), 512))
    batch = ProbedBatch("Train", arrays, 64, batches, 480, 4, 4, True)
    measured(monkeypatch, ProbedBatches("python", "3.3.1", "ppcls", (batch,), {}))


def test_env101_positive_a_sample_put_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed(monkeypatch, 8, 256)
    finding = project_with(tmp_path, "modern", 4, 64, **BY_SHORTER_SIDE).finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["batch_bytes"] == batch_bytes(64, (3 * 256 * 256 * 4, 8))
    assert (finding.evidence["queued_batches"], finding.evidence["sizes_from"]) == (8, "probe")


def test_env101_near_miss_a_sample_put_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed(monkeypatch, 1, 224)
    assert passes(project_with(tmp_path, "modern", 4, 64, **BY_SHORTER_SIDE), "ENV101", assume=ON_DOCKER)


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_env101_near_miss_a_list_shorter_than_a_batch(tmp_path: Path, generation: Any) -> None:
    """All of its samples are one batch: 40 images are 23 MiB, 256 would be 147."""
    project = project_with(tmp_path, generation, 4, 4, eval_batch=256, eval_workers=4)
    project.write_list("val_list.txt", [(f"val/{n % 3}/{n // 3}.png", n % 3) for n in range(40)])
    assert passes(project, "ENV101", assume=ON_DOCKER)


# more than one loader, more than one epoch


def test_env101_positive_the_next_epoch(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 12, samples=200, epochs=3, **{"DataLoader.Train.sampler.drop_last": False})
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("66.8 MiB", "64 MiB"))
    assert finding.severity == "warning"  # a training that waits for its data never has a full queue in its second epoch
    # the last batch has 8 images
    assert finding.evidence["need_bytes"] == need(4, bytes_of(12), epochs=3, last_batch=bytes_of(8)).total
    assert project.assert_repaired_by(finding, assume=ON_DOCKER) == [3, 11, False]


@pytest.mark.parametrize(
    ("train", "evaluation", "blamed"),
    [
        (13, 9, ["Train"]),  # the evaluation would not fit beside it, nor the second epoch after that
        (12, 9, ["Train"]),
        (4, 15, ["Eval"]),  # what the evaluation leaves is too much for the second epoch
        (13, 15, ["Train", "Eval"]),
        (4, 12, ["Eval"]),
    ],
)
def test_env101_positive_one_fault_is_one_finding(tmp_path: Path, train: int, evaluation: int, blamed: list[str]) -> None:
    start = {"train_workers": 4, "train_batch": train, "eval_workers": 4, "eval_batch": evaluation, "epochs": 2}
    project = Project(tmp_path, "modern", start, train=text(many(480)), val=text(many(480)))
    findings = project.findings("ENV101", assume=ON_DOCKER)
    assert [finding.evidence["split"] for finding in findings] == blamed
    worst = max(finding.evidence["worst_bytes"] for finding in findings)
    assert all(finding.evidence["worst_bytes"] == worst for finding in findings)  # the size that is proposed is enough for all of it
    sizes = {finding.evidence["shm_size"] for finding in findings}
    assert all(int(size.removesuffix("m")) << 20 >= worst for size in sizes)


def test_env101_positive_one_batch_and_the_pairs_that_fit(tmp_path: Path) -> None:
    project = project_with(tmp_path, "modern", 4, 120, samples=120)
    for lang, words in (("en", "(1 batch of 68.9 MiB)"), ("zh", "1 个 batch")):
        (finding,) = found(project.check(lang=lang, assume=ON_DOCKER), "ENV101")
        assert words in finding.message
        (smaller,) = (fix for fix in finding.fixes if fix.key == "DataLoader.Train.sampler.batch_size")
        assert "1 × 37, 2 × 22, 4 × 12" in smaller.title
        assert finding.evidence["largest_that_fit"] == [[1, 37], [2, 22], [4, 12]]


def test_env101_near_miss_one_epoch(tmp_path: Path) -> None:
    assert passes(project_with(tmp_path, "modern", 4, 12, samples=200), "ENV101", assume=ON_DOCKER)


def test_env101_near_miss_the_next_epoch_of_smaller_batches(tmp_path: Path) -> None:
    assert passes(project_with(tmp_path, "modern", 4, 11, samples=200, epochs=3), "ENV101", assume=ON_DOCKER)


def test_env101_positive_the_evaluation_beside_sleeping_workers(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 12, "eval_workers": 4, "eval_batch": 12, "epochs": 1}
    project = Project(tmp_path, "modern", start, train=text(many(480)), val=text(many(480)))
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("Eval", "27.7 MiB"))
    assert (finding.severity, finding.location.key) == ("warning", "DataLoader.Eval.loader.num_workers")
    assert finding.evidence["need_bytes"] == 12 * bytes_of(12) + 2 * semaphore_bytes(4)
    assert project.assert_repaired_by(finding, assume=ON_DOCKER) == [2, 7, False]  # beside 27.7 MiB


def test_env101_positive_the_second_evaluation(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 9, "eval_workers": 4, "eval_batch": 9, "DataLoader.Train.sampler.drop_last": False}
    lists = {"train": text(many(320)), "val": text(many(240))}
    assert passes(Project(tmp_path / "one", "modern", {**start, "epochs": 1}, **lists), "ENV101", assume=ON_DOCKER)
    finding = Project(tmp_path, "modern", {**start, "epochs": 2}, **lists).finding("ENV101", assume=ON_DOCKER)
    # as PaddleClas develop did: 15,354 pages at the first evaluation, death at the second
    first = 8 * bytes_of(9) + 3 * bytes_of(9) + bytes_of(5) + 2 * semaphore_bytes(4)
    assert first == (15_354 - 2) * 4096  # two of labels, which are not counted
    assert finding.evidence["need_bytes"] == first + bytes_of(5) + bytes_of(6) + 2 * semaphore_bytes(4)


def test_env101_positive_the_evaluation_beside_a_full_queue(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 8, "eval_workers": 4, "eval_batch": 8, "epochs": 1, "Global.iter_per_epoch": 10}
    project = Project(tmp_path, "modern", start, train=text(many(480)), val=text(many(480)))
    finding = project.finding("ENV101", assume=ON_DOCKER)
    assert finding.evidence["need_bytes"] == 16 * bytes_of(8) + 2 * semaphore_bytes(4)


def test_env101_near_miss_the_evaluation_beside_sleeping_workers(tmp_path: Path) -> None:
    start = {"train_workers": 4, "train_batch": 8, "eval_workers": 4, "eval_batch": 8, "epochs": 1}
    lists = {"train": text(many(480)), "val": text(many(480))}
    assert passes(Project(tmp_path, "modern", start, **lists), "ENV101", assume=ON_DOCKER)
    full = {**start, "train_batch": 12, "eval_batch": 12}
    assert passes(Project(tmp_path, "legacy", full, **lists), "ENV101", assume=ON_DOCKER)  # its iterator ends with the epoch
    assert passes(Project(tmp_path, "modern", full, **lists), "ENV101", assume=ON_DOCKER, stage="eval")
    before = Project(tmp_path / "2.5", "modern", full, **lists)
    for name in ("tools/train.py", "ppcls/engine/train/train.py"):
        path = before.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("for batch in engine.train_dataloader:\n    pass\n", encoding="utf-8")
    assert passes(before, "ENV101", assume=ON_DOCKER)  # a checkout that makes an iterator for each epoch


def test_env101_near_miss_a_cpu_gives_the_images_of_an_evaluation_back_at_once(tmp_path: Path) -> None:
    start = {"train_workers": 0, "eval_workers": 4, "eval_batch": 13}
    lists = {"val": text(many(480))}
    assert passes(Project(tmp_path, "modern", start, **lists), "ENV101", assume=ON_DOCKER)  # 8 batches, not 9
    assert not passes(Project(tmp_path, "modern", {**start, "Global.device": "gpu"}, **lists), "ENV101", assume=ON_DOCKER)
    assert not passes(Project(tmp_path, "legacy", start, **lists), "ENV101", assume=ON_DOCKER)


WEAK = [{"NormalizeImage": {"order": ""}}]
UNLABELLED = {
    "dataset": {"name": "Cifar10", "transform_ops_weak": WEAK, "transform_ops_strong": WEAK},
    "sampler": {"name": "DistributedBatchSampler", "batch_size": 448, "drop_last": True, "shuffle": True},
    "loader": {"num_workers": 4, "use_shared_memory": True},
}


def test_env101_positive_two_loaders_of_one_training(tmp_path: Path) -> None:
    changes = {"Global.train_mode": "fixmatch", "DataLoader.UnLabelTrain": UNLABELLED}
    project = project_with(tmp_path, "modern", 4, 8, **changes)
    unlabelled = batch_bytes(448, (3 * 32 * 32 * 4, 3 * 32 * 32 * 4, 8))
    together = need(4, bytes_of(8)).total + need(4, unlabelled).total
    assume = (f"shm={together - 1}", "cpus=16", "gpus=0")
    finding = project.finding("ENV101", assume=assume, shows=("Train", "UnLabelTrain"))
    assert (finding.severity, finding.evidence["need_bytes"]) == ("error", together)
    assert passes(project, "ENV101", assume=(f"shm={together}", "cpus=16", "gpus=0"))
    project.set("Global.train_mode", None)  # the second is then built and never asked
    project.save()
    assert passes(project, "ENV101", assume=assume)


def test_env101_positive_the_query_after_the_gallery(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_workers": 0, "epochs": 1}, val=text(many(480)))
    loader = {**project.data["DataLoader"]["Eval"], "loader": {"num_workers": 4, "use_shared_memory": True}}
    loader["sampler"] = {**loader["sampler"], "batch_size": 12}
    project.set("DataLoader.Eval", {"Gallery": loader, "Query": loader})
    project.set("Global.eval_mode", "retrieval")
    project.save()
    finding = project.finding("ENV101", assume=ON_DOCKER, shows=("Eval.Query", "Eval.Gallery"))
    assert finding.severity == "warning"
    assert finding.evidence["need_bytes"] == need(4, bytes_of(12), epochs=2).total
    project.assert_repaired_by(finding, assume=ON_DOCKER)


# the machine


def host(**values: Any) -> Host:
    return Host(**{"cpus": 16.0, "cpu_limit": "processors", "memory": None, "memory_limit": None, "gpus": (), "gpu_count": 0, **values})


def test_env101_positive_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shm = SharedMemory("/dev/shm", 8 << 30, 8 << 30, "tmpfs")
    measured(monkeypatch, shm, Container(True, "docker", ()), host(memory=160 << 20, memory_limit="cgroup", memory_left=120 << 20))
    project = project_with(tmp_path, "modern", 4, 32)
    finding = project.finding("ENV101", assume=(), shows=("165.5 MiB", "160 MiB"))
    assert finding.severity == "error"
    assert project.assert_repaired_by(finding, assume=()) == [2, 23]  # as much memory as is left; pipes would need it as well


def test_env101_positive_memory_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shm = SharedMemory("/dev/shm", 8 << 30, 8 << 30, "tmpfs")
    measured(monkeypatch, shm, Container(True, "docker", ()), host(memory=1 << 30, memory_limit="cgroup", memory_left=120 << 20))
    finding = project_with(tmp_path, "modern", 4, 32).finding("ENV101", assume=(), shows=("165.5 MiB", "1 GiB", "120 MiB"))
    assert finding.severity == "warning"


def test_env101_near_miss_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shm = SharedMemory("/dev/shm", 8 << 30, 8 << 30, "tmpfs")
    measured(monkeypatch, shm, Container(True, "docker", ()), host(memory=1 << 30, memory_limit="cgroup", memory_left=200 << 20))
    project = project_with(tmp_path, "modern", 4, 32)
    assert passes(project, "ENV101", assume=())


def test_env101_near_miss_memory_of_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, host(memory=100 << 20, memory_limit="physical", memory_left=10 << 20))
    project = project_with(tmp_path, "modern", 4, 32)
    assert passes(project, "ENV101", assume=("shm=8g",))


@pytest.mark.parametrize("shared", [True, False])
def test_env101_positive_no_shared_memory_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool) -> None:
    measured(monkeypatch, SharedMemory("/dev/shm", 0, 0, "none"))
    project = project_with(tmp_path, "modern", 4, 32, **{"DataLoader.Train.loader.use_shared_memory": shared})
    finding = project.finding("ENV101", assume=("cpus=16", "gpus=0"), shows=("4", "Train"))
    assert finding.severity == "error"  # the queues between the processes need it too
    assert project.assert_repaired_by(finding, assume=("cpus=16", "gpus=0")) == [0]


def test_env101_skipped_where_a_file_gives_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, SharedMemory("/dev/shm", 0, 0, "none", told=True), settings_of(state="file", shm_origin="none"))
    assert reason(project_with(tmp_path, "modern", 4, 32), "ENV101", assume=("cpus=16", "gpus=0")) == "no-shared-memory-file"


def settings_of(**values: Any) -> ContainerSettings:
    return ContainerSettings(**{"source": "docker", "name": "train", "state": "running", "shm": DOCKER, **values})


@pytest.mark.parametrize(
    "settings, advice, command",
    [
        (settings_of(pid=4242), "docker run --shm-size=256m", "sudo nsenter --target 4242 --mount mount -o remount,size=256m /dev/shm"),
        (settings_of(state="exited"), "docker run --shm-size=256m", None),
        (settings_of(source="compose", state="file", shm_location=Location("compose.yml", 4, 5)), "shm_size: 256mb", None),
        (settings_of(source="kubernetes", state="file", shm_location=Location("pod.yml", 9, 7)), "sizeLimit: 256Mi", None),
        (settings_of(pid=4242, shm_origin="host"), None, "sudo mount -o remount,size=256m /dev/shm"),
    ],
)
def test_env101_positive_ways_to_enlarge_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: ContainerSettings, advice: str | None, command: str | None
) -> None:
    measured(monkeypatch, settings, SharedMemory("/dev/shm", DOCKER, DOCKER, "tmpfs", told=True), Container(True, "docker", ()))
    finding = project_with(tmp_path, "modern", 4, 32).finding("ENV101", assume=("cpus=16", "gpus=0"))
    told = [fix for fix in finding.fixes if fix.kind == "advice"]
    snippets = [fix.snippet or "" for fix in told]
    assert any("memory limit" in fix.title for fix in told) == (settings.source == "kubernetes")
    assert [advice in snippets[0]] == [True] if advice else snippets == []
    assert [(fix.command, fix.safety) for fix in finding.fixes if fix.kind == "command"] == ([(command, "unsafe")] if command else [])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workers=st.integers(1, 12), batch=st.integers(1, 64), have=st.integers(8 * MIB, GIB), epochs=st.integers(1, 2))
def test_env101_positive_what_is_proposed_fits_and_the_next_does_not(
    tmp_path_factory: pytest.TempPathFactory, workers: int, batch: int, have: int, epochs: int
) -> None:
    project = project_with(tmp_path_factory.mktemp("any"), "modern", workers, batch, samples=12_000, epochs=epochs)
    assume = (f"shm={have}", "cpus=16", "gpus=0")
    findings = found(project.check(assume=assume), "ENV101")
    total = need(workers, bytes_of(batch), epochs=epochs).total
    assert bool(findings) == (total > have)
    if findings:
        best = findings[0].evidence["safe_batch_size"]
        assert best == largest_batch(have, workers, bytes_of, epochs=epochs, most=batch)
        assert all(need(w, bytes_of(b), epochs=epochs).total <= have for w, b in findings[0].evidence["largest_that_fit"])


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
    changes = {"DataLoader.Train.dataset.transform_ops": [{"DecodeImage": None}], "eval_workers": 0}
    assert reason(Project(tmp_path, "modern", changes), "ENV101", assume=ON_DOCKER) == "batch-unknown"


def test_env101_skipped_on_a_system_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    project = Project(tmp_path / "project", "modern")
    world = World(root=str(tmp_path / "no-system"), cwd=str(project.folder))
    assert reason(project, "ENV101", assume=("cpus=4", "gpus=0"), world=world) == "no-shared-memory"


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
