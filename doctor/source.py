"""The line of a file that a finding points at, to be quoted in the report."""

from __future__ import annotations

import os
from itertools import islice

from checks.facts.base import within
from checks.model import OVERRIDE_FILE, Location

MAX_LINE_NUMBER = 2_000_000
LONGEST = 400


def quote(at: Location, config: str, cwd: str, root: str, overrides: list[str], sysroot: str = "") -> str | None:
    """The text at a location, without its end; None where it cannot be had.

    The config's own path counts from the current folder, every path that the config names from the root; both lie below `sysroot`.
    """
    if at.line is None:
        return None
    if at.file == OVERRIDE_FILE:
        return overrides[at.line - 1] if 0 < at.line <= len(overrides) else None
    path = within(sysroot, cwd if at.file == config else root, at.file)
    if at.line > MAX_LINE_NUMBER or not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            line = next(islice(stream, at.line - 1, at.line), None)
    except OSError:
        return None
    return None if line is None else line.rstrip("\n")[:LONGEST]
