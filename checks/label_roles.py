"""LAB: what the lists are there for: an evaluation list that judges one class, and lists that stand in each other's place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from checks.facts.label_paths import LabelPaths
from checks.facts.label_survey import Labels, LabelSurvey
from checks.labels import classified, training
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

UNLIKELY = 1e-4
"""The chance below which no list drawn from the training classes would have one label alone."""
CLEAR = 0.95
"""The share of a list's samples that must be below folders of one split."""
_TRAIN = re.compile(r"(?i)(?:^|[/_.-])train(?:ing)?(?:$|[/_.-]|\d)")
_EVAL = re.compile(r"(?i)(?:^|[/_.-])(?:val|valid|validation|eval|evaluation|test|testing)(?:$|[/_.-]|\d)")


def one_class(labels: Labels) -> tuple[list[LabelSurvey], float] | None:
    """The evaluation lists, where all of their samples have one label though many are trained, and the chance of that; else None.

    Were n samples drawn from the training list, all would be of its class with the share p with a chance of pⁿ.
    """
    train = training(labels)
    judged = [s for s in classified(labels) if s.split == "Eval"]
    seen = {label for s in judged for label in s.per_class}
    if len(seen) != 1 or len(judged) < len(labels.of("Eval")) or any(s.relabel for s in (*train, *judged)):
        return None
    (label,) = seen
    total = sum(s.samples for s in train)
    share = sum(s.per_class[label].samples for s in train if label in s.per_class) / total
    chance: float = (share or 1 / total) ** sum(s.samples for s in judged)
    trained = {k for s in train for k in s.per_class}
    return (judged, chance) if len(trained) > 1 and chance < UNLIKELY else None


@check("LAB123", name="evaluation-of-one-class", stages=TRAIN)
def evaluation_of_one_class(labels: Labels) -> Iterator[Finding]:
    """All evaluation samples have one label, as where a test list without labels was filled with zeros: the metric judges nothing else."""
    if not labels.of("Eval"):
        raise NotApplicable("no-two-lists")
    found = one_class(labels)
    if found is None:
        return
    judged, chance = found
    first = judged[0]
    trained = {label for s in training(labels) for label in s.per_class}
    label = first.min
    if label not in trained:
        return  # LAB110, or LAB102
    yield Finding(
        at=Location(first.file, first.per_class[label].first_line),
        via=first.source,
        case="zeros" if label == 0 else "default",
        fixes=(Fix("label", "advice", "unsafe"),),
        file=first.file,
        samples=sum(s.samples for s in judged),
        label=label,
        classes=len(trained),
        chance=float(f"{chance:.1e}"),
    )


@check("LAB124", name="lists-swapped", stages=TRAIN | EVAL)
def lists_swapped(labels: Labels, paths: LabelPaths) -> Iterator[Finding]:
    """The training list names images below `val`, the evaluation list, which is larger, those below `train`: each stands in the other's place."""
    train = [(k, s) for k, s in enumerate(labels.surveys) if s.split == "Train"]
    judged = [(k, s) for k, s in enumerate(labels.surveys) if s.split == "Eval"]
    if not train or not judged:
        raise NotApplicable("no-two-lists")
    if len(train) > 1 or len(judged) > 1:
        return
    (a, one), (b, other) = train[0], judged[0]
    here, there = _role(one, paths, a), _role(other, paths, b)
    if (here, there) != ("eval", "train") or one.samples >= other.samples:
        return
    yield Finding(
        at=one.source,
        via=other.source,
        fixes=(Fix("swap", "advice", "unsafe"),),
        train_file=one.file,
        eval_file=other.file,
        train_samples=one.samples,
        eval_samples=other.samples,
        times=round(other.samples / one.samples, 1),
    )


def _role(survey: LabelSurvey, paths: LabelPaths, place: int) -> str | None:
    """`train` or `eval`, where nearly all folders of a list's images, or else the name of the list, say one and not the other."""
    folders = paths.lists[place].folders or {}
    total = {"train": 0, "eval": 0}
    for folder, labels in folders.items():
        role = _named(os.path.join(survey.image_root or "", folder))
        if role is not None:
            total[role] += sum(labels.values())
    for role, samples in total.items():
        if survey.samples and samples >= CLEAR * survey.samples:
            return role
    return _named(os.path.basename(survey.file)) if not any(total.values()) else None


def _named(path: str) -> str | None:
    is_train, is_eval = bool(_TRAIN.search(path)), bool(_EVAL.search(path))
    return None if is_train == is_eval else "train" if is_train else "eval"
