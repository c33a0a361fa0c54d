"""CFG: `Global.checkpoints`, from which a training goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator

from checks.facts.checkpoint import SUFFIXES, Checkpoint
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.values import word_for_nothing


@check("CFG210", name="resume-past-last-epoch", stages=TRAIN)
def resume_past_last_epoch(config: TrainingConfig, checkpoint: Checkpoint) -> Iterator[Finding]:
    """A checkpoint of the last epoch, or a later one: not one epoch is trained, nothing is saved, and the exit status is 0."""
    if config.generation == "legacy":
        # 2.0 and 2.1 do not read the epoch from the checkpoint; the config's last_epoch counts from 0
        last = config.tree.raw("last_epoch")
        done = last + 1 if type(last) is int else None
    else:
        done = checkpoint.epoch
    if done is None:
        raise NotApplicable("no-checkpoint-epoch")
    if config.epochs is None:
        raise NotApplicable("no-epochs")
    if not checkpoint.has(".pdparams") or done < config.epochs.value:
        return
    key = config.epochs.location.key or ""
    yield Finding(
        at=config.epochs.location,
        via=checkpoint.source,
        fixes=(
            Fix("more-epochs", "advice", "safe", snippet=f"-o {key}={done + config.epochs.value}", values={"epochs": done}),
            Fix("start-anew", "advice", "unsafe", snippet=f"-o Global.pretrained_model={checkpoint.prefix} -o Global.checkpoints=None")
            if config.generation == "modern"
            else Fix("start-anew", "advice", "unsafe"),
        ),
        checkpoint=checkpoint.prefix,
        done=done,
        epochs=config.epochs.value,
    )


@check("CFG211", name="checkpoint-incomplete", stages=TRAIN)
def checkpoint_incomplete(config: TrainingConfig, checkpoint: Checkpoint) -> Iterator[Finding]:
    """What `checkpoints` names is no prefix of a complete checkpoint: a suffix too much, a folder, or a file that is not there."""
    needed = SUFFIXES[:3] if config.generation == "modern" else SUFFIXES[:2]
    missing = [suffix for suffix in needed if not checkpoint.has(suffix)]
    if not missing or word_for_nothing(checkpoint.prefix):
        return  # a word that was meant as null is CFG133's
    suffix = next((s for s in SUFFIXES if checkpoint.prefix.endswith(s)), None)
    fixes: tuple[Fix, ...] = ()
    if suffix and missing == list(needed):
        case, shorter = "suffix", checkpoint.prefix.removesuffix(suffix)
        fixes = (Fix("without-suffix", "edit", "safe", checkpoint.source, shorter, values={"prefix": shorter}),)
    elif checkpoint.is_folder and missing == list(needed):
        case = "folder"
        if checkpoint.prefixes:
            prefix = os.path.join(checkpoint.prefix, checkpoint.prefixes[0])
            fixes = (Fix("prefix-inside", "edit", "unsafe", checkpoint.source, prefix, values={"prefix": prefix}),)
    else:
        case = "default" if len(missing) == len(needed) else "part"
    yield Finding(
        at=checkpoint.source,
        case=case,
        fixes=fixes,
        checkpoint=checkpoint.prefix,
        suffix=suffix or "",
        missing=missing,
        there=[file.suffix for file in checkpoint.files],
    )


@check("CFG212", name="checkpoint-not-read", stages=EVAL | INFER | EXPORT)
def checkpoint_not_read(config: TrainingConfig) -> Iterator[Finding]:
    """Only the training reads `checkpoints`; evaluation, inference and export without `pretrained_model` use random weights."""
    if config.generation != "modern" or config.checkpoints is None:
        raise NotApplicable("no-checkpoint")
    other = config.pretrained is not None or bool(config.tree.raw("Arch.pretrained"))
    prefix = config.checkpoints.value
    yield Finding(
        at=config.checkpoints.location,
        case="beside-weights" if other else "default",
        fixes=()
        if other
        else (Fix("as-pretrained", "edit", "safe", config.tree.at("Global.pretrained_model"), prefix, values={"prefix": prefix}),),
        checkpoint=prefix,
        stage=config.stage,
    )


@check("CFG217", name="checkpoint-beside-pretrained", stages=TRAIN)
def checkpoint_beside_pretrained(config: TrainingConfig, checkpoint: Checkpoint) -> Iterator[Finding]:
    """`checkpoints` and `pretrained_model` at once: the checkpoint is loaded last, or alone (legacy), so it counts."""
    if config.pretrained is not None and checkpoint.has(".pdparams"):
        yield Finding(
            at=config.pretrained.location,
            fixes=(Fix("drop-pretrained", "edit", "safe", config.pretrained.location, None),),
            pretrained=config.pretrained.value,
            checkpoint=checkpoint.prefix,
        )
