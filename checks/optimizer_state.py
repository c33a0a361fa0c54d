"""WTS: what lies beside the weights of a checkpoint: the optimizer's state, and the other set of weights where an average is kept."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.expected_state import ExpectedState
from checks.facts.stored_weights import StoredFile, StoredWeights
from checks.facts.training_config import TrainingConfig
from checks.facts.weights_fit import WeightsFit
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check

ACCUMULATORS = {
    "Momentum": "velocity",
    "Adam": "moment1",
    "AdamW": "moment1",
    "AdamWDL": "moment1",
    "RMSProp": "momentum",
}
"""The first tensor for each parameter that an optimizer asks of a checkpoint (`python/paddle/optimizer`, 2.6 and 3): `<parameter>_<this>_0`."""

KNOWN = ("velocity", "moment1", "momentum", "moment")


def _state(stored: StoredWeights) -> StoredFile:
    file = stored.checkpoint
    if file is None:
        raise NotApplicable("no-checkpoint")
    return file


@check("WTS113", name="optimizer-state-foreign", stages=TRAIN)
def optimizer_state_foreign(
    config: TrainingConfig, stored: StoredWeights, expected: ExpectedState, fit: WeightsFit | None
) -> Iterator[Finding]:
    """The `.pdopt` beside the weights is of another optimizer, of other parameters, or empty: resuming stops at the first step."""
    file = _state(stored)
    optimizer = config.tree.raw("Optimizer.name" if config.generation == "modern" else "OPTIMIZER.function")
    wanted = ACCUMULATORS.get(str(optimizer))
    if file.optimizer is None or file.optimizer.calls or file.optimizer.flaw or wanted is None:
        raise NotApplicable("no-optimizer-state")
    if fit is not None and any(item.role == "checkpoint" and item.verdict.kind not in ("fits", "unknown") for item in fit.files):
        return  # the weights themselves are of another model: WTS114
    names = [tensor.name for tensor in file.optimizer.tensors]
    mine = {name.removesuffix(f"_{wanted}_0") for name in names if name.endswith(f"_{wanted}_0")}
    key = config.tree.at("Optimizer.name" if config.generation == "modern" else "OPTIMIZER.function")
    advice = Fix("weights-only", "advice", "safe", snippet=f"-o Global.pretrained_model={file.written} -o Global.checkpoints=None")
    fixes = (advice,) if config.generation == "modern" else ()
    if not names:
        yield Finding(at=file.source, case="empty", fixes=fixes, file=file.written, optimizer=optimizer, wanted=wanted, found="", share="")
    elif not mine:
        other = next((word for word in KNOWN if any(name.endswith(f"_{word}_0") for name in names)), None)
        if other is not None:
            yield Finding(
                at=key, via=file.source, fixes=fixes, file=file.written, optimizer=optimizer, wanted=wanted, found=other, share=""
            )
    else:
        parameters = _parameters(file, expected)
        if len(mine & parameters) < len(mine) / 2:
            share = f"{len(mine & parameters)} / {len(mine)}"
            yield Finding(
                at=file.source, case="parameters", fixes=fixes, file=file.written, optimizer=optimizer, wanted=wanted, found="", share=share
            )


def _parameters(file: StoredFile, expected: ExpectedState) -> set[str]:
    """The names of the model's parameters: in the weights, in those beside an average, or in a process that builds the network alone."""
    found: set[str] = set()
    for contents in (file.contents, file.ema):
        found |= set(contents.parameter_names.values()) if contents is not None else set()
    for role in expected.roles:
        for part in role.parts:
            for state in part.states(expected.legacy):
                found |= set(state.parameters.values())
    return found


@check("WTS112", name="average-of-weights", stages=TRAIN | EVAL | INFER | EXPORT)
def average_of_weights(config: TrainingConfig, stored: StoredWeights) -> Iterator[Finding]:
    """With `EMA` two sets of weights are kept; which file holds the average has changed: `.ema.pdparams` up to 2.5.2, `.pdparams` in develop."""
    if config.generation != "modern":
        raise NotApplicable("no-weights-in-config")
    if config.stage == "train":
        file = stored.checkpoint
        if file is not None and config.tree.has("EMA") and file.path.endswith(".pdparams"):
            there = {item.suffix for item in file.companions}
            if ".pdopt" in there and not there & {".pdema", ".ema.pdparams"}:
                fix = Fix("without-average", "advice", "unsafe", values={"file": file.written})
                yield Finding(at=file.source, via=config.tree.key_at("EMA"), fixes=(fix,), file=file.written)
        return
    file = stored.main
    if file is not None and any(item.suffix == ".ema.pdparams" for item in file.companions):
        prefix = file.written.removesuffix(".pdparams")
        at = file.source
        fixes: tuple[Fix, ...] = ()
        if file.key == "Global.pretrained_model":
            fixes = (Fix("take-average", "edit", "unsafe", at, f"{prefix}.ema", values={"prefix": f"{prefix}.ema"}),)
        yield Finding(at=at, case="raw", fixes=fixes, file=file.written)
