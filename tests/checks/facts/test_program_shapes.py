"""Shapes of exported programs, from their bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.facts.program_shapes import Shapes, pir_shapes, program_shapes
from tests.deployments import pir, program

sides = st.lists(st.integers(-1, 4096), max_size=5)


@given(sides, sides, st.integers(0, 9))
def test_pir_round_trip(output: list[int], image: list[int], version: int) -> None:
    assert pir_shapes(pir(output, image, version)) == Shapes((tuple(image),), (tuple(output),), version)


@given(sides, sides)
def test_program_round_trip(output: list[int], image: list[int]) -> None:
    assert program_shapes(program(output, image)) == Shapes((tuple(image),), (tuple(output),))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for reader in (pir_shapes, program_shapes):
        found = reader(content)
        assert found is None or isinstance(found, Shapes)


@given(st.integers(0, 200), st.binary(max_size=4))
def test_damaged_programs(cut: int, more: bytes) -> None:
    for content in (pir([-1, 5], [-1, 3, 64, 64]), program([-1, 5], [-1, 3, 64, 64])):
        for reader in (pir_shapes, program_shapes):
            found = reader(content[:cut] + more + content[cut + 2 :])
            assert found is None or all(isinstance(side, int) for shape in (*found.inputs, *found.outputs) for side in shape or ())


def test_other_json_is_none() -> None:
    for text in (
        b"{}",
        b"[]",
        b"1",
        b'{"base_code": {"magic": "x"}, "program": {"regions": [{"blocks": [{"ops": []}]}]}}',
        b'{"base_code": 1}',
    ):
        assert pir_shapes(text) is None
