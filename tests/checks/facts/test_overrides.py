"""`-o` sets what PaddleClas would set, says what it would stop at, and runs nothing."""

from __future__ import annotations

import argparse  # noqa: F401 - imported before the audit hook watches
import ast
import copy
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.overrides import Override, apply_overrides, read_value
from checks.facts.yaml_tree import Spot, Tree, read_tree
from checks.model import OVERRIDE_FILE, Location

CONFIG = """\
Global:
  checkpoints: null
  epochs: 20
  device: gpu
  image_shape: [3, 64, 64]
Arch:
  name: MobileNetV3_small_x0_35
  class_num: 5
DataLoader:
  Train:
    dataset:
      transform_ops:
      - DecodeImage: {to_rgb: True}
      - RandCropImage: {size: 64}
      - ToCHWImage:
    sampler: {batch_size: 64}
"""

CODE = object()
"""Stands for: PaddleClas evaluates it as code, we refuse."""
KEPT = object()
"""Stands for: the text itself."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    path = tmp_path_factory.mktemp("config") / "c.yaml"
    path.write_text(CONFIG)
    return read_tree(str(path), "c.yaml")


_WATCH: dict[str, list[str] | None] = {"seen": None}


def _audit(event: str, args: tuple[Any, ...]) -> None:
    seen = _WATCH["seen"]
    if seen is not None and event in ("exec", "os.system", "os.mkdir", "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn"):
        seen.append(event)


sys.addaudithook(_audit)


@contextmanager
def nothing_runs() -> Iterator[None]:
    """No code object is executed by `eval`, `exec` or an import, and no process or folder is made."""
    seen: list[str] = []
    _WATCH["seen"] = seen
    try:
        yield
    finally:
        _WATCH["seen"] = None
    assert seen == []


def test_the_watch_sees() -> None:
    with pytest.raises(AssertionError), nothing_runs():
        eval("1 + 1")


def one(tree: Tree, option: str) -> tuple[Tree, Override]:
    changed, (outcome,) = apply_overrides(tree, (option,))
    return changed, outcome


# ---- values: what PaddleClas makes of `-o Global.v=<text>`, found by running its develop branch

SEEN_IN_PADDLECLAS: list[tuple[str, Any]] = [
    ("1e-4", 0.0001), ("1e4", 10000.0), ("1.", 1.0), ("True", True), ("true", KEPT), ("False", False), ("false", KEPT), ("TRUE", KEPT),
    ("null", KEPT), ("None", None), ("none", KEPT), ("~", KEPT), ("[1,2]", [1, 2]), ("(1,2)", (1, 2)), ("1,2", (1, 2)), ("{'a':1}", {"a": 1}),
    ("{a:1}", KEPT), ("[1,2", KEPT), ("0123", KEPT), ("00", 0), ("0", 0), ("1_000", 1000), ("1__0", KEPT), ("v", KEPT), ("dl", KEPT), ("ks", KEPT),
    ("k", KEPT), ("str2num", KEPT), ("config", KEPT), ("C", KEPT), ("train", KEPT), ("cpu", KEPT), ("gpu", KEPT), ("train_list.txt", KEPT),
    ("./data", KEPT), ("a/b", KEPT), ("/tmp/x", KEPT), ("../x", KEPT), ("data-x", KEPT), ("os-x", KEPT), ("id/x", KEPT), ("list/x", KEPT), ("", KEPT),
    ('"quoted"', "quoted"), ("'0'", "0"), ("''", ""), ("0x10", 16), ("0b11", 3), ("0o17", 15), ("nan", KEPT), ("inf", KEPT), ("-1", -1), ("+1", 1),
    ("--1", CODE),
    ("1+2j", 1 + 2j), ("5j", 5j), ("...", ...), ('b"x"', b"x"), (" 5", 5), ("5 ", 5), ("\t5", 5), ("\n5", 5), ("5\n", 5), ("\xa05", KEPT),
    ("5\u3000", KEPT), ("１", KEPT), ("５.０", KEPT), ("٣", KEPT), ("½", KEPT),
    ("a b", KEPT), ("1 2", KEPT), ("#x", KEPT), ("5 # c", 5), ("5;6", KEPT),
    ("(5", KEPT), ("not x", KEPT), ("await x", KEPT), ("1.0.0", KEPT), ("v1.0", KEPT), ("1e400", float("inf")), ("-0", 0), ("'a' 'b'", "ab"),
    (r"r'\n'", r"\n"), (r"\n", KEPT), ("C:\\data", KEPT), ("[1,true]", KEPT), ("['a',b]", KEPT), ("{'a':true}", KEPT), ("{1,2}", {1, 2}), ("()", ()),
    ("[]", []), ("{}", {}), ("dl['epochs']", KEPT), ("len(dl)", KEPT), ("8" * 100, int("8" * 100)), ("9" * 9000, KEPT), ("(" * 9000, KEPT),
    ("raise", KEPT), ("assert 0", KEPT), ("sys", KEPT), ("sys.exit(3)", KEPT), ("中文", KEPT), ("变量", KEPT), ("\u200b5", KEPT), ("\x00", KEPT),
    ("5\x00", KEPT),
    ("5*64", CODE), ("8//2", CODE), ("1/3", CODE), ("2**3", CODE), ("os", CODE), ("list", CODE), ("logger", CODE), ("check", CODE), ("eval", CODE),
    ("AttrDict", CODE), ("yaml", CODE), ("copy", CODE), ("argparse", CODE), ("override", CODE), ("override_config", CODE), ("OrderedDict", CODE),
    ("print", CODE), ("exit", CODE), ("exit()", CODE), ("max", CODE), ("id", CODE), ("type", CODE), ("input", CODE), ("__name__", CODE),
    ("__file__", CODE), ('__import__("os").getpid()', CODE), ("os.path", CODE), ("float('nan')", CODE), ("1 if True else 2", CODE), ("lambda: 1",
    CODE),
    ('f"{1}"', CODE), ("not True", CODE), ("1<2", CODE), ("print(7)", CODE), ("[i for i in range(3)]", CODE), ("1.0/255.0", CODE), ("0.1+0.2", CODE),
    ("sum([1,2])", CODE), ("os._exit", CODE), ("KeyboardInterrupt", CODE),
]  # fmt: skip


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
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
    return repr(value)


@pytest.mark.parametrize(("text", "seen"), SEEN_IN_PADDLECLAS, ids=[ascii(text)[:30] for text, _ in SEEN_IN_PADDLECLAS])
def test_values_as_seen_in_paddleclas(tree: Tree, text: str, seen: Any) -> None:
    with nothing_runs():
        changed, outcome = one(tree, f"Global.v={text}")
    if seen is CODE:
        assert outcome.problem == "code"
        assert outcome.detail
        assert changed == tree
    else:
        assert outcome.problem is None
        assert repr(changed.raw("Global.v")) == repr(text if seen is KEPT else as_json(seen))


@pytest.mark.parametrize(
    "name",
    [
        "list.txt", "id.txt", "input.jpg", "filter.txt", "all.txt", "map.txt", "object.png", "check.txt", "logger.log", "os.txt", "yaml.yaml",
        "copy.txt", "override.yaml", "print_config.txt", "AttrDict.x", "type.pdparams",
    ],
)  # fmt: skip
def test_file_names_that_begin_like_a_python_name_stay(name: str) -> None:
    """`eval("list.txt")` ends in an AttributeError, so PaddleClas keeps the text."""
    assert read_value(name) == (name, "")


@pytest.mark.parametrize(
    "name", ["os.path", "list.append", "check.check_gpu", "logger.info", "yaml.load", "os.system", "copy.copy", "str.join.__call__"]
)
def test_attributes_that_are_there_are_code(name: str) -> None:
    assert read_value(name) == (name, name)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').mkdir('CANARY')", "os.mkdir('CANARY')", "[os.mkdir('CANARY')]", "(lambda: os.mkdir('CANARY'))()", "{1: os.mkdir('CANARY')}",
        "[os.mkdir(p) for p in ['CANARY']]", "os.mkdir('CANARY') or 5", "f\"{os.mkdir('CANARY')}\"", "exec(\"os.mkdir('CANARY')\")",
        "eval(\"os.mkdir('CANARY')\")", "open('CANARY','w')", "os.system('touch CANARY')", "print(os.mkdir('CANARY'))", "().__class__.__base__",
        "(os.mkdir('CANARY'), unknown)", "[*[os.mkdir('CANARY')]]", "{x for x in [os.mkdir('CANARY')]}", "1 if os.mkdir('CANARY') else 2",
    ],
)  # fmt: skip
def test_code_is_refused_and_does_not_run(tree: Tree, text: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with nothing_runs():
        changed, outcome = one(tree, f"Global.v={text}".replace("CANARY", str(canary)))
    assert outcome.problem == "code"
    assert changed == tree
    assert not canary.exists()


@pytest.mark.parametrize("size", [600, 30_000])
@pytest.mark.parametrize(
    "unit", ["-", "not ", "os+", "1+", "os.", "1j+", "lambda: ", "1 if 1 else ", "2**", "(", "[", "{", "f'{", "1,", "'a'"]
)
def test_long_expressions_end(tree: Tree, unit: str, size: int) -> None:
    for text in (unit * size + "1", "os" + unit * size, "os" + ".a" * size, "os" + "()" * size, "os" + "[0]" * size):
        msgspec.json.encode(one(tree, f"Global.v={text}")[1])


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.complex_numbers(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(LITERALS)
@settings(deadline=None, max_examples=300)
def test_literals_become_values(value: Any) -> None:
    with nothing_runs():
        assert repr(read_value(repr(value))) == repr((as_json(ast.literal_eval(repr(value))), ""))


PYTHONISH = st.text(alphabet="0123456789+-*/.eEjxob()[]{},:'\"\\ \t\n#", max_size=10) | st.lists(
    st.sampled_from(
        ["os", "list", "unknown", ".", "mkdir", "(", ")", "[", "]", "{", "}", ",", ":", "1", "'a'", "+", "*", " ", " if ", " else ",
        " for x in ", "lambda ",
         "not ", " or ", "await ", "yield ", "f'{os}'", "...", "-", "<", "True", "None", "@", "~", "print"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(PYTHONISH | st.text(max_size=20))
@settings(deadline=None, max_examples=1500)
def test_any_value(text: str) -> None:
    """A literal gives its value; anything else is either kept as it is or named as code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected: Any = (as_json(ast.literal_eval(text)), "")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        expected = None
    with nothing_runs():
        value, code = read_value(text)
    if expected is not None:
        assert repr((value, code)) == repr(expected)
    else:
        assert value == text


