"""MDL: whether the parts of a RecModel fit together, and whether what is asked of a network is what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.own_paddleclas import OwnPaddleClas
from checks.facts.rec_parts import (
    EMBEDDING_HEADS,
    LAYS_FLAT,
    NECKS,
    Backbone,
    backbone_of,
    neck_width,
    outputs_of,
    recognition_blocks,
)
from checks.facts.sub_networks import entries_of, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from knowledge.layers import Layers
from knowledge.likeness import nearest

NARROW = 64
"""No map of features that comes out of these networks is as wide as that in pixels."""


def _blocks(config: TrainingConfig) -> list[tuple[str, dict[str, Any]]]:
    blocks = list(recognition_blocks(config))
    if not blocks:
        raise NotApplicable("no-rec-model")
    return blocks


@check("MDL105", name="parts-do-not-fit", stages=TRAIN | EVAL | EXPORT | INFER)
def parts_do_not_fit(config: TrainingConfig) -> Iterator[Finding]:
    """A part of a RecModel that takes another width than the part before it gives, or that is there and empty."""
    for key, block in _blocks(config):
        broken = [part for part in ("Backbone", "Neck", "Head") if part in block and not _is_part(block[part])]
        for part in broken:
            empty = block[part] is None and part != "Backbone"
            fix = Fix("remove-part" if empty else "write-part", "advice", "safe", values={"part": part})
            at = config.tree.at(f"{key}.{part}") if not isinstance(block[part], dict) else config.tree.key_at(f"{key}.{part}")
            yield Finding(at=at, case="empty" if empty else "no-part", fixes=(fix,), **_values(part, "", None, None))
        if not broken:
            yield from _fit(config, key, block)


def _is_part(value: Any) -> bool:
    """Whether a part of a RecModel is a mapping with the name of what it is; a name that is no text is CFG130's or CFG110's."""
    return isinstance(value, dict) and value.get("name") is not None


def _fit(config: TrainingConfig, key: str, block: dict[str, Any]) -> Iterator[Finding]:
    neck, head, backbone = block.get("Neck"), block.get("Head"), backbone_of(block)
    whole = backbone is not None and backbone.stop != "stopped"
    shape = None if backbone is None or whole else backbone.shape
    if isinstance(neck, dict) and neck.get("name") in NECKS and shape and backbone:
        name = str(neck["name"])
        yield from _width(config, f"{key}.Neck.{NECKS[name][0]}", neck.get(NECKS[name][0]), name, backbone, shape)
    if not isinstance(head, dict) or head.get("name") not in EMBEDDING_HEADS:
        return
    place, takes, name = f"{key}.Head.embedding_size", head.get("embedding_size"), str(head["name"])
    straight = block.get("head_feature_from") == "backbone" or "Neck" not in block
    through = isinstance(neck, dict) and neck.get("name") == "Tanh"
    if (straight or through) and shape and backbone:
        yield from _width(config, place, takes, name, backbone, shape)
    gives = None if straight or through else neck_width(neck)
    if gives is not None and type(takes) is int and gives != takes and isinstance(neck, dict):
        yield _mismatch(config, place, "default", str(neck["name"]), name, gives, takes)


def _width(config: TrainingConfig, place: str, takes: Any, part: str, backbone: Backbone, shape: tuple[int, ...]) -> Iterator[Finding]:
    """The output of the backbone against what the part behind it takes."""
    if type(takes) is not int:
        return
    channels, flat, pooled = shape[0], len(shape) == 1, all(side == 1 for side in shape[1:])
    if part == "VehicleNeck":
        if flat:
            yield _mismatch(config, place, "flat", backbone.name, part, channels, takes, backbone)
        elif channels != takes:
            yield _mismatch(config, place, "backbone", backbone.name, part, channels, takes, backbone)
    elif flat or (part in LAYS_FLAT and pooled):
        if channels != takes:
            yield _mismatch(config, place, "backbone", backbone.name, part, channels, takes, backbone)
    elif part not in LAYS_FLAT and len(shape) == 3 and takes > NARROW:
        yield _mismatch(config, place, "map", backbone.name, part, channels, takes, backbone)


def _mismatch(
    config: TrainingConfig, place: str, case: str, giver: str, taker: str, gives: int, takes: int, backbone: Backbone | None = None
) -> Finding:
    at = config.tree.at(place)
    name = place.rpartition(".")[2]
    fixes: tuple[Fix, ...] = ()
    layers: Layers | None = backbone.layers if backbone else None
    if case in ("default", "backbone"):
        fixes = (Fix("same-width", "edit", "safe", at=at, value=gives, values={"gives": gives, "name": name}),)
    elif case == "map" and layers and layers.vector(takes):
        fixes = (Fix("stop-later", "advice", "safe", values={"layer": layers.vector(takes)}),)
    elif case == "flat":
        fixes = (Fix("stop-earlier", "advice", "safe"),)
    stop = backbone.stop_name if backbone else ""
    return Finding(at=at, case=case, fixes=fixes, **_values(giver, taker, gives, takes), name=name, stop=stop)


def _values(giver: str, taker: str, gives: int | None, takes: int | None) -> dict[str, Any]:
    return {"giver": giver, "taker": taker, "gives": gives, "takes": takes}


@check("MDL115", name="backbone-not-stopped", stages=TRAIN | EVAL | EXPORT | INFER)
def backbone_not_stopped(config: TrainingConfig, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """`BackboneStopLayer` names no layer of the backbone, or is missing: the scores of its classifier go on, not its features."""
    for key, block in _blocks(config):
        backbone = backbone_of(block, by_child=own is not None and own.branch not in (None, "release/2.2"))
        if backbone is None:
            continue
        place = f"{key}.BackboneStopLayer"
        wanted = _wanted(block)
        layer = backbone.layers.vector(wanted) or backbone.layers.vector() if backbone.layers else None
        values: dict[str, Any] = {
            "architecture": backbone.name,
            "stop": backbone.stop_name,
            "classes": (backbone.shape or (None,))[0],
            "takes": wanted,
        }
        fix = Fix("stop-after", "advice", "safe", snippet=f"BackboneStopLayer:\n  name: {layer or '…'}\n", values={"layer": layer or "…"})
        if backbone.stop == "malformed":
            yield Finding(at=config.tree.at(place), case="malformed", fixes=(fix,), **values)
        elif backbone.stop == "cannot":
            yield Finding(at=config.tree.at(f"{place}.name"), case="cannot", fixes=(Fix("other-backbone", "advice", "unsafe"),), **values)
        elif backbone.stop in ("absent", "unknown") and backbone.shape and backbone.layers and layer:
            fits = wanted is None or wanted == backbone.shape[0]
            if backbone.stop == "unknown":
                at = config.tree.at(f"{place}.name")
                edit = Fix("use-layer", "edit", "safe", at=at, value=layer, values={"layer": layer})
                yield Finding(at=at, case="unknown-fits" if fits else "default", fixes=(edit,), **values)
            elif not fits:
                yield Finding(at=config.tree.key_at(f"{key}.Backbone"), case="absent", fixes=(fix,), **values)


def _wanted(block: dict[str, Any]) -> int | None:
    """The width that the first part behind the backbone takes."""
    neck, head = block.get("Neck"), block.get("Head")
    found = None
    if isinstance(neck, dict) and neck.get("name") in NECKS:
        found = neck.get(NECKS[str(neck["name"])][0])
    elif isinstance(head, dict) and head.get("name") in EMBEDDING_HEADS:
        found = head.get("embedding_size")
    return found if type(found) is int else None


@check("MDL114", name="output-not-given", stages=TRAIN | EVAL | EXPORT)
def output_not_given(config: TrainingConfig) -> Iterator[Finding]:
    """A loss, a metric or the export asks for an output that the network does not give."""
    arch = config.tree.raw("Arch")
    if config.generation != "modern" or not isinstance(arch, dict):
        raise NotApplicable("no-network")
    if config.stage == "export":
        yield from _asked_by_export(config, arch)
    elif is_distillation(config):
        yield from _asked_of_roles(config)
    elif arch.get("name") == "RecModel" and config.stage == "train":
        outputs = outputs_of(arch) or frozenset()
        for key, loss, params in entries_of(config, "Loss.Train"):
            source = params.get("feature_from")
            if isinstance(source, str) and source not in outputs:
                yield _not_given(config, f"{key}.feature_from", "default", loss, source, outputs)


def _asked_by_export(config: TrainingConfig, arch: dict[str, Any]) -> Iterator[Finding]:
    key = arch.get("infer_output_key")
    block = arch
    if is_distillation(config):
        kept = arch.get("infer_model_name")
        block = next((role.params for role in roles_of(config) if role.name == kept), {})
    outputs = outputs_of(block)
    if outputs is None:
        return
    if key is not None and key not in outputs:
        yield _not_given(config, "Arch.infer_output_key", "default" if outputs else "scores", "infer_output_key", key, outputs)
    elif isinstance(arch.get("infer_add_softmax"), str):
        return  # CFG132: "false" counts as true
    elif key in ("features", "neck", "backbone") and arch.get("infer_add_softmax", True) and outputs:
        yield _not_given(config, "Arch.infer_output_key", "softmaxed", "infer_add_softmax", key, outputs)
    elif key is None and outputs and "logits" not in outputs and arch.get("infer_add_softmax", True):
        yield _not_given(config, "Arch", "softmax", "infer_add_softmax", "logits", outputs)


def _asked_of_roles(config: TrainingConfig) -> Iterator[Finding]:
    """`key` of the losses and `feature_key` of the metric, of each role that they name."""
    outputs = {role.name: outputs_of(role.params) for role in roles_of(config)}
    if config.stage != "train":
        return
    yield from _kept(config, outputs)
    for section, name in (("Loss.Train", "key"), ("Metric.Train", "feature_key")):
        for place, user, params in entries_of(config, section):
            if not user.startswith("Distillation") or (section == "Metric.Train") != (user == "DistillationTopkAcc"):
                continue
            key = params.get(name)
            for role in _named(params):
                given = outputs.get(role)
                if given is None or (key is None and not given) or key in given:
                    continue
                if key is None and (name == "feature_key" or user in KEEPS_KEYS):
                    continue
                if type(key) in (int, bool):
                    continue  # taken as a place in the batch
                case = "no-key" if key is None else "default" if given else "scores"
                yield _not_given(config, f"{place}.{name}" if key is not None else place, case, user, key, given)
                break


KEEPS_KEYS: dict[str, tuple[str, str]] = {
    "DistillationPairLoss": ("s_key", "t_key"),
    "DistillationRKDLoss": ("student_keepkeys", "teacher_keepkeys"),
}
"""Losses that name what they read by other parameters than `key`: that of the first role of a pair and that of the second."""


def _kept(config: TrainingConfig, outputs: dict[str, frozenset[str] | None]) -> Iterator[Finding]:
    """Layers to compare, of roles that give nothing but scores: `return_patterns` would give them."""
    for place, user, params in entries_of(config, "Loss.Train"):
        pairs = params.get("model_name_pairs")
        for name, index in zip(KEEPS_KEYS.get(user, ()), (0, 1), strict=False):
            wanted = params.get(name)
            key = wanted[0] if isinstance(wanted, list) and wanted else wanted
            roles = [pair[index] for pair in pairs if isinstance(pair, list) and len(pair) == 2] if isinstance(pairs, list) else []
            if isinstance(key, str) and any(outputs.get(role) == frozenset() for role in roles):
                yield _not_given(config, f"{place}.{name}", "layers", user, key, frozenset())
                break


def _named(params: dict[str, Any]) -> Iterator[str]:
    """The roles that a loss or metric reads."""
    listed = params.get("model_names")
    pairs = params.get("model_name_pairs")
    for name in [*(listed if isinstance(listed, list) else ()), params.get("model_key")]:
        if isinstance(name, str):
            yield name
    for pair in pairs if isinstance(pairs, list) else ():
        for name in pair if isinstance(pair, list) else ():
            if isinstance(name, str):
                yield name


def _not_given(config: TrainingConfig, place: str, case: str, user: str, key: Any, outputs: frozenset[str]) -> Finding:
    listed = sorted(outputs)
    inside = case in ("no-key", "softmax")
    at = config.tree.key_at(place) if inside else config.tree.at(place)
    if case == "scores":
        fixes: tuple[Fix, ...] = (Fix("set-null", "edit", "safe", at=at, value=None),)
    elif case == "layers":
        fixes = (Fix("return-patterns", "advice", "safe", snippet=f"return_patterns: [{key}]\n", values={"layer": str(key)}),)
    elif case == "no-key":
        fixes = (Fix("name-output", "advice", "safe", snippet="key: logits", values={"outputs": listed}),)
    elif case == "softmaxed":
        there = config.tree.has("Arch.infer_add_softmax")
        at = config.tree.at("Arch.infer_add_softmax") if there else at
        edit = Fix("switch-softmax-off", "edit", "safe", at=at, value=False)
        fixes = (edit if there else Fix("switch-softmax-off", "advice", "safe", snippet="infer_add_softmax: False"),)
    elif case == "softmax":
        fixes = (Fix("no-softmax", "advice", "safe", snippet="infer_output_key: features\ninfer_add_softmax: False"),)
    else:
        near = nearest(str(key).lower(), listed, 0.6)
        name = Fix("name-output", "advice", "safe", values={"outputs": listed})
        fixes = (Fix("use-output", "edit", "safe", at=at, value=near, values={"near": near}) if near else name,)
    shown = "null" if key is None else "''" if key == "" else str(key)
    return Finding(at=at, case=case, fixes=fixes, user=user, key=shown, outputs=listed)


NEEDS_LABELS = {"AdaMargin": "reshape", "CosMargin": "stop_gradient"}
"""Heads whose forward pass uses the labels whether it trains or not (`ppcls/arch/gears`), and the attribute that None has not."""


@check("MDL119", name="head-needs-labels", stages=EXPORT)
def head_needs_labels(config: TrainingConfig) -> Iterator[Finding]:
    """The exported model would keep a head that cannot do without labels."""
    arch = config.tree.raw("Arch")
    if config.generation != "modern" or not isinstance(arch, dict) or arch.get("name") != "RecModel":
        raise NotApplicable("no-rec-model")
    head = arch.get("Head")
    name = str(head.get("name")) if isinstance(head, dict) else ""
    if name not in NEEDS_LABELS or arch.get("infer_output_key") == "features":
        return
    there = config.tree.has("Arch.infer_output_key")
    at = config.tree.at("Arch.infer_output_key") if there else config.tree.key_at("Arch.Head")
    edit = Fix("export-features", "edit", "safe", at=at, value="features")
    advice = Fix("export-features", "advice", "safe", snippet="infer_output_key: features\ninfer_add_softmax: False")
    yield Finding(at=at, fixes=(edit if there else advice,), head=name, attribute=NEEDS_LABELS[name])
