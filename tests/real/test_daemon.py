"""What the other tests with containers stand on: images, containers and the host's Python in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.real.daemon import ended, host_python, import_image, root_files, run_container

if TYPE_CHECKING:
    from docker import DockerClient


def test_a_container_has_the_shared_memory_it_was_given_and_is_gone_afterwards(docker_client: DockerClient, busybox_image: str) -> None:
    for size, blocks in ((None, 65536), ("96m", 98304)):
        with run_container(docker_client, busybox_image, ["df", "-k", "/dev/shm"], shm_size=size) as container:
            done = ended(container)
            assert done.status == 0 and done.text.splitlines()[-1].split()[1] == str(blocks), done
        assert container.id not in [c.id for c in docker_client.containers.list(all=True)]


def test_an_image_may_lack_programs_and_have_files(docker_client: DockerClient) -> None:
    image = import_image(docker_client, root_files({"/work/a.yaml": "a: 1\n"}, without=("df",)), "no-df", ["WORKDIR /work"])
    with run_container(docker_client, image, ["sh", "-c", "cat a.yaml; df || exit 7"]) as container:
        done = ended(container)
    assert done.status == 7 and "a: 1\n" in done.text and "df: not found" in done.text


def test_this_python_runs_in_a_container(docker_client: DockerClient, busybox_image: str) -> None:
    command = [sys.executable, "-c", "import msgspec, os; print(os.statvfs('/dev/shm').f_blocks * os.statvfs('/dev/shm').f_frsize)"]
    with run_container(docker_client, busybox_image, command, volumes=host_python(sys.executable), shm_size="80m") as container:
        done = ended(container)
    assert (done.status, done.text.strip()) == (0, str(80 << 20))
