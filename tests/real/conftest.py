"""Tests against the real PaddlePaddle and PaddleClas, in an interpreter of their own (`PADDLE_DOCTOR_REAL_PYTHON`), and a Docker daemon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.real.daemon import SESSION, import_image, remove, root_files
from tests.real.probing import unavailable

if TYPE_CHECKING:
    from docker import DockerClient


@pytest.fixture(scope="session")
def real_python() -> str:
    """An interpreter that has paddle and paddleclas; without one these tests are skipped, in CI they fail."""
    for python in filter(None, (os.environ.get("PADDLE_DOCTOR_REAL_PYTHON"), sys.executable)):
        found = subprocess.run(
            [python, "-c", "import importlib.util as u; import sys; sys.exit(not (u.find_spec('paddle') and u.find_spec('paddleclas')))"],
            check=False,
        )
        if found.returncode == 0:
            return python
    return unavailable("needs an interpreter with paddlepaddle and paddleclas in PADDLE_DOCTOR_REAL_PYTHON")


@pytest.fixture(scope="session")
def docker_client() -> Iterator[DockerClient]:
    """The daemon that `DOCKER_HOST` names; nothing is ever made on a daemon that was not named.

    At the end all that this run made there is removed.
    """
    host = os.environ.get("DOCKER_HOST", "")
    if not host:
        unavailable("needs a Docker daemon for tests: name its socket in DOCKER_HOST")
    try:
        import docker
    except ModuleNotFoundError:
        unavailable("needs the Docker SDK for Python: pip install docker")
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as plain:  # the SDK would leave its own open when it fails
            try:
                plain.connect(host.removeprefix("unix://"))
            except OSError as error:
                unavailable(f"no Docker daemon at {host}: {error}")
    client = docker.from_env(timeout=60)
    yield client
    for container in client.containers.list(all=True, filters={"label": SESSION}):
        remove(container)
    for image in client.images.list(name=SESSION):
        client.images.remove(image.id, force=True)
    client.close()


@pytest.fixture(scope="session")
def busybox_image(docker_client: DockerClient) -> str:
    """An image with busybox as its only program."""
    return import_image(docker_client, root_files(), "busybox")
