"""Fact `ContainerSettings`: what a container was, or would be, started with, as its daemon or a file of settings tells it.

Nothing here is measured: a limit may be lowered further by what the container runs in (a parent cgroup, the node, the virtual machine of Docker
Desktop).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.model import Location

SettingsSource = Literal["docker", "compose", "kubernetes"]

ContainerState = Literal["running", "paused", "restarting", "created", "exited", "dead", "image", "file"]
"""The states of the Docker Engine API; `image` and `file` are containers that are still to be made."""

ShmOrigin = Literal["default", "shm-size", "tmpfs", "bind", "host", "container", "volume", "empty-dir", "none"]
"""What decides about /dev/shm: the runtime's default, a size that was given, a tmpfs, bind, volume or emptyDir mounted over it, the host's or another
container's (both by the IPC mode), or that there is none."""

DEFAULT_SHM = 64 << 20
"""Bytes of /dev/shm where nobody says otherwise: Docker's `opts.DefaultShmSize` and containerd's CRI plug-in (`pkg/oci.WithDevShmSize`, 65536k)."""


class ContainerSettings(Fact, frozen=True):
    """What a container is started with. Sizes in bytes; None where nothing is told, or where there is no limit.

    Attributes:
        name: the container's, service's or image's name, as the user finds it again.
        ipc: `private`, `shareable`, `host`, `none` or `container:NAME`.
        shm: the size of /dev/shm; None where the settings do not tell it (the host's, a bind, a disk, a share of the machine's memory).
        shm_location: the value that decides about it, else where such a value would be put in; None where there is no file.
        cpus: how many processors it may use, as a quota or a set.
        pid: of the container's first process, as the host counts; None where it does not run.
        file: the file that was asked for, as the user calls it; None where a daemon was asked.
        shm_written: the size as the file has it, None where it has none.
        shm_share: what part of the machine's memory /dev/shm may take, where its size is told so.
        shm_host_path: the folder of the machine that is /dev/shm in the container.
        shm_on_disk: /dev/shm is a folder on a disk: it has no size of its own, and is slow.
        shm_volume: the name of the Kubernetes volume that is mounted there, or seems meant to be.
        shm_read_only: it is mounted so that nothing can be written.
        shm_hidden: a size that is given and counts for nothing, for something else decides.
        build_shm: `build.shm_size` of a compose file, which counts while the image is built and never when it runs.
        spare_volume: a memory volume that looks meant for /dev/shm, and is not mounted there.
        unshared_ipc: the service whose IPC namespace is to be joined and that does not share it.
    """

    source: SettingsSource
    name: str
    image: str | None = None
    state: ContainerState = "file"
    ipc: str = "private"
    shm: int | None = None
    shm_origin: ShmOrigin = "default"
    shm_location: Location | None = None
    memory: int | None = None
    cpus: float | None = None
    gpus: int | None = None
    user: str | None = None
    read_only: bool = False
    workdir: str | None = None
    pid: int | None = None
    file: str | None = None
    shm_written: str | None = None
    shm_share: float | None = None
    shm_host_path: str | None = None
    shm_on_disk: bool = False
    shm_volume: str | None = None
    shm_read_only: bool = False
    shm_hidden: Location | None = None
    build_shm: int | None = None
    memory_location: Location | None = None
    spare_volume: Location | None = None
    unshared_ipc: str | None = None


def sharing(settings: ContainerSettings, other: ContainerSettings) -> ContainerSettings:
    """The settings with the /dev/shm of another container, which `ipc` then names as the user knows it."""
    return msgspec.structs.replace(
        settings,
        ipc=f"container:{other.name}",
        shm=other.shm,
        shm_share=other.shm_share,
        shm_host_path=other.shm_host_path,
        shm_origin="container",
        shm_location=other.shm_location,
        shm_written=other.shm_written,
    )


@collects(ContainerSettings, deadline=5.0)
def collect_container_settings(world: World) -> ContainerSettings:
    """Those of the container that was asked for.

    Raises:
        Unreadable: none was.
    """
    if world.settings is None:
        raise Unreadable("no-container-settings")
    return world.settings
