r"""What the programs of PaddleClas print of each image, of every generation, and the results in it.

========================  ==========================  =====================================================================================
program                   branch                      lines
========================  ==========================  =====================================================================================
tools/infer/infer.py      static                      `current image: a.jpg`, then `\tclass id: 1, probability: 0.9000`
tools/infer/infer.py      2.0-beta to 2.0             `Current image file: a.jpg`, then `\ttop1, class id: 1, probability: 0.9000`
tools/infer/*.py          2.1                         `File:a.jpg, Top-5 result: class id(s): [1], score(s): [0.90]`; `multilabel result: `
tools/infer/predict.py    static                      `image file: a.jpg`, `class: 1`, `score: 0.9`
tools/infer/predict.py    2.0-beta to 2.0             `Current image file: a.jpg`, `\ttop-1 class: 1`, `\ttop-1 score: 0.9`
tools/infer.py            2.2 to 2.5; 2.5.1 and later a list of dicts, bare; behind the logger's prefix
predict_cls.py            2.2 and later               `a.jpg:\tclass id(s): [1], score(s): [0.90], label_name(s): ['cat']`; attributes; scores
paddleclas (wheel)        2.1; 2.3; 2.4 and later     `top-5 result: {…}`; `filename: a.jpg, top-5, class_ids: […]`; `class_ids: […], filename: a.jpg`
C++                       2.3 and later; before       `\tTop1: class_id: 1, score: 0.9000, label: cat`; `result: `, `\tclass id: 1`, `\tscore: 0.9`
========================  ==========================  =====================================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from checks.facts.parity import Ranked
from checks.facts.printed import FULL, Form, Printed, Results
from checks.facts.printed_literals import LONGEST, NoLiteral, literal_end, read_literal

PATIENCE = 8 << 20
"""Characters behind brackets that are never closed, in one text, that are looked through."""

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_PREFIX = re.compile(
    r"(?:\[\d{4}[/-]\d\d[/-]\d\d \d\d:\d\d:\d\d(?:,\d+)?\] (?:\[ *[A-Z]+\] \S+ - |\S+ [A-Z]+: )"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)? (?:\S+ )?[A-Z]+: )"
)
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)"
_LIST_BEGINS = re.compile(r"\[\s*\{")
_BEHIND = re.compile(r", filename: (.+)")
_UNREAD = re.compile(r"(?:Image file failed to read and has been skipped\. The path: |\[ERROR\] image read failed! image path: )(.+)$")
_RAISED = re.compile(r"Exception occured when parse line: (.+?) with msg: (.*)$")
_LISTS = r"class id\(s\): (?P<ids>\[.*?\]), score\(s\): (?P<scores>\[.*?\])"
_PREDICT = re.compile(rf"(?P<file>.*?):\t{_LISTS}, label_name\(s\): (?P<names>\[.*\])")
_SCORE_ONLY = re.compile(r"(?P<file>.*?):\tscore\(s\): (?P<scores>\[.*?\])$")
_ATTRIBUTES = re.compile(r"(?P<file>.*?):\t (?P<dict>\{.*\})$")
_INFER_21 = re.compile(rf"File:(?P<file>.*), Top-\d+ result: {_LISTS}")
_MULTILABEL_21 = re.compile(r"File:(?P<file>.*), multilabel result: ?$")
_WHEEL_21 = re.compile(r"top-\d+ result: (?P<dict>\{.*\})$")
_WHEEL_23 = re.compile(r"filename: (?P<file>.*?), top-\d+, (?P<rest>(?:class_ids|scores): .*)$")
_WHEEL = re.compile(r"(?P<rest>(?:class_ids|scores): .*), filename: (?P<file>.*)$")
_PART = re.compile(r"(class_ids|scores|label_names): (?=\[)")
_IMAGE = re.compile(r"(?:(?P<static>current image|image file)|Current image (?P<new>file|path)): (?P<file>.+)$")
_GLUED = re.compile(r"(?<=, )(?=Current image path: )")
"""The C++ program ends no line where it knows no names."""
_ROW = re.compile(rf"\t(?:top\d+, )?class id: (\d+), probability: ({_NUMBER})")
_TOP_1 = re.compile(rf"\ttop-1 (?:class: (?P<id>\d+)|score: (?P<score>{_NUMBER}))")
_STATIC = re.compile(rf"(?:class: (?P<id>\d+)|score: (?P<score>{_NUMBER}))$")
_CPP = re.compile(rf"\tTop\d+: class_id: (\d+), score: ({_NUMBER}), (?:label: (.*?))?(?=\tTop\d+: |$)")
_CPP_OLD = re.compile(rf"\t(?:class id: (?P<id>\d+)|score: (?P<score>{_NUMBER}))$")


def clean(text: str) -> str:
    """The text without colours and without the NUL bytes that loaders' workers leave in it."""
    return _ANSI.sub("", text.replace("\0", ""))


