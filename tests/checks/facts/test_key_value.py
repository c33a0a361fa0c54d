"""The text configs of the C++ demos are divided as `strtok` divides them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.base import Unreadable
from checks.facts.key_value import parse_key_values
from checks.model import Location


def as_the_demo(text: str) -> dict[str, str]:
    """`ClsConfig::LoadConfig` of 2.1 in plain words; a line of one part would end the process."""
    out = {}
    for line in text.split("\n"):
        if len(line) <= 1 or line[0] == "#":
            continue
        parts = [part for part in line.split(" ") if part]
        if len(parts) > 1:
            out[parts[0]] = parts[1]
    return out


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=8)
lines = st.lists(st.one_of(st.lists(words, max_size=4).map("  ".join), st.just("# use_gpu 1"), st.just("")), max_size=12)


@given(lines)
def test_values_are_those_of_the_demo(rows: list[str]) -> None:
    text = "\n".join(["use_gpu 0", *rows])
    found = parse_key_values(text, "config.txt")
    if not found.lite:
        assert found.tree.data == as_the_demo(text)
    for key, spot in found.tree.spots.items():
        line = text.split("\n")[spot.line - 1]
        assert line[spot.key_column - 1 :].startswith(key)
        assert line[spot.column - 1 :].startswith(found.tree.data[key])


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_key_values(text, "config.txt")
    except Unreadable as error:
        assert error.unavailable.reason == "config-not-key-value"
    else:
        assert set(found.tree.data) == set(found.tree.spots)


def test_places_and_kinds() -> None:
    found = parse_key_values("use_gpu  1\n cls_model_path\tm\nhalf\n", "c.txt")
    assert not found.lite
    assert found.tree.at("use_gpu") == Location("c.txt", 1, 10, "use_gpu")
    assert [(bad.location.line, bad.problem) for bad in found.bad] == [(2, "tab"), (3, "no-value")]
    assert found.tree.raw("cls_model_path") == "m"
    assert parse_key_values("clas_model_file a.nb\n", "c.txt").lite


def test_a_list_of_labels_is_refused() -> None:
    with pytest.raises(Unreadable):
        parse_key_values("0 tench\n1 goldfish\n", "labels.txt")
