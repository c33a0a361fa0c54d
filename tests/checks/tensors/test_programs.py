"""Exported programs, from their bytes: what is read, and what damaged, hostile and huge ones do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.tensors import pir as pir_format
from checks.tensors.programs import MAX_BYTES, Program, parse_program, read_program
from tests.exports import Net, classifier, field, repvgg

sides = st.lists(st.integers(-1, 4096), min_size=1, max_size=5)
BEGUN = b'{"base_code": {"magic": "pir"}, "program": '
WHOLE = tuple(net for made in (classifier(), repvgg(2)) for net in (made.pir(), made.program()))


@given(sides, sides, st.integers(0, 9), st.sampled_from(["float32", "float16", "int64"]))
def test_both_formats_say_the_same(output: list[int], image: list[int], version: int, dtype: str) -> None:
    net = classifier(output, image, dtype=dtype)
    new, old = parse_program(net.pir(version)), parse_program(net.program(version))
    assert new is not None
    assert old is not None
    assert (new.format, old.format) == ("pir", "program")
    for found in (new, old):
        assert found.version == version
        assert [(item.dtype, item.shape) for item in found.inputs] == [(dtype, tuple(image))]
        assert [item.shape for item in found.outputs] == [tuple(output)]
        assert [item.name for item in found.parameters] == [name for name, _, _ in net.sorted_parameters]
        assert found.activations == ("softmax",)
    assert new.parameters == old.parameters


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for text in (content, b"{" + content):
        found = parse_program(text)
        assert found is None or isinstance(found, Program)


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), st.data())
def test_damaged_programs(whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    found = parse_program(bytes(content))
    if found is not None:
        assert all(isinstance(side, int) for item in (*found.inputs, *found.outputs, *found.parameters) for side in item.shape)


@settings(max_examples=60)
@given(st.sampled_from(WHOLE), st.floats(0, 0.999))
def test_what_is_cut_off_is_refused_or_shorter(whole: bytes, share: float) -> None:
    found = parse_program(whole[: int(len(whole) * share)])
    assert found is None or found.format == "program"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b'{"base_code": {"magic": "x"}, "program": {"regions": [{"blocks": [{"ops": []}]}]}}',
        b'{"base_code": {"magic": "pir"}, "program": {"regions": []}}',
        b'{"base_code": 1}',
        b'{"a":' + b"[" * 200_000,
        b'{"base_code": {"magic": "pir"}, "program": {"regions": [{"blocks": [{"ops": [{"#": "p", "A": '
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}]}]}]}}",
        b'{"base_code": {"magic": "pir"}, "program": ' + b'{"regions": [{"blocks": [{"ops": [{"#": "a", ' * 30_000,
        field(1, b""),
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80" * 100,
    ],
)
def test_what_is_no_program_is_none(text: bytes) -> None:
    assert parse_program(text) is None


def test_huge_files_end_soon(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    with (tmp_path / "a.json").open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert read_program(str(tmp_path / "a.json")) is None
    start = time.monotonic()
    assert parse_program(b"\x08\x01" * 8_000_000) is None
    tiny = b'{"#":""},' * (pir_format.MOST_KEYS + 1)
    assert parse_program(b'{"base_code":{"magic":"pir"},"program":{"regions":[{"blocks":[{"ops":[' + tiny[:-1] + b"]}]}]}}") is None
    assert time.monotonic() - start < 10


def test_a_sum_of_many_and_a_graph_that_bites_its_tail_end() -> None:
    net = Net()
    value = net.op("add", net.fed[0], net.fed[0])
    for _ in range(2000):
        value = net.op("add", value, value)
    assert parse_program(net.fetch(value).pir()) is not None
    looped = Net()
    first = looped.op("softmax", 0)
    looped.operators[0] = ("softmax", [first], [first])
    found = parse_program(looped.fetch(first).pir())
    assert found is not None
    assert len(found.endings[0]) <= 16


@pytest.mark.parametrize(
    ("ending", "activations"),
    [
        ((), ()),
        (("softmax",), ("softmax",)),
        (("softmax", "scale", "softmax"), ("softmax", "softmax")),
        (("sigmoid", "cast"), ("sigmoid",)),
        (("softmax", "argmax"), ("softmax", "argmax")),
        (("softmax", "concat"), ()),
    ],
)
def test_how_it_ends(ending: tuple[str, ...], activations: tuple[str, ...]) -> None:
    for content in ((net := classifier(ending=ending)).pir(), net.program()):
        found = parse_program(content)
        assert found is not None
        assert found.activations == activations


def test_a_name_that_is_written_twice_is_two_values() -> None:
    """`softmax` in place: the second reads what the first wrote under the same name."""
    net = classifier(ending=("softmax", "softmax"))
    name = net.values[net.operators[-2][2][0]][0]
    net.values[net.operators[-1][2][0]] = (name, (-1, 5), "float32")
    found = parse_program(net.program())
    assert found is not None
    assert found.endings == (("elementwise_add", "softmax", "softmax"),)
