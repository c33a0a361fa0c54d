"""DST: the lists of a distillation: roles, weights and frozen roles, and what its losses name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.sub_networks import Role, entries_of, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from checks.model import ANY, OVERRIDE_FILE, Finding, Fix, NotApplicable
from checks.registry import check
from knowledge.components import signature

PARTS = ("", ".Backbone", ".Neck", ".Head")
"""Mappings of a role that the constructors take apart with `pop`."""


PAIRS_BY_DEFAULT = ("DistillationRKDLoss",)
"""Losses that compare Student with Teacher where nothing is written."""


@check("DST103", name="distillation-lists", stages=ANY)
def distillation_lists(config: TrainingConfig) -> Iterator[Finding]:
    """Lists of a distillation of a form that stops the construction, or that means something else (FAQ 2.3)."""
    if not is_distillation(config):
        raise NotApplicable("no-distillation")
    models = config.tree.raw("Arch.models")
    if isinstance(models, dict):
        return  # CFG113
    if not isinstance(models, list):
        at = config.tree.at("Arch.models")
        yield Finding(at=at, case="models-no-list", fixes=(Fix("list-models", "advice", "safe"),), length=0, models=0, value="")
        return
    yield from _roles_as_items(config, models)
    roles = roles_of(config)
    yield from _pretrained(config, models, roles)
    frozen = config.tree.raw("Arch.freeze_params_list")
    crowded = any(isinstance(item, dict) and len(item) > 1 for item in models)  # CFG113, and the count is no count of roles
    if isinstance(frozen, list) and len(frozen) != len(models) and not crowded:
        yield _wrong_length(config, "freeze_params_list", len(frozen), len(models), None)
    elif frozen is not None and not isinstance(frozen, list):
        yield _no_list(config, "Arch.freeze_params_list", "freeze_params_list", frozen, [False] * len(models), len(models))
    if config.stage == "train":
        yield from _of_losses(config, len(models))
    yield from _shared(config, roles)


def _roles_as_items(config: TrainingConfig, models: list[Any]) -> Iterator[Finding]:
    """Each item is one role with its network."""
    for index, item in enumerate(models):
        place = f"Arch.models.{index}"
        values: dict[str, Any] = {"length": 1, "models": len(models), "value": str(item)}
        fixes = (Fix("list-models", "advice", "safe"),)
        if item == {}:  # of several in one item, CFG113 speaks
            values |= {"length": 0, "value": ""}
            yield Finding(at=config.tree.at(place), case="several-in-one", fixes=fixes, **values)
        elif isinstance(item, dict) and len(item) == 1:
            ((role, block),) = item.items()
            if isinstance(block, dict) and "name" not in block:
                at = config.tree.key_at(f"{place}.{role}")
                yield Finding(at=at, case="no-name", fixes=(Fix("name-network", "advice", "safe"),), **{**values, "value": str(role)})
        elif item is not None and not isinstance(item, dict):
            yield Finding(at=config.tree.at(place), case="not-a-role", fixes=fixes, **values)


def _pretrained(config: TrainingConfig, models: list[Any], roles: tuple[Role, ...]) -> Iterator[Finding]:
    listed = config.tree.raw("Arch.pretrained_list")
    if not config.tree.has("Arch.pretrained_list") or listed is None:
        return
    unset = Fix("unset-list", "edit", "unsafe", at=config.tree.at("Arch.pretrained_list"), value=None)
    if not isinstance(listed, list):
        yield _no_list(config, "Arch.pretrained_list", "pretrained_list", listed, None, len(models))
        return
    given = [(index, entry) for index, entry in enumerate(listed) if entry is not None]
    if len(listed) != len(models):
        yield _wrong_length(config, "pretrained_list", len(listed), len(models), unset)
    elif given:
        index, entry = given[0]
        key = f"{roles[index].key}.pretrained" if roles else f"Arch.models.{index}"
        move = Fix("pretrained-of-role", "advice", "safe", snippet=f"pretrained: {entry}", values={"key": key})
        yield Finding(
            at=config.tree.at(f"Arch.pretrained_list.{index}"),
            case="default",
            fixes=(move, unset),
            length=len(listed),
            models=len(models),
            value=str(entry),
        )


def _of_losses(config: TrainingConfig, models: int) -> Iterator[Finding]:
    """`model_names` and `model_name_pairs`, of which the constructors assert that they are lists."""
    for key, loss, params in entries_of(config, "Loss.Train"):
        if not loss.startswith("Distillation"):
            continue
        for name in ("model_names", "model_name_pairs"):
            value = params.get(name)
            if name in params and not isinstance(value, list):
                meant = [value] if isinstance(value, str) and name == "model_names" and value.isidentifier() else None
                yield _no_list(config, f"{key}.{name}", name, value, meant, models)
        yield from _no_roles(config, key, loss, params, models)


def _no_roles(config: TrainingConfig, key: str, loss: str, params: dict[str, Any], models: int) -> Iterator[Finding]:
    """A loss that is told of no roles gives nothing: alone it ends the first batch, beside others it is left out of the sum."""
    found = signature("loss", loss)
    name = next((name for name in ("model_names", "model_name_pairs") if found is not None and name in found.names), None)
    if name is None or params.get(name, []) != [] or loss in PAIRS_BY_DEFAULT:
        return
    if found is not None and set(params) - found.names - {"weight"}:
        return  # CFG111: the list is written under another name
    example = ["Student"] if name == "model_names" else [["Student", "Teacher"]]
    losses = config.tree.raw("Loss.Train")
    case = "no-roles" if isinstance(losses, list) and len(losses) == 1 else "no-roles-beside"
    at = config.tree.at(f"{key}.{name}") if name in params else config.tree.key_at(key)
    fix = Fix("name-roles", "advice", "safe", snippet=f"{name}: {example}".replace("'", '"') + "\n", values={"list": name})
    yield Finding(at=at, case=case, fixes=(fix,), length=0, models=models, value=loss, list=name)


def _no_list(config: TrainingConfig, place: str, name: str, value: Any, meant: Any, models: int) -> Finding:
    at = config.tree.at(place)
    fixes: tuple[Fix, ...] = (Fix("write-list", "advice", "safe", values={"list": name}),)
    if meant is not None:
        fixes = (Fix("write-list", "edit", "safe", at=at, value=meant, values={"list": name}),)
    shown = "null" if value is None else ", ".join(map(str, value)) if isinstance(value, dict) else str(value)
    return Finding(at=at, case="no-list", fixes=fixes, length=1, models=models, value=shown, list=name)


def _shared(config: TrainingConfig, roles: tuple[Role, ...]) -> Iterator[Finding]:
    """One mapping that a YAML alias puts into two roles: the first takes its `name` out, the second finds none."""
    seen: dict[tuple[str, int | None, int | None], str] = {}
    for role in roles:
        for part in PARTS:
            place = f"{role.key}{part}.name"
            if not config.tree.has(place):
                continue
            at = config.tree.at(place)
            if at.file == OVERRIDE_FILE or at.line is None:
                continue
            spot = (at.file, at.line, at.column)
            if spot in seen:
                where = config.tree.at(f"{role.key}{part}")
                values = {"length": 2, "models": len(roles), "value": role.name, "other": seen[spot]}
                yield Finding(at=where, via=at, case="shared", fixes=(Fix("write-out", "advice", "safe"),), **values)
                break
            seen[spot] = role.name


def _wrong_length(config: TrainingConfig, name: str, length: int, models: int, fix: Fix | None) -> Finding:
    same = Fix("same-length", "advice", "safe", values={"list": name, "models": models})
    at = config.tree.at(f"Arch.{name}")
    return Finding(at=at, case="length", fixes=(same, fix) if fix else (same,), length=length, models=models, value=name)
