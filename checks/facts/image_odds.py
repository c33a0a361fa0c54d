"""Shares: of a whole, and what a sample allows for it."""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def upper_bound(found: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided upper bound of Clopper and Pearson (Biometrika 26, 1934) for a share, from `found` in a sample of `of`.

    For none found it is 1 - (1 - confidence)^(1/of), about 3/of (the rule of three). The sample is taken without putting back, which makes the
    true bound a little smaller.
    """
    if of <= 0 or found >= of:
        return 1.0
    if found == 0:
        return 1.0 - math.pow(1 - confidence, 1 / of)
    low, high = found / of, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(found, of, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def lower_bound(found: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided lower bound of Clopper and Pearson, as `upper_bound`."""
    return 1.0 - upper_bound(of - found, of, confidence) if found else 0.0


def _at_most(found: int, of: int, share: float) -> float:
    """The chance of at most `found` in `of` draws."""
    if share >= 1:
        return 0.0
    log_all = math.lgamma(of + 1)
    logs = (
        log_all - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * math.log(share) + (of - k) * math.log1p(-share)
        for k in range(found + 1)
    )
    return min(1.0, math.fsum(math.exp(value) for value in logs))


def percent(part: float, whole: float) -> float:
    """A share in percent with two figures, never rounded to nothing or to all."""
    share = 100 * part / max(1, whole)
    rounded = float(f"{share:.2g}") if share < 99 else round(share, 1)
    return 99.9 if rounded >= 100 and part < whole else rounded
