"""Files that say how containers are started, read with the place of every value."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import yaml

from checks.facts.base import Unreadable
from checks.facts.yaml_tree import Tree, read_documents
from checks.model import Location

_REASONS = {
    "config-missing": "settings-missing",
    "config-empty": "settings-empty",
    "config-too-large": "settings-too-large",
    "config-binary": "settings-binary",
    "config-not-utf8": "settings-not-utf8",
    "config-explodes": "settings-explodes",
    "config-cyclic": "settings-cyclic",
}
"""Why a file cannot be read → the same without a word of PaddleClas's configs."""


def read_settings(path: str, name: str, rewrite: Callable[[yaml.Node], None] | None = None) -> list[Tree]:
    """The documents of a file of settings; `name` is what the user calls it.

    Raises:
        Unreadable: as `read_documents`, in words that fit; also where there is none.
    """
    try:
        trees = read_documents(path, name, rewrite)
    except Unreadable as error:
        reason = error.unavailable.reason
        raise Unreadable(_REASONS.get(reason, reason), **error.unavailable.values) from None
    if not any(tree.data is not None for tree in trees):
        raise Unreadable("settings-empty", file=name)
    return trees


class Part(NamedTuple):
    """A value with its place: of a mapping each value, and of a list each item, is a `Part` too. `written` is the text of a scalar.

    `folder` is the one that relative paths of its file count from, `line` and `column` the place of the value, `key_line` of its key.
    """

    value: Any
    written: str
    location: Location
    folder: str = ""
    mode: str = ""
    """`override` or `reset`, the tags that Compose knows beside those of YAML."""

    def get(self, *keys: str) -> Part | None:
        """What stands below some keys, or None where there is nothing, or null."""
        here: Part | None = self
        for key in keys:
            here = here.value.get(key) if here is not None and isinstance(here.value, dict) else None
        return None if here is None or here.value is None else here

    def items(self) -> list[Part]:
        """The items of a list; none of what is no list."""
        return self.value if isinstance(self.value, list) else []

    def entries(self) -> dict[str, Part]:
        """The values of a mapping by key; none of what is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def place(self, key: str) -> Location:
        """Where a key of this mapping stands, or would be put in."""
        found = self.get(key)
        return (
            found.location
            if found
            else Location(self.location.file, self.location.line, self.location.column, f"{self.location.key}.{key}")
        )


def part_of(tree: Tree, path: tuple[str | int, ...], modes: dict[tuple[int, int], str] | None = None) -> Part:
    """What stands at a path of a file, with all below it; `modes` has the tag of Compose by line and column."""
    folder = os.path.dirname(tree.file)

    def build(value: Any, key: str) -> Part:
        location = tree.at(key)
        mode = (modes or {}).get((location.line or 0, location.column or 0), "")
        written = tree.written.get(key) or (str(value) if isinstance(value, (str, int, float)) else "")
        if isinstance(value, dict):
            value = {name: build(item, f"{key}.{name}" if key else name) for name, item in value.items()}
        elif isinstance(value, list):
            value = [build(item, f"{key}.{number}") for number, item in enumerate(value)]
        return Part(value, written, location, folder, mode)

    return build(tree.raw(path), ".".join(str(step) for step in path))


def chosen(names: Iterable[str], wanted: str | None, file: str, kind: str) -> str:
    """The one of some names that was asked for, or the only one.

    Raises:
        Unreadable: there is none of that name, or there are several to choose from; `kind` (`compose` or `kubernetes`) is part of the phrase.
    """
    known = list(dict.fromkeys(names))
    listed = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    if wanted is not None:
        if wanted not in known:
            raise Unreadable(f"{kind}-no-such-service", file=file, name=wanted, names=listed)
        return wanted
    if len(known) > 1:
        raise Unreadable(f"{kind}-which-service", file=file, names=listed)
    return known[0]
