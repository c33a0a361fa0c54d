"""What a Compose file is read to say of /dev/shm, against containers of a real daemon that were started with the same settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.facts.base import Request, World
from checks.facts.compose_file import read_compose
from checks.facts.machine import collect_shared_memory
from tests.real.daemon import ended, host_python, run_container

if TYPE_CHECKING:
    from docker import DockerClient

SAME: list[tuple[str, dict[str, Any]]] = [
    ("command: x", {}),
    ("shm_size: 96mb", {"shm_size": 96 << 20}),
    ("shm_size: '0.1g'", {"shm_size": int(0.1 * 2**30)}),
    ("shm_size: 0", {"shm_size": 0}),
    ("ipc: host", {"ipc_mode": "host"}),
    ("ipc: host\nshm_size: 96m", {"ipc_mode": "host", "shm_size": "96m"}),
    ("ipc: shareable\nshm_size: 96m", {"ipc_mode": "shareable", "shm_size": "96m"}),
    ("tmpfs: /dev/shm:size=80m,mode=1777", {"tmpfs": {"/dev/shm": "size=80m,mode=1777"}}),
    ("tmpfs: /dev/shm:size=80m\nshm_size: 96m", {"tmpfs": {"/dev/shm": "size=80m"}, "shm_size": "96m"}),
    ("tmpfs: /dev/shm:size=80m\nipc: host", {"tmpfs": {"/dev/shm": "size=80m"}, "ipc_mode": "host"}),
    ("tmpfs: /dev/shm/:size=80m", {"tmpfs": {"/dev/shm/": "size=80m"}}),
    ("tmpfs: /dev/shm:size=0x5000000", {"tmpfs": {"/dev/shm": "size=0x5000000"}}),
    ("tmpfs: /dev/shm:size=25%", {"tmpfs": {"/dev/shm": "size=25%"}}),
    ("tmpfs: /dev/shm", {"tmpfs": {"/dev/shm": ""}}),
    ("volumes: ['/dev/shm:/dev/shm']", {"volumes": ["/dev/shm:/dev/shm"]}),
    ("volumes: ['/dev:/dev']", {"volumes": ["/dev:/dev"]}),
    ("volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: 80m}}]", {"mounts": [{"size": 80 << 20}]}),
    ("volumes: [{type: tmpfs, target: /dev/shm}]", {"mounts": [{}]}),
]


@pytest.fixture
def here(tmp_path: Path) -> World:
    """This machine, which is the daemon's, without the signs that the tests themselves run in a container."""
    root = tmp_path / "machine"
    (root / "proc").mkdir(parents=True)
    (root / "proc" / "meminfo").symlink_to("/proc/meminfo")
    (root / "dev").symlink_to("/dev")
    return World(str(root), {})


@pytest.mark.parametrize(("body", "options"), SAME, ids=[body.replace("\n", ", ") for body, _ in SAME])
def test_the_size_that_is_read_is_the_size_that_is_there(
    docker_client: DockerClient, busybox_image: str, tmp_path: Path, here: World, body: str, options: dict[str, Any]
) -> None:
    from docker.types import Mount

    options = dict(options)
    if "mounts" in options:
        options["mounts"] = [Mount("/dev/shm", None, type="tmpfs", tmpfs_size=mount.get("size")) for mount in options["mounts"]]
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (tmp_path / "compose.yml").write_text(f"services:\n  train:\n    image: x\n{lines}")
    here.settings = read_compose("compose.yml", "train", {}, str(tmp_path))
    told = collect_shared_memory(Request("c.yaml"), here).size
    with run_container(docker_client, busybox_image, ["sh", "-c", "df -Pk /dev/shm | tail -1"], **options) as container:
        done = ended(container)
    assert done.status == 0, done
    measured = int(done.text.split()[1]) << 10
    assert abs(told - measured) <= (4096 if "%" not in body else 1 << 20), (told, measured)


def test_joining_a_namespace(docker_client: DockerClient, busybox_image: str, tmp_path: Path) -> None:
    """The size is that of the other container, which must share its namespace; else this one does not start."""
    from docker.errors import APIError

    text = "services:\n  a: {image: x, ipc: MODE, shm_size: 96m}\n  b: {image: x, ipc: 'service:a', shm_size: 8m}\n"
    for mode, unshared in (("shareable", None), ("private", "a")):
        (tmp_path / "compose.yml").write_text(text.replace("MODE", mode))
        found = read_compose("compose.yml", "b", {}, str(tmp_path))
        assert (found.shm, found.unshared_ipc) == (96 << 20, unshared)
        with run_container(docker_client, busybox_image, ["sleep", "60"], ipc_mode=mode, shm_size="96m") as donor:
            options = {"ipc_mode": f"container:{donor.name}", "shm_size": "8m", "start": False}
            with run_container(docker_client, busybox_image, ["df", "-Pk", "/dev/shm"], **options) as container:
                if unshared:
                    with pytest.raises(APIError, match="non-shareable"):
                        container.start()
                else:
                    container.start()
                    assert int(ended(container).text.splitlines()[-1].split()[1]) << 10 == found.shm


@pytest.mark.parametrize("options", ["size=80mb", "size=1.5g", "size=lots"])
def test_what_the_kernel_refuses_does_not_start(docker_client: DockerClient, busybox_image: str, options: str) -> None:
    from docker.errors import APIError

    from checks.facts.container_sizes import tmpfs_size

    assert tmpfs_size(options) is None
    tmpfs = {"/dev/shm": options}
    with (
        run_container(docker_client, busybox_image, ["true"], tmpfs=tmpfs, start=False) as container,
        pytest.raises(APIError, match="invalid"),
    ):
        container.start()


LOADER = """
import sys
import numpy as np, paddle
class Numbers(paddle.io.Dataset):
    def __getitem__(self, index): return np.zeros((3, 32, 32), "float32"), np.int64(0)
    def __len__(self): return 16
if __name__ == "__main__":
    shared = sys.argv[1] == "shared"
    loader = paddle.io.DataLoader(Numbers(), batch_size=4, num_workers=2, use_shared_memory=shared, places=paddle.CPUPlace())
    print("BATCHES", sum(1 for _ in loader))
"""


@pytest.mark.parametrize(
    ("options", "works"),
    [
        ({}, True),
        ({"tmpfs": {"/dev/shm": "size=64m,ro"}}, False),
        ({"tmpfs": {"/dev/shm": "size=1"}}, False),
        ({"ipc_mode": "none"}, False),
    ],
    ids=["as it is", "read-only", "a page", "without"],
)
@pytest.mark.parametrize("how", ["shared", "pipes"])
def test_a_loader_needs_a_shared_memory_that_can_be_written(
    docker_client: DockerClient, busybox_image: str, real_python: str, options: dict[str, Any], works: bool, how: str
) -> None:
    command = [real_python, "-c", LOADER, how]
    with run_container(docker_client, busybox_image, command, volumes=host_python(real_python), **options) as container:
        done = ended(container, timeout=180)
    assert ("BATCHES 4" in done.text) == works, done
    assert (done.status == 0) == works, done
