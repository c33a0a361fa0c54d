"""CFG: the learning rate: its sign, and its size against the shipped recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.label_survey import Labels
from checks.facts.machine import Host
from checks.facts.training_config import TrainingConfig
from checks.model import TRAIN, Finding, Fix, NotApplicable, Value
from checks.registry import check
from checks.schedule import Schedule, known_schedules, number_of, numbers_of
from knowledge.zoo import largest_rate, recipe

SUSPICIOUS_FACTOR = 8
"""How far above the shipped recipe a learning rate must lie to be reported; on one card AdamW recipes for eight are just that far."""

SMOKE_TEST_STEPS = 1000
"""Below so many steps in all, the rate of a run says little: nobody expects an accuracy of it."""


@check("CFG208", name="learning-rate-not-positive", stages=TRAIN)
def learning_rate_not_positive(config: TrainingConfig) -> Iterator[Finding]:
    """A learning rate of 0 trains nothing, one below 0 goes uphill or is refused."""
    for item in known_schedules(config):
        keys = ("lr",) if config.generation == "legacy" else ("learning_rate", "max_learning_rate", "base_learning_rate")
        for key in keys:
            value = number_of(item.params.get(key))
            if value is None or value > 0 or (value == 0 and (item.name == "Piecewise" or key == "base_learning_rate")):
                continue
            yield Finding(
                at=config.tree.at(f"{item.path}.{key}"),
                case="zero" if value == 0 else "default",
                fixes=(Fix("positive", "advice", "unsafe"),),
                learning_rate=value,
            )
        values = numbers_of(item.params.get("values")) or []
        if item.name == "Piecewise" and any(v < 0 for v in values):
            worst = min(range(len(values)), key=values.__getitem__)
            yield Finding(
                at=config.tree.at(f"{item.path}.values.{worst}"),
                fixes=(Fix("positive", "advice", "unsafe"),),
                learning_rate=values[worst],
            )


@check("CFG219", name="adamw-without-weight-decay", stages=TRAIN)
def adamw_without_weight_decay(config: TrainingConfig) -> Iterator[Finding]:
    """AdamW wants its weight decay as a number: none at all, or a `regularizer`, is a TypeError (`python/paddle/optimizer/adamw.py`)."""
    found = [item for item in known_schedules(config) if item.optimizer == "AdamW" and config.generation == "modern"]
    if not found:
        raise NotApplicable("no-adamw")
    for item in found:
        block = item.path.rpartition(".")[0]
        decay, regularizer = config.tree.raw(f"{block}.weight_decay"), config.tree.raw(f"{block}.regularizer")
        if regularizer is None and decay is not None:
            continue
        path = f"{block}.regularizer" if regularizer is not None else f"{block}.name" if config.tree.has(f"{block}.name") else block
        coefficient = config.tree.raw(f"{block}.regularizer.coeff")
        fixes = () if regularizer is not None else (Fix("give-decay", "edit", "unsafe", config.tree.at(f"{block}.weight_decay"), 0.05),)
        yield Finding(
            at=config.tree.key_at(path),
            case="regularizer" if regularizer is not None else "default",
            fixes=(*fixes, Fix("as-number", "advice", "unsafe", snippet=f"weight_decay: {coefficient or 0.05}")),
        )


@check("CFG209", name="learning-rate-above-recipe", stages=TRAIN)
def learning_rate_above_recipe(config: TrainingConfig, labels: Labels | None, host: Host | None) -> Iterator[Finding]:
    """The rate against the recipe that PaddleClas ships for this network, scaled linearly to the total batch.

    A modern batch counts per process, so the total is `batch_size × cards × update_freq`; a legacy one is the total already. Recipes are meant
    for 4 cards, with AdamW for 8 (`ppcls/engine/engine.py`).
    """
    found = [item for item in known_schedules(config) if config.generation == "legacy" or item.path == "Optimizer.lr"]
    loader = config.loader("Train")
    if not found or loader is None or loader.batch_size is None:
        raise NotApplicable("no-schedule")
    item = found[0]
    key = "lr" if config.generation == "legacy" else "learning_rate"
    rate = _rate(config, item, key)
    if rate is None or rate.value <= 0:
        raise NotApplicable("no-schedule")
    on_gpu = config.tree.raw("Global.device") == "gpu" or config.tree.raw("use_gpu") is True
    cards = max(1, host.gpu_count) if host and on_gpu else 1
    accumulate = config.tree.raw("Global.update_freq")
    accumulate = accumulate if type(accumulate) is int and accumulate > 0 else 1
    total = loader.batch_size.value * (1 if loader.batch_is_total else cards * accumulate)
    shipped = recipe(config.architecture.value if config.architecture else "")
    if shipped and total > 0 and item.optimizer in (shipped.optimizer, None):
        scaled = shipped.learning_rate * total / shipped.batch
        values: dict[str, Any] = {
            "learning_rate": rate.value,
            "batch": total,
            "cards": cards,
            "architecture": config.architecture.value if config.architecture else "",
            "optimizer": shipped.optimizer,
            "recipe_rate": shipped.learning_rate,
            "recipe_batch": shipped.batch,
            "scaled_rate": float(f"{scaled:.3g}"),
            "factor": float(f"{rate.value / scaled:.3g}"),
        }
        if rate.value > SUSPICIOUS_FACTOR * max(scaled, shipped.learning_rate):
            case = "default"
        elif rate.value > SUSPICIOUS_FACTOR * scaled * 1.001 and _steps(config, labels) >= SMOKE_TEST_STEPS:
            case = "scaled"
        else:
            return
        new = values["scaled_rate"]
        fixes = (Fix("scale", "edit", "unsafe", rate.location, new, values={"rate": new}),) if item.name != "Piecewise" else ()
        yield Finding(at=rate.location, case=case, fixes=fixes, **values)
        return
    most = largest_rate("Momentum" if item.optimizer == "SGD" else item.optimizer or "")  # the same step, without momentum a smaller one
    if most is not None and rate.value > SUSPICIOUS_FACTOR * most:
        yield Finding(
            at=rate.location,
            case="no-recipe",
            learning_rate=rate.value,
            optimizer=item.optimizer,
            recipe_rate=most,
            factor=float(f"{rate.value / most:.3g}"),
        )


def _rate(config: TrainingConfig, item: Schedule, key: str) -> Value[float] | None:
    first = numbers_of(item.params.get("values"))
    for path, value in ((key, item.params.get(key)), ("values.0", first[0] if first else None)):
        number = number_of(value)
        if number is not None:
            return Value(float(number), config.tree.at(f"{item.path}.{path}"))
    return None


def _steps(config: TrainingConfig, labels: Labels | None) -> int:
    """Steps of the whole training in one process; 0 where they are not known."""
    loader = config.loader("Train")
    samples = labels.samples(loader) if labels and loader else None
    if not samples or loader is None or loader.batch_size is None or loader.batch_size.value < 1 or config.epochs is None:
        return 0
    return samples // loader.batch_size.value * config.epochs.value
