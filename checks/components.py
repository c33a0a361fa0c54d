"""CFG: the names of architectures, losses, optimizers, schedules, metrics, samplers, datasets and transforms, and their parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from checks.facts.components import Components, Malformed, Use
from checks.facts.own_paddleclas import OwnPaddleClas
from checks.facts.training_config import TrainingConfig
from checks.judged import BY_EVAL, choice, known, rests, signature
from checks.model import ANY, EVAL, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.sections import RATE_KEYS
from knowledge import components as table
from knowledge.components import closest_parameter, suggest
from knowledge.likeness import plain
from knowledge.namespaces import INJECTED, NAMESPACES, base, written
from knowledge.signature import Signature

ONE_OF: dict[str, tuple[str, ...]] = {"ResizeImage": ("resize_short", "size")}
"""Constructors with defaults for all, of which they want one nevertheless."""

CONTAINERS = ("RecModel", "DistillationModel", "AttentionModel")
MOST_SUGGESTIONS = 200
"""So many unknown names get a suggestion; a file with more of them is no config with a slip in it."""

ROLES = "models:\n  - Teacher:\n      name: …\n  - Student:\n      name: …\n"
"""The roles of a distillation, each an item of its own."""

ASSERTED: dict[str, tuple[str, ...]] = {"DistillationModel": ("models",), "AttentionModel": ("models",)}
"""Parameters with a default that the constructor then asserts it is not."""


def _uses(components: Components) -> tuple[Use, ...]:
    if not components.uses:
        raise NotApplicable("no-components")
    return components.uses


def _name_at(config: TrainingConfig, use: Use) -> Location:
    at = config.tree.at(use.path)
    return config.tree.key_at(use.path) if use.keyed and at.file != OVERRIDE_FILE else at


def _key_at(config: TrainingConfig, path: str) -> Location:
    at = config.tree.at(path)
    return at if at.file == OVERRIDE_FILE else config.tree.key_at(path)


def _case(name: str, when: str) -> str:
    return name if when == "now" else f"{name}-later"


_MODULES = {
    "optimizer": "ppcls.optimizer.optimizer",
    "schedule": "ppcls.optimizer.learning_rate",
    "legacy.optimizer": "ppcls.optimizer.optimizer",
}


def _says(use: Use) -> str:
    """What PaddleClas ends with when it meets a name that it cannot resolve."""
    kind, name = use.kind, use.name
    if kind in BY_EVAL:
        return f"NameError: name '{name}' is not defined"
    if kind == "gear":
        return "AssertionError: head only support […]"
    if kind == "eval_mode":
        return f"AssertionError (Invalid eval mode: {name})"
    if kind == "legacy.arch":
        return f"Architecture [{name}] is not exist!"
    if kind == "regularizer":
        return f"AttributeError: module 'paddle.regularizer' has no attribute '{name}Decay'"
    module = NAMESPACES[base(kind)].module.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    return f"AttributeError: module '{module}' has no attribute '{written(kind, name)}'"


@check("CFG110", name="unknown-component", stages=ANY)
def unknown_component(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """A name that PaddleClas cannot resolve where it stands: the run stops with a NameError or AttributeError of that name."""
    count = 0
    for use in _uses(components):
        if known(use, own):
            continue
        at = _name_at(config, use)
        meant = suggest(use.kind, use.name, choice(use, own)) if count < MOST_SUGGESTIONS else None
        count += 1
        elsewhere = table.present_in(use.kind, use.name) if own else []
        file = table.hidden(use.kind, use.name)
        if elsewhere:
            case = "other-branch"
        elif meant and meant.use_ssld:
            case = "ssld"
        elif file:
            case = "hidden"
        else:
            case = "default" if meant else "no-suggestion"
        fixes = []
        if meant:
            same = plain(meant.name) == plain(use.name)
            if use.keyed or at.file == OVERRIDE_FILE or not _fits(use, meant.name, own):
                fixes.append(Fix("rename", "advice", "safe" if same else "unsafe", values={"suggestion": meant.name}))
            else:
                fixes.append(
                    Fix("rename", "edit", "safe" if same else "unsafe", at=at, value=meant.name, values={"suggestion": meant.name})
                )
            if meant.use_ssld and not use.keyed:
                holder = use.path.rpartition(".")[0]
                snippet = f"{holder.rpartition('.')[2]}:\n  name: {meant.name}\n  pretrained: True\n  use_ssld: True\n"
                fixes.append(Fix("use-ssld", "advice", "safe", snippet=snippet))
        if case == "hidden" and file:
            line = f"from {file.removesuffix('.py').replace('/', '.')} import {use.name}\n"
            fixes.append(Fix("import-it", "advice", "unsafe", snippet=f"# {NAMESPACES[base(use.kind)].module}\n{line}"))
        if elsewhere:
            fixes.append(Fix("other-checkout", "advice", "unsafe", values={"branches": elsewhere}))
        yield Finding(
            at=at,
            case=_case(case, use.when),
            fixes=tuple(fixes),
            key=use.path,
            name=use.name or "''",
            suggestion=meant.name if meant else None,
            says=_says(use),
            file=file or "",
            branches=elsewhere,
            branch=own.branch or "" if own else "",
        )


def _fits(use: Use, name: str, own: OwnPaddleClas | None) -> bool:
    """Whether the parameters that are written will do for another component."""
    found = signature(msgspec.structs.replace(use, name=name), own)
    return found is None or found.required <= set(use.parameters)


@check("CFG111", name="unknown-parameter", stages=ANY)
def unknown_parameter(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """A parameter that a constructor does not take: a TypeError, or, where `**kwargs` end in nothing, a setting without any effect."""
    seen = set()  # a YAML alias brings the same parameter into several lists
    for use in sorted(_uses(components), key=lambda use: use.when != "now"):
        found = signature(use, own) if known(use, own) and not use.kind.endswith("_mode") else None
        if found is None or found.rest == "open":
            continue
        for parameter in use.parameters:
            at = _key_at(config, use.place(parameter))
            spot = (at.file, at.line, at.column, use.name, parameter)
            if parameter in found.names or (at.line is not None and spot in seen):
                continue
            seen.add(spot)
            if parameter in ("sampler", "loader") and not config.tree.has(use.holder.rpartition(".")[0] + "." + parameter):
                continue  # CFG106: it stands a level too deep
            if use.kind == "optimizer" and parameter in RATE_KEYS and "lr" not in use.parameters:
                continue  # CFG106: the block `lr` is missing
            if found.rest == "ignored" and config.tree.raw(use.place(parameter)) is None:
                continue  # nothing written, and nothing done
            yield _unknown(config, use, parameter, found, own)


def _unknown(config: TrainingConfig, use: Use, parameter: str, found: Signature, own: OwnPaddleClas | None) -> Finding:
    suggestion = _meant(use, parameter, found)
    ends = rests(use, own)
    path = use.place(parameter)
    elsewhere = table.branches(use.kind, use.name, parameter) if own else []
    passed_twice = parameter in INJECTED.get(use.kind, ())
    if elsewhere:
        case = "other-branch-ignored" if ends == {"ignored"} else "other-branch"
    else:
        case = "error" if ends == {"error"} or passed_twice else "ignored" if ends == {"ignored"} else "mixed"
        if suggestion is None:
            case = "no-effect" if case == "ignored" and _matters(use) else f"{case}-no-suggestion"
    case = {"error": "default", "error-no-suggestion": "no-suggestion"}.get(case, case)
    needed = found.required | set(ASSERTED.get(use.name, ()))
    missed = case == "ignored" and suggestion in needed - set(use.parameters)
    case = "required" if missed else case
    fixes: tuple[Fix, ...] = ()
    if suggestion is not None:
        fix = "remove" if suggestion in use.parameters else "rename"
        fixes = (Fix(fix, "advice", "unsafe", values={"suggestion": suggestion}),)
    says = "got multiple values for keyword argument" if passed_twice else "got an unexpected keyword argument"
    return Finding(
        at=_key_at(config, path),
        case=_case(case, use.when),
        fixes=fixes,
        key=path,
        name=use.name,
        parameter=parameter,
        suggestion=suggestion,
        takes=sorted(found.names - {"name"}),
        says=_missing_says(use, [suggestion], ()) if missed and suggestion else f"TypeError: … {says} '{parameter}'",
        branches=elsewhere,
        branch=own.branch or "" if own else "",
    )


def _matters(use: Use) -> bool:
    """Whether a parameter without effect is likely to be missed: of a network it is, of a container or a schedule it is mostly a left-over."""
    return base(use.kind) in ("arch", "gear") and use.name not in CONTAINERS


def _meant(use: Use, parameter: str, found: Signature) -> str | None:
    if use.kind.endswith("schedule") and parameter not in found.names:
        # Cosine of 2.1 and before takes no warmup_epoch: CosineWarmup does
        for name in table.names(use.kind):
            other = table.signature(use.kind, name)
            if name.startswith(use.name) and name != use.name and other and parameter in other.names:
                return name
    if use.kind == "optimizer" and plain(parameter) in {plain(key) for key in ("lr", *RATE_KEYS)} and "lr" in use.parameters:
        return "lr.learning_rate"
    if use.kind == "legacy.arch" and plain(parameter) in ("classdim", "classnum", "classesnum", "numclasses"):
        return "classes_num"
    absent = found.required - set(use.parameters)
    return (closest_parameter(use.kind, parameter, absent) if absent else None) or closest_parameter(
        use.kind, parameter, found.names, use.parameters
    )


@check("CFG112", name="missing-parameter", stages=ANY)
def missing_parameter(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """A parameter without a default that the config does not give: the constructor raises TypeError, a loss without weight AssertionError."""
    for use in _uses(components):
        found = signature(use, own) if known(use, own) and not use.kind.endswith("_mode") else None
        if found is None:
            continue
        given = set(use.parameters)
        missing = (found.required | set(ASSERTED.get(use.name, ()))) - given
        if use.kind == "transform":
            missing -= {"class_num"}  # of an operator of batches, which stands in the wrong list (CFG213)
        one_of = ONE_OF.get(use.name, ())
        if not missing and not (one_of and set(one_of) <= found.names and not given & set(one_of)):
            continue
        # where a parameter is misspelt, the misspelling is the fault (CFG111)
        meant = {_meant(use, p, found) for p in given - found.names} if found.rest != "open" else set()
        missing -= {m for m in meant if m}
        if not missing and (not one_of or meant & set(one_of)):
            continue
        wanted = sorted(missing) or list(one_of)
        at = _key_at(config, use.path if use.keyed else use.holder)
        yield Finding(
            at=at,
            case=_case("default" if missing else "one-of", use.when),
            fixes=(Fix("add", "advice", "unsafe", values={"parameters": wanted}),),
            key=use.path if use.keyed else use.holder,
            name=use.name,
            parameters=wanted,
            says=_missing_says(use, wanted, one_of),
        )


def _missing_says(use: Use, wanted: list[str], one_of: tuple[str, ...]) -> str:
    if use.kind == "loss" and "weight" in wanted:
        return "AssertionError: weight must be in param" if use.parameters else "TypeError: argument … is not iterable"
    if tuple(wanted) == one_of:
        return "OperatorParamError: invalid params for ReisizeImage"
    if use.name in ASSERTED:
        return "AssertionError"
    if use.kind.startswith("arch") and use.name == "RecModel":
        return "KeyError: 'Backbone'"
    return f"TypeError: … missing {len(wanted)} required positional argument{'s' if len(wanted) > 1 else ''}: '{wanted[0]}'"


@check("CFG113", name="malformed-list-item", stages=ANY)
def malformed_list_item(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """An item of a list that is not one name with its parameters: a dash or an indent is missing, or too much."""
    if not components.uses and not components.malformed:
        raise NotApplicable("no-components")
    for item in components.malformed:
        case = {"null-item": "not-a-mapping", "empty-item": "not-a-mapping"}.get(item.problem, item.problem)
        values: dict[str, Any] = {
            "key": item.path,
            "keys": list(item.keys),
            "value": item.value,
            "first": item.keys[0] if item.keys else "",
        }
        fixes = [Fix(case, "advice", "safe", snippet=_as_it_should_be(config, item) if item.kind != "role" else ROLES)]
        at = config.tree.at(item.path)
        if item.problem == "two-keys" and item.kind != "role":
            first, *others = item.keys
            use = Use(item.kind, first, f"{item.path}.{first}", True, "", (), item.when)
            found = signature(use, own) if known(use, own) else None
            names = found.names if found else frozenset()
            if others and all(key in names or (not known(_other(item, key), own) and key[:1].islower()) for key in others):
                case = "no-indent"
            at = _key_at(config, f"{item.path}.{others[0]}")
            values["second"] = others[0]
            fixes = [Fix(case, "advice", "safe", snippet=_as_it_should_be(config, item, indent=case == "no-indent"))]
        elif item.problem == "two-keys":
            values["second"] = item.keys[1]
            at = _key_at(config, f"{item.path}.{item.keys[1]}")
        elif item.problem == "not-a-list" and item.kind == "transform.batch":
            case = "batch-ignored"
        elif item.problem in ("not-a-list", "bad-parameters"):
            at = _key_at(config, item.path)
        yield Finding(at=at, case=_case(case, item.when), fixes=tuple(fixes), **{"second": "", **values})


ENDS_HOLES = ("release/2.5.2", "develop")
"""From here on Cutout keeps a `fill_value` only where it is none: any other leaves an attribute unset that every image asks for."""


@check("CFG115", name="transform-broken-here", stages=TRAIN | EVAL)
def transform_broken_here(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """Cutout that fills its holes with anything but chance: from 2.5.2 on each image fails, and the run hangs (`ops/cutout.py`)."""
    found = [use for use in _uses(components) if use.kind == "transform" and use.name == "Cutout" and use.when == "now"]
    if not found:
        raise NotApplicable("no-such-transform")
    branches = [own.branch] if own and own.branch else table.era((u.kind, u.name, u.parameters) for u in components.uses)
    for use in found:
        path = use.place("fill_value")
        given = "fill_value" in use.parameters
        if (given and config.tree.raw(path) in (None, "none")) or config.tree.raw(use.place("n_holes")) == 0:
            continue
        if not given and not set(branches) & set(ENDS_HOLES):
            continue
        sure = given or set(branches) <= set(ENDS_HOLES)
        fix = Fix("fill-none", "edit", "safe", at=config.tree.at(path), value="none") if given else None
        snippet = "- Cutout:\n    n_holes: 1\n    length: 112\n    fill_value: none\n"
        yield Finding(
            at=config.tree.at(path) if given else _key_at(config, use.path),
            case="default" if sure else "from-2.5.2",
            fixes=(fix or Fix("fill-none", "advice", "safe", snippet=snippet), Fix("other", "advice", "unsafe")),
            name=use.name,
            key=use.path,
        )


def _other(item: Malformed, key: str) -> Use:
    return Use(item.kind, key, f"{item.path}.{key}", True, "", (), item.when)


def _as_it_should_be(config: TrainingConfig, item: Malformed, *, indent: bool = False) -> str:
    """The item, or the list, in the shape that PaddleClas reads."""
    value = config.tree.raw(item.path)
    if item.problem == "two-keys" and indent:
        first, *others = item.keys
        given = value if isinstance(value, dict) else {}
        inner = given.get(first)
        return _item(first, {**(inner if isinstance(inner, dict) else {}), **{key: given[key] for key in others}})
    if item.problem in ("two-keys", "not-a-list") and isinstance(value, dict):
        return "".join(_item(key, params) for key, params in value.items())
    if item.problem == "bad-parameters":
        if value is None:
            return f"- {item.keys[0]}: {{}}\n"
        found = table.signature(item.kind, item.keys[0])
        wanted = sorted(found.required) if found else []
        return _item(item.keys[0], dict.fromkeys(wanted[:1] or ["…"], value if not isinstance(value, dict) else "…"))
    return _item(item.value if item.value.isidentifier() and item.problem == "not-a-mapping" else "Name", {})


def _item(name: str, params: Any) -> str:
    if not isinstance(params, dict) or not params:
        return f"- {name}:\n"
    return f"- {name}:\n" + "".join(f"    {key}: {_scalar(value)}\n" for key, value in params.items())


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_scalar(inner)}" for key, inner in value.items()) + "}"
    return "null" if value is None else f"'{value}'" if value == "" else str(value)


@check("CFG114", name="deprecated-component", stages=ANY)
def deprecated_component(config: TrainingConfig, components: Components, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """MixCELoss: 2.2 computes the loss of mixed batches with it, from 2.3 on it only raises "please use CELoss"."""
    for use in _uses(components):
        if use.kind != "loss" or use.name != "MixCELoss" or not known(use, own):
            continue
        if own and own.branch == "release/2.2":
            continue
        case = "default"
        era = table.era((u.kind, u.name, u.parameters) for u in components.uses if u.name != "MixCELoss")
        if not (own and own.branch) and "release/2.2" in era and not config.tree.raw("Metric.Train"):
            case = "older"  # 2.2 could run this config, and ships 39 like it
        fixes = (Fix("use-celoss", "advice", "safe", snippet="- CELoss:\n    weight: 1.0\n"),)
        yield Finding(at=_name_at(config, use), case=_case(case, use.when), fixes=fixes, key=use.path, name=use.name)
