"""The lines that give a container a /dev/shm of a size, for Compose files and Kubernetes manifests; read back they are the size that was meant."""

from __future__ import annotations

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


def kubernetes_size(size: int) -> str:
    """Bytes as a quantity of Kubernetes, in the largest binary unit that leaves no fraction: `8Gi`, `1536Mi`, `100`."""
    for shift, unit in ((30, "Gi"), (20, "Mi"), (10, "Ki")):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def kubernetes_volume(size: int, volume: str = VOLUME) -> str:
    """The item of a pod's `volumes` that makes a memory volume of a size."""
    return f"- name: {volume}\n  emptyDir:\n    medium: Memory\n    sizeLimit: {kubernetes_size(size)}\n"


def kubernetes_fragment(size: int, volume: str = VOLUME, container: str = "train") -> str:
    """What the spec of a pod needs for a /dev/shm of a size: the volume, and its mount in the container."""
    listed = "".join(f"  {line}\n" for line in kubernetes_volume(size, volume).splitlines())
    mount = f"    volumeMounts:\n      - name: {volume}\n        mountPath: /dev/shm\n"
    return f"containers:\n  - name: {container}\n{mount}volumes:\n{listed}"
