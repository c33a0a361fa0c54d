"""What the settings of a container that is still to be started tell of its machine, and what they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import Assumed, Request, Unreadable, World
from checks.facts.container_settings import ContainerSettings, SettingsSource, collect_container_settings
from checks.facts.machine import collect_container, collect_host, collect_shared_memory
from checks.facts.packages import collect_packages

REQUEST = Request("c.yaml")


def world(
    tmp_path: Path,
    source: SettingsSource = "compose",
    /,
    files: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    **told: Any,
) -> World:
    for name, text in {"/proc/meminfo": f"MemTotal: {8 << 20} kB\n", **(files or {})}.items():
        place = tmp_path / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    made = World(str(tmp_path), {"PATH": str(tmp_path / "bin"), **(environ or {})})
    made.settings = ContainerSettings(source, "train", **told)
    return made


def not_told(made: World) -> str:
    with pytest.raises(Unreadable) as caught:
        collect_shared_memory(REQUEST, made)
    return caught.value.unavailable.reason


def test_the_fact_is_there_only_where_a_container_was_asked_for(tmp_path: Path) -> None:
    made = world(tmp_path)
    assert collect_container_settings(made) is made.settings
    with pytest.raises(Unreadable) as caught:
        collect_container_settings(World())
    assert caught.value.unavailable.reason == "no-container-settings"


@pytest.mark.parametrize("source", ["compose", "kubernetes"])
def test_a_size_that_is_told(tmp_path: Path, source: SettingsSource) -> None:
    found = collect_shared_memory(REQUEST, world(tmp_path, source, shm=64 << 20))
    assert (found.size, found.free, found.told, found.free_known, found.assumed) == (64 << 20, 64 << 20, True, True, False)
    assumed = collect_shared_memory(Request("c.yaml", assumed=Assumed(shm=1 << 30)), world(tmp_path, source, shm=64 << 20))
    assert (assumed.size, assumed.assumed, assumed.told) == (1 << 30, True, False)


def test_a_share_of_the_memory_of_this_machine(tmp_path: Path) -> None:
    assert collect_shared_memory(REQUEST, world(tmp_path, shm_origin="tmpfs", shm_share=0.5)).size == 4 << 30
    assert not_told(world(tmp_path, shm_origin="tmpfs", shm_share=0.5, environ={"DOCKER_HOST": "tcp://gpu1:2375"})) == "shm-not-told-tmpfs"
    assert not_told(world(tmp_path, shm_origin="tmpfs", shm_share=0.5, files={"/.dockerenv": ""})) == "shm-not-told-tmpfs"


def test_the_shared_memory_of_this_machine(tmp_path: Path) -> None:
    files = {"/dev/shm/paddle_77_abc": "x" * 5000, "/ram/x": ""}
    found = collect_shared_memory(REQUEST, world(tmp_path, shm_origin="host", shm_host_path="/dev/shm", files=files))
    assert not found.told
    assert found.size > 0
    assert [stale.name for stale in found.stale] == ["paddle_77_abc"]
    found = collect_shared_memory(REQUEST, world(tmp_path, shm_origin="bind", shm_host_path="/ram"))
    assert (found.told, found.stale) == (False, ())
    assert found.size > 0
    assert not_told(world(tmp_path, shm_origin="bind", shm_host_path="/nowhere")) == "shm-not-told-bind"
    assert not_told(world(tmp_path, "kubernetes", shm_origin="host", shm_host_path="/dev/shm")) == "shm-not-told-host"
    assert not_told(world(tmp_path, shm_origin="host", shm_host_path="/dev/shm", files={"/.dockerenv": ""})) == "shm-not-told-host"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"shm_origin": "volume", "shm_on_disk": True}, "shm-not-told-disk"),
        ({"shm_origin": "empty-dir", "shm_on_disk": True}, "shm-not-told-disk"),
        ({"shm_origin": "empty-dir"}, "shm-not-told-empty-dir"),
        ({"shm_origin": "volume"}, "shm-not-told-volume"),
        ({"shm_origin": "container"}, "shm-not-told-container"),
        ({"shm_origin": "tmpfs"}, "shm-not-told-tmpfs"),
    ],
)
def test_why_no_size_is_told(tmp_path: Path, told: dict[str, Any], reason: str) -> None:
    assert not_told(world(tmp_path, **told)) == reason


def test_none_at_all_is_a_size(tmp_path: Path) -> None:
    found = collect_shared_memory(REQUEST, world(tmp_path, ipc="none", shm_origin="none"))
    assert (found.filesystem, found.size, found.told) == ("none", 0, True)


def test_the_machine_of_a_compose_service_is_this_one_within_its_limits(tmp_path: Path) -> None:
    found = collect_host(REQUEST, world(tmp_path))
    assert (found.memory, found.memory_limit) == (8 << 30, "physical")
    assert found.cpus is not None
    assert found.gpus_assumed
    assert found.gpus_known
    found = collect_host(REQUEST, world(tmp_path, cpus=0.5, memory=1 << 30, gpus=2))
    assert (found.cpus, found.cpu_limit, found.memory, found.memory_limit, found.gpu_count) == (0.5, "cgroup", 1 << 30, "cgroup", 2)
    found = collect_host(REQUEST, world(tmp_path, memory=100 << 30))
    assert (found.memory, found.memory_limit) == (8 << 30, "physical")
    wanted = Request("c.yaml", assumed=Assumed(cpus=16, memory=2 << 30, gpus=8))
    found = collect_host(wanted, world(tmp_path, cpus=0.5, memory=1 << 30, gpus=2))
    assert (found.cpus, found.cpu_limit, found.memory, found.gpu_count) == (16, "assumed", 2 << 30, 8)


def test_a_node_of_a_cluster_is_not_this_machine(tmp_path: Path) -> None:
    found = collect_host(REQUEST, world(tmp_path, "kubernetes"))
    assert (found.cpus, found.memory, found.memory_limit, found.gpus, found.gpu_count, found.gpus_known) == (None, None, None, (), 0, False)
    found = collect_host(REQUEST, world(tmp_path, "kubernetes", cpus=4.0, memory=1 << 30, gpus=1))
    assert (found.cpus, found.memory, found.gpu_count, found.gpus_known) == (4.0, 1 << 30, 1, True)


def test_what_the_image_has_installed_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        collect_packages(world(tmp_path, image="paddle:2.6.2"))
    assert caught.value.unavailable.values == {"name": "train", "image": "paddle:2.6.2"}


@pytest.mark.parametrize(("source", "runtime"), [("compose", "docker"), ("kubernetes", "kubernetes")])
def test_it_is_a_container(tmp_path: Path, source: SettingsSource, runtime: str) -> None:
    found = collect_container(world(tmp_path, source))
    assert (found.inside, found.runtime, found.evidence) == (True, runtime, ("train",))
