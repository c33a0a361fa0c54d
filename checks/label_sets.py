"""LAB: the label lists against each other and against the model: numbering, renumbering, repeats, widths."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.label_paths import LabelPaths
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.sub_networks import entries_of
from checks.facts.training_config import TrainingConfig
from checks.label_numbering import compared_folders, numbered_apart
from checks.label_roles import one_class
from checks.labels import classified, dataset_key, subtracting, training
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check


@check("LAB115", name="train-eval-numbered-differently", stages=TRAIN)
def train_eval_numbered_differently(config: TrainingConfig, labels: Labels, paths: LabelPaths) -> Iterator[Finding]:
    """The same class folder, or the same image, has one label in the training list and another in the evaluation list (FAQ 2.1).

    Nothing fails: the model learns one numbering and is judged by the other, with an accuracy near zero. A folder speaks for a class only where
    both lists keep to it: one label for each folder and one folder for each label.
    """
    compared = list(compared_folders(labels, paths))
    if not compared:
        raise NotApplicable("folders-name-no-classes")
    for a, b, here, there in compared:
        shared = sorted(here.keys() & there.keys())
        differing = [folder for folder in shared if here[folder] != there[folder]]
        if not differing:
            continue
        survey, other = labels.surveys[a], labels.surveys[b]
        folder = differing[0]
        shifts = {there[name] - here[name] for name in differing}
        shift = shifts.pop() if len(shifts) == 1 and len(differing) == len(shared) else None
        fixes = (Fix("renumber", "advice", "unsafe"),)
        if shift is not None and shift == -(survey.min or 0) and other.min == 0 and survey.format.header is None:
            # the training list is the one that does not begin at 0
            fixes = (Fix("shift-train", "command", "unsafe", command=_shifted(survey, -shift), values={"shift": -shift}),)
        elif shift is not None and other.format.header is None and other.format.labels == "class":
            fixes = (Fix("shift", "command", "unsafe", command=_shifted(other, shift), values={"shift": shift}),)
        if (
            shift is not None
            and shift == -(survey.min or 0)
            and config.class_num
            and survey.max == survey.classes == config.class_num.value
        ):
            continue  # numbered from 1 with as many classes as the model has: LAB102 stops there, and its repair is the one needed
        own = [there[name] for name in differing if list(there.values()).count(there[name]) == 1 and there[name] in other.per_class]
        # the first line of a label is that of its folder where no other folder has it
        line = min((other.per_class[label].first_line for label in own), default=None) if len(own) == len(differing) else None
        yield Finding(
            at=Location(other.file, line),
            via=other.source,
            case="default" if shift is None else "shifted",
            fixes=fixes,
            train_file=survey.file,
            eval_file=other.file,
            folders=len(shared),
            differing=len(differing),
            folder=folder or "/",
            train_label=here[folder],
            eval_label=there[folder],
            shift=shift,
            samples=sum(other.per_class[label].samples for label in own) if line is not None else None,
            line=line,
        )


def _shifted(survey: LabelSurvey, shift: int) -> str:
    return subtracting(survey, shift, shlex.quote(survey.path), shlex.quote(survey.path + ".renumbered"))


@check("LAB110", name="eval-label-outside-training", stages=TRAIN)
def eval_label_outside_training(config: TrainingConfig, labels: Labels, paths: LabelPaths | None) -> Iterator[Finding]:
    """Evaluation samples of classes that training never sees: they can only be counted as wrong."""
    surveys = classified(labels)
    known = {label for survey in training(labels) for label in survey.per_class}
    if any(s.relabel for s in surveys):
        raise NotApplicable("no-train-labels")
    top = config.class_num.value if config.class_num else None
    apart = numbered_apart(labels, paths)
    for survey in surveys:
        if any(labels.surveys[other] == survey for _, other in apart):
            continue  # LAB115
        strange = sorted(k for k in survey.per_class if k >= 0 and k not in known and (top is None or k < top))
        if survey.split != "Eval" or not strange:
            continue
        first = min(survey.per_class[k].first_line for k in strange)
        affected = sum(survey.per_class[k].samples for k in strange)
        yield Finding(
            at=Location(survey.file, first),
            via=survey.source,
            fixes=(Fix("renumber", "advice", "unsafe"),),
            labels=strange[:11],
            count=len(strange),
            samples=affected,
            share=round(100 * affected / survey.samples, 1),
            train_min=min(known),
            train_max=max(known),
            file=survey.file,
            line=first,
        )


@check("LAB111", name="train-eval-leakage", stages=TRAIN)
def train_eval_leakage(labels: Labels, paths: LabelPaths) -> Iterator[Finding]:
    """Images that stand in the training list and in the evaluation list: the metric is better than the model."""
    if not labels.of("Train") or not labels.of("Eval"):
        raise NotApplicable("no-two-lists")
    for overlap in paths.overlaps:
        train, other = labels.surveys[overlap.train], labels.surveys[overlap.other]
        if overlap.conflicts == overlap.shared and not (train.relabel or other.relabel):
            continue  # every one of them has two labels, which LAB115 and LAB117 say
        example = overlap.examples[0] if overlap.examples else None
        yield Finding(
            at=Location(other.file, example.second_line if example else None),
            via=other.source,
            case="same-file" if train.path == other.path else "default",
            fixes=(Fix("split-again", "advice", "unsafe"),),
            shared=overlap.shared,
            eval_samples=other.samples,
            share=round(100 * overlap.shared / max(1, other.samples), 1),
            train_file=train.file,
            eval_file=other.file,
            example=example.path if example else "",
            train_line=example.first_line if example else None,
            eval_line=example.second_line if example else None,
        )


@check("LAB116", name="relabel-differs", stages=TRAIN)
def relabel_differs(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """`relabel` numbers each list by itself, so one class gets two ids: of one split alone, or where a class is absent from one list.

    PaddleClas enumerates a Python `set` of the labels (`ppcls/data/dataloader/imagenet_dataset.py`, 2.5 and later), whose order is repeated
    here exactly: it hangs on the values and on the order in which they first appear.
    """
    surveys = classified(labels)
    if not any(survey.relabel for survey in surveys):
        raise NotApplicable("no-relabel")
    for train in (s for s in surveys if s.split == "Train"):
        learnt = renumbered(train)
        for other in (s for s in surveys if s.split == "Eval" and (s.relabel or train.relabel)):
            judged = renumbered(other)
            differing = sorted(label for label in judged if label in learnt and judged[label] != learnt[label])
            if not differing:
                continue
            blamed = other if other.relabel else train
            label = differing[0]
            samples = sum(other.per_class[k].samples for k in differing)
            yield Finding(
                at=config.tree.at(f"{dataset_key(blamed)}.relabel"),
                via=other.source,
                case="both" if train.relabel and other.relabel else "train-only" if train.relabel else "eval-only",
                fixes=(Fix("number-once", "advice", "unsafe"),),
                label=label,
                train_id=learnt[label],
                eval_id=judged[label],
                classes=len(differing),
                samples=samples,
                share=round(100 * samples / max(1, other.samples), 1),
                missing=sorted(set(learnt) - set(judged))[:11],
                train_file=train.file,
                eval_file=other.file,
            )


def renumbered(survey: LabelSurvey) -> dict[int, int]:
    """Label → the id that the loss sees: the label itself, or with `relabel` its place in a set filled in the order of the list."""
    if not survey.relabel:
        return {label: label for label in survey.per_class}
    order = sorted(survey.per_class, key=lambda label: survey.per_class[label].first_line)
    filled: set[int] = set()
    for label in order:
        filled.add(label)  # one by one, as PaddleClas does: a set made from a dict is sized at once and may be ordered otherwise
    return {label: number for number, label in enumerate(filled)}


@check("LAB117", name="conflicting-labels", stages=TRAIN | EVAL)
def conflicting_labels(labels: Labels, paths: LabelPaths) -> Iterator[Finding]:
    """One image with two labels: within a list it is taught or judged both ways, across lists it is taught one way and judged the other."""
    if not labels.surveys:
        raise NotApplicable("no-labels-read")
    for survey, listed in zip(labels.surveys, paths.lists, strict=True):
        if not listed.conflicts:
            continue
        example = next((e for e in listed.repeat_examples if not e.same_label), None)
        yield Finding(
            at=Location(survey.file, example.second_line if example else None),
            via=survey.source,
            fixes=(Fix("keep-one", "advice", "unsafe"),),
            file=survey.file,
            conflicts=listed.conflicts,
            samples=survey.samples,
            share=round(100 * listed.conflicts / max(1, survey.samples), 2),
            example=example.path if example else "",
            first_line=example.first_line if example else None,
            second_line=example.second_line if example else None,
        )
    differing = numbered_apart(labels, paths)
    for overlap in paths.overlaps:
        train, other = labels.surveys[overlap.train], labels.surveys[overlap.other]
        if not overlap.conflicts or train.relabel or other.relabel or (overlap.train, overlap.other) in differing:
            continue  # lists that are numbered differently are LAB115's
        example = next((e for e in overlap.examples if not e.same_label), None)
        yield Finding(
            at=Location(other.file, example.second_line if example else None),
            via=other.source,
            case="across",
            fixes=(Fix("keep-one", "advice", "unsafe"),),
            file=other.file,
            train_file=train.file,
            conflicts=overlap.conflicts,
            samples=other.samples,
            share=round(100 * overlap.conflicts / max(1, other.samples), 2),
            example=example.path if example else "",
            first_line=example.first_line if example else None,
            second_line=example.second_line if example else None,
        )


@check("LAB118", name="repeated-lines", stages=TRAIN | EVAL)
def repeated_lines(labels: Labels, paths: LabelPaths) -> Iterator[Finding]:
    """Images that stand in one list more than once with the same label: in training a heavier weight, in evaluation counted twice."""
    if not labels.surveys:
        raise NotApplicable("no-labels-read")
    for survey, listed in zip(labels.surveys, paths.lists, strict=True):
        repeats = listed.repeats - listed.conflicts
        if repeats <= 0:
            continue
        example = next((e for e in listed.repeat_examples if e.same_label), None)
        file = shlex.quote(survey.path)
        yield Finding(
            at=Location(survey.file, example.second_line if example else None),
            via=survey.source,
            case="default" if survey.split == "Train" else "evaluation",
            fixes=(Fix("unique", "command", "unsafe", command=f"awk '!seen[$0]++' {file} > {shlex.quote(survey.path + '.unique')}"),),
            split=survey.split,
            file=survey.file,
            repeats=repeats,
            samples=survey.samples,
            share=round(100 * repeats / max(1, survey.samples), 2),
            example=example.path if example else "",
            first_line=example.first_line if example else None,
            second_line=example.second_line if example else None,
        )


@check("LAB119", name="class-missing-from-evaluation", stages=TRAIN)
def class_missing_from_evaluation(labels: Labels, paths: LabelPaths | None) -> Iterator[Finding]:
    """Classes that are trained and never judged: the metric says nothing about them."""
    trained = {label for survey in training(labels) for label in survey.per_class if label >= 0}
    judged = [s for s in classified(labels) if s.split == "Eval"]
    if not judged or any(s.relabel for s in classified(labels)):
        raise NotApplicable("no-two-lists")
    apart = numbered_apart(labels, paths)
    if one_class(labels) is not None:
        return  # LAB123
    for survey in judged:
        if any(labels.surveys[other] == survey for _, other in apart):
            continue  # where the lists are numbered differently, no class need be missing
        missing = sorted(trained - set(survey.per_class))
        if missing:
            yield Finding(
                at=survey.source,
                fixes=(Fix("add-samples", "advice", "unsafe"),),
                file=survey.file,
                missing=missing[:11],
                count=len(missing),
                classes=len(trained),
            )


@check("LAB122", name="multi-label-width", stages=TRAIN | EVAL)
def multi_label_width(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Rows of a multi-label list with another number of values than the model has outputs, or than the other rows have.

    Measured on develop: another width ends in the loss (`Input(X) and Input(Label) shall have the same shape`), rows of two widths in the
    batch (`all input arrays must have the same shape`), after which the process hangs.
    """
    surveys = [s for s in labels.surveys if s.format.labels == "multilabel" and s.widths]
    if not surveys:
        raise NotApplicable("no-multi-label-list")
    yield from _other_widths(config, surveys)
    for survey in surveys:
        usual = _usual_width(survey)
        values: dict[str, Any] = {"split": survey.split, "file": survey.file, "width": usual, "rows": survey.samples}
        if len(survey.widths) > 1:
            others = {width: count for width, count in survey.widths.items() if width != usual}
            yield Finding(
                at=Location(survey.file, min(survey.width_lines[width] for width in others)),
                via=survey.source,
                case="ragged",
                fixes=(Fix("same-width", "advice", "unsafe"),),
                **values,
                odd_rows=sum(others.values()),
                odd_widths=sorted(others),
                class_num=config.class_num.value if config.class_num else None,
            )
            continue
        fits = config.class_num is None or usual == config.class_num.value
        odd = {value: count for value, count in survey.values.items() if value not in (0, 1)}
        if odd:
            reader = _counts_zeros_and_ones(config, survey.split)
            yield Finding(
                at=Location(survey.file, None),
                via=survey.source,
                case="values-and-metric" if reader else "values",
                fixes=(Fix("zero-or-one", "advice", "unsafe"),),
                **values,
                odd_values=sorted(odd)[:11],
                count=sum(odd.values()),
                metric=reader or "",
            )
        constant = [column for column, ones in enumerate(survey.positives) if ones in (0, survey.samples)]
        if constant and fits and not odd and survey.split == "Train" and len(labels.of("Train")) == 1:
            yield Finding(
                at=Location(survey.file, None),
                via=survey.source,
                case="constant",
                fixes=(Fix("add-samples", "advice", "unsafe"),),
                **values,
                columns=constant[:11],
                count=len(constant),
                never=sum(survey.positives[column] == 0 for column in constant),
            )


