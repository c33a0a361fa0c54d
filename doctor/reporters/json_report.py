"""JSON, for programs: sorted, and the same bytes for the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from doctor.report import Report

if TYPE_CHECKING:
    from doctor.parity import ParityReport


def render(report: Report | ParityReport) -> bytes:
    """The report as UTF-8 JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def schema(kind: str = "report") -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report, or of a comparison (`parity`)."""
    if kind == "parity":
        from doctor.parity import ParityReport

        made, title = msgspec.json.schema(ParityReport), "paddle-doctor parity report"
    else:
        made, title = msgspec.json.schema(Report), "paddle-doctor report"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}
