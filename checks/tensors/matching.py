"""Whether an exported model has a checkpoint's weights: tensor by tensor, by value.

A tensor is known again by a hash of its values, wherever it stands and whatever it is called. What has no equal is set beside the checkpoint's
tensor of its name (`StructuredToParameterName@@`), else the one that stands at its place among those of its shape. Allowed for is what an export
changes by right: half precision (the checkpoint is rounded likewise), branches and BatchNorms that were fused into convolutions, tensors that only
training needs, and constants, which are equal by chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from checks.tensors.layers import natural, of_classes
from checks.tensors.model import Contents, Tensor
from checks.tensors.statistics import Values, array_for, digest_of, statistics_of

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

Verdict = Literal["same", "head", "related", "other", "network", "unknown"]
"""All that can be compared is equal; all but what the class count shapes; alike but not equal; not even alike; most have no tensor of their shape in
the checkpoint, so that it is of another network; too little to compare."""

MOST_COMPARED = 200 << 20
"""Bytes of differing tensors of which the difference is measured; those after them are only named."""
ALIKE = 0.25
"""Correlation from which weights are called alike: chosen, not measured. A new network and a trained one of the same seed had 0.28 to 0.98."""
FEWEST_ALIKE = 3
"""Weights that must be compared before they are called alike or not."""
_CAST = {"float16": "float16", "bfloat16": "bfloat16"}


class Difference(msgspec.Struct, frozen=True):
    """An exported tensor that has no equal in the checkpoint.

    `counterpart` is the checkpoint's tensor that should be it, None where there is none; `largest` the largest difference of two numbers, and
    `correlation` that of the two tensors, None where they have another shape or were not compared.
    """

    name: str
    shape: tuple[int, ...]
    counterpart: str | None = None
    other_shape: tuple[int, ...] | None = None
    largest: float | None = None
    correlation: float | None = None


class Matching(msgspec.Struct, frozen=True):
    """What was found of the exported tensors that tell something (`compared`).

    `equal` have an equal in the checkpoint, after rounding to `cast` where that is not None. `fused`: BatchNorms of the checkpoint are gone from the
    export, so that convolutions differ by right; they are not among the `differing` then. `correlation` is the median of the differing weights'.
    """

    verdict: Verdict
    compared: int
    equal: int
    differing: tuple[Difference, ...] = ()
    cast: str | None = None
    fused: bool = False
    correlation: float | None = None


def match(
    path: str,
    checkpoint: Contents,
    export_path: str,
    export: Contents,
    classes: int | None = None,
    *,
    values: Iterable[Values] | None = None,
) -> Matching:
    """Compare an exported model's tensors with a checkpoint's; `classes` is the width of the model's output, `values` what is known of its tensors.

    Raises:
        NoValues: they cannot be had from one of the files.
        OSError: one of the files cannot be read.
    """
    own = {tensor.name: tensor for tensor in export.tensors}
    known = values if values is not None else (statistics_of(export_path, export, tensor) for tensor in export.tensors)
    telling = [item for item in known if item.floating and item.size > 1 and item.constant is None]
    kinds = {item.dtype for item in telling}
    cast = next((name for name in _CAST if name in kinds), None)
    digests = _digests(path, checkpoint, kinds & set(_CAST))
    alone = [item for item in telling if item.digest not in digests]
    equal = len(telling) - len(alone)
    fused = _normalisations(checkpoint.tensors) > _normalisations(export.tensors)
    if fused:
        # what a BatchNorm was folded into is a convolution, with a bias that the checkpoint does not have; all else must be equal
        alone = [item for item in alone if len(item.shape) == 2 or of_classes(item.shape, classes)]
    if equal + len(alone) < (1 if fused else FEWEST_ALIKE):
        return Matching("unknown", equal + len(alone), equal, cast=cast, fused=fused)
    found = {digest for item in telling if (digest := item.digest) in digests}
    pairs = _pairs(alone, checkpoint, {name for digest in found for name in digests[digest]})
    differing = tuple(_differences(path, checkpoint, export_path, export, [(own[item.name], other) for item, other in pairs]))
    correlations = sorted(d.correlation for d in differing if d.correlation is not None and len(d.shape) > 1)
    correlation = correlations[len(correlations) // 2] if correlations else None
    verdict = _verdict(differing, equal, classes, correlation, len(correlations))
    return Matching(verdict, equal + len(differing), equal, differing, cast, fused, correlation)


def _verdict(differing: tuple[Difference, ...], equal: int, classes: int | None, correlation: float | None, compared: int) -> Verdict:
    if not differing:
        return "same"
    if classes is not None and equal >= FEWEST_ALIKE and all(of_classes(d.shape, classes) for d in differing):
        return "head"
    if 2 * sum(d.other_shape != d.shape for d in differing) > equal + len(differing):
        return "network"
    if correlation is None:
        return "other" if not equal else "unknown"
    if correlation >= ALIKE:
        return "related"
    return "other" if compared >= FEWEST_ALIKE or not equal else "unknown"


def _digests(path: str, checkpoint: Contents, casts: set[str]) -> dict[str, list[str]]:
    """Hash of values → the checkpoint's tensors that have it, as they are and rounded to the types of an export."""
    found: dict[str, list[str]] = {}
    for tensor in checkpoint.tensors:
        found.setdefault(statistics_of(path, checkpoint, tensor).digest, []).append(tensor.name)
        for cast in casts - {tensor.dtype}:
            if tensor.dtype in ("float32", "float64"):
                found.setdefault(digest_of(array_for(path, checkpoint, tensor), cast), []).append(tensor.name)
    return found


