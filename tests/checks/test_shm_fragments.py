"""What is advised is read as what was meant: fragments go through the readers of the files they are for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.compose_file import read_compose
from checks.facts.container_settings import ContainerSettings
from checks.facts.container_sizes import docker_bytes, whole_quantity
from checks.facts.kubernetes_manifest import read_kubernetes
from checks.shm_fragments import compose_line, compose_size, kubernetes_fragment, kubernetes_size, settings_fragment

SIZES = st.one_of(st.integers(1, 1 << 50), st.integers(1, 1 << 20).map(lambda n: n << 20), st.integers(1, 512).map(lambda n: n << 30))


@pytest.mark.parametrize(
    ("size", "compose", "kubernetes"),
    [
        (8 << 30, "8gb", "8Gi"),
        (1536 << 20, "1536mb", "1536Mi"),
        (512 << 20, "512mb", "512Mi"),
        (65536 << 10, "64mb", "64Mi"),
        (3 << 10, "3kb", "3Ki"),
        (1001, "1001b", "1001"),
    ],
)
def test_the_unit_is_the_largest_without_a_fraction(size: int, compose: str, kubernetes: str) -> None:
    assert (compose_size(size), kubernetes_size(size)) == (compose, kubernetes)


@given(SIZES)
def test_sizes_are_read_as_they_were_meant(size: int) -> None:
    assert docker_bytes(compose_size(size)) == size
    assert whole_quantity(kubernetes_size(size)) == size


@given(SIZES)
def test_a_line_of_a_compose_file_gives_the_service_the_size(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "compose.yml").write_text(f"services:\n  train:\n    image: paddle\n    {compose_line(size)}\n")
        found = read_compose("compose.yml", None, {}, folder)
    assert (found.shm, found.shm_origin) == (size, "shm-size")


@given(SIZES, st.sampled_from(["dshm", "shm", "cache-volume"]))
def test_a_fragment_of_a_manifest_gives_the_container_the_size(size: int, volume: str) -> None:
    fragment = "".join(f"  {line}\n" for line in kubernetes_fragment(size, volume, "paddle").splitlines())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pod.yml").write_text(f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n{fragment}")
        found = read_kubernetes("pod.yml", "paddle", folder)
    assert (found.shm, found.shm_origin, found.shm_volume) == (size, "empty-dir", volume)


SERVICES: list[dict[str, Any]] = [
    {},
    {"shm_size": "64m"},
    {"build": {"context": ".", "shm_size": "8g"}},
    {"tmpfs": "/dev/shm:size=64m,mode=1777"},
    {"tmpfs": "/dev/shm"},
    {"tmpfs": ["/run", "/dev/shm:mode=1777,size=1g"]},
    {"volumes": [{"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": "64m"}}]},
]


@given(SIZES, st.sampled_from(SERVICES))
def test_what_is_to_stand_in_a_compose_file_gives_the_size(size: int, service: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:

        def read(body: dict[str, Any]) -> ContainerSettings:
            Path(folder, "compose.yml").write_text(yaml.safe_dump({"services": {"train": {"image": "x", **body}}}))
            return read_compose("compose.yml", None, {}, folder)

        before = read(service)
        fragment = yaml.safe_load(settings_fragment(before, size) or "")
        if "volumes" in service:
            fragment = {"volumes": [{**service["volumes"][0], **fragment}]}
        after = read({**service, **fragment})
    assert (after.shm, after.shm_hidden) == (size, None)


EMPTY_DIRS: list[dict[str, Any]] = [{}, {"medium": "Memory"}, {"medium": "Memory", "sizeLimit": "512m"}, {"sizeLimit": "1Gi"}]


@given(SIZES, st.sampled_from([None, *EMPTY_DIRS]), st.booleans())
def test_what_is_to_stand_in_a_manifest_gives_the_size(size: int, empty: dict[str, Any] | None, mounted: bool) -> None:
    volumes = [] if empty is None else [{"name": "shm-volume", "emptyDir": empty}]
    mounts = [{"name": "shm-volume", "mountPath": "/dev/shm"}] if mounted and volumes else []
    spec = {"containers": [{"name": "paddle", "image": "x", "volumeMounts": mounts}], "volumes": volumes}
    with tempfile.TemporaryDirectory() as folder:

        def read(spec: dict[str, Any]) -> ContainerSettings:
            Path(folder, "pod.yml").write_text(yaml.safe_dump({"kind": "Pod", "spec": spec}))
            return read_kubernetes("pod.yml", None, folder)

        before = read(spec)
        fragment = yaml.safe_load(settings_fragment(before, size) or "")
        if "emptyDir" in fragment:
            fragment = {"containers": spec["containers"], "volumes": [{"name": "shm-volume", **fragment}]}
        after = read(fragment)
    assert (after.shm, after.name, after.shm_on_disk) == (size, before.name, False)


@pytest.mark.parametrize("body", [{"ipc": "host"}, {"ipc": "container:other"}, {"volumes": ["/dev/shm:/dev/shm"]}, {"ipc": "none"}])
def test_nothing_is_advised_where_no_line_of_the_file_decides(tmp_path: Path, body: dict[str, Any]) -> None:
    (tmp_path / "compose.yml").write_text(yaml.safe_dump({"services": {"train": body}}))
    assert settings_fragment(read_compose("compose.yml", None, {}, str(tmp_path)), 1 << 30) is None
    assert settings_fragment(ContainerSettings("docker", "x"), 1 << 30) is None


def test_the_line_for_a_service_whose_namespace_is_joined_is_the_others(tmp_path: Path) -> None:
    text = "services:\n  a: {image: x, ipc: shareable}\n  b: {image: x, ipc: 'service:a'}\n"
    (tmp_path / "compose.yml").write_text(text)
    found = read_compose("compose.yml", "b", {}, str(tmp_path))
    assert settings_fragment(found, 1 << 30) == "shm_size: 1gb\n"
    assert found.shm_location is not None and found.shm_location.key == "services.a.shm_size"
