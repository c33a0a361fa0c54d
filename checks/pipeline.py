"""CFG: the transforms of one split, followed from the bytes of a file to the batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.image_sizes import ImageSizes, SizedSplit
from checks.facts.image_state import CONTRAST_MAX, CONTRAST_MIN, Trouble, TroubleKind
from checks.facts.pipelines import DeployedPipelines, Op, Pipeline, Pipelines
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, EVAL, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.preprocessing import normalised_apart
from checks.registry import check
from knowledge.components import closest_parameter

STAGES = TRAIN | EVAL | INFER | DEPLOY

NORMALIZE_SNIPPET = """- NormalizeImage:
    scale: 1.0/255.0
    mean: [0.485, 0.456, 0.406]
    std: [0.229, 0.224, 0.225]
    order: ''"""

RESIZE_PER_CROP = 256 / 224
"""The shorter side before the crop, as the usual evaluation has it."""


def _used(pipelines: Pipelines, deployed: DeployedPipelines | None) -> tuple[Pipeline, ...]:
    """The lists that the stage runs, and those of the deploy config beside it."""
    used = (*(p for p in pipelines.all if p.used), *(deployed.all if deployed else ()))
    if not used:
        raise NotApplicable("no-transforms")
    return used


def _troubles(
    pipelines: Pipelines, deployed: DeployedPipelines | None, *kinds: TroubleKind
) -> Iterator[tuple[Pipeline, Trouble, Op | None]]:
    """What befalls the images, once for each place of the file: a YAML alias brings the same transform into several lists."""
    seen = set()
    for pipeline in _used(pipelines, deployed):
        for trouble in pipeline.troubles:
            if trouble.kind in kinds:
                ops = pipeline.batch_ops if trouble.kind == "sample-operator" else pipeline.ops
                op = ops[trouble.index] if 0 <= trouble.index < len(ops) else None
                at = pipeline.blamed(trouble)
                spot = (at.file, at.line, at.column, trouble.kind, trouble.parameter)
                if op is not None and at.line is not None and spot in seen:
                    continue
                seen.add(spot)
                yield pipeline, trouble, op


def _before(pipeline: Pipeline, index: int, *names: str) -> Op | None:
    """The last transform of these names before a place in the list."""
    return next((op for op in reversed(pipeline.ops[:index]) if op.name in names), None)


def _misspelt_list(config: TrainingConfig, pipeline: Pipeline) -> bool:
    """Whether the dataset has no list of transforms because its key is written otherwise."""
    block = config.tree.raw((pipeline.at.key or "").removesuffix(".transform_ops"))
    if not isinstance(block, dict) or "transform_ops" in block or not isinstance(block.get("name"), str):
        return False
    return any(closest_parameter("dataset", str(key), {"transform_ops"}) for key in block if key != "name")


@check("CFG301", name="image-not-decoded", stages=STAGES)
def image_not_decoded(config: TrainingConfig | None, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """A transform is handed the bytes of the file, because DecodeImage is missing or comes later."""
    for pipeline, trouble, op in _troubles(pipelines, deployed, "not-decoded"):
        if op is None and config is not None and _misspelt_list(config, pipeline):
            continue  # CFG111
        late = any(other.name == "DecodeImage" for other in pipeline.ops)
        yield Finding(
            at=pipeline.blamed(trouble),
            case="late-sometimes" if not trouble.always else "late" if late else "default" if op else "no-transform",
            fixes=(Fix("decode-first", "advice", "safe", snippet="- DecodeImage:\n    to_rgb: True\n    channel_first: False"),),
            split=pipeline.split,
            op=op.name if op else "",
        )


@check("CFG302", name="image-decoded-twice", stages=STAGES)
def image_decoded_twice(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """DecodeImage is handed an image that is decoded already: it swaps red and blue, or stops in deployment."""
    found = list(_troubles(pipelines, deployed, "decoded-again"))
    read = [(pipeline, trouble) for pipeline, trouble, _ in found if pipeline.role in ("train", "eval")]
    for pipeline, trouble, _ in found:
        split = pipeline.split
        if pipeline.role in ("train", "eval"):
            if pipeline is not read[0][0]:
                continue  # the same class reads both
            split = ", ".join(dict.fromkeys(other.split for other, _ in read))
        yield Finding(
            at=pipeline.ops[trouble.index].at,
            case="deploy" if pipeline.role == "deploy" else "default",
            fixes=(Fix("remove-decode", "advice", "safe"),),
            split=split,
            dataset=pipeline.dataset,
        )


@check("CFG303", name="image-not-normalised", stages=STAGES)
def image_not_normalised(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """No transform makes floating-point numbers of the image, and the first convolution refuses 8-bit ones."""
    for pipeline, trouble, _ in _troubles(pipelines, deployed, "final-uint8"):
        yield Finding(
            at=pipeline.blamed(trouble),
            fixes=(Fix("normalise", "advice", "safe", snippet=NORMALIZE_SNIPPET),),
            split=pipeline.split,
            ops=[op.name for op in pipeline.ops],
        )


def _compared(config: TrainingConfig | None, pipelines: Pipelines, deployed: DeployedPipelines | None) -> set[Location]:
    """The lists of which DEP102 says that another one makes other numbers of the same colour."""
    try:
        return {pair.one.at for pair in normalised_apart(config, pipelines, deployed)} if config is not None else set()
    except NotApplicable:
        return set()


@check("CFG304", name="normalisation-implausible", stages=STAGES)
def normalisation_implausible(config: TrainingConfig | None, pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """After normalisation the values span hundreds, or hardly anything: scale, mean and std do not go together, or are applied twice."""
    compared = _compared(config, pipelines, deployed)
    for pipeline in _used(pipelines, deployed):
        final = pipeline.final
        steps = [op for op in pipeline.ops if op.name in ("NormalizeImage", "Normalize")]
        if final is None or (not final.normalised and not steps):
            continue
        contrast = final.contrast
        if final.plausible or final.dtype == "uint8" or not steps or (len(steps) == 1 and pipeline.at in compared):
            continue
        case = "default" if contrast > CONTRAST_MAX else "narrow" if contrast < CONTRAST_MIN else "shifted"
        case = "twice" if len(steps) > 1 else case
        last = steps[-1]
        yield Finding(
            at=last.at if len(steps) > 1 else last.place("scale"),
            case=case,
            fixes=(Fix("remove-second", "advice", "unsafe"),)
            if len(steps) > 1
            else (Fix("usual-scale", "advice", "unsafe", snippet=NORMALIZE_SNIPPET),),
            split=pipeline.split,
            low=round(final.low, 3),
            high=round(final.high, 3),
            times=len(steps),
        )


@check("CFG305", name="channels-misplaced", stages=STAGES)
def channels_misplaced(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """Height, width and channels are not where the next transform, or the network, expects them."""
    for pipeline, trouble, op in _troubles(pipelines, deployed, "layout", "order", "final-layout"):
        shown: dict[str, Any] = {"split": pipeline.split, "op": op.name if op else "", "transposes": pipeline.transposes}
        at = pipeline.blamed(trouble)
        if trouble.kind == "order" and op is not None:
            axes = trouble.values.get("axes")
            parameter = "order" if op.name == "NormalizeImage" else "data_format"
            wanted = {"chw": "chw", "hwc": ""}[axes or "hwc"] if parameter == "order" else str(axes).upper()
            edit = (Fix("set-order", "edit", "safe", at=_place_for(op, parameter), value=wanted, values={"order": wanted or "''"}),)
            yield Finding(
                at=at,
                case="order-left-out" if parameter not in op.params else "default",
                fixes=edit if op.params else (),
                axes=axes,
                order=str(trouble.values.get("order")),
                **shown,
            )
        elif not trouble.always:
            yield Finding(at=at, case="sometimes", fixes=(Fix("move-last", "advice", "safe"),), **shown)
        elif trouble.kind == "layout":
            behind = pipeline.ops[len(pipeline.states)].name if len(pipeline.states) < len(pipeline.ops) else ""
            yield Finding(at=at, case="too-early", fixes=(Fix("move-last", "advice", "safe"),), behind=behind, **shown)
        elif pipeline.transposes:
            yield Finding(at=at, case="in-dataset", fixes=(Fix("remove-transpose", "advice", "safe"),), **shown)
        elif trouble.index >= 0:
            yield Finding(at=at, case="twice", fixes=(Fix("remove-transpose", "advice", "safe"),), **shown)
        else:
            yield Finding(at=at, case="missing", fixes=(Fix("append-transpose", "advice", "safe", snippet="- ToCHWImage:"),), **shown)


def _place_for(op: Op, parameter: str) -> Location:
    """Where a parameter stands or, left out, belongs."""
    place = op.place(parameter)
    return place if parameter in op.places else Location(place.file, place.line, place.column, f"{place.key}.{parameter}")


@check("CFG306", name="transform-cannot-take-image", stages=STAGES)
def transform_cannot_take_image(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """A transform is handed an image in a form it cannot work on: floats where it needs bytes, a PIL image where it needs an array."""
    for pipeline, trouble, op in _troubles(pipelines, deployed, "kind", "dtype", "read-only", "final-kind"):
        if op is None:
            continue
        shown: dict[str, Any] = {"split": pipeline.split, "op": op.name}
        at = pipeline.blamed(trouble)
        if trouble.kind == "read-only":
            maker = _before(pipeline, trouble.index, *_READ_ONLY_MAKERS)
            yield Finding(
                at=at, case="read-only", fixes=(Fix("after-normalise", "advice", "safe"),), maker=maker.name if maker else "PIL", **shown
            )
        elif trouble.kind == "dtype":
            normalize = _before(pipeline, trouble.index, "NormalizeImage", "Normalize", "Padv2", "PCALighting", "ToTensor")
            yield Finding(
                at=at,
                case="float" if trouble.always else "float-sometimes",
                fixes=(Fix("before-normalise", "advice", "safe"),),
                maker=normalize.name if normalize else "",
                dtype=trouble.values.get("dtype"),
                **shown,
            )
        elif trouble.kind == "final-kind":
            yield Finding(at=at, case="left-pil", fixes=(Fix("normalise-last", "advice", "safe"),), **shown)
        else:
            takes, gets = trouble.values["takes"], trouble.values["gets"]
            yield Finding(
                at=at,
                case="default" if trouble.always else "sometimes",
                fixes=(Fix("change-form", "advice", "safe", values={"takes": _FORMS[takes]}),),
                takes=_FORMS[takes],
                gets=_FORMS[gets],
                **shown,
            )


_READ_ONLY_MAKERS = (
    "AutoAugment",
    "RandAugment",
    "RandAugmentV2",
    "RandAugmentV3",
    "RandAugmentV4",
    "TimmAutoAugment",
    "ColorJitter",
    "ResizeImage",
    "RandCropImage",
    "DecodeImage",
)

_FORMS = {"array": "numpy.ndarray", "pil": "PIL.Image", "tensor": "paddle.Tensor", "bytes": "bytes"}


@check("CFG307", name="crop-exceeds-image", stages=STAGES)
def crop_exceeds_image(pipelines: Pipelines, deployed: DeployedPipelines | None, sizes: ImageSizes | None) -> Iterator[Finding]:
    """A crop is larger than the image it is cut from."""
    told = set()
    for pipeline, trouble, op in _troubles(pipelines, deployed, "crop-too-large", "crop-may-exceed", "shrinks-sometimes"):
        if op is None:
            continue
        told.add((pipeline.split, trouble.index))
        crop, image = trouble.values.get("crop", []), trouble.values.get("image", [])
        shown: dict[str, Any] = {"split": pipeline.split, "op": op.name, "crop": _by(crop), "image": _by(image)}
        at = pipeline.blamed(trouble)
        if trouble.kind == "shrinks-sometimes":
            yield Finding(at=at, case="shrinks", fixes=(Fix("use-random-crop", "advice", "safe"),), **shown)
            continue
        case = "may" if trouble.kind == "crop-may-exceed" else "deploy" if pipeline.role == "deploy" else "default"
        yield Finding(at=at, case=case, fixes=tuple(_fitting(pipeline, trouble, op)), **shown)
    for split in sizes.splits if sizes else ():
        if split.too_small and not any(name == split.split for name, _ in told):
            op = split.crop
            yield Finding(
                at=op.place("size") if op else split.at,
                case="small-images",
                fixes=(Fix("resize-before", "advice", "safe", snippet="- ResizeImage:\n    resize_short: 256"),),
                split=split.split,
                op=op.name if op else "",
                crop=_by(op.params.get("size") if op else None),
                count=split.too_small,
                sampled=split.sampled,
                image=_by(list(split.smallest)),
            )


def _by(size: Any) -> str:
    """A size as width × height, or the shorter side alone."""
    return "×".join(str(side) for side in size) if isinstance(size, list) else str(size)


def _fitting(pipeline: Pipeline, trouble: Trouble, crop: Op) -> Iterator[Fix]:
    resize = _before(pipeline, trouble.index, "ResizeImage")
    largest = max(trouble.values["crop"])
    if resize is not None and type(resize.params.get("resize_short")) in (int, float) and resize.params["resize_short"] > 0:
        wanted = round(largest * RESIZE_PER_CROP)
        yield Fix("raise-resize", "edit", "unsafe", at=resize.place("resize_short"), value=wanted, values={"resize_short": wanted})
    if type(crop.params.get("size")) is int:
        fits = min(trouble.values["image"])
        yield Fix("lower-crop", "edit", "unsafe", at=crop.place("size"), value=fits, values={"size": fits})


@check("CFG308", name="transform-value-impossible", stages=STAGES)
def transform_value_impossible(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """A parameter has a value with which the transform cannot be built, or cannot take any image."""
    for pipeline, trouble, op in _troubles(pipelines, deployed, "value"):
        if op is None or trouble.parameter is None or trouble.parameter not in op.params:
            continue  # what is left out is CFG112's
        value = trouble.values.get("value")
        yield Finding(
            at=pipeline.blamed(trouble),
            fixes=tuple(_possible(op, trouble.parameter, value)),
            split=pipeline.split,
            op=op.name,
            parameter=trouble.parameter or "size",
            value=repr(value),
        )


def _possible(op: Op, parameter: str | None, value: Any) -> Iterator[Fix]:
    """The number that was surely meant by a quoted or fractional one."""
    if parameter not in op.places:
        yield Fix("give-value", "advice", "safe", values={"parameter": parameter or "size"})
        return
    meant: Any = None
    if isinstance(value, str):
        meant = int(value) if value.strip().isascii() and value.strip().isdecimal() else None
    elif isinstance(value, float):
        meant = int(value) if value.is_integer() and value > 0 else None
    elif isinstance(value, list) and value and all(isinstance(v, float) and v.is_integer() and v > 0 for v in value):
        meant = [int(v) for v in value]
    if meant:
        yield Fix(
            "set-number", "edit", "safe", at=op.place(parameter), value=meant, values={"parameter": parameter or "", "meant": str(meant)}
        )
    else:
        yield Fix("give-value", "advice", "safe", values={"parameter": parameter or ""})


@check("CFG309", name="images-differ-in-size", stages=TRAIN | EVAL)
def images_differ_in_size(sizes: ImageSizes) -> Iterator[Finding]:
    """No transform gives the images one size, and those of the list have several: a batch cannot be put together."""
    if sizes.unseen and not sizes.splits:
        raise NotApplicable("no-image-sizes", split=sizes.unseen[0])
    for split in sizes.splits:
        if split.too_small or len(split.shapes) < 2 or not split.batched:
            continue
        (first, first_path), (other, other_path) = split.shapes[:2]
        yield Finding(
            at=split.at,
            fixes=(Fix("append-size", "advice", "unsafe", snippet=_size_snippet(split)),),
            split=split.split,
            first=_by(list(first)),
            other=_by(list(other)),
            first_path=first_path,
            other_path=other_path,
            sampled=split.sampled,
            shapes=split.count,
        )


def _size_snippet(split: SizedSplit) -> str:
    return (
        "- RandCropImage:\n    size: 224" if split.role == "train" else "- ResizeImage:\n    resize_short: 256\n- CropImage:\n    size: 224"
    )


@check("CFG311", name="resize-size-ignored", stages=STAGES)
def resize_size_ignored(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """ResizeImage is given both resize_short and size; size is then not read."""
    for pipeline, trouble, op in _troubles(pipelines, deployed, "size-ignored"):
        if op is None or pipeline.dataset == "MultiScaleDataset":
            continue
        yield Finding(
            at=op.place("size"),
            fixes=(Fix("keep-one", "advice", "unsafe"),),
            split=pipeline.split,
            size=_by(trouble.values["size"]),
            resize_short=trouble.values["resize_short"],
        )


@check("CFG312", name="random-transform-outside-training", stages=STAGES)
def random_transform_outside_training(pipelines: Pipelines, deployed: DeployedPipelines | None) -> Iterator[Finding]:
    """A transform that acts at random where images are judged: the same image gets another result each time."""
    for pipeline in _used(pipelines, deployed):
        if pipeline.role == "train":
            continue
        for op in pipeline.ops:  # batch operators of an evaluation are CFG213's
            if op.random:
                yield Finding(at=op.at, fixes=(Fix("remove-random", "advice", "unsafe"),), split=pipeline.split, op=op.name)


@check("CFG313", name="no-augmentation", stages=TRAIN)
def no_augmentation(pipelines: Pipelines) -> Iterator[Finding]:
    """Training sees every image in the same way in every epoch."""
    train = [p for p in pipelines.of("train") if p.split == "Train" and p.used]
    if not train:
        raise NotApplicable("no-transforms")
    for pipeline in train:
        if pipeline.random or pipeline.final is None:
            continue
        yield Finding(
            at=pipeline.at,
            fixes=(
                Fix("add-augmentation", "advice", "unsafe", snippet="- RandCropImage:\n    size: 224\n- RandFlipImage:\n    flip_code: 1"),
            ),
            split=pipeline.split,
            ops=[op.name for op in pipeline.ops],
        )