NAMES = st.sampled_from(
    ["Global", "epochs", "image_shape", "checkpoints", "DataLoader", "Train", "dataset", "transform_ops", "0", "1", "-1", "2", "9", "01", "",
    "x", " ",
     "os", "RandCropImage", "size", "True", "device", "²", "１"]
)  # fmt: skip
OPTIONS = st.text(max_size=30) | st.tuples(st.lists(NAMES, min_size=1, max_size=7).map(".".join), PYTHONISH | st.text(max_size=10)).map(
    "=".join
)


@given(st.lists(OPTIONS, max_size=5))
@settings(deadline=None, max_examples=800)
def test_any_options(options: list[str]) -> None:
    tree = Tree("c.yaml", copy.deepcopy(PLAIN), {name: Spot(1, 1, 1, 1) for name in PLAIN}, 16)
    before = copy.deepcopy(tree)
    with nothing_runs():
        changed, outcomes = apply_overrides(tree, tuple(options))
    assert tree == before
    assert [outcome.position for outcome in outcomes] == list(range(1, len(options) + 1))
    assert msgspec.json.decode(msgspec.json.encode((changed, outcomes)), type=tuple[Tree, tuple[Override, ...]]) == (changed, outcomes)
    assert changed.data == follow(PLAIN, options)


