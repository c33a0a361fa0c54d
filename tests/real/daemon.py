"""Containers of a real Docker daemon (`DOCKER_HOST`), made of busybox alone, with the host's Python mounted read-only where it is wanted.

Everything that is made carries this session's label and is removed again, also when a test fails.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tests.real.probing import unavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

ROOT = Path(__file__).resolve().parents[2]
SESSION = f"paddle-doctor-test-{uuid.uuid4().hex[:12]}"
"""Label of all that this run makes; names begin with it."""

APPLETS = (
    "sh", "cat", "cp", "df", "echo", "env", "grep", "head", "id", "kill", "ls", "mkdir", "mount", "mv", "nproc", "ps", "readlink", "rm",
    "sed", "sleep", "stat", "tail", "tar", "test", "touch", "tr", "true", "wc",
)  # fmt: skip


def busybox() -> bytes:
    """A statically linked busybox, Debian's `busybox-static`."""
    path = shutil.which("busybox", path=os.pathsep.join((os.environ.get("PATH", ""), "/bin", "/usr/bin")))
    if path is None:
        unavailable("needs busybox (Debian's busybox-static)")
    linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    if linked.returncode == 0 and "=>" in linked.stdout:
        unavailable("needs a statically linked busybox (Debian's busybox-static)")
    return Path(path).read_bytes()


def root_files(files: Mapping[str, bytes | str] | None = None, applets: Iterable[str] = APPLETS, without: Iterable[str] = ()) -> bytes:
    """A tar archive of a root file system: busybox under the names of its applets, and `files` by their paths.

    Args:
        files: content by path.
        applets: programs that there are; none gives a file system without any program.
        without: programs that there must not be. busybox's own shell knows them even where no link names them, so the shell is then the host's.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:

        def add(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, mode: int = 0o755, link: str = "") -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.mode, entry.linkname = len(data), kind, mode, link
            archive.addfile(entry, io.BytesIO(data))

        for folder, mode in (("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("sys", 0o555), ("tmp", 0o1777)):
            add(folder, kind=tarfile.DIRTYPE, mode=mode)
        add("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n", mode=0o644)
        add("etc/group", b"root:x:0:\nnogroup:x:65534:\n", mode=0o644)
        missing = set(without)
        wanted = [name for name in applets if name not in missing]
        if wanted:
            add("bin/busybox", busybox())
        for name in wanted:
            if name == "sh" and missing:
                for path, data in _with_libraries("/bin/sh").items():
                    add(path.lstrip("/"), data)
            else:
                add(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox")
        # a daemon makes folders that have no entry of their own, and forgets that somebody wants to enter them
        parents = {str(parent) for path in files or {} for parent in PurePosixPath(path.lstrip("/")).parents}
        for parent in sorted(parents - {".", "bin", "dev", "etc", "proc", "sys", "tmp"}):
            add(parent, kind=tarfile.DIRTYPE)
        for path, content in (files or {}).items():
            add(path.lstrip("/"), content.encode() if isinstance(content, str) else content, mode=0o644)
    return stream.getvalue()


def _with_libraries(program: str) -> dict[str, bytes]:
    """A program of the host and the shared libraries it is linked to, by their paths."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return {path: Path(path).read_bytes() for path in (program, *re.findall(r"(/\S+) \(0x", linked))}


def import_image(client: DockerClient, archive: bytes, tag: str, changes: Iterable[str] = ()) -> str:
    """The name of an image of these files; `changes` are instructions of a Dockerfile (`ENV …`, `USER …`, `WORKDIR …`)."""
    named = {"changes": list(changes)}
    client.api.import_image_from_data(archive, repository=SESSION, tag=tag, **named)
    return f"{SESSION}:{tag}"


@contextlib.contextmanager
def run_container(client: DockerClient, image: str, command: str | list[str] | None, **options: Any) -> Iterator[Container]:
    """A running container, gone at the end of the block whatever happens. `options` are those of `docker.containers.create`.

    There is no network in it unless `network_mode` says so, and no grace before it is killed. `start=False` leaves it created.
    """
    started = options.pop("start", True)
    options.setdefault("network_mode", "none")
    options.setdefault("name", f"{SESSION}-{uuid.uuid4().hex[:8]}")
    container = client.containers.create(image, command, labels={SESSION: ""}, **options)
    try:
        if started:
            container.start()
        yield container
    finally:
        remove(container)


def remove(container: Container) -> None:
    """Kill and remove it, with its anonymous volumes; one that is gone already is no failure."""
    from docker.errors import APIError, NotFound

    with contextlib.suppress(NotFound):
        with contextlib.suppress(APIError):
            container.unpause()
        container.remove(force=True, v=True)


@dataclass(frozen=True)
class Ended:
    """How a container's first process ended: status, stdout and stderr without NUL bytes, whether the kernel killed in it for want of memory."""

    status: int
    text: str
    out_of_memory: bool


def ended(container: Container, timeout: float = 120) -> Ended:
    """Wait for the end of the container's first process; one that runs on for longer is a failure, told with what it wrote."""
    from requests.exceptions import ConnectionError, ReadTimeout

    try:
        status = container.wait(timeout=timeout)["StatusCode"]
    except (ConnectionError, ReadTimeout):
        wrote = container.logs(tail=40).decode("utf-8", "replace").replace("\0", "")
        raise AssertionError(f"still running after {timeout} s:\n{wrote}") from None
    container.reload()
    text = container.logs().decode("utf-8", "replace").replace("\0", "")
    return Ended(status, text, bool(container.attrs["State"]["OOMKilled"]))


def host_python(*pythons: str, also: Iterable[str | Path] = ()) -> dict[str, dict[str, str]]:
    """Volumes with which these interpreters of the host run in a container: what they are made of, system libraries, this repository; read-only.

    Args:
        pythons: paths of interpreters, also of virtual environments.
        also: more files or folders of the host, seen under the same path.
    """
    paths = {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", str(ROOT), *map(str, also)}
    for python in pythons:
        told = subprocess.run(
            [python, "-c", "import sys; print(sys.prefix, sys.base_prefix, sep='\\n')"], capture_output=True, text=True, check=True
        )
        paths.update(told.stdout.splitlines())
        link = python
        while os.path.islink(link):  # a virtual environment made from another one: each link must be there
            paths.add(os.path.dirname(os.path.dirname(link)))
            link = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    outermost = [path for path in sorted(paths) if os.path.exists(path) and not any(_below(path, other) for other in paths)]
    return {os.path.realpath(path): {"bind": path, "mode": "ro"} for path in outermost}


def _below(path: str, other: str) -> bool:
    return path != other and path.startswith(other.rstrip("/") + "/")
