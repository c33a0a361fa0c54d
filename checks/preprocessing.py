"""DEP: the transforms of training, evaluation, inference and deployment against each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from checks.facts.geometry import channels_last, geometry
from checks.facts.image_state import Fails, ImageState, Unforeseeable
from checks.facts.pipelines import DeployedPipelines, Op, Pipeline, Pipelines
from checks.facts.training_config import TrainingConfig
from checks.facts.transform_values import SCALE_255, number
from checks.model import DEPLOY, EVAL, EXPORT, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

STAGES = TRAIN | EVAL | INFER | DEPLOY

TOLERANCE = 2e-3
"""How far two normalisations may lie apart, relative to the contrast: `0.00392157` for 1/255 is 5e-7 off, ImageNet's mean and std rounded to
two digits 2e-2."""


class _Pair:
    """Two lists of transforms that must agree: `one` is judged against `reference`, and need only agree with `other` if there is one."""

    def __init__(self, reference: Pipeline, one: Pipeline, now: bool, other: Pipeline | None = None) -> None:
        self.reference = reference
        self.one = one
        self.now = now
        self.other = other

    @property
    def finals(self) -> tuple[ImageState, ImageState, ImageState | None]:
        """What reaches the network from `one`, from `reference` and from `other`; the first two are there."""
        assert self.one.final is not None
        assert self.reference.final is not None
        return self.one.final, self.reference.final, self.other.final if self.other else None

    @property
    def case(self) -> str | None:
        """The page's case: a deploy config's is one of its own; a list that the stage does not run yet comes later."""
        return "deploy" if self.one.role == "deploy" else None if self.now else "later"


def _pairs(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None, *, numbers: bool) -> list[_Pair]:
    """Evaluation against training, and inference and deployment against one of them.

    What numbers the network sees (`numbers`) is laid down by training, resizing and cropping by evaluation. A list that agrees with either of
    two that disagree is not named as well, unless the stage runs it.
    """
    train = next((p for p in pipelines.of("train") if p.split == "Train" and p.final), None)
    evaluated = [p for p in pipelines.of("eval") if p.final]
    infer = [p for p in pipelines.of("infer") if p.final]
    served = [p for p in deployed.all if p.final] if deployed else []
    found = []
    if train is not None and numbers:
        found += [_Pair(train, p, True) for p in evaluated if config.stage in ("train", "eval")]
    first = evaluated[0] if evaluated else None
    truth = (train or first) if numbers else (first or train)
    if truth is not None:
        if config.stage in ("train", "eval", "infer"):
            now = config.stage == "infer"
            found += [_Pair(truth, p, now, None if now or truth is first else first) for p in infer]
        found += [_Pair(truth, p, True) for p in served]
    if not found:
        raise NotApplicable("nothing-to-compare")
    return found


def _last(pipeline: Pipeline, *names: str) -> Op | None:
    return next((op for op in reversed(pipeline.ops) if op.name in names), None)


def _at(pipeline: Pipeline, parameter: str | None, *names: str) -> Location:
    op = _last(pipeline, *names)
    return op.place(parameter) if op else pipeline.at


def _edit(pair: _Pair, identity: str, name: str, parameter: str, value: Any) -> tuple[Fix, ...]:
    """An edit that gives a parameter of the judged list the reference's value."""
    op = _last(pair.one, name)
    if op is None or not op.params:
        return (Fix("copy-reference", "advice", "safe", values={"reference": pair.reference.split, "split": pair.one.split}),)
    place = op.place(parameter)
    at = place if parameter in op.places else Location(place.file, place.line, place.column, f"{place.key}.{parameter}")
    shown = {"parameter": parameter, "value": _shown(value), "reference": pair.reference.split}
    return (Fix(identity, "edit", "safe", at=at, value=value, values=shown),)