PLAIN = {
    "Global": {"epochs": 20, "image_shape": [3, 64, 64], "checkpoints": None, "device": "gpu"},
    "DataLoader": {"Train": {"dataset": {"transform_ops": [{"DecodeImage": None}, {"RandCropImage": {"size": 64}}]}}},
}


def follow(config: Any, options: list[str]) -> Any:
    """PaddleClas's walk through keys, written again; an option that would stop it, or is refused, changes nothing."""
    config = copy.deepcopy(config)
    for option in options:
        key, equals, text = option.encode("utf-8", "backslashreplace").decode().partition("=")
        value, code = read_value(text)
        if not equals or "=" in text or code or not all(key.split(".")):
            continue
        trial = copy.deepcopy(config)
        try:
            here = trial
            *parents, last = key.split(".")
            for part in parents:
                if isinstance(here, list):
                    here = here[number(part)]
                elif isinstance(here, dict):
                    here = here.setdefault(part, {})
                else:
                    raise TypeError
            if isinstance(here, list):
                here[number(last)] = value
            elif isinstance(here, dict):
                here[last] = value
            else:
                raise TypeError
        except (TypeError, IndexError):
            continue
        config = trial
    return config


def number(part: str) -> int:
    try:
        value = ast.literal_eval(part)
    except (ValueError, SyntaxError):
        raise TypeError from None
    if not isinstance(value, int):
        raise TypeError
    return value


