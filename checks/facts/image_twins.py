"""Files with the same content under different names, on lines that give them different labels.

Only files of equal size whose last bytes agree are read in full and compared, so a healthy data set costs nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from checks.facts.image_files import ImageFiles
from checks.facts.label_format import Parsed, parse_line
from checks.facts.label_lines import read_lines
from checks.facts.label_survey import Labels
from checks.facts.training_config import TrainingConfig
from checks.model import Location

if TYPE_CHECKING:
    from checks.facts.image_health import ImageSurvey

MAX_BYTES = 256 << 20
"""What is read in all to compare files."""
EXAMPLES = 5


class Place(NamedTuple):
    """A file that may have a twin: the survey that lists it, its path and line, its size and the checksum of its last bytes."""

    survey: int
    path: str
    line: int
    size: int
    mark: int


class TwinImage(msgspec.Struct, frozen=True):
    """Two files with one content and two labels; `first` and `second` are indexes of surveys."""

    first: int
    first_line: int
    first_path: str
    first_label: int
    second: int
    second_line: int
    second_path: str
    second_label: int


class TwinImages(msgspec.Struct, frozen=True):
    """Equal files with different labels: `across` pairs of a training and an evaluation list, `within` pairs of one list.

    `placeholders` says that most files are equal to others: pictures that stand in for data that is still to come.
    """

    across: int
    within: int
    examples: tuple[TwinImage, ...]
    placeholders: bool


def find_twins(
    config: TrainingConfig, files: ImageFiles, surveys: list[ImageSurvey], places: list[Place], labels: Labels
) -> TwinImages | None:
    """Compare what looks alike; None where too much looks alike to be compared."""
    wanted = [place for place in places if surveys[place.survey].split in ("Train", "Eval")]
    alike: dict[tuple[int, int], list[Place]] = {}
    for place in wanted:
        alike.setdefault((place.size, place.mark), []).append(place)
    groups = [group for group in alike.values() if len(group) > 1]
    crowded = sum(map(len, groups))
    if not groups:
        return TwinImages(0, 0, (), False)
    import hashlib  # 3 ms, and most data sets have no two files that look alike

    roots = {(item.split, item.source): item.root for item in files.lists}
    by_content: dict[tuple[int, bytes], list[Place]] = {}
    spent = 0
    digests: dict[str, bytes] = {}
    for group in groups:
        for place in group:
            survey = surveys[place.survey]
            path = os.path.join(roots[survey.split, survey.source], place.path)
            if path not in digests:
                spent += place.size
                if spent > MAX_BYTES:
                    return None
                try:
                    with open(path, "rb") as stream:
                        digests[path] = hashlib.blake2b(stream.read(), digest_size=16).digest()
                except OSError:
                    continue
            by_content.setdefault((place.size, digests[path]), []).append(place)
    # one file on two lines is the label rules' to report
    equal = [group for group in by_content.values() if len(group) > 1 and len({_path(place, surveys, roots) for place in group}) > 1]
    if not equal:
        return TwinImages(0, 0, (), False)
    if crowded > len(wanted) // 2 and sum(map(len, equal)) > len(wanted) // 2:
        return TwinImages(0, 0, (), True)
    return _judge(equal, surveys, roots, labels)


def _path(place: Place, surveys: list[ImageSurvey], roots: dict[tuple[str, Location], str]) -> str:
    survey = surveys[place.survey]
    return os.path.realpath(os.path.join(roots[survey.split, survey.source], place.path))


def _judge(groups: list[list[Place]], surveys: list[ImageSurvey], roots: dict[tuple[str, Location], str], labels: Labels) -> TwinImages:
    numbers: dict[int, set[int]] = {}
    for group in groups:
        for place in group:
            numbers.setdefault(place.survey, set()).add(place.line)
    known: dict[tuple[int, int], int] = {}
    for index, lines in numbers.items():
        survey = next(s for s in labels.surveys if (s.split, s.source) == (surveys[index].split, surveys[index].source))
        for line, text in read_lines(survey.path, lines).items():
            parsed = parse_line(text, survey.format)
            if isinstance(parsed, Parsed):
                known[index, line] = parsed.label
    across = within = 0
    examples: list[tuple[bool, TwinImage]] = []
    for group in groups:
        labelled = [place for place in group if (place.survey, place.line) in known]
        first = min(labelled, key=lambda p: (surveys[p.survey].split != "Train", p.survey, p.line), default=None)
        for place in labelled:
            if first is None or known[place.survey, place.line] == known[first.survey, first.line]:
                continue
            if _path(place, surveys, roots) == _path(first, surveys, roots):
                continue
            apart = surveys[place.survey].split != surveys[first.survey].split
            across, within = across + apart, within + (not apart)
            label, other = known[first.survey, first.line], known[place.survey, place.line]
            examples.append(
                (not apart, TwinImage(first.survey, first.line, first.path, label, place.survey, place.line, place.path, other))
            )
    examples.sort(key=lambda pair: (pair[0], pair[1].second, pair[1].second_line))
    return TwinImages(across, within, tuple(twin for _, twin in examples[:EXAMPLES]), False)