def _normalisations(tensors: Iterable[Tensor]) -> int:
    """Normalisations by their variances: `_variance` by structured name, `.w_2` by a parameter's."""
    return sum(tensor.name.endswith(("_variance", ".w_2")) for tensor in tensors)


def _pairs(alone: list[Values], checkpoint: Contents, taken: set[str]) -> list[tuple[Values, Tensor | None]]:
    """Each exported tensor without an equal, and the checkpoint's that should be it."""
    by_name = {tensor.name: tensor for tensor in checkpoint.tensors}
    by_parameter = {parameter: by_name[name] for name, parameter in checkpoint.parameter_names.items() if name in by_name}
    found: dict[str, Tensor] = {}
    for item in alone:
        tensor = by_parameter.get(item.name) or by_name.get(item.name)
        if tensor is not None and tensor.name not in taken and len(tensor.shape) == len(item.shape):
            found[item.name] = tensor
            taken.add(tensor.name)
    places: dict[tuple[int, ...], list[Tensor]] = {}
    for tensor in checkpoint.tensors:
        if tensor.name not in taken:
            places.setdefault(tensor.shape, []).append(tensor)
    for item in sorted(alone, key=lambda item: natural(item.name)):
        if item.name not in found and places.get(item.shape):
            found[item.name] = places[item.shape].pop(0)
    return [(item, found.get(item.name)) for item in alone]


def _differences(
    path: str, checkpoint: Contents, export_path: str, export: Contents, pairs: list[tuple[Tensor, Tensor | None]]
) -> Iterable[Difference]:
    import numpy as np

    left = MOST_COMPARED
    for tensor, other in pairs:
        if other is None or other.shape != tensor.shape:
            yield Difference(tensor.name, tensor.shape, other.name if other else None, other.shape if other else None)
            continue
        left -= tensor.nbytes
        largest = correlation = None
        if left >= 0:
            one = array_for(export_path, export, tensor).astype(np.float64).reshape(-1)
            two = array_for(path, checkpoint, other).astype(np.float64).reshape(-1)
            if np.isfinite(one).all() and np.isfinite(two).all():
                largest = float(np.abs(one - two).max())
                if tensor.dtype in _CAST and largest <= _rounding(tensor.dtype) * max(1.0, float(np.abs(two).max())):
                    continue  # rounded, but by another rule
                one, two = one - one.mean(), two - two.mean()
                size = float(np.linalg.norm(one) * np.linalg.norm(two))
                correlation = float(np.dot(one, two)) / size if size else None
        yield Difference(tensor.name, tensor.shape, other.name, other.shape, largest, correlation)


def _rounding(dtype: str) -> float:
    """The step of a type at 1."""
    return 2.0**-10 if dtype == "float16" else 2.0**-7
