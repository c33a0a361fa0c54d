"""How far apart arrays are, and what an output was put through after the last layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from checks.facts.parity import RungName, Spread

TOLERANCES: dict[RungName, float] = {
    "bytes": 0.0,
    "decoded": 0.0,
    "resized": 0.0,
    "tensor": 1e-4,
    "logits": 1e-3,
    "probabilities": 1e-3,
    "topk": 1e-3,
}
"""The largest absolute difference that counts as none, for float32. A scale of 0.00392157 instead of 1/255 makes 1e-6 in a tensor. Logits may
differ by a hundredth of a per cent of their range (`logits_tolerance`)."""

BROKEN = 1e300
"""The error of what is not finite on one side only."""

SHARP = 0.7
"""The share of a clear winner."""

Activation = Literal["none", "softmax", "sigmoid", "softmax-twice"]

FLOORS: dict[str, float] = {"softmax": 1e-6, "softmax-twice": 1e-3, "sigmoid": 1e-5, "none": 0.0}
"""Probabilities below this tell nothing of a logit any more: float32 has seven digits, and a second softmax leaves four of them."""


def error_of(one: Any, other: Any) -> tuple[float | None, float | None]:
    """(largest, mean) absolute difference; (None, None) where shapes are unequal."""
    import numpy

    if one.shape != other.shape:
        return None, None
    if not one.size:
        return 0.0, 0.0
    difference = numpy.abs(one.astype("float64") - other.astype("float64"))
    both = ~numpy.isfinite(one) & ~numpy.isfinite(other) if one.dtype.kind == "f" else None
    if both is not None and both.any():
        difference[both] = 0.0
    largest = float(difference.max())
    return (largest, float(difference.mean())) if largest < BROKEN else (BROKEN, BROKEN)


class Gathered:
    """Makes a `Spread` of one comparison at a time."""

    def __init__(self) -> None:
        self.images = self.differing = 0
        self.largest: float | None = None
        self.total = 0.0
        self.measured = 0
        self.worst: str | None = None
        self.shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def add(self, file: str, one: Any, other: Any, tolerance: float) -> float:
        """Compare two arrays of an image; gives the largest difference, `BROKEN` for unequal shapes."""
        largest, mean = error_of(one, other)
        self.images += 1
        if largest is None or mean is None:
            self.differing += 1
            if self.shapes is None:
                self.shapes = (tuple(one.shape), tuple(other.shape))
                self.worst = file
            return BROKEN
        self.measured += 1
        self.total += mean
        self.differing += largest > tolerance
        if self.largest is None or largest > self.largest:
            self.largest = largest
            self.worst = file if self.shapes is None else self.worst
        return largest

    def count(self, file: str, differs: bool) -> None:
        """Count an image of which only that is known."""
        self.images += 1
        self.differing += differs
        if differs and self.worst is None:
            self.worst = file

    def spread(self) -> Spread | None:
        """What was gathered; None where nothing was."""
        if not self.images:
            return None
        mean = self.total / self.measured if self.measured else None
        return Spread(self.images, self.differing, self.largest, mean, self.worst, self.shapes)


def recognise(output: Any) -> Activation | None:
    """What a model's output, shape [1, C], was put through, told by its numbers alone.

    A softmax of a softmax has no value above e / (e + C − 1) and none below 1 / (1 + (C − 1) · e). So have those of a network that cannot tell the
    classes apart: None, unless the logarithms are probabilities (but for a constant) with a clear winner.
    """
    import numpy

    row = output.reshape(-1).astype("float64")
    if not row.size or not numpy.isfinite(row).all() or row.min() < 0 or row.max() > 1:
        return "none"
    if abs(row.sum() - 1) > 1e-2:
        return "sigmoid"
    others, e = row.size - 1, numpy.e
    flat = others > 1 and row.max() <= e / (e + others) + 1e-4 and row.min() >= 1 / (1 + others * e) - 1e-4
    # the logarithms of a softmax of a softmax are probabilities but for a constant, so that they add up to 1 with none below 0
    inner = numpy.log(row) + (1 - numpy.log(row).sum()) / row.size if flat else None
    if inner is None or inner.min() <= -1e-3:
        return "softmax"
    return "softmax-twice" if inner.max() > SHARP else None


def settle(kinds: Iterable[Activation | None]) -> Activation:
    """The activation of a model, from those that single outputs look like; where none tells, a single softmax."""
    found = set(kinds)
    for sure in ("none", "sigmoid", "softmax"):
        if sure in found:
            return sure
    return "softmax-twice" if "softmax-twice" in found else "softmax"


def undo(output: Any, activation: str) -> Any:
    """The logits behind an output, up to a constant per image (softmax) and down to what float32 tells of them."""
    import numpy

    values = output.astype("float64")
    if activation == "none":
        return values
    floor = FLOORS[activation]
    if activation == "sigmoid":
        values = numpy.clip(values, floor, 1 - floor)
        return numpy.log(values / (1 - values))
    if activation == "softmax-twice":
        logs = numpy.log(numpy.maximum(values, 1e-30))
        values = logs + (1 - logs.sum(axis=-1, keepdims=True)) / values.shape[-1]
    return numpy.log(numpy.maximum(values, floor))


def as_seen(logits: Any, activation: str) -> Any:
    """Logits as `undo` would give them after this activation: normalised, and cut where the activation leaves nothing."""
    return logits.astype("float64") if activation == "none" else undo(activate(logits, activation), activation)


def activate(logits: Any, activation: str) -> Any:
    """Logits put through an activation."""
    import numpy

    values = logits.astype("float64")
    if activation == "sigmoid":
        return 1 / (1 + numpy.exp(-numpy.clip(values, -700, 700)))
    for _ in range({"softmax": 1, "softmax-twice": 2}.get(activation, 0)):
        values = numpy.exp(values - values.max(axis=-1, keepdims=True))
        values = values / values.sum(axis=-1, keepdims=True)
    return values


def logits_tolerance(logits: Any) -> float:
    """What may lie between float32 runs of one network: 1e-3, and more where logits are large."""
    return TOLERANCES["logits"] * max(1.0, float(abs(logits).max()) / 10 if logits.size else 1.0)


def in_same_order(one: Any, other: Any) -> bool:
    """Whether two rows have their three largest values at the same places."""
    k = min(3, one.shape[-1], other.shape[-1])
    return bool((one.argsort(axis=-1)[..., -k:] == other.argsort(axis=-1)[..., -k:]).all())


def orientation(one: Any, other: Any) -> str | None:
    """How `other` must be turned or mirrored to be `one` (EXIF's words), None where it need not or does not become equal."""
    import numpy

    turned = {
        "mirrored": other[:, ::-1],
        "turned by 180°": other[::-1, ::-1],
        "flipped": other[::-1],
        "transposed": other.transpose(1, 0, 2),
        "turned by 90°": numpy.rot90(other),
        "turned by 270°": numpy.rot90(other, 3),
        "transversed": numpy.rot90(other, 2).transpose(1, 0, 2),
    }
    if one.ndim != 3 or other.ndim != 3 or like(one, other):
        return None
    return next((name for name, image in turned.items() if like(one, image)), None)


def like(one: Any, other: Any) -> bool:
    """Whether two images are the same but for what decoders differ by: 3 of 255 on average."""
    largest, mean = error_of(one, other)
    return largest is not None and mean is not None and mean < 3.0
