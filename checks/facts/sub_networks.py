"""The networks that a modern config builds: the one of `Arch`, the roles of a distillation, the backbone of a RecModel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from checks.facts.training_config import TrainingConfig

DISTILLATION = ("DistillationModel", "AttentionModel")
"""Architectures that hold others in `models`; whatever else stands beside it, such as `class_num`, they swallow unread."""

DEFAULT_CLASSES = 1000
"""Outputs of a network that is given no `class_num`."""


class Network(msgspec.Struct, frozen=True):
    """One network: its name in `ppcls.arch`, the key of its block, the role it plays in a distillation, and its parameters.

    `part` is `Backbone` for that of a RecModel, else empty.
    """

    name: str
    key: str
    role: str
    part: str
    params: dict[str, Any]


class Role(msgspec.Struct, frozen=True):
    """One entry of a distillation's `models`: its name, its place in the list, the key of its block and the block."""

    name: str
    index: int
    key: str
    params: dict[str, Any]


def is_distillation(config: TrainingConfig) -> bool:
    """Whether `Arch` is a distillation of the modern layout."""
    return config.generation == "modern" and config.tree.raw("Arch.name") in DISTILLATION


def roles_of(config: TrainingConfig) -> tuple[Role, ...]:
    """The roles of a distillation, in their order; none where `models` is not the list of mappings that PaddleClas asks for."""
    models = config.tree.raw("Arch.models")
    if not is_distillation(config) or not isinstance(models, list):
        return ()
    found = []
    for index, item in enumerate(models):
        if not isinstance(item, dict) or len(item) != 1:
            return ()
        ((name, params),) = item.items()
        found.append(Role(name, index, f"Arch.models.{index}.{name}", params if isinstance(params, dict) else {}))
    return tuple(found)


def networks_of(config: TrainingConfig) -> Iterator[Network]:
    """Every network of the config whose name is given, outermost first; a legacy config has one."""
    if config.generation == "legacy":
        params = config.tree.raw("ARCHITECTURE.params")
        if config.architecture:
            yield Network(config.architecture.value, "ARCHITECTURE", "", "", params if isinstance(params, dict) else {})
    elif config.generation == "modern":
        if is_distillation(config):
            for role in roles_of(config):
                yield from _of_block(role.key, role.name, role.params)
        else:
            block = config.tree.raw("Arch")
            yield from _of_block("Arch", "", block) if isinstance(block, dict) else ()


def _of_block(key: str, role: str, block: dict[str, Any]) -> Iterator[Network]:
    name = block.get("name")
    backbone = block.get("Backbone")
    if name == "RecModel":
        inner = backbone.get("name") if isinstance(backbone, dict) else None
        if isinstance(inner, str) and isinstance(backbone, dict):
            yield Network(inner, f"{key}.Backbone", role, "Backbone", backbone)
    elif isinstance(name, str) and name not in DISTILLATION:
        yield Network(name, key, role, "", block)


def class_count(block: dict[str, Any]) -> int | None:
    """Outputs of a plain network or of a RecModel's head; None where the block does not tell."""
    part = block.get("Head") if block.get("name") == "RecModel" else block
    if not isinstance(part, dict):
        return None
    count = part.get("class_num", None if block.get("name") == "RecModel" else DEFAULT_CLASSES)
    return count if type(count) is int else None


def entries_of(config: TrainingConfig, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The items of a list such as `Loss.Train`: the dotted key of the parameters, the name, the parameters."""
    items = config.tree.raw(path)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        for name, params in item.items() if isinstance(item, dict) else ():
            yield f"{path}.{index}.{name}", name, params if isinstance(params, dict) else {}
