"""`--probe` with the real PaddlePaddle: what it measures is what a real DataLoader puts into /dev/shm.

The wheel of PaddleClas has no `ppcls.data`, so the loaders are those of a stand-in with the same entry points.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import Request, World
from checks.facts.probed_batches import ProbedBatches, collect_probed_batches
from checks.facts.training_config import collect_training_config
from checks.shm_sizes import batch_bytes
from tests.projects import CONFIG, REMOVED, Project
from tests.standin import loader, write_ppcls

ONE_BATCH = """
import json, os, sys
import paddle
paddle.set_device("cpu")
sys.path.insert(0, os.getcwd())
from ppcls.utils import logger
logger.init_logger()
import ppcls.data
class Config(dict):
    __getattr__ = dict.__getitem__
def nested(value):
    return Config((k, nested(v)) for k, v in value.items()) if isinstance(value, dict) else value
loader = ppcls.data.build_dataloader(nested(dict(json.loads(sys.argv[1]), class_num=3)), "Train", paddle.CPUPlace(), False)
for batch in loader:
    print("BATCH" + json.dumps([[str(field.dtype).replace("paddle.", ""), list(field.shape)] for field in batch]))
    break
"""


def probe(project: Project, python: str) -> ProbedBatches:
    world = World(environ={**os.environ, "PYTHONPATH": ""}, cwd=str(project.folder))
    request = Request(CONFIG, probe=True, python=python)
    return collect_probed_batches(collect_training_config(request, world), request, world)


@pytest.mark.parametrize(
    "section",
    [
        loader("Plain", 4, shape=[3, 50, 70]),
        loader("Plain", 12, dtype="uint8", labels=5),
        loader("Plain", 6, mix="mixed"),
        loader("Growing", 1),
    ],
    ids=["plain", "uint8 and soft labels", "mixed", "unequal one by one"],
)
def test_a_batch_is_that_of_the_real_loader(real_python: str, tmp_path: Path, section: dict[str, Any]) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train": section, "DataLoader.Eval": REMOVED})
    write_ppcls(tmp_path)
    found = probe(project, real_python)
    batch = found.of("Train")
    assert batch is not None, found.troubles
    assert found.paddle and found.paddle[0] in "23"
    done = subprocess.run(
        [real_python, "-c", ONE_BATCH, json.dumps({"Train": section})],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("BATCH")]
    assert lines, done.stderr[-2000:]
    real = [(dtype, tuple(shape)) for dtype, shape in json.loads(lines[0][len("BATCH") :])]
    # of a list whose images differ, the first batch need not be the largest
    exact = section["dataset"]["name"] != "Growing"
    assert [(a.dtype, a.shape) for a in batch.arrays] == real if exact else [a.dtype for a in batch.arrays] == [dtype for dtype, _ in real]


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_the_transforms_of_a_config_give_what_is_measured(real_python: str, tmp_path: Path, generation: Any) -> None:
    project = Project(tmp_path, generation)
    write_ppcls(tmp_path)
    found = probe(project, real_python)
    assert not found.troubles
    config = collect_training_config(Request(CONFIG), World(cwd=str(tmp_path)))
    for loader_ in config.used_loaders():
        batch = found.of(loader_.split)
        assert batch is not None
        assert loader_.batch_size is not None
        image = 3 * 224 * 224 * 4
        assert batch_bytes(loader_.batch_size.value, (image, 8)) == sum(-(-(a.bytes + 64) // 4096) * 4096 for a in batch.arrays)


def test_a_dataset_that_raises_and_one_whose_samples_differ(real_python: str, tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train": loader("Raising"), "DataLoader.Eval": loader("Growing")})
    write_ppcls(tmp_path)
    found = probe(project, real_python)
    assert {split: trouble.kind for split, trouble in found.troubles.items()} == {"Train": "raised", "Eval": "unequal"}
