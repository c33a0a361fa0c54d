"""Sizes as Docker, the kernel and Kubernetes read them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.container_sizes import HALF, LARGEST, TmpfsSize, count_cpus, docker_bytes, quantity, tmpfs_size, whole_quantity


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("2g", 2 << 30),
        ("2gb", 2 << 30),
        ("2GB", 2 << 30),
        ("2Gi", None),  # `i` without `b` is no suffix of docker/go-units
        ("2GiB", 2 << 30),
        ("2 gb", 2 << 30),
        ("1.5g", 3 << 29),
        (".5g", 1 << 29),
        ("512m", 512 << 20),
        ("512mb", 512 << 20),
        ("65536k", 64 << 20),
        ("65536kb", 64 << 20),
        ("300b", 300),
        ("300", 300),
        (300, 300),
        ("1e3", 1000),
        ("1e3k", 1000 << 10),
        ("1t", 1 << 40),
        ("1pib", 1 << 50),
        (0, 0),
        ("0", 0),
        (2.5, 0),
        (True, 0),
        (None, 0),
        ("", None),
        ("-1", None),
        (-1, None),
        ("lots", None),
        ("2gg", None),
        ("2bb", None),
        ("2 g b", None),
        (" 2g", None),
        ("2e", None),
        ("0x10", None),
        ("1,5g", None),
        ("9" * 30, None),
    ],
)
def test_sizes_of_docker(value: object, size: int | None) -> None:
    assert docker_bytes(value) == size


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ("", HALF),
        ("mode=1777", HALF),
        ("size=2g,mode=1777", TmpfsSize(2 << 30)),
        ("rw,size=2G", TmpfsSize(2 << 30)),
        ("size=2048M", TmpfsSize(2 << 30)),
        ("size=65536k", TmpfsSize(64 << 20)),
        ("size=1000000000", TmpfsSize(10**9)),
        ("size=0x1000000", TmpfsSize(1 << 24)),
        ("size=0100000", TmpfsSize(1 << 15)),
        ("size=25%", TmpfsSize(share=0.25)),
        ("size=150%", TmpfsSize(share=1.5)),
        ("size=1g,size=2g", TmpfsSize(2 << 30)),
        ("size=0", TmpfsSize()),
        ("size=2gb", None),
        ("size=1.5g", None),
        ("size=09", None),
        ("size=", None),
        ("size=-1", None),
    ],
)
def test_sizes_of_the_kernel(options: str, size: TmpfsSize | None) -> None:
    assert tmpfs_size(options) == size


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("2Gi", 2 << 30),
        ("2G", 2 * 10**9),
        ("512Mi", 512 << 20),
        ("512M", 512 * 10**6),
        ("65536Ki", 64 << 20),
        ("64k", 64_000),
        ("500m", Fraction(1, 2)),
        ("1.5", Fraction(3, 2)),
        ("1.5Gi", 3 << 29),
        (".5Gi", 1 << 29),
        ("1.", 1),
        ("+1", 1),
        ("-1", -1),
        ("1e9", 10**9),
        ("1E9", 10**9),
        ("1.5e3", 1500),
        ("1e-3", Fraction(1, 1000)),
        ("1E", 10**18),
        ("1Ei", 1 << 60),
        ("100n", Fraction(1, 10**7)),
        ("3u", Fraction(3, 10**6)),
        (4, 4),
        (1.5, Fraction(3, 2)),
        (1e22, 10**22),
        ("0", 0),
        ("2K", None),
        ("2KB", None),
        ("2gb", None),
        ("2GB", None),
        ("2gi", None),
        ("2 Gi", None),
        ("", None),
        (".", None),
        ("Gi", None),
        ("1e", None),
        ("1e9Gi", None),
        ("1_000", None),
        (True, None),
        (None, None),
        (["1Gi"], None),
    ],
)
def test_quantities_of_kubernetes(value: object, number: Fraction | int | None) -> None:
    assert quantity(value) == number


def test_a_fraction_of_a_byte_is_one() -> None:
    assert whole_quantity("512m") == 1
    assert whole_quantity("0.0") == 0
    assert whole_quantity("1E") == 10**18
    assert whole_quantity("100E") == LARGEST
    assert whole_quantity("-1") is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("0-3", 4), ("0,2", 2), ("0-3,2,8-9", 6), ("5", 1), ("", None), ("3-1", None), ("a", None), ("0-", None), ("0, 1", 2)],
)
def test_sets_of_processors(text: str, count: int | None) -> None:
    assert count_cpus(text) == count


@given(
    st.integers(0, 1 << 40), st.sampled_from(["k", "m", "g"]), st.sampled_from(["", "b", "ib"]), st.booleans(), st.sampled_from(["", " "])
)
def test_every_spelling_of_docker_is_the_same_size(number: int, unit: str, ending: str, upper: bool, space: str) -> None:
    text = f"{number}{space}{unit}{ending}"
    wanted = int(float(number) * 1024.0 ** ("kmg".index(unit) + 1))
    assert docker_bytes(text.upper() if upper else text) == (wanted if wanted <= LARGEST else None)


@given(st.integers(0, 10**12), st.integers(0, 999), st.sampled_from(["Ki", "Mi", "Gi", "k", "M", "G", "m", "", "e3", "E-2"]))
def test_quantities_are_exact(whole: int, part: int, suffix: str) -> None:
    units = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9, "m": Fraction(1, 1000), "": 1, "e3": 1000}
    unit = units.get(suffix, Fraction(1, 100))
    assert quantity(f"{whole}.{part:03d}{suffix}") == Fraction(whole * 1000 + part, 1000) * unit


@given(st.text(max_size=70))
def test_any_text_is_a_size_or_none(text: str) -> None:
    for found in (docker_bytes(text), whole_quantity(text)):
        assert found is None or 0 <= found <= LARGEST
    told = tmpfs_size(f"size={text}")
    assert told is None or told.size is None or 0 < told.size <= LARGEST
    count_cpus(text)
