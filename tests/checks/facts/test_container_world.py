"""A container seen from outside: its mirror, the kernel's view of it, and cgroups of both versions as they were recorded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.facts import container_proc
from checks.facts.base import Request, Unreadable
from checks.facts.container_mirror import HEAD, TAIL, Mirror, plain
from checks.facts.container_paths import Text, texts, wanted
from checks.facts.container_probe import Look, Probe, SharedFile, Space
from checks.facts.container_settings import ContainerSettings
from checks.facts.container_visit import visit
from checks.facts.container_world import ContainerWorld, mounted_read_only
from checks.facts.docker_daemon import Machine, PathStat
from checks.facts.machine import collect_container, collect_host, collect_shared_memory
from checks.facts.packages import collect_packages
from tests.fake_daemon import FakeContainer, serve
from tests.projects import Project

MIB = 1 << 20
ID = "ab" * 32

MOUNTS = (
    "600 500 0:40 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A\n"
    "601 600 0:45 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k\n"
    f"602 600 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
    "603 600 8:1 /data /data ro,relatime - ext4 /dev/sda1 rw\n"
    "604 600 8:1 /a\\040b /with\\040blank rw,relatime - ext4 /dev/sda1 ro,errors=remount-ro\n"
)
COMMON = {
    "/proc/self/mountinfo": MOUNTS,
    "/proc/meminfo": "MemTotal:       33554432 kB\n",
    "/proc/self/status": "Name:\tcat\nCpus_allowed_list:\t0-5\n",
    "/sys/devices/system/cpu/online": "0-15\n",
}
V2_PRIVATE = {
    "/proc/self/cgroup": "0::/\n",
    "/sys/fs/cgroup/memory.max": "2147483648\n",
    "/sys/fs/cgroup/cpu.max": "250000 100000\n",
}
V2_NESTED = {
    "/proc/self/cgroup": f"0::/system.slice/docker-{ID}.scope\n",
    f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/memory.max": "max\n",
    f"/sys/fs/cgroup/system.slice/docker-{ID}.scope/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/system.slice/memory.max": "2147483648\n",
    "/sys/fs/cgroup/system.slice/cpu.max": "250000 100000\n",
}
V1 = {
    "/proc/self/cgroup": f"9:memory:/docker/{ID}\n4:cpu,cpuacct:/docker/{ID}\n0::/system.slice/containerd.service\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
}


class Nothing:
    """A container without files."""

    def stat(self, path: str) -> PathStat | None:
        return PathStat("folder", 0, "") if path == "/" else None

    def archive(self, path: str) -> Iterator[bytes]:
        raise AssertionError(path)

    def covered(self, path: str) -> bool:
        return False

    def unseen(self, path: str) -> bool:
        return False

    def hidden(self, path: str) -> PathStat | None:
        return None

    def content(self, path: str) -> bytes | None:
        return None


def a_probe(files: dict[str, str], **more: Any) -> Probe:
    values: dict[str, Any] = {
        "exists": frozenset({"/.dockerenv"}), "spaces": {"/dev/shm": Space(64 * MIB, 60 * MIB)}, "shared": (), "looks": {}, "names": {},
        "python": {}, "packages": {},
    }  # fmt: skip
    return Probe({**COMMON, **files}, **{**values, **more})


def a_world(folder: Path, probe: Probe | None = None, environ: dict[str, str] | None = None, **settings: Any) -> ContainerWorld:
    told = ContainerSettings("docker", "trainer", state="running", workdir="/work", **settings)
    world = ContainerWorld(Mirror(str(folder), Nothing(), time.monotonic() + 60), told, environ or {})
    if probe is not None:
        world.learn(probe)
    return world


@pytest.mark.parametrize("cgroups", [V2_PRIVATE, V2_NESTED, V1], ids=["v2", "v2-host-namespace", "v1"])
def test_recorded_trees_of_both_versions_of_cgroups(tmp_path: Path, cgroups: dict[str, str]) -> None:
    world = a_world(tmp_path, a_probe(cgroups))
    host = collect_host(Request("c"), world)
    assert (host.cpus, host.cpu_limit, host.memory, host.memory_limit) == (2.5, "cgroup", 2 << 30, "cgroup")
    shm = collect_shared_memory(Request("c"), world)
    assert (shm.size, shm.free, shm.filesystem, shm.option, shm.told) == (64 * MIB, 60 * MIB, "tmpfs", "65536k", False)
    container = collect_container(world)
    assert container.runtime == "docker" and "/.dockerenv" in container.evidence
    free = a_world(tmp_path / "free", a_probe({"/proc/self/cgroup": "0::/\n"}))
    assert (collect_host(Request("c"), free).cpus, collect_host(Request("c"), free).cpu_limit) == (6.0, "affinity")
    assert collect_host(Request("c"), free).memory == 32 << 30


def test_files_left_behind_are_told_from_those_in_use(tmp_path: Path) -> None:
    files = (SharedFile("paddle_7_a", 8192, False), SharedFile("paddle_1_b", 4096, True), SharedFile("paddle_9_c", None, False))
    stale = collect_shared_memory(Request("c"), a_world(tmp_path, a_probe(V1, shared=files))).stale
    assert [(file.name, file.pid, file.size) for file in stale] == [("paddle_7_a", 7, 8192), ("paddle_9_c", 9, 0)]


@pytest.mark.parametrize(
    "mount, own",
    [
        ("rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k", True),
        ("rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw", True),  # --tmpfs
        ("rw,nosuid,nodev - tmpfs tmpfs rw,inode64", False),  # --ipc=host
        ("rw,relatime - tmpfs tmpfs rw,size=24684084k", False),
        ("rw,relatime - ext4 /dev/sda1 rw", False),  # a bind
    ],
)
def test_files_of_processes_that_cannot_be_seen_are_not_called_left_behind(tmp_path: Path, mount: str, own: bool) -> None:
    """Their owners are alive outside of the container, and whoever removes their files ends another training."""
    probe = a_probe({**V1, "/proc/self/mountinfo": f"601 600 0:45 / /dev/shm {mount}\n"}, shared=(SharedFile("paddle_7_a", 8192, False),))
    assert bool(collect_shared_memory(Request("c"), a_world(tmp_path / "a", probe)).stale) == own
    joined = a_world(tmp_path / "b", probe, ipc="container:other")
    assert collect_shared_memory(Request("c"), joined).stale == ()
    pod = a_world(tmp_path / "c", probe, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert bool(collect_shared_memory(Request("c"), pod).stale) == (own or "size=" in mount)


def test_without_a_measurement_the_mount_then_the_settings_tell(tmp_path: Path) -> None:
    shm = collect_shared_memory(Request("c"), a_world(tmp_path / "a", a_probe(V1, spaces={}), shm=8 * MIB))
    assert (shm.size, shm.free_known, shm.told) == (64 * MIB, False, False)
    bare = a_world(tmp_path / "b", shm=8 * MIB, cpus=1.5, memory=1 << 30, gpus=2)
    bare.machine = Machine(12, 4 << 30, False)
    shm, host = collect_shared_memory(Request("c"), bare), collect_host(Request("c"), bare)
    assert (shm.size, shm.free_known, shm.told) == (8 * MIB, False, True)
    assert (host.cpus, host.cpu_limit, host.memory, host.gpu_count) == (1.5, "cgroup", 1 << 30, 2)
    with pytest.raises(Unreadable) as caught:
        collect_shared_memory(Request("c"), a_world(tmp_path / "c", shm=None, shm_origin="volume"))
    assert caught.value.unavailable.reason == "shm-not-told"


def test_the_interpreter_with_paddle_is_the_one(tmp_path: Path) -> None:
    python = {"/usr/bin/python3": ("/usr/lib/python3/dist-packages",), "/opt/bin/python": ("/opt/lib/python3.9/site-packages",)}
    packages = {
        "/usr/lib/python3/dist-packages": ("numpy-1.0.dist-info",),
        "/opt/lib/python3.9/site-packages": ("paddlepaddle_gpu-2.6.2.dist-info", "paddle", "..", "a/b"),
    }
    found = collect_packages(a_world(tmp_path, a_probe(V1, python=python, packages=packages)))
    assert (found.python, found.interpreter, found.paddle) == ("3.9", "/opt/bin/python", "2.6.2")
    with pytest.raises(Unreadable):
        collect_packages(a_world(tmp_path / "none", a_probe(V1)))


def test_what_may_be_written_and_how_much_of_it(tmp_path: Path) -> None:
    looks = {"/work": Look("folder", True, False, True)}
    world = a_world(tmp_path, a_probe(V1, looks=looks, spaces={"/data": Space(100, 50)}))
    assert not world.writable(world.locate("/work")) and world.writable(world.locate("/elsewhere"))
    assert world.disk(world.locate("/data")) == (100, 50, True)
    with pytest.raises(OSError):
        world.disk(world.locate("/work"))
    assert mounted_read_only(MOUNTS, "/with blank/x") and not mounted_read_only(MOUNTS, "/work") and not mounted_read_only("", "/")


class Tree(FakeContainer):
    """The files of a fake container, without its daemon."""

    def stat(self, path: str) -> PathStat | None:
        content = self.files.get(path, False)
        if content is False:
            return None
        if isinstance(content, str):
            return PathStat("link", len(content), content)
        return PathStat("folder" if content is None else "file", len(content or b""), "")

    def archive(self, path: str) -> Iterator[bytes]:
        _, _, body = self._archive("GET", path)
        yield from (body[at : at + 70_000] for at in range(0, len(body), 70_000))

    def covered(self, path: str) -> bool:
        return False

    def unseen(self, path: str) -> bool:
        return False

    def hidden(self, path: str) -> PathStat | None:
        return None

    def content(self, path: str) -> bytes | None:
        return None


def a_mirror(folder: Path, files: dict[str, bytes | str | None], seconds: float = 60) -> Mirror:
    return Mirror(str(folder), Tree(files), time.monotonic() + seconds)


def test_the_mirror_has_files_folders_and_the_nearest_of_what_is_missing(tmp_path: Path) -> None:
    mirror = a_mirror(tmp_path, {"/work/a.txt": b"hello", "/work/sub": None})
    assert mirror.take("/work/a.txt") == "file" and (tmp_path / "work/a.txt").read_bytes() == b"hello"
    assert mirror.take("/work/sub") == "folder" and mirror.take("/work/sub/none/deep") is None
    assert (
        (tmp_path / "work/sub").is_dir()
        and not (tmp_path / "work/sub/none").exists()
        and mirror.nearest("/work/sub/none/deep") == "/work/sub"
    )
    assert mirror.take("/work/a.txt/below") is None and mirror.take("x" * 5000) is None and mirror.take("/" + "y" * 300) is None


def test_links_are_followed_in_the_container_and_none_is_made(tmp_path: Path) -> None:
    files: dict[str, bytes | str | None] = {
        "/data/list.txt": b"list", "/work/data": "/data", "/work/up": "../../../../etc/secret", "/etc/secret": b"theirs",
        "/work/loop": "/work/loop", "/work/dead": "/nowhere", "/data/here": "list.txt",
    }  # fmt: skip
    mirror = a_mirror(tmp_path / "m", files)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "secret").write_text("ours")
    assert mirror.take("/work/data") == "folder" and mirror.take("/work/up") == "file" and mirror.take("/data/here") == "file"
    assert (tmp_path / "m/work/up").read_bytes() == b"theirs" and (tmp_path / "m/data/here").read_bytes() == b"list"
    assert mirror.take("/work/loop") is None and mirror.take("/work/dead") is None
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert plain("../../x/./y//z/..") == "/x/y" and mirror.place("/../../x") == f"{tmp_path}/m/x" and mirror.place("/") == f"{tmp_path}/m"


def test_large_weights_keep_their_ends_and_size(tmp_path: Path) -> None:
    content = b"\x80\x04" + os.urandom(3 * MIB) + b"."
    mirror = a_mirror(tmp_path, {"/w/a.pdparams": content, "/w/tiny.pdparams": b"\x80\x04}."})
    mirror.take("/w/a.pdparams"), mirror.take("/w/tiny.pdparams")
    copied = (tmp_path / "w/a.pdparams").read_bytes()
    assert len(copied) == len(content) and copied[:HEAD] == content[:HEAD] and copied[-TAIL:] == content[-TAIL:] and copied != content
    assert (tmp_path / "w/tiny.pdparams").read_bytes() == b"\x80\x04}."


def test_the_sources_of_a_checkout_and_nothing_else(tmp_path: Path) -> None:
    mirror = a_mirror(tmp_path, {"/p/ppcls/a/b.py": b"x = 1\n", "/p/ppcls/c.yaml": b"no", "/p/ppcls/huge.py": b"#" * (2 * MIB)})
    mirror.take_sources("/p/ppcls")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == ["p/ppcls/a/b.py"]


def test_names_of_a_folder(tmp_path: Path) -> None:
    mirror = a_mirror(tmp_path, {"/o/x.pdparams": b"12345", "/o/sub": None, "/o/log": b"abc"})
    mirror.list("/o", {"x.pdparams": False, "sub": True, "log": False, "..": True, "a/b": False}, True)
    assert sorted(os.listdir(tmp_path / "o")) == ["log", "sub", "x.pdparams"] and (tmp_path / "o/x.pdparams").stat().st_size == 5
    assert mirror.listed == {"/o"} and mirror.unread == {"/o/x.pdparams", "/o/log"}
    mirror.take("/o/x.pdparams")
    assert (tmp_path / "o/x.pdparams").read_bytes() == b"12345" and mirror.unread == {"/o/log"}


def test_the_time_is_limited(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        a_mirror(tmp_path, {"/a": b""}, seconds=-1).take("/a")
    assert caught.value.unavailable.reason == "container-late"


def test_no_room_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    mirror = a_mirror(tmp_path, {"/a/b": b"content"})
    monkeypatch.setattr(os, "makedirs", full)
    with pytest.raises(Unreadable) as caught:
        mirror.take("/a/b")
    assert caught.value.unavailable.values == {"folder": str(tmp_path), "error": "No space left on device"}


def test_what_of_a_config_could_be_a_path() -> None:
    data = {
        "Global": {
            "pretrained_model": "weights/best",
            "device": "gpu",
            "output_dir": "out",
            "url": "https://a/b",
            "text": "a\nb/c",
            "nul": "a\0/",
        },
        "Arch": {"name": "ResNet50"},
        "list": ["data/a.txt", 3, None, {"file": "x"}],
    }
    found = texts(data)
    assert {item.text for item in found} == {"weights/best", "out", "data/a.txt", "x"}
    places = wanted([*found, Text("image_root", "/abs/data")], ["/work", "/"], "ResNet50")
    assert {"/work/weights/best.pdparams", "/weights/best.pdopt", "/work/out/best_model.pdparams", "/abs/data", "/work/data/a.txt"} <= set(
        places.paths
    )
    assert "/work/weights" in places.listed and "/work/out/ResNet50" in places.listed and places.written == ("/work/out", "/out")


def a_proc(folder: Path, cgroup: str) -> None:
    here = folder / "proc" / "77"
    (here / "root/dev/shm").mkdir(parents=True)
    (here / "root/proc/1").mkdir(parents=True)
    (here / "root/.dockerenv").write_text("")
    (here / "root/dev/shm/paddle_1_a").write_bytes(b"x" * 5000)
    (here / "root/dev/shm/paddle_5_b").write_bytes(b"x" * 5000)
    (here / "cgroup").write_text(cgroup)
    (here / "mountinfo").write_text("601 600 0:45 / /dev/shm rw - tmpfs shm rw,size=65536k\n")
    (here / "status").write_text(COMMON["/proc/self/status"])
    (folder / "proc/meminfo").write_text(COMMON["/proc/meminfo"])


@pytest.mark.parametrize(
    "cgroup, folder, files",
    [
        (f"9:memory:/docker/{ID}\n4:cpu,cpuacct:/docker/{ID}\n", f"memory/docker/{ID}", {"memory.limit_in_bytes": "1048576"}),
        (f"0::/system.slice/docker-{ID}.scope\n", f"system.slice/docker-{ID}.scope", {"memory.max": "1048576", "cpu.max": "50000 100000"}),
    ],
    ids=["v1", "v2"],
)
def test_the_kernels_view_of_the_first_process(tmp_path: Path, cgroup: str, folder: str, files: dict[str, str]) -> None:
    a_proc(tmp_path, cgroup)
    (tmp_path / "cg" / folder).mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "cg" / folder / name).write_text(text)
    probe = container_proc.look(77, ID, str(tmp_path / "proc"), str(tmp_path / "cg"))
    assert probe is not None
    world = a_world(tmp_path / "mirror", probe)
    assert collect_host(Request("c"), world).memory == 1048576
    shm = collect_shared_memory(Request("c"), world)
    assert [file.name for file in shm.stale] == ["paddle_5_b"] and not shm.told
    assert container_proc.look(77, "cd" * 32, str(tmp_path / "proc")) is None, "another container's process"
    assert container_proc.look(78, ID, str(tmp_path / "proc")) is None


def test_a_visit_without_a_shell_and_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    Project(tmp_path / "p", "modern")
    files: dict[str, bytes | str | None] = {
        f"/work/{path.relative_to(tmp_path / 'p')}": path.read_bytes() for path in (tmp_path / "p").rglob("*") if path.is_file()
    }
    daemon = FakeContainer(files)
    with serve(tmp_path / "d.sock", daemon) as url:
        with visit("trainer", Request("config.yaml"), {}, url) as world:
            assert os.path.isfile(world.locate("data/train_list.txt")) and os.path.isdir(world.locate("/work/data"))
            assert not world.measured and world.processors() == (6, None) and os.stat(world.sysroot).st_mode & 0o777 == 0o700
            folder = world.sysroot
        assert not os.path.exists(folder)
        with pytest.raises(Unreadable) as caught, visit("trainer", Request("none.yaml"), {}, url):
            pass
        assert caught.value.unavailable.reason == "container-config-missing"
        assert not [path for path in tmp_path.iterdir() if path.name.startswith("paddle-doctor-")]
