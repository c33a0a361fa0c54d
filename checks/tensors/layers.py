"""Layers known again by the names of their tensors: normalisations with their statistics, and the classifier."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from checks.tensors.statistics import Values

_STATISTICS = (("_mean", "_variance"), (".w_1", ".w_2"))
"""Ends of the names of a BatchNorm's mean and variance: by structure (`bn1._mean`) or outright (`bn2a_branch1_mean`), and as Paddle
numbers parameters."""
_AFFINE = {"_mean": (("weight", "bias"), ("_scale", "_offset")), ".w_1": ((".w_0", ".b_0"),)}
_BIASES = (("weight", "bias"), ("weights", "offset"), (".w_0", ".b_0"))
_NUMBERED = (".w_0", ".b_0", ".w_1", ".w_2")
_DIGITS = re.compile(r"(\d+)")


class Named(Protocol):
    """Something with a name and a shape."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


T = TypeVar("T", bound=Named)


class Normalisation(msgspec.Struct, frozen=True):
    """One BatchNorm: its running statistics, and what it multiplies and adds (None where the file has none)."""

    mean: Values
    variance: Values
    scale: Values | None
    bias: Values | None

    @property
    def untouched(self) -> bool:
        """Whether the statistics are those of a new layer: mean 0 and variance 1 in all channels."""
        return _all(self.mean, 0.0) and _all(self.variance, 1.0)

    @property
    def as_built(self) -> bool:
        """Whether it multiplies by one and the same number and adds zero in all channels, as a new layer does."""
        scale, bias = self.scale, self.bias
        return scale is not None and bias is not None and scale.low == scale.high is not None and _all(bias, 0.0)


def _all(values: Values, number: float) -> bool:
    return values.nan == values.inf == 0 and values.low == values.high == number


def normalisations(tensors: Iterable[Values]) -> list[Normalisation]:
    """The BatchNorms among some tensors, each once."""
    by_name = {tensor.name: tensor for tensor in tensors}
    found = []
    for name, mean in by_name.items():
        for mean_end, variance_end in _STATISTICS:
            prefix = name.removesuffix(mean_end)
            variance = by_name.get(prefix + variance_end)
            if prefix == name or variance is None or variance.shape != mean.shape:
                continue
            pairs = [(by_name.get(prefix + one), by_name.get(prefix + two)) for one, two in _AFFINE[mean_end]]
            scale, bias = next((pair for pair in pairs if pair[0] is not None or pair[1] is not None), (None, None))
            found.append(Normalisation(mean, variance, scale, bias))
    return found


def classifier(tensors: Iterable[T], classes: int) -> tuple[T, T | None] | None:
    """Weight and bias of the last layer with an output for each class; None where there is none.

    A linear layer goes before a 1×1 convolution (SqueezeNet's): squeeze-and-excitation has convolutions of any width.
    """
    items = list(tensors)
    if all(item.name.endswith(_NUMBERED) for item in items):
        items.sort(key=lambda item: natural(item.name))  # exported parameters stand in the order of their names
    by_name = {item.name: item for item in items}

    def last(fits: Callable[[tuple[int, ...]], bool]) -> T | None:
        return next((item for item in reversed(items) if fits(item.shape)), None)

    weight = last(lambda shape: len(shape) == 2 and of_classes(shape, classes)) or last(
        lambda shape: len(shape) == 4 and of_classes(shape, classes)
    )
    if weight is None:
        return None
    for end, bias_end in _BIASES:
        bias = by_name.get(weight.name.removesuffix(end) + bias_end) if weight.name.endswith(end) else None
        if bias is not None and bias.shape == (classes,):
            return weight, bias
    return weight, None


def of_classes(shape: tuple[int, ...], classes: int | None) -> bool:
    """Whether a tensor of this shape has a part for each class: a bias, a linear layer's weight, a 1×1 convolution's."""
    return shape in ((classes,), (*shape[:1], classes), (classes, *shape[1:2], 1, 1))


def inputs_of(shape: tuple[int, ...]) -> int:
    """How many numbers one output of a classifier is made of."""
    return shape[0] if len(shape) == 2 else shape[1]


def natural(name: str) -> list[tuple[int, str]]:
    """An order in which `conv2d_10` stands behind `conv2d_9`, as they were built."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]
