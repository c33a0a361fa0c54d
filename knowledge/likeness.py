"""How like two names are: the slips of a finger that turn the one into the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final


def nearest(written: str, names: Sequence[str], cutoff: float) -> str | None:
    """The most similar of some names, from a similarity of `cutoff` (0 to 1) on."""
    import difflib  # 3 ms, for a finding only

    return next(iter(difflib.get_close_matches(written, names, 1, cutoff)), None)


@functools.lru_cache(maxsize=1 << 16)
def plain(name: str) -> str:
    """A name without case and separators."""
    return name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


def parts(name: str) -> list[str]:
    """The words of a name in their order, in lower case."""
    return name.strip().lower().replace("-", "_").split("_")


def words(name: str) -> frozenset[str]:
    """The words of a name, singular, without their order: classes_num and class_num are the same two."""
    return frozenset(
        part[:-2] if part.endswith("sses") else part[:-1] if part.endswith("s") and not part.endswith("ss") else part
        for part in parts(name)
    )


# One letter apart and yet never one meant for the other.
_DEVICES: Final = frozenset(("cpu", "dcu", "gcu", "gpu", "mlu", "mps", "npu", "xpu"))


def slips(written: str, name: str, most: int) -> int | None:
    """Slips of the finger between two names, None when there are too many for names of this length.

    Names of as many words each must be alike word by word: in_channels is not a misspelt hid_channels.
    """
    a, b = plain(written), plain(name)
    count = distance(a, b, min(most, tolerance(min(len(a), len(b)))))
    if count:
        ours, theirs = parts(written), parts(name)
        if _DEVICES & set(ours) != _DEVICES & set(theirs):
            return None
        if len(ours) == len(theirs):
            for x, y in zip(ours, theirs, strict=True):
                if distance(x, y, tolerance(min(len(x), len(y)))) is None:
                    return None
    return count


def tolerance(length: int) -> int:
    """How many slips of the finger are believable in a name of this length."""
    return 0 if length < 3 else 1 if length < 6 else 2 if length < 12 else 3


def distance(a: str, b: str, limit: int) -> int | None:
    """Slips between two names (a letter more, less, other, or two swapped); None when beyond `limit`."""
    if abs(len(a) - len(b)) > limit:
        return None
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
        before, last = last, row
    return last[-1] if last[-1] <= limit else None
