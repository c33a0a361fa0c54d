"""Whether a file of weights fits a model: what `set_state_dict` would fill of it, and what the file was made for where it does not.

`Layer.set_state_dict` (every PaddlePaddle 2 and 3) takes a tensor where key and shape are those of the model, leaves everything else as it was, and
raises where only the type differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec

from knowledge.states import CLASSES, Shape, State, fits, likest

Kind = Literal[
    "fits",
    "empty",
    "nested",
    "dtype",
    "classes",
    "headless",
    "prefix",
    "position",
    "partial",
    "static",
    "torch",
    "branch",
    "other",
    "unknown",
]
"""How a file stands to a model.

Everything is filled (`fits`) or would be but for the type (`dtype`); all but the classifier, which has another width (`classes`) or is not there
(`headless`); nothing, as the keys begin otherwise (`prefix`), lie one level deeper (`nested`), are those of a static graph (`static`), of PyTorch
(`torch`) or of another branch (`branch`); all but position embeddings (`position`) or other pieces (`partial`); it was made for another network
(`other`), or holds no tensor (`empty`). `unknown` where that cannot be told.
"""

MOST = 0.9
"""The share of a model's tensors from which on a file was made for it, whatever the keys begin with."""
HALF = 0.5
"""Below it a file was made for something else."""
FOREIGN = 0.2
"""The share of a model's keys below which a file is of another network even where the model is not known to the last tensor."""
NAMED = 0.6
"""The likeness from which on a network is named as what a file is likely of."""
FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
POSITIONS = ("pos_embed", "position", "abs_pos", "rel_pos", "attention_bias", "attn_mask")
"""Parts of keys of what depends on the size of the image."""
SHOWN = 4


class Wanted(NamedTuple):
    """What a model needs: its parameters, which of them move with the class count (and in which side), and the names of the parameters."""

    shapes: dict[str, Shape]
    heads: dict[str, Shape]
    names: frozenset[str] = frozenset()
    types: Mapping[str, str] = {}


class Verdict(msgspec.Struct, frozen=True):
    """How a file stands to a model.

    `filled` of the `total` parameters get their values. `have` is the class count of the file's classifier; `lost` are the first keys that stay
    random, `count` how many. `found` and `needed` are what the keys begin with in the file and in the model. `likes` are the
    networks the file is most like, `share` how much (1: the very same tensors). `detail` is the key, branch or type that tells.
    """

    kind: Kind
    total: int = 0
    filled: int = 0
    have: int | None = None
    lost: tuple[str, ...] = ()
    count: int = 0
    found: str = ""
    needed: str = ""
    likes: tuple[str, ...] = ()
    share: float = 0.0
    detail: str = ""


def wanted(parts: Iterable[tuple[str, State, int | None]]) -> Wanted:
    """What a model of several parts needs; each is its prefix, its state and its class count. Buffers have their values without any file."""
    shapes: dict[str, Shape] = {}
    heads: dict[str, Shape] = {}
    types: dict[str, str] = {}
    names: set[str] = set()
    for prefix, state, classes in parts:
        heads = {}  # what classifies is the last part that moves with the class count
        for key, shape in state.shapes.items():
            if state.parameters and key not in state.parameters:
                continue
            if key in state.heads:
                heads[prefix + key] = shape
                shape = tuple(classes if side == CLASSES and classes is not None else side for side in shape)
            shapes[prefix + key] = shape
            if key in state.types:
                types[prefix + key] = state.types[key]
        names.update(state.parameters.values())
    return Wanted(shapes, heads, frozenset(names), types)


def judge(
    shapes: Mapping[str, Shape],
    types: Mapping[str, str],
    models: list[Wanted],
    *,
    prefix: str = "",
    certain: bool = True,
    nested: str | None = None,
    others: Mapping[str, list[Wanted]] | None = None,
    own: tuple[str, ...] = (),
) -> Verdict:
    """Hold the tensors of a file against a model, of which there may be several versions.

    `prefix` is what all its keys begin with, beyond those of the network itself. `others` are the same network in branches that are not meant, by
    their names; `own` are the names of the model's networks.
    """
    if not shapes:
        return Verdict("empty")
    model = max(models, key=lambda one: (_filled(shapes, one) / max(1, len(one.shapes)), len(one.shapes)))
    lost = [key for key, shape in model.shapes.items() if not _takes(shapes, key, shape)]
    plain = Verdict("fits", len(model.shapes), len(model.shapes) - len(lost), lost=tuple(lost[:SHOWN]), count=len(lost))
    if nested is not None:
        return msgspec.structs.replace(plain, kind="nested", filled=0, count=plain.total, detail=nested)
    kept = [key for key in model.shapes if key not in lost]
    odd = next((key for key in kept if types.get(key, "float32") != model.types.get(key, "float32")), None)
    if odd is not None and types[odd] in FLOATS and plain.filled >= HALF * plain.total:
        return msgspec.structs.replace(plain, kind="dtype", detail=types[odd])
    body = [key for key in lost if key not in model.heads]
    if not lost:
        return plain
    if not body:
        there = [key for key in lost if key in shapes]
        if not there:
            return msgspec.structs.replace(plain, kind="headless") if certain else Verdict("unknown")  # another head may be meant
        have = _classes(shapes, model.heads)
        return msgspec.structs.replace(plain, kind="classes", have=have) if certain or have is not None else Verdict("unknown")
    moved = _moved(shapes, model, prefix)
    if moved is not None:
        found, needed, have = moved
        return msgspec.structs.replace(plain, kind="prefix", found=found, needed=needed, have=have)
    if not certain:
        # what a parameter of the config may change is how wide and how deep the network is, and hardly one of its keys
        return _foreign(shapes, plain, own) if sum(key in shapes for key in model.shapes) < FOREIGN * plain.total else Verdict("unknown")
    return _otherwise(shapes, model, plain, body, others or {}, own)


