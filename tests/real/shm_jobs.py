"""Loaders around the size of their /dev/shm: what is predicted, and what a container shows. For the tests and `scripts/make_shm_doc.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from checks.facts.image_shape import SampleShape
from checks.shm_sizes import INT64, PREFETCH, batch_bytes, count_batches, file_bytes, sample_fields, semaphore_bytes
from tests.projects import Project
from tests.real.daemon import ended, host_python, run_container

if TYPE_CHECKING:
    from docker import DockerClient

MIB = 1 << 20
ORACLE = Path(__file__).with_name("shm_oracle.py")
DTYPES = {"uint8": 1, "float16": 2, "float32": 4}


@dataclass(frozen=True)
class Job:
    """One loader in one container. `samples` is 0 where the list is longer than the queue; `together` are the processes that share /dev/shm."""

    shm: int
    workers: int
    batch: int
    side: int = 224
    dtype: Literal["uint8", "float16", "float32"] = "float32"
    split: Literal["Train", "Eval"] = "Train"
    samples: int = 0
    together: int = 1

    @property
    def listed(self) -> int:
        """How many samples the list has."""
        return self.samples or (PREFETCH * self.workers + 3) * self.batch

    @property
    def need(self) -> int:
        """Bytes of /dev/shm at the worst moment, by the formula.

        An evaluation on a CPU copies the images that it has in hand and frees their file; the labels' stays.
        """
        in_hand = self.split == "Train"
        queued = min(PREFETCH * self.workers + in_hand, count_batches(self.listed, self.batch, drop_last=False))
        shape = SampleShape(3, self.side, self.side, DTYPES[self.dtype])
        labels = 0 if in_hand else file_bytes(self.batch * INT64)
        return (queued * batch_bytes(self.batch, sample_fields(shape)) + labels + semaphore_bytes(self.workers)) * self.together

    @property
    def fits(self) -> bool:
        """What is predicted."""
        return self.need <= self.shm * MIB

    @property
    def around(self) -> tuple[Job, Job]:
        """The largest batch that fits, and the next one."""
        batch = 1
        while replace(self, batch=batch + 1).fits:
            batch += 1
        return replace(self, batch=batch), replace(self, batch=batch + 1)


PAIRS: tuple[tuple[Job, Job], ...] = (
    *(
        Job(**shape, batch=1).around
        for shape in (
            {"shm": 64, "workers": 1},
            {"shm": 64, "workers": 2},
            {"shm": 64, "workers": 4},
            {"shm": 64, "workers": 8},
            {"shm": 64, "workers": 2, "split": "Eval"},
            {"shm": 64, "workers": 3, "dtype": "uint8"},
            {"shm": 64, "workers": 2, "dtype": "float16", "side": 160},
            {"shm": 128, "workers": 2, "side": 448},
            {"shm": 128, "workers": 6, "side": 192, "split": "Eval"},
            {"shm": 128, "workers": 2, "together": 2},
        )
    ),
    # four workers whose list has three batches, or four; 64 MiB hold three of 32 images
    (Job(64, 4, 32, samples=96), Job(64, 4, 32, samples=128)),
    # one large image in each batch, a pixel wider and higher
    (Job(64, 1, 1, side=1364), Job(64, 1, 1, side=1365)),
)  # fmt: skip
"""Each a loader that just fits, and the next larger one, which does not."""


@dataclass(frozen=True)
class Seen:
    """What became of a job: the error of one that died, else the most that was taken of /dev/shm and the number of batches.

    `bus` tells that a worker died of SIGBUS, `alive` how many of the processes lived.
    """

    lives: bool
    alive: int
    bus: bool
    error: str | None
    paddle: str
    peak: int | None = None
    batches: int | None = None
    fields: Sequence[Any] = ()
    left: int = 0
    trace: str = ""


def project_of(folder: Path, job: Job) -> Project:
    """A project whose only loader with workers is the job's."""
    normalise = {"NormalizeImage": {"scale": "1.0/255.0", "order": "", "output_fp16": job.dtype == "float16", "channel_num": 3}}
    ops: list[Any] = [{"DecodeImage": {"to_rgb": True, "channel_first": False}}, {"ResizeImage": {"size": [job.side, job.side]}}]
    ops += [normalise] if job.dtype != "uint8" else []
    other = "Eval" if job.split == "Train" else "Train"
    samples = [(f"image/{number % 3}.png", number % 3) for number in range(job.listed)]
    key = f"DataLoader.{job.split}"
    changes = {
        "Global.epochs": 1,
        f"{key}.sampler.batch_size": job.batch,
        f"{key}.sampler.drop_last": False,
        f"{key}.loader.num_workers": job.workers,
        f"{key}.dataset.transform_ops": ops,
        f"DataLoader.{other}.loader.num_workers": 0,
    }
    given = {"train": samples} if job.split == "Train" else {"val": samples}
    return Project(folder, "modern", changes, **given)


def run_jobs(client: DockerClient, image: str, python: str, folder: Path, jobs: Iterable[Job]) -> dict[Job, Seen]:
    """Run jobs for real, each in a process of its own, those with one size of /dev/shm in one container.

    Raises:
        AssertionError: a container ended before its jobs, or a loader failed of something else.
    """
    jobs = list(dict.fromkeys(jobs))
    found: dict[Job, Seen] = {}
    for shm in sorted({job.shm for job in jobs}):
        mine = [job for job in jobs if job.shm == shm]
        orders = []
        for job in mine:
            place = folder / f"{shm}-{len(orders)}"
            project_of(place, job)
            orders.append({"folder": str(place), "config": "config.yaml", "split": job.split, "together": job.together})
        told = folder / f"jobs-{shm}.json"
        told.write_text(json.dumps(orders))
        volumes = host_python(python, also=[folder])
        command = [python, "-B", str(ORACLE), str(told)]
        with run_container(client, image, command, shm_size=f"{shm}m", volumes=volumes, tmpfs={"/tmp": ""}) as container:
            end = ended(container, timeout=60 + 30 * len(mine))
        results = [json.loads(line[len("RESULT ") :]) for line in end.text.splitlines() if line.startswith("RESULT ")]
        assert len(results) == len(mine), end.text[-3000:]
        for job, result in zip(mine, results, strict=True):
            assert "trace" not in result, result["trace"]
            found[job] = Seen(**result)
    return found
