"""Which lines of a label file name no file: folders are read once each instead of asking for file after file.

The answer is that of `os.path.exists(os.path.join(image_root, path))`, which PaddleClas asks for each line at start: links that lead nowhere are
missing, folders are there, and where a file system does not tell upper from lower case, neither does the answer.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from checks.facts.label_format import LabelFormat
from checks.facts.label_lines import LabelFile
from checks.facts.label_rows import exact_path, listed_paths
from checks.facts.span_hash import hash_spans

if TYPE_CHECKING:
    from checks.facts.label_columns import Columns, Piece

LOOKED_CLOSER = 200
"""Missing images for which something that nearly matches is looked for."""
FEW = 3
"""A folder with no more listed images than this is not read: asking for each is cheaper."""
CROWDED = 50
"""A folder with this many times more files than are listed is not read to its end."""
_DOT, _SLASH = 46, 47


class MissingImage(msgspec.Struct, frozen=True):
    """A listed image that is not there: its line, and the path as it is written."""

    line: int
    path: str


def look(path: str, rule: LabelFormat, root: str, large: bool, tell: Callable[[int], None]) -> tuple[int, list[MissingImage], int]:
    """(lines with a path, the first `LOOKED_CLOSER` missing of them, all missing).

    Raises:
        Unreadable: the list cannot be read.
    """
    if large:
        try:
            import numpy
        except ImportError:
            pass
        else:
            return _look_large(numpy, path, rule, root, tell)
    wanted = _Wanted()
    wanted.add(listed_paths(path, rule))
    tell(0)
    rows = wanted.missing(root, lambda done: tell(done))
    return wanted.count, [MissingImage(*row) for row in rows[:LOOKED_CLOSER]], len(rows)


class _Wanted:
    """Image paths by folder: the names in it and their lines."""

    def __init__(self) -> None:
        self.folders: dict[str, list[tuple[str, int]]] = {}

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Add images by their lines."""
        folders = self.folders
        for number, path in rows:
            folder, slash, name = path.rpartition("/")
            key = folder + slash  # "/a" lies in "/", "a" in the root itself
            if key in folders:
                folders[key].append((name, number))
            else:
                folders[key] = [(name, number)]

    @property
    def count(self) -> int:
        """How many images were added."""
        return sum(map(len, self.folders.values()))

    def missing(self, root: str, tell: Callable[[int], None]) -> list[tuple[int, str]]:
        """The lines whose image is not there, in order."""
        rows = []
        done = 0
        for folder, entries in self.folders.items():
            names = _names(os.path.join(root, folder), len(entries))
            if names is None:
                rows += [(number, folder + name) for name, number in entries if not exists(os.path.join(root, folder + name))]
            else:
                gone = [(number, name) for name, number in entries if name not in names]
                if gone and exists(os.path.join(root, folder)):
                    # nothing but a listing said so: a folder that ignores case, or a name such as ".." or ""
                    gone = [row for row in gone if not exists(os.path.join(root, folder + row[1]))]
                rows += [(number, folder + name) for number, name in gone]
            done += len(entries)
            tell(done)
        rows.sort()
        return rows


def _names(folder: str, wanted: int) -> set[str] | None:
    """What is in a folder, without links that lead nowhere; None where its files are better asked for one by one."""
    if wanted <= FEW:
        return None
    most = max(10_000, CROWDED * wanted)
    names: list[str] = []
    try:
        if not os.access(folder, os.X_OK):
            return None if exists(folder) else set()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink() and not exists(entry.path):
                    continue
                names.append(entry.name)
                if len(names) > most:
                    return None
    except FileNotFoundError:
        return set()
    except (OSError, ValueError):
        return None
    return set(names)


def exists(path: str) -> bool:
    """What `os.path.exists` says, and False for a path that no file can have."""
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL in the path; PaddleClas dies of it as well
        return False


