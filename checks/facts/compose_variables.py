"""Variables of a Compose file: `${NAME:-default}` in its values, and the `.env` file beside it.

As the Compose specification (`12-interpolation.md`) and Docker's "Syntax for environment files" describe it. Nothing is run, and the environment of
this process is only read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

MAX_NESTING = 20
"""The deepest `${A:-${B:-…}}` that is read."""

MAX_LENGTH = 32_768
"""The longest value, in characters, whose variables are put in."""

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-?+]")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "b": "\b", "\\": "\\", '"': '"', "$": "$$"}

Lookup = Callable[[str], str | None]
"""The value of a variable, or None where it is not set."""


class VariableProblem(Exception):  # becomes the one line that the user sees
    """A value cannot be put together: `name` is a variable that must be set, `text` its message; or None, and the value whose syntax is wrong."""

    def __init__(self, text: str, name: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.name = name


def substitute(text: str, lookup: Lookup, depth: int = 0) -> str:
    """A value with its variables put in; an unset one becomes nothing, and `$$` a dollar sign.

    Raises:
        VariableProblem: a braced expression is wrong, or a variable that must be set is not.
    """
    if "$" not in text:
        return text
    if depth > MAX_NESTING or len(text) > MAX_LENGTH:
        raise VariableProblem(text)
    parts = []
    place = 0
    while (found := text.find("$", place)) >= 0:
        parts.append(text[place:found])
        following = text[found + 1 : found + 2]
        if following == "$":
            parts.append("$")
            place = found + 2
        elif following == "{":
            end = _closing_brace(text, found + 2)
            parts.append(_braced(text, text[found + 2 : end], lookup, depth))
            place = end + 1
        elif match := _NAME.match(text, found + 1):
            parts.append(lookup(match.group()) or "")
            place = match.end()
        else:
            parts.append("$")
            place = found + 1
    return "".join(parts) + text[place:]


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise VariableProblem(text)


def _braced(text: str, inner: str, lookup: Lookup, depth: int) -> str:
    name = _NAME.match(inner)
    if name is None:
        raise VariableProblem(text)
    value = lookup(name.group())
    if name.end() == len(inner):
        return value or ""
    operator = _OPERATOR.match(inner, name.end())
    if operator is None:
        raise VariableProblem(text)
    rest = inner[operator.end() :]
    present = bool(value) if operator.group().startswith(":") else value is not None
    kind = operator.group()[-1]
    if kind == "+":
        return substitute(rest, lookup, depth + 1) if present else ""
    if present:
        return value or ""
    if kind == "?":
        raise VariableProblem(substitute(rest, lookup, depth + 1), name.group())
    return substitute(rest, lookup, depth + 1)


def read_env_file(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a `.env` file; those of `environ` come first where its values name others. Lines that are none are passed over."""
    found: dict[str, str] = {}

    def lookup(name: str) -> str | None:
        return environ.get(name, found.get(name))

    text = text.removeprefix("\ufeff")
    place = 0
    line = re.compile(r"[ \t\v\f]*(?:export[ \t]+)?([\w.\-\[\]]+)[ \t]*(?:[=:][ \t]*|(?=\n|$))")
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        match = line.match(text, place)
        if match is None or match.end() > end + 1:
            place = end + 1
            continue
        name, start = match.group(1), match.end()
        quote = text[start : start + 1]
        if text[match.end(1) : start].strip(" \t") == "":  # a name alone: the environment's
            if name in environ:
                found[name] = environ[name]
        elif quote in ("'", '"') and (close := _closing_quote(text, start)) is not None:
            end = text.find("\n", close)
            end = len(text) if end < 0 else end
            value = _quoted(text[start + 1 : close], quote)
            found[name] = _or_as_it_is(value, lookup) if quote == '"' else value
        else:
            value = text[start:end].split(" #", 1)[0].strip()
            found[name] = "" if value.startswith("#") else _or_as_it_is(value, lookup)
        place = end + 1
    return {name: value for name, value in found.items() if not name[0].isdigit()}


def _or_as_it_is(value: str, lookup: Lookup) -> str:
    try:
        return substitute(value, lookup)
    except VariableProblem:
        return value


def _closing_quote(text: str, start: int) -> int | None:
    place = start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == text[start]:
            return place
        place += 1
    return None


def _quoted(inner: str, quote: str) -> str:
    if quote == "'":
        return inner.replace("\\'", "'")
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group()), inner, flags=re.DOTALL)
