"""What is advised is read as what was meant: fragments go through the readers of the files they are for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.compose_file import read_compose
from checks.facts.container_sizes import docker_bytes, whole_quantity
from checks.facts.kubernetes_manifest import read_kubernetes
from checks.shm_fragments import compose_line, compose_size, kubernetes_fragment, kubernetes_size

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
