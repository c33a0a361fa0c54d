"""The formula of ENV101 against what PaddlePaddle really puts into /dev/shm."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from checks.facts.image_shape import SampleShape
from checks.shm_sizes import count_batches, queued_batches

PROBE = os.path.join(os.path.dirname(__file__), "probe_loader.py")


@pytest.mark.parametrize(
    ("workers", "batch", "samples"),
    [
        (1, 8, 160),
        (2, 8, 160),
        (4, 4, 160),
        (4, 8, 24),  # three batches: fewer than the queue holds
        (2, 8, 20),  # the last batch is not full
    ],
)
def test_peak_is_what_the_formula_says(real_python: str, workers: int, batch: int, samples: int) -> None:
    sample = SampleShape(3, 128, 128, 4)
    done = subprocess.run(
        [real_python, PROBE, *map(str, (workers, batch, 128, samples, 0))], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    measured = json.loads(done.stdout.splitlines()[-1])
    batches = count_batches(samples, batch, drop_last=False)
    assert measured["batches"] == batches
    need = queued_batches(workers, batches) * batch * sample.bytes
    # the last batch may be smaller; each file is rounded up to a page
    short = (batches * batch - samples) * sample.bytes if queued_batches(workers, batches) == batches else 0
    assert need - short <= measured["peak"] <= need + 4096 * measured["files"], measured
