"""Variables in Compose files, and the files that set them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.compose_variables import VariableProblem, read_env_file, substitute

SET = {"A": "1g", "EMPTY": "", "B_2": "b", "a": "small"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2g", "2g"),
        ("$A", "1g"),
        ("${A}", "1g"),
        ("x${A}y", "x1gy"),
        ("$A$B_2", "1gb"),
        ("${NO}", ""),
        ("$NO", ""),
        ("${NO:-2g}", "2g"),
        ("${NO-2g}", "2g"),
        ("${EMPTY:-2g}", "2g"),
        ("${EMPTY-2g}", ""),
        ("${A:-2g}", "1g"),
        ("${A:+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("${NO+set}", ""),
        ("${A:?must}", "1g"),
        ("${EMPTY?must}", ""),
        ("${NO:-${A}}", "1g"),
        ("${NO:-${NO2:-3g}}", "3g"),
        ("${NO:-$A}", "1g"),
        ("${NO:-a-b:c}", "a-b:c"),
        ("${NO:-}", ""),
        ("$$A", "$A"),
        ("$${A}", "${A}"),
        ("$$$A", "$1g"),
        ("5$", "5$"),
        ("$5", "$5"),
        ("${a}", "small"),
        ("/dev/shm:size=${A}", "/dev/shm:size=1g"),
    ],
)
def test_substitution(text: str, value: str) -> None:
    assert substitute(text, SET.get) == value


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("${NO:?say it}", "NO", "say it"),
        ("${NO?}", "NO", ""),
        ("${EMPTY:?why ${A}}", "EMPTY", "why 1g"),
        ("${}", None, "${}"),
        ("${A", None, "${A"),
        ("${1A}", None, "${1A}"),
        ("${A/b/c}", None, "${A/b/c}"),
        ("${A b}", None, "${A b}"),
    ],
)
def test_what_compose_refuses(text: str, name: str | None, message: str) -> None:
    with pytest.raises(VariableProblem) as caught:
        substitute(text, SET.get)
    assert (caught.value.name, caught.value.text) == (name, message)


def test_nesting_has_an_end() -> None:
    with pytest.raises(VariableProblem):
        substitute("${A_:-" * 5000 + "}" * 5000, SET.get)


@pytest.mark.parametrize("text", ["${A:-b}" * 100_000, "${A:-" * 100_000 + "}" * 100_000, "x" * 100_000 + "$A"])
def test_length_has_an_end(text: str) -> None:
    with pytest.raises(VariableProblem):
        substitute(text, SET.get)
    assert substitute("x" * 100_000, SET.get) == "x" * 100_000


@given(st.text(alphabet="${}:-?+Aa1 _", max_size=40))
def test_any_text_has_a_value_or_is_refused(text: str) -> None:
    try:
        value = substitute(text, SET.get)
    except VariableProblem:
        return
    assert "$" in text or value == text


@given(st.text(max_size=40))
def test_a_value_whose_dollars_are_doubled_is_itself(text: str) -> None:
    assert substitute(text.replace("$", "$$"), SET.get) == text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SHM=2g\n", {"SHM": "2g"}),
        ("\ufeffSHM=2g", {"SHM": "2g"}),
        ("# SHM=1g\n\n  SHM = 2g  \n", {"SHM": "2g"}),
        ("export SHM=2g", {"SHM": "2g"}),
        ("SHM: 2g", {"SHM": "2g"}),
        ("SHM=2g # large", {"SHM": "2g"}),
        ("SHM=2g# large", {"SHM": "2g# large"}),
        ("SHM='2g # x' # y", {"SHM": "2g # x"}),
        ('SHM="2g # x"', {"SHM": "2g # x"}),
        ('SHM="a\\nb"', {"SHM": "a\nb"}),
        ("SHM='a\\nb'", {"SHM": "a\\nb"}),
        ("SHM='it\\'s'", {"SHM": "it's"}),
        ("SIZE=2\nSHM=${SIZE}g", {"SIZE": "2", "SHM": "2g"}),
        ("SHM='${SIZE}g'", {"SHM": "${SIZE}g"}),
        ('SHM="$HOST"', {"SHM": "ours"}),
        ("HOST=theirs\nSHM=$HOST", {"HOST": "theirs", "SHM": "ours"}),
        ('SHM="two\nlines"\nB=1', {"SHM": "two\nlines", "B": "1"}),
        ("HOST\nNOT_SET\n", {"HOST": "ours"}),
        ("SHM=", {"SHM": ""}),
        ("a b c\nSHM=2g\n=3\n", {"SHM": "2g"}),
        ("SHM='unclosed\nB=1", {"SHM": "'unclosed", "B": "1"}),
        ("SHM=1g\r\nB=2\r\n".replace("\r\n", "\n"), {"SHM": "1g", "B": "2"}),
        ("SHM=1g\nSHM=2g", {"SHM": "2g"}),
        ("1A=2\nSHM=3g", {"SHM": "3g"}),
    ],
)
def test_env_files(text: str, values: dict[str, str]) -> None:
    assert read_env_file(text, {"HOST": "ours"}) == values


@given(st.text(max_size=80))
def test_any_text_is_an_env_file(text: str) -> None:
    assert all(isinstance(value, str) for value in read_env_file(text, {}).values())


@given(st.text(alphabet="ab=:'\"\\ \n#$ {}", max_size=60))
def test_any_quoting_ends(text: str) -> None:
    read_env_file(text, {"a": "b"})
