"""CFG: epochs, learning rate, evaluation and saving: what the training does over time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from checks.facts.checkout import Checkout
from checks.facts.label_survey import Labels
from checks.facts.packages import Packages
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

RULE_EPOCHS = 30
"""From 2.5.1 on a `learning_rate` in Piecewise means: a tenth every 30 epochs, whatever the file says (`ppcls/optimizer/learning_rate.py`)."""

LEGACY_WARMUP = 5
"""`warmup_epoch` of the legacy CosineWarmup and ExponentialWarmup where the config gives none."""


class Schedule(NamedTuple):
    """One learning-rate schedule: of which optimizer, its name, the path of its block, and the block."""

    optimizer: str | None
    name: str | None
    path: str
    params: dict[str, Any]


def schedules(config: TrainingConfig) -> Iterator[Schedule]:
    """Every schedule: `Optimizer.lr`, one for each item where `Optimizer` is a list (2.4 and later), or the legacy `LEARNING_RATE`."""
    tree = config.tree
    if config.generation == "legacy":
        params = tree.raw("LEARNING_RATE.params")
        if isinstance(params, dict):
            yield Schedule(_text(tree.raw("OPTIMIZER.function")), _text(tree.raw("LEARNING_RATE.function")), "LEARNING_RATE.params", params)
        return
    optimizer = tree.raw("Optimizer")
    blocks = [(None, "Optimizer", optimizer)] if isinstance(optimizer, dict) else []
    for index, item in enumerate(optimizer if isinstance(optimizer, list) else ()):
        for name, block in item.items() if isinstance(item, dict) else ():
            blocks.append((name, f"Optimizer.{index}.{name}", block))
    for name, path, block in blocks:
        if isinstance(block, dict) and isinstance(block.get("lr"), dict):
            yield Schedule(_text(name or block.get("name")), _text(block["lr"].get("name")), f"{path}.lr", block["lr"])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def number_of(value: Any) -> float | None:
    """The value, if it is a number."""
    return value if type(value) in (int, float) else None


def numbers_of(value: Any) -> list[float] | None:
    """The value, if it is a list of numbers and not empty."""
    return value if isinstance(value, list) and value and all(type(v) in (int, float) for v in value) else None


def known_schedules(config: TrainingConfig) -> list[Schedule]:
    """The schedules of a config.

    Raises:
        NotApplicable: it has none.
    """
    found = list(schedules(config))
    if not found:
        raise NotApplicable("no-schedule")
    return found


def _blame(config: TrainingConfig, path: str) -> Location:
    """The value at a path, unless it stands in the file and an override changed the epochs it is compared with."""
    at = config.tree.at(path)
    if config.epochs and config.epochs.location.file == OVERRIDE_FILE and at.file != OVERRIDE_FILE:
        return config.epochs.location
    return at


@check("CFG204", name="warmup-exceeds-epochs", stages=TRAIN)
def warmup_exceeds_epochs(config: TrainingConfig) -> Iterator[Finding]:
    """A warm-up as long as the training: the rate only ever rises."""
    found = known_schedules(config)
    if config.epochs is None:
        raise NotApplicable("no-epochs")
    epochs = config.epochs.value
    for item in found:
        warmup = number_of(item.params.get("warmup_epoch"))
        legacy = config.generation == "legacy"
        if legacy and item.name in ("CosineWarmup", "ExponentialWarmup"):
            warmup = LEGACY_WARMUP if warmup is None else warmup
        elif legacy:
            continue  # the others have no warm-up and ignore the key
        if warmup is None or warmup <= 0 or epochs <= 0 or warmup < epochs:
            continue
        path, shorter = f"{item.path}.warmup_epoch", min(5, epochs // 10)
        yield Finding(
            at=_blame(config, path),
            case="legacy-stops" if item.name == "CosineWarmup" and legacy else "default",
            fixes=(Fix("shorter-warmup", "edit", "safe", config.tree.at(path), shorter, values={"warmup": shorter}),),
            warmup_epoch=warmup,
            epochs=epochs,
        )


@check("CFG205", name="decay-schedule-mismatch", stages=TRAIN)
def decay_schedule_mismatch(config: TrainingConfig, packages: Packages | None, checkout: Checkout | None) -> Iterator[Finding]:
    """Milestones of Piecewise, MultiStepDecay and Step against their values, their order and the epochs."""
    found = [item for item in known_schedules(config) if item.name in ("Piecewise", "MultiStepDecay", "Step")]
    odd = [finding for item in known_schedules(config) for finding in _odd_ends(config, item)]
    yield from odd
    if not found and not odd:
        raise NotApplicable("no-milestones")
    for item in found:
        if item.name == "Step":
            size = number_of(item.params.get("step_size"))
            if size is not None and config.epochs and size >= config.epochs.value > 0:
                yield _never(config, f"{item.path}.step_size", [size], "one-beyond")
            continue
        key = "milestones" if item.name == "MultiStepDecay" else "decay_epochs"
        path, steps = f"{item.path}.{key}", numbers_of(item.params.get(key))
        if steps is None:
            continue
        values = numbers_of(item.params.get("values")) if item.name == "Piecewise" and config.generation == "modern" else None
        rate = number_of(item.params.get("learning_rate")) if values else None
        evidence: dict[str, Any] = {
            "milestones": steps,
            "values": values,
            "learning_rate": rate,
            "epochs": config.epochs.value if config.epochs else None,
        }
        if any(a >= b for a, b in itertools.pairwise(steps)):
            yield Finding(
                at=config.tree.at(path),
                case="not-ascending-stops" if item.name == "MultiStepDecay" else "not-ascending",
                fixes=(Fix("sort", "edit", "unsafe", config.tree.at(path), sorted(set(steps)), values={"milestones": sorted(set(steps))}),),
                **evidence,
            )
            continue
        if values and len(values) != len(steps) + 1:
            short = len(values) <= len(steps)
            stops = short and not rate and packages is not None and _major(packages.paddle) >= 3
            yield Finding(
                at=config.tree.at(f"{item.path}.values"),
                case="short-stops" if stops else "short" if short else "long",
                fixes=(Fix("match-lengths", "advice", "unsafe", values={"wanted": len(steps) + 1}),),
                count=len(values),
                wanted=len(steps) + 1,
                **evidence,
            )
            continue
        if values and rate:
            if abs(rate - values[0]) > 1e-9 + 1e-6 * abs(rate):
                yield Finding(
                    at=config.tree.at(f"{item.path}.learning_rate"),
                    case="two-rates",
                    fixes=(Fix("remove-rate", "advice", "unsafe"),),
                    first=values[0],
                    **evidence,
                )
                continue
            if config.epochs and config.epochs.value > 0 and _overruled(rate, steps, values, config.epochs.value):
                by_rule = _by_rule(rate, config.epochs.value)[0]
                if checkout is not None and checkout.first("piecewise-by-rate") is None:
                    continue  # this PaddleClas goes by the file
                yield Finding(
                    at=config.tree.at(f"{item.path}.learning_rate"),
                    case="overruled" if checkout is None else "overruled-here",
                    fixes=(Fix("remove-rate", "advice", "unsafe"),),
                    by_rule=by_rule if by_rule != [config.epochs.value] else [],
                    **evidence,
                )
                continue
        if config.epochs and steps[0] >= config.epochs.value > 0:
            deliberate = len(steps) < 2 or config.epochs.location.file == OVERRIDE_FILE
            yield _never(config, path, steps, "one-beyond" if deliberate else "all-beyond")


def _odd_ends(config: TrainingConfig, item: Schedule) -> Iterator[Finding]:
    """Starts and ends of a schedule on the wrong side of its rate, and factors that do not lower it."""
    if config.generation == "legacy":
        return
    gamma = number_of(item.params.get("gamma"))
    if item.name in ("Step", "MultiStepDecay") and gamma is not None and gamma >= 1:
        at = config.tree.at(f"{item.path}.gamma")
        yield Finding(at=at, case="gamma", fixes=(Fix("tenth", "edit", "unsafe", at, 0.1),), value=gamma)
    rate, values = number_of(item.params.get("learning_rate")), numbers_of(item.params.get("values"))
    rate = values[0] if item.name == "Piecewise" and values and not rate else rate
    if rate is None or rate <= 0:
        return
    start, warmup = number_of(item.params.get("warmup_start_lr")), number_of(item.params.get("warmup_epoch"))
    if start is not None and start >= rate and warmup:
        at = config.tree.at(f"{item.path}.warmup_start_lr")
        yield Finding(at=at, case="warmup-start", fixes=(Fix("from-zero", "edit", "safe", at, 0.0),), value=start, learning_rate=rate)
    key = {"Cosine": "eta_min", "Linear": "end_lr", "ReduceOnPlateau": "min_lr"}.get(item.name or "", "")
    end = number_of(item.params.get(key))
    if end is not None and end > rate:
        at = config.tree.at(f"{item.path}.{key}")
        yield Finding(at=at, case="rises", fixes=(Fix("to-zero", "edit", "unsafe", at, 0.0),), key=key, value=end, learning_rate=rate)


def _major(version: str | None) -> int:
    first = (version or "").partition(".")[0]
    return int(first) if first.isdecimal() else 0


def _never(config: TrainingConfig, path: str, steps: list[float], case: str) -> Finding:
    epochs = config.epochs.value if config.epochs else 0
    fixes = (Fix("earlier", "advice", "unsafe", values={"epochs": epochs}),)
    return Finding(at=_blame(config, path), case=case, fixes=fixes, milestones=steps, epochs=epochs)


def _by_rule(rate: float, epochs: int) -> tuple[list[float], list[float]]:
    """What 2.5.1 and later make of `learning_rate`: the boundaries, and the rates between them."""
    starts = list(range(0, epochs, RULE_EPOCHS))
    if len(starts) == 1:
        return [epochs], [rate, rate]
    return [*starts[1:]], [rate * 0.1**k for k in range(len(starts))]


def _overruled(rate: float, steps: list[float], values: list[float], epochs: int) -> bool:
    """Whether that changes a single epoch of the training."""

    def curve(boundaries: list[float], rates: list[float]) -> list[float]:
        return [rates[sum(1 for b in boundaries if epoch >= b)] for epoch in range(min(epochs, 2000))]

    pairs = zip(curve(steps, values), curve(*_by_rule(rate, epochs)), strict=True)
    return any(abs(a - b) > 1e-12 + 1e-3 * abs(a) for a, b in pairs)


@check("CFG206", name="never-evaluated", stages=TRAIN)
def never_evaluated(config: TrainingConfig) -> Iterator[Finding]:
    """No epoch of the training is one after which PaddleClas evaluates, so there is no best model."""
    if config.generation != "modern" or not config.tree.raw("Global.eval_during_train"):
        raise NotApplicable("no-evaluation")
    if config.epochs is None:
        raise NotApplicable("no-epochs")
    epochs, interval = config.epochs.value, config.tree.raw("Global.eval_interval")
    start = config.tree.raw("Global.start_eval_epoch") or 0
    if type(interval) is not int or interval <= 0 or type(start) is not int or epochs <= 0:
        return
    last = epochs // interval * interval
    if last and last >= start:
        return
    case, key, value = ("default", "eval_interval", interval) if not last else ("start", "start_eval_epoch", start)
    path, better = f"Global.{key}", last if last else 1
    yield Finding(
        at=_blame(config, path),
        case=case,
        fixes=(Fix("evaluate", "edit", "safe", config.tree.at(path), better, values={"key": key, "value": better}),),
        value=value,
        epochs=epochs,
        eval_interval=interval,
    )


COUNTS = {
    # key: (stages that divide by it, what happens at 0)
    "Global.epochs": (TRAIN, "nothing-trained"),
    "Global.eval_interval": (TRAIN, "division"),
    "Global.print_batch_step": (TRAIN | EVAL, "division"),
    "Global.update_freq": (TRAIN, "division"),
    "Global.save_interval": (TRAIN, "no-epoch-saved"),
    "epochs": (TRAIN, "nothing-trained"),
    "valid_interval": (TRAIN, "division"),
    "save_interval": (TRAIN, "division"),
}
"""Counts that a run divides by, or counts up to."""


@check("CFG207", name="count-not-positive", stages=TRAIN | EVAL)
def count_not_positive(config: TrainingConfig) -> Iterator[Finding]:
    """0 epochs, an interval of 0, an `update_freq` of 0: nothing is trained, or a division by zero."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("no-schedule")
    for path, (stages, case) in COUNTS.items():
        value = config.tree.raw(path)
        unused = path in ("Global.eval_interval", "valid_interval") and not _evaluates(config)
        if type(value) is not int or config.stage not in _names(stages) or unused:
            continue
        if (config.generation == "legacy") == path.startswith("Global."):
            continue
        # a negative interval works as its amount does; epochs and update_freq do not
        if value > 0 or (value < 0 and path not in ("Global.epochs", "epochs", "Global.update_freq")):
            continue
        case = "negative" if value < 0 and path == "Global.update_freq" else case
        fixes: tuple[Fix, ...] = (
            () if case == "no-epoch-saved" else (Fix("set-one", "edit", "safe", config.tree.at(path), 1, values={"key": path}),)
        )
        yield Finding(at=config.tree.at(path), case=case, fixes=fixes, key=path, value=value)


