"""Facts of the machine, read from folders that look like one."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from checks.facts.base import Assumed, Request, Unreadable, World
from checks.facts.container_settings import ContainerSettings
from checks.facts.machine import Container, Host, SharedMemory, collect_container, collect_host, collect_shared_memory
from checks.facts.packages import Packages, collect_packages
from checks.facts.shm_holders import ShmHolder, holders_of

REQUEST = Request("c.yaml")
ID = "0123456789abcdef" * 4


def world(tmp_path: Path, files: dict[str, str], **environ: str) -> World:
    for name, text in files.items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return World(str(tmp_path), {"PATH": str(tmp_path / "bin"), **environ})


@pytest.mark.parametrize(
    ("files", "environ", "runtime"),
    [
        ({}, {}, None),
        ({"/.dockerenv": ""}, {}, "docker"),
        ({"/run/.containerenv": ""}, {}, "podman"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"/proc/self/cgroup": f"4:memory:/docker/{ID}\n"}, {}, "docker"),
        ({"/proc/self/cgroup": f"0::/system.slice/docker-{ID}.scope\n"}, {}, "docker"),
        ({"/proc/self/cgroup": f"4:memory:/kubepods/burstable/pod1/{ID}\n"}, {}, "kubernetes"),
        ({"/proc/self/cgroup": f"0::/user.slice/libpod-{ID}.scope\n"}, {}, "podman"),
        (
            {
                "/proc/self/cgroup": "0::/\n",
                "/proc/self/mountinfo": f"1 2 0:1 /var/lib/docker/containers/{ID}/hosts /etc/hosts rw - ext4 /dev/sda rw\n",
            },
            {},
            "docker",
        ),
        ({"/proc/1/environ": "PATH=/bin\0container=lxc\0"}, {}, "lxc"),
        ({"/proc/self/cgroup": "0::/user.slice/session-1.scope\n"}, {}, None),
    ],
)
def test_container(tmp_path: Path, files: dict[str, str], environ: dict[str, str], runtime: str | None) -> None:
    found = collect_container(world(tmp_path, files, **environ))
    assert (found.inside, found.runtime) == (runtime is not None, runtime)
    assert bool(found.evidence) == found.inside
    assert msgspec.json.decode(msgspec.json.encode(found), type=Container) == found


@pytest.mark.parametrize(
    ("files", "cpus", "memory"),
    [
        ({}, None, 64 << 30),
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/cpu.max": "50000 100000\n",
                "/sys/fs/cgroup/a/b/memory.max": "1073741824\n",
            },
            0.5,
            1 << 30,
        ),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n", "/sys/fs/cgroup/memory.max": "max\n"}, None, 64 << 30),
        (
            {
                "/proc/self/cgroup": "3:cpu,cpuacct:/x\n2:memory:/x\n",
                "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "25000\n",
                "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": str(2 << 30),
            },
            0.25,
            2 << 30,
        ),
        ({"/proc/self/cgroup": "2:memory:/x\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, None, 64 << 30),
    ],
)
def test_limits_of_both_cgroup_versions(tmp_path: Path, files: dict[str, str], cpus: float | None, memory: int) -> None:
    found = collect_host(REQUEST, world(tmp_path, {"/proc/meminfo": f"MemTotal:  {64 << 20} kB\n", **files}))
    usable = float(len(os.sched_getaffinity(0)))
    assert found.cpus == (usable if cpus is None else cpus)
    assert found.cpu_limit == ("cgroup" if cpus is not None else found.cpu_limit)
    assert (found.memory, found.memory_limit) == (memory, "physical" if memory == 64 << 30 else "cgroup")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Host) == found


UNLIMITED = "9223372036854771712"

LAYOUTS: dict[str, tuple[dict[str, str], float | None, int | None]] = {
    # Docker 20.10 on cgroup v1, --cpus 0.75 --memory 2g: the paths are the host's, the folders the container's own
    "docker, v1": (
        {
            "/proc/self/cgroup": f"12:memory:/docker/{ID}\n5:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/docker/{ID}\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 << 30}\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "75000\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        0.75,
        2 << 30,
    ),
    "docker, v1, no limits": (
        {
            "/proc/self/cgroup": f"12:memory:/docker/{ID}\n5:cpu,cpuacct:/docker/{ID}\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{UNLIMITED}\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
        None,
    ),
    # Docker 24 on cgroup v2 with a private namespace: the container's folder is the root
    "docker, v2": (
        {"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "75000 100000\n", "/sys/fs/cgroup/memory.max": f"{2 << 30}\n"},
        0.75,
        2 << 30,
    ),
    "docker, v2, --cgroupns host": (
        {
            "/proc/self/cgroup": f"0::/system.slice/docker-{ID}.scope\n",
            "/sys/fs/cgroup/cpuset.cpus": "0-63\n",
            "/sys/fs/cgroup/system.slice/memory.max": "max\n",
            f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/cpu.max": "50000 100000\n",
            f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/memory.max": f"{1 << 30}\n",
        },
        0.5,
        1 << 30,
    ),
    # a pod whose other container has the larger limit: its own counts, and the pod's above it
    "kubernetes, v2": (
        {
            "/proc/self/cgroup": f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope\n",
            "/sys/fs/cgroup/kubepods.slice/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/kubepods.slice/memory.max": f"{60 << 30}\n",
            "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/memory.max": f"{3 << 30}\n",
            "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cpu.max": "25000 100000\n",
            f"/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope/memory.max": "max\n",
        },
        0.25,
        3 << 30,
    ),
    # systemd's hybrid layout: v1 controllers beside an empty v2 hierarchy
    "hybrid": (
        {
            "/proc/self/cgroup": "4:memory:/user.slice\n3:cpu,cpuacct:/user.slice\n0::/user.slice/session-1.scope\n",
            "/sys/fs/cgroup/unified/cgroup.procs": "1\n",
            "/sys/fs/cgroup/memory/user.slice/memory.limit_in_bytes": f"{4 << 30}\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{UNLIMITED}\n",
            "/sys/fs/cgroup/cpu/user.slice/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/cpu/user.slice/cpu.cfs_period_us": "100000\n",
        },
        None,
        4 << 30,
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_limits_in_the_layouts_of_runtimes(tmp_path: Path, name: str) -> None:
    files, cpus, memory = LAYOUTS[name]
    found = collect_host(REQUEST, world(tmp_path, {"/proc/meminfo": f"MemTotal:  {64 << 20} kB\n", **files}))
    assert found.cpus == (cpus or float(len(os.sched_getaffinity(0))))
    assert (found.memory, found.memory_limit) == ((64 << 30, "physical") if memory is None else (memory, "cgroup"))


@pytest.mark.parametrize(
    ("visible", "names"), [(None, ["A", "B"]), ("1", ["B"]), ("", []), ("-1", []), ("1,7,0", ["B"]), ("GPU-aa", ["A", "B"])]
)
def test_gpus(tmp_path: Path, visible: str | None, names: list[str]) -> None:
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    here = world(tmp_path, {"/bin/nvidia-smi": "#!/bin/sh\necho '0, A, 16384'\necho '1, B, 8192'\n"}, **environ)
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    found = collect_host(REQUEST, here)
    assert [gpu.name for gpu in found.gpus] == names
    assert found.gpu_count == len(names)
    if names == ["A", "B"]:
        assert found.gpus[0].memory == 16 << 30


def test_a_program_that_hangs_is_given_up(tmp_path: Path) -> None:
    here = world(tmp_path, {"/bin/nvidia-smi": "#!/bin/sh\nexec /bin/sleep 60\n"})
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    assert here.run("nvidia-smi", timeout=0.2) is None
    assert here.run("no-such-program") is None


def test_shared_memory(tmp_path: Path) -> None:
    mountinfo = "1 0 0:1 / /dev rw - devtmpfs udev rw\n2 1 0:2 / /dev/shm rw,nosuid - tmpfs shm rw,size=65536k\n"
    files = {f"/dev/shm/paddle_{pid}_abc": "x" * 5000 for pid in (77, 88, 99)}
    states = {"/proc/88/stat": "88 (a) Z) S 1 88", "/proc/99/stat": "99 (python) Z 1 99"}
    here = world(tmp_path, {"/proc/self/mountinfo": mountinfo, **files, **states})
    found = collect_shared_memory(REQUEST, here)
    assert (found.filesystem, found.option, found.assumed) == ("tmpfs", "65536k", False)
    assert 0 < found.free <= found.size
    assert [(f.name, f.pid) for f in found.stale] == [("paddle_77_abc", 77), ("paddle_99_abc", 99)]
    assert msgspec.json.decode(msgspec.json.encode(found), type=SharedMemory) == found


def test_what_is_assumed_is_not_measured(tmp_path: Path) -> None:
    request = Request("c.yaml", assumed=Assumed(shm=64 << 20, cpus=8, memory=1 << 30, gpus=2))
    here = world(tmp_path, {})
    shm, host = collect_shared_memory(request, here), collect_host(request, here)
    assert (shm.size, shm.free, shm.assumed) == (64 << 20, 64 << 20, True)
    assert (host.cpus, host.cpu_limit, host.memory, host.gpu_count, host.gpus_assumed) == (8, "assumed", 1 << 30, 2, True)


def test_no_shared_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(Unreadable) as caught:
        collect_shared_memory(REQUEST, world(tmp_path, {}))
    assert caught.value.unavailable.reason == "no-shared-memory"


def test_a_system_that_should_have_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    found = collect_shared_memory(REQUEST, world(tmp_path, {}))
    assert (found.filesystem, found.size, found.free, found.told) == ("none", 0, 0, False)
    here = world(tmp_path, {})
    here.settings = ContainerSettings("docker", "train", ipc="none", shm_origin="none")
    found = collect_shared_memory(REQUEST, here)
    assert (found.filesystem, found.size, found.told) == ("none", 0, True)


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"/proc/meminfo": "MemTotal: 67108864 kB\n"}, None),
        ({"/proc/meminfo": "MemTotal: 67108864 kB\nMemAvailable: 1048576 kB\n"}, 1 << 30),
        (
            {
                "/proc/meminfo": "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\n",
                "/proc/self/cgroup": "0::/a\n",
                "/sys/fs/cgroup/a/memory.max": str(8 << 30),
                "/sys/fs/cgroup/a/memory.current": str(6 << 30),
                "/sys/fs/cgroup/a/memory.stat": f"anon 5\ninactive_file {1 << 30}\n",
            },
            3 << 30,
        ),
        (
            {
                "/proc/meminfo": "MemTotal: 67108864 kB\nMemAvailable: 1048576 kB\n",  # the machine has less than the group may take
                "/proc/self/cgroup": "2:memory:/a\n",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": str(8 << 30),
                "/sys/fs/cgroup/memory/a/memory.usage_in_bytes": str(1 << 30),
            },
            1 << 30,
        ),
    ],
)
def test_memory_that_is_left(tmp_path: Path, files: dict[str, str], left: int | None) -> None:
    assert collect_host(REQUEST, world(tmp_path, files)).memory_left == left


MAPS = "7f0000000000-7f0000{end} rw-s 00000000 00:2e {inode}   /dev/shm/{name}\n"


def test_who_holds_shared_memory(tmp_path: Path) -> None:
    train = "python\0/work/tools/train.py\0-c\0cfg.yaml\0"
    files = {
        "/proc/10/cmdline": train,
        "/proc/10/status": "Name:\tpython\nPPid:\t1\n",
        "/proc/10/maps": MAPS.format(end="300000", inode=7, name="paddle_11_0_5 (deleted)") + "7f00-7f01 r--p 0 00:01 9 /usr/lib/libc.so\n",
        "/proc/11/cmdline": train,
        "/proc/11/status": "Name:\tpython\nPPid:\t10\n",
        "/proc/11/maps": MAPS.format(end="300000", inode=7, name="paddle_11_0_5")
        + MAPS.format(end="100000", inode=8, name="paddle_11_1_6"),
        "/proc/12/cmdline": "/usr/bin/postgres\0",
        "/proc/12/maps": MAPS.format(end="200000", inode=9, name="PostgreSQL.1"),
        "/proc/13/maps": "",
    }
    assert holders_of(world(tmp_path, files)) == (
        ShmHolder(10, "python train.py", 4 << 20),  # its worker's too, and what both have mapped once
        ShmHolder(12, "postgres", 2 << 20),
    )
    assert holders_of(world(tmp_path / "elsewhere", {})) == ()


@pytest.mark.parametrize(
    ("mounts", "holds"),
    [
        ("24 1 0:46 / /dev/shm rw - tmpfs shm rw\n", True),
        ("24 1 0:47 / /dev/shm rw - tmpfs shm rw\n", False),  # a container's, seen from the host
        ("24 1 0:47 / /dev/shm rw - tmpfs shm rw\n25 24 0:46 / /dev/shm rw - tmpfs none rw\n", True),
        ("24 1 0:47 / /dev rw - tmpfs shm rw\n", True),
        ("", True),
    ],
)
def test_the_shared_memory_of_a_container_is_another(tmp_path: Path, mounts: str, holds: bool) -> None:
    files = {
        "/proc/12/cmdline": "postgres\0",
        "/proc/12/maps": MAPS.format(end="200000", inode=9, name="x"),
        "/proc/self/mountinfo": mounts,
    }
    assert holders_of(world(tmp_path, files)) == ((ShmHolder(12, "postgres", 2 << 20),) if holds else ())


def test_who_really_holds_shared_memory() -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.truncate(64 << 20)  # more than anybody else is likely to hold; its pages are never written
        with mmap.mmap(file.fileno(), 64 << 20):
            assert any(holder.bytes >= 64 << 20 for holder in holders_of(World()))


def test_packages_are_read_from_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("paddlepaddle_gpu-2.6.2.dist-info", "numpy-1.26.4.dist-info", "opencv_python-4.6.0.66.dist-info", "other-1.0.dist-info"):
        (tmp_path / name).mkdir()
    (tmp_path / "paddle" / "version").mkdir(parents=True)
    (tmp_path / "paddle" / "version" / "__init__.py").write_text(
        "full_version = '2.6.2'\ncuda_version = '11.8'\ncudnn_version = '8.6.0'\nraise SystemExit\n"
    )
    monkeypatch.setattr("sys.path", [str(tmp_path), "/nowhere"])
    found = collect_packages(World())
    assert found.installed == {"numpy": "1.26.4", "opencv-python": "4.6.0.66", "paddlepaddle-gpu": "2.6.2"}
    assert (found.paddle, found.paddle_builds, found.cuda, found.cudnn) == ("2.6.2", ("paddlepaddle-gpu",), "11.8", "8.6.0")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Packages) == found
