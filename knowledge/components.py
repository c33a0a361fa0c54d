"""The components that PaddleClas builds from a config: which names each branch can resolve, what their constructors take, and what was meant.

The table beside this module (`vocabulary/components.json`, made by `scripts/make_components.py` from the sources of release/static to develop) holds,
for every kind of component (`arch`, `loss`, `transform` …, see `knowledge/namespaces.py`), its names, and for each name the keywords of its
constructor in every branch. Without a branch at hand the answers are the kindest ones: a name that any branch of the kind's generation knows is
known, a parameter that any of them takes is taken, and only what all of them demand is required.
"""

from __future__ import annotations

import functools
import os.path
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from knowledge.likeness import distance, plain, slips, tolerance, words
from knowledge.namespaces import INJECTED, OVERWRITTEN, READ_ELSEWHERE, TAKEN, base
from knowledge.signature import Rest, Signature

RESTS: tuple[Rest, ...] = ("error", "ignored", "open")


class Suggestion(NamedTuple):
    """What a name was probably meant to be; `use_ssld`: the name carried the suffix of distilled weights, which are a switch of their own."""

    name: str
    use_ssld: bool = False


class _Table(msgspec.Struct, frozen=True):
    branches: list[str]
    covers: dict[str, int]
    words: list[str]
    signatures: list[tuple[list[int], list[int], int]]
    kinds: dict[str, dict[str, list[tuple[int, int]]]]
    hidden: dict[str, dict[str, tuple[str, int]]]
    blobs: dict[str, dict[str, int]]
    outside: dict[str, int]


@functools.cache
def _table() -> _Table:
    """The components, read on first use (under two milliseconds)."""
    with open(os.path.join(os.path.dirname(__file__), "vocabulary", "components.json"), "rb") as file:
        return msgspec.json.decode(file.read(), type=_Table)


@functools.cache
def _signature(number: int) -> Signature:
    table = _table()
    required, optional, rest = table.signatures[number]
    return Signature(frozenset(table.words[w] for w in required), frozenset(table.words[w] for w in optional), RESTS[rest])


def _bits(kind: str, branch: str | None) -> int:
    """The branches to look at: one, or all that have this kind of component."""
    table = _table()
    covered = table.covers.get(base(kind), 0)
    if branch in table.branches and covered & (bit := 1 << table.branches.index(branch)):
        return bit
    return covered


def names(kind: str, branch: str | None = None) -> list[str]:
    """Every name of a kind, in one branch or in any."""
    bits = _bits(kind, branch)
    return [name for name, variants in _table().kinds.get(base(kind), {}).items() if any(b & bits for b, _ in variants)]


def known(kind: str, name: str, branch: str | None = None) -> bool:
    """Whether PaddleClas can resolve a name; in one branch, or in any that has this kind."""
    bits = _bits(kind, branch)
    return any(b & bits for b, _ in _table().kinds.get(base(kind), {}).get(name, ()))


def present_in(kind: str, name: str) -> list[str]:
    """The branches that know a name, oldest first."""
    bits = 0
    for b, _ in _table().kinds.get(base(kind), {}).get(name, ()):
        bits |= b
    return [branch for number, branch in enumerate(_table().branches) if bits >> number & 1]


def branches(kind: str, name: str, parameter: str) -> list[str]:
    """The branches in which a component takes a parameter, oldest first."""
    bits = 0
    for b, number in _table().kinds.get(base(kind), {}).get(name, ()):
        if parameter in _signature(number).names:
            bits |= b
    return [branch for number, branch in enumerate(_table().branches) if bits >> number & 1]


def hidden(kind: str, name: str) -> str | None:
    """The file of PaddleClas that defines a class which its namespace does not bring in, so that no config can name it."""
    found = _table().hidden.get(base(kind), {}).get(name)
    return found[0] if found and not known(kind, name) else None


