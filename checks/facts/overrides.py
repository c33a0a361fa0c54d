"""`-o a.b.0.c=v`, applied as PaddleClas applies it, without ever running anything.

PaddleClas (`override_config` in `ppcls/utils/config.py`, the same from 2.2 to develop) splits each option at its only `=`, the key at its
dots, and puts the value through Python's `eval`; what `eval` rejects stays a string. Here literals give the same values, and what `eval`
would have run as code is refused.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from checks.facts.yaml_tree import Spot, Tree, plain, printable

if TYPE_CHECKING:
    import ast

_SCOPE = frozenset(dir(builtins)) | {
    # names of the module and of the two functions around the eval, on one branch or another
    "os", "copy", "argparse", "yaml", "logger", "check", "OrderedDict", "convert_to_dict", "AttrDict", "create_attr_dict",
    "parse_config", "print_dict", "print_config", "check_config", "override", "override_config", "get_config", "parse_args",
    "represent_dictionary_order", "setup_orderdict", "dump_infer_config", "__all__", "__name__", "__file__", "__doc__",
    "__spec__", "__package__", "__loader__", "__builtins__", "__cached__",
}  # fmt: skip

_PPCLS_MODULES = {
    # what these two modules of PaddleClas define: `check.txt` is a file name, `check.check_gpu` is code
    "logger": frozenset({
        "Color", "advertise", "anti_fleet", "coloring", "datetime", "debug", "dist", "error", "info", "init_logger", "log_at_trainer0",
        "logging", "os", "scaler", "sys", "time_zone", "warning",
    }),
    "check": frozenset({
        "absolute_import", "check_architecture", "check_classes_num", "check_data_dir", "check_function_params", "check_gpu", "check_mix",
        "check_model_with_running_mode", "check_version", "division", "get_architectures", "get_blacklist_model_in_static_mode",
        "is_compiled_with_cuda", "logger", "os", "paddle", "print_function", "similar_architectures", "sys",
    }),
}  # fmt: skip

Problem = Literal[
    "no-equals",  # "=" is missing: AssertionError in PaddleClas
    "two-equals",  # more than one "=": AssertionError
    "empty-key",  # nothing before the "=" or between two dots: a key of no letters is made
    "index-out-of-range",  # AssertionError or IndexError
    "index-not-a-number",  # TypeError
    "not-a-container",  # the path goes on below a scalar or null: AssertionError
    "code",  # eval would have run it
]


class Override(msgspec.Struct, frozen=True):
    """One `-o` and what became of it.

    `position` counts from 1. `known_before` is False where the path was not in the file, so PaddleClas makes it anew (2.1, 2.4 and later)
    or stops with a KeyError when a parent is missing (2.0, 2.2, 2.3). `problem` says why it was not applied.
    """

    position: int
    text: str
    key: str = ""
    value: Any = None
    previous: Any = None
    known_before: bool = True
    missing_parent: bool = False
    problem: Problem | None = None
    detail: str = ""


def apply_overrides(tree: Tree, options: tuple[str, ...]) -> tuple[Tree, tuple[Override, ...]]:
    """The tree after all overrides, in order, and the outcome of each; the tree given is left as it was."""
    data, spots = _copy(tree.data), dict(tree.spots)
    outcomes = tuple(_apply(data, spots, number, option) for number, option in enumerate(options, 1))
    return msgspec.structs.replace(tree, data=data, spots=spots), outcomes


def read_value(text: str) -> tuple[Any, str]:
    """What an override's value becomes, and a name of the code in it (empty if there is none).

    `1e-4`, `True`, `[1, 2]` and `None` become values; `true`, `null`, `./data` and `list.txt` are no Python, or names that `eval` does
    not find, and stay strings; `os`, `5*64`, `list` and `__import__("os")` are code.
    """
    import ast
    import warnings

    source = text.lstrip(" \t")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source, mode="eval").body
            try:
                return plain(ast.literal_eval(body)), ""
            except (ValueError, TypeError, MemoryError, RecursionError):
                pass
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text, ""
    try:
        for node in _in_evaluation_order(body):
            if isinstance(node, ast.Name) and node.id not in _SCOPE:
                return text, ""  # NameError before anything happens: the string stays
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and not _has(node.value.id, node.attr):
                return text, ""  # AttributeError, likewise
            if isinstance(node, ast.Call):
                break
        return text, printable(ast.unparse(body))
    except RecursionError:
        return text, ""  # too deep for eval as well


def _has(name: str, attribute: str) -> bool:
    """Whether a name that `eval` would find has an attribute; looks at built-ins and the standard library only, and calls nothing."""
    known = _PPCLS_MODULES.get(name)
    if known is not None:
        return attribute in known or attribute.startswith("_")
    if name in ("os", "copy", "argparse", "yaml"):
        return hasattr(importlib.import_module(name), attribute)
    return hasattr(getattr(builtins, name, _has), attribute)  # any other name is a function of PaddleClas


def _in_evaluation_order(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression in the order Python evaluates them; a call comes after its function and arguments."""
    import ast

    if isinstance(node, ast.Lambda):
        return  # its body is not evaluated
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        yield from _in_evaluation_order(node.generators[0].iter)
        yield ast.Call(func=node, args=[], keywords=[])
        return
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.IfExp):
        children = [node.test, node.body, node.orelse]
    elif isinstance(node, ast.Dict):
        children = [part for pair in zip(node.keys, node.values, strict=True) for part in pair if part is not None]
    for child in children:
        yield from _in_evaluation_order(child)
    yield node


