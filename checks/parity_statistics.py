"""How far two sets of results agree, in the terms of the task: other first classes and ranks, drift of scores, and what so many images tell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from checks.facts.parity import Ranked

Precision = Literal["float32", "onednn", "float16", "tensorrt", "bfloat16", "int8"]

TOLERANCES: dict[Precision, float] = {
    "float32": 1e-4, "onednn": 1e-4, "tensorrt": 0.02, "float16": 0.02, "bfloat16": 0.1, "int8": 0.1,
}  # fmt: skip
"""The largest difference of a score (a probability) that counts as none, by what the deployed model computes in.

Measured by `benchmarks/parity_tolerances.py` with five networks: oneDNN and float32 are at most 1.7e-5 apart, weights rounded to float16 at
most 0.0136; bfloat16 of oneDNN at most 0.05 for four of five, INT8 weights at most 0.03 (the activations, which are rounded too, were not).
TensorRT was not run: for float32 it may take TF32, which keeps as many bits of a fraction as float16.
"""

CONFIDENCE = 0.95
FEW = 10
"""Fewer images than this tell little: without any change among nine, up to 34 % may change (exact, 95 %)."""
NAMED = 10


class Pair(msgspec.Struct, frozen=True):
    """The results of one image, of both sides."""

    file: str
    train: Ranked
    deploy: Ranked


class Agreement(msgspec.Struct, frozen=True):
    """Both sides over all images.

    Of `images`, `top1` have another first class, `ties` of them with scores of both classes so near on both sides that the tolerance
    explains it. `ranks` have other classes or another order among those that both sides list, `displaced` of `listed` places hold
    another class, `tau` is Kendall's rank correlation over the classes that both list, averaged (None where no image has two). `drift`
    and `mean_drift` are the largest and the mean difference of a class's score, `worst` is the image of the largest. `names` have equal
    classes by other names. `low` and `high` bound the share of images with another first class (Clopper and Pearson, 95 %).
    `resolution` is what the printed decimals leave open, `over` counts images whose scores drift by more than the tolerance and that.
    """

    images: int
    top1: int
    ties: int
    ranks: int
    displaced: int
    listed: int
    tau: float | None
    drift: float | None
    mean_drift: float | None
    worst: str | None
    names: int
    low: float
    high: float
    tolerance: float
    resolution: float
    over: int
    flipped: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """Images with another first class that the tolerance does not explain."""
        return self.top1 - self.ties

    @property
    def agrees(self) -> bool:
        """Whether every first class is the same, near ties aside, and every score within the tolerance."""
        return self.changed == 0 and self.over == 0

    @property
    def needed(self) -> float | None:
        """The tolerance that all scores would have passed."""
        return None if self.drift is None else max(0.0, self.drift - self.resolution)


def agreement(pairs: Iterable[Pair], tolerance: float, resolution: float = 0.0) -> Agreement:
    """Compare the results of all images; `resolution` is half a unit of the last printed decimal, of both sides together."""
    images = top1 = ties = ranks = displaced = listed = names = over = 0
    drifts: list[tuple[float, str]] = []
    taus: list[float] = []
    flipped: list[str] = []
    allowed = tolerance + resolution
    for pair in pairs:
        images += 1
        one, other = pair.train, pair.deploy
        drift = score_drift(one, other)
        if drift is not None:
            drifts.append((drift, pair.file))
            over += drift > allowed + 1e-12
        if one.ids[:1] != other.ids[:1]:
            top1 += 1
            flipped.append(pair.file)
            ties += drift is not None and drift <= allowed and is_tie(one, other, allowed)
        both = min(len(one.ids), len(other.ids))
        moved = sum(a != b for a, b in zip(one.ids, other.ids, strict=False))
        listed += both
        displaced += moved
        ranks += moved > 0
        found = kendall(one.ids, other.ids)
        taus += [] if found is None else [found]
        names += one.ids == other.ids and bool(one.names) and bool(other.names) and one.names != other.names
    low, high = interval(top1, images)
    worst = max(drifts, default=None)
    return Agreement(
        images=images,
        top1=top1,
        ties=ties,
        ranks=ranks,
        displaced=displaced,
        listed=listed,
        tau=sum(taus) / len(taus) if taus else None,
        drift=worst[0] if worst else None,
        mean_drift=sum(drift for drift, _ in drifts) / len(drifts) if drifts else None,
        worst=worst[1] if worst else None,
        names=names,
        low=low,
        high=high,
        tolerance=tolerance,
        resolution=resolution,
        over=over,
        flipped=tuple(flipped[:NAMED]),
    )


def score_drift(one: Ranked, other: Ranked) -> float | None:
    """The largest difference of a score; a class that the other side does not list has there at most the last score that is listed.

    Results without classes are compared place by place. NaN on one side only is an infinite drift.
    """
    if not one.scores or not other.scores:
        return None
    if not one.ids or not other.ids:
        if len(one.scores) != len(other.scores):
            return math.inf
        return max(_apart(a, b) for a, b in zip(one.scores, other.scores, strict=True))
    first, second = dict(zip(one.ids, one.scores, strict=False)), dict(zip(other.ids, other.scores, strict=False))
    most = 0.0
    for identity in first.keys() | second.keys():
        if identity in first and identity in second:
            most = max(most, _apart(first[identity], second[identity]))
        elif identity in first:
            most = max(most, first[identity] - min(other.scores))
        else:
            most = max(most, second[identity] - min(one.scores))
    return most


def _apart(one: float, other: float) -> float:
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return 0.0 if one == other else abs(one - other)


def is_tie(one: Ranked, other: Ranked, allowed: float) -> bool:
    """Whether the first classes changed places between scores that are no further apart than twice what is allowed, on both sides."""
    for side, rival in ((one, other), (other, one)):
        if not side.ids or not rival.ids or not side.scores:
            return False
        scores = dict(zip(side.ids, side.scores, strict=False))
        if side.scores[0] - scores.get(rival.ids[0], -math.inf) > 2 * allowed:
            return False
    return True


def kendall(one: tuple[int, ...], other: tuple[int, ...]) -> float | None:
    """Kendall's tau over the classes that both list: 1 the same order, -1 the reverse; None for fewer than two."""
    places = {identity: place for place, identity in enumerate(other)}
    common = [places[identity] for identity in one if identity in places]
    pairs = len(common) * (len(common) - 1) // 2
    if not pairs:
        return None
    upright = sum(common[i] < common[j] for i in range(len(common)) for j in range(i + 1, len(common)))
    return 2 * upright / pairs - 1


