"""The configuration keys PaddleClas knows, and what a key it does not know was probably meant to be.

PaddleClas seldom complains about a key it does not read: `Global.epoch: 20` trains for as long as `Global.epochs` says,
and `-o DataLoader.TRAIN.sampler.batch_size=512` adds a block nobody looks at. The table beside this module
(`vocabulary/keys.json`, made by `scripts/make_vocabulary.py` from the source and all shipped configurations of 2.0-beta
to develop) tells such keys from real ones. A key that any of these branches knows, in the place where it stands, is
known. What is reported therefore exists nowhere.

The grammar of the table: a *slot* is one kind of mapping or list. `to` and `below` name the slot under a key, `any` the
slot under a freely chosen name (`Arch.models.0.Student`), `items` the slot of a list element; an `open` slot is handed
on to code outside PaddleClas. The value of a key without a slot is not looked into.
"""

from __future__ import annotations

import functools
import os.path
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from knowledge.likeness import plain, slips, words

Path = tuple[str | int, ...]


class UnknownKey(NamedTuple):
    """A key PaddleClas knows nothing of.

    `at` counts the known steps before it, `key` is the unknown step as written, `suggestion` the whole path as it was
    probably meant, dotted; None when nothing is close enough to be worth a guess. The value may have to change too:
    `TRAIN.batch_size` is a total over all cards, `DataLoader.Train.sampler.batch_size` a figure per card.
    """

    at: int
    key: str
    suggestion: str | None


def unknown_key(path: Path, generation: str, siblings: Mapping[str, object] | None = None, *, suggest: bool = True) -> UnknownKey | None:
    """The first step of `path` that PaddleClas does not know, or None when it knows them all.

    `generation` is "legacy" (2.1 and before), "modern" (2.2 and later) or "deploy". List positions may be numbers or,
    as an override spells them, digits. `siblings`, the mapping of the user's configuration the unknown key stands in,
    puts the names found there before others as suggestions. Without `suggest` none is looked for, which takes a thousandth of the time.
    """
    table = _table()
    # YAML also has null, dates and fractions for keys; no such key is ever known.
    path = tuple(step if isinstance(step, int) and not isinstance(step, bool) else str(step) for step in path)
    at = _known_steps(table, table["roots"][generation], path)
    if at == len(path):
        return None
    found = _suggest(table, path, at, generation, frozenset(siblings or ())) if suggest else None
    return UnknownKey(at, str(path[at]), ".".join(map(str, found)) if found else None)


@functools.cache
def _table() -> dict[str, Any]:
    """The vocabulary, read on first use (about a millisecond)."""
    with open(os.path.join(os.path.dirname(__file__), "vocabulary", "keys.json"), "rb") as file:
        table: dict[str, Any] = msgspec.json.decode(file.read())
    return table


# --- walking the grammar

_LEAF: Final = ""


def _is_index(step: str | int) -> bool:
    """A list position, as YAML's reader counts it or as an override spells it (-1 works there as well)."""
    if isinstance(step, str):
        return step.removeprefix("-").isdecimal()
    return True


def _step(table: dict[str, Any], slot: str, step: str | int) -> str | None:
    """The slot under one key or position of a slot; None when the key is unknown there."""
    if slot == _LEAF:
        return _LEAF
    rule = table["slots"][slot]
    if "open" in rule:
        return slot
    if "items" in rule and _is_index(step):
        return str(rule["items"])
    if "any" in rule:
        return str(rule["any"])
    if step not in rule["keys"]:
        return None
    return str(rule.get("to", {}).get(step, rule.get("below", _LEAF)))


def _known_steps(table: dict[str, Any], slot: str, path: Sequence[str | int]) -> int:
    for count, step in enumerate(path):
        following = _step(table, slot, step)
        if following is None:
            return count
        slot = following
    return len(path)


def _slot_at(table: dict[str, Any], slot: str, path: Sequence[str | int]) -> str:
    for step in path:
        slot = _step(table, slot, step) or _LEAF
    return slot


# --- what was meant


def _suggest(table: dict[str, Any], path: Path, at: int, generation: str, siblings: frozenset[str]) -> tuple[str | int, ...] | None:
    from knowledge.meant_keys import HOMES  # read only where a key is unknown

    root = table["roots"][generation]
    clean = tuple(step.strip() if isinstance(step, str) else step for step in path)
    prefix, slot = path[:at], _slot_at(table, root, path[:at])
    if not table["slots"][slot]["keys"]:
        return None  # a name where a list position belongs: which one, only the user knows
    rest = path[at:]
    found = (
        _moved(table, root, clean, generation)
        or _repaired(table, slot, rest, siblings, sure=True, prefix=prefix)
        or _relocated(table, root, clean, at, generation)
        or _repaired(table, slot, rest, siblings, sure=False, prefix=prefix)
    )
    home = HOMES.get(generation, {}).get(str(clean[-1]).lower())
    if found and home and len(found) == len(path) and at == len(path) - 1 and _slot_at(table, root, found) != _LEAF:
        # A word known as a single value was not meant to be the block that merely looks like it (learning_rate).
        return _split(home)
    return found


