"""LAB: the numbers of the label lists against the classes of the model."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.label_paths import LabelPaths
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.sub_networks import is_distillation
from checks.facts.training_config import TrainingConfig
from checks.label_numbering import numbered_apart
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable, Value
from checks.registry import check
from knowledge.zoo import head_bytes

IMAGENET_CLASSES = 1000
"""The class count that every shipped ImageNet config has, and that is forgotten most often."""


def classified(labels: Labels) -> list[LabelSurvey]:
    """The lists whose labels meet the classifier: those of Train and Eval, but neither gallery, query nor multi-label."""
    found = [s for s in labels.surveys if s.split in ("Train", "Eval") and s.per_class and s.format.labels == "class"]
    if not found:
        raise NotApplicable("no-labels-read")
    return found


def training(labels: Labels) -> list[LabelSurvey]:
    """The training lists, where all of them could be read: what one lacks, another may have."""
    train = [s for s in classified(labels) if s.split == "Train"]
    if not train or len(train) < len(labels.of("Train")) or any(u.split == "Train" for u in labels.unread):
        raise NotApplicable("no-train-labels")
    return train


def dataset_key(survey: LabelSurvey) -> str:
    """The key of the dataset that a list is of."""
    return (survey.source.key or "").rstrip("0123456789").rstrip(".").rpartition(".")[0]


def in_shell(config: TrainingConfig, survey: LabelSurvey, suffix: str = "") -> str:
    """A label file's name in a command: as the config writes it, where the command is run in the folder that it counts from."""
    return shlex.quote((survey.file if config.root_reason == "cwd" else survey.path) + suffix)


def _class_num(config: TrainingConfig) -> Value[int]:
    if config.class_num is None:
        raise NotApplicable("no-class-num")
    return config.class_num


@check("LAB102", name="label-exceeds-class-num", stages=TRAIN | EVAL)
def label_exceeds_class_num(config: TrainingConfig, labels: Labels, paths: LabelPaths | None) -> Iterator[Finding]:
    """A label is at least class_num, so the loss indexes past the last output (FAQ 2.1).

    The config is to blame where the training list does not fit it, the evaluation list where only that one does not.
    """
    surveys = classified(labels)
    class_num = _class_num(config)
    classes = class_num.value
    trained = max((s.needed_class_num or 0 for s in surveys if s.split == "Train"), default=0)
    for survey in surveys:
        needed = survey.needed_class_num or 0
        if needed <= classes:
            continue
        if survey.split == "Eval" and trained > classes:
            continue  # the training list says the same already, and its class_num holds both
        if survey.split == "Eval" and any(labels.surveys[other] == survey for _, other in numbered_apart(labels, paths, shifted=True)):
            continue  # LAB115 says by how much it is off
        above = sorted(label for label in survey.per_class if label >= classes) or [max(survey.per_class)]
        first = min(survey.per_class[label].first_line for label in above)
        values: dict[str, Any] = {
            "class_num": classes,
            "max_label": survey.max,
            "min_label": survey.min,
            "classes": survey.classes,
            "needed_class_num": max(needed, *(s.needed_class_num or 0 for s in surveys)),
            "file": survey.file,
            "line": first,
            "split": survey.split,
            "samples_above": sum(survey.per_class[label].samples for label in above),
        }
        raise_class_num = tuple(
            Fix(
                "raise-class-num",
                "edit",
                "safe",
                at=count.count.location,
                value=values["needed_class_num"],
                values={"needed": values["needed_class_num"]},
            )
            for count in config.class_counts
            if count.count.value < (needed or 0)
        )
        if survey.split == "Eval" and trained:
            yield Finding(
                at=Location(survey.file, first), via=survey.source, case="eval-only", fixes=(Fix("renumber", "advice", "unsafe"),), **values
            )
        elif survey.relabel:
            yield Finding(at=class_num.location, via=survey.source, case="relabel", fixes=raise_class_num, **values)
        elif survey.min == 1 and survey.max == classes and survey.classes == classes:
            fixes = (Fix("start-at-zero", "advice", "unsafe", command=_renumber(config, survey)), *raise_class_num)
            yield Finding(at=class_num.location, via=survey.source, case="starts-at-one", fixes=fixes, **values)
        else:
            case = "gaps" if survey.missing_count and survey.classes <= classes else "default"
            if survey.split == "Train" and mixes(config):
                case = "mixed"
            yield Finding(at=class_num.location, via=survey.source, case=case, fixes=raise_class_num, **values)


def _renumber(config: TrainingConfig, survey: LabelSurvey) -> str | None:
    if survey.format.header is not None or survey.min is None:
        return None  # its first row is none of numbers
    return subtracting(survey, survey.min, in_shell(config, survey), in_shell(config, survey, ".from0"))


def subtracting(survey: LabelSurvey, amount: int, source: str, target: str) -> str:
    """A command that takes `amount` from every label of a list; `source` and `target` are quoted for the shell already."""
    separator = survey.format.separator or " "
    field = {"\t": r"\t"}.get(separator, separator)
    program = f"{{${survey.format.label_column + 1} -= {amount}; print}}"
    return f"{shlex.join(['awk', f'-F{field}', '-v', f'OFS={field}', program])} {source} > {target}"


