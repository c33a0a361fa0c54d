"""The settings of one container of a Kubernetes manifest, read as a file: no cluster is asked.

Pods are found wherever they stand: every mapping with a list `containers` is the spec of one, be it a Pod's own or a template inside a Deployment,
a Job, a List or the resource of an operator (PaddleJob, PyTorchJob, Volcano's Job, KServe's InferenceService).

Sources: kubernetes `pkg/volume/emptydir/empty_dir.go` and `pkg/kubelet/cm` on the size of memory volumes, `pkg/features/kube_features.go` on since
when they have one (`SizeMemoryBackedVolumes` is on from 1.22 and stable from 1.32; before, such a volume is half of the node's memory); containerd's
CRI plug-in on what /dev/shm is without a volume, and with `hostIPC`.
"""

from __future__ import annotations

import math
import os
import posixpath
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import msgspec

from checks.facts.base import Unreadable
from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings
from checks.facts.container_sizes import LARGEST, quantity, whole_quantity
from checks.facts.settings_files import Part, chosen, part_of, read_settings

SHM = "/dev/shm"

CRIO_SHM_SIZE = "io.kubernetes.cri-o.ShmSize"
"""An annotation by which CRI-O sizes /dev/shm, where its administrator allows that."""

_PLAIN_KEYS = frozenset({"spec", "template", "items", "jobTemplate", "podTemplate", "containers", "initContainers"})


class _Found(NamedTuple):
    """A container in its pod; `names` are those by which it may be called, outermost first, its own last."""

    names: tuple[str, ...]
    container: Part
    pod: Part
    annotations: Part | None
    claims: frozenset[str]

    @property
    def name(self) -> str:
        return "/".join(self.names)


def read_kubernetes(path: str, container: str | None, cwd: str) -> ContainerSettings:
    """The settings of a container: `NAME`, or `OWNER/NAME` where several have that name; without it those of the only one.

    Raises:
        Unreadable: no file, no containers in it, no such container, several, or a quantity that Kubernetes refuses too; a phrase of one line.
    """
    found = [one for tree in read_settings(os.path.join(cwd, path), path) for one in _containers(part_of(tree, ()))]
    if not found:
        raise Unreadable("kubernetes-no-containers", file=path)
    candidates = [one for one in found if container is None or _is_called(one, container)]
    if not candidates:
        chosen([one.name for one in found], container or "", path, "kubernetes")
    told = [_settings(one) for one in candidates]
    if any(_without_places(settings) != _without_places(told[0]) for settings in told):
        chosen([one.name for one in candidates], None, path, "kubernetes")
    return msgspec.structs.replace(told[0], file=path)  # those of a launcher and of its workers are often alike


def _is_called(one: _Found, wanted: str) -> bool:
    """Whether a name means this container: its own, with those of what it is in before it, any of which may be left out."""
    *owners, own = wanted.split("/")
    left = iter(one.names[:-1])
    return own == one.names[-1] and all(owner in left for owner in owners)


def _without_places(settings: ContainerSettings) -> ContainerSettings:
    return msgspec.structs.replace(settings, name="", shm_location=None, memory_location=None, spare_volume=None, shm_hidden=None)


def _containers(document: Part) -> Iterator[_Found]:
    """Every container below a document, in the order of the file."""
    stack: list[tuple[Part, tuple[str, ...], Part | None, frozenset[str]]] = [(document, (), None, frozenset())]
    while stack:
        here, names, metadata, claims = stack.pop()
        if here.items():
            stack += [(item, names, None, claims) for item in reversed(here.items())]
            continue
        kind, own = here.get("kind"), here.get("metadata", "name") or here.get("name")
        if kind is not None and here.get("apiVersion") is not None:
            names = tuple(name for name in (kind.written, own.written if own else "") if name)
        elif own is not None and not isinstance(own.value, (dict, list)) and here.get("template") is not None:
            names = (*names, own.written)  # a task of Volcano
        templates = here.get("volumeClaimTemplates")
        if templates is not None:
            claims = frozenset(name.written for item in templates.items() if (name := item.get("metadata", "name")))
        metadata = here.get("metadata") or metadata
        listed = here.get("containers")
        bodies = [item for key in ("containers", "initContainers") if (part := here.get(key)) for item in part.items() if item.entries()]
        if listed is not None and listed.items() and any(body.get("image") or body.get("name") for body in bodies):
            for body in bodies:
                name = body.get("name")
                yield _Found((*names, name.written if name else "?"), body, here, metadata.get("annotations") if metadata else None, claims)
            continue
        for key, part in reversed(here.entries().items()):
            if part.entries() or part.items():
                role = (key,) if key not in _PLAIN_KEYS and part.get("template") is not None else ()
                stack.append((part, (*names, *role), metadata if key == "spec" else None, claims))


