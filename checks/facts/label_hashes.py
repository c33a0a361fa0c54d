"""Which paths of large label files may stand on two lines: eight bytes remembered of each line, eight more to sort them.

Equal paths always have equal hashes, so nothing is missed; lines with equal hashes are read again and their paths compared, so that no collision is
ever reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from checks.facts.label_columns import Columns, Piece, take_apart
from checks.facts.label_folders import FolderKeys, FolderTally
from checks.facts.label_lines import LabelFile, Told
from checks.facts.label_tables import Comparison, Folders, PathTable, Repeats, Shared, Source, label_of, printable
from checks.facts.span_hash import hash_spans

if TYPE_CHECKING:
    from checks.facts.span_hash import Hashes

BATCH = 200_000
"""How many suspected lines are compared at once, about 60 MB of paths at most."""
_SLASH = 47
_BLOCK = 1 << 18


def compare_large(sources: list[Source], pairs: list[tuple[int, int]], examples: int, most: int, told: Told | None = None) -> Comparison:
    """What `compare_small` finds, with about 16 bytes for each line.

    Raises:
        Unreadable: as `LabelFile`.
    """
    total = sum(source.lines for source in sources)
    before = 0

    def over_all(lines: int, _: int) -> None:
        if told:
            told(min(before + lines, total), total)

    read = []
    for source in sources:
        read.append(read_hashes(source, most, over_all))
        before += source.lines
    hashes = [found for found, _ in read]
    repeats, shared = [Repeats() for _ in sources], [Shared() for _ in pairs]
    for batch in batches(hashes, suspects(hashes, pairs)):
        tables = [read_some(source, lines, over_all) for source, lines in zip(sources, batch, strict=True)]
        for found, table in zip(repeats, tables, strict=True):
            found.add(table.repeats, examples)
        for both, (a, b) in zip(shared, pairs, strict=True):
            both.add(tables[a], tables[b], examples)
    return repeats, shared, [folders for _, folders in read]


def read_hashes(source: Source, most: int, told: Told | None = None) -> tuple[Hashes, Folders | None]:
    """A hash of each line's path under the common root, 0 where the line is no sample, and the samples per folder and label.

    Returns:
        Hashes `(lines,)` uint64, and the folders (None past `most` of them, and for multi-label rows).

    Raises:
        Unreadable: as `LabelFile`.
    """
    import numpy as np

    shape = Columns(source.rule)
    before, base = (text.encode("utf-8", "surrogateescape") for text in (source.prefix, source.base))
    folders = FolderTally(np, source.rule.offset, most) if source.rule.labels == "class" else None
    found: Hashes = np.zeros(source.lines, np.uint64)
    with LabelFile(source.path, told) as file:
        for data in file.pieces():
            piece, hashes, keys = _hash_piece(np, data, shape, before, base + b"/" if base else b"")
            first, file.lines = file.lines, file.lines + len(piece.ends)
            if file.lines > len(found):  # it has grown since it was surveyed
                found = np.concatenate((found, np.zeros(file.lines, np.uint64)))
            found[first : file.lines][slice(None) if piece.good is None else piece.good] = hashes
            if folders is not None and keys is not None:
                folders.add(piece, keys)
            odd = piece.odd(np)
            texts, places = [], []
            for index, line in zip(odd, _lines(np, data, piece.ends, odd), strict=True):
                parsed = source.read(line)
                if parsed is not None:
                    texts.append(source.key(parsed.path).encode("utf-8", "surrogateescape"))
                    places.append(first + index)
                    if folders is not None:
                        folders.add_one(parsed.path.rpartition("/")[0], parsed.label)
            if texts:
                ends = np.cumsum([len(text) for text in texts])
                found[places] = hash_spans(np, b"".join(texts), np.concatenate(([0], ends[:-1])), ends)
            if folders is not None and folders.full:
                folders = None
    return found[: file.lines], printable(folders.result()) if folders is not None else None


def _hash_piece(np: Any, data: bytes, shape: Columns, before: bytes, base: bytes) -> tuple[Piece, Hashes, FolderKeys | None]:
    piece = take_apart(np, data, shape)
    skipped = _absolute(np, piece, base) if base and piece.count else None
    if skipped is not None and bool(skipped.all()):
        before = b""  # what stands before relative paths stands before none of these
    _only_plain_paths(np, piece, bool(before), shape.image == 0)
    keys = FolderKeys(np, piece) if piece.count and not shape.multilabel else None
    if not before:
        starts = piece.path_starts
        left = _absolute(np, piece, base) if skipped is not None and piece.count else None
        if left is not None:
            starts = starts + left * len(base)
        return piece, hash_spans(np, data, starts, piece.path_ends), keys
    shift = (np.arange(len(piece.ends)) if piece.good is None else piece.good) * len(before)
    prefixed = before + data.replace(b"\n", b"\n" + before)
    return piece, hash_spans(np, prefixed, piece.path_starts + shift, piece.path_ends + shift + len(before)), keys


def _absolute(np: Any, piece: Piece, base: bytes) -> Any:
    """Which of the good lines have a path below a folder, whose name ends in "/"; None where none does. Shape: `(good lines,)` bool."""
    buffer, starts = piece.buffer, piece.path_starts
    found = (buffer[starts] == _SLASH) & (piece.path_ends - starts > len(base))
    if not bool(found.any()):
        return None
    some = np.flatnonzero(found)
    wanted = np.frombuffer(base, np.uint8)
    found[some] = (buffer[starts[some][:, None] + np.arange(len(base))] == wanted).all(axis=1)
    return found


def _lines(np: Any, data: bytes, ends: Any, indexes: list[int]) -> Iterator[str]:
    some = np.array(indexes, np.int64)
    starts = np.where(some > 0, ends[some - 1] + 1, 0).tolist() if len(some) else []
    for start, end in zip(starts, ends[some].tolist(), strict=True):
        yield data[start:end].decode("utf-8", "surrogateescape")


def _only_plain_paths(np: Any, piece: Piece, has_prefix: bool, first_column: bool) -> None:
    """Make odd ones of the lines whose path is to be normalised, or is absolute where there is a prefix."""
    if not piece.count:
        return
    if has_prefix and not first_column:  # prefixes are put before lines
        piece.narrow(np.zeros(piece.count, bool))
        return
    buffer = piece.buffer
    head, tail = buffer[piece.path_starts], buffer[piece.path_ends - 1]
    fine = (head != 46) & (tail != _SLASH)
    if has_prefix:
        fine &= head != _SLASH
    spots = np.flatnonzero((buffer[:-1] == _SLASH) & ((buffer[1:] | 1) == _SLASH))  # "//" and "/."
    if len(spots):
        plain = np.ones(len(piece.ends), bool)
        plain[np.searchsorted(piece.ends, spots)] = False
        fine &= plain if piece.good is None else plain[piece.good]
    if not bool(fine.all()):
        piece.narrow(fine)


def suspects(lists: list[Hashes], pairs: list[tuple[int, int]]) -> Hashes:
    """The hashes that stand twice in one list, or in both lists of a pair, in order and each once."""
    import numpy as np

    found = []
    ordered = {}
    for number, hashes in enumerate(lists):
        own = np.sort(hashes)
        own = own[np.searchsorted(own, np.uint64(1)) :]
        found.append(own[1:][own[1:] == own[:-1]])
        if any(number in pair for pair in pairs):
            ordered[number] = own
    for a, b in pairs:
        few, many = sorted((ordered[a], ordered[b]), key=len)
        if len(few):
            place = np.minimum(np.searchsorted(many, few), len(many) - 1)
            found.append(few[many[place] == few])
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def batches(lists: list[Hashes], wanted: Hashes) -> Iterator[list[Any]]:
    """For each batch of suspected hashes the indexes of the lines that have them, one array for each list."""
    import numpy as np

    if not len(wanted):
        return
    lines, ranks = [], []
    for hashes in lists:
        here, rank = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for start in range(0, len(hashes), _BLOCK):
            some = hashes[start : start + _BLOCK]
            place = np.minimum(np.searchsorted(wanted, some), len(wanted) - 1)
            index = np.flatnonzero(wanted[place] == some)
            here.append(index + start)
            rank.append(place[index])
        lines.append(np.concatenate(here))
        ranks.append(np.concatenate(rank))
    weight = np.cumsum(np.bincount(np.concatenate(ranks), minlength=len(wanted)))
    batch = weight // BATCH
    for number in range(int(batch[-1]) + 1):
        low, high = np.searchsorted(batch, (number, number + 1))
        yield [here[(rank >= low) & (rank < high)] for here, rank in zip(lines, ranks, strict=True)]


def read_some(source: Source, indexes: Any, told: Told | None = None) -> PathTable:
    """The exact paths of some lines, by their indexes from 0, in order.

    Raises:
        Unreadable: as `LabelFile`.
    """
    import numpy as np

    table = PathTable()
    done = 0
    with LabelFile(source.path, told) as file:
        for data in file.pieces():
            if done == len(indexes):
                break
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
            first, file.lines = file.lines, file.lines + len(ends)
            upto = int(np.searchsorted(indexes, file.lines))
            here = (indexes[done:upto] - first).tolist()
            done = upto
            for index, line in zip(here, _lines(np, data, ends, here), strict=True):
                parsed = source.read(line)
                if parsed is not None:
                    table.add(source.key(parsed.path), first + index + 1, label_of(parsed))
    return table