def signature(kind: str, name: str, branch: str | None = None) -> Signature | None:
    """What a component's constructor takes; without a branch, the kindest reading of all. None for an unknown name."""
    bits = _bits(kind, branch)
    found = [_signature(number) for b, number in _table().kinds.get(base(kind), {}).get(name, ()) if b & bits]
    return taken(kind, merged(found)) if found else None


def merged(found: list[Signature]) -> Signature:
    """The kindest reading of several signatures."""
    required = frozenset.intersection(*(s.required for s in found))
    optional = frozenset().union(*(s.names for s in found)) - required
    rests = {s.rest for s in found}
    rest: Rest = "open" if "open" in rests else rests.pop() if len(rests) == 1 else "ignored"
    return Signature(required, optional, rest)


def taken(kind: str, found: Signature) -> Signature:
    """A constructor's signature as a config sees it: with the keys that PaddleClas's builder takes out, puts in or passes itself."""
    own = frozenset((*TAKEN.get(kind, ()), *OVERWRITTEN.get(kind, ())))
    required = found.required - own - frozenset(INJECTED.get(kind, ()))
    if kind == "loss":
        required |= {"weight"}
    optional = (found.optional | own | frozenset(READ_ELSEWHERE.get(kind, ()) if found.rest != "error" else ())) - frozenset(
        INJECTED.get(kind, ())
    )
    return Signature(required, optional - required, found.rest)


def outside() -> dict[str, Signature]:
    """Signatures of paddle's own classes, by dotted name."""
    return {name: _signature(number) for name, number in _table().outside.items()}


# --- which branch is it


def markers() -> list[str]:
    """Files whose content tells the branches apart."""
    return list(_table().blobs)


def branch_of(blobs: Mapping[str, str]) -> str | None:
    """The branch that a checkout is, from the git blob ids of its `markers`; None when they do not agree on one.

    A user's changes make some files unlike any branch's. The branch that most of the others belong to is taken, if at least half of the files
    that are there are its own.
    """
    table = _table()
    votes = [0] * len(table.branches)
    for path, blob in blobs.items():
        bits = table.blobs.get(path, {}).get(blob[:12], 0)
        for number in range(len(votes)):
            votes[number] += bits >> number & 1
    best = max(votes, default=0)
    if not best or 2 * best < len(blobs) or votes.count(best) > 1:
        return None
    return table.branches[votes.index(best)]


def era(uses: Iterable[tuple[str, str, Collection[str]]]) -> list[str]:
    """The branches on which every one of these components (kind, name, parameters) can be built; all, where nothing tells them apart."""
    table = _table()
    bits = (1 << len(table.branches)) - 1
    for kind, name, parameters in uses:
        variants = table.kinds.get(base(kind), {}).get(name)
        if not variants:
            continue
        here = 0
        for b, number in variants:
            found = taken(kind, _signature(number))
            if found.rest == "open" or found.names >= frozenset(parameters):
                here |= b
        if here:
            bits &= here
    return [branch for number, branch in enumerate(table.branches) if bits >> number & 1]


# --- what was meant


def suggest(kind: str, written: str, among: Collection[str] | None = None) -> Suggestion | None:
    """The name that was probably meant, among those given (all of the kind, if None); None when nothing is close enough to be worth a guess."""
    from knowledge.meanings import ARCHITECTURES, MEANT, SUFFIXES  # read only where something is wrong

    kind = base(kind)
    choice = names(kind) if among is None else among
    here = MEANT.get(kind.partition(".")[2] if kind.startswith("legacy.") and kind not in MEANT else kind, {})
    meant = here.get(plain(written)) or (ARCHITECTURES.get(plain(written).replace(".", "")) if kind.endswith("arch") else None)
    same = [name for name in choice if plain(name) == plain(written)]
    if same:
        return Suggestion(min(same))
    if meant in choice and meant is not None:
        bare = plain(written)
        slip = [name for name in choice if len(bare) > 7 and distance(bare, plain(name), 1) is not None]
        return Suggestion(min(slip) if slip else meant)
    if kind.endswith("arch"):
        for suffix in SUFFIXES:
            stem = written.strip().removesuffix(suffix)
            if stem != written.strip():
                found = stem if stem in choice else _closest(stem, choice, kind, numbers=True)
                if found:
                    return Suggestion(found, "ssld" in suffix)
    found = _closest(written, choice, kind, numbers=kind.endswith("arch"))
    return Suggestion(found) if found else None


