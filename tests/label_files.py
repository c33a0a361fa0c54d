"""Label files for tests: the rule of the dataset classes as they write it, and strategies for files with every accident that real lists have had."""

from __future__ import annotations

import collections
import functools
import io
import posixpath
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from checks.facts.label_format import LEGACY, LEGACY_MULTILABEL, MODERN, LabelFormat

PLAIN = LabelFormat()
SPACES = MODERN["VeriWild"]
RULES = [
    *dict.fromkeys(MODERN.values()),
    LEGACY,
    LEGACY_MULTILABEL,
    *(LabelFormat(separator=s) for s in (",", ";", "::", "", "1", "a", ".", "/", "-", "_", "\u3000", "\n", "\x1f", "é")),
]
PREFIXES = ["", "x/", "x/y z/", "目录/", "a\nb/"]


class Reference(NamedTuple):
    """What PaddleClas makes of a file: (line, key of the path, label) of each sample, and the lines at which it would stop."""

    samples: list[tuple[int, str, int]]
    bad: list[int]
    lines: int


def reference(data: bytes, rule: LabelFormat, prefix: str = "", most: int = 1 << 16, normalise: bool = True) -> Reference:
    """The rule as the dataset classes write it: a text stream with universal newlines, strip, split, int."""
    samples, bad = [], []
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape").readlines()
    for number, line in enumerate(lines, 1):
        try:
            if len(line.rstrip("\n").encode("utf-8", "surrogateescape")) >= most:
                raise ValueError("ours: no path is that long")
            parts = line.strip().split(rule.separator)
            if rule.header is not None and parts and parts[0] == rule.header:
                continue
            if rule.exact and len(parts) != 2:
                raise ValueError("legacy: two parts")
            texts = parts[rule.label_column].split(",") if rule.labels == "multilabel" else [parts[rule.label_column]]
            labels = [int(text) for text in texts]
            if rule.integer_column is not None and len(parts) > rule.integer_column:
                int(parts[rule.integer_column])
            path = parts[rule.image_column]
            label = hash(tuple(labels)) if rule.labels == "multilabel" else labels[0] + rule.offset
            if not all(-(2**63) <= value < 2**63 for value in (*labels, label)):
                raise OverflowError("numpy: no int64")
        except (IndexError, ValueError, OverflowError):
            bad.append(number)
            continue
        if normalise:
            path = posixpath.normpath(path if path.startswith("/") else prefix + path)
        samples.append((number, path, label))
    return Reference(samples, bad, len(lines))


def tally(found: Reference) -> dict[int, tuple[int, int]]:
    counts: dict[int, tuple[int, int]] = {}
    for number, _, label in found.samples:
        count, first = counts.get(label, (0, number))
        counts[label] = (count + 1, first)
    return dict(sorted(counts.items()))


def repeats(found: Reference, most: int) -> tuple[int, int, list[tuple[int, int, bool]]]:
    """Lines too many, conflicts among them, and the first few, conflicts first."""
    seen: dict[str, tuple[int, int]] = {}
    rows: list[tuple[int, int, bool]] = []
    for number, path, label in found.samples:
        first, other = seen.setdefault(path, (number, label))
        if first != number:
            rows.append((first, number, label == other))
    conflicts = [row for row in rows if not row[2]]
    return len(rows), len(conflicts), (conflicts + [row for row in rows if row[2]])[:most]


def common(here: Reference, there: Reference, most: int) -> tuple[int, int, list[tuple[int, int, bool]], dict[tuple[int, int], int]]:
    """What two lists share: paths, conflicts, the first few, and pairs of labels."""
    ours: dict[str, tuple[int, int]] = {}
    theirs: dict[str, tuple[int, int]] = {}
    for found, paths in ((here, ours), (there, theirs)):
        for number, path, label in found.samples:
            paths.setdefault(path, (number, label))
    rows = [(ours[path], there) for path, there in theirs.items() if path in ours]
    pairs = collections.Counter((a[1], b[1]) for a, b in rows)
    return len(rows), sum(a[1] != b[1] for a, b in rows), [(a[0], b[0], a[1] == b[1]) for a, b in rows][:most], dict(pairs)


