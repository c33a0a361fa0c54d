"""The arithmetic of ENV101 against what PaddlePaddle really puts into /dev/shm, to the byte."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from checks.facts.image_shape import SampleShape
from checks.shm_sizes import batch_bytes, count_batches, need, sample_fields
from tests.real.probing import unavailable

PROBE = os.path.join(os.path.dirname(__file__), "probe_loader.py")
OWN_SHM = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=512m tmpfs /dev/shm && exec "$@"', "sh"]
"""Runs a program with a /dev/shm of its own, so that nobody else's files count, and unlinked ones do."""


def measured(python: str, workers: int, batch: int, side: int, samples: int, drop_last: bool, epochs: int) -> dict[str, list[int]]:
    if subprocess.run([*OWN_SHM, "true"], capture_output=True, check=False).returncode:
        unavailable("needs to mount a /dev/shm of its own: run as root")
    numbers = map(str, (workers, batch, side, samples, int(drop_last), epochs))
    done = subprocess.run([*OWN_SHM, python, PROBE, *numbers], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("workers", "batch", "side", "samples"),
    [
        (1, 8, 128, 160),
        (2, 8, 128, 160),
        (4, 4, 128, 160),
        (8, 8, 64, 320),
        (4, 8, 128, 24),  # three batches: fewer than the queue holds
        (4, 600, 8, 9000),  # 600 labels fill more than a page
        (1, 1, 224, 10),
    ],
)
def test_peak_of_an_epoch_is_what_the_formula_says(real_python: str, workers: int, batch: int, side: int, samples: int) -> None:
    fields = sample_fields(SampleShape(3, side, side, 4))
    batches = count_batches(samples, batch, drop_last=False)
    found = measured(real_python, workers, batch, side, samples, drop_last=False, epochs=1)
    assert found["batches"] == batches
    assert found["peaks"] == [need(workers, batch_bytes(batch, fields), batches=batches).total]


@pytest.mark.parametrize(("workers", "batch", "samples", "drop_last"), [(2, 8, 160, True), (4, 8, 163, False), (1, 8, 167, True)])
def test_peak_of_the_second_epoch_has_the_last_batch_of_the_first(
    real_python: str, workers: int, batch: int, samples: int, drop_last: bool
) -> None:
    fields = sample_fields(SampleShape(3, 128, 128, 4))
    found = measured(real_python, workers, batch, 128, samples, drop_last, epochs=2)
    full = batch_bytes(batch, fields)
    last = full if drop_last or not samples % batch else batch_bytes(samples % batch, fields)
    assert found["peaks"] == [need(workers, full).total, need(workers, full, epochs=2, last_batch=last).total]
