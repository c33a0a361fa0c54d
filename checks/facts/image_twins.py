"""Files with the same content under different names: with different labels, or in training and in evaluation.

Only files of equal size whose last bytes agree are read in full and compared, so a healthy data set costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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


class CopiedImages(msgspec.Struct, frozen=True):
    """Files of an evaluation list that equal one of a training list, with the same label, under another name (indexes of surveys).

    `line` and `path` are those of the first in the evaluation list, `train_line` and `train_path` those of what it equals.
    """

    train: int
    other: int
    files: int
    line: int
    path: str
    train_line: int
    train_path: str


class TwinImages(msgspec.Struct, frozen=True):
    """Equal files with different labels: `across` pairs of a training and an evaluation list, `within` pairs of one list; and `copies`.

    None of them where most files equal others, of their own list or of other classes: pictures that stand in for data that is still to come.
    """

    across: int
    within: int
    examples: tuple[TwinImage, ...]
    copies: tuple[CopiedImages, ...] = ()


Label = int | tuple[int, ...]
Roots = dict[tuple[str, Location], str]


def find_twins(
    config: TrainingConfig, files: ImageFiles, surveys: list[ImageSurvey], places: list[Place], labels: Labels
) -> TwinImages | None:
    """Compare what looks alike; None where too much looks alike to be compared."""
    wanted = [place for place in places if surveys[place.survey].split in ("Train", "Eval")]
    alike: dict[tuple[int, int], list[Place]] = {}
    for place in wanted:
        alike.setdefault((place.size, place.mark), []).append(place)
    groups = [group for group in alike.values() if len(group) > 1]
    if not groups:
        return TwinImages(0, 0, ())
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
    equal = [group for group in by_content.values() if len(group) > 1]
    if not equal:
        return TwinImages(0, 0, ())
    known = _labels_at(equal, surveys, labels)
    if _stand_in(equal, len(wanted), surveys, roots, known):
        return TwinImages(0, 0, ())  # pictures that stand in for data still to come
    # one file on two lines is the label rules' to report
    apart = [group for group in equal if len({_path(place, surveys, roots) for place in group}) > 1]
    across, within, examples = _conflicts(apart, surveys, roots, known)
    return TwinImages(across, within, examples, tuple(_copies(equal, surveys, roots, known)))


def _stand_in(groups: list[list[Place]], files: int, surveys: list[ImageSurvey], roots: Roots, known: dict[tuple[int, int], Label]) -> bool:
    """Whether most of the files equal others, and most of those others of their own list or of another class.

    A folder that was copied has each picture once in a list, with one label.
    """
    alike = stray = 0
    for group in groups:
        again = any(len({_path(place, surveys, roots) for place in own}) > 1 for own in _by_list(group).values())
        differing = len({known.get((place.survey, place.line)) for place in group}) > 1
        alike, stray = alike + len(group), stray + len(group) * (again or differing)
    return 2 * alike > files and 2 * stray > alike


def _by_list(group: list[Place]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    for place in group:
        found.setdefault(place.survey, []).append(place)
    return found


def _name(place: Place, surveys: list[ImageSurvey], roots: Roots) -> str:
    survey = surveys[place.survey]
    return os.path.normpath(os.path.join(roots[survey.split, survey.source], place.path))


def _path(place: Place, surveys: list[ImageSurvey], roots: Roots) -> str:
    return os.path.realpath(_name(place, surveys, roots))


def _labels_at(groups: list[list[Place]], surveys: list[ImageSurvey], labels: Labels) -> dict[tuple[int, int], Label]:
    """(survey, line) → the label as the list writes it, or the whole row of a multi-label list."""
    numbers: dict[int, set[int]] = {}
    for group in groups:
        for place in group:
            numbers.setdefault(place.survey, set()).add(place.line)
    known: dict[tuple[int, int], Label] = {}
    for index, lines in numbers.items():
        survey = labels.at(surveys[index].split, surveys[index].source)
        assert survey is not None, "images are those of surveyed lists"
        for line, text in read_lines(survey.path, lines).items():
            parsed = parse_line(text, survey.format)
            if isinstance(parsed, Parsed):
                known[index, line] = parsed.values or parsed.label
    return known


def _conflicts(
    groups: list[list[Place]], surveys: list[ImageSurvey], roots: Roots, known: dict[tuple[int, int], Label]
) -> tuple[int, int, tuple[TwinImage, ...]]:
    """Pairs with different labels across the splits and within one, and the first few; lists that are renumbered or multi-label take no part."""
    across = within = 0
    examples: list[tuple[bool, TwinImage]] = []
    for group in groups:
        labelled = [
            (place, label)
            for place in group
            if surveys[place.survey].numbered and isinstance(label := known.get((place.survey, place.line)), int)
        ]
        first, label = min(labelled, key=lambda p: (surveys[p[0].survey].split != "Train", p[0].survey, p[0].line), default=(None, 0))
        for place, other in labelled:
            if first is None or other == label or _path(place, surveys, roots) == _path(first, surveys, roots):
                continue
            apart = surveys[place.survey].split != surveys[first.survey].split
            across, within = across + apart, within + (not apart)
            twin = TwinImage(first.survey, first.line, first.path, label, place.survey, place.line, place.path, other)
            examples.append((not apart, twin))
    examples.sort(key=lambda pair: (pair[0], pair[1].second, pair[1].second_line))
    return across, within, tuple(twin for _, twin in examples[:EXAMPLES])


def _copies(
    groups: list[list[Place]], surveys: list[ImageSurvey], roots: Roots, known: dict[tuple[int, int], Label]
) -> Iterator[CopiedImages]:
    """Copies of training images in evaluation lists; what stands in both lists by the same name is the label rules' to report."""
    found: dict[tuple[int, int], list[tuple[Place, Place]]] = {}
    for group in groups:
        lists = _by_list(group)
        for train, taught in lists.items():
            if surveys[train].split != "Train":
                continue
            names = {_name(place, surveys, roots) for place in taught}
            by_label = {known[train, place.line]: place for place in reversed(taught) if (train, place.line) in known}
            for other, judged in lists.items():
                if surveys[other].split != "Eval":
                    continue
                for place in judged:
                    original = by_label.get(known.get((other, place.line), ()))
                    if original is not None and _name(place, surveys, roots) not in names:
                        found.setdefault((train, other), []).append((place, original))
    for (train, other), pairs in sorted(found.items()):
        place, original = min(pairs, key=lambda pair: pair[0].line)
        yield CopiedImages(train, other, len(pairs), place.line, place.path, original.line, original.path)
