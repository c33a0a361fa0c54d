"""`Checkout`: lines of the user's own PaddleClas that decide whether it runs with what is installed. Read as text, never imported."""

from __future__ import annotations

import os
import re
from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.training_config import TrainingConfig
from checks.model import Location

Trait = Literal[
    "first-of-scalar", "collections", "np-int-autoaugment", "np-int-cutmix", "np-bool-hybrid", "piecewise-by-rate", "kept-iterator"
]

MAX_BYTES = 1 << 20

_LINES: tuple[tuple[Trait, str, str], ...] = (
    # what the line means, the file, the line
    ("first-of-scalar", "ppcls/engine/train/utils.py", r"\.numpy\(\)\[0\]"),
    ("first-of-scalar", "ppcls/engine/trainer.py", r"\.numpy\(\)\[0\]"),
    ("first-of-scalar", "ppcls/engine/evaluation/classification.py", r"\.numpy\(\)\[0\]"),
    ("first-of-scalar", "tools/program.py", r"fetch\.numpy\(\)\[0\]"),
    ("collections", "ppcls/arch/backbone/model_zoo/vision_transformer.py", r"^from collections import Callable"),
    ("np-int-autoaugment", "ppcls/data/preprocess/ops/autoaugment.py", r"\bnp\.int\b"),
    ("np-int-autoaugment", "ppcls/data/imaug/autoaugment.py", r"\bnp\.int\b"),
    ("np-int-cutmix", "ppcls/data/preprocess/batch_ops/batch_operators.py", r"\bnp\.int\b"),
    ("np-int-cutmix", "ppcls/data/imaug/batch_operators.py", r"\bnp\.int\b"),
    ("np-bool-hybrid", "ppcls/data/preprocess/batch_ops/batch_operators.py", r"\bnp\.bool\b"),
    ("kept-iterator", "ppcls/engine/train/train.py", r"\bengine\.train_dataloader_iter = iter\("),
    ("piecewise-by-rate", "ppcls/optimizer/learning_rate.py", r"range\(0, epochs, 30\)"),
)


class Trace(msgspec.Struct, frozen=True):
    """One such line, by its place in the checkout."""

    trait: Trait
    location: Location


class Checkout(Fact, frozen=True):
    """The checkout of PaddleClas that the config would be run with: `root` holds `ppcls/` and `tools/train.py`."""

    root: str
    traces: tuple[Trace, ...]

    def first(self, trait: Trait) -> Location | None:
        """Where the first line of a kind stands."""
        return next((trace.location for trace in self.traces if trace.trait == trait), None)


@collects(Checkout, deadline=5.0)
def collect_checkout(config: TrainingConfig) -> Checkout:
    """Look into the few files whose lines are known to matter.

    Raises:
        Unreadable: PaddleClas is not at hand.
    """
    if not all(os.path.exists(os.path.join(config.root, *part)) for part in (("ppcls",), ("tools", "train.py"))):
        raise Unreadable("no-checkout")
    texts: dict[str, str | None] = {}
    traces = []
    for trait, file, pattern in _LINES:
        if file not in texts:
            texts[file] = _read(os.path.join(config.root, *file.split("/")))
        text = texts[file]
        match = re.search(pattern, text, re.MULTILINE) if text else None
        if text and match:
            traces.append(Trace(trait, Location(file, text.count("\n", 0, match.start()) + 1)))
    return Checkout(config.root, tuple(traces))


def _read(path: str) -> str | None:
    try:
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(MAX_BYTES)
    except OSError:
        return None