BLANKS = ["", " ", "\t", "\u3000", "\u00a0", "\x0b", "\x1c", "\x85"]
PATHS = st.one_of(
    st.sampled_from(
        [
            *(
                "a.jpg",
                "b/c.jpg",
                "./a.jpg",
                "b/../a.jpg",
                "b//c.jpg",
                "b/./c.jpg",
                "../a.jpg",
                "/a.jpg",
                "/b//c.jpg",
                "//a.jpg",
                "b/",
                ".",
            ),
            *("", "..", ".a.jpg", "猫/狗.jpg", "\ufeffa.jpg", "a\u200bb.jpg", "a\u00a0b.jpg", "a\x7fb.jpg", "é.jpg", "a\tb.jpg", "a b.jpg"),
            *("\x01", "n01440764/n01440764_10026.JPEG", "n01440764/n01440764_10027.JPEG", "long/" + 9 * "folder/" + "a.jpg", "image_id"),
            *("12345678", "1234567", "123456789", "a", "ab", "abcdefgh/abcdefgh/abcdefgh", "abcdefgh/abcdefgh/abcdefgi"),
        ]
    ).map(lambda text: text.encode()),
    st.sampled_from([b"\xb0\xa1.jpg", b"\xff\xfe", b"\xc2", b"\xe7\x8c", b"b\xed\xa0\x80.jpg"]),
)
LABELS = st.one_of(
    st.integers(0, 4).map(str),
    st.integers().map(str),
    st.sampled_from(
        [
            *("", "-1", "+2", "007", "1_0", "1.0", "cat", "３", "²", "999999999", "1000000000", "4294967296", "999999999999999999"),
            *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9" * 30, "9" * 5000),
            *("1,0,1", "0, 1", "1,,0", "1,99999999999999999999", "12", "0\x00", "3\u3000", "3\ufeff"),
        ]
    ),
).map(lambda text: text.encode())
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r"])


@st.composite
def label_files(draw: st.DrawFn, rule: LabelFormat) -> bytes:
    """A label file: mostly lines of the rule's own shape, with every accident that real lists have had."""
    own = (" " if rule.separator is None else rule.separator).encode()
    separators = st.sampled_from(
        [own, own, own, own, b" ", b"\t", b"  ", own + own, b",", "\u3000".encode(), "\u00a0".encode(), b" \t", b""]
    )
    columns = max(rule.image_column, rule.label_column) + 1

    def usual() -> bytes:
        cells = [draw(PATHS) for _ in range(columns)]
        cells[rule.label_column] = draw(LABELS)
        return functools.reduce(lambda left, right: left + draw(separators) + right, cells)

    pieces = [draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))]
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.integers(0, 9))
        if kind < 6:
            line = usual()
        elif kind == 6:
            line = usual() + draw(separators) + draw(st.one_of(PATHS, LABELS))
        elif kind == 7:
            line = draw(st.sampled_from(BLANKS)).encode() + usual() + draw(st.sampled_from(BLANKS)).encode()
        elif kind == 8:
            line = draw(st.sampled_from(BLANKS)).encode()
        else:
            line = draw(st.binary(max_size=24))
        pieces += [line, draw(ENDS)]
    if len(pieces) > 1 and draw(st.booleans()):
        pieces.pop()
    return b"".join(pieces).replace(b"\0", b"?")


@st.composite
def even_files(draw: st.DrawFn, rule: LabelFormat) -> bytes:
    """A label file with the same columns in every line, as lists are written by scripts, and sometimes with a line or two that are not."""
    own = (" " if rule.separator is None else rule.separator).encode()
    columns = max(rule.image_column, rule.label_column) + 1 + draw(st.sampled_from([0, 0, 0, 1, 2]))
    plain = draw(st.booleans())
    small = st.integers(0, 12).map(lambda n: str(n).encode())
    names = (
        st.sampled_from([b"a.jpg", b"b/c.jpg", b"b/d.jpg", b"x/b/e.jpg", "猫/狗.jpg".encode(), b"7", b"12345678/90.jpg"])
        if plain
        else PATHS
    )
    if rule.labels == "multilabel":
        width = draw(st.integers(1, 4))
        labels = st.lists(st.sampled_from([b"0", b"0", b"1", b"2"]), min_size=width, max_size=width).map(b",".join)
    else:
        labels = st.one_of(small, st.sampled_from([b"-1", b"7", b"1048576", b"-100"])) if plain else LABELS
    end = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b"\t\n", own + b"\n"]))
    lines = []
    for _ in range(draw(st.integers(0, 20))):
        cells = [draw(st.one_of(small, names)) for _ in range(columns)]
        cells[rule.image_column], cells[rule.label_column] = draw(names), draw(labels)
        lines.append(own.join(cells) + end)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        lines.insert(draw(st.integers(0, len(lines))), draw(label_files(rule)))
    return b"".join(lines).replace(b"\0", b"?")


def any_file(rule: LabelFormat) -> st.SearchStrategy[bytes]:
    """A label file of either kind."""
    return st.one_of(label_files(rule), even_files(rule))


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, LabelFormat]:
    rule = draw(st.sampled_from(RULES))
    return draw(any_file(rule)), rule


SLOW = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
CHUNKS = st.sampled_from([3, 7, 8, 13, 64, 1 << 20])