def _apply(data: Any, spots: dict[str, Spot], position: int, text: str) -> Override:
    text = printable(text)  # an argument that is not UTF-8 reaches Python with surrogates
    if "=" not in text:
        return Override(position, text, problem="no-equals")
    if text.count("=") > 1:
        return Override(position, text, key=text.partition("=")[0], problem="two-equals")
    key, value_text = text.split("=")
    parts = key.split(".")
    if not all(parts):
        return Override(position, text, key=key, problem="empty-key")
    value, code = read_value(value_text)
    if code:
        return Override(position, text, key=key, problem="code", detail=code)

    here, path, missing = data, "", False
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, list):
            index = _index(part, len(here))
            if isinstance(index, str):
                return Override(position, text, key=key, problem=index, detail=f"{path}[{part}], {len(here)}")
            path = f"{path}.{index}"
            if last:
                previous, here[index] = here[index], value
                return _done(spots, path, position, text, value, previous, known=True, missing=False)
            here = here[index]
        elif isinstance(here, dict):
            path = f"{path}.{part}" if path else part
            known = part in here
            if last:
                previous, here[part] = here.get(part), value
                return _done(spots, path, position, text, value, previous, known=known, missing=missing)
            if not known:
                missing = True
                here[part] = {}
                spots[path] = Spot(0, 0, 0, 0, position)
            here = here[part]
        else:
            return Override(position, text, key=key, problem="not-a-container", detail=f"{path}: {here!r}")
    raise AssertionError("a key has at least one part")


def _index(part: str, length: int) -> int | Problem:
    index, code = read_value(part)  # PaddleClas evals an index just like a value: `-1`, `0x1` and ` 1` are numbers, `01` is not
    if code:
        return "code"
    if not isinstance(index, int):
        return "index-not-a-number"
    if not -length <= index < length:
        return "index-out-of-range"
    return index % length


def _done(
    spots: dict[str, Spot], path: str, position: int, text: str, value: Any, previous: Any, *, known: bool, missing: bool
) -> Override:
    spots[path] = Spot(0, 0, 0, 0, position)
    below = path + "."
    for stale in [p for p in spots if p.startswith(below)]:
        del spots[stale]
    _mark(spots, path, value, position)
    # a copy: a later override may reach into the value
    return Override(position, text, path, _copy(value), plain(previous), known_before=known, missing_parent=missing)


def _mark(spots: dict[str, Spot], path: str, value: Any, position: int) -> None:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        spots[f"{path}.{key}"] = Spot(0, 0, 0, 0, position)
        _mark(spots, f"{path}.{key}", child, position)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