def _settings(one: _Found) -> ContainerSettings:
    container, pod = one.container, one.pod
    memory = container.get("resources", "limits", "memory") or pod.get("resources", "limits", "memory")
    cpu = container.get("resources", "limits", "cpu") or pod.get("resources", "limits", "cpu")
    user = container.get("securityContext", "runAsUser") or pod.get("securityContext", "runAsUser")
    group = container.get("securityContext", "runAsGroup") or pod.get("securityContext", "runAsGroup")
    cpus = float(_quantity(cpu) or 0)
    host_ipc = _is_true(pod.get("hostIPC"))
    return msgspec.structs.replace(
        _shm(one, host_ipc),
        image=_text(container.get("image")),
        memory=_bytes(memory) or None,
        memory_location=memory.location if memory else None,
        cpus=cpus or None,
        gpus=_gpus(container),
        user=None if user is None else user.written + (f":{group.written}" if group else ""),
        read_only=_is_true(container.get("securityContext", "readOnlyRootFilesystem")),
        workdir=_text(container.get("workingDir")),
    )


def _shm(one: _Found, host_ipc: bool) -> ContainerSettings:
    """What is at /dev/shm: a volume that is mounted there, the node's own with `hostIPC`, or the runtime's 64 MiB."""
    volumes = {name.written: item for item in _items(one.pod.get("volumes")) if (name := item.get("name"))}
    mounts = [mount for mount in _items(one.container.get("volumeMounts")) if mount.get("mountPath")]
    found = ContainerSettings("kubernetes", one.name, ipc="host" if host_ipc else "private")
    for mount in mounts:
        if posixpath.normpath(_text(mount.get("mountPath")) or "") == SHM:
            volume, read_only = _text(mount.get("name")) or "", _is_true(mount.get("readOnly"))
            return _mounted(msgspec.structs.replace(found, shm_volume=volume, shm_read_only=read_only), mount, volumes.get(volume), one)
    spare = next((item for item in volumes.values() if _is_spare(item, one)), None)
    if spare is not None:
        found = msgspec.structs.replace(found, spare_volume=spare.location, shm_volume=_text(spare.get("name")))
    if host_ipc:
        at = one.pod.place("hostIPC")
        return msgspec.structs.replace(found, shm_origin="host", shm_location=at, shm_host_path=SHM)
    size = one.annotations.get(CRIO_SHM_SIZE) if one.annotations else None
    if size is not None:
        return msgspec.structs.replace(found, shm_origin="shm-size", shm=_bytes(size), shm_location=size.location, shm_written=size.written)
    return msgspec.structs.replace(found, shm=DEFAULT_SHM, shm_location=one.container.place("volumeMounts"))


