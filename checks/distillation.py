"""DST: teacher and student."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.label_survey import Labels
from checks.facts.rec_parts import feature_width, outputs_of
from checks.facts.sub_networks import Role, class_count, entries_of, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from knowledge.likeness import nearest

COMPARE_LOGITS = frozenset(
    {
        "DistillationCELoss",
        "DistillationDISTLoss",
        "DistillationDKDLoss",
        "DistillationDMLLoss",
        "DistillationDistanceLoss",
        "DistillationKLDivLoss",
        "DistillationWSLLoss",
    }
)
"""Losses that hold the outputs of two roles against each other, element by element, unless `key` names something else."""

STUDENT = "Student"
"""The role whose output evaluation and inference take; the name is fixed in `ppcls/engine`."""

SMALL_SET = 50_000
"""Training samples below which a student without weights of its own loses most of what a distillation gives (FAQ 2.3)."""

REFERENCE_LR, REFERENCE_BATCH = 0.4, 1024
"""The recipe of `PPLCNet_x1_0_ssld.yaml` (2.4 and later): learning rate and total batch on ImageNet."""
USUAL_CARDS = 4
"""Cards that the shipped recipes are written for."""


def _roles(config: TrainingConfig) -> tuple[Role, ...]:
    if not is_distillation(config):
        raise NotApplicable("no-distillation")
    roles = roles_of(config)
    if not roles:
        raise NotApplicable("no-roles-read")
    return roles


def _switched_off(value: Any) -> bool:
    return value is None or value is False or value == ""


@check("DST101", name="roles-differ-in-classes", stages=TRAIN)
def roles_differ_in_classes(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """A loss compares the outputs of two roles that have not the same number of them (FAQ 2.3)."""
    roles = {role.name: role for role in _roles(config)}
    counts = {name: class_count(role.params) for name, role in roles.items()}
    needed = max((s.needed_class_num or 0 for s in labels.of("Train") if s.format.labels == "class"), default=0)
    done: set[tuple[str, str]] = set()
    for _, loss, params in entries_of(config, "Loss.Train"):
        if loss in COMPARE_LOGITS and params.get("key") in ("features", "backbone", "neck"):
            yield from _features_differ(config, roles, loss, params)
        if loss not in COMPARE_LOGITS or params.get("key") not in (None, "logits"):
            continue
        for pair in _pairs(params):
            one, other = counts.get(pair[0]), counts.get(pair[1])
            if one is None or other is None or one == other or pair in done:
                continue
            done.add(pair)
            if min(one, other) < needed == max(one, other):
                continue  # LAB102: too few for the labels as well, and repaired alike
            wrong = _at_fault(config, pair, (one, other), needed)
            right = pair[0] if wrong == pair[1] else pair[1]
            head = "Head." if roles[wrong].params.get("name") == "RecModel" else ""
            at = config.tree.at(f"{roles[wrong].key}.{head}class_num")
            yield Finding(
                at=at,
                fixes=(Fix("same-count", "edit", "unsafe", at=at, value=counts[right], values={"role": wrong, "count": counts[right]}),),
                role=wrong,
                count=counts[wrong],
                other=right,
                other_count=counts[right],
                loss=loss,
                given=config.tree.has(f"{roles[wrong].key}.{head}class_num"),
                needed=needed or None,
            )


def _features_differ(config: TrainingConfig, roles: dict[str, Role], loss: str, params: dict[str, Any]) -> Iterator[Finding]:
    """The features of two RecModels that are compared number by number have not the same width."""
    source = "backbone" if params["key"] == "backbone" else "features"
    for pair in _pairs(params):
        if pair[0] not in roles or pair[1] not in roles:
            continue
        one, other = (feature_width(roles[name].params, source) if outputs_of(roles[name].params) else None for name in pair)
        if one is not None and other is not None and one != other:
            wrong = pair[1] if pair[0] == (config.tree.raw("Arch.infer_model_name") or STUDENT) else pair[0]
            right = pair[0] if wrong == pair[1] else pair[1]
            widths = dict(zip(pair, (one, other), strict=True))
            part = "Backbone" if source == "backbone" or not isinstance(roles[wrong].params.get("Neck"), dict) else "Neck"
            yield Finding(
                at=config.tree.at(f"{roles[wrong].key}.{part}.name"),
                case="features",
                fixes=(Fix("same-width", "advice", "unsafe", values={"role": wrong, "other": right}),),
                role=wrong,
                count=widths[wrong],
                other=right,
                other_count=widths[right],
                loss=loss,
                given=True,
                needed=None,
            )


def _pairs(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    pairs = params.get("model_name_pairs")
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair):
            yield (pair[0], pair[1])


def _at_fault(config: TrainingConfig, pair: tuple[str, str], counts: tuple[int, int], needed: int) -> str:
    """The role to blame: the one that does not fit the labels, else the one that is not exported."""
    if needed and (counts[0] == needed) != (counts[1] == needed):
        return pair[1] if counts[0] == needed else pair[0]
    kept = config.tree.raw("Arch.infer_model_name") or STUDENT
    return pair[0] if pair[1] == kept else pair[1]


@check("DST102", name="unknown-role", stages=TRAIN | EVAL | EXPORT | INFER)
def unknown_role(config: TrainingConfig) -> Iterator[Finding]:
    """A loss, a metric or `infer_model_name` names a role that `models` does not hold."""
    names = [role.name for role in _roles(config)]
    if config.stage == "export":
        yield from _at_export(config, names)
        return
    absent = list(_without_student(config, names)) if STUDENT not in names else []
    users = list(_in_losses(config, names)) if config.stage == "train" else []
    yield from absent
    said = {finding.evidence["name"] for finding in absent}
    for finding in users:
        name = finding.evidence["name"]
        if finding.case is None and name in said:
            continue  # one name that no role has, however many use it, is one fault
        said.add(name)
        yield finding


def _in_losses(config: TrainingConfig, names: list[str]) -> Iterator[Finding]:
    for key, loss, params in entries_of(config, "Loss.Train"):
        pairs = params.get("model_name_pairs")
        for index, pair in enumerate(pairs if isinstance(pairs, list) else ()):
            here = f"{key}.model_name_pairs.{index}"
            if isinstance(pair, str):
                if pair[:1] not in names or pair[1:2] not in names:
                    yield _unknown(config, here, pair, loss, names, case="no-pair")
                    break  # what is one pair without its brackets
                continue
            if not isinstance(pair, list) or len(pair) < 2:
                shown = ", ".join(map(str, pair)) if isinstance(pair, (dict, list)) else pair
                yield _unknown(config, here, shown, loss, names, case="no-pair")
                continue
            if pair[0] == pair[1] and pair[0] in names and loss != "DistillationGTCELoss":
                yield _unknown(config, here, pair[0], loss, names, case="same-role")
            for place, name in enumerate(pair[:2]):
                if name not in names:
                    yield _unknown(config, f"{here}.{place}", name, loss, names)
        listed = params.get("model_names")
        for index, name in enumerate(listed if isinstance(listed, list) else ()):
            if name not in names:
                yield _unknown(config, f"{key}.model_names.{index}", name, loss, names)
    for key, metric, params in entries_of(config, "Metric.Train"):
        if metric == "DistillationTopkAcc" and "model_key" in params and params["model_key"] not in names:
            yield _unknown(config, f"{key}.model_key", params["model_key"], metric, names)


def _unknown(config: TrainingConfig, key: str, name: Any, user: str, names: list[str], case: str | None = None) -> Finding:
    at = config.tree.at(key)
    fixes = []
    near = next((n for n in names if isinstance(name, str) and n.lower() == name.lower()), None)
    if case is None and near is None and isinstance(name, str):
        near = nearest(name, names, 0.5)
    if case is None and near:
        fixes.append(Fix("use-role", "edit", "safe", at=at, value=near, values={"near": near}))
    else:
        fixes.append(Fix("name-roles", "advice", "safe", values={"roles": names}))
    return Finding(at=at, case=case, fixes=tuple(fixes), name="null" if name is None else str(name), user=user, roles=names)


def _at_export(config: TrainingConfig, names: list[str]) -> Iterator[Finding]:
    name = config.tree.raw("Arch.infer_model_name")
    if name in names:
        return
    kept = STUDENT if STUDENT in names else names[-1]
    if config.tree.has("Arch.infer_model_name"):
        yield _unknown(config, "Arch.infer_model_name", name, "infer_model_name", names)
        return
    snippet = f"infer_model_name: {kept}"
    yield Finding(
        at=config.tree.key_at("Arch"),
        case="no-infer-model-name",
        fixes=(Fix("add-infer-model-name", "advice", "safe", snippet=snippet, values={"kept": kept}),),
        name="",
        user="infer_model_name",
        roles=names,
    )


def _without_student(config: TrainingConfig, names: list[str]) -> Iterator[Finding]:
    """Evaluation and inference take `out["Student"]`; without that role they hand the whole dictionary on."""
    if config.stage == "infer":
        user = "Infer.PostProcess"
    else:
        off = config.stage == "train" and config.tree.raw("Global.eval_during_train") is False
        if off or config.tree.raw("Global.eval_mode") not in (None, "classification"):
            return
        uses = [name for path in ("Loss.Eval", "Metric.Eval") for _, name, _ in entries_of(config, path)]
        user = next((name for name in uses if not name.startswith("Distillation")), "")
        if not user:
            return
    yield Finding(
        at=config.tree.key_at("Arch.models"),
        case="no-student-infer" if config.stage == "infer" else "no-student",
        fixes=(Fix("rename-student", "advice", "unsafe"),),
        name=STUDENT,
        user=user,
        roles=names,
    )


def _frozen(config: TrainingConfig, roles: tuple[Role, ...]) -> set[str]:
    listed = config.tree.raw("Arch.freeze_params_list")
    if not isinstance(listed, list) or len(listed) != len(roles):
        return set()
    return {role.name for role in roles if listed[role.index]}


def _has_weights(config: TrainingConfig, role: Role) -> bool:
    if config.pretrained or config.checkpoints or role.name.startswith("UniFormer"):
        return True
    block = role.params.get("Backbone") if role.params.get("name") == "RecModel" else role.params
    if not isinstance(block, dict) or str(block.get("name", "")).startswith("UniFormer_"):
        return True  # UniFormer_* load weights unless told not to
    return not _switched_off(block.get("pretrained"))


@check("DST104", name="teacher-teaches-nothing", stages=TRAIN)
def teacher_teaches_nothing(config: TrainingConfig) -> Iterator[Finding]:
    """The frozen teacher has random weights, or what should learn is frozen (FAQ 2.3)."""
    roles = _roles(config)
    frozen = _frozen(config, roles)
    kept = config.tree.raw("Arch.infer_model_name") or STUDENT
    at = config.tree.at("Arch.freeze_params_list")
    if frozen and len(frozen) == len(roles):
        yield _frozen_finding(config, roles, kept, "all-frozen")
        return
    if kept in frozen:
        yield _frozen_finding(config, roles, kept, "student-frozen")
    else:
        yield from _in_no_loss(config, roles, kept)
    for role in roles:
        if role.name in frozen and role.name != kept and not _has_weights(config, role):
            key = f"{role.key}.pretrained"
            block = config.tree.at(key) if config.tree.has(key) else config.tree.at(f"{role.key}.name")
            yield Finding(
                at=block,
                via=at,
                case="default",
                fixes=(
                    Fix(
                        "give-weights",
                        "advice",
                        "safe",
                        command=f"python tools/train.py -c {config.file} -o {key}=PATH/best_model",
                        values={"key": key, "role": role.name},
                    ),
                ),
                role=role.name,
                architecture=str(role.params.get("name")),
                student=kept,
            )


def _in_no_loss(config: TrainingConfig, roles: tuple[Role, ...], kept: str) -> Iterator[Finding]:
    """No loss names the role that is exported: whatever is learnt, it is not learnt there."""
    losses = entries_of(config, "Loss.Train")
    listed = [(name, params) for _, name, params in losses]
    role = next((role for role in roles if role.name == kept), None)
    if role is None or not listed or not all(name.startswith("Distillation") for name, _ in listed):
        return
    named: set[str] = set()
    for _, params in listed:
        if not {"model_names", "model_name_pairs"} & set(params):
            return  # what it then compares is its own default
        names, pairs = params.get("model_names"), params.get("model_name_pairs")
        for value in (names, *(pairs if isinstance(pairs, list) else ())):
            if not isinstance(value, list) and value is not None:
                return  # of a form that stops the run: DST102, DST103
            named.update(map(str, value or ()))
    if kept in named or not named <= {role.name for role in roles}:
        return
    fixes = (Fix("name-in-loss", "advice", "safe", snippet=f"- DistillationGTCELoss:\n    weight: 1.0\n    model_names: [{kept}]\n"),)
    yield Finding(
        at=config.tree.key_at("Loss.Train"),
        via=config.tree.at(f"{role.key}.name"),
        case="in-no-loss",
        fixes=fixes,
        role=", ".join(sorted(named)),
        architecture=str(role.params.get("name")),
        student=kept,
    )


def _frozen_finding(config: TrainingConfig, roles: tuple[Role, ...], kept: str, case: str) -> Finding:
    index = next((role.index for role in roles if role.name == kept), len(roles) - 1)
    at = config.tree.at(f"Arch.freeze_params_list.{index}")
    fixes = (Fix("unfreeze", "edit", "safe", at=at, value=False, values={"role": roles[index].name}),)
    return Finding(at=at, case=case, fixes=fixes, role=roles[index].name, architecture=str(roles[index].params.get("name")), student=kept)


@check("DST105", name="distillation-recipe", stages=TRAIN)
def distillation_recipe(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """A recipe for millions of images on a small set: the learning rate, or a student without weights (FAQ 2.3)."""
    roles = _roles(config)
    train = config.loader("Train")
    samples = labels.samples(train) if train else None
    if samples is None or train is None:
        raise NotApplicable("no-train-labels")
    if samples >= SMALL_SET:
        return
    kept = config.tree.raw("Arch.infer_model_name") or STUDENT
    student = next((role for role in roles if role.name == kept), None)
    batch = train.batch_size.value if train.batch_size else 0
    bound = REFERENCE_LR * batch * USUAL_CARDS / REFERENCE_BATCH
    rate = config.learning_rate
    if rate and batch and config.tree.raw("Optimizer.name") == "Momentum" and rate.value > bound:
        yield Finding(
            at=rate.location,
            case="default",
            fixes=(Fix("smaller-rate", "advice", "safe", values={"low": _short(bound / 10), "high": _short(bound / 2)}),),
            samples=samples,
            learning_rate=rate.value,
            batch_size=batch,
            bound=_short(bound),
            student=kept,
        )
    if student and not _has_weights(config, student) and student.name not in _frozen(config, roles):
        key = f"{student.key}.pretrained"
        yield Finding(
            at=config.tree.at(key) if config.tree.has(key) else config.tree.at(f"{student.key}.name"),
            case="student-from-scratch",
            fixes=(Fix("student-weights", "advice", "unsafe", values={"key": key}),),
            samples=samples,
            student=kept,
            learning_rate=rate.value if rate else None,
            batch_size=batch,
            bound=_short(bound),
        )


def _short(number: float) -> float:
    return float(f"{number:.2g}")


@check("DST106", name="legacy-distillation-switch", stages=TRAIN | EVAL)
def legacy_distillation_switch(config: TrainingConfig) -> Iterator[Finding]:
    """`use_distillation` and the network of a legacy config disagree on whether there are two outputs (2.0-beta to 2.1)."""
    name = config.architecture
    if config.generation != "legacy" or name is None:
        raise NotApplicable("no-legacy-network")
    switched = bool(config.tree.raw("use_distillation"))
    if switched == ("_distill_" in name.value):
        return
    at = config.tree.at("use_distillation") if config.tree.has("use_distillation") else name.location
    edit = Fix("switch", "edit", "safe", at=at, value=not switched, values={"value": not switched})
    advice = Fix("switch", "advice", "safe", snippet="use_distillation: True", values={"value": True})
    there = config.tree.has("use_distillation")
    yield Finding(at=at, via=name.location, case=None if switched else "off", fixes=(edit if there else advice,), architecture=name.value)
