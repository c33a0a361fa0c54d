"""ENV: the place where logs and checkpoints are written."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.label_survey import Labels
from checks.facts.machine import Host
from checks.facts.output_folder import OutputFolder
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.schedule import schedules
from knowledge.zoo import FLOAT32, parameters

STATES = {"SGD": 0, "Momentum": 1, "RMSProp": 3, "Adam": 2, "AdamW": 2, "AdamWDL": 2}
"""Numbers that an optimizer keeps for each parameter, and writes into `.pdopt` (`python/paddle/optimizer`)."""


@check("ENV106", name="output-not-writable", stages=TRAIN | EVAL | INFER | EXPORT)
def output_not_writable(config: TrainingConfig, folder: OutputFolder) -> Iterator[Finding]:
    """`output_dir` cannot be written to: a modern tool opens its log there before anything else, a legacy training saves there first."""
    if config.generation == "legacy" and config.stage != "train":
        raise NotApplicable("no-output-dir")
    if folder.problem is None:
        return
    path = shlex.quote(folder.nearest)
    fixes: tuple[Fix, ...] = (Fix("elsewhere", "advice", "safe", values={"key": folder.source.key or ""}),)
    if folder.problem == "no-permission":
        fixes = (Fix("grant", "command", "unsafe", command=f"sudo chown -R $(id -u):$(id -g) {path}"), *fixes)
    yield Finding(at=folder.source, case=folder.problem, fixes=fixes, folder=folder.name, nearest=folder.nearest)


def _checkpoint_bytes(config: TrainingConfig) -> int | None:
    """Bytes of one checkpoint: weights, and the optimizer's state for each; with EMA on a second set of weights."""
    counts = [
        parameters(count.architecture, count.count.value) if count.architecture else parameters(_name(config))
        for count in config.class_counts
    ] or [parameters(_name(config), 1000)]
    optimizer = next((item.optimizer for item in schedules(config)), None)
    states = STATES.get(optimizer or "")
    if states is None and config.generation == "legacy":
        states = 1
    if states is None or any(count is None for count in counts):
        return None
    ema = 1 if isinstance(config.tree.raw("EMA"), dict) else 0
    return sum(count or 0 for count in counts) * FLOAT32 * (1 + states + ema)


def _name(config: TrainingConfig) -> str:
    return config.architecture.value if config.architecture else ""


@check("ENV107", name="disk-too-small-for-checkpoints", stages=TRAIN)
def disk_too_small_for_checkpoints(
    config: TrainingConfig, folder: OutputFolder, host: Host | None, labels: Labels | None
) -> Iterator[Finding]:
    """The checkpoints of the whole training against the space that is free.

    `parameters × 4 × (1 + states of the optimizer)` bytes each, times one for every `save_interval` epochs, the best and the latest. A write that
    does not fit ends the training and leaves a truncated file.
    """
    if folder.free is None or folder.total is None or folder.problem is not None:
        raise NotApplicable("no-free-space")
    each = _checkpoint_bytes(config)
    if each is None:
        raise NotApplicable("model-size-unknown")
    if config.epochs is None or config.epochs.value < 1:
        raise NotApplicable("no-epochs")
    key = "save_interval" if config.generation == "legacy" else "Global.save_interval"
    interval = config.tree.raw(key)
    interval = interval if type(interval) is int and interval else 1
    saved = (
        0
        if interval < 0
        else math.ceil(config.epochs.value / interval)
        if config.generation == "legacy"
        else config.epochs.value // interval
    )
    others = 1 if config.generation == "legacy" else 2 if config.tree.raw("Global.eval_during_train") else 1
    have = folder.free + folder.replaced
    kept, least = saved + others, min(saved, 1) + others
    evidence: dict[str, Any] = {
        "folder": folder.name,
        "have_bytes": have,
        "each_bytes": each,
        "need_bytes": kept * each,
        "least_bytes": least * each,
        "checkpoints": kept,
        "epochs": config.epochs.value,
        "save_interval": interval,
    }
    # a config whose training list is not here will be trained elsewhere, on another disk
    here = labels is not None and bool(labels.of("Train"))
    if least * each > have:
        yield Finding(
            at=folder.source,
            case="none-fits" if here else "elsewhere",
            fixes=(Fix("elsewhere", "advice", "safe", values={"key": folder.source.key or ""}),),
            **evidence,
        )
    elif kept * each > have and saved > 1 and not (host is not None and host.gpus_assumed):  # that machine's disk may be larger
        room = have // each - others
        fits = math.ceil(config.epochs.value / max(1, room))
        yield Finding(
            case=None if here else "elsewhere",
            at=config.tree.at(key) if config.tree.has(key) else folder.source,
            fixes=(Fix("save-less", "edit", "safe", config.tree.at(key), fits, values={"interval": fits}),) if config.tree.has(key) else (),
            fit=room,
            **evidence,
        )