@check("LAB103", name="negative-label", stages=TRAIN | EVAL)
def negative_label(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """A label below 0: an error in the loss or the accuracy; counted from the last class where batches are mixed; -100 left out where it can be.

    Source: the index into `np.eye(class_num)` in `ppcls/data/preprocess/batch_ops/batch_operators.py`; `ignore_index` of Paddle's `cross_entropy`.
    """
    for survey in classified(labels):
        below = sorted(label for label in survey.per_class if label < 0)
        if not below or survey.relabel:
            continue
        first = min(survey.per_class[label].first_line for label in below)
        case = "default"
        if survey.split == "Train" and mixes(config):
            case = (
                "mixed" if config.class_num and below[0] >= -config.class_num.value else "mixed-outside" if config.class_num else "default"
            )
        elif below == [IGNORED] and survey.split == "Train" and _leaves_out(config):
            case = "ignored"
        yield Finding(
            at=Location(survey.file, first),
            via=survey.source,
            case=case,
            fixes=(Fix("correct-lines", "advice", "unsafe"),),
            class_num=config.class_num.value if config.class_num else None,
            split=survey.split,
            labels=below[:11],
            samples=sum(survey.per_class[label].samples for label in below),
            line=first,
            file=survey.file,
        )


IGNORED = -100
"""`ignore_index` of Paddle's `cross_entropy`, which CELoss leaves as it is."""

MIX_OPERATORS = frozenset({"CutmixOperator", "FmixOperator", "MixupOperator"})
"""Batch operators that look up the row of each label in `np.eye(class_num)`, where a negative index counts from the end."""


def mixes(config: TrainingConfig) -> bool:
    """Whether every batch of the training is mixed, which makes rows of its labels (2.2 and later)."""
    ops = config.tree.raw("DataLoader.Train.dataset.batch_transform_ops")
    return config.generation == "modern" and isinstance(ops, list) and any(isinstance(op, dict) and MIX_OPERATORS & set(op) for op in ops)


def _leaves_out(config: TrainingConfig) -> bool:
    """Whether nothing in the training reads a label of -100: CELoss without smoothing alone, and no metric."""
    losses = config.tree.raw("Loss.Train")
    if config.generation != "modern" or config.tree.raw("Metric.Train") or not isinstance(losses, list):
        return False
    if is_distillation(config) or config.tree.raw("Arch.name") == "RecModel":
        return False
    plain = [item.get("CELoss") for item in losses if isinstance(item, dict) and len(item) == 1]
    return len(plain) == len(losses) > 0 and all(isinstance(p, dict) and not p.get("epsilon") for p in plain)


@check("LAB104", name="labels-not-from-zero", stages=TRAIN)
def labels_not_from_zero(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Labels begin above 0 and still fit class_num: allowed, with outputs that no sample ever trains (FAQ 2.1)."""
    surveys = [s for s in training(labels) if not s.relabel]
    classes = _class_num(config).value
    low, survey = min(((min(s.per_class), s) for s in surveys), key=lambda pair: pair[0], default=(0, None))
    if survey is None or low <= 0 or any((s.needed_class_num or 0) > classes for s in surveys):
        return
    yield Finding(
        at=Location(survey.file, survey.per_class[low].first_line),
        via=survey.source,
        fixes=(Fix("start-at-zero", "advice", "unsafe", command=_renumber(config, survey)),),
        min_label=low,
        max_label=max(max(s.per_class) for s in surveys),
        class_num=classes,
        file=survey.file,
    )


@check("LAB105", name="class-num-larger-than-needed", stages=TRAIN)
def class_num_larger_than_needed(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """More outputs than labels: allowed, at the price of a larger last layer (FAQ 2.1). 1000 is the default that is forgotten."""
    training(labels)
    _class_num(config)
    # evaluation labels count as well: a class count below theirs would be an error
    needed = max(s.needed_class_num or 0 for s in classified(labels))
    for count in config.class_counts:
        classes = count.count.value
        if classes <= needed:
            continue
        if any(other.count.value == needed for other in config.class_counts) and is_distillation(config):
            continue  # DST101: the roles differ
        forgotten = classes == IMAGENET_CLASSES and needed <= IMAGENET_CLASSES // 2
        extra = head_bytes(count.architecture, classes - needed) if count.architecture else None
        yield Finding(
            at=count.count.location,
            case="imagenet-default" if forgotten else "cost-unknown" if extra is None else "default",
            fixes=(Fix("set-class-num", "edit", "unsafe", at=count.count.location, value=needed, values={"needed": needed}),),
            class_num=classes,
            needed_class_num=needed,
            spare=classes - needed,
            extra_bytes=extra,
            architecture=count.architecture,
        )


@check("LAB106", name="label-id-gaps", stages=TRAIN)
def label_id_gaps(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Ids between the smallest and the largest that no sample has: allowed, but often a class that got lost (FAQ 2.1)."""
    surveys = training(labels)
    if any(s.relabel for s in surveys):
        raise NotApplicable("no-train-labels")
    known = {label for s in surveys for label in s.per_class}
    low, high = min(known), max(known)
    missing = (label for label in range(max(low, 0), high) if label not in known)
    gaps = high + 1 - max(low, 0) - sum(label >= 0 for label in known)
    if gaps <= 0 or (config.class_num is not None and high >= config.class_num.value):
        return
    survey = next(s for s in surveys if high in s.per_class)
    yield Finding(
        at=Location(survey.file, survey.per_class[high].first_line),
        via=survey.source,
        fixes=(Fix("renumber", "advice", "unsafe"),),
        gaps=gaps,
        missing=list(itertools.islice(missing, 11)),
        classes=len(known),
        min_label=low,
        max_label=high,
        file=survey.file,
    )