def read_results(text: str) -> Results:
    """Every image's result in what a program printed; what is no result is passed over."""
    return _Reader(clean(text)).read()


def plain(line: str) -> str:
    """A line without the logger's prefix."""
    return _PREFIX.sub("", line, count=1) if line[:1] in "[0123456789" else line


class _Open:
    """An image whose rows are still to come."""

    def __init__(self, file: str | None, line: int, form: Form) -> None:
        self.file, self.line, self.form = file, line, form
        self.ids: list[int] = []
        self.scores: list[float] = []
        self.names: list[str] = []
        self.decimals = 0

    def add(self, identity: str | None, score: str | None) -> None:
        if identity is not None:
            self.ids.append(int(identity[:18]))
        if score is not None:
            self.scores.append(float(score))
            self.decimals = max(self.decimals, _decimals(score))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Printed] = []
        self.unread: dict[str, str] = {}
        self.open: _Open | None = None
        self.patience = PATIENCE

    def read(self) -> Results:
        position, number = 0, 0
        while position < len(self.text):
            number += 1
            end = self.text.find("\n", position)
            end = len(self.text) if end < 0 else end
            line = self.text[position:end].rstrip("\r")
            after = self.list_of_dicts(position, end, number) if "{" in line else None
            if after is not None:
                # the list may go on over several lines, as arrays do
                number += self.text.count("\n", position, after)
                end = self.text.find("\n", after)
                end = len(self.text) if end < 0 else end
            else:
                for part in _GLUED.split(line.rpartition("\r")[2]):
                    self.line(plain(part), number)
            position = end + 1
        self.close()
        return Results(tuple(self.found), tuple(self.unread.items()), number)

    def list_of_dicts(self, start: int, end: int, number: int) -> int | None:
        """Take a printed list of dicts that begins on this line; where it ends, or None."""
        begin = _LIST_BEGINS.search(self.text, start, end)
        if begin is None:
            return None
        stop = literal_end(self.text, begin.start(), end if self.patience <= 0 else None)
        if stop is None:
            self.patience -= min(LONGEST, len(self.text) - begin.start())
            return None
        try:
            value = read_literal(self.text[begin.start() : stop])
        except NoLiteral:
            return None
        wheel = _BEHIND.match(self.text, stop)
        taken = [one for item in value if (one := of_dict(item, number, "wheel" if wheel else "list-of-dicts")) is not None]
        if not taken:
            return None
        self.close()
        if wheel and len(taken) == 1:
            taken = [msgspec.structs.replace(taken[0], file=wheel[1].strip())]
        self.found += taken
        return stop

    def line(self, line: str, number: int) -> None:
        unread = _UNREAD.search(line)
        raised = _RAISED.search(line)
        if unread:
            self.unread.setdefault(unread[1].strip(), "")
        elif raised:
            self.unread.setdefault(raised[1].strip(), raised[2].strip()[:200])
        elif any(take(line, number) for take in self.takers()):
            return

    def takers(self) -> Iterator[Callable[[str, int], bool]]:
        yield from (self.whole, self.dictionary, self.wheel, self.begins, self.row)

    def whole(self, line: str, number: int) -> bool:
        """A line with all of one image."""
        forms: tuple[tuple[re.Pattern[str], Form], ...] = ((_PREDICT, "predict-cls"), (_INFER_21, "infer-2.1"), (_SCORE_ONLY, "score"))
        for pattern, form in forms:
            match = pattern.match(line)
            if match is None:
                continue
            parts = match.groupdict()
            try:
                values = {key: read_literal(parts[key]) for key in ("ids", "scores", "names") if parts.get(key)}
            except NoLiteral:
                return False
            decimals = max((_decimals(part) for part in parts["scores"].strip("[]").split(",")), default=0)
            return self.take(
                of_values(
                    parts["file"], values.get("ids"), values["scores"], values.get("names"), number, form, decimals
                )
            )  # fmt: skip
        return False

    def dictionary(self, line: str, number: int) -> bool:
        """A dict of one image: the wheel of 2.1, and attributes."""
        for pattern, form in ((_WHEEL_21, "wheel"), (_ATTRIBUTES, "attributes")):
            match = pattern.match(line)
            if match is None:
                continue
            try:
                value = read_literal(match["dict"])
            except NoLiteral:
                continue
            one = of_dict(value, number, form)  # type: ignore[arg-type]  # two of the forms
            file = match.groupdict().get("file")
            if one is not None and self.take(one if file is None else msgspec.structs.replace(one, file=file)):
                return True
        return False

    def wheel(self, line: str, number: int) -> bool:
        """The lines of the wheel's command."""
        match = _WHEEL_23.match(line) or _WHEEL.match(line)
        if match is None:
            return False
        rest, values = match["rest"], {}
        for part in _PART.finditer(rest):
            stop = literal_end(rest, part.end())
            try:
                values[part[1]] = read_literal(rest[part.end() : stop]) if stop else None
            except NoLiteral:
                return False
        return self.take(
            of_values(match["file"].strip(), values.get("class_ids"), values.get("scores"), values.get("label_names"), number, "wheel")
        )

    def begins(self, line: str, number: int) -> bool:
        """The line that names the image whose rows follow; that of the old C++ program comes behind them."""
        multilabel = _MULTILABEL_21.match(line)
        match = _IMAGE.match(line)
        if multilabel:
            self.close()
            self.open = _Open(multilabel["file"], number, "infer-2.1")
        elif line.strip() == "result:":
            self.close()
            self.open = _Open(None, number, "cpp-old")
        elif match is None:
            return False
        elif match["new"] == "path" and self.open is not None and self.open.form == "cpp-old" and self.open.ids:
            self.open.file = match["file"].strip()
            self.close()
        else:
            self.close()
            form: Form = "cpp" if match["new"] == "path" else "infer-2.0" if match["new"] else "infer-static"
            self.open = _Open(match["file"].strip(), number, form)
        return True

    def row(self, line: str, number: int) -> bool:
        """A row of an image that was named."""
        if self.open is None:
            return False
        cpp = list(_CPP.finditer(line))
        rows = _ROW.match(line)
        if cpp:
            for match in cpp:
                self.open.add(match[1], match[2])
                self.open.names += [match[3].strip()] if match[3] else []
        elif rows:
            self.open.add(rows[1], rows[2])
        else:
            pairs: tuple[tuple[re.Pattern[str], Form], ...] = ((_TOP_1, "predict-2.0"), (_CPP_OLD, "cpp-old"), (_STATIC, "predict-static"))
            for pattern, form in pairs:
                single = pattern.match(line)
                if single:
                    self.open.form = form
                    self.open.add(single["id"], single["score"])
                    return True
            return False
        return True

    def close(self) -> None:
        """The image is complete: another begins, or the text ends."""
        done, self.open = self.open, None
        if done is not None and done.ids:
            self.take(of_values(done.file, done.ids, done.scores, done.names, done.line, done.form, done.decimals))

    def take(self, one: Printed | None) -> bool:
        if one is None:
            return False
        self.close()
        self.found.append(one)
        return True


