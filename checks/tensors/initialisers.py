"""Whether weights are as an initialiser drew them, so that not one step of training has been made on them.

Three marks, of which two are exact. A bias that was set to zero is zero in all its numbers until the first step: softmax minus one-hot is never zero
for a class. A uniform draw `low + u * (high - low)` in float32 has all its numbers on one grid, half the step of floats of the largest one's size,
because the sum is rounded there; the first step of an optimizer puts small numbers between. And the numbers are distributed as the initialiser says:
Kolmogorov and Smirnov's distance is what chance gives. What was measured of them stands in `knowledge/rules/WTS125.md`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

Law = Literal["uniform", "normal", "truncated"]

FEWEST = 64
"""Numbers below which a distribution is not judged."""
MOST = 1 << 20
"""Numbers that are looked at: of larger heads, that many at equal distances."""
KS_LIMIT = 1.95
"""Of √n times the distance; chance exceeds it once in a thousand draws."""
LOOSE_LIMIT = 3.0
"""The same where both exact marks are there: chance exceeds it once in thirty million."""
SIGMAS = (0.00002, 0.001, 0.01, 0.02, 0.05)
"""Standard deviations that networks name outright."""
CUT_STD = 0.87962566
"""Standard deviation of a normal distribution of 1 that is cut at ±2, as `TruncatedNormal` cuts it."""


class Draw(msgspec.Struct, frozen=True):
    """A classifier's weights that are as they were drawn.

    `scale` is the bound of a uniform law, or the standard deviation of a normal one. `grid`: all numbers lie on the grid of a float32 draw.
    `zeros`: the bias is zero in all its numbers. `distance` is √n times Kolmogorov and Smirnov's distance.
    """

    law: Law
    scale: float
    grid: bool
    zeros: bool
    distance: float


def drawn(weight: Array, bias: Array | None, fan_in: int, classes: int) -> Draw | None:
    """The draw that a classifier's weights still are, or None where they were trained, or where it cannot be told.

    Without a bias only the grid counts; a bias that is neither zero nor drawn itself says that there was a step.
    """
    import numpy as np

    numbers = np.ascontiguousarray(weight).reshape(-1)
    half = numbers.dtype.itemsize == 2 or _rounded(numbers)
    numbers = numbers[:: max(1, -(-numbers.size // MOST))].astype(np.float64)
    if numbers.size < FEWEST or not np.isfinite(numbers).all():
        return None
    zeros = bias is not None and bias.size > 0 and not bias.any()
    grid = not half and on_grid(numbers)
    if bias is not None and not zeros and not (grid and _within(bias, float(np.abs(numbers).max()))):
        return None
    if not zeros and not grid:
        return None
    numbers = np.sort(numbers)
    top = float(max(-numbers[0], numbers[-1]))
    if not top:
        return None
    bounds = [top] if grid else [bound for bound in _bounds(fan_in, classes) if abs(top / bound - 1) < (0.01 if half else 0.005)]
    for bound in bounds:
        distance = _distance(numbers, np.clip((numbers / bound + 1) / 2, 0.0, 1.0))
        if distance < (LOOSE_LIMIT if grid and zeros else KS_LIMIT):
            return Draw("uniform", bound, grid, zeros, distance)
    if not zeros:
        return None
    for law, sigma in _normals(numbers, fan_in, classes):
        distance = _distance(numbers, _normal(numbers / sigma, cut=law == "truncated"))
        if distance < KS_LIMIT:
            return Draw(law, sigma, grid, zeros, distance)
    return None


def on_grid(numbers: Array) -> bool:
    """Whether all numbers are multiples of half the step that float32 has at the largest of them."""
    import numpy as np

    top = float(np.abs(numbers).max())
    if not top:
        return False
    steps = numbers / 2.0 ** (math.frexp(top)[1] - 25)
    return bool((steps == np.rint(steps)).all())


def _rounded(numbers: Array) -> bool:
    """Whether all numbers were in half precision once, which has a grid of its own."""
    import numpy as np

    with np.errstate(over="ignore"):
        return bool((numbers.astype(np.float16) == numbers).all()) or not (numbers.astype(np.float32).view(np.uint32) & 0xFFFF).any()


def _within(bias: Array, top: float) -> bool:
    """Whether a bias was drawn as well: not beyond the weights, and on a grid of its own."""
    import numpy as np

    values = bias.reshape(-1).astype(np.float64)
    return bool(np.isfinite(values).all() and np.abs(values).max() <= top * 1.05 and on_grid(values))


def _bounds(fan_in: int, classes: int) -> tuple[float, ...]:
    """Bounds of `Uniform(-1/√K, 1/√K)` (or of the classes), `XavierUniform` and `KaimingUniform`."""
    return (fan_in**-0.5, (6 / (fan_in + classes)) ** 0.5, (6 / fan_in) ** 0.5, classes**-0.5, (3 / fan_in) ** 0.5)


def _normals(numbers: Array, fan_in: int, classes: int) -> list[tuple[Law, float]]:
    """Normal laws whose standard deviation these numbers have, within four of its errors."""
    spread = float(numbers.std())
    error = 4 / (2 * numbers.size) ** 0.5
    sigmas = (*SIGMAS, (2 / fan_in) ** 0.5, (1 / fan_in) ** 0.5, (2 / classes) ** 0.5, (2 / (fan_in + classes)) ** 0.5)
    found: list[tuple[Law, float]] = [("normal", sigma) for sigma in sigmas if abs(spread / sigma - 1) < error]
    top = max(-float(numbers[0]), float(numbers[-1]))
    return found + [("truncated", sigma) for sigma in sigmas if abs(spread / (sigma * CUT_STD) - 1) < error and top <= 2.001 * sigma]


def _normal(numbers: Array, *, cut: bool) -> Array:
    """The cumulative distribution at each of some sorted numbers; of the one that is cut at ±2 where `cut`."""
    import numpy as np

    points = np.linspace(-8.0, 8.0, 4097)  # linear between them, it is off by less than 1e-6
    table = np.array([0.5 * math.erfc(-point / math.sqrt(2)) for point in points])
    below: Array = np.interp(numbers, points, table)
    if not cut:
        return below
    tail = 0.5 * math.erfc(2 / math.sqrt(2))
    inside: Array = np.clip((below - tail) / (1 - 2 * tail), 0.0, 1.0)
    return inside


def _distance(numbers: Array, expected: Array) -> float:
    """√n times the largest distance between the numbers' own cumulative distribution and the expected one."""
    import numpy as np

    count = numbers.size
    steps = np.arange(count + 1) / count
    away = max(float((steps[1:] - expected).max()), float((expected - steps[:-1]).max()))
    return float(away * count**0.5)
