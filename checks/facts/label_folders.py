"""Samples per folder and label of large label files."""

from __future__ import annotations

from typing import Any

from checks.facts.label_columns import Piece, folder_ends
from checks.facts.label_tables import Folders
from checks.facts.span_hash import GOLDEN, GOLDEN_SQUARED, hash_spans

_SLOT_BITS = 20


class FolderKeys:
    """The folder and label of each good line of a piece as a hash, its slot in a table, and where the folder's name ends.

    Shapes: all `(good lines,)`.
    """

    __slots__ = ("ends", "hashes", "slots")

    def __init__(self, np: Any, piece: Piece) -> None:
        starts = piece.path_starts
        self.ends = np.maximum(folder_ends(np, piece) - 1, starts)
        hashes = hash_spans(np, piece.data, starts, self.ends)
        hashes += piece.labels.astype(np.uint64) * np.uint64(GOLDEN_SQUARED)
        hashes ^= hashes >> np.uint64(29)
        hashes *= np.uint64(GOLDEN)
        self.hashes = hashes
        self.slots = (hashes >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)


class FolderTally:
    """Samples per folder and label. A table of slots finds the pair of a line by its hash; what it does not know is told apart one by one."""

    def __init__(self, np: Any, offset: int, most: int) -> None:
        self.np = np
        self.offset = offset
        self.most = most
        self.pairs: list[tuple[str, int]] = []
        self.known: dict[int, int] = {}
        self.names: set[str] = set()
        self.slots: Any = np.zeros(1 << _SLOT_BITS, np.int32)
        self.keys: Any = np.zeros(0, np.uint64)
        self.counts: Any = np.zeros(0, np.int64)
        self.others: dict[tuple[str, int], int] = {}

    @property
    def full(self) -> bool:
        """Whether there are too many folders to be told."""
        return len(self.names) > self.most

    def add(self, piece: Piece, lines: FolderKeys) -> None:
        """Count the good lines of a piece."""
        np = self.np
        missed = np.arange(len(lines.hashes))
        if len(self.keys):
            ids = self.slots[lines.slots]
            hit = self.keys[ids] == lines.hashes
            self.counts += np.bincount(ids[hit], minlength=len(self.counts))
            missed = np.flatnonzero(~hit)
        if len(missed):
            self._add_unknown(piece, lines, missed)

    def _add_unknown(self, piece: Piece, lines: FolderKeys, missed: Any) -> None:
        np = self.np
        keys, index, counts = np.unique(lines.hashes[missed], return_index=True, return_counts=True)
        index = missed[index]
        ids, fresh = [], []
        rows = zip(keys.tolist(), piece.path_starts[index].tolist(), lines.ends[index].tolist(), piece.labels[index].tolist(), strict=True)
        for key, start, end, label in rows:
            number = self.known.get(key)
            if number is None:
                number = self.known[key] = len(self.pairs)
                name = piece.data[start:end].decode("utf-8", "surrogateescape")
                self.names.add(name)
                self.pairs.append((name, label + self.offset))
                fresh.append(key)
            ids.append(number)
        self.keys = np.concatenate((self.keys, np.array(fresh, np.uint64)))
        self.counts = np.concatenate((self.counts, np.zeros(len(fresh), np.int64)))
        self.counts[ids] += counts
        self.slots[lines.slots[index]] = ids

    def add_one(self, folder: str, label: int) -> None:
        """Count one sample."""
        self.names.add(folder)
        self.others[folder, label] = self.others.get((folder, label), 0) + 1

    def result(self) -> Folders:
        """Folder → label → samples."""
        found: Folders = {}
        rows = [*zip(self.pairs, self.counts.tolist(), strict=True), *self.others.items()]
        for (folder, label), samples in rows:
            labels = found.setdefault(folder, {})
            labels[label] = labels.get(label, 0) + samples
        return found