def _otherwise(
    shapes: Mapping[str, Shape], model: Wanted, plain: Verdict, body: list[str], others: Mapping[str, list[Wanted]], own: tuple[str, ...]
) -> Verdict:
    foreign = next((key for key in shapes if key.endswith((".running_mean", ".running_var", ".num_batches_tracked"))), None)
    if foreign is not None:
        return msgspec.structs.replace(plain, kind="torch", detail=foreign)
    turned = [key for key in body if len(model.shapes[key]) == 2 and shapes.get(key) == model.shapes[key][::-1]]
    if len(turned) >= SHOWN and 2 * len(turned) >= len(body):
        return msgspec.structs.replace(plain, kind="torch", detail=turned[0])
    if model.names and sum(name in shapes for name in model.names) >= HALF * len(model.names):
        return msgspec.structs.replace(plain, kind="static", detail=next(name for name in shapes if name in model.names))
    for branch, versions in others.items():
        if any(_share(shapes, version) >= (MOST if _share(shapes, model) < HALF else 1.0) for version in versions):
            return msgspec.structs.replace(plain, kind="branch", detail=branch)
    verdict = _foreign(shapes, plain, own)
    more = any(key not in model.shapes and not _positional(key) for key in shapes)
    if all(map(_positional, body)) and any(key in shapes for key in body) and not (more and verdict.share == 1.0):
        return msgspec.structs.replace(
            plain, kind="position", lost=tuple(body[:SHOWN]), count=len(body), likes=verdict.likes, share=verdict.share
        )
    if verdict.kind == "other" and verdict.share == 1.0:
        return verdict
    return (
        verdict
        if _share(shapes, model) < HALF
        else msgspec.structs.replace(plain, kind="partial", likes=verdict.likes, share=verdict.share)
    )


def _positional(key: str) -> bool:
    return any(word in key for word in POSITIONS)


def _foreign(shapes: Mapping[str, Shape], plain: Verdict, own: tuple[str, ...]) -> Verdict:
    """The verdict on a file that is not of the model, with the network it is likely of."""
    tries = ["", *(found for found in _beginnings(shapes) if found)]
    best, start = None, ""
    for found in tries:
        candidates = likest(_without(shapes, found))
        if candidates and (best is None or candidates[0].share > best.share):
            best, start = candidates[0], found
        if best is not None and best.share >= MOST:
            break
    if best is None or best.share < NAMED or set(best.names) & set(own):
        return msgspec.structs.replace(plain, kind="other")
    return msgspec.structs.replace(plain, kind="other", likes=best.names[:3], share=best.share, found=start)


def _takes(shapes: Mapping[str, Shape], key: str, shape: Shape) -> bool:
    have = shapes.get(key)
    return have is not None and fits(have, shape)


def _filled(shapes: Mapping[str, Shape], model: Wanted) -> int:
    return sum(_takes(shapes, key, shape) for key, shape in model.shapes.items())


def _share(shapes: Mapping[str, Shape], model: Wanted) -> float:
    """How much of a model without its classifier a file has."""
    body = [key for key in model.shapes if key not in model.heads]
    return sum(_takes(shapes, key, model.shapes[key]) for key in body) / max(1, len(body))


def _classes(shapes: Mapping[str, Shape], heads: Mapping[str, Shape]) -> int | None:
    """The class count of the classifier in a file; None where its tensors do not agree on one."""
    counts: set[int] = set()
    for key, shape in heads.items():
        have = shapes.get(key)
        if have is None:
            continue
        if not fits(have, shape):
            return None
        counts.update(h for h, side in zip(have, shape, strict=True) if side == CLASSES)
    return counts.pop() if len(counts) == 1 else None


def _beginnings(shapes: Mapping[str, Shape]) -> list[str]:
    """What many keys of a file begin with, up to their first or second dot."""
    counts: Counter[str] = Counter()
    for key in shapes:
        first, dot, rest = key.partition(".")
        if dot:
            counts[first + "."] += 1
            second, dot, _ = rest.partition(".")
            counts[f"{first}.{second}."] += bool(dot)
    found = [start for start, count in counts.most_common(12) if count >= 0.2 * len(shapes)]
    return sorted(found, key=lambda start: not start.startswith("Student."))  # of two roles it is the student that is wanted


def _without(shapes: Mapping[str, Shape], start: str) -> Mapping[str, Shape]:
    return {key[len(start) :]: shape for key, shape in shapes.items() if key.startswith(start)} if start else shapes


def _moved(shapes: Mapping[str, Shape], model: Wanted, prefix: str) -> tuple[str, str, int | None] | None:
    """What the file's keys and the model's begin with, where the rest is the same; and the file's class count."""
    for needed in _needed(model, prefix):
        bare = Wanted(
            {key[len(needed) :]: shape for key, shape in model.shapes.items() if key.startswith(needed)},
            {key[len(needed) :]: shape for key, shape in model.heads.items() if key.startswith(needed)},
        )
        for found in ("", *_beginnings(shapes)):
            if found != needed and len(bare.shapes) >= SHOWN and _share(inner := _without(shapes, found), bare) >= MOST:
                return found, needed, _classes(inner, bare.heads)
    return None


def _needed(model: Wanted, prefix: str) -> Iterator[str]:
    """What may be taken off a model's keys: that of its role, and that of the backbone behind it."""
    yield ""
    if prefix:
        yield prefix
    backbone = prefix + "backbone."
    if any(key.startswith(backbone) for key in model.shapes):
        yield backbone
