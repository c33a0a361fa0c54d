"""Write `doctor/reporters/report.schema.json` from the report's records."""

from __future__ import annotations

import json
from pathlib import Path

from doctor.reporters.json_report import schema

OUT = Path(__file__).parent.parent / "doctor" / "reporters" / "report.schema.json"

if __name__ == "__main__":
    OUT.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