def of_dict(item: Any, line: int, form: Form) -> Printed | None:
    """A result from its dict: of `Topk`, `ThreshOutput`, `ScoreOutput` and the attributes; None where it is something else."""
    if not isinstance(item, dict):
        return None
    file = next((item[key] for key in ("file_name", "filename", "file", "image") if isinstance(item.get(key), str)), None)
    bits = item.get("pred", item.get("output"))
    if "class_ids" not in item and "scores" not in item and isinstance(bits, list):
        texts = item.get("attr", item.get("attributes", []))
        names = [texts] if isinstance(texts, str) else texts
        if not all(bit in (0, 1) for bit in bits) or not isinstance(names, list):
            return None
        on = tuple(index for index, bit in enumerate(bits) if bit)
        return Printed(file, Ranked(on, (), tuple(map(str, names))), "attributes", 0, "attributes", line)
    return of_values(file, item.get("class_ids"), item.get("scores"), item.get("label_names"), line, form)


def of_values(file: str | None, ids: Any, scores: Any, names: Any, line: int, form: Form, decimals: int | None = None) -> Printed | None:
    """A result from its parts, or None where they are no such thing (unequal lengths, text for numbers)."""
    ids = None if ids is None else _flat(ids)
    scores, names = _flat(scores), _flat(names)
    if not all(isinstance(score, (int, float)) and not isinstance(score, bool) for score in scores):
        return None
    if ids is not None and not all(type(identity) is int for identity in ids):
        return None
    if (ids is None and not scores) or (ids is not None and scores and len(ids) != len(scores)):
        return None
    numbers = tuple(map(_float, scores))
    digits = max((_decimals(repr(number)) for number in numbers), default=0) if decimals is None else decimals
    result = Ranked(tuple(ids or ()), numbers, tuple(map(str, names)))
    return Printed(file, result, "ranked" if ids is not None else "score", min(digits, FULL), form, line)


def _flat(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        return [value]
    return [part for item in value for part in _flat(item)] if any(isinstance(item, list) for item in value) else value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _decimals(text: str) -> int:
    """The digits behind the point; all there are where the number has an exponent."""
    text = text.strip().lower()
    if "e" in text:
        return FULL
    return len(text.partition(".")[2])
