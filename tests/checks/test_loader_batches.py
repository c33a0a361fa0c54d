"""The batches of a loader: what MultiScaleSampler draws, and parameters that nobody foresaw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.facts.base import Request, World
from checks.facts.pipelines import collect_pipelines
from checks.facts.probed_batches import ProbedArray, ProbedBatch, ProbedBatches
from checks.facts.training_config import collect_training_config
from checks.loader_batches import BatchFields, fields_of
from checks.shm_sizes import batch_bytes
from tests.projects import Project


def fields(project: Project, split: str = "Train", probed: ProbedBatches | None = None) -> BatchFields | None:
    world = World(cwd=str(project.folder))
    config = collect_training_config(Request(config="config.yaml"), world)
    loader = config.loader(split)
    assert loader is not None
    return fields_of(config, loader, collect_pipelines(config), None, probed)


def scaled(folder: Path, scales: Any, factor: int = 32, training: bool = True) -> BatchFields | None:
    sampler = {"name": "MultiScaleSampler", "scales": scales, "first_bs": 64, "divided_factor": factor, "is_training": training}
    project = Project(folder, "modern", {"DataLoader.Train.sampler": sampler, "DataLoader.Train.dataset.name": "MultiScaleDataset"})
    return fields(project)


def reference(scales: list[int], first_bs: int, factor: int) -> int:
    """The most that a batch takes, over the (side, batch) pairs of MultiScaleSampler."""
    pairs = [(side, int(max(1, scales[0] * scales[0] * first_bs / (side * side)))) for side in (s // factor * factor for s in scales)]
    return max(batch_bytes(count, (side * side * 12, 8)) for side, count in pairs)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scales=st.lists(st.integers(32, 512), min_size=1, max_size=6), first_bs=st.integers(1, 512))
def test_multi_scale_batches(tmp_path_factory: pytest.TempPathFactory, scales: list[int], first_bs: int) -> None:
    found = scaled(tmp_path_factory.mktemp("scales"), scales)
    assert found is not None
    assert found.bytes_of(first_bs) == reference(scales, first_bs, 32)


def test_multi_scale_as_shipped(tmp_path: Path) -> None:
    """`scales: [160, 192, 224, 288, 320]`, `first_bs: 64`: the batch shrinks as the images grow."""
    found = scaled(tmp_path / "a", [160, 192, 224, 288, 320])
    assert found is not None
    assert found.bytes_of(64) == batch_bytes(64, (160 * 160 * 12, 8))
    one = scaled(tmp_path / "b", [32, 320])
    assert one is not None
    assert one.bytes_of(1) == batch_bytes(1, (320 * 320 * 12, 8))
    first = scaled(tmp_path / "c", [100, 320], training=False)
    assert first is not None
    assert first.bytes_of(8) == batch_bytes(8, (100 * 100 * 12, 8))


def put_through(batch: int, side: int) -> ProbedBatches:
    arrays = (ProbedArray("float32", (batch, 3, side, side), batch * side * side * 12), ProbedArray("int64", (batch,), batch * 8))
    return ProbedBatches("python", "3.3.1", "ppcls", (ProbedBatch("Train", arrays, batch, 9, 999, 8, 2, True),), {})


def test_a_batch_put_through(tmp_path: Path) -> None:
    found = fields(Project(tmp_path, "modern", {"train_batch": 64}), probed=put_through(64, 99))
    assert found is not None
    assert (found.origin, found.fields) == ("probe", (99 * 99 * 12, 8))
    # the largest batch of MultiScaleSampler has 32 images where the config says 64
    sampler = {"name": "MultiScaleSampler", "scales": [160, 224], "first_bs": 64}
    found = fields(Project(tmp_path, "modern", {"DataLoader.Train.sampler": sampler}), probed=put_through(32, 224))
    assert found is not None
    assert found.bytes_of(64) == batch_bytes(32, (224 * 224 * 12, 8))
    # the images of a progressive training grow: its first batch is not its largest
    found = fields(Project(tmp_path, "modern", {"Global.train_mode": "progressive"}), probed=put_through(64, 99))
    assert found is not None
    assert found.origin == "transforms"


def test_multi_label_data_of_2_1(tmp_path: Path) -> None:
    found = fields(Project(tmp_path, "legacy", {"multilabel": True}))
    assert found is not None
    assert found.fields == (602_112, 12)


@pytest.mark.parametrize("scales", [None, [], 224, "224", ["224"], [224, None], [0], [-32], [[224]], [True], [16]])
def test_multi_scale_without_sizes(tmp_path: Path, scales: Any) -> None:
    assert scaled(tmp_path, scales) is None


@pytest.mark.parametrize(
    "dataset, others",
    [("ImageNetDataset", (8,)), ("ICartoonDataset", (8,)), ("CompCars", (8,)), ("MultiLabelDataset", (12,)), ("Market1501", (8, 8))],
)
def test_dataset_classes(tmp_path: Path, dataset: str, others: tuple[int, ...]) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": dataset})
    if dataset == "Market1501":
        project.set("DataLoader.Train.dataset.transform_ops.0", {"RandCropImage": {"size": 224}})
        project.save()
    found = fields(project)
    assert found is not None
    assert found.fields == (602_112, *others)


@pytest.mark.parametrize("dataset", ["CustomLabelDataset", "FiveValidationDataset", "OurOwn"])
def test_dataset_classes_of_which_nothing_is_known(tmp_path: Path, dataset: str) -> None:
    assert fields(Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": dataset})) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats(0, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PLACES = st.sampled_from(
    [
        "DataLoader.Train.dataset.batch_transform_ops",
        "DataLoader.Train.dataset.batch_transform_ops.0.OpSampler",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImage.progress_size",
        "DataLoader.Train.dataset.label_ratio",
        "Arch.class_num",
        "Global.train_mode",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=PLACES, value=JSON, name=st.sampled_from(["ImageNetDataset", "MultiLabelDataset"]))
def test_any_values(tmp_path_factory: pytest.TempPathFactory, place: str, value: Any, name: str) -> None:
    start = {"DataLoader.Train.dataset.batch_transform_ops": [{"OpSampler": {"MixupOperator": {"prob": 0.5}}}]}
    project = Project(tmp_path_factory.mktemp("any"), "modern", {**start, "DataLoader.Train.dataset.name": name})
    project.set("Global.train_mode", "progressive")
    project.set(place, value)
    project.save()
    found = fields(project)
    assert found is None or found.bytes_of(4) > 0