def _names(stages: Any) -> tuple[str, ...]:
    return tuple(name for name, stage in (("train", TRAIN), ("eval", EVAL)) if stage in stages)


def _evaluates(config: TrainingConfig) -> bool:
    if config.generation == "legacy":
        return config.tree.raw("validate") is not False
    return bool(config.tree.raw("Global.eval_during_train"))


STALE_SHARE = 0.5
"""How much of the start an average may still hold before it is reported."""


@check("CFG218", name="average-follows-too-slowly", stages=TRAIN)
def average_follows_too_slowly(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """EMA that at the end of the training still consists mostly of the weights of its start: `decay` to the power of the steps."""
    decay = number_of(config.tree.raw("EMA.decay")) if isinstance(config.tree.raw("EMA"), dict) else None
    if isinstance(config.tree.raw("EMA"), dict) and decay is None and not config.tree.has("EMA.decay"):
        decay = 0.9999
    if decay is None or config.generation != "modern":
        raise NotApplicable("no-average")
    loader = config.loader("Train")
    samples = labels.samples(loader) if loader else None
    if not samples or loader is None or loader.batch_size is None or loader.batch_size.value < 1:
        raise NotApplicable("no-samples-known")
    if config.epochs is None or config.epochs.value < 1:
        raise NotApplicable("no-epochs")
    every = config.tree.raw("Global.update_freq")
    batches = config.tree.raw("Global.iter_per_epoch")
    batches = batches if type(batches) is int and batches > 0 else -(-samples // loader.batch_size.value)
    steps = batches * config.epochs.value // (every if type(every) is int and every > 0 else 1)
    share = min(1.0, decay) ** steps if decay > 0 else 0.0
    if share <= STALE_SHARE:
        return
    fitting = round(1 - 10 / max(steps, 20), 4)  # holds some 1/20000 of the start at the end
    yield Finding(
        at=config.tree.at("EMA.decay"),
        fixes=(
            Fix("faster", "edit", "unsafe", config.tree.at("EMA.decay"), fitting, values={"decay": fitting}),
            Fix("no-average", "advice", "safe"),
        ),
        decay=decay,
        steps=steps,
        percent=round(100 * share, 1),
    )