def _mounted(found: ContainerSettings, mount: Part, volume: Part | None, one: _Found) -> ContainerSettings:
    if volume is None:  # a claim of a StatefulSet, or nothing: then the manifest is refused
        return msgspec.structs.replace(found, shm_origin="volume", shm_on_disk=found.shm_volume in one.claims, shm_location=mount.location)
    host = volume.get("hostPath")
    if host is not None:
        source = posixpath.normpath(_text(host.get("path")) or "/")
        return msgspec.structs.replace(found, shm_origin="bind", shm_host_path=source, shm_location=(host.get("path") or host).location)
    kinds = set(volume.entries()) - {"name"}
    if kinds and kinds != {"emptyDir"}:
        return msgspec.structs.replace(
            found, shm_origin="volume", shm_location=volume.location, shm_on_disk="persistentVolumeClaim" in kinds
        )
    empty = volume.get("emptyDir")
    medium = empty.get("medium") if empty else None
    found = msgspec.structs.replace(found, shm_origin="empty-dir")
    if medium is None or not medium.written:
        place = empty.place("medium") if empty else volume.place("emptyDir")
        return msgspec.structs.replace(found, shm_on_disk=True, shm_location=place)
    if medium.written != "Memory":  # huge pages
        return msgspec.structs.replace(found, shm_location=medium.location)
    assert empty is not None
    limit = empty.get("sizeLimit")
    size, pod = _bytes(limit), _pod_memory(one.pod)
    written = limit.written if limit else None
    known = [number for number in (size, pod) if number]
    at = empty.place("sizeLimit")
    return msgspec.structs.replace(found, shm=min(known, default=None), shm_location=at, shm_written=written)


def _pod_memory(pod: Part) -> int | None:
    """The memory limit of a pod in bytes: its own, or the sum of its containers' if each has one; None where it has none."""
    own = _bytes(pod.get("resources", "limits", "memory"))
    if own:
        return own
    total = most = 0
    for key in ("initContainers", "containers"):
        for item in _items(pod.get(key)):
            limit = _bytes(item.get("resources", "limits", "memory"))
            if not limit:
                return None
            if key == "containers" or _text(item.get("restartPolicy")) == "Always":
                total += limit
            else:
                most = max(most, total + limit)
    overhead = _bytes(pod.get("overhead", "memory")) or 0
    return max(total, most) + overhead


def _is_spare(volume: Part, one: _Found) -> bool:
    """Whether a volume looks meant for /dev/shm: in memory, named so, and mounted there by no container of the pod."""
    medium = volume.get("emptyDir", "medium")
    name = _text(volume.get("name")) or ""
    if medium is None or medium.written != "Memory" or "shm" not in name.lower():
        return False
    bodies = [*_items(one.pod.get("containers")), *_items(one.pod.get("initContainers"))]
    mounts = [mount for body in bodies for mount in _items(body.get("volumeMounts"))]
    places = [posixpath.normpath(_text(mount.get("mountPath")) or "") for mount in mounts if _text(mount.get("name")) == name]
    return SHM not in places


def _gpus(container: Part) -> int | None:
    """How many GPUs the container gets of a device plug-in; None where it asks for none: a node may show them all the same."""
    limits: dict[str, Part] = {}
    for key in ("requests", "limits"):
        part = container.get("resources", key)
        limits.update(part.entries() if part else {})
    named = [part for name, part in limits.items() if name.endswith(("/gpu", "/nvidia-gpu")) or name.startswith("nvidia.com/mig-")]
    found = [whole_quantity(part.value) for part in named]
    return sum(number or 0 for number in found) if found else None


def _items(part: Part | None) -> list[Part]:
    return [item for item in part.items() if item.entries()] if part else []


def _text(part: Part | None) -> str | None:
    return part.written or None if part is not None else None


def _is_true(part: Part | None) -> bool:
    return part is not None and part.value is True


def _quantity(part: Part | None) -> Fraction | None:
    """A number; None where nothing is told.

    Raises:
        Unreadable: Kubernetes refuses it too.
    """
    if part is None:
        return None
    number = quantity(part.value)
    if number is None or number < 0:
        at = part.location
        raise Unreadable("kubernetes-quantity-wrong", file=at.file, line=at.line, column=at.column, text=part.written[:100])
    return number


def _bytes(part: Part | None) -> int | None:
    """Bytes; None where nothing is told. A fraction of one is rounded up, as `Quantity.Value` does."""
    number = _quantity(part)
    return None if number is None else min(math.ceil(number), LARGEST)
