"""The names that both sides give to class ids."""

from __future__ import annotations

import json
import os

from checks.facts.parity import Cause, LabelMaps, Rung, Side, Trouble
from checks.facts.parity_chain import SideName

EXAMPLES = 5
FURTHEST = 3
"""How far a label map may be shifted to be recognised."""
ALMOST = 0.9
"""The share of names that must agree for a shift."""


def compare_labels(folder: str, told: dict[SideName, str | None], files: dict[SideName, str | None]) -> LabelMaps:
    """Compare the maps that both sides really loaded; `told` are the files in `folder` with their names."""
    maps: dict[SideName, dict[int, str] | None] = {"train": None, "deploy": None}
    for side, name in told.items():
        if name is not None:
            try:
                with open(os.path.join(folder, os.path.basename(name)), encoding="utf-8") as stream:
                    maps[side] = {int(key): str(value) for key, value in json.load(stream)}
            except (OSError, ValueError, TypeError):
                maps[side] = None
    one, other = maps["train"], maps["deploy"]
    counts = (len(one) if one is not None else None, len(other) if other is not None else None)
    if one is None or other is None:
        return LabelMaps(files["train"], files["deploy"], *counts)
    common = sorted(set(one) & set(other))
    unlike = [key for key in common if one[key].strip() != other[key].strip()]
    shift = None
    if unlike and len(one) > 1:
        for k in (number * sign for number in range(1, FURTHEST + 1) for sign in (1, -1)):
            reached = [key for key in one if key + k in other]
            if len(reached) >= 2 and sum(one[key].strip() == other[key + k].strip() for key in reached) >= ALMOST * len(reached):
                shift = k
                break
    examples = tuple((key, one[key], other[key]) for key in unlike[:EXAMPLES])
    return LabelMaps(files["train"], files["deploy"], *counts, len(common) - len(unlike), len(unlike), shift, examples)


def labels_rung(labels: LabelMaps, sides: dict[SideName, Side], why: Trouble) -> Rung:
    """The rung of label names, with its causes."""
    if sides["train"].code is None or sides["deploy"].code is None:
        return Rung("labels", "unknown", trouble=why)
    if labels.train is None and labels.deploy is None:
        named = labels.train_file or labels.deploy_file
        return Rung("labels", "not-applicable" if named is None else "unknown", trouble=Trouble("no-map", {"file": named or "-"}))
    if labels.train is None or labels.deploy is None:
        cause = Cause("label-map-missing", "labels", None, labels.train_file, labels.deploy_file)
        return Rung("labels", "differs", causes=(cause,))
    causes = []
    if labels.shift is not None:
        causes.append(Cause("label-shift", "labels", None, 0, labels.shift))
    elif labels.unlike:
        causes.append(Cause("label-names", "labels", None, labels.unlike, labels.equal))
    width = sides["deploy"].width
    if labels.train != labels.deploy and (width is None or min(labels.train, labels.deploy) < width):
        causes.append(Cause("label-count", "labels", None, labels.train, labels.deploy))
    return Rung("labels", "differs" if causes else "same", causes=tuple(causes))