def _closest(written: str, choice: Collection[str], kind: str, *, numbers: bool) -> str | None:
    bare, its_words, digits = plain(written), words(written), _digits(written)
    table = _table().kinds.get(base(kind), {})
    ranked: list[tuple[int, int, str]] = []
    for name in choice:
        other = plain(name)
        if other == bare:
            rank = 0
        elif words(name) == its_words:
            rank = 1
        else:
            count = distance(bare, other, min(3, tolerance(min(len(bare), len(other)))))
            if count is None:
                count = _abridged(bare, other)
            if count is None:
                continue
            rank = 1 + 2 * count
            if numbers and digits != _digits(name):
                rank += 3  # ResNet51 is more likely a ResNet50 than a ResNet11 a ResNet18, but neither is likely
        ranked.append((rank, -sum(b.bit_count() for b, _ in table.get(name, ())), name))
    return min(ranked)[2] if ranked else _only_neighbour(bare, choice)


def _abridged(bare: str, other: str) -> int | None:
    """Slips between a name and another that has a common ending more or less: `randomcropimg` and `randomcropimage`, `mixup` and `mixupoperator`."""
    for ending in ("image", "operator", "loss", "decay", "dataset", "sampler", "acc", "output", "aug", "augment"):
        short, long = bare.removesuffix(ending), other.removesuffix(ending)
        if (short != bare) != (long != other) and len(short) > 3 and len(long) > 3:
            count = distance(short, long, 1)
            if count is not None:
                return count + 1
    return None


def _digits(name: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in name).split()


def closest_parameter(kind: str, written: str, choice: Collection[str], present: Collection[str] = ()) -> str | None:
    """The parameter that was probably meant, one that is not written yet before others; None when nothing is close enough to be worth a guess."""
    from knowledge.meanings import PARAMETERS

    bare, its_words = plain(written), words(written)
    meant = PARAMETERS.get(kind.removeprefix("legacy.").removeprefix("deploy.").partition(".")[0], {}).get(bare) or PARAMETERS[""].get(bare)
    ranked: list[tuple[bool, int, str]] = []
    for name in choice:
        if plain(name) == bare:
            rank = 0
        elif meant and name in meant:
            rank = 1 + meant.index(name)
        elif words(name) == its_words:
            rank = 1
        elif (count := slips(written, name, 3)) is not None:
            rank = 4 + count
        else:
            continue
        ranked.append((name in present, rank, name))
    return min(ranked)[2] if ranked else _only_neighbour(bare, choice)


def _only_neighbour(bare: str, choice: Iterable[str]) -> str | None:
    """The one name of a short list that is a single slip away, where names are too short to allow any among many: `sd` for `std`."""
    near = [name for name in choice if len(bare) > 1 and distance(bare, plain(name), 1) is not None]
    return near[0] if len(near) == 1 else None


def blob_branches(blobs: Mapping[str, str], paths: Iterable[str]) -> list[str]:
    """The branches that hold exactly these files, told by their git blob ids."""
    table = _table()
    bits = -1
    for path in paths:
        bits &= table.blobs.get(path, {}).get(blobs.get(path, "")[:12], 0)
    return [branch for number, branch in enumerate(table.branches) if bits >> number & 1]


def rests(kind: str, name: str, branch: str | None = None) -> set[Rest]:
    """What becomes of an unknown parameter, on each branch that is looked at."""
    bits = _bits(kind, branch)
    return {_signature(number).rest for b, number in _table().kinds.get(base(kind), {}).get(name, ()) if b & bits}


def is_branch(name: str) -> bool:
    """Whether the table knows a branch of this name."""
    return name in _table().branches
