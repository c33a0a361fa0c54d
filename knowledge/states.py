"""What the state dicts of the networks hold, in each branch of PaddleClas (`zoo/states.json`, made by `scripts/make_state_dicts.py`).

The networks were built on CPU with two class counts; what a `paddle.save(net.state_dict())` of them holds stands here: keys, shapes and types.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

CLASSES = -1
"""In place of a side that is the class count."""
UNTOLD = -2
"""In place of a side that moves with the class count in another way."""

LEGACY_BRANCHES = ("2.0-beta", "2.0-rc1", "2.0", "2.1")
"""The branches of the layout with `ARCHITECTURE`; the modern one starts at 2.2, where many networks got other keys."""

FOLDER = os.path.join(os.path.dirname(__file__), "zoo")

Shape = tuple[int, ...]


class State(msgspec.Struct, frozen=True, dict=True):
    """One network's state dict in the branches named.

    `shapes` maps its keys, in their order, to shapes in which `CLASSES` stands for the class count. `parameters` maps those that are no buffers to
    the name of the parameter in a process that builds this network alone, `types` those that are not float32 to their type.
    """

    branches: tuple[str, ...]
    shapes: dict[str, Shape]
    parameters: dict[str, str]
    types: dict[str, str]

    @functools.cached_property
    def heads(self) -> frozenset[str]:
        """The keys whose shape moves with the class count."""
        return frozenset(key for key, shape in self.shapes.items() if min(shape, default=0) < 0)


class Candidate(NamedTuple):
    """Networks of one and the same state, and how much of it a file has: tensors of both over tensors of either."""

    names: tuple[str, ...]
    share: float
    state: State


class _Index(msgspec.Struct, frozen=True):
    branches: tuple[str, ...]
    ends: tuple[int, ...]
    networks: dict[str, tuple[tuple[int, int, int], ...]]
    sizes: tuple[tuple[int, ...], ...]


@functools.cache
def _index() -> _Index:
    with open(os.path.join(FOLDER, "states.json"), "rb") as stream:
        return msgspec.json.decode(stream.read(), type=_Index)


@functools.lru_cache(maxsize=6)
def _group(number: int) -> tuple[str, ...]:
    """The texts of one stream; none on a Python that was built without xz."""
    try:
        import lzma  # 3 ms, and only where weights are looked into
    except ImportError:
        return ()
    start, end = _index().ends[number : number + 2]
    with open(os.path.join(FOLDER, "states.bin"), "rb") as stream:
        stream.seek(start)
        return tuple(lzma.decompress(stream.read(end - start)).decode().split("\n\n"))


def _sides(text: str) -> Shape:
    return tuple(CLASSES if side == "C" else UNTOLD if side == "?" else int(side) for side in text.split(",")) if text else ()


def _parsed(branches: tuple[str, ...], text: str) -> State:
    shapes, parameters, types = {}, {}, {}
    for line in text.split("\n") if text else ():
        key, shape, parameter, *kind = line.split("\t")
        shapes[key] = _sides(shape)
        if parameter != "-":
            parameters[key] = parameter
        if kind:
            types[key] = kind[0]
    return State(branches, shapes, parameters, types)


def known(network: str) -> bool:
    """Whether the network's state is known."""
    return network in _index().networks


@functools.lru_cache(maxsize=8)
def states_of(network: str) -> tuple[State, ...]:
    """The states of a network, one for each set of branches that agree; none for one that is not known."""
    found = []
    for mask, group, place in _index().networks.get(network, ()):
        texts = _group(group)
        if place < len(texts):
            found.append(_parsed(_branches(mask), texts[place]))
    return tuple(found)


def _branches(mask: int) -> tuple[str, ...]:
    return tuple(branch for number, branch in enumerate(_index().branches) if mask >> number & 1)


def fits(shape: Shape, wanted: Shape) -> bool:
    """Whether a tensor's shape is the one wanted, whatever the class count."""
    return shape == wanted or (len(shape) == len(wanted) and all(w < 0 or s == w for s, w in zip(shape, wanted, strict=True)))


def likest(shapes: Mapping[str, Shape]) -> list[Candidate]:
    """The networks whose state is most like the tensors of a file, at most three; of equals those of the newest branches come first.

    A share of 1 is a file that has every tensor of the network and no other, whatever its class count. Networks of very few or very many
    tensors more are not looked at.
    """
    index = _index()
    owners: dict[tuple[int, int], dict[str, int]] = {}
    for name, rows in index.networks.items():
        for mask, group, place in rows:
            owners.setdefault((group, place), {})[name] = mask
    written = {f"{key}\t{','.join(map(str, shape))}\t" for key, shape in shapes.items()}
    found: list[tuple[float, int, int, int]] = []
    for group, sizes in enumerate(index.sizes):
        texts: tuple[str, ...] | None = None
        for place, size in enumerate(sizes):
            if not (len(shapes) <= 2 * size and size <= 2 * len(shapes) + 2):
                continue
            texts = texts if texts is not None else _group(group)
            if place >= len(texts):
                return []
            share = _share(texts[place], size, written, shapes)
            found.append((share, max(owners[group, place].values()), group, place))
    found.sort(reverse=True)
    best: list[Candidate] = []
    for share, _, group, place in found[:12]:
        masks = owners[group, place]
        names = sorted(masks, key=lambda name: (-masks[name], len(name), name))
        state = _parsed(_branches(functools.reduce(int.__or__, masks.values())), _group(group)[place])
        # networks that differ in the names of their parameters alone are one and the same to a file
        same = next((number for number, other in enumerate(best) if other.state.shapes == state.shapes), None)
        if same is not None:
            best[same] = best[same]._replace(names=tuple(dict.fromkeys((*best[same].names, *names))))
        elif len(best) < 3:
            best.append(Candidate(tuple(names), round(share, 4), state))
    return best


def _share(text: str, size: int, written: set[str], shapes: Mapping[str, Shape]) -> float:
    both = 0
    for line in text.split("\n"):
        if line[: line.index("\t", line.index("\t") + 1) + 1] in written:
            both += 1
        elif "C" in (parts := line.split("\t", 2))[1] or "?" in parts[1]:
            shape = shapes.get(parts[0])
            both += shape is not None and fits(shape, _sides(parts[1]))
    return both / (size + len(shapes) - both)
