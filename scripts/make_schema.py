"""Write `doctor/reporters/report.schema.json` and `parity.schema.json` from the reports' records."""

from __future__ import annotations

import json
from pathlib import Path

from doctor.reporters.json_report import schema

OUT = Path(__file__).parent.parent / "doctor" / "reporters"

if __name__ == "__main__":
    for kind in ("report", "parity"):
        text = json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"
        (OUT / f"{kind}.schema.json").write_text(text, encoding="utf-8")
