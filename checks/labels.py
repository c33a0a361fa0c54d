"""LAB: the label files, against the config and against each other."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.data_paths import DataPaths
from checks.facts.label_format import TAKES_DELIMITER
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

SEPARATORS = {"\t": "\\t", " ": " ", ",": ",", ";": ";", "|": "|", "\u3000": "U+3000", "\u00a0": "U+00A0", ":": ":"}


def _at(survey: LabelSurvey, line: int | None) -> Location:
    return Location(survey.file, line)


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


def in_shell(config: TrainingConfig, survey: LabelSurvey, suffix: str = "") -> str:
    """A label file's name in a command: as the config writes it, where the command is run in the folder that it counts from."""
    return shlex.quote((survey.file if config.root_reason == "cwd" else survey.path) + suffix)


def _class_num(config: TrainingConfig) -> Value[int]:
    if config.class_num is None:
        raise NotApplicable("no-class-num")
    return config.class_num


@check("LAB101", name="label-file-missing", stages=TRAIN | EVAL)
def label_file_missing(config: TrainingConfig, labels: Labels, paths: DataPaths) -> Iterator[Finding]:
    """A label file is not there; PaddleClas stops at start, older branches with an empty message."""
    if not paths.lists:
        raise NotApplicable("no-label-file")
    looked = {(p.split, p.written): p for p in paths.lists}
    for item in labels.unread:
        if item.why.reason != "file-missing":
            continue
        place = looked[item.split, item.file]
        fixes = []
        if place.elsewhere:
            command = shlex.join(["paddle-doctor", "check", "--config", config.file, "--root", place.elsewhere])
            fixes.append(Fix("start-elsewhere", "command", "safe", command=command, values={"elsewhere": place.elsewhere}))
        fixes.append(Fix("set-path", "advice", "safe"))
        yield Finding(
            at=item.source,
            fixes=tuple(fixes),
            split=item.split,
            path=item.file,
            resolved=item.path,
            root=config.root,
            nearest=place.nearest,
            elsewhere=place.elsewhere,
        )


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
                at=_at(survey, first), via=survey.source, case="eval-only", fixes=(Fix("renumber", "advice", "unsafe"),), **values
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
            at=_at(survey, first),
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
        at=_at(survey, survey.per_class[low].first_line),
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
        at=_at(survey, survey.per_class[high].first_line),
        via=survey.source,
        fixes=(Fix("renumber", "advice", "unsafe"),),
        gaps=gaps,
        missing=list(itertools.islice(missing, 11)),
        classes=len(known),
        min_label=low,
        max_label=high,
        file=survey.file,
    )


