"""WTS: what the numbers say in the weights that the config or the command line names."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.training_config import TrainingConfig
from checks.facts.weight_values import FileValues, Numbers, WeightValues
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.tensors.statistics import Values

ABOUT_VALUES = TRAIN | EVAL | INFER | EXPORT
EPSILON = 1e-5
"""What BatchNorm adds to a variance before it takes the root; below minus this, there is none."""
FEWEST_ALIKE = 16
"""Numbers that must be equal before a weight is called constant."""
_WEIGHTS = ("weight", "weights", ".w_0")
"""How the names of layers' weights end; positions, tables and LayerScale end otherwise."""
NAMED = 5
"""Tensors that a finding names."""


def _seen(values: WeightValues) -> list[tuple[FileValues, Numbers]]:
    found = [(item, item.numbers) for item in values.files if item.numbers is not None and item.numbers.tensors]
    if not found:
        first = values.files[0]
        raise NotApplicable("weights-too-large" if first.problem == "large" else "weights-not-read", file=first.written)
    return found


def not_finite(numbers: Numbers) -> list[Values]:
    """Tensors with NaN or infinite numbers. Masks of attention may hold minus infinity by right."""
    return [item for item in numbers.tensors if item.nan or (item.inf and "mask" not in item.name)]


def _short(number: float | None) -> float | None:
    """To six digits."""
    return None if number is None else float(f"{number:.6g}")


@check("WTS120", name="weights-not-finite", stages=ABOUT_VALUES)
def weights_not_finite(values: WeightValues) -> Iterator[Finding]:
    """NaN or infinite numbers among the weights, which no layer behind them recovers from."""
    for item, numbers in _seen(values):
        bad = not_finite(numbers)
        if not bad:
            continue
        yield Finding(
            at=item.source,
            via=Location(item.path),
            case="default" if any(tensor.nan for tensor in bad) else "infinite",
            fixes=(Fix("earlier-checkpoint", "advice", "safe"),),
            file=item.path,
            tensors=len(bad),
            all=len(numbers.tensors),
            nan=sum(tensor.nan for tensor in bad),
            inf=sum(tensor.inf for tensor in bad),
            first=bad[0].name,
            names=[tensor.name for tensor in bad[:NAMED]],
        )


@check("WTS121", name="weights-constant", stages=ABOUT_VALUES)
def weights_constant(values: WeightValues) -> Iterator[Finding]:
    """A layer's weight in which all numbers are one: its outputs are all alike, and training keeps them so."""
    for item, numbers in _seen(values):
        bad = [] if numbers.untrained else constant_weights(numbers)
        if not bad:
            continue
        yield Finding(
            at=item.source,
            via=Location(item.path),
            case="zero" if all(tensor.constant == 0 for tensor in bad) else "default",
            fixes=(Fix("other-weights", "advice", "safe"),),
            file=item.path,
            tensors=len(bad),
            first=bad[0].name,
            shape=list(bad[0].shape),
            value=_short(bad[0].constant),
            names=[tensor.name for tensor in bad[:NAMED]],
        )


def constant_weights(numbers: Numbers) -> list[Values]:
    """Weights of linear layers and convolutions in which all numbers are equal; no scales, biases, positions or tables."""
    return [
        item
        for item in numbers.tensors
        if item.floating
        and len(item.shape) in (2, 4)
        and item.size >= FEWEST_ALIKE
        and item.constant is not None
        and item.name.endswith(_WEIGHTS)
    ]


@check("WTS122", name="batchnorm-never-updated", stages=EVAL | INFER | EXPORT)
def batchnorm_never_updated(values: WeightValues) -> Iterator[Finding]:
    """All running means are 0 and all variances 1, as in a new network, while the rest was trained: evaluation normalises with them."""
    judged = False
    for item, numbers in _seen(values):
        layers = numbers.normalisations
        judged = judged or bool(layers)
        if not layers or not all(layer.untouched for layer in layers):
            continue
        if numbers.untrained or all(layer.as_built for layer in layers):
            continue  # WTS124's, or a normalisation that was never part of the training
        yield Finding(
            at=item.source,
            via=Location(item.path),
            fixes=(Fix("statistics-back", "advice", "safe"),),
            file=item.path,
            layers=len(layers),
            first=layers[0].mean.name,
        )
    if not judged:
        raise NotApplicable("no-batchnorm")


@check("WTS123", name="batchnorm-variance-negative", stages=ABOUT_VALUES)
def batchnorm_variance_negative(values: WeightValues) -> Iterator[Finding]:
    """A running variance below zero: the root of it is NaN."""
    judged = False
    for item, numbers in _seen(values):
        layers = numbers.normalisations
        judged = judged or bool(layers)
        bad = [layer.variance for layer in layers if layer.variance.low is not None and layer.variance.low < -EPSILON]
        if bad:
            yield Finding(
                at=item.source,
                via=Location(item.path),
                fixes=(Fix("other-weights", "advice", "safe"),),
                file=item.path,
                tensors=len(bad),
                first=bad[0].name,
                lowest=_short(min(tensor.low for tensor in bad if tensor.low is not None)),
            )
    if not judged:
        raise NotApplicable("no-batchnorm")


@check("WTS124", name="weights-never-trained", stages=ABOUT_VALUES)
def weights_never_trained(config: TrainingConfig, values: WeightValues) -> Iterator[Finding]:
    """The whole file is as a new network is built."""
    for item, numbers in _seen(values):
        if not numbers.untrained:
            continue
        layers = numbers.normalisations
        head = numbers.head
        yield Finding(
            at=item.source,
            via=Location(item.path),
            case="train" if config.stage == "train" else "default",
            fixes=(Fix("trained-weights", "advice", "safe"),),
            file=item.path,
            layers=len(layers),
            head=head.weight if head else None,
            law=head.draw.law if head and head.draw else None,
        )


@check("WTS125", name="head-never-trained", stages=EVAL | INFER | EXPORT)
def head_never_trained(config: TrainingConfig, values: WeightValues) -> Iterator[Finding]:
    """The classifier's weights are as an initialiser drew them, while the rest was trained."""
    if isinstance(config.tree.raw("Arch.Backbone"), dict):
        raise NotApplicable("features-not-classes")  # retrieval looks at the features before the classifier
    if config.class_num is None:
        raise NotApplicable("no-class-num")
    heads = [(item, numbers, numbers.head) for item, numbers in _seen(values) if numbers.head is not None]
    if not heads:
        raise NotApplicable("no-classifier-seen", classes=config.class_num.value)
    for item, numbers, head in heads:
        draw = head.draw
        if draw is None or numbers.untrained:
            continue
        yield Finding(
            at=item.source,
            via=Location(item.path),
            case="default" if draw.zeros else "no-bias",
            fixes=(Fix("trained-weights", "advice", "safe"),),
            file=item.path,
            head=head.weight,
            bias=head.bias,
            law=draw.law,
            scale=_short(draw.scale),
            grid=draw.grid,
            classes=config.class_num.value,
        )