@functools.lru_cache(maxsize=1 << 14)
def _split(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


def _moved(table: dict[str, Any], root: str, path: Path, generation: str) -> Path | None:
    """The place in this layout of a path of the other one."""
    from knowledge.meant_keys import MOVED  # read only where a key is unknown

    if generation == "deploy":
        return None
    pairs = MOVED if generation == "modern" else tuple((new, old) for old, new in MOVED)
    for source, target in pairs:
        steps = _split(source)
        if path[: len(steps)] == steps:
            moved = (*_split(target), *path[len(steps) :])
            if _known_steps(table, root, moved) == len(moved):
                return moved
    return None


def _repaired(
    table: dict[str, Any],
    slot: str,
    rest: Sequence[str | int],
    siblings: frozenset[str],
    *,
    sure: bool,
    prefix: Path,
) -> Path | None:
    """The path with the unknown step respelt, and any later one that is unknown under it."""
    if not rest or isinstance(rest[0], int) or slot == _LEAF:
        return None
    for name in _alike(table, slot, rest[0], siblings, sure):
        under = _step(table, slot, name) or _LEAF
        count = _known_steps(table, under, rest[1:])
        start = (*prefix, name, *rest[1 : 1 + count])
        if count == len(rest) - 1:
            return start
        further = _slot_at(table, under, rest[1 : 1 + count])
        repaired = _repaired(table, further, rest[1 + count :], frozenset(), sure=sure, prefix=start)
        if repaired is not None:
            return repaired
    return None


def _alike(table: dict[str, Any], slot: str, written: str, siblings: frozenset[str], sure: bool) -> Iterator[str]:
    """Names known in a slot that the written one may stand for, the likeliest first."""
    from knowledge.meant_keys import NEVER_OFFERED, SYNONYMS  # read only where a key is unknown

    rule = table["slots"][slot]
    bare, its_words = plain(written), words(written)
    synonym = SYNONYMS.get(slot, {}).get(written.strip().lower())
    ranked: list[tuple[int, bool, int, str]] = []
    for name, files in rule["keys"].items():
        if (slot, name) in NEVER_OFFERED:
            continue
        other = plain(name)
        if bare == other:
            rank = 0
        elif name == synonym:
            rank = 1
        elif its_words == words(name):
            rank = 2
        else:
            distance = slips(written, name, 1 if sure else 3)
            if distance is None:
                continue
            rank = 2 + distance
        ranked.append((rank, name not in siblings, -files, name))
    for _, _, _, name in sorted(ranked):
        yield name


def _relocated(table: dict[str, Any], root: str, path: Path, at: int, generation: str) -> Path | None:
    """The usual place of a key that stands where nothing reads it."""
    from knowledge.meant_keys import GENERIC, HOMES  # read only where a key is unknown

    cut = next((i for i, step in enumerate(path) if i and _is_index(step)), len(path))
    head = [str(step) for step in path[:cut]]
    if at >= cut:
        return None
    tail = path[cut:]
    candidates = _holding(table, head, generation) if len(head) > 1 else []
    if not candidates and head[-1].lower() not in GENERIC:
        home = HOMES.get(generation, {}).get(head[-1].lower())
        candidates = [_split(home)] if home is not None else _ending(table, head[-1], generation)
    for candidate in candidates:
        whole = (*candidate, *tail)
        if _known_steps(table, root, whole) == len(whole):
            return whole
    return None


def _holding(table: dict[str, Any], head: Sequence[str], generation: str) -> list[tuple[str, ...]]:
    """Known paths with all steps of `head` in their order and as few others as can be."""
    from knowledge.meant_keys import SYNONYMS  # read only where a key is unknown

    leaf = head[-1].lower()
    leaves = {leaf, *(names[leaf] for names in SYNONYMS.values() if leaf in names)}
    steps = [step.lower() for step in head[:-1]]
    found: list[tuple[int, tuple[str, ...], int]] = []
    for dotted, files in table["paths"][generation].items():
        known = _split(dotted)
        if known[-1].lower() not in leaves or len(known) <= len(head):
            continue
        remaining = iter(known[:-1])
        if all(any(step == other.lower() for other in remaining) for step in steps):
            found.append((len(known), known, files))
    fewest = min((length for length, _, _ in found), default=0)
    return _clear_winner([(known, files) for length, known, files in found if length == fewest])


def _ending(table: dict[str, Any], leaf: str, generation: str) -> list[tuple[str, ...]]:
    bare = plain(leaf)
    paths = ((_split(dotted), files) for dotted, files in table["paths"][generation].items())
    return _clear_winner([(known, files) for known, files in paths if len(known) > 1 and plain(known[-1]) == bare])


def _clear_winner(found: list[tuple[tuple[str, ...], int]]) -> list[tuple[str, ...]]:
    """The place most files use, if no other comes near; Train stands for Eval, which has all its places too."""
    from knowledge.meant_keys import CLEARLY_MORE  # read only where a key is unknown

    groups: dict[tuple[str, ...], list[tuple[bool, tuple[str, ...], int]]] = {}
    for known, files in found:
        group = tuple("Train" if step in ("Train", "Eval") else step for step in known)
        groups.setdefault(group, []).append((known != group, known, files))
    ranked = sorted(groups.values(), key=lambda members: -max(files for _, _, files in members))
    if not ranked:
        return []
    usual = [max(files for _, _, files in members) for members in ranked[:2]]
    if len(usual) > 1 and usual[0] < CLEARLY_MORE * max(usual[1], 1):
        return []
    return [min(ranked[0])[1]]
