"""`PrintedPair`: the results of two programs over the same images, as they printed or saved them, matched image by image."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.parity import Trouble
from checks.facts.printed import Printed, Results, base_name

Origin = Literal["file", "script"]
MatchedBy = Literal["path", "name", "order", "none"]
SCRIPT_SECONDS = 3600.0


class PrintedSide(msgspec.Struct, frozen=True):
    """One side's results: of a file, or of a program that was run; `source` is the file's path or the command.

    `status` is how the program ended (`exit 0`, `SIGSEGV`), `last` the line of its output that says most.
    """

    role: Literal["train", "deploy"]
    origin: Origin
    source: str
    results: Results = Results(())
    trouble: Trouble | None = None
    status: str | None = None
    last: str | None = None
    seconds: float | None = None


class Matched(msgspec.Struct, frozen=True):
    """One image's results, of both sides."""

    file: str
    train: Printed
    deploy: Printed


class PrintedPair(Fact, frozen=True):
    """Both sides, and the images that both have.

    `by` says how they were matched: by their paths, by their names where one side prints no folders, or, where names recur, by their order, if it
    is the same on both sides. `ambiguous` are names that recur and could not be matched.
    """

    train: PrintedSide
    deploy: PrintedSide
    matched: tuple[Matched, ...] = ()
    by: MatchedBy = "none"
    only_train: tuple[str, ...] = ()
    only_deploy: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


@collects(PrintedPair, deadline=SCRIPT_SECONDS + 30)
def collect_printed_pair(request: Request, world: World) -> PrintedPair:
    """Read two saved outputs, or run two programs and read what they print.

    Raises:
        Unreadable: neither was asked for.
    """
    asked = request.parity
    if asked is None or not (asked.outputs or asked.scripts):
        raise Unreadable("outputs-not-asked")
    if asked.scripts:
        from checks.facts.script_run import run_scripts  # few runs start programs

        train, deploy = run_scripts(asked.scripts, asked.seconds, request, world)
    else:
        from checks.facts.saved_outputs import read_side

        train, deploy = (
            read_side("train", asked.outputs[0], world.locate(asked.outputs[0])),
            read_side("deploy", asked.outputs[1], world.locate(asked.outputs[1])),
        )
    return pair_up(train, deploy)


def pair_up(train: PrintedSide, deploy: PrintedSide) -> PrintedPair:
    """Find the results of the same image on both sides."""
    one, other = train.results.printed, deploy.results.printed
    for by in ("path", "name"):
        left, right = _keys(one, by), _keys(other, by)
        if "" in left or "" in right:
            continue
        unique = max(Counter(left).values(), default=0) <= 1 and max(Counter(right).values(), default=0) <= 1
        if unique and set(left) & set(right):
            return _matched(train, deploy, dict(zip(left, one, strict=True)), dict(zip(right, other, strict=True)), by)
    left, right = _keys(one, "name"), _keys(other, "name")
    if one and left == right:
        pairs = tuple(Matched(a.file or b.file or f"#{n}", a, b) for n, (a, b) in enumerate(zip(one, other, strict=True), 1))
        return PrintedPair(train, deploy, pairs, "order")
    if one and len(one) == len(other) and (not any(left) or not any(right)):
        # one side says no names at all, as arrays do
        pairs = tuple(Matched(a.file or b.file or f"#{n}", a, b) for n, (a, b) in enumerate(zip(one, other, strict=True), 1))
        return PrintedPair(train, deploy, pairs, "order")
    many = [name for name, count in (Counter(left) + Counter(right)).items() if left.count(name) > 1 or right.count(name) > 1][:20]
    single = [name for name in dict.fromkeys(left) if left.count(name) == right.count(name) == 1 and name]
    lefts, rights = ({one.name: one for one in side if one.name in set(single)} for side in (one, other))
    found = _matched(train, deploy, lefts, rights, "name" if single else "none")
    gone = {*single, *many}
    return msgspec.structs.replace(
        found,
        ambiguous=tuple(many),
        only_train=tuple(name for name in left if name not in gone),
        only_deploy=tuple(name for name in right if name not in gone),
    )


def _keys(printed: tuple[Printed, ...], by: str) -> list[str]:
    return [(one.file or "").removeprefix("./") if by == "path" else base_name(one.file or "") for one in printed]


def _matched(train: PrintedSide, deploy: PrintedSide, one: dict[str, Printed], other: dict[str, Printed], by: str) -> PrintedPair:
    both = [key for key in one if key in other]
    return PrintedPair(
        train,
        deploy,
        tuple(Matched(one[key].file or key, one[key], other[key]) for key in both),
        by,  # type: ignore[arg-type]  # one of the ways
        tuple(key for key in one if key not in other),
        tuple(key for key in other if key not in one),
    )
