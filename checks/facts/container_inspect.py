"""What a daemon tells about a container or an image (`inspect`), read into `ContainerSettings`. Nothing here asks or opens anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings, ContainerState
from checks.facts.container_sizes import HALF, count_cpus, tmpfs_size

SHM = "/dev/shm"

_STATES: dict[str, ContainerState] = {
    "running": "running", "paused": "paused", "restarting": "restarting", "created": "created", "exited": "exited", "dead": "dead",
    "removing": "dead",
    # Podman's own
    "configured": "created", "initialized": "created", "stopped": "exited", "stopping": "exited",
}  # fmt: skip


def settings_of_container(told: Mapping[str, Any], default_shm: int = DEFAULT_SHM) -> ContainerSettings:
    """The settings of a container that was made; where it shares /dev/shm with another, `ipc` names that one and `shm` is None."""
    config, host, state = _mapping(told, "Config"), _mapping(told, "HostConfig"), _mapping(told, "State")
    name = str(told.get("Name") or told.get("Id") or "").lstrip("/")
    ipc = str(host.get("IpcMode") or "private")
    return ContainerSettings(
        source="docker",
        name=name,
        image=_text(config.get("Image")),
        state=_state(state),
        ipc=ipc,
        memory=_positive(host.get("Memory")),
        cpus=_cpus(host),
        gpus=_gpus(host, environment(told)),
        user=_text(config.get("User")),
        read_only=host.get("ReadonlyRootfs") is True,
        workdir=_text(config.get("WorkingDir")),
        pid=_positive(state.get("Pid")),
        **_shared_memory(told, host, ipc, default_shm),
    )


def settings_of_image(told: Mapping[str, Any], name: str, default_shm: int = DEFAULT_SHM) -> ContainerSettings:
    """What a container of an image would be started with if nothing else were said."""
    config = _mapping(told, "Config")
    return ContainerSettings(
        source="docker",
        name=name,
        image=name,
        state="image",
        shm=default_shm,
        user=_text(config.get("User")),
        workdir=_text(config.get("WorkingDir")),
        gpus=0,
    )


def shares_with(settings: ContainerSettings) -> str | None:
    """The container whose /dev/shm this one uses, None for its own or the host's."""
    kind, _, name = settings.ipc.partition(":")
    return name if kind == "container" and name else None


def environment(told: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a container's programs are started with."""
    entries = _mapping(told, "Config").get("Env")
    pairs = (str(entry).partition("=") for entry in (entries if isinstance(entries, list) else ()))
    return {name: value for name, _, value in pairs}


def mounts(told: Mapping[str, Any]) -> dict[str, bool]:
    """What is mounted where, as far as the daemon knows: whether its archives show what lies there. They do not look into a tmpfs."""
    found = dict.fromkeys(("/proc", "/sys", "/dev"), False)
    host = _mapping(told, "HostConfig")
    for mount in (*_mappings(host.get("Mounts")), *_mappings(told.get("Mounts"))):
        place = str(mount.get("Target") or mount.get("Destination") or "").rstrip("/")
        if place:
            found[place] = mount.get("Type") != "tmpfs"
    found.update({str(place).rstrip("/"): False for place in _mapping(host, "Tmpfs")})
    return found


def _shared_memory(told: Mapping[str, Any], host: Mapping[str, Any], ipc: str, default_shm: int) -> dict[str, Any]:
    """The fields that tell of /dev/shm. A mount over it wins over the IPC mode."""
    tmpfs = {str(place).rstrip("/"): str(options) for place, options in _mapping(host, "Tmpfs").items()}
    if SHM in tmpfs:
        size = tmpfs_size(tmpfs[SHM])
        return {"shm_origin": "tmpfs", "shm": size.size if size else None, "shm_share": size.share if size else None}
    for mount in (*_mappings(host.get("Mounts")), *_mappings(told.get("Mounts"))):
        if str(mount.get("Target") or mount.get("Destination") or "").rstrip("/") != SHM:
            continue
        kind, source = str(mount.get("Type") or ""), str(mount.get("Source") or "").rstrip("/")
        read_only = mount.get("RW") is False or mount.get("ReadOnly") is True
        if kind == "tmpfs":
            given = _positive(_mapping(mount, "TmpfsOptions").get("SizeBytes"))
            return {"shm_origin": "tmpfs", "shm": given, "shm_share": None if given else HALF.share, "shm_read_only": read_only}
        if kind == "volume":
            return {"shm_origin": "volume", "shm_on_disk": True, "shm_read_only": read_only}
        if kind == "bind" and not source.endswith(f"{told.get('Id')}/userdata/shm"):  # Podman lists its own /dev/shm among the mounts
            return {"shm_origin": "host" if source == SHM else "bind", "shm_host_path": source, "shm_read_only": read_only}
    if ipc == "host":
        return {"shm_origin": "host", "shm_host_path": SHM}
    if ipc.startswith("container:"):
        return {"shm_origin": "container"}
    if ipc == "none":
        return {"shm_origin": "none"}
    given = _positive(host.get("ShmSize"))
    if given is None or given == default_shm:
        return {"shm_origin": "default", "shm": default_shm}
    return {"shm_origin": "shm-size", "shm": given}


def _state(state: Mapping[str, Any]) -> ContainerState:
    if state.get("Paused") is True:
        return "paused"
    if state.get("Restarting") is True:
        return "restarting"
    named = _STATES.get(str(state.get("Status") or "").lower())
    return named or ("running" if state.get("Running") is True else "exited")


def _cpus(host: Mapping[str, Any]) -> float | None:
    limits: list[float] = []
    nano, quota, period = (_positive(host.get(key)) for key in ("NanoCpus", "CpuQuota", "CpuPeriod"))
    if nano:
        limits.append(nano / 1e9)
    if quota:
        limits.append(quota / (period or 100_000))
    cpuset = count_cpus(str(host.get("CpusetCpus") or ""))
    if cpuset:
        limits.append(float(cpuset))
    return min(limits, default=None)


def _gpus(host: Mapping[str, Any], environ: Mapping[str, str]) -> int | None:
    """How many GPUs it gets; None for all that there are."""
    counts: list[int | None] = []
    for request in _mappings(host.get("DeviceRequests")):
        sets = request.get("Capabilities")
        gpu = request.get("Driver") == "nvidia" or any(isinstance(names, list) and "gpu" in names for names in (sets or []))
        if not gpu and not any("nvidia.com/gpu" in str(device) for device in request.get("DeviceIDs") or []):
            continue
        count, devices = request.get("Count"), request.get("DeviceIDs")
        if isinstance(devices, list) and devices:
            counts.append(None if any(str(device).endswith("all") for device in devices) else len(devices))
        else:
            counts.append(count if type(count) is int and count >= 0 else None)
    visible = environ.get("NVIDIA_VISIBLE_DEVICES")
    if host.get("Runtime") == "nvidia" and visible is not None and not counts:
        if visible.strip().lower() in ("", "none", "void"):
            counts.append(0)
        else:
            counts.append(None if visible.strip().lower() == "all" else len([part for part in visible.split(",") if part.strip()]))
    if not counts:
        return 0
    return None if None in counts else sum(count or 0 for count in counts)


def _mapping(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = told.get(key)
    return found if isinstance(found, dict) else {}


def _mappings(found: Any) -> list[Mapping[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _positive(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
