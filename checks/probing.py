"""ENV112: what `--probe` could not measure, and why."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.probed_batches import ProbedBatches
from checks.facts.training_config import Loader, TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, Location
from checks.registry import check

ABOUT_A_LOADER = ("raised", "unequal")
"""Troubles of one loader; all others are of the whole attempt, and are told once."""


@check("ENV112", name="samples-not-measured", stages=TRAIN | EVAL)
def samples_not_measured(config: TrainingConfig, probed: ProbedBatches) -> Iterator[Finding]:
    """The user's own PaddleClas made no batch of its samples, in the interpreter that was named."""
    told = False
    for split, trouble in probed.troubles.items():
        loader = config.loader(split)
        if trouble.kind in ABOUT_A_LOADER and loader is not None:
            yield Finding(
                at=_place(config, loader),
                case="unequal" if trouble.kind == "unequal" else None,
                fixes=(Fix("one-size", "advice", "safe", snippet="- CropImage:\n    size: 224"),) if trouble.kind == "unequal" else (),
                **trouble.values,
            )
        elif not told:
            told = True
            fixes = {
                "no-python": (Fix("name-python", "advice", "safe", snippet="paddle-doctor check -c cfg.yaml --probe --python PATH"),),
                "no-paddle": (Fix("name-python", "advice", "safe", snippet="paddle-doctor check -c cfg.yaml --probe --python PATH"),),
                "no-ppcls": (
                    Fix("name-checkout", "advice", "safe", snippet="PYTHONPATH=PaddleClas paddle-doctor check -c cfg.yaml --probe"),
                ),
            }
            yield Finding(at=Location(config.file), case=trouble.kind, fixes=fixes.get(trouble.kind, ()), **trouble.values)


def _place(config: TrainingConfig, loader: Loader) -> Location:
    """The transforms of a loader, which make its samples."""
    key = "transforms" if config.generation == "legacy" else "dataset.transform_ops"
    return config.tree.key_at(f"{loader.key}.{key}")
