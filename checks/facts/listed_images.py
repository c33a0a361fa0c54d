"""The image paths of a label file, as its dataset class would open them, in pieces of about a mebibyte.

Lines of the usual shape, `path<separator>digits`, are taken apart on a fast way, all others by `parse_line`. Lines that the dataset class cannot
read have no path here: they are the label rules' to report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks.facts.label_format import LabelFormat, Parsed, parse_line

BLOCK = 1 << 20
_PLAIN_SPACE = re.compile(r"[^\S \n]")
"""White space that is no blank: a rule that splits at any white space would split there too."""


def blocks(path: str) -> Iterator[bytes]:
    """A text file in pieces of whole lines, line ends normalised to `\\n` as Python's text mode does.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as stream:
        rest = b""
        while block := stream.read(BLOCK):
            data = rest + block
            # a `\r` at the very end may be half of a line end
            cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
            whole, rest = data[:cut], data[cut:]
            if whole:
                yield _newlines(whole)
        if rest:
            rest = _newlines(rest)
            yield rest if rest.endswith(b"\n") else rest + b"\n"


def _newlines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def plain_separator(rule: LabelFormat) -> str | None:
    """The separator of lines that are `path<separator>label`, and None where lines have another shape."""
    simple = (rule.image_column, rule.label_column, rule.header, rule.labels) == (0, 1, None, "class")
    separator = " " if rule.separator is None else rule.separator
    return separator if simple and len(separator) == 1 and separator.isascii() and not separator.isalnum() else None


def exact_path(line: str, rule: LabelFormat) -> str | None:
    """The image path of one line by the dataset class's own rule, or None where it has none."""
    parsed = parse_line(line, rule)
    return parsed.path if isinstance(parsed, Parsed) else None


def paths_of(block: bytes, first: int, rule: LabelFormat) -> Iterator[tuple[int, str]]:
    """(line number, image path) of each sample in a block whose first line has the number `first`."""
    text = block.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    lines.pop()
    separator = plain_separator(rule)
    if separator is not None and rule.separator is None and _PLAIN_SPACE.search(text):
        separator = None
    for number, line in enumerate(lines, first):
        if separator is not None:
            path, _, tail = line.partition(separator)
            if tail.isdigit() and tail.isascii() and path and not path[0].isspace():
                yield number, path
                continue
        exact = exact_path(line, rule)
        if exact is not None:
            yield number, exact


def usual_spans(np: Any, block: bytes, rule: LabelFormat) -> tuple[Any, Any, Any, Any]:
    """The lines of a block whose path can be taken as it stands: (line starts, their indexes, path ends, last slashes or -1), as arrays.

    The other lines are to be read by `exact_path`. Starts are given for all lines, with the end of the block behind the last.
    """
    buffer = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(buffer == 10)
    starts = np.zeros(len(ends) + 1, np.int64)
    starts[1:] = ends + 1
    separator = plain_separator(rule)
    none = np.zeros(0, np.int64)
    if separator is None or (rule.separator is None and (not block.isascii() or _PLAIN_SPACE.search(block.decode("latin-1")))):
        return starts, none, none, none
    places = np.flatnonzero(buffer == ord(separator))
    low = np.searchsorted(places, starts)
    good = np.flatnonzero(np.diff(low) == 1)
    middle, last = places[low[:-1][good]], ends[good]
    figures = np.zeros(len(buffer) + 1, np.int32)
    np.cumsum((buffer >= 48) & (buffer <= 57), out=figures[1:])
    head, tail = buffer[starts[good]], buffer[np.maximum(middle - 1, 0)]
    fine = (figures[last] - figures[middle] == last - middle - 1) & (last - middle > 1) & (middle > starts[good])
    fine &= (head > 32) & (head < 127) & (tail != 47) & (tail != 46)
    good, middle = good[fine], middle[fine]
    slashes = np.flatnonzero(buffer == 47)
    if not len(slashes):
        return starts, good, middle, np.full(len(good), -1, np.int64)
    before = np.searchsorted(slashes, middle) - 1
    slash = slashes[np.maximum(before, 0)]
    slash = np.where((before >= 0) & (slash >= starts[good]), slash, -1)
    return starts, good, middle, slash
