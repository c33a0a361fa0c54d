"""Sentences with numbers in them: how `{need:bytes}` and its like become text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Put values into a template.

    `{n}` is the value itself, with thousands separated; `{n:bytes}` a size (`165.4 MiB`); `{n:s}` and `{n:es}` English plural endings;
    `{ids:list}` a list cut after ten; `{x:raw}` the value without separators; `{says:zh}` an outcome in Chinese, or as it is where it is the
    words of a log.

    Raises:
        KeyError: the template names a value that is not given.
    """
    return _FIELD.sub(lambda m: _text(values[m.group(1)], m.group(2) or ""), template)


def fields(template: str) -> set[str]:
    """The names of the values that a template takes."""
    return {match.group(1) for match in _FIELD.finditer(template)}


def size(count: float) -> str:
    """A number of bytes for a person, in binary units as `df -h` and Docker use them: 67108864 is `64 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count == int(count) else f"{count:.1f} {unit}"


def _text(value: Any, kind: str) -> str:
    if kind == "bytes":
        return size(value)
    if kind == "zh":
        from knowledge.phrases_rules import OUTCOMES_ZH

        return OUTCOMES_ZH.get(value, str(value))
    if kind == "s":
        return "" if value == 1 else "s"
    if kind == "es":
        return "" if value == 1 else "es"
    if kind == "list" or isinstance(value, (list, tuple)):
        shown = [_text(item, "raw") for item in list(value)[:10]]
        return ", ".join(shown) + (" …" if len(value) > 10 else "")
    if isinstance(value, bool) or kind == "raw":
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
