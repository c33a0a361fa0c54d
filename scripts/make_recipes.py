"""Make `knowledge/zoo/recipes.json` from the training configs that PaddleClas ships.

Usage: `python scripts/make_recipes.py PADDLECLAS`, where PADDLECLAS is a checkout. One row for each architecture with a recipe for ImageNet:
optimizer, learning rate, and the total batch that rate is meant for, which is `batch_size × update_freq × cards` with 4 cards, or 8 for
AdamW (the numbers `ppcls/engine/engine.py` compares with). The recipe in a file named like the architecture stays; else, of several, the
one with the highest rate per sample. Under `""` stand the highest rates of each optimizer in all configs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from built import ZOO, write

OUT = ZOO / "recipes.json"
CARDS, CARDS_ADAMW = 4, 8


def row(data: Any) -> tuple[str, str, float, int] | None:
    """Architecture, optimizer, rate and total batch of a config, or None where it has not all of them."""
    try:
        optimizer, sampler = data["Optimizer"], data["DataLoader"]["Train"]["sampler"]
        lr = optimizer["lr"]
        rate = float(lr["learning_rate"] if "learning_rate" in lr else lr["values"][0])
        batch = int(sampler.get("batch_size") or sampler["first_bs"])
        cards = CARDS_ADAMW if optimizer["name"] == "AdamW" else CARDS
        return data["Arch"]["name"], optimizer["name"], rate, batch * cards * int(data["Global"].get("update_freq") or 1)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def main(checkout: str) -> None:
    """Write one line per architecture, sorted."""
    configs = Path(checkout) / "ppcls" / "configs"
    recipes: dict[str, list[Any]] = {}
    ranks: dict[str, tuple[bool, float]] = {}
    highest: dict[str, float] = {}
    for path in sorted(configs.rglob("*.y*ml")):
        found = row(yaml.safe_load(path.read_text(encoding="utf-8")))
        if found is None:
            continue
        architecture, optimizer, rate, batch = found
        highest[optimizer] = max(rate, highest.get(optimizer, 0.0))
        parts = path.relative_to(configs).parts
        if parts[0] != "ImageNet" or parts[1] == "Distillation" or architecture in ("DistillationModel", "AttentionModel", "RecModel"):
            continue
        rank = (path.stem == architecture, rate / batch)
        if architecture not in recipes or rank > ranks[architecture]:
            recipes[architecture], ranks[architecture] = [optimizer, rate, batch], rank
    write(OUT, {"": dict(sorted(highest.items())), **recipes})


if __name__ == "__main__":
    main(sys.argv[1])
