"""What goes from part to part of a RecModel: backbone, neck and head, and the outputs that losses, metrics and the export can ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.sub_networks import DEFAULT_CLASSES, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from knowledge.layers import Layers, layers_of
from knowledge.zoo import has_class_head, known

PLAIN = frozenset({"class_num", "name", "pretrained", "use_ssld"})
"""Parameters of a backbone that leave its layers as they are."""

WIDEST = 8192
"""A row of features wider than that is a map laid flat, whose width moves with the size of the image."""

EMBEDDING_HEADS = frozenset({"AdaMargin", "ArcMargin", "CircleMargin", "CosMargin", "FC"})
"""Gears whose inputs are `embedding_size` and whose outputs are `class_num`."""

NECKS: dict[str, tuple[str, str]] = {
    "BNNeck": ("num_features", "num_features"),
    "FC": ("embedding_size", "class_num"),
    "FRFNNeck": ("num_features", "low_dim"),
    "MetaBNNeck": ("num_features", "num_features"),
    "VehicleNeck": ("in_channels", "out_channels"),
}
"""Gears as necks: the parameter that is the width of their input, and that of their output."""

LAYS_FLAT = frozenset({"BNNeck", "MetaBNNeck"})
"""Necks that lay a map of features flat before they work on it."""

FULL_NAME = re.compile(r"_\d+$")
"""Names such as `flatten_0`, by which 2.2 finds a layer and later branches do not."""

Stop = Literal["stopped", "absent", "unknown", "later", "malformed", "cannot"]


class Backbone(msgspec.Struct, frozen=True):
    """What a backbone gives: the shape without the batch, None where it is not known, and how `BackboneStopLayer` stops it."""

    name: str
    layers: Layers | None
    shape: tuple[int, ...] | None
    stop: Stop
    stop_name: str


def recognition_blocks(config: TrainingConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    """The blocks whose name is RecModel: that of `Arch`, or those of the roles of a distillation."""
    if config.generation != "modern":
        return
    if is_distillation(config):
        for role in roles_of(config):
            if role.params.get("name") == "RecModel":
                yield role.key, role.params
    elif config.tree.raw("Arch.name") == "RecModel":
        yield "Arch", config.tree.raw("Arch")


def backbone_of(block: dict[str, Any], *, by_child: bool = False) -> Backbone | None:
    """The backbone of a RecModel; None where it names none. `by_child` says that the branch finds no layer by its full name, as 2.2 does."""
    given = block.get("Backbone")
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(name, str):
        return None
    layers = layers_of(name)
    stop, stop_name = _stop(block, layers, by_child)
    shape = None
    if layers is not None and set(given) <= PLAIN:
        shape = layers.gives.get(stop_name) if stop == "stopped" else None
        if stop in ("absent", "unknown") or stop_name == layers.layers[-1]:
            shape = _whole(name, given, layers)
    if shape and len(shape) == 1 and shape[0] > WIDEST:
        shape = None
    return Backbone(name, layers, shape, stop, stop_name)


def _stop(block: dict[str, Any], layers: Layers | None, by_child: bool) -> tuple[Stop, str]:
    if "BackboneStopLayer" not in block:
        return "absent", ""
    given = block["BackboneStopLayer"]
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str):
        return "malformed", ""
    if layers is None:
        return "later", name
    if not layers.stops:
        return "cannot", name
    first = re.split(r"[.\[]", name, maxsplit=1)[0]
    if name in layers.layers:
        return "stopped", name
    return ("later" if first in layers.layers or (FULL_NAME.search(name) and not by_child) else "unknown"), name


def _whole(name: str, given: dict[str, Any], layers: Layers) -> tuple[int, ...] | None:
    """What comes out behind the last layer: one number for each class, where the network has a classifier."""
    shape = layers.whole
    if not has_class_head(name):
        return None if "class_num" in given else shape
    classes = given.get("class_num", DEFAULT_CLASSES)
    return (classes,) if shape and len(shape) == 1 and type(classes) is int else None


def neck_width(neck: Any) -> int | None:
    """The width of what a neck gives; None where it is not known, or there is no neck."""
    place = NECKS.get(str(neck.get("name"))) if isinstance(neck, dict) else None
    width = neck.get(place[1]) if place else None
    return width if type(width) is int else None


def feature_width(block: dict[str, Any], source: str = "features") -> int | None:
    """The width of `features` (what the neck gives, else the backbone) or of `backbone`; None where it is not known."""
    if source == "features" and isinstance(block.get("Neck"), dict) and block["Neck"].get("name") != "Tanh":
        return neck_width(block["Neck"])
    if source not in ("features", "backbone"):
        return None
    backbone = backbone_of(block)
    shape = backbone.shape if backbone else None
    return shape[0] if shape and len(shape) == 1 else None


def outputs_of(block: dict[str, Any]) -> frozenset[str] | None:
    """The names under which a network gives its outputs; empty where it gives nothing but scores, None where that is not known."""
    name = block.get("name")
    if name == "RecModel":
        found = {"backbone", "features"}
        found |= {"neck"} if block.get("Neck") is not None else set()
        return frozenset(found | ({"logits"} if block.get("Head") is not None else set()))
    if isinstance(name, str) and known(name) and name != "GoogLeNet" and not {"return_patterns", "return_stages"} & set(block):
        return frozenset()
    return None
