"""LAB: the label files as files and lines: there, readable, encoded and separated as the dataset class needs them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator

from checks.facts.data_paths import DataPaths
from checks.facts.label_format import TAKES_DELIMITER
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.training_config import TrainingConfig
from checks.labels import dataset_key, in_shell
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

SEPARATORS = {"\t": "\\t", " ": " ", ",": ",", ";": ";", "|": "|", "\u3000": "U+3000", "\u00a0": "U+00A0", ":": ":"}


@check("LAB107", name="label-line-unparsable", stages=TRAIN | EVAL)
def label_line_unparsable(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Lines that the dataset class cannot read: blank, without a label, or with one that is no integer."""
    yield from _bad_lines(config, labels, ("blank", "no-label", "not-integer", "extra-column", "too-long", "empty-separator"))
    for survey in labels.surveys:
        # VeriWild keeps the cameras in a list of their own and looks into it with the number of the sample
        if survey.format.integer_column is None or not 0 < survey.extra_columns < survey.samples:
            continue
        yield Finding(
            at=Location(survey.file, survey.first_extra),
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
        header = _header(survey)
        for reason in reasons:
            count = survey.bad_counts.get(reason, 0)
            if not count:
                continue
            lines = [bad for bad in survey.bad if bad.reason == reason]
            first = lines[0] if lines else None
            if header and reason == header and survey.bad_counts.get("wrong-separator"):
                continue  # a line of titles above rows with another separator is LAB108's
            case = f"{reason}-legacy" if forgiving else reason
            kind = _kind_of_labels(survey) if reason == "not-integer" else None
            if kind and not forgiving:
                case = kind
            if header and not forgiving and reason in (header, "wrong-separator"):
                case = "header"
            yield Finding(
                at=Location(survey.file, first.line if first else None),
                via=survey.source,
                case=case,
                fixes=tuple(_as_numbers(config, labels, survey, kind)) or _line_fixes(config, survey, reason, header),
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


TITLES = re.compile(
    r"(?i)\"?(id|index|image|images|img|image[_ ]?(id|name|path|file)|file|filename|file[_ ]?(name|path)|path|name|label|labels|label[_ ]?id"
    r"|class|class[_ ]?(id|name)|category|target|split)\"?"
)


def _header(survey: LabelSurvey) -> str | None:
    """Why the first line cannot be read, where it is a line of titles as tables have and all others are rows or have another separator."""
    first = survey.bad[0] if survey.bad else None
    if first is None or first.line != 1 or first.reason not in ("no-label", "not-integer", "separator-in-path"):
        return None
    if sum(survey.bad_counts.values()) != 1 + survey.bad_counts.get("wrong-separator", 0) or survey.bad_counts.get(first.reason) != 1:
        return None
    parts = [part.strip() for part in re.split(r"\\t|[\t,;| ]", first.text.strip()) if part.strip()]
    return first.reason if len(parts) > 1 and all(TITLES.fullmatch(part) for part in parts) else None


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


def _line_fixes(config: TrainingConfig, survey: LabelSurvey, reason: str, header: str | None = None) -> tuple[Fix, ...]:
    if reason == header:
        return (Fix("delete-header", "command", "safe", command=f"sed -i.bak 1d {in_shell(config, survey)}"),)
    if reason == "blank":
        return (Fix("delete-blank", "command", "safe", command=f"sed -i.bak '/^[[:space:]]*$/d' {in_shell(config, survey)}"),)
    key = dataset_key(survey)
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


def _seen(labels: Labels) -> None:
    """Leave the rule where nothing is known but that lists cannot be seen from here."""
    if labels.unread and not labels.surveys and all(item.why.reason == "path-not-seen" for item in labels.unread):
        raise NotApplicable("path-not-seen", file=labels.unread[0].file)


@check("LAB101", name="label-file-missing", stages=TRAIN | EVAL)
def label_file_missing(config: TrainingConfig, labels: Labels, paths: DataPaths) -> Iterator[Finding]:
    """A label file is not there; PaddleClas stops at start, older branches with an empty message."""
    if not paths.lists:
        raise NotApplicable("no-label-file")
    looked = {(p.split, p.written): p for p in paths.lists}
    _seen(labels)
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
    """A label file is there but cannot be read: no permission, a folder, a device, binary, or something else than a list."""
    if not paths.lists:
        raise NotApplicable("no-label-file")
    _seen(labels)
    for item in labels.unread:
        if item.why.reason not in ("file-missing", "path-not-seen"):
            fixes: tuple[Fix, ...] = ()
            if item.why.reason == "file-no-permission":
                fixes = (Fix("grant", "command", "unsafe", command=f"chmod u+r {shlex.quote(item.path)}"),)
            elif item.why.reason == "file-is-lfs-pointer":
                command = f"git -C {shlex.quote(os.path.dirname(item.path))} lfs pull"
                fixes = (Fix("pull", "command", "safe", command=command),)
            elif "unread" in item.why.values:
                fixes = (Fix("own-list", "advice", "safe"),)
            yield Finding(
                at=item.source,
                case=item.why.reason,
                fixes=fixes,
                split=item.split,
                file=item.file,
                error=item.why.values.get("error", ""),
                lines=item.why.values.get("lines"),
                unread=item.why.values.get("unread"),
                text=item.why.values.get("text"),
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
                at=Location(survey.file, survey.not_utf8.line),
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
                at=Location(survey.file, 1),
                via=survey.source,
                case="bom",
                fixes=(Fix("remove-bom", "command", "safe", command=f"sed -i.bak '1s/^\\xEF\\xBB\\xBF//' {in_shell(config, survey)}"),),
                file=survey.file,
            )
        hidden = [row for row in survey.invisible if not (survey.bom and row == (1, "U+FEFF"))]
        if hidden:
            yield Finding(
                at=Location(survey.file, hidden[0][0]),
                via=survey.source,
                case="invisible",
                file=survey.file,
                count=survey.invisible_lines - (len(survey.invisible) - len(hidden)),
                line=hidden[0][0],
                characters=hidden[0][1],
            )
