"""Exit statuses of the command line."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What the process says when it ends."""

    OK = 0
    """Nothing at or above `--fail-on`."""
    FINDINGS = 1
    """At least one finding at or above `--fail-on`."""
    REFUSED = 2
    """The request cannot be served: bad arguments, a config that is missing or no YAML; or a container that could not be looked into."""
    CRASHED = 3
    """A check of ours crashed, and nothing else failed."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
