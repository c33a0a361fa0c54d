"""Values of Python as programs print them, read without running anything: lists, dicts, numbers, texts, and NumPy's ways to write a number."""

from __future__ import annotations

import ast
import math
import re
import warnings
from typing import Any

LONGEST = 1 << 20
"""Characters of one printed value that are read."""
_NUMPY = frozenset({"array", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool_", "str_"})
_NAMES = {"nan": math.nan, "inf": math.inf, "NaN": math.nan, "Infinity": math.inf, "true": True, "false": False, "null": None}
_OPENS, _CLOSES = "[{(", "]})"
_TOKEN = re.compile(r"""[\[\](){}]|(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""")


class NoLiteral(ValueError):
    """The text is no printed value."""


def read_literal(text: str) -> Any:
    """The value that a text writes; `np.float32(0.5)` and `array([0.5], dtype=float32)` are what is in them.

    Raises:
        NoLiteral: it is something else, is broken off, or is nested or long beyond reason.
    """
    if len(text) > LONGEST:
        raise NoLiteral("too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of a backslash in a text, as paths of Windows have them
            tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise NoLiteral(str(error)) from None


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        if any(key is None for key in node.keys):
            raise NoLiteral("not a value")
        return {_value(key): _value(item) for key, item in zip(node.keys, node.values, strict=True) if key is not None}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        number = _value(node.operand)
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise NoLiteral("not a number")
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.Call) and node.args and _called(node.func) in _NUMPY:
        return _value(node.args[0])
    raise NoLiteral("not a value")


def _called(function: ast.expr) -> str | None:
    """The name of a NumPy type or of `array`, with or without the module before it."""
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in ("np", "numpy"):
        return function.attr
    return None


def literal_end(text: str, start: int, end: int | None = None) -> int | None:
    """Where the bracket that opens at `start` is closed (the index behind it); None where it is not, before `end` or within reason."""
    open_brackets: list[str] = []
    for match in _TOKEN.finditer(text, start, min(start + LONGEST, len(text) if end is None else end)):
        sign = match[0]
        if len(sign) > 1:
            continue
        if sign in _OPENS:
            open_brackets.append(_CLOSES[_OPENS.index(sign)])
        elif not open_brackets or open_brackets.pop() != sign:
            return None
        if not open_brackets:
            return match.end()
    return None
