"""`SyntheticImages`: how many of the listed images are generated ones, told by patterns that the user gives (`--synthetic`, FAQ 4.1)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.label_format import LabelFormat, Parsed, parse_line
from checks.facts.label_survey import Labels

STEP = 1 << 16
"""Lines between two looks at whether the run was given up."""


class SyntheticList(msgspec.Struct, frozen=True):
    """One label file (`survey` is its place in `Labels.surveys`): samples per label whose path matches a pattern."""

    survey: int
    per_class: dict[int, int]


class SyntheticImages(Fact, frozen=True):
    """The matches of all lists with one label per image."""

    patterns: tuple[str, ...]
    lists: tuple[SyntheticList, ...]


@collects(SyntheticImages, deadline=600.0)
def collect_synthetic(request: Request, labels: Labels, world: World) -> SyntheticImages:
    """Match every listed path, as the list writes it.

    Raises:
        Unreadable: no patterns are given.
    """
    if not request.synthetic:
        raise Unreadable("no-synthetic")
    matches = re.compile("|".join(fnmatch.translate(pattern) for pattern in request.synthetic)).match
    lists = []
    for index, survey in enumerate(labels.surveys):
        if survey.format.labels == "class" and survey.samples:

            def tell(line: int, lines: int = survey.lines) -> None:
                world.progress("SyntheticImages", line, lines)

            lists.append(SyntheticList(index, _count(survey.path, survey.format, matches, tell)))
    return SyntheticImages(request.synthetic, tuple(lists))


def _count(path: str, rule: LabelFormat, matches: Callable[[str], object], tell: Callable[[int], None]) -> dict[int, int]:
    counts: dict[int, int] = {}
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            for number, line in enumerate(stream):
                if number % STEP == 0:
                    tell(number)
                parsed = parse_line(line, rule)
                if isinstance(parsed, Parsed) and matches(parsed.path):
                    counts[parsed.label] = counts.get(parsed.label, 0) + 1
    except OSError as error:  # gone since the survey
        raise Unreadable("file-unreadable", file=path, error=error.strerror or str(error)) from None
    return counts
