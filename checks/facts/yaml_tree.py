"""A YAML file as PaddleClas reads it, with the place of every value.

PaddleClas loads its configs with `yaml.SafeLoader` and then puts every string that stands in a mapping through
`ast.literal_eval` (`ppcls/utils/config.py`, all branches from 2.0-beta on; strings inside lists stay as they are). The same parser is
used here, so values are the same; positions come from its nodes.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from checks.facts.base import Unreadable
from checks.facts.yaml_comments import Suppression, find_suppressions
from checks.model import OVERRIDE_FILE, Location, Value

MAX_BYTES = 4 << 20
"""The largest config that is read. The largest one PaddleClas ships has 10 kB; 4 MB of YAML would take seconds to parse."""
MAX_VALUES = 200_000
"""The most values a config may expand to through its aliases, so that "billion laughs" ends as one line."""

MAX_TAB_CHARACTERS = 256 << 10
"""The longest text with tabs that is read by the slow parser, in characters; half a second."""
MAX_DEPTH = 100
"""The deepest nesting that is read; PaddleClas's own configs reach 9. libyaml's composer recurses in C, where 100,000 brackets end the
process."""
MAX_PATH_CHARACTERS = 16 << 20
"""The most characters that the dotted paths of all values may have together, so that a few huge keys over many values end as one line."""

# how a Python literal can begin: white space, a comment or a continued line may come first
_LITERAL = re.compile(r"""(?:\.\d|\.\.\.(?!/)|[-+\d'"\[({\s\\#\ufeff]|True|False|None|set|[bBuUrR]{1,2}['"])""")


_READ_OTHERWISE = re.compile(
    r"tag:yaml\.org,2002:(int [-+]?(0[0-7_]+|0[xb].*|.*:.*)|float .*:.*|bool (?!true$|false$|True$|False$).*|timestamp .*)"
)


class Spot(msgspec.Struct, frozen=True, array_like=True):
    """Where a value and its key stand, counted from 1; `override` is the place among the overrides, or 0 for the file."""

    line: int
    column: int
    key_line: int
    key_column: int
    override: int = 0


class DuplicateKey(msgspec.Struct, frozen=True):
    """A key given twice in one mapping: YAML keeps the last one without a word."""

    key: str
    first_line: int
    location: Location


class Tree(msgspec.Struct, frozen=True):
    """A config as plain data, and where each of its values stands, by dotted path.

    `written` has the text of the values that become something else than they look like: a string that is a Python literal (`"None"`, `0,05`,
    `1e-4`), a number of another base (`0123`, `12:30`), a date, or `yes` and `off` for a Boolean.
    """

    file: str
    data: Any
    spots: dict[str, Spot]
    lines: int
    duplicates: tuple[DuplicateKey, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    written: dict[str, str] = {}

    def raw(self, path: str | tuple[str | int, ...]) -> Any:
        """The plain value at a dotted path, or None where there is none."""
        here = self.data
        for part in path.split(".") if isinstance(path, str) else path:
            if isinstance(here, dict):
                here = here.get(part)
            elif isinstance(here, list) and str(part).isdecimal() and int(part) < len(here):
                here = here[int(part)]
            else:
                return None
        return here

    def get(self, path: str) -> Value[Any] | None:
        """The value at a dotted path with its place, or None where the path is absent or null."""
        value = self.raw(path)
        return None if value is None else Value(value, self.at(path))

    def has(self, path: str) -> bool:
        """Whether the path is there, be it null."""
        return path in self.spots

    def at(self, path: str) -> Location:
        """Where the value at a path stands; of a path that is absent, the nearest parent that is there."""
        probe = path
        while probe and probe not in self.spots:
            probe = probe.rpartition(".")[0]
        spot = self.spots.get(probe)
        if spot is None:
            return Location(self.file, 1, 1, path)
        if spot.override:
            return Location(OVERRIDE_FILE, spot.override, None, path)
        return Location(self.file, spot.line, spot.column, path)

    def key_at(self, path: str) -> Location:
        """Where the key of a path stands (the value's place is `at`)."""
        spot = self.spots.get(path)
        if spot is None or spot.override:
            return self.at(path)
        return Location(self.file, spot.key_line, spot.key_column, path)


def read_tree(path: str, name: str | None = None) -> Tree:
    """Read a YAML file; `name` is what the user calls it.

    Raises:
        Unreadable: missing, a folder, a device, too large, not UTF-8, not YAML, a list at the top, cyclic, or expanding without end.
    """
    name = name or path
    text = read_text(path, name)
    loader_type = getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader
    try:
        _bound_text(loader_type, text, name)
        if "\t" in text and len(text) <= MAX_TAB_CHARACTERS:
            loader_type = yaml.SafeLoader  # PaddleClas's own, ten times slower; libyaml lets tabs pass where this one stops
        loader = loader_type(text)
        node = loader.get_single_node()
        if node is None:
            raise Unreadable("config-empty", file=name)
        if not isinstance(node, yaml.MappingNode):
            kind = "list" if isinstance(node, yaml.SequenceNode) else "scalar"
            raise Unreadable(f"config-top-level-{kind}", file=name)
        _bound_expansion(node, name)
        builder = _Builder(loader, name)
        tree = builder.tree(node, text.count("\n") + 1)
        if not isinstance(tree.data, dict):  # `!!set` and the like
            raise Unreadable("config-top-level-list", file=name)
    except yaml.YAMLError as error:
        raise _one_line(error, name, text) from None
    except RecursionError:
        raise Unreadable("config-too-deep", file=name) from None
    # strings that look like Python literals become values, as create_attr_dict does; nested mappings only, never inside lists
    _evaluate_strings(tree.data, tree.written)
    return msgspec.structs.replace(tree, suppressions=find_suppressions(text, builder.texts))


def read_documents(path: str, name: str, rewrite: Callable[[yaml.Node], None] | None = None) -> list[Tree]:
    """Read a file of any number of YAML documents, as other programs than PaddleClas do: strings stay strings, and a document may be anything.

    Args:
        path: where the file is.
        name: what the user calls it.
        rewrite: gets the root of each document before values are built, to put tags that YAML does not know into ones that it does.

    Raises:
        Unreadable: as `read_tree`.
    """
    text = read_text(path, name)
    loader_type = getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader
    lines = text.count("\n") + 1
    trees: list[Tree] = []
    values = 0
    try:
        _bound_text(loader_type, text, name)
        loader = loader_type(text)
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # check_node has seen one
            values += _bound_expansion(node, name)
            if values > MAX_VALUES:
                raise Unreadable("config-explodes", file=name, limit=MAX_VALUES)
            if rewrite is not None:
                rewrite(node)
            trees.append(_Builder(loader, name).tree(node, lines))
    except yaml.YAMLError as error:
        raise _one_line(error, name, text) from None
    except RecursionError:
        raise Unreadable("config-too-deep", file=name) from None
    return trees


def literal(text: str) -> Any:
    """`ast.literal_eval` of a string, or the string itself: what PaddleClas makes of it. Code is never run."""
    if not _LITERAL.match(text):
        return text
    import ast  # 1 ms, and few configs have such a string
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1is" and the like make the compiler print a SyntaxWarning
            return plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def plain(value: Any) -> Any:
    """The nearest JSON value of a Python literal: tuples and sets become lists; bytes, dates, complex and endless numbers text."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=repr)]  # the order of a set of strings changes from run to run
    if isinstance(value, dict):
        return {printable(key if isinstance(key, str) else str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, int):
        # JSON readers stop at 64 bits; a config has no use for more
        return value if -(2**63) <= value < 2**63 else str(value)
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def printable(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 output can hold, written as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_text(path: str, name: str) -> str:
    """The text of a small config, with line ends of one character; `name` is what the user calls it.

    Raises:
        Unreadable: missing, a folder, a device, too large, empty, binary, or not UTF-8.
    """
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise Unreadable("config-is-directory", file=name)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("config-not-a-file", file=name)
        if found.st_size > MAX_BYTES:
            raise Unreadable("config-too-large", file=name, size=found.st_size, limit=MAX_BYTES)
        with open(path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unreadable("config-missing", file=name) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Unreadable("config-unreadable", file=name, error=getattr(error, "strerror", None) or str(error)) from None
    if not content.strip():
        raise Unreadable("config-empty", file=name)
    if b"\0" in content:
        raise Unreadable("config-binary", file=name)
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable("config-not-utf8", file=name, line=line, byte=f"0x{content[error.start]:02x}") from None


def _one_line(error: yaml.YAMLError, name: str, text: str) -> Unreadable:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    problem = " ".join(str(problem).split())
    if "nesting depth" in problem:  # PyYAML's own limit, from 6.0.4 on
        return Unreadable("config-too-deep", file=name)
    lines = text.split("\n")
    if mark is None:
        line, column = 1, 1
        if isinstance(error, yaml.reader.ReaderError):  # a character that YAML forbids; its position counts bytes
            before = text.encode("utf-8")[: error.position].decode("utf-8", "ignore")
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Unreadable("config-not-yaml", file=name, line=line, column=column, problem=problem)
    culprit = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in culprit[: len(culprit) - len(culprit.lstrip())] or "'\\t'" in problem:
        return Unreadable("config-tab", file=name, line=mark.line + 1, column=mark.column + 1)
    return Unreadable("config-not-yaml", file=name, line=mark.line + 1, column=mark.column + 1, problem=problem)


def _bound_text(loader_type: Any, text: str, name: str) -> None:
    """Refuse what is nested too deeply or too long, told by the parser's events, before anything recursive or slow sees it."""
    loader = loader_type(text)
    depth = count = 0
    while loader.check_event():
        event = loader.get_event()
        count += 1
        if count > 2 * MAX_VALUES:  # a value has two events at most
            raise Unreadable("config-explodes", file=name, limit=MAX_VALUES)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable("config-too-deep", file=name)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _bound_expansion(root: yaml.Node, name: str) -> int:
    """How many values a graph expands to; refuses one that is cyclic or too large. Each node is visited once."""
    size: dict[int, int] = {}
    open_nodes: set[int] = set()

    def measure(node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        key = id(node)
        if key in size:
            return size[key]
        if key in open_nodes:
            raise Unreadable("config-cyclic", file=name, line=node.start_mark.line + 1)
        open_nodes.add(key)
        children = (part for pair in node.value for part in pair) if isinstance(node, yaml.MappingNode) else node.value
        total = 1 + sum(measure(child) for child in children)
        if total > MAX_VALUES:
            raise Unreadable("config-explodes", file=name, limit=MAX_VALUES)
        open_nodes.discard(key)
        size[key] = total
        return total

    return measure(root)


class _Builder:
    """Builds plain data from nodes, as SafeConstructor does, and notes the place of each value."""

    def __init__(self, loader: Any, file: str) -> None:
        self.loader = loader
        self.file = file
        self.spots: dict[str, Spot] = {}
        self.duplicates: list[DuplicateKey] = []
        self.texts: list[tuple[int, int, int, int]] = []
        self.written: dict[str, str] = {}
        self._path_characters = 0
        self._noted: set[int] = set()

    def tree(self, node: yaml.Node, lines: int) -> Tree:
        """All below a root whose expansion is bounded, of a file of so many lines."""
        self.note_duplicates(node)
        data = self.build(node, "")
        duplicates = tuple(sorted(self.duplicates, key=lambda d: (d.location.line or 0, d.location.column or 0)))
        return Tree(self.file, data, self.spots, lines, duplicates, written=self.written)

    def build(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            self.loader.flatten_mapping(node)
            data: dict[str, Any] = {}
            for key_node, value_node in node.value:
                self._note_text(key_node)
                key = self._construct(key_node)
                if isinstance(key, (list, dict, set)):
                    raise yaml.constructor.ConstructorError(None, None, "found unhashable key", key_node.start_mark)
                key = printable(key if isinstance(key, str) else str(key))
                child = f"{path}.{key}" if path else key
                start, key_start = value_node.start_mark, key_node.start_mark
                if (start.line, start.column) < (key_start.line, key_start.column):
                    start = key_start  # an alias: the value stands at its anchor, the blame is here
                self._note(child, Spot(start.line + 1, start.column + 1, key_start.line + 1, key_start.column + 1))
                data[key] = self.build(value_node, child)
            return data
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            items = []
            for index, item in enumerate(node.value):
                child = f"{path}.{index}"
                mark = item.start_mark
                self._note(child, Spot(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1))
                items.append(self.build(item, child))
            return items
        self._note_text(node)
        if isinstance(node, yaml.ScalarNode) and _READ_OTHERWISE.fullmatch(node.tag + " " + node.value):
            self.written[path] = printable(node.value)
        return plain(self._construct(node))

    def _note_text(self, node: yaml.Node) -> None:
        """Remember where a "#" is the text of a string."""
        start, end = node.start_mark, node.end_mark
        if isinstance(node, yaml.ScalarNode) and (start.line != end.line or node.style in ("'", '"')):
            self.texts.append((start.line, start.column, end.line, end.column))

    def _construct(self, node: yaml.Node) -> Any:
        try:
            return self.loader.construct_object(node, deep=True)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
            # PyYAML's constructors let these through: `2024-13-45`, `!!bool perhaps`, an integer of 5,000 digits
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(None, None, f"cannot be read as {kind}", node.start_mark) from None

    def _note(self, path: str, spot: Spot) -> None:
        self._path_characters += len(path)
        if self._path_characters > MAX_PATH_CHARACTERS:
            raise Unreadable("config-explodes", file=self.file, limit=MAX_VALUES)
        self.spots[path] = spot

    def note_duplicates(self, node: yaml.Node, path: str = "") -> None:
        """Find keys given twice. Comes before `build`, which merges `<<` into the nodes; each node is looked at once."""
        if id(node) in self._noted or isinstance(node, yaml.ScalarNode):
            return
        self._noted.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.note_duplicates(item, f"{path}.{index}")
            return
        seen: dict[tuple[str, str], int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            mark, key = key_node.start_mark, key_node.value
            child = f"{path}.{key}" if path else key
            if key_node.tag != "tag:yaml.org,2002:merge":
                if (key_node.tag, key) in seen:
                    location = Location(self.file, mark.line + 1, mark.column + 1, child)
                    self.duplicates.append(DuplicateKey(key, seen[key_node.tag, key], location))
                seen[key_node.tag, key] = mark.line + 1
            self.note_duplicates(value_node, child)


def _evaluate_strings(data: dict[str, Any], written: dict[str, str], parent: str = "") -> None:
    for key, value in data.items():
        if isinstance(value, str):
            data[key] = literal(value)
            if data[key] is not value:
                written[f"{parent}{key}"] = value
        elif isinstance(value, dict):
            _evaluate_strings(value, written, f"{parent}{key}.")
