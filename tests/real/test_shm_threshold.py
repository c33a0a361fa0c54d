"""Real loaders in real containers, one step on either side of the size of /dev/shm: they live and die as predicted, to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.projects import found
from tests.real.shm_jobs import PAIRS, Job, Seen, project_of, run_jobs

if TYPE_CHECKING:
    from docker import DockerClient

SEEN = dict[Job, Seen]
NAMES = [f"{fits.shm}m-{fits.workers}x{fits.batch}-{fits.side}-{fits.dtype}-{fits.split}-{fits.together}" for fits, _ in PAIRS]


@pytest.fixture(scope="module")
def seen(docker_client: DockerClient, busybox_image: str, real_python: str, tmp_path_factory: pytest.TempPathFactory) -> SEEN:
    """What became of every loader."""
    return run_jobs(docker_client, busybox_image, real_python, tmp_path_factory.mktemp("jobs"), [job for pair in PAIRS for job in pair])


@pytest.mark.parametrize("fits, over", PAIRS, ids=NAMES)
def test_it_lives_where_it_fits_and_dies_one_step_above(seen: SEEN, fits: Job, over: Job) -> None:
    assert fits.fits and not over.fits
    lived, died = seen[fits], seen[over]
    assert lived.lives and not lived.bus and lived.error is None, lived
    assert lived.peak == fits.need, (lived, fits.need)
    assert died.bus and not died.lives, died


@pytest.mark.parametrize("fits, over", PAIRS, ids=NAMES)
def test_the_rule_says_so_before(seen: SEEN, fits: Job, over: Job, tmp_path: Path) -> None:
    for job in (fits, over):
        # each card has its share of the list
        project = project_of(tmp_path / str(job.batch) / str(job.listed) / str(job.side), replace(job, samples=job.listed * job.together))
        project.set("Global.device", "gpu" if job.together > 1 else "cpu")
        project.save()
        assume = (f"shm={job.shm}m", "cpus=64", "memory=64g", f"gpus={job.together if job.together > 1 else 0}")
        run = project.check(stage=job.split.lower(), assume=assume, images="off")
        said = [finding for finding in found(run, "ENV101") if finding.severity != "info"]
        assert bool(said) != seen[job].lives, (job, said)
        if said:
            assert abs(said[0].evidence["need_bytes"] - job.need) <= 4096 * job.together