# ---- keys


@pytest.mark.parametrize(
    ("option", "path", "value", "previous", "known"),
    [
        ("Global.epochs=40", "Global.epochs", 40, 20, True),
        ("Global=1", "Global", 1, read_value("{'checkpoints': None, 'epochs': 20, 'device': 'gpu', 'image_shape': [3, 64, 64]}")[0], True),
        ("Global.image_shape.1=32", "Global.image_shape.1", 32, 64, True),
        ("Global.image_shape.-1=32", "Global.image_shape.2", 32, 64, True),
        ("Global.image_shape.True=32", "Global.image_shape.1", 32, 64, True),
        ("Global.image_shape. 1=32", "Global.image_shape.1", 32, 64, True),
        ("Global.image_shape.0x1=32", "Global.image_shape.1", 32, 64, True),
        ("Global.image_shape=3,64,64", "Global.image_shape", [3, 64, 64], [3, 64, 64], True),
        ("DataLoader.Train.dataset.transform_ops.1.RandCropImage.size=32", "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size",
        32, 64, True),
        ("DataLoader.Train.dataset.transform_ops.-2.RandCropImage.size=32", "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size",
        32, 64, True),
        ("Global.checkpoints=./x", "Global.checkpoints", "./x", None, True),
        ("Global.checkpoints=", "Global.checkpoints", "", None, True),
        ("Global.epochs =5", "Global.epochs ", 5, None, False),
        ("Global.Epochs=5", "Global.Epochs", 5, None, False),
        ("Global.epochs:1=2", "Global.epochs:1", 2, None, False),
    ],
)  # fmt: skip
def test_applied(tree: Tree, option: str, path: str, value: Any, previous: Any, known: bool) -> None:
    changed, outcome = one(tree, option)
    assert (outcome.problem, outcome.key, outcome.value, outcome.previous) == (None, path, value, previous)
    assert (outcome.known_before, outcome.missing_parent) == (known, False)
    assert changed.raw(path) == value
    assert changed.at(path) == Location(OVERRIDE_FILE, 1, None, path)


