"""MDL: the network against its input and its data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks.facts.geometry import channels_last
from checks.facts.image_shape import sample_shape
from checks.facts.label_survey import Labels
from checks.facts.sub_networks import Network, is_distillation, networks_of
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from knowledge.zoo import FLOAT32, InputSize, head_bytes, head_inputs, input_size, known, parameters

KEEPS_SIZE = frozenset(
    {
        "AugMix", "AutoAugment", "BlurImage", "ColorJitter", "Cutout", "DecodeImage", "GridMask", "HideAndSeek", "Normalize", "NormalizeImage",
        "PCALighting", "RandAugment", "RandAugmentV2", "RandAugmentV3", "RandAugmentV4", "RandFlipImage", "RandomErasing",
        "RandomHorizontalFlip", "RawColorJitter", "TimmAutoAugment", "ToCHWImage", "ToTensor",
    }
)  # fmt: skip
"""Transforms after which an image is as large as before; after one that is not known the size is not known either."""

SETS_SIZE = frozenset(
    {
        "CenterCrop", "CropImage", "CropImageAtRatio", "Padv2", "RandCropImage", "RandCropImageV2", "RandomCrop", "RandomCropImage",
        "RandomResizedCrop", "Resize", "ResizeImage",
    }
)  # fmt: skip

SIZE_KEYS = ("img_size", "image_size", "input_size", "patch_size", "window_size", "resolution")
"""Parameters of constructors that move the size a network takes."""

TRANSFORMERS = re.compile(
    r"(ViT|DeiT|BEiTv2|CAE|cae|MAE|MOCOV3|CLIP|EVA|TNT|Swin|CSWin|PVT_V2|pcpvt|alt_gvt|LeViT|CvT|UniFormer|DSNet)(?![a-z])|SwinTransformer|CSWinTransformer"
)
GLOBAL_ATTENTION = re.compile(r"(ViT|DeiT|BEiTv2|CAE|cae|MAE|MOCOV3|CLIP|EVA|TNT)_")
LITTLE_DATA = 100_000
"""Training samples below which a transformer without weights stays behind a CNN (FAQ 4.4)."""

LARGE_HEAD = 50_000_000
"""Bytes of a last layer from which on it is worth a word, where it also holds half of all weights."""
WIDEST_NECK, NARROWEST_NECK = 512, 64


@check("MDL101", name="input-size-mismatch", stages=TRAIN | EVAL | EXPORT | INFER)
def input_size_mismatch(config: TrainingConfig) -> Iterator[Finding]:
    """The images reach a network of fixed input in another size (FAQ 4.3)."""
    bound = [(network, size) for network in networks_of(config) for size in (_bound_size(config, network),) if size]
    if not bound:
        raise NotApplicable("any-input-size")
    network, size = bound[0]
    told: set[int] = set()
    sides = list(_sides(config))
    for _, key, side, value in sides:
        if side is None or side[0] != side[1] or not size.refuses(side[0]) or side[0] in told:
            continue
        told.add(side[0])  # the same size in training and evaluation is one fault
        split = ", ".join(name for name, _, other, _ in sides if other == side)
        at = config.tree.at(key)
        fixes = []
        if at.key == key:
            fixes.append(Fix("set-size", "edit", "safe", at=at, value=_like(value, size.takes), values={"takes": size.takes}))
        other = _sibling(network.name, side[0])
        if other:
            fixes.append(
                Fix("other-network", "edit", "unsafe", at=config.tree.at(f"{network.key}.name"), value=other, values={"other": other})
            )
        elif size.settable:
            snippet = f"{size.settable}: {side[0]}"
            fixes.append(Fix("set-parameter", "advice", "unsafe", snippet=snippet, values={"key": f"{network.key}.{size.settable}"}))
        yield Finding(
            at=at,
            via=config.tree.at(f"{network.key}.name"),
            case="export" if split == "export" else "default" if size.cause == "position" else "features",
            fixes=tuple(fixes),
            split=split,
            size=side[0],
            takes=size.takes,
            architecture=network.name,
            fails=size.why,
        )


def _bound_size(config: TrainingConfig, network: Network) -> InputSize | None:
    size = input_size(network.name)
    if size is None or (network.part == "Backbone" and size.cause == "head"):
        return None  # a backbone stopped before its head is free of it
    given = [key for key in SIZE_KEYS if key in network.params]
    if not given:
        return size
    moved = network.params[given[0]]
    side = moved[0] if isinstance(moved, list) and moved and moved[0] == moved[-1] else moved
    if len(given) > 1 or given[0] != size.settable or not size.exact or type(side) is not int:
        return None
    return InputSize(side, size.cause, 0, 0, exact=True, settable=size.settable, why=size.why)


def _sides(config: TrainingConfig) -> Iterator[tuple[str, str, tuple[int, int] | None, Any]]:
    """What the stage feeds to the network: split, key of the value that sets the size, height and width."""
    tree = config.tree
    if config.stage == "export":
        shape = config.image_shape
        if config.generation == "modern" and shape and len(shape.value) == 3:
            yield "export", "Global.image_shape", (shape.value[1], shape.value[2]), shape.value
        return
    if config.stage == "infer":
        yield from _of_ops(config, "Infer", "Infer.transforms")
        return
    if tree.raw("Global.train_mode") is not None or tree.raw("use_dali") or tree.raw("Global.use_dali"):
        return
    for loader in config.used_loaders():
        if loader.sampler != "MultiScaleSampler":
            path = f"{loader.key}.transforms" if config.generation == "legacy" else f"{loader.key}.dataset.transform_ops"
            yield from _of_ops(config, loader.split, path)


def _of_ops(config: TrainingConfig, split: str, path: str) -> Iterator[tuple[str, str, tuple[int, int] | None, Any]]:
    found = config.tree.raw(path)
    ops: list[tuple[str, dict[str, Any]]] = []
    place = None
    for index, item in enumerate(found if isinstance(found, list) else ()):
        if not isinstance(item, dict) or len(item) != 1:
            return
        ((name, params),) = item.items()
        if name not in KEEPS_SIZE and name not in SETS_SIZE:
            return
        ops.append((name, params if isinstance(params, dict) else {}))
        if name in SETS_SIZE:
            place = f"{path}.{index}.{name}.size"
    shape = sample_shape(ops)
    if place and shape:
        yield split, place, (shape.height, shape.width), config.tree.raw(place)


def _like(value: Any, side: int) -> Any:
    """The side in the form that the value has: one number, two, or channels before two."""
    if isinstance(value, list):
        return [*value[:-2], side, side]
    return side


def _sibling(name: str, side: int) -> str | None:
    """The network of the same name but for its size: ViT_base_patch16_224 for ViT_base_patch16_384 and 224."""
    stem, _, number = name.rpartition("_")
    other = f"{stem}_{side}"
    return other if number.isdecimal() and known(other) else None


@check("MDL102", name="transformer-from-scratch", stages=TRAIN)
def transformer_from_scratch(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """A transformer is trained from random weights on little data (FAQ 4.2, 4.4)."""
    network = next(networks_of(config), None)
    if network is None or not TRANSFORMERS.match(network.name) or is_distillation(config):
        raise NotApplicable("no-transformer")
    train = config.loader("Train")
    samples = labels.samples(train) if train else None
    if samples is None:
        raise NotApplicable("no-train-labels")
    given = network.params.get("pretrained")
    if config.pretrained or config.checkpoints or given or ("pretrained" not in network.params and network.name.startswith("UniFormer")):
        return
    if samples >= LITTLE_DATA or not samples:
        return
    classes = len({label for s in labels.of("Train") for label in s.per_class})
    outputs = config.class_num.value if config.class_num else 1000
    count = parameters(network.name, outputs)
    key = "pretrained_model" if config.generation == "legacy" else f"{network.key}.pretrained"
    yield Finding(
        at=config.tree.at(f"{network.key}.name"),
        case=("default" if GLOBAL_ATTENTION.match(network.name) else "pyramid") + ("" if count else "-size-unknown"),
        fixes=(
            Fix("use-weights", "advice", "safe", snippet="pretrained: True", values={"key": key}),
            Fix("use-cnn", "advice", "unsafe"),
        ),
        architecture=network.name,
        samples=samples,
        classes=classes,
        per_class=round(samples / classes, 1) if classes else None,
        parameters_m=round(count / 1e6, 1) if count else None,
        per_sample=round(count / samples) if count else None,
    )


@check("MDL103", name="last-layer-dominates", stages=TRAIN | EXPORT)
def last_layer_dominates(config: TrainingConfig) -> Iterator[Finding]:
    """The last layer holds most of the weights (FAQ 2.2)."""
    network = next(networks_of(config), None)
    if network is None or not config.class_counts or is_distillation(config):
        raise NotApplicable("no-class-num")
    count = config.class_counts[0]
    classes = count.count.value
    body = parameters(network.name, 0)
    inputs = head_inputs(network.name)
    if network.part:
        if config.tree.raw("Arch.infer_output_key") == "features" or not str(count.count.location.key).endswith("Head.class_num"):
            return  # the exported model has no head
        inputs = config.tree.raw("Arch.Head.embedding_size")
        head = None if type(inputs) is not int else inputs * classes * FLOAT32
    else:
        head = head_bytes(network.name, classes)
    if head is None or body is None or type(inputs) is not int or classes < 1:
        return
    rest = body * FLOAT32
    share = head / (head + rest)
    if head < LARGE_HEAD or share < 0.5:
        return
    width = int((rest / FLOAT32 - classes) / (classes + inputs + 1))
    width = max(NARROWEST_NECK, min(WIDEST_NECK, inputs // 2, width // 8 * 8))
    narrow = FLOAT32 * ((inputs + 1) * width + (width + 1) * classes)
    if narrow >= head:
        return
    yield Finding(
        at=count.count.location,
        fixes=(
            Fix("bottleneck", "advice", "unsafe", values={"width": width, "bytes": narrow}),
            Fix("retrieval", "advice", "unsafe"),
        ),
        architecture=network.name,
        classes=classes,
        inputs=inputs,
        head_bytes=head,
        total_bytes=int(head + rest),
        percent=round(100 * share),
        width=width,
        narrow_bytes=narrow,
    )


@check("MDL104", name="classes-added-to-pretrained", stages=TRAIN)
def classes_added_to_pretrained(config: TrainingConfig) -> Iterator[Finding]:
    """A few outputs more than the published weights have, or a layer frozen by a key that nothing reads (FAQ 5.4)."""
    network = next(networks_of(config), None)
    if network is None:
        raise NotApplicable("no-network")
    for key in ("freeze_befor", "freeze_before"):
        if key in network.params and re.match(r"ResNet\d+(_v[bcd])?$", network.name):
            yield _added(config, config.tree.at(f"{network.key}.{key}"), "frozen-by-nothing", network, None, key)
    count = config.class_counts[0] if config.class_counts else None
    if count is None or is_distillation(config) or network.part:
        return
    extra = count.count.value - 1000
    if 0 < extra <= 50 and (network.params.get("pretrained") is True):
        yield _added(config, count.count.location, "default", network, extra, "pretrained")


def _added(config: TrainingConfig, at: Location, case: str, network: Network, extra: int | None, key: str) -> Finding:
    fix = Fix("freeze-by-rate", "advice", "safe") if case == "frozen-by-nothing" else Fix("merge-lists", "advice", "unsafe")
    outputs = config.class_num.value if config.class_num else 1000
    return Finding(
        at=at, case=case, fixes=(fix,), architecture=network.name, extra=extra, outputs=outputs, inputs=head_inputs(network.name), key=key
    )


@check("MDL109", name="input-channels", stages=TRAIN | EVAL | EXPORT)
def input_channels(config: TrainingConfig) -> Iterator[Finding]:
    """The sample has other channels than the first layer takes (`NormalizeImage.channel_num` against `input_image_channel`)."""
    network = next(networks_of(config), None)
    if network is None or config.generation != "modern" or not known(network.name):
        raise NotApplicable("no-network")  # a legacy trainer tells the network of `image_shape` itself
    given = next((key for key in ("input_image_channel", "in_chans", "in_channels") if key in network.params), None)
    takes = network.params[given] if given else 3
    if type(takes) is not int or any(key in network.params for key in ("stem_channels", "data_format")):
        return
    if config.stage == "export":
        shape = config.image_shape
        if (
            shape
            and len(shape.value) == 3
            and type(shape.value[0]) is int
            and 0 < shape.value[0] != takes
            and not channels_last(shape.value)
        ):
            wanted = [takes, *shape.value[1:]]
            fix = Fix("shape-channels", "edit", "safe", at=shape.location, value=wanted, values={"wanted": str(wanted)})
            yield Finding(
                at=shape.location,
                case="export",
                fixes=(fix,),
                split="export",
                channels=shape.value[0],
                takes=takes,
                architecture=network.name,
            )
        return
    for loader in config.used_loaders():
        path = f"{loader.key}.dataset.transform_ops"
        found = config.tree.raw(path)
        channels, key = 3, None
        for index, item in enumerate(found if isinstance(found, list) else ()):
            params = item.get("NormalizeImage") if isinstance(item, dict) else None
            if isinstance(params, dict) and params.get("channel_num") in (3, 4):
                channels, key = params["channel_num"], f"{path}.{index}.NormalizeImage.channel_num"
        if not isinstance(found, list) or channels == takes or (key is None and given is None):
            continue
        at = config.tree.at(key or f"{network.key}.{given}")
        fixes: tuple[Fix, ...] = (Fix("three-channels", "edit", "safe", at=at, value=takes, values={"takes": takes}),)
        if not key:
            fixes = (Fix("three-channels", "edit", "safe", at=at, value=channels, values={"takes": channels}),)
        yield Finding(at=at, fixes=fixes, split=loader.split, channels=channels, takes=takes, architecture=network.name)


BROKEN = {
    "HRNet_W60_C": "KeyError",
    "MobileViTV2_x0_75": "KeyError",
    "MobileViTV2_x1_25": "KeyError",
    "MobileViTV2_x1_75": "KeyError",
    "SE_HRNet_W60_C": "KeyError",
    "SE_HRNet_W64_C": "KeyError",
}
"""Networks that no modern branch can build: the constructor looks up a weight address that its table does not have, even for `pretrained: False`."""

NEIGHBOURS = {
    "HRNet_W60_C": "HRNet_W64_C",
    "MobileViTV2_x0_75": "MobileViTV2_x0_5",
    "MobileViTV2_x1_25": "MobileViTV2_x1_0",
    "MobileViTV2_x1_75": "MobileViTV2_x1_5",
    "SE_HRNet_W60_C": "HRNet_W64_C",
    "SE_HRNet_W64_C": "HRNet_W64_C",
}


@check("MDL110", name="network-cannot-be-built", stages=TRAIN | EVAL | EXPORT | INFER)
def network_cannot_be_built(config: TrainingConfig) -> Iterator[Finding]:
    """An architecture that is listed and cannot run: its constructor or its first forward pass fails on every modern branch."""
    found = [network for network in networks_of(config) if config.generation == "modern"]
    if not found:
        raise NotApplicable("no-network")
    for network in found:
        at = config.tree.at(f"{network.key}.name")
        if network.name in BROKEN:
            near = NEIGHBOURS[network.name]
            fix = Fix("use-neighbour", "edit", "unsafe", at=at, value=near, values={"near": near})
            yield Finding(at=at, fixes=(fix,), architecture=network.name, error=BROKEN[network.name])
        elif network.name.startswith("SwinTransformerV2_"):
            yield Finding(at=at, case="forward", fixes=(Fix("use-swin", "advice", "unsafe"),), architecture=network.name, error="NameError")


STAGE_LISTS = (
    (re.compile(r"ResNet(18|34|50|101|152|200)(_vd)?$"), {"lr_mult_list": 5, "stride_list": 5}),
    (re.compile(r"PPLCNet_x\d"), {"lr_mult_list": 6, "stride_list": 5}),
)
"""Networks with a parameter that has one value for each stage, and how many (`legendary_models/resnet.py`, `pp_lcnet.py`)."""


@check("CFG316", name="layer-list-length", stages=TRAIN | EVAL | EXPORT | INFER)
def layer_list_length(config: TrainingConfig) -> Iterator[Finding]:
    """`lr_mult_list` or `stride_list` with another number of values than the network has stages."""
    found = [network for network in networks_of(config) if config.generation == "modern"]
    judged = [(network, lists) for network in found for names, lists in STAGE_LISTS if names.match(network.name)]
    if not judged:
        raise NotApplicable("no-network")
    for network, lists in judged:
        for parameter, takes in lists.items():
            value = network.params.get(parameter)
            sides = (int, float, list) if parameter == "stride_list" else (int, float)
            whole = isinstance(value, list) and all(isinstance(item, sides) for item in value)
            length = len(value) if isinstance(value, list) else 1
            if parameter not in network.params or (whole and length == takes):
                continue
            case = "no-list" if not whole else "not-used" if (network.name[0], parameter) == ("R", "lr_mult_list") else None
            if case == "not-used" and config.stage != "train":
                continue
            yield Finding(
                at=config.tree.at(f"{network.key}.{parameter}"),
                case=case,
                fixes=(Fix("give-values", "advice", "safe", values={"takes": takes}),),
                architecture=network.name,
                parameter=parameter,
                takes=takes,
                length=length,
                value=", ".join(map(str, value)) if isinstance(value, list) else str(value),
            )
