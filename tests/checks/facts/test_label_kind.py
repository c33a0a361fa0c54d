"""What a file is that is no label list."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from checks.facts.label_format import MODERN, parse_line
from checks.facts.label_kind import other_kind
from checks.facts.label_lines import _encoding_of
from checks.facts.label_scan import Scan

RULE = MODERN["ImageNetDataset"]


def scanned(*lines: str) -> Scan:
    scan = Scan(RULE, bad=[], bad_counts={}, guesses={})
    for number, line in enumerate(lines, 1):
        scan.lines = number
        scan.read_exactly(number, line)
    return scan


@given(st.lists(st.text(max_size=30)), st.lists(st.tuples(st.text("abc[{<", min_size=1, max_size=8), st.integers(0, 9)), min_size=1))
def test_a_list_with_as_many_samples_as_faults_is_a_list(odd: list[str], good: list[tuple[str, int]]) -> None:
    lines = [f"{path} {label}" for path, label in good]
    assert all(not isinstance(parse_line(line, RULE), str) for line in lines)
    assert other_kind(scanned(*lines, *odd[: len(lines)])) is None


@given(st.lists(st.text(max_size=80)))
def test_any_lines_have_an_answer(lines: list[str]) -> None:
    assert other_kind(scanned(*lines)) in (
        None,
        "file-is-lfs-pointer",
        "file-is-web-page",
        "file-is-xml",
        "file-is-json",
        "file-is-label-map",
        "file-is-no-list",
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("train/猫の写真.jpg 0", "shift_jis"),
        ("train/日本東京.jpg 0", "shift_jis"),
        ("train/猫的照片.jpg 0", "gb18030"),
        ("train/训练集/鸟.jpg 0", "gb18030"),
        ("train/貓的照片.jpg 0", "big5"),
        ("train/訓練集/鳥類.jpg 0", "big5"),
    ],
)
def test_the_encoding_of_a_line(text: str, name: str) -> None:
    assert _encoding_of(text.encode(name)) == name


def test_no_encoding_that_reads_it() -> None:
    assert _encoding_of(b"caf\xe9 \xff 0") == ""


@given(st.binary(max_size=40))
def test_any_bytes_have_an_encoding_or_none(line: bytes) -> None:
    name = _encoding_of(line)
    assert not name or line.decode(name) is not None