@check("DEP101", name="colour-order-differs", stages=STAGES)
def colour_order_differs(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """Red and blue are swapped between training and where the network is used (FAQ 1.1)."""
    for pair in _pairs(config, pipelines, deployed, numbers=True):
        reference, one = pair.reference, pair.one
        mine, true, other = pair.finals
        ours, theirs = mine.colour, true.colour
        if any(trouble.kind == "decoded-again" for side in (one, reference) for trouble in side.troubles):
            continue  # CFG302
        if ours is None or theirs is None or ours == theirs or (other and ours == other.colour):
            continue
        if one.role == "deploy":
            # deployment always works on RGB: its list cannot be changed, the training has to be
            fixes: tuple[Fix, ...] = (Fix("train-rgb", "advice", "unsafe"),)
        else:
            fixes = _edit(pair, "copy-value", "DecodeImage", "to_rgb", theirs == "rgb")
        yield Finding(
            at=_at(one, "to_rgb", "DecodeImage"),
            case="deploy" if one.role == "deploy" else None,
            fixes=fixes,
            split=one.split,
            reference=reference.split,
            ours=ours.upper(),
            theirs=theirs.upper(),
        )


@check("DEP102", name="normalisation-differs", stages=STAGES)
def normalisation_differs(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """The network is given other numbers for the same colour than it was trained with (FAQ 1.1)."""
    for pair in normalised_apart(config, pipelines, deployed):
        reference, one = pair.reference, pair.one
        mine, true, _ = pair.finals
        ours, theirs = _last(one, "NormalizeImage", "Normalize"), _last(reference, "NormalizeImage", "Normalize")
        differing = _differing(ours, theirs) if ours and theirs and ours.name == theirs.name == "NormalizeImage" else []
        fixes: tuple[Fix, ...] = ()
        if len(differing) == 1 and theirs and differing[0] in theirs.params:
            fixes = _edit(pair, "copy-value", "NormalizeImage", differing[0], theirs.params[differing[0]])
        elif theirs:
            fixes = (_copy(pair, [theirs]),)
        case = "deploy" if one.role == "deploy" else "infer" if one.role == "infer" else None
        if case == "infer" and pair.now and _far(true, mine):
            case = "infer-unscaled"
        yield Finding(
            at=ours.place(differing[0] if differing else None) if ours else one.at,
            case=case,
            fixes=fixes,
            split=one.split,
            reference=reference.split,
            low=round(mine.low, 2),
            high=round(mine.high, 2),
            reference_low=round(true.low, 2),
            reference_high=round(true.high, 2),
            parameters=differing,
        )


def normalised_apart(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[_Pair]:
    """Pairs of lists that make other numbers of the same colour; the one to blame is `one`.

    Raises:
        NotApplicable: there are no two lists to compare.
    """
    blamed = set()
    for pair in _pairs(config, pipelines, deployed, numbers=True):
        if _plausible(pair.one) and not _plausible(pair.reference):
            if pair.one.role != "eval":
                continue
            pair = _Pair(pair.one, pair.reference, pair.now)  # the odd one is to blame
        mine, true, other = pair.finals
        if "uint8" in (mine.dtype, true.dtype) or _same_normalisation(true, mine) or (other and _same_normalisation(other, mine)):
            continue
        if pair.one.at not in blamed:  # by another evaluation list
            blamed.add(pair.one.at)
            yield pair


def _plausible(pipeline: Pipeline) -> bool:
    return pipeline.final is not None and pipeline.final.plausible


def _copy(pair: _Pair, ops: list[Op]) -> Fix:
    """The advice to take over some transforms of the reference, as YAML."""
    lines = []
    for op in ops:
        lines.append(f"- {op.name}:")
        lines += [f"    {parameter}: {_yaml(value)}" for parameter, value in op.params.items()]
    return Fix(
        "copy-reference",
        "advice",
        "safe",
        snippet="\n".join(lines),
        values={"reference": pair.reference.split, "split": pair.one.split},
    )


def _yaml(value: Any) -> str:
    return "''" if value == "" else str(value)


def _same_normalisation(one: ImageState, other: ImageState) -> bool:
    """Whether black and white become the same numbers in every channel, up to `TOLERANCE` of the contrast."""
    for gain, offset, gain2, offset2 in zip(one.gain, one.offset, other.gain, other.offset, strict=True):
        contrast = max(abs(gain), abs(gain2)) * 255.0
        if not math.isfinite(contrast) or abs(gain - gain2) * 255.0 > TOLERANCE * contrast or abs(offset - offset2) > TOLERANCE * contrast:
            return False
    return True


def _far(one: ImageState, other: ImageState) -> bool:
    """Whether the contrasts lie an order of magnitude apart, as they do where one was never divided by 255."""
    return max(one.contrast, other.contrast) > 10 * min(one.contrast, other.contrast)


def _differing(ours: Op, theirs: Op) -> list[str]:
    """Those of scale, mean and std in which two NormalizeImage differ as written."""
    found = []
    for parameter in ("scale", "mean", "std"):
        one, other = ours.params.get(parameter), theirs.params.get(parameter)
        if one == other:
            continue
        a, b = _number(one), _number(other)
        if parameter != "scale" or a is None or b is None or abs(a - b) > TOLERANCE * max(abs(a), abs(b)):
            found.append(parameter)
    return found


def _number(value: Any) -> float | None:
    try:
        return number(value, "scale", SCALE_255)
    except (Fails, Unforeseeable):
        return None


@check("DEP103", name="resize-or-crop-differs", stages=STAGES)
def resize_or_crop_differs(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """Inference or deployment cuts another part out of the image, or in another size, than evaluation (FAQ 1.1)."""
    for pair in _pairs(config, pipelines, deployed, numbers=False):
        reference, one = pair.reference, pair.one
        if reference.role == "train" or reference.random or one.random:
            continue  # a training crop differs on purpose, and so does an evaluation at a higher resolution
        ours, theirs = _steps(one), _steps(reference)
        if ours == theirs or reference.final is None or one.final is None:
            continue
        place, parameter, wanted, alone = _first_difference(one, reference)
        fixes: tuple[Fix, ...] = (_copy(pair, [op for op, _ in _geometric(reference)]),)
        if place is not None and parameter in place.places and alone:
            values = {"parameter": parameter, "value": _shown(wanted), "reference": reference.split}
            fixes = (Fix("copy-value", "edit", "safe", at=place.place(parameter), value=wanted, values=values),)
        same_end = reference.final.shape == one.final.shape
        yield Finding(
            at=place.place(parameter) if place else one.at,
            case="slightly" if same_end else "deploy" if one.role == "deploy" else None,
            fixes=fixes,
            split=one.split,
            reference=reference.split,
            ours=_chain(ours),
            theirs=_chain(theirs),
        )


def _shown(value: Any) -> str:
    return "×".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _steps(pipeline: Pipeline) -> tuple[tuple[Any, ...], ...]:
    """Resizing and cropping without the interpolation, which is a matter of its own; steps that change nothing are left out."""
    found: list[tuple[Any, ...]] = []
    for step in pipeline.geometry():
        bare = step[: {"resize-short": 2, "crop": 3, "resize": 3, "pad": 3}[step[0]]]
        if bare[0] == "crop" and found and found[-1][0] in ("resize", "crop", "pad") and found[-1][1:] == bare[1:]:
            continue  # cropped to the size it has
        if found and bare[0] == "resize" and found[-1] == bare:
            continue
        found.append(bare)
    return tuple(found)


def _chain(steps: tuple[tuple[Any, ...], ...]) -> str:
    """Steps in a line: `resize_short 256 → crop 224×224`."""
    names = {"resize-short": "resize_short", "resize": "resize", "crop": "crop", "pad": "pad"}
    return " → ".join(f"{names[step[0]]} {_shown(list(step[1:]))}" for step in steps) or "–"


_PARAMETERS = {"resize-short": ("resize_short", "size"), "resize": ("size",), "crop": ("size",), "pad": ("size",)}


def _first_difference(one: Pipeline, reference: Pipeline) -> tuple[Op | None, str | None, Any, bool]:
    """The transform of `one` that first goes another way than the reference's at its place, what that has there, and whether it is the only one."""
    ours, theirs = (_geometric(p) for p in (one, reference))
    pairs = list(zip(ours, theirs, strict=False))
    count = sum(step != step2 for (_, step), (_, step2) in pairs) + abs(len(ours) - len(theirs))
    for (op, step), (other, step2) in pairs:
        if step == step2:
            continue
        if op.name == other.name and step[0] == step2[0]:
            parameter = next((p for p in _PARAMETERS[step[0]] if p in op.params and p in other.params), None)
            return op, parameter, other.params.get(parameter) if parameter else None, count == 1
        return op, None, None, False
    extra = ours[len(theirs)][0] if len(ours) > len(theirs) else None
    return extra, None, None, False


def _geometric(pipeline: Pipeline) -> list[tuple[Op, tuple[Any, ...]]]:
    cut = {"resize-short": 2, "crop": 3, "resize": 3, "pad": 3}
    return [(op, step[: cut[step[0]]]) for op in pipeline.ops if (step := geometry(op)) is not None]


@check("DEP104", name="interpolation-differs", stages=STAGES)
def interpolation_differs(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """Inference or deployment resizes with another interpolation or library than evaluation, between the same sizes."""
    for pair in _pairs(config, pipelines, deployed, numbers=False):
        reference, one = pair.reference, pair.one
        if reference.role == "train" or _steps(one) != _steps(reference):
            continue
        for op, other in zip(_resizes(one), _resizes(reference), strict=False):
            ours, theirs = _how(op), _how(other)
            if ours == theirs or "?" in (*ours, *theirs) or "random" in (ours[0], theirs[0]):
                continue
            parameter = "interpolation" if ours[0] != theirs[0] else "backend"
            wanted = theirs[0] if parameter == "interpolation" else theirs[1]
            place = op.place(parameter)
            at = place if parameter in op.places else Location(place.file, place.line, place.column, f"{place.key}.{parameter}")
            fix = Fix(
                "copy-value", "edit", "safe", at=at, value=wanted,
                values={"parameter": parameter, "value": wanted, "reference": reference.split},
            )  # fmt: skip
            yield Finding(
                at=place,
                fixes=(fix,) if op.name == other.name == "ResizeImage" else (),
                split=one.split,
                reference=reference.split,
                ours=f"{ours[0]} ({ours[1]})",
                theirs=f"{theirs[0]} ({theirs[1]})",
            )


def _resizes(pipeline: Pipeline) -> list[Op]:
    return [op for op in pipeline.ops if op.name in ("ResizeImage", "Resize")]


def _how(op: Op) -> tuple[str, str]:
    step = geometry(op)
    return (str(step[-2]), str(step[-1])) if step else ("?", "?")


@check("DEP105", name="channel-count-differs-when-used", stages=STAGES)
def channel_count_differs_when_used(config: TrainingConfig, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """Inference or deployment hands the network another number of channels than evaluation."""
    for pair in _pairs(config, pipelines, deployed, numbers=True):
        reference, one = pair.reference, pair.one
        mine, true, other = pair.finals
        if one.role == "eval":
            continue  # what the network takes decides there (MDL109)
        if mine.channels == true.channels or (other and mine.channels == other.channels):
            continue
        wanted = true.channels
        yield Finding(
            at=_at(one, "channel_num", "NormalizeImage"),
            case=pair.case,
            fixes=_edit(pair, "copy-value", "NormalizeImage", "channel_num", wanted),
            split=one.split,
            reference=reference.split,
            ours=mine.channels,
            theirs=wanted,
        )


@check("DEP106", name="exported-size-differs", stages=EXPORT)
def exported_size_differs(config: TrainingConfig, pipelines: Pipelines) -> Iterator[Finding]:
    """The model is exported for another image size than the one it is evaluated with."""
    shape = config.image_shape
    evaluated = next((p for p in pipelines.of("eval") if p.final), None)
    if shape is None or len(shape.value) != 3 or evaluated is None or evaluated.final is None:
        raise NotApplicable("nothing-to-compare")
    height, width = evaluated.final.height, evaluated.final.width
    if height is None or width is None or shape.value[1:] == [height, width] or channels_last(shape.value):
        return  # the last: EXP105
    wanted = [shape.value[0], height, width]
    yield Finding(
        at=shape.location,
        fixes=(Fix("set-shape", "edit", "unsafe", at=shape.location, value=wanted, values={"wanted": str(wanted)}),),
        image_shape=str(shape.value),
        evaluated=f"{width}×{height}",
        split=evaluated.split,
    )