def _look_large(np: Any, path: str, rule: LabelFormat, root: str, tell: Callable[[int], None]) -> tuple[int, list[MissingImage], int]:
    """As `_Wanted`, with a 64-bit hash in the place of each path."""
    from checks.facts.label_columns import Columns

    hashes: list[Any] = []
    numbers: list[Any] = []
    folders: dict[int, bytes] = {}
    odd = _Wanted()
    shape = Columns(rule)
    with LabelFile(path) as file:
        for data in file.pieces():
            first = file.lines + 1
            piece, ends = _usual_paths(np, data, shape)
            hashes.append(hash_spans(np, data, piece.path_starts, piece.path_ends))
            numbers.append((np.arange(len(piece.ends)) if piece.good is None else piece.good).astype(np.int32) + np.int32(first))
            folder_hashes, places = np.unique(hash_spans(np, data, piece.path_starts, ends), return_index=True)
            for key, place in zip(folder_hashes.tolist(), places.tolist(), strict=True):
                if key not in folders:
                    folders[key] = data[piece.path_starts[place] : ends[place]]
            odd.add(_odd_paths(data, piece.ends, piece.odd(np), first, rule))
            file.lines += len(piece.ends)
            tell(0)
    empty = np.zeros(0, np.uint64)
    listed = np.concatenate(hashes) if hashes else empty
    hashes.clear()
    there = _hashes_of_files(np, root, set(folders.values()), len(listed), tell)
    lines = np.concatenate(numbers) if numbers else np.zeros(0, np.int32)
    numbers.clear()
    if len(there):
        there.sort()
        gone = np.zeros(len(listed), bool)
        for begin in range(0, len(listed), 1 << 16):
            part = np.sort(listed[begin : begin + (1 << 16)])  # in order, the search walks through memory once
            place = np.minimum(np.searchsorted(there, part), len(there) - 1)
            absent = part[there[place] != part]
            if len(absent):
                gone[begin : begin + (1 << 16)] = np.isin(listed[begin : begin + (1 << 16)], absent)
        missing = lines[gone]
    else:
        missing = lines
    del there
    missing = _ask_again(np, path, rule, root, missing)
    rows = sorted(odd.missing(root, lambda done: tell(len(listed) + done)))
    some = paths_at(path, rule, missing[:LOOKED_CLOSER].tolist())
    examples = sorted([*some, *rows[:LOOKED_CLOSER]])[:LOOKED_CLOSER]
    return len(listed) + odd.count, [MissingImage(*row) for row in examples], len(missing) + len(rows)


def _usual_paths(np: Any, data: bytes, shape: Columns) -> tuple[Piece, Any]:
    """Usual lines whose path can be taken as it stands, and where their folder ends, behind its "/"; `(good lines,)`."""
    from checks.facts.label_columns import folder_ends, take_apart

    piece = take_apart(np, data, shape)
    tail = piece.buffer[piece.path_ends - 1]
    fine = (tail != _SLASH) & (tail != _DOT)  # no name that a listing of the folder would have
    if shape.multilabel:  # whose values are not read here, and a line without them is no sample
        fine[:] = False
    if not bool(fine.all()):
        piece.narrow(fine)
    return piece, folder_ends(np, piece)


def _odd_paths(data: bytes, ends: Any, indexes: list[int], first: int, rule: LabelFormat) -> Iterator[tuple[int, str]]:
    for index in indexes:
        start = int(ends[index - 1]) + 1 if index else 0
        found = exact_path(data[start : ends[index]].decode("utf-8", "surrogateescape"), rule)
        if found is not None:
            yield first + index, found


def _hashes_of_files(np: Any, root: str, folders: set[bytes], listed: int, tell: Callable[[int], None]) -> Any:
    """The hash of `folder/name` for every file in the folders."""
    found: list[Any] = []
    batch: list[bytes] = []
    size = 0
    base = os.fsencode(root)
    crowd = max(100_000, CROWDED * listed)

    def flush() -> None:
        if batch:
            data = b"\n".join(batch) + b"\n"
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
            starts = np.zeros(len(ends), np.int64)
            starts[1:] = ends[:-1] + 1
            found.append(hash_spans(np, data, starts, ends))
            batch.clear()

    seen = 0
    for number, folder in enumerate(folders):
        try:
            with os.scandir(os.path.join(base, folder)) as entries:
                for entry in entries:
                    if entry.is_symlink() and not os.path.exists(entry.path):
                        continue
                    if b"\n" not in entry.name:
                        batch.append(folder + entry.name)
        except (OSError, ValueError):
            continue
        size += 1
        if len(batch) > 50_000:
            seen += len(batch)
            flush()
            tell(min(listed, listed * number // max(1, len(folders))))
        if seen > crowd:
            break
    flush()
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _ask_again(np: Any, path: str, rule: LabelFormat, root: str, missing: Any) -> Any:
    """What a listing did not show may be there all the same (a folder that may not be read, or that ignores case): a sample is asked for."""
    if not len(missing):
        return missing
    some = missing[np.unique(np.linspace(0, len(missing) - 1, 100).astype(np.int64))]
    sample = paths_at(path, rule, some.tolist())
    if not any(exists(os.path.join(root, name)) for _, name in sample):
        return missing
    wanted = paths_at(path, rule, missing.tolist())
    return np.array([number for number, name in wanted if not exists(os.path.join(root, name))], missing.dtype)


def paths_at(path: str, rule: LabelFormat, numbers: Iterable[int]) -> list[tuple[int, str]]:
    """(line number, image path) of some lines of a list, in order; those without a path are left out.

    Raises:
        Unreadable: the list cannot be read.
    """
    wanted = sorted(set(numbers))
    found: list[tuple[int, str]] = []
    done = 0
    with LabelFile(path) as file:
        for data in file.pieces() if wanted else ():
            first = file.lines + 1
            file.lines += data.count(b"\n")
            last = bisect_right(wanted, file.lines)
            if last > done:
                texts = data.split(b"\n")
                for number in wanted[done:last]:
                    name = exact_path(texts[number - first].decode("utf-8", "surrogateescape"), rule)
                    if name is not None:
                        found.append((number, name))
            done = last
            if done == len(wanted):
                break
    return found
