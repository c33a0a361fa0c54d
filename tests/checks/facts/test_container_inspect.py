"""What a daemon tells of a container, read into its settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.container_inspect import (
    environment,
    settings_of_container,
    settings_of_image,
    shares_with,
)
from checks.facts.container_settings import sharing

MIB = 1 << 20


def told(host: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "Id": "f" * 64,
        "Name": "/trainer",
        "Config": {"Image": "paddle:2.6", "User": "", "WorkingDir": "/work", "Env": ["A=b=c", "EMPTY="], **more.pop("Config", {})},
        "HostConfig": {"ShmSize": 64 * MIB, "IpcMode": "private", **(host or {})},
        "State": {"Status": "running", "Running": True, "Pid": 77},
        **more,
    }


SHM: list[tuple[dict[str, Any], tuple[str, int | None, str | None]]] = [
    ({}, ("default", 64 * MIB, None)),
    ({"ShmSize": 8 << 30}, ("shm-size", 8 << 30, None)),
    ({"ShmSize": 0}, ("default", 64 * MIB, None)),
    ({"IpcMode": "host"}, ("host", None, "/dev/shm")),
    ({"IpcMode": "none"}, ("none", None, None)),
    ({"IpcMode": "container:abc"}, ("container", None, None)),
    ({"Tmpfs": {"/dev/shm": "rw,size=128m"}}, ("tmpfs", 128 * MIB, None)),
    ({"Tmpfs": {"/dev/shm/": "size=1g"}}, ("tmpfs", 1 << 30, None)),
    ({"Tmpfs": {"/dev/shm": ""}}, ("tmpfs", None, None)),
    ({"Tmpfs": {"/tmp": "size=1g"}}, ("default", 64 * MIB, None)),
    ({"Mounts": [{"Type": "tmpfs", "Target": "/dev/shm", "TmpfsOptions": {"SizeBytes": 20 * MIB}}]}, ("tmpfs", 20 * MIB, None)),
    ({"Mounts": [{"Type": "tmpfs", "Target": "/dev/shm"}]}, ("tmpfs", None, None)),
    ({"Mounts": [{"Type": "bind", "Target": "/dev/shm", "Source": "/dev/shm"}]}, ("host", None, "/dev/shm")),
    ({"Mounts": [{"Type": "bind", "Target": "/dev/shm", "Source": "/mnt/big"}], "IpcMode": "host"}, ("bind", None, "/mnt/big")),
    ({"Mounts": [{"Type": "volume", "Target": "/dev/shm", "Source": "v"}]}, ("volume", None, None)),
]


@pytest.mark.parametrize("host, expected", SHM)
def test_what_decides_about_dev_shm(host: dict[str, Any], expected: tuple[str, int | None, str | None]) -> None:
    found = settings_of_container(told(host))
    assert (found.shm_origin, found.shm, found.shm_host_path) == expected
    assert found.shm_share == (0.5 if expected[:2] == ("tmpfs", None) else None)


def test_the_mounts_of_a_running_container_count_as_well() -> None:
    bound = told(Mounts=[{"Type": "bind", "Source": "/mnt", "Destination": "/dev/shm", "RW": False}])
    assert settings_of_container(bound).shm_host_path == "/mnt" and settings_of_container(bound).shm_read_only
    podman = told(Mounts=[{"Type": "bind", "Source": f"/var/lib/containers/{'f' * 64}/userdata/shm", "Destination": "/dev/shm"}])
    assert settings_of_container(podman).shm_origin == "default"


@pytest.mark.parametrize(
    "host, expected",
    [
        ({}, None),
        ({"NanoCpus": 1_500_000_000}, 1.5),
        ({"CpuQuota": 50_000}, 0.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 25_000}, 2.0),
        ({"CpusetCpus": "0-3,8"}, 5.0),
        ({"CpusetCpus": "0", "NanoCpus": 4_000_000_000}, 1.0),
        ({"CpusetCpus": "x"}, None),
    ],
)
def test_processors(host: dict[str, Any], expected: float | None) -> None:
    assert settings_of_container(told(host)).cpus == expected


@pytest.mark.parametrize(
    "host, env, expected",
    [
        ({}, [], 0),
        ({"DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]}, [], None),
        ({"DeviceRequests": [{"Driver": "nvidia", "Count": 2, "Capabilities": [["gpu", "compute"]]}]}, [], 2),
        ({"DeviceRequests": [{"DeviceIDs": ["0", "3", "GPU-x"], "Capabilities": [["gpu"]]}]}, [], 3),
        ({"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}]}, [], None),
        ({"DeviceRequests": [{"Driver": "other", "Count": 4, "Capabilities": [["fpga"]]}]}, [], 0),
        ({"Runtime": "nvidia"}, ["NVIDIA_VISIBLE_DEVICES=all"], None),
        ({"Runtime": "nvidia"}, ["NVIDIA_VISIBLE_DEVICES=0,1"], 2),
        ({"Runtime": "nvidia"}, ["NVIDIA_VISIBLE_DEVICES=none"], 0),
        ({"Runtime": "runc"}, ["NVIDIA_VISIBLE_DEVICES=all"], 0),  # images of CUDA set it, and nobody reads it
    ],
)
def test_gpus(host: dict[str, Any], env: list[str], expected: int | None) -> None:
    assert settings_of_container(told(host, Config={"Env": env})).gpus == expected


@pytest.mark.parametrize(
    "state, expected",
    [
        ({"Status": "running", "Running": True}, "running"),
        ({"Status": "paused", "Running": True, "Paused": True}, "paused"),
        ({"Status": "restarting", "Running": True, "Restarting": True}, "restarting"),
        ({"Status": "created"}, "created"),
        ({"Status": "configured"}, "created"),
        ({"Status": "exited"}, "exited"),
        ({"Status": "stopped"}, "exited"),
        ({"Status": "removing"}, "dead"),
        ({"Running": True}, "running"),
        ({}, "exited"),
    ],
)
def test_states(state: dict[str, Any], expected: str) -> None:
    assert settings_of_container(told(State=state)).state == expected


def test_the_rest() -> None:
    found = settings_of_container(told({"Memory": 1 << 30, "ReadonlyRootfs": True}, Config={"User": "7:7"}))
    assert (found.name, found.image, found.memory, found.read_only, found.user, found.workdir, found.pid) == (
        "trainer", "paddle:2.6", 1 << 30, True, "7:7", "/work", 77,
    )  # fmt: skip
    assert environment(told()) == {"A": "b=c", "EMPTY": ""}
    image = settings_of_image({"Config": {"WorkingDir": "/w"}}, "paddle:2.6", 128 * MIB)
    assert (image.state, image.shm, image.shm_origin, image.workdir) == ("image", 128 * MIB, "default", "/w")


def test_a_shared_namespace_is_that_of_the_other() -> None:
    joined, owner = settings_of_container(told({"IpcMode": "container:abc"})), settings_of_container(told({"ShmSize": 9 * MIB}))
    assert shares_with(joined) == "abc" and shares_with(owner) is None
    both = sharing(joined, owner)
    assert (both.ipc, both.shm, both.shm_origin) == ("container:trainer", 9 * MIB, "container")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["/dev/shm", "tmpfs", "bind", "gpu", "container:"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Type", "Target", "Source", "Count"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["Config", "HostConfig", "State", "Mounts", "Name", "Id"]), _ANY, max_size=6),
    st.dictionaries(
        st.sampled_from(["ShmSize", "IpcMode", "Tmpfs", "Mounts", "DeviceRequests", "NanoCpus", "CpusetCpus", "Memory", "Runtime"]), _ANY
    ),
)
def test_whatever_is_told_gives_settings(whole: dict[str, Any], host: dict[str, Any]) -> None:
    for one in (whole, {**whole, "HostConfig": host}):
        assert settings_of_container(one).source == "docker"
        environment(one)
