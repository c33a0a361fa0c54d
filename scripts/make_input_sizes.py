"""Make `knowledge/zoo/input_sizes.json`: the networks that do not take every image size, found by forward passes in training mode.

Usage: `python scripts/make_input_sizes.py PADDLECLAS [NAME …]` with an interpreter that has paddle, where PADDLECLAS is a checkout. Networks are
built without weights in the static graph (shapes only, no arithmetic), or run where they cannot be; results are added to what is there.
Each is tried at its own size, then at 32 pixels more and less; one that takes both is left out. The others are tried at more sizes, and
with their size parameter moved.
"""

from __future__ import annotations

import sys
from typing import Any

from built import ZOO, TooSlow, built, measure_all

OUT = ZOO / "input_sizes.json"
STEPS = (32, -32, 1, 16, -16)
OTHERS = (256, 384, 192, 320)
PARAMETERS = ("img_size", "image_size", "input_size")


def attempt(name: str, side: int, given: dict[str, Any], static: bool) -> str | None:
    """None where the pass succeeds, else the first telling line of its error."""
    try:
        with built(name, side, given, static) as (_, run):
            run()
    except TooSlow:
        raise
    except Exception as error:  # networks refuse a size in any way they like, and that is what is measured
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {next((x for x in lines if 'Error:' in x or '(Inv' in x), (lines or [''])[-1])}"[:160]
    return None


def row(takes: int, tried: dict[int, str | None], moved: str | None) -> dict[str, Any] | None:
    """One line of the table from the sizes tried; None where the network takes those 32 pixels around its own."""
    if tried.get(takes + 32) is None and tried.get(takes - 32) is None:
        return None
    accepts = sorted(side for side, why in tried.items() if why is None and side != takes)
    refuses = {side: why for side, why in tried.items() if why is not None}
    why = refuses[min(refuses, key=lambda side: abs(side - takes))] or ""
    asserted = why.startswith("AssertionError")
    cause = "position" if asserted or (not accepts and "matmul" not in why) else "head" if "matmul" in why else "grid"
    found: dict[str, Any] = {
        "takes": takes,
        "cause": cause,
        "below": max((s for s in refuses if s < takes), default=0),
        "above": min((s for s in refuses if s > takes), default=1 << 20),
    }
    if not accepts:
        found["exact"] = True
    else:
        found |= {"accepts": accepts, "refuses": sorted(refuses)}
    if moved:
        found["settable"] = moved
    found["why"] = why
    return found


def measure(name: str, takes: int) -> dict[str, Any] | None:
    """The line of one network; None where it takes other sizes, and where it cannot be run at its own."""
    static = attempt(name, takes, {}, True) is None
    if not static and attempt(name, takes, {}, False) is not None:
        return None
    tried: dict[int, str | None] = {takes + step: attempt(name, takes + step, {}, static) for step in STEPS[:2]}
    if row(takes, tried, None) is None:
        return None
    for side in (*(takes + step for step in STEPS[2:]), 2 * takes, takes // 2, *OTHERS):
        if side not in tried and side != takes:
            tried[side] = attempt(name, side, {}, static)
    other = takes + 32 if takes != 112 else 224
    moved = None
    for parameter in PARAMETERS:
        value = [other, other] if parameter == "input_size" else other
        if attempt(name, other, {parameter: value}, static) is None and attempt(name, takes, {parameter: value}, static) is not None:
            moved = parameter
    return row(takes, tried, moved)


if __name__ == "__main__":
    measure_all(sys.argv[1], sys.argv[2:], OUT, measure)
