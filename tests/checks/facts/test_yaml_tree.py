"""A YAML file is read with PaddleClas's values and true places, and hostile input ends as one named reason."""

from __future__ import annotations

import ast
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from checks.facts.base import Unreadable
from checks.facts.yaml_tree import MAX_BYTES, MAX_DEPTH, Tree, literal, plain, read_tree
from checks.model import Location, Unavailable

ROOT = Path(__file__).resolve().parents[3]
RELAXED = settings(deadline=None, max_examples=300)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail instead of hanging."""

    def give_up(*_: object) -> None:
        raise AssertionError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def tree_of(content: str | bytes) -> Tree:
    data = content.encode() if isinstance(content, str) else content
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c.yaml")
        with open(path, "wb") as stream:
            stream.write(data)
        with at_most(20):
            return read_tree(path, "c.yaml")


def text(block: str) -> Tree:
    return tree_of(textwrap.dedent(block))


def refusal(content: str | bytes) -> Unavailable:
    with pytest.raises(Unreadable) as caught:
        tree_of(content)
    assert caught.value.unavailable.values["file"] == "c.yaml"
    msgspec.json.encode(caught.value.unavailable)
    return caught.value.unavailable


# ----
# the reference: what PaddleClas does after SafeLoader, written again for the tests


def evaluated(value: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(value)
    except BaseException:  # as PaddleClas has it
        return value


def as_paddleclas(mapping: dict[Any, Any]) -> dict[Any, Any]:
    """Strings directly in mappings are evaluated, mappings in mappings are descended into, lists are left alone."""
    result: dict[Any, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, str):
            result[key] = evaluated(value)
        elif type(value) is dict:
            result[key] = as_paddleclas(value)
        else:
            result[key] = value
    return result


class TwoKeysBecomeOne(Exception):
    """`1` and `"1"` in one mapping."""


def as_json(value: Any) -> Any:
    """What JSON can say of a value; refuses mappings in which two keys would become one."""
    if isinstance(value, dict):
        result = {str(key): as_json(item) for key, item in value.items()}
        if len(result) < len(value):
            raise TwoKeysBecomeOne
        return result
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [as_json(item) for item in sorted(value, key=repr)]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return repr(value) if value != value or value in (float("inf"), float("-inf")) else value
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


# ----
# values


TRICKY = [
    "5", "5.0", "1e-3", "1e3", "1.0e3", "1.0e+3", "True", "true", "None", "null", "~", "102", "0123", "012", "0o17", "0x1F", "5*64", "1.0/255.0",
    "1./255.", "[1,2]", "(1,2)", "'x'", "1_000", "-1", "+1", "--1", "1+2j", "5j", "b'x'", "...", "{1,2}", "{'b','a','c'}", "2024-10-18",
    "2001-12-14 21:59:43.10-05:00", "12:30:45", "1:30", ".5", "1.", ".inf", "-.inf", ".nan", "nan", "", "#x", "1,000", "on", "yes", "No", "１", " 5",
    "5 ", "\t5", "\n5", "5\n", "# c\n5", "\\\n5", "\f5", "\ufeff5", "set()", "set ()", "frozenset()", "list", "os", "__import__('os')", "1is", "u'x'",
    "Rb'x'", "f'x'", "'a' 'b'", "'\\ud800'", "1e400", "9" * 30, "9" * 5000, "[" * 90 + "]" * 90, "-" * 300 + "1", "{'a': (1, {2}), 3: b'x'}",
    "{[]: 1}",
    "'\\N{BULLET}'", "Ellipsis", "not True", "1 if 1 else 2", "5 # c", "0_0", "1__0", "中文", "./data", "C:\\data", "\x00", "5\x00",
]  # fmt: skip


@pytest.mark.parametrize("value", TRICKY, ids=[ascii(v)[:30] for v in TRICKY])
def test_literal_is_what_literal_eval_makes(value: str) -> None:
    assert repr(literal(value)) == repr(as_json(evaluated(value)))


@given(st.text(alphabet="0123456789+-.eEjJ_xob()[]{},:'\"\\ \t\n#TrueFalsNonset", max_size=12) | st.text(max_size=20))
@settings(deadline=None, max_examples=1000)
def test_literal_of_anything(value: str) -> None:
    assert repr(literal(value)) == repr(as_json(evaluated(value)))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"5"', 5), ("1e-3", 0.001), ('"True"', True), ("true", True), ('"null"', "null"), ("null", None), ('"0123"', "0123"), ("0123", 83),
        ('"5*64"', "5*64"), ("1.0/255.0", "1.0/255.0"), ('"(1,2)"', [1, 2]), ("1,000", [1, 0]), ("12:30:45", 45045), ("2024-10-18", "2024-10-18"),
        ("on", True), (".inf", "inf"), ('"b\'x\'"', "b'x'"), ('""', ""), ("[1, '2']", [1, "2"]), ("[{size: '64'}]", [{"size": "64"}]),
        ("{size: '64'}", {"size": 64}), ("!!set {b, a, c}", ["a", "b", "c"]), ("!!omap [b: 1, a: 2]", [["b", 1], ["a", 2]]),
        ("99999999999999999999", "99999999999999999999"),
    ],
)  # fmt: skip
def test_value(written: str, value: Any) -> None:
    tree = tree_of(f"k: {written}\n")
    assert tree.data == {"k": value}
    assert type(tree.data["k"]) is type(value)
    assert msgspec.json.decode(msgspec.json.encode(tree), type=Tree) == tree


def test_strings_in_lists_stay_strings() -> None:
    tree = text("""
        size: "64"
        sizes: ["64", 1e-3]
        ops:
          - Resize: {size: "64", deep: {size: "64"}}
        nested: {size: "64", sizes: ["64"]}
        """)
    assert tree.data["size"] == 64
    assert tree.data["sizes"] == ["64", "1e-3"]
    assert tree.data["ops"] == [{"Resize": {"size": "64", "deep": {"size": "64"}}}]
    assert tree.data["nested"] == {"size": 64, "sizes": ["64"]}


def test_the_order_of_a_set_is_always_the_same() -> None:
    assert plain({"b", "a", "d", "c"}) == ["a", "b", "c", "d"]


def test_keys_become_text() -> None:
    tree = tree_of("1: a\ntrue: b\nnull: c\n2024-01-01: d\n'1.5': e\n")
    assert tree.data == {"1": "a", "True": "b", "None": "c", "2024-01-01": "d", "1.5": "e"}


KEYS = st.text(alphabet="abcXYZ_ -é中", min_size=1, max_size=8) | st.integers(2, 9)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.dates()
    | st.binary(max_size=4)
    | st.sampled_from([v for v in TRICKY if "\x00" not in v and len(v) < 1000])
)
CONFIGS = st.dictionaries(
    KEYS,
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12),
    min_size=1,
    max_size=5,
)


@given(CONFIGS, st.booleans() | st.none(), st.sampled_from([20, 80, 1000]), st.sampled_from([None, '"', "'", "|"]))
@RELAXED
def test_generated_configs_have_paddleclas_values(config: Any, flow: bool | None, width: int, style: str | None) -> None:
    dumped = yaml.safe_dump(config, default_flow_style=flow, width=width, default_style=style, allow_unicode=True)
    try:
        expected = as_json(as_paddleclas(yaml.safe_load(dumped)))
    except (yaml.YAMLError, TwoKeysBecomeOne):
        assume(False)
    tree = tree_of(dumped)
    assert repr(tree.data) == repr(expected)
    assert msgspec.json.decode(msgspec.json.encode(tree), type=Tree) == tree
    assert set(tree.spots) >= set(tree.data)


@given(CONFIGS)
@RELAXED
def test_every_value_has_a_place(config: Any) -> None:
    tree = tree_of(yaml.safe_dump(config))

    def walk(value: Any, path: str) -> None:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in children:
            here = f"{path}.{key}" if path else str(key)
            spot = tree.spots[here]
            assert 1 <= spot.line <= tree.lines
            assert 1 <= spot.key_line <= spot.line
            assert tree.at(here).key == here
            walk(child, here)

    try:
        walk(as_json(yaml.safe_load(yaml.safe_dump(config))), "")
    except TwoKeysBecomeOne:
        assume(False)


# ----
# nothing but Unreadable


YAMLISH = st.text(alphabet="abk:-[]{}&*!#|>'\"%@`? \n\n\t0123.,<=~\\\r\ufeff\x85\u2028é", max_size=60)


@given(YAMLISH)
@settings(deadline=None, max_examples=2000)
def test_yaml_like_text_is_read_as_pyyaml_reads_it_or_refused(content: str) -> None:
    universal = content.replace("\r\n", "\n").replace("\r", "\n")
    # the two parsers of PyYAML differ in tabs, where ours is PaddleClas's, and in nothing else that is written in earnest
    loader = yaml.SafeLoader if "\t" in universal else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loaded = yaml.load(universal, Loader=loader)
    except Exception:  # PyYAML raises ValueError, TypeError and others beside its own
        loaded = None
    refused = tree = None
    try:
        tree = tree_of(content)
    except Unreadable as error:
        refused = error.unavailable
    if tree is None:
        assert not isinstance(loaded, dict) or (refused and refused.reason == "config-cyclic"), refused
        return
    assert isinstance(loaded, dict)
    try:
        expected = as_json(as_paddleclas(loaded))
    except TwoKeysBecomeOne:
        return
    assert repr(tree.data) == repr(expected)
    assert msgspec.json.decode(msgspec.json.encode(tree), type=Tree) == tree


@given(st.text(max_size=200))
@RELAXED
def test_any_text(content: str) -> None:
    with suppress(Unreadable):
        msgspec.json.encode(tree_of(content.encode("utf-8", "surrogatepass")))


@given(st.binary(max_size=200))
@RELAXED
def test_any_bytes(content: bytes) -> None:
    with suppress(Unreadable):
        msgspec.json.encode(tree_of(content))


TAGS = st.sampled_from(
    [
        *("!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!timestamp", "!!omap", "!!pairs", "!!set", "!!map", "!!seq"),
        *("!!merge", "!!value", "!mine", "!!python/name:os.system"),
    ]
)
SCALARS = st.sampled_from(
    ["x", "''", "1", "2024-13-45", "0x_", "{}", "[]", "[a: 1]", "{a: 1}", "{[a]: 1}", "~", "9" * 5000, "1:99", "é", "[[a, b]]"]
)


@given(TAGS, SCALARS, st.sampled_from(["k: {} {}", "? {} {}\n: 1", "k: [{} {}]", "<<: {} {}", "{} {}", "&a {} {}"]))
@RELAXED
def test_any_tag_on_anything(tag: str, scalar: str, frame: str) -> None:
    with suppress(Unreadable):
        tree_of(frame.format(tag, scalar))


# ----
# places


def place(tree: Tree, path: str) -> tuple[int | None, int | None]:
    location = tree.at(path)
    assert location.file == "c.yaml"
    assert location.key == path
    return location.line, location.column


def test_places_in_block_and_flow_style() -> None:
    tree = tree_of(
        "# a comment\n"
        "Global:\n"
        "  epochs: 120   # why\n"
        "  image_shape: [3, 224, 224]\n"
        "  device: 'gpu'\n"
        "Arch: {name: ResNet50, class_num: 102}\n"
        "ops:\n"
        "- ToCHWImage:\n"
        "- Resize:\n"
        "    size: 224\n"
        "text: |\n"
        "  long\n"
    )
    assert place(tree, "Global") == (3, 3)
    assert place(tree, "Global.epochs") == (3, 11)
    assert place(tree, "Global.image_shape") == (4, 16)
    assert place(tree, "Global.image_shape.1") == (4, 20)
    assert place(tree, "Global.device") == (5, 11)
    assert place(tree, "Arch.class_num") == (6, 35)
    assert place(tree, "ops.0.ToCHWImage") == (8, 14)
    assert place(tree, "ops.1") == (9, 3)
    assert place(tree, "ops.1.Resize.size") == (10, 11)
    assert place(tree, "text") == (11, 7)
    assert tree.key_at("Global.epochs") == Location("c.yaml", 3, 3, "Global.epochs")
    assert tree.key_at("Arch.class_num") == Location("c.yaml", 6, 24, "Arch.class_num")
    assert tree.lines == 13


def test_the_place_of_what_is_absent_is_its_nearest_parent() -> None:
    tree = tree_of("Global:\n  epochs: 1\nops:\n- a: 1\n")
    assert place(tree, "Global.device.x") == (2, 3)
    assert place(tree, "ops.7.b") == (4, 1)
    assert place(tree, "Nothing") == (1, 1)
    assert tree.get("Nothing") is None
    assert not tree.has("Global.device")
    assert tree.key_at("Global.device") == tree.at("Global.device")


def test_null_is_there_but_has_no_value() -> None:
    tree = tree_of("Global:\n  checkpoints: null\n")
    assert tree.has("Global.checkpoints")
    assert tree.get("Global.checkpoints") is None


def test_raw_never_stumbles() -> None:
    tree = tree_of("a: [1, {b: 2}]\nc: 5\n")
    assert tree.raw("a.1.b") == 2
    assert tree.raw(("a", 1, "b")) == 2
    for absent in ("a.2", "a.x", "a.-1", "c.d", "a.1.b.c", "", ".", "a..b", "a.²"):
        assert tree.raw(absent) is None, absent


def test_an_alias_is_blamed_where_it_is_used_and_its_inside_where_it_stands() -> None:
    tree = tree_of("class_num: &n 751\nArch:\n  class_num: *n\nTrain: &t\n  workers: 8\nEval: *t\nflow: {a: &x 1, b: *x}\n")
    assert tree.data["Arch"]["class_num"] == 751
    assert place(tree, "class_num") == (1, 12)
    assert place(tree, "Arch.class_num") == (3, 3)
    assert place(tree, "Eval") == (6, 1)
    assert place(tree, "Eval.workers") == (5, 12)
    assert place(tree, "flow.b") == (7, 17)


def test_merge_keys() -> None:
    tree = tree_of(
        "base: &base\n  workers: 4\n  batch: 64\nTrain:\n  <<: *base\n  batch: 128\nEval: {<<: [*base, {shuffle: no}], batch: 32}\n"
    )
    assert tree.data["Train"] == {"workers": 4, "batch": 128}
    assert tree.data["Eval"] == {"workers": 4, "batch": 32, "shuffle": False}
    assert place(tree, "Train.workers") == (2, 12)
    assert place(tree, "Train.batch") == (6, 10)
    assert place(tree, "Eval.batch") == (7, 43)
    assert tree.duplicates == ()


def test_line_ends_of_windows_and_old_macs() -> None:
    for end in ("\r\n", "\r"):
        tree = tree_of(f"a: 1{end}b:{end}  c: 2{end}".encode())
        assert tree.data == {"a": 1, "b": {"c": 2}}
        assert place(tree, "b.c") == (3, 6)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    tree = tree_of("\ufeffa: 1\n")
    assert tree.data == {"a": 1}
    assert place(tree, "a") == (1, 4)


def test_columns_count_characters() -> None:
    assert place(tree_of("{名: 值, b: 1}\n"), "b") == (1, 11)


def test_the_name_is_what_the_user_calls_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a: 1\n")
    assert read_tree(str(path)).file == str(path)
    assert read_tree(str(path), "mine.yaml").at("a").file == "mine.yaml"


# ----
# duplicates


def duplicates(content: str) -> list[tuple[str, int, str | None, int | None, int | None]]:
    return [(d.key, d.first_line, d.location.key, d.location.line, d.location.column) for d in tree_of(content).duplicates]


def test_duplicate_keys_are_told_and_the_last_one_holds() -> None:
    content = "Arch:\n  class_num: 10\n  name: x\n  class_num: 20\n  'class_num': 30\n"
    assert tree_of(content).data["Arch"]["class_num"] == 30
    assert duplicates(content) == [("class_num", 2, "Arch.class_num", 4, 3), ("class_num", 4, "Arch.class_num", 5, 3)]


def test_duplicates_in_lists_and_at_the_top() -> None:
    assert duplicates("a: 1\nops:\n- R: {s: 1, s: 2}\na: 2\n") == [("s", 3, "ops.0.R.s", 3, 13), ("a", 1, "a", 4, 1)]


@pytest.mark.parametrize(
    "content",
    [
        "a: {x: 1}\nb: {x: 1}\n",
        "1: a\n'1': b\n",
        "a: &b {<<: {x: 1}, x: 2}\nc: *b\n",
        "d: &d {<<: {k: 1}, k: 2}\n<<: *d\n",
        "a: {<<: {x: 1}, <<: {y: 1}}\n",
    ],
)
def test_no_duplicate(content: str) -> None:
    assert duplicates(content) == []


def test_a_duplicate_behind_an_alias_is_told_once() -> None:
    assert duplicates("a: &a {x: 1, x: 2}\nb: *a\nc: *a\n") == [("x", 1, "a.x", 1, 14)]


# ----
# suppressions


def suppressions(content: str) -> list[tuple[int, int | None, tuple[str, ...], str]]:
    return [(s.line, s.covers, s.rules, s.reason) for s in tree_of(content).suppressions]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1  # paddle-doctor: ignore[LAB102] borrowed labels\n", [(1, 1, ("LAB102",), "borrowed labels")]),
        ("a: 1  #paddle-doctor:ignore[LAB102,ENV101]\n", [(1, 1, ("LAB102", "ENV101"), "")]),
        (
            "a: 1  # paddle-doctor: ignore[ LAB102 , label-exceeds-class-num ]: why\n",
            [(1, 1, ("LAB102", "label-exceeds-class-num"), "why")],
        ),
        ("a: 1  # paddle-doctor: ignore\n", [(1, 1, (), "")]),
        ("a: 1  # paddle-doctor: ignore all is well\n", [(1, 1, (), "all is well")]),
        ("a: 1  # paddle-doctor: ignore[]\n", [(1, 1, (), "")]),
        ("# paddle-doctor: ignore[LAB102] why\n\n# another comment\na: 1\n", [(1, 4, ("LAB102",), "why")]),
        ("a:\n    # paddle-doctor: ignore[LAB102] 标签来自别处\n    b: 1\n", [(2, 3, ("LAB102",), "标签来自别处")]),
        ("a: 1\n# paddle-doctor: ignore[LAB102]\n", [(2, 2, ("LAB102",), "")]),
        ("# paddle-doctor: ignore-file[CFG101] ours\na: 1\n", [(1, None, ("CFG101",), "ours")]),
        ("a: 1  # paddle-doctor: ignore-file\n", [(1, None, (), "")]),
        ("a: 1  # note # paddle-doctor: ignore[LAB102]\n", [(1, 1, ("LAB102",), "")]),
        ("a: 'x'  # paddle-doctor: ignore[LAB102]\n", [(1, 1, ("LAB102",), "")]),
        ("a: |\n  text\n# paddle-doctor: ignore[LAB102]\nb: 1\n", [(3, 4, ("LAB102",), "")]),
        ("a: [1,  # paddle-doctor: ignore[LAB102]\n  2]\n", [(1, 1, ("LAB102",), "")]),
    ],
)
def test_suppression(content: str, expected: list[tuple[int, int | None, tuple[str, ...], str]]) -> None:
    assert suppressions(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        "a: 'x # paddle-doctor: ignore[LAB102]'\n",
        'a: "x # paddle-doctor: ignore[LAB102]"\n',
        "a: |\n  x # paddle-doctor: ignore[LAB102]\n",
        "a: >\n  x\n  # paddle-doctor: ignore-file\nb: 1\n",
        'a: "x\n  # paddle-doctor: ignore[LAB102]\n  y"\n',
        "a: ['x # paddle-doctor: ignore[LAB102]']\n",
        "'k # paddle-doctor: ignore[LAB102]': 1\n",
        "a: 1  # paddle-doctor: ignored[LAB102]\n",
        "a: 1  # paddle-doctor: ignore-line[LAB102]\n",
        "a: 1  # paddle-doctor ignore[LAB102]\n",
    ],
)
def test_no_suppression(content: str) -> None:
    assert suppressions(content) == []


# ----
# bad input


def billion_laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def merged_laughs() -> str:
    lines = ["a0: &a0 {a: 1, b: 2, c: 3, d: 4}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "config-empty"),
        ("  \n\n", "config-empty"),
        ("# nothing but a comment\n", "config-empty"),
        ("---\n...\n", "config-top-level-scalar"),
        ("- a\n- b\n", "config-top-level-list"),
        ("!!set {a, b}\n", "config-top-level-list"),
        ("just words\n", "config-top-level-scalar"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "config-binary"),
        (b"\x80\x04\x95", "config-not-utf8"),
        ("a: 标签\n".encode("gbk"), "config-not-utf8"),
        ("a: 1\n".encode("utf-16"), "config-binary"),
        ("a:\n\tb: 1\n", "config-tab"),
        ("a: 1\n\tb: 1\n", "config-tab"),
        ("a: [1, 2\n", "config-not-yaml"),
        ("a: b: c\n", "config-not-yaml"),
        ("a: *nowhere\n", "config-not-yaml"),
        ("a: 1\n---\nb: 2\n", "config-not-yaml"),
        ("? [a, b]\n: 1\n", "config-not-yaml"),
        ("? {a: b}\n: 1\n", "config-not-yaml"),
        ("a: \x01\n", "config-not-yaml"),
        ("a: 2024-13-45\n", "config-not-yaml"),
        ("a: 0x_\n", "config-not-yaml"),
        ("a: !!int many\n", "config-not-yaml"),
        ("a: !!bool perhaps\n", "config-not-yaml"),
        ("a: !!timestamp soon\n", "config-not-yaml"),
        ("a: " + "9" * 5000 + "\n", "config-not-yaml"),
        ("a: &a [*a]\n", "config-cyclic"),
        ("a: &a\n  b: {c: *a}\n", "config-cyclic"),
        ("&a b: 1\n<<: &m {x: 1, y: [*m]}\n", "config-cyclic"),
        (billion_laughs(), "config-explodes"),
        (merged_laughs(), "config-explodes"),
        ("? " + "k" * 1_000_000 + "\n: [" + "0, " * 10_000 + "]\n", "config-explodes"),
        ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "config-too-deep"),
    ],
)
def test_refused(content: str | bytes, reason: str) -> None:
    assert refusal(content).reason == reason


def test_a_refusal_says_where() -> None:
    assert refusal("a: 1\nb: [1, 2\nc: 3\n").values["line"] == 3
    assert refusal("ok: 1\na: \x01\n").values | {"problem": ""} == {"file": "c.yaml", "line": 2, "column": 4, "problem": ""}
    assert refusal("ok: 1\nwhen: 2024-13-45\n").values | {"problem": ""} == {"file": "c.yaml", "line": 2, "column": 7, "problem": ""}
    assert refusal("a: 1\nb: 标签\n".encode("gbk")).values == {"file": "c.yaml", "line": 2, "byte": "0xb1"}
    tab = refusal("a: 1\nb:\n\tc: 1\n")
    assert (tab.values["line"], tab.reason) == (3, "config-tab")
    assert "\n" not in refusal("a: *nowhere\n").values["problem"]


def test_deep_but_allowed() -> None:
    depth = MAX_DEPTH - 1
    assert tree_of("a: " + "[" * depth + "]" * depth).raw("a" + ".0" * (depth - 1)) == []


@pytest.mark.parametrize("content", ["a:\t1\n", "a: 1\t\n", "a: 1\t# why\n", "a: [1,\t2]\n"])
def test_tabs_that_libyaml_lets_pass_but_paddleclas_does_not(content: str) -> None:
    assert refusal(content).reason == "config-tab"


def test_tabs_in_text_and_comments_are_fine() -> None:
    tree = tree_of('delimiter: "\t"\n# a\tcomment\nblock: |\n  a\tb\n')
    assert tree.data == {"delimiter": "\t", "block": "a\tb\n"}


DEEP = {
    "open brackets": "a: " + "[" * 100_000,
    "closed brackets": "a: " + "[" * 100_000 + "]" * 100_000,
    "braces": "a: " + "{a: " * 100_000,
    "both": "a: " + "[{a: " * 100_000,
    "dashes": "- " * 100_000,
    "complex keys": "? " * 100_000,
    "indentation": "\n".join(" " * i + "a:" for i in range(2500)),
    "with a tab": 'b: "\t"\na: ' + "[" * 100_000,
}


@pytest.mark.parametrize("shape", DEEP)
def test_nesting_cannot_end_the_process(shape: str, tmp_path: Path) -> None:
    """In a process of its own: libyaml's composer recurses in C, and where it runs out of stack nothing can be caught."""
    (tmp_path / "c.yaml").write_text(DEEP[shape])
    code = (
        "import sys, threading\n"
        "from checks.facts.yaml_tree import read_tree\n"
        "from checks.facts.base import Unreadable\n"
        "def read():\n"
        "    try: read_tree(sys.argv[1])\n"
        "    except Unreadable as refused: print(refused.unavailable.reason)\n"
        "read()\n"
        "threading.stack_size(256 * 1024)\n"
        "thread = threading.Thread(target=read); thread.start(); thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "c.yaml")], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["config-too-deep"] * 2, "")


def test_missing_and_directory(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        read_tree(str(tmp_path / "none.yaml"))
    assert caught.value.unavailable.reason == "config-missing"
    with pytest.raises(Unreadable) as caught:
        read_tree(str(tmp_path), "here")
    assert caught.value.unavailable == Unavailable("config-is-directory", {"file": "here"})


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "c.yaml/d.yaml"])
def test_impossible_names(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("a: 1\n")
    with pytest.raises(Unreadable) as caught:
        read_tree(os.path.join(str(tmp_path), name), "n")
    assert caught.value.unavailable.reason in ("config-unreadable", "config-missing")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with open(path, "wb") as stream:
        stream.truncate(100 << 20)
    with at_most(2), pytest.raises(Unreadable) as caught:
        read_tree(str(path), "big.yaml")
    assert caught.value.unavailable == Unavailable("config-too-large", {"file": "big.yaml", "size": 100 << 20, "limit": MAX_BYTES})


def test_the_largest_file_that_is_read_ends(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("a: [" + "0," * ((MAX_BYTES - 10) // 2) + "]")
    with at_most(60), pytest.raises(Unreadable) as caught:
        read_tree(str(path))
    assert caught.value.unavailable.reason == "config-explodes"


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with at_most(5), pytest.raises(Unreadable) as caught:
        read_tree(str(tmp_path / "pipe"))
    assert caught.value.unavailable.reason == "config-not-a-file"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_does_not_hang(device: str) -> None:
    if not os.path.exists(device) or not stat.S_ISCHR(os.stat(device).st_mode):
        pytest.skip(f"no {device} here")
    with at_most(5), pytest.raises(Unreadable) as caught:
        read_tree(device)
    assert caught.value.unavailable.reason == "config-not-a-file"


def test_links(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert read_tree(str(tmp_path / "link.yaml")).data == {"a": 1}
    with pytest.raises(Unreadable) as caught:
        read_tree(str(tmp_path / "loop.yaml"))
    assert caught.value.unavailable.reason == "config-unreadable"


def test_no_permission() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "secret.yaml")
        Path(path).write_text("a: 1\n")
        os.chmod(path, 0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)  # root may read everything
        try:
            with pytest.raises(Unreadable) as caught:
                read_tree(path, "secret.yaml")
        finally:
            if root:
                os.seteuid(0)
    assert caught.value.unavailable.reason == "config-unreadable"
    assert "ermission" in caught.value.unavailable.values["error"]


@pytest.mark.parametrize(
    "attack",
    [
        '!!python/object/apply:os.system ["touch CANARY"]',
        "!!python/object/apply:os.mkdir [CANARY]",
        "!!python/object/new:os.mkdir [CANARY]",
        "!!python/name:os.system",
        "!!python/module:os",
        '!!python/object/apply:subprocess.check_output [["touch", "CANARY"]]',
    ],
)
@pytest.mark.parametrize("frame", ["a: {}\n", "{}\n", "? {}\n: 1\n", "<<: {}\n", "a: !!omap [b: {}]\n"])
def test_python_tags_run_nothing(attack: str, frame: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    refusal(frame.format(attack.replace("CANARY", str(canary))))
    assert not canary.exists()


@pytest.mark.parametrize(
    "code",
    ["__import__('os').mkdir('CANARY')", "[__import__('os').mkdir('CANARY')]", "{1: open('CANARY', 'w')}", "(open('CANARY', 'w'),)"],
)
def test_strings_run_nothing(code: str, tmp_path: Path) -> None:
    code = code.replace("CANARY", str(tmp_path / "canary"))
    assert tree_of(yaml.safe_dump({"a": code})).data == {"a": code}
    assert not (tmp_path / "canary").exists()
