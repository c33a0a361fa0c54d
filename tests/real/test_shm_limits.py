"""What becomes of a real DataLoader at the limits of /dev/shm: enlarged while its container runs, larger than the memory, not there at all."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doctor.report import ReportedFinding
from doctor.run import run_check
from doctor.settings import Settings
from tests.projects import CONFIG, Project, found, numbered
from tests.real.daemon import host_python, import_image, root_files, run_container
from tests.real.probing import unavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LOADER = Path(__file__).with_name("lone_loader.py")
WORKERS, BATCH = 4, 16
"""Nine batches of 16 images of 224 px are 82.8 MiB."""
LISTED = 704
"""More samples than any queue here holds."""


@pytest.fixture(scope="module")
def image(docker_client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """busybox, and in /work a project whose training loader is the one that is run."""
    folder = tmp_path_factory.mktemp("project")
    samples = numbered(*(number % 3 for number in range(LISTED)))
    project = Project(folder, "modern", {"train_batch": BATCH, "train_workers": WORKERS, "eval_workers": 0}, train=samples)
    files = {f"/work/{name}": (project.folder / name).read_bytes() for name in (CONFIG, "data/train_list.txt", "data/val_list.txt")}
    return import_image(docker_client, root_files(files), "limits", ["WORKDIR /work"])


def run(
    container: Container, python: str, *, workers: int = WORKERS, batch: int = BATCH, side: int = 224, shared: bool = True
) -> dict[str, Any]:
    """What became of a loader; a process that was killed from outside has no more than its status."""
    command = [python, "-B", str(LOADER), *map(str, (workers, batch, side, int(shared)))]
    status, output = container.exec_run(command)
    text = output.decode("utf-8", "replace").replace("\0", "")
    lines = [line for line in text.splitlines() if line.startswith("RESULT ")]
    told: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT ")) if lines else {"lives": False, "error": None}
    return {**told, "status": status, "text": text}


def findings(container: Container, *overrides: str) -> list[ReportedFinding]:
    """What ENV101 says from outside."""
    checked = run_check(
        CONFIG, overrides, container=container.name, lang="en", select=("ENV101",), images="off", cache=False, settings=Settings()
    )
    assert not checked.crashes, checked.crashes
    return found(checked, "ENV101")


def test_a_running_containers_shared_memory_is_enlarged_by_the_offered_command(
    docker_client: DockerClient, image: str, real_python: str
) -> None:
    if os.geteuid() != 0:
        unavailable("needs root: another namespace's mount is changed")
    with run_container(docker_client, image, ["sleep", "600"], volumes=host_python(real_python), tmpfs={"/tmp": ""}) as container:
        (finding,) = findings(container)
        assert finding.severity == "error"
        died = run(container, real_python)
        assert not died["lives"] and "BUS error" in died["text"], died
        (remount,) = [fix for fix in finding.fixes if fix.command and "remount" in fix.command]
        assert remount.safety == "unsafe" and remount.command is not None
        sudo, *command = shlex.split(remount.command)
        assert sudo == "sudo"
        subprocess.run(command, check=True, timeout=30)
        # a worker that died while it wrote leaves its file, and is a zombie, for nobody asks after it
        left = [fix.command for finding in findings(container) for fix in finding.fixes if fix.command and fix.command.startswith("rm ")]
        for remove in left:
            assert container.exec_run(shlex.split(remove))[0] == 0
        again = findings(container)
        assert again == [], (again[0].message, container.exec_run(["sh", "-c", "ls -l /dev/shm; ps"])[1].decode())
        lived = run(container, real_python)
        assert lived["lives"] and lived["batches"] == 2 * WORKERS + 3, lived


def test_a_memory_limit_below_the_need_kills_however_large_dev_shm_is(docker_client: DockerClient, image: str, real_python: str) -> None:
    # five batches of 147 MiB; the import of paddle itself takes a third of the limit
    wide = {"workers": 2, "batch": 64, "side": 448}
    size = "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size=448"
    loader = ("DataLoader.Train.loader.num_workers=2", "DataLoader.Train.sampler.batch_size=64", size)
    common: dict[str, Any] = {"volumes": host_python(real_python), "tmpfs": {"/tmp": ""}, "shm_size": "2g"}
    limit = {"mem_limit": "600m", "memswap_limit": "600m"}
    with run_container(docker_client, image, ["sleep", "600"], **common, **limit) as container:
        (finding,) = findings(container, *loader)
        died = run(container, real_python, **wide)
        assert finding.severity == "error" and finding.evidence["need_bytes"] > 600 << 20
        # the kernel kills without a word: the main process says what it says when /dev/shm is full, no worker says why
        assert not died["lives"] and "BUS error" not in died["text"], died
    with run_container(docker_client, image, ["sleep", "600"], **common) as container:
        lived = run(container, real_python, **wide)
        assert lived["lives"], lived


@pytest.mark.parametrize("shared", [True, False])
def test_without_dev_shm_no_worker_starts(docker_client: DockerClient, image: str, real_python: str, shared: bool) -> None:
    with run_container(
        docker_client, image, ["sleep", "600"], volumes=host_python(real_python), tmpfs={"/tmp": ""}, ipc_mode="none"
    ) as container:
        (finding,) = findings(container, f"DataLoader.Train.loader.use_shared_memory={shared}")
        assert (finding.severity, finding.evidence["num_workers"]) == ("error", WORKERS)
        died = run(container, real_python, shared=shared)
        # a queue's semaphores are files there, whichever way the batches take
        assert (died["lives"], died["batches"], died["error"]) == (False, 0, "FileNotFoundError"), died