def _usual_width(survey: LabelSurvey) -> int:
    return max(survey.widths, key=lambda width: (survey.widths[width], -width))


def _other_widths(config: TrainingConfig, surveys: list[LabelSurvey]) -> Iterator[Finding]:
    """Lists of one width each that is not class_num: once for all of them, and at the list where the training list fits the model."""
    class_num = config.class_num
    if class_num is None:
        return
    ordered = sorted((s for s in surveys if len(s.widths) == 1), key=lambda s: s.split != "Train")
    wrong = [s for s in ordered if _usual_width(s) != class_num.value]
    if not wrong:
        return
    first, width = wrong[0], _usual_width(wrong[0])
    values: dict[str, Any] = {
        "split": first.split,
        "file": first.file,
        "width": width,
        "rows": first.samples,
        "odd_rows": None,
        "odd_widths": None,
        "class_num": class_num.value,
        "files": len({s.path for s in wrong}),
        "all_rows": sum({s.path: s.samples for s in wrong}.values()),
    }
    if first.split != "Train" and any(s.split == "Train" for s in ordered):
        at = Location(first.file, first.width_lines[width])
        yield Finding(at=at, via=first.source, case="evaluation", fixes=(Fix("same-width", "advice", "unsafe"),), **values)
        return
    other = next((s for s in ordered if _usual_width(s) != width), None)
    if other is not None:
        values |= {"other": other.file, "other_width": _usual_width(other)}
    fixes = tuple(
        Fix("set-class-num", "edit", "unsafe", at=count.count.location, value=width, values={"width": width})
        for count in config.class_counts
        if other is None
    )
    case = "apart" if other is not None else "both" if values["files"] > 1 else "default"
    yield Finding(at=class_num.location, via=first.source, case=case, fixes=fixes or (Fix("same-width", "advice", "unsafe"),), **values)


def _counts_zeros_and_ones(config: TrainingConfig, split: str) -> str | None:
    """The metric of a split that scikit-learn computes from 0 and 1, and that refuses other values (`ppcls/metric/metrics.py`)."""
    evaluates = split == "Eval" and (config.stage == "eval" or config.tree.raw("Global.eval_during_train") is not False)
    if not evaluates and not (split == "Train" and config.stage == "train"):
        return None
    names = (name for _, name, _ in entries_of(config, f"Metric.{split}"))
    return next((name for name in names if name in ("AccuracyScore", "HammingDistance")), None)
