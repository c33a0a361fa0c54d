"""The paths of a mirror, put back into those of the container whose files it holds."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from checks.model import Finding


class Hider:
    """Takes the folder of the mirror out of whatever the user reads; without a mirror it changes nothing."""

    def __init__(self, sysroot: str) -> None:
        self.sysroot = sysroot

    def __call__(self, finding: Finding) -> Finding:
        """A finding whose places, numbers and ways out speak of the container's own paths."""
        if not self.sysroot:
            return finding
        return Finding(
            at=self.plain(finding.at),
            via=self.plain(finding.via),
            case=finding.case,
            fixes=self.plain(finding.fixes),
            **self.plain(finding.evidence),
        )

    def plain(self, value: Any) -> Any:
        """Any value of a finding with the folder taken out of its texts."""
        if not self.sysroot:
            return value
        if isinstance(value, str):
            return re.sub(rf"{re.escape(self.sysroot)}(/|(?![\w.-]))", "/", value)
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.plain(item) for item in value)
        if isinstance(value, msgspec.Struct):
            return type(value)(**{name: self.plain(getattr(value, name)) for name in value.__struct_fields__})
        return value