@pytest.mark.parametrize(
    "option", ["DataLoader.TRAIN.sampler.batch_size=512", "global.epochs=5", " Global.epochs=5", "Global.a.b.c=1", "Global/epochs.x=2"]
)
def test_missing_parents_are_made_and_told(tree: Tree, option: str) -> None:
    changed, outcome = one(tree, option)
    key, _, value = option.partition("=")
    assert (outcome.problem, outcome.known_before, outcome.missing_parent) == (None, False, True)
    assert changed.raw(key) == int(value)
    parent = key.rpartition(".")[0]
    assert changed.at(parent).file == OVERRIDE_FILE


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("Global.epochs", "no-equals"),
        ("Global.epochs＝2", "no-equals"),
        ("", "no-equals"),
        ("a=b=c", "two-equals"),
        ("Global.epochs==1", "two-equals"),
        ("=1", "empty-key"),
        ("=", "empty-key"),
        ("Global..epochs=1", "empty-key"),
        (".Global.epochs=1", "empty-key"),
        ("Global.epochs.=1", "empty-key"),
        ("Global.image_shape.3=1", "index-out-of-range"),
        ("Global.image_shape.5=1", "index-out-of-range"),
        ("Global.image_shape.-4=32", "index-out-of-range"),
        ("DataLoader.Train.dataset.transform_ops.9.RandCropImage.size=32", "index-out-of-range"),
        ("DataLoader.Train.dataset.transform_ops.-9.RandCropImage.size=32", "index-out-of-range"),
        ("DataLoader.Train.dataset.transform_ops.RandCropImage.size=32", "index-not-a-number"),
        ("Global.image_shape.a=32", "index-not-a-number"),
        ("Global.image_shape.01=32", "index-not-a-number"),
        ("Global.image_shape.１=32", "index-not-a-number"),
        ("Global.image_shape.1:2=32", "index-not-a-number"),
        ("Global.image_shape.None=3", "index-not-a-number"),
        ("Global.image_shape.len=32", "code"),
        ("Global.image_shape.0+1=32", "code"),
        ("Global.image_shape.1.0=32", "not-a-container"),
        ("Global.epochs.x=1", "not-a-container"),
        ("Global.device.x=1", "not-a-container"),
        ("Global.checkpoints.x=1", "not-a-container"),
        ("DataLoader.Train.dataset.transform_ops.2.ToCHWImage.x=1", "not-a-container"),
        ("Arch.name.0=X", "not-a-container"),
    ],
)
def test_not_applied(tree: Tree, option: str, problem: str) -> None:
    changed, outcome = one(tree, option)
    assert outcome.problem == problem
    assert outcome.text == option
    assert changed == tree


def test_every_value_set_is_blamed_on_its_override(tree: Tree) -> None:
    changed, outcomes = apply_overrides(
        tree,
        ("Arch.class_num=7", "oops", "Optimizer={'lr': {'name': 'Cosine', 'steps': [1, 2]}}", "Arch.class_num=8", "Global.image_shape=9"),
    )
    assert [outcome.problem for outcome in outcomes] == [None, "no-equals", None, None, None]
    assert outcomes[3].previous == 7
    assert changed.at("Arch.class_num") == Location(OVERRIDE_FILE, 4, None, "Arch.class_num")
    assert changed.key_at("Arch.class_num") == Location(OVERRIDE_FILE, 4, None, "Arch.class_num")
    assert changed.at("Optimizer.lr.steps.1") == Location(OVERRIDE_FILE, 3, None, "Optimizer.lr.steps.1")
    assert not changed.has("Global.image_shape.1")
    assert changed.at("Global.epochs") == tree.at("Global.epochs")
    assert tree.raw("Arch.class_num") == 5


def test_a_later_override_does_not_change_what_an_earlier_one_says(tree: Tree) -> None:
    changed, (first, second) = apply_overrides(tree, ("Arch={'class_num': 1}", "Arch.class_num=2"))
    assert first.value == {"class_num": 1}
    assert second.previous == 1
    assert changed.raw("Arch") == {"class_num": 2}


def test_an_argument_that_is_not_utf8_can_still_be_reported(tree: Tree) -> None:
    option = os.fsdecode(b"Global.\xff=\xfe")
    changed, outcome = one(tree, option)
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Override) == outcome
    assert changed.raw("Global.\\udcff") == "\\udcfe"
    changed, outcome = one(tree, "Global.v='\\ud800'")
    assert changed.raw("Global.v") == "\\ud800"
    msgspec.json.encode(changed)


def test_nothing_is_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            read_value("open('x', 'w')")
        finally:
            os.chdir(before)
        assert os.listdir(folder) == []
