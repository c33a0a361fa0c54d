"""How each dataset class of PaddleClas reads a line of its label file.

Sources: `ppcls/data/dataloader/*.py` of 2.2 to develop, `ppcls/data/reader.py` of 2.0 and 2.1. All of them open the file as text, so
`\\n`, `\\r\\n` and `\\r` end a line, and strip each line before they split it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

LabelKind = Literal["class", "multilabel", "none"]

BadReason = Literal[
    "blank", "no-label", "not-integer", "separator-in-path", "wrong-separator", "extra-column", "too-long", "empty-separator"
]


class LabelFormat(msgspec.Struct, frozen=True):
    """The rule by which a line becomes (path, label).

    `separator` None splits at any white space. `exact` means that more than two parts are refused (2.0, 2.1). `forgiving` means that a
    bad line is logged and replaced by a random other sample (2.0, 2.1) instead of stopping the run. `integer_column` holds, where a line
    has it, another number (the camera in VeriWild).
    """

    separator: str | None = " "
    image_column: int = 0
    label_column: int = 1
    offset: int = 0
    exact: bool = False
    forgiving: bool = False
    labels: LabelKind = "class"
    header: str | None = None
    integer_column: int | None = None


_TAB = LabelFormat(separator="\t")
_SPACES = LabelFormat(separator=None)

MODERN: dict[str, LabelFormat] = {
    "ImageNetDataset": LabelFormat(),
    "MultiScaleDataset": LabelFormat(),
    "ClsDataset": LabelFormat(),
    "ShiTuRecDataset": LabelFormat(),
    "ICartoonDataset": _TAB,
    "LogoDataset": LabelFormat(separator="\t", image_column=3, label_column=1, offset=-1, header="image_id"),
    "MultiLabelDataset": LabelFormat(separator="\t", labels="multilabel"),
    "MLClsDataset": LabelFormat(separator="\t", labels="multilabel"),
    "CompCars": _SPACES,
    "VeriWild": LabelFormat(separator=None, integer_column=2),
    "SOP": _SPACES,
    "Inshop": _SPACES,
    "Aliproduct": _SPACES,
    "AdaFaceDataset": _SPACES,
}
"""Dataset class → how it reads a line (2.3 to develop). Classes that read no list are not here."""

TAKES_DELIMITER = frozenset({"ImageNetDataset", "MultiScaleDataset", "ClsDataset", "ShiTuRecDataset"})

LEGACY = LabelFormat(exact=True, forgiving=True)
LEGACY_MULTILABEL = LabelFormat(separator="\t", exact=True, forgiving=True, labels="multilabel")


class Parsed(msgspec.Struct, frozen=True):
    """A line as the dataset class reads it: the path, and the label (a list of them for multi-label data)."""

    path: str
    label: int
    values: tuple[int, ...] = ()
    columns: int = 2


def parse_line(line: str, rule: LabelFormat) -> Parsed | BadReason | None:
    """What the dataset class makes of one line, or why it cannot; None for a header that it skips."""
    text = line.strip()
    if rule.separator == "":
        return "empty-separator"
    parts = text.split(rule.separator)
    if rule.header is not None and parts and parts[0] == rule.header:
        return None
    if not text:
        return "blank"
    wanted = max(rule.image_column, rule.label_column)
    if len(parts) <= wanted:
        return "wrong-separator" if len(parts) == 1 and _other_separator(text, rule) is not None else "no-label"
    if rule.exact and len(parts) != 2:
        if _number(parts[1], rule) is None and _number(parts[-1], rule) is not None:
            return "separator-in-path"
        return "extra-column"
    label = _number(parts[rule.label_column], rule)
    if label is None:
        # the separator stands in the path when a later part is the label: "my dir/a.jpg 3", or two blanks in a row
        if any(_number(part, rule) is not None for part in parts[wanted + 1 :]):
            return "separator-in-path"
        return "not-integer"
    if rule.integer_column is not None and len(parts) > rule.integer_column and _number(parts[rule.integer_column], rule) is None:
        return "not-integer"
    if isinstance(label, tuple):
        return Parsed(parts[rule.image_column], 0, label, len(parts))
    return Parsed(parts[rule.image_column], label + rule.offset, (), len(parts))


def _number(text: str, rule: LabelFormat) -> int | tuple[int, ...] | None:
    try:
        if rule.labels == "multilabel":
            return tuple(int(item) for item in text.split(","))
        return int(text)
    except ValueError:
        return None


def _other_separator(text: str, rule: LabelFormat) -> str | None:
    """A separator under which this line would be "path, label"."""
    for other in ("\t", " ", ",", ";", "|", "\u3000", "\u00a0", ":"):
        if other == rule.separator or (other == "," and rule.labels == "multilabel"):
            continue
        head, found, tail = text.rpartition(other)
        if found and head.strip() and _number(tail.strip(), rule) is not None:
            return other
    return None


def guess_separator(text: str, rule: LabelFormat) -> str | None:
    """The separator that a line seems to have been written with, if it is another than the rule's."""
    return _other_separator(text.strip(), rule)
