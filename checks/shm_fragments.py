"""The lines that give a container a /dev/shm of a size, for Compose files and Kubernetes manifests; read back they are the size that was meant."""

from __future__ import annotations

from checks.facts.container_settings import ContainerSettings

VOLUME = "dshm"
"""The name of the volume where the manifest has none; the one that most examples use."""


def compose_size(size: int) -> str:
    """Bytes as Compose writes them, in the largest unit that leaves no fraction: `8gb`, `1536mb`, `100b`."""
    for shift, unit in ((30, "gb"), (20, "mb"), (10, "kb")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return f"{size}b"


def compose_line(size: int) -> str:
    """The line of a Compose file below its service: `shm_size: 8gb`."""
    return f"shm_size: {compose_size(size)}"


def kernel_size(size: int) -> str:
    """Bytes as the mount option of a tmpfs, which takes no `b`: `8g`, `1536m`, `100`."""
    for shift, unit in ((30, "g"), (20, "m"), (10, "k")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def kubernetes_size(size: int) -> str:
    """Bytes as a quantity of Kubernetes, in the largest binary unit that leaves no fraction: `8Gi`, `1536Mi`, `100`."""
    for shift, unit in ((30, "Gi"), (20, "Mi"), (10, "Ki")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def kubernetes_volume(size: int, volume: str = VOLUME) -> str:
    """The item of a pod's `volumes` that makes a memory volume of a size."""
    return f"- name: {volume}\n  emptyDir:\n    medium: Memory\n    sizeLimit: {kubernetes_size(size)}\n"


def kubernetes_mount(volume: str = VOLUME) -> str:
    """What a container needs for a volume to be its /dev/shm."""
    return f"volumeMounts:\n  - name: {volume}\n    mountPath: /dev/shm\n"


def kubernetes_fragment(size: int, volume: str = VOLUME, container: str = "train") -> str:
    """What the spec of a pod needs for a /dev/shm of a size: the volume, and its mount in the container."""
    mount = _indented(kubernetes_mount(volume), 4)
    return f"containers:\n  - name: {container}\n{mount}volumes:\n{_indented(kubernetes_volume(size, volume), 2)}"


def settings_fragment(settings: ContainerSettings, size: int) -> str | None:
    """What is to stand in the file of these settings, at `shm_location`, for a /dev/shm of a size; it takes the place of the key that is there.

    None where no line of that file decides about the size: it is the machine's, or another container's.
    """
    origin, written = settings.shm_origin, settings.shm_written or ""
    if settings.source == "compose":
        if origin in ("default", "shm-size") or (origin == "container" and settings.shm is not None and not written.startswith("/")):
            return f"{compose_line(size)}\n"
        if origin == "tmpfs" and written.startswith("/"):
            return f"tmpfs: {_resized(written, size)}\n"
        if origin == "tmpfs":
            return f"tmpfs:\n  size: {compose_size(size)}\n"
        return None
    if settings.source == "kubernetes":
        volume = settings.shm_volume or VOLUME
        if origin == "default":
            return kubernetes_fragment(size, volume, settings.name.rpartition("/")[2])
        if origin == "empty-dir":
            return f"emptyDir:\n  medium: Memory\n  sizeLimit: {kubernetes_size(size)}\n"
        if origin == "volume":
            return f"volumes:\n{_indented(kubernetes_volume(size, volume), 2)}"
    return None


def _resized(mount: str, size: int) -> str:
    """A tmpfs of the short form, `/dev/shm:size=1g,mode=1777`, with another size."""
    target, _, options = mount.partition(":")
    others = [option for option in options.split(",") if option and not option.startswith("size=")]
    return f"{target}:{','.join([f'size={kernel_size(size)}', *others])}"


def _indented(text: str, spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())