def interval(hits: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds of a share by Clopper and Pearson: exact, so that few images, and no change among them, are not taken for much.

    The binomial distribution is summed, and inverted by halving.
    """
    if not trials:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _invert(lambda p: 1 - _at_most(hits - 1, trials, p), tail)
    high = 1.0 if hits == trials else _invert(lambda p: -_at_most(hits, trials, p), -tail)
    return low, high


def _invert(function: object, wanted: float) -> float:
    """Where a function that grows from 0 to 1 reaches a value."""
    assert callable(function)
    below, above = 0.0, 1.0
    for _ in range(60):
        middle = (below + above) / 2
        if function(middle) < wanted:
            below = middle
        else:
            above = middle
    return (below + above) / 2


def _at_most(hits: int, trials: int, p: float) -> float:
    """The probability of at most so many hits."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 1.0 if hits >= trials else 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    whole = math.lgamma(trials + 1)
    terms = (whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q for k in range(hits + 1))
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def images_for(share: float, confidence: float = CONFIDENCE) -> int:
    """How many images without any change it takes to say that less than `share` of all change."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-share))


def half_unit(decimals: int) -> float:
    """What rounding to so many decimals may hide: half a unit of the last; nothing where a number is printed whole."""
    return 0.5 * 10.0**-decimals if decimals < 15 else 0.0
