"""JSON, for programs: sorted, and the same bytes for the same input."""

from __future__ import annotations

from typing import Any

import msgspec

from doctor.report import Report


def render(report: Report) -> bytes:
    """The report as UTF-8 JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    made = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "paddle-doctor report", **made}
