"""Every real config of PaddleClas 2.0 and 2.4: nothing crashes, nothing that works is called wrong."""

from __future__ import annotations

import functools
import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from checks.batching import PER_CLASS
from checks.embedding_losses import CLASSES_OF
from checks.facts.base import Request, World
from checks.facts.training_config import TrainingConfig, collect_training_config
from doctor.run import Run, run_check
from doctor.settings import Settings
from scripts.make_corpus_doc import ABSENT_DATA, MACHINE, findings, runs, verdict

CANNOT_TRAIN = {"ResNet50_UReID_infer.yaml": {"CFG110"}}
"""The one config that really stops at the start of a training: its transform `RandomCrop` does not exist."""

PARTS = 4
"""Parts of the configs, so that processes can share the longest of all tests."""


def configs(shared: Path) -> list[Path]:
    found = sorted((shared / "corpus" / "paddleclas-configs").rglob("*.yaml"))
    assert len(found) > 400
    return found


def check(path: Path, cwd: Path, stage: str = "train", assume: tuple[str, ...] = MACHINE) -> Run:
    return run_check(str(path), stage=stage, lang="en", assume=assume, settings=Settings(), world=World(cwd=str(cwd)))


@pytest.fixture(scope="module")
def checked(shared: Path) -> list[tuple[Path, str, Run]]:
    """Every config at every stage, without data."""
    assert len(configs(shared)) > 400
    return list(runs(shared / "corpus" / "paddleclas-configs"))


def test_no_real_config_is_called_wrong(checked: list[tuple[Path, str, Run]]) -> None:
    for path, stage, done in checked:
        assert not done.crashes, (path, stage, done.crashes)
        errors = {f.code for f in done.report.findings if f.severity == "error"}
        assert errors <= ABSENT_DATA | CANNOT_TRAIN.get(path.name, set()), (path, stage, errors)
        unknown = [f.message for f in done.report.findings if f.code in ("CFG101", "CFG105")]
        assert not unknown, (path, stage, unknown)


def test_a_small_shared_memory_adds_only_its_own_finding(shared: Path, tmp_path: Path) -> None:
    fired = 0
    for path in configs(shared):
        errors = {f.code for f in check(path, tmp_path, assume=("shm=64m", "cpus=64", "gpus=0")).report.findings if f.severity == "error"}
        assert errors <= ABSENT_DATA | {"ENV101"} | CANNOT_TRAIN.get(path.name, set()), (path, errors)
        fired += "ENV101" in errors
    assert fired > 300


@pytest.mark.parametrize("part", range(PARTS))
def test_a_well_formed_data_set_makes_every_config_pass(shared: Path, tmp_path: Path, part: int) -> None:
    for number, path in enumerate(configs(shared)[part::PARTS]):
        root = tmp_path / str(number)
        root.mkdir()
        config = collect_training_config(Request(str(path)), World(cwd=str(root)))
        lay_data(config, root)
        done = check(path, root)
        serious = [f for f in done.report.findings if f.severity != "info"]
        # a data set brings no weights, and ours has few classes; all else must be a true defect of the config
        blamed = [
            (f.code, f.severity, f.message) for f in serious if f.code not in ("WTS103", "LAB105") and verdict(f.code, f.message) is None
        ]
        assert not blamed, (path, blamed)
        assert {f.code for f in serious if f.severity == "error"} <= {"WTS103"} | CANNOT_TRAIN.get(path.name, set()), path
        if config.loaders:
            assert done.report.config.root == str(root)


def test_every_warning_is_listed_with_a_verdict(shared: Path, checked: list[tuple[Path, str, Run]]) -> None:
    """docs/corpus.md holds what `scripts/make_corpus_doc.py` would write today."""
    corpus = shared / "corpus" / "paddleclas-configs"
    text = (Path(__file__).parents[1] / "docs" / "corpus.md").read_text(encoding="utf-8")
    listed = {
        (code, file)
        for code, body in re.findall(r"(?ms)^## (\w+) .*?$(.*?)(?=^## |\Z)", text)
        for file in re.findall(r"^- `(.*?)`", body, re.M)
    }
    found = findings(corpus, checked)
    assert {(code, file) for code, file, _ in found} == listed
    assert all(verdict(code, message) for (code, _, _), (message, _) in found.items())


def loss_classes(config: TrainingConfig) -> list[int]:
    """The classes that losses keep tables of: with a hash, `class_num` is the number of its bits."""
    items = config.tree.raw("Loss.Train")
    losses = [loss for item in items if isinstance(item, dict) for loss in item.items()] if isinstance(items, list) else []
    return [params[CLASSES_OF[name]] for name, params in losses if name in CLASSES_OF and CLASSES_OF[name] in (params or {})]


def lay_data(config: TrainingConfig, root: Path) -> None:
    """Lists and image roots as the config names them: two samples of each of its first classes, another set for evaluation."""
    batches = [loader.batch_size.value for loader in config.loaders if loader.batch_size]
    # a sampler by class wants as many classes as a batch holds; others do with few
    by_class = any(loader.sampler in PER_CLASS for loader in config.loaders)
    classes = min(config.class_num.value if config.class_num else 3, max(batches) if by_class else 50, *loss_classes(config))
    for loader in config.loaders:
        batch = loader.batch_size.value if loader.batch_size else 1
        for dataset in loader.datasets:
            if dataset.image_root:
                (root / dataset.image_root.value).mkdir(parents=True, exist_ok=True)
            for item in dataset.lists:
                rule = dataset.format
                assert rule is not None
                target = root / os.path.normpath(item.value)
                target.parent.mkdir(parents=True, exist_ok=True)
                separator = " " if rule.separator is None else rule.separator
                count = max(classes * 2, batch + 1)
                lines = []
                for n in range(count):
                    columns = ["x"] * (max(rule.image_column, rule.label_column) + 1)
                    columns[rule.image_column] = f"{re.sub('[^a-z]', '_', loader.split.lower())}/{n}.jpg"
                    image = root / (dataset.image_root.value if dataset.image_root else "") / columns[rule.image_column]
                    image.parent.mkdir(parents=True, exist_ok=True)
                    image.write_bytes(numbered_picture(loader.split, n))
                    boxes = config.tree.raw(f"{dataset.key}.label_root")
                    if boxes:  # CompCars crops each image to the last line of a file of its own
                        box = root / boxes / f"{columns[rule.image_column].partition('.')[0]}.txt"
                        box.parent.mkdir(parents=True, exist_ok=True)
                        box.write_text("1\n1\n8 8 600 440\n", encoding="utf-8")
                    columns[rule.label_column] = (
                        ",".join("01"[(n + k) % 2] for k in range(classes))
                        if rule.labels == "multilabel"
                        else str(n % classes - rule.offset)
                    )
                    lines.append(separator.join(columns) + "\n")
                target.write_text("".join(lines), encoding="utf-8")


@functools.cache
def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(out, "jpeg", quality=20)
    return out.getvalue()


def numbered_picture(split: str, number: int) -> bytes:
    """A JPEG that no other sample equals: its number stands in a comment."""
    comment = f"{split} {number}".encode()
    return picture()[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture()[2:]
