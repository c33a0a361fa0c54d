"""CFG: the optimizer: what it works on, how hard it decays the weights, and when its schedule moves."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.sub_networks import entries_of
from checks.facts.training_config import TrainingConfig
from checks.model import TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.schedule import Schedule, known_schedules, number_of, numbers_of
from knowledge.zoo import known

WITHOUT_PARAMETERS = frozenset({"CELoss", "MultiLabelLoss", "TripletLoss", "TripletLossV2"})
"""Losses that have nothing to be trained, so that no optimizer can be made for them."""

PARTS = ("backbone", "neck", "head")
"""Parts of a RecModel that an optimizer may be meant for."""


@check("CFG117", name="optimizer-scope", stages=TRAIN)
def optimizer_scope(config: TrainingConfig) -> Iterator[Finding]:
    """An optimizer of a list that does not say what it is for, or is for something that is not there (2.4 and later)."""
    listed = config.tree.raw("Optimizer")
    if config.generation != "modern" or not isinstance(listed, list):
        raise NotApplicable("no-optimizer-list")
    losses = [name for _, name, _ in entries_of(config, "Loss.Train")]
    for key, name, params in entries_of(config, "Optimizer"):
        scope = params.get("scope")
        if not params:
            continue  # CFG113
        if "scope" not in params:
            fix = Fix("add-scope", "advice", "safe", snippet=f"- {name}:\n    scope: all\n")
            yield Finding(at=config.tree.key_at(key), case="missing", fixes=(fix,), optimizer=name, scope="", there=losses)
        elif isinstance(scope, str) and _nothing_to_train(config, scope, losses):
            there = [loss for loss in losses if loss not in WITHOUT_PARAMETERS]
            fix = Fix("all", "edit", "unsafe", at=config.tree.at(f"{key}.scope"), value="all")
            yield Finding(at=config.tree.at(f"{key}.scope"), fixes=(fix,), optimizer=name, scope=scope, there=there)


def _nothing_to_train(config: TrainingConfig, scope: str, losses: list[str]) -> bool:
    if scope.endswith("Loss"):
        return scope not in losses or scope in WITHOUT_PARAMETERS
    arch = config.tree.raw("Arch.name")
    if arch == "RecModel" and scope in PARTS:
        return not isinstance(config.tree.raw(f"Arch.{scope.capitalize()}"), dict)
    return scope in ("backbone", "neck") and isinstance(arch, str) and known(arch)


STRONGEST_SHARE = 0.01
"""Learning rate times decay from which on the weights are worn away faster than they are learnt; 25 times the strongest shipped recipe."""


@check("CFG222", name="weight-decay-too-strong", stages=TRAIN)
def weight_decay_too_strong(config: TrainingConfig) -> Iterator[Finding]:
    """A weight decay that takes a hundredth of all weights and more in every step; exit status 0, and nothing learnt."""
    found = 0
    for item in known_schedules(config):
        block = item.path.rpartition(".")[0] if config.generation == "modern" else "OPTIMIZER"
        keys = ("weight_decay", "regularizer.coeff") if config.generation == "modern" else ("regularizer.factor",)
        rates = [
            *(numbers_of(item.params.get("values")) or ()),
            *(item.params.get(k) for k in ("learning_rate", "max_learning_rate", "lr")),
        ]
        rate = max((r for r in map(number_of, rates) if r is not None), default=None)
        for key in keys:
            decay = number_of(config.tree.raw(f"{block}.{key}"))
            if decay is None or rate is None:
                continue
            found += 1
            if rate > 0 and decay * rate >= STRONGEST_SHARE:
                at = config.tree.at(f"{block}.{key}")
                better = 0.05 if key == "weight_decay" else 0.0001
                yield Finding(
                    at=at,
                    fixes=(Fix("usual", "edit", "unsafe", at=at, value=better, values={"better": better}),),
                    key=f"{block}.{key}",
                    decay=decay,
                    learning_rate=rate,
                    percent=round(min(1.0, decay * rate) * 100, 1),
                )
    if not found:
        raise NotApplicable("no-weight-decay")


@check("CFG223", name="plateau-without-metric", stages=TRAIN)
def plateau_without_metric(config: TrainingConfig) -> Iterator[Finding]:
    """ReduceOnPlateau is moved by the metric of an evaluation alone, and only with `by_epoch` (`ppcls/engine/engine.py`, 2.5.1 and later)."""
    found = [item for item in known_schedules(config) if item.name == "ReduceOnPlateau" and config.generation == "modern"]
    if not found:
        raise NotApplicable("no-plateau")
    for item in found:
        if not item.params.get("by_epoch"):
            snippet = "lr:\n  name: ReduceOnPlateau\n  by_epoch: True\n  mode: max\n"
            yield _to_be_set(config, item, "by_epoch", True, "default", Fix("by-epoch", "advice", "safe", snippet=snippet))
        elif config.tree.raw("Global.eval_during_train") is False:
            at = config.tree.at("Global.eval_during_train")
            yield Finding(at=at, case="no-evaluation", fixes=(Fix("evaluate", "edit", "safe", at=at, value=True),))
        elif item.params.get("mode", "min") == "min":
            yield _to_be_set(config, item, "mode", "max", "min", Fix("max", "advice", "safe", snippet="mode: max"))


def _to_be_set(config: TrainingConfig, item: Schedule, parameter: str, value: object, case: str, advice: Fix) -> Finding:
    """A parameter of a schedule with another value, blamed and set where it stands; where it does not, the schedule is blamed."""
    if parameter not in item.params:
        return Finding(at=config.tree.at(f"{item.path}.name"), case=case, fixes=(advice,))
    at = config.tree.at(f"{item.path}.{parameter}")
    return Finding(at=at, case=case, fixes=(Fix(advice.id, "edit", "safe", at=at, value=value),))


NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "progressive": (
        ("DataLoader.Train.dataset.transform_ops.1.RandCropImage.progress_size", "KeyError: 'progress_size'"),
        ("DataLoader.Train.dataset.transform_ops.3.RandAugmentV2.progress_magnitude", "KeyError: 'progress_magnitude'"),
    ),
    "fixmatch": (
        ("DataLoader.UnLabelTrain", "TypeError: … object is not iterable"),
        ("SSL", "KeyError: 'SSL'"),
        ("UnLabelLoss.Train", "TypeError: … object is not callable"),
    ),
    "metabin": (
        ("DataLoader.Metalearning", "KeyError: 'Metalearning'"),
        ("Loss.Basic", "KeyError: 'Basic'"),
        ("Loss.MetaTrain", "KeyError: 'MetaTrain'"),
        ("Loss.MetaTest", "KeyError: 'MetaTest'"),
    ),
}
NEEDED["fixmatch_ccssl"] = NEEDED["fixmatch"]
"""Training mode → what its epoch reads besides the usual, and what it ends with without it (`ppcls/engine/train/train_<mode>.py`)."""


@check("CFG116", name="train-mode-incomplete", stages=TRAIN)
def train_mode_incomplete(config: TrainingConfig) -> Iterator[Finding]:
    """A `Global.train_mode` whose own sections are not there: the run stops in its first epoch (2.5.1 and later)."""
    mode = config.tree.raw("Global.train_mode")
    if config.generation != "modern" or mode not in NEEDED:
        raise NotApplicable("no-train-mode")
    missing = [(path, says) for path, says in NEEDED[mode] if config.tree.raw(path) is None]
    if missing:
        path, says = missing[0]
        at = config.tree.at("Global.train_mode")
        fixes = (
            Fix("plain", "edit", "unsafe", at=at, value=None),
            Fix("complete", "advice", "safe", values={"mode": mode}),
        )
        yield Finding(at=at, fixes=fixes, mode=mode, missing=[key for key, _ in missing], key=path, says=says)