@check("LAB107", name="label-line-unparsable", stages=TRAIN | EVAL)
def label_line_unparsable(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Lines that the dataset class cannot read: blank, without a label, or with one that is no integer."""
    yield from _bad_lines(config, labels, ("blank", "no-label", "not-integer", "extra-column", "too-long", "empty-separator"))
    for survey in labels.surveys:
        # VeriWild keeps the cameras in a list of their own and looks into it with the number of the sample
        if survey.format.integer_column is None or not 0 < survey.extra_columns < survey.samples:
            continue
        yield Finding(
            at=_at(survey, survey.first_extra),
            via=survey.source,
            case="camera-partly",
            fixes=(Fix("camera-everywhere", "advice", "unsafe"),),
            split=survey.split,
            file=survey.file,
            count=survey.samples - survey.extra_columns,
            total_lines=survey.lines,
        )


@check("LAB108", name="wrong-separator", stages=TRAIN | EVAL)
def wrong_separator(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Lines written with another separator than the dataset class splits at."""
    yield from _bad_lines(config, labels, ("wrong-separator",))


@check("LAB109", name="path-contains-separator", stages=TRAIN | EVAL)
def path_contains_separator(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """The separator stands in the path, or twice before the label, so that the second part is no label."""
    yield from _bad_lines(config, labels, ("separator-in-path",))


def _bad_lines(config: TrainingConfig, labels: Labels, reasons: tuple[str, ...]) -> Iterator[Finding]:
    if not labels.surveys:
        raise NotApplicable("no-labels-read")
    for survey in labels.surveys:
        forgiving = survey.format.forgiving and survey.samples > 0
        for reason in reasons:
            count = survey.bad_counts.get(reason, 0)
            if not count:
                continue
            lines = [bad for bad in survey.bad if bad.reason == reason]
            first = lines[0] if lines else None
            case = f"{reason}-legacy" if forgiving else reason
            kind = _kind_of_labels(survey) if reason == "not-integer" else None
            if kind and not forgiving:
                case = kind
            yield Finding(
                at=_at(survey, first.line if first else None),
                via=survey.source,
                case=case,
                fixes=tuple(_as_numbers(config, labels, survey, kind)) or _line_fixes(config, survey, reason),
                split=survey.split,
                file=survey.file,
                label=first.label if first and first.label is not None else "",
                count=count,
                lines=[bad.line for bad in lines][:11],
                text=first.text if first else "",
                total_lines=survey.lines,
                separator=_shown(survey.format.separator),
                separator_seen=_shown(survey.separator_seen) if survey.separator_seen else None,
            )


WORD = r"[^\W\d][\w-]*"
WHOLE = r"[0-9]+\.0*"


def _kind_of_labels(survey: LabelSurvey) -> str | None:
    """What stands where integers should: `words` in every line, or `floats` that are whole numbers; None for anything else.

    Where a line goes on after the label, a class may have a name of two words, which cannot be told.
    """
    bad = [line for line in survey.bad if line.reason == "not-integer"]
    if not bad or survey.format.header is not None or survey.format.labels != "class":
        return None
    if all(re.fullmatch(WHOLE, line.label or "") for line in bad):
        return "floats"
    single = all(len(line.text.split(survey.format.separator)) == survey.format.label_column + 1 for line in bad)
    words = single and all(re.fullmatch(WORD, line.label or "") for line in bad)
    return "words" if words and not survey.samples and set(survey.bad_counts) == {"not-integer"} else None


def _as_numbers(config: TrainingConfig, labels: Labels, survey: LabelSurvey, kind: str | None) -> Iterator[Fix]:
    """Commands that write new lists beside the old ones: words numbered by one mapping over all lists, or whole floats as integers."""
    column = survey.format.label_column + 1
    separator = survey.format.separator or " "
    field = {"\t": r"\t"}.get(separator, separator)
    options = [f"-F{field}", "-v", f"OFS={field}"]
    if kind == "floats":
        program = f'${column} ~ /^{WHOLE}$/ {{sub(/\\.0*$/, "", ${column})}} {{print}}'
        command = f"{shlex.join(['awk', *options, program])} {in_shell(config, survey)} > {in_shell(config, survey, '.integers')}"
        yield Fix("whole-numbers", "command", "safe", command=command)
    elif kind == "words" and all(_kind_of_labels(other) == "words" and other.format == survey.format for other in labels.surveys):
        files = list(dict.fromkeys(in_shell(config, other) for other in labels.surveys))
        program = f'!(${column} in n) {{n[${column}] = 0 + k++}} {{${column} = n[${column}]; print > (FILENAME ".numbered")}}'
        yield Fix("number-words", "command", "safe", command=f"{shlex.join(['awk', *options, program])} {' '.join(files)}")


def _line_fixes(config: TrainingConfig, survey: LabelSurvey, reason: str) -> tuple[Fix, ...]:
    if reason == "blank":
        return (Fix("delete-blank", "command", "safe", command=f"sed -i.bak '/^[[:space:]]*$/d' {in_shell(config, survey)}"),)
    key = survey.source.key or ""
    key = key.rstrip("0123456789").rstrip(".").rpartition(".")[0]
    if reason == "empty-separator":
        return (Fix("remove-delimiter", "advice", "safe", values={"key": f"{key}.delimiter"}),)
    if config.generation == "legacy" or survey.dataset in TAKES_DELIMITER:
        # lines that are read now would no longer be with another delimiter
        if reason == "wrong-separator" and survey.separator_seen and not survey.samples:
            values = {"separator": _shown(survey.separator_seen), "key": key}
            import json  # 1.6 ms, and few lists have such a line

            return (Fix("set-delimiter", "advice", "safe", snippet=f"delimiter: {json.dumps(survey.separator_seen)}", values=values),)
        if reason == "separator-in-path" and survey.format.separator != "\t":
            return (Fix("use-tab", "advice", "unsafe", snippet='delimiter: "\\t"', values={"key": key}),)
    return (Fix("correct-lines", "advice", "unsafe"),)


def _shown(separator: str | None) -> str:
    if separator is None:
        return r"\s+"  # as both languages write "any white space"
    # a backslash is doubled: '\\t' in a YAML file without double quotes is two characters, and no tab
    return SEPARATORS.get(separator, separator.replace("\\", "\\\\"))


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
            at=_at(other, example.second_line if example else None),
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


@check("LAB112", name="label-file-empty", stages=TRAIN | EVAL)
def label_file_empty(labels: Labels) -> Iterator[Finding]:
    """A list without a sample: the run does nothing, saves a random model and exits with 0."""
    if not labels.surveys:
        raise NotApplicable("no-labels-read")
    for survey in labels.surveys:
        if survey.samples == 0 and not survey.bad_counts:
            yield Finding(
                at=survey.source, split=survey.split, file=survey.file, size=survey.size, fixes=(Fix("fill", "advice", "unsafe"),)
            )


@check("LAB113", name="label-file-unreadable", stages=TRAIN | EVAL)
def label_file_unreadable(labels: Labels, paths: DataPaths) -> Iterator[Finding]:
    """A label file is there but cannot be read: no permission, a folder, a device, binary."""
    if not paths.lists:
        raise NotApplicable("no-label-file")
    for item in labels.unread:
        if item.why.reason != "file-missing":
            fixes = (
                (Fix("grant", "command", "unsafe", command=f"chmod u+r {shlex.quote(item.path)}"),)
                if item.why.reason == "file-no-permission"
                else ()
            )
            yield Finding(
                at=item.source, case=item.why.reason, fixes=fixes, split=item.split, file=item.file, error=item.why.values.get("error", "")
            )


@check("LAB114", name="label-file-encoding", stages=TRAIN | EVAL)
def label_file_encoding(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Bytes that PaddleClas cannot read as UTF-8, a byte order mark in front of the first path, or characters nobody sees."""
    if not labels.surveys:
        raise NotApplicable("no-labels-read")
    for survey in labels.surveys:
        if survey.not_utf8:
            encoding = survey.not_utf8.encoding
            file, new = in_shell(config, survey), in_shell(config, survey, ".utf8")
            command = f"iconv -f {encoding} -t utf-8 {file} > {new}" if encoding else None
            yield Finding(
                at=_at(survey, survey.not_utf8.line),
                via=survey.source,
                case="not-utf8",
                fixes=(Fix("convert", "command", "safe", command=command),) if command else (),
                file=survey.file,
                line=survey.not_utf8.line,
                byte=f"0x{survey.not_utf8.byte:02x}",
                encoding=encoding or "?",
            )
        if survey.bom:
            yield Finding(
                at=_at(survey, 1),
                via=survey.source,
                case="bom",
                fixes=(Fix("remove-bom", "command", "safe", command=f"sed -i.bak '1s/^\\xEF\\xBB\\xBF//' {in_shell(config, survey)}"),),
                file=survey.file,
            )
        hidden = [row for row in survey.invisible if not (survey.bom and row == (1, "U+FEFF"))]
        if hidden:
            yield Finding(
                at=_at(survey, hidden[0][0]),
                via=survey.source,
                case="invisible",
                file=survey.file,
                count=survey.invisible_lines - (len(survey.invisible) - len(hidden)),
                line=hidden[0][0],
                characters=hidden[0][1],
            )
