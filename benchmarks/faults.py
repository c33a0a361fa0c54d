"""The faults of PaddleClas's table, replayed: how many are found, at the right place, with the right entry; and what works but is called wrong.

Usage: `python benchmarks/faults.py [FAULTS.yaml]`, from the top of the repository. The table stands beside the corpus of real configs
(`PADDLE_DOCTOR_SHARED`, or `shared` beside the repository); without it the entries are judged by the cases alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from doctor.report import ReportedFinding
from tests.fault_cases import FAULTS, WORKS, Case

RANK = {"error": 0, "warning": 1, "info": 2}


class Verdict:
    """What became of one fault."""

    def __init__(self, case: Case, findings: list[ReportedFinding], faq: list[str]) -> None:
        entries = {*case.entries, *(number.removeprefix("Q") for number in faq)}
        serious = [f for f in findings if RANK[f.severity] <= RANK[case.at_least]]
        explained = [f for f in serious if f.entry in entries]
        placed = [f for f in serious if any(stands(f, place) for place in case.where)]
        both = [f for f in explained if f in placed]
        self.found = bool(both or explained or placed)
        self.placed = bool(placed)
        self.explained = bool(explained)
        self.right = bool(both)
        cause = {f.code for f in both}
        self.beside = sorted({f.code for f in findings if f.severity == "error" and f.code not in cause and f.entry not in entries})


def stands(finding: ReportedFinding, place: str) -> bool:
    """Whether a finding is at a place: a key of the config, `file:line`, or `-o`."""
    at = finding.location
    if place == "-o":
        return at.file == "-o"
    name = os.path.normpath(at.file)
    return place in (at.key, name, f"{name}:{at.line}") or bool(at.key and at.key.startswith(place + "."))


def main() -> int:
    default = Path(os.environ.get("PADDLE_DOCTOR_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "paddleclas" / "FAULTS.yaml"
    table = read(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
    verdicts, alarms = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PADDLE_DOCTOR_CACHE"] = os.path.join(folder, "cache")
        for name, case in FAULTS.items():
            place = Path(folder) / name
            place.mkdir()
            verdicts[name] = Verdict(case, case.make(place).report.findings, table.get(name, {}).get("faq", []))
        for name, make in WORKS.items():
            place = Path(folder) / f"works-{name}"
            place.mkdir()
            alarms[name] = sorted({f"{f.code} {f.severity}" for f in make(place).report.findings if f.severity != "info"})
    for name, verdict in verdicts.items():
        wrong = [
            word
            for word, right in (("found", verdict.found), ("place", verdict.placed), ("entry", verdict.explained), ("both", verdict.right))
            if not right
        ]
        if wrong or verdict.beside:
            print(f"{name}: not {', '.join(wrong) or '-'}; other errors: {', '.join(verdict.beside) or '-'}")
    for name, codes in alarms.items():
        if codes:
            print(f"{name} works, but: {', '.join(codes)}")
    total, false = len(verdicts), sum(bool(codes) for codes in alarms.values())
    count = {word: sum(getattr(v, word) for v in verdicts.values()) for word in ("found", "placed", "explained")}
    print(
        f"{total} faults: found {count['found']} ({100 * count['found'] / total:.0f} %), at the right place {count['placed']}"
        f" ({100 * count['placed'] / total:.0f} %), with the right entry {count['explained']} ({100 * count['explained'] / total:.0f} %);"
        f" errors beside the cause: {sum(bool(v.beside) for v in verdicts.values())}"
    )
    print(f"{len(alarms)} that work: {false} with a false alarm")
    if table:
        print(f"in the table and not replayed: {', '.join(sorted(set(table) - set(FAULTS) - set(WORKS))) or 'none'}")
    return int(bool(false or count["found"] < total))


def read(path: Path) -> dict[str, Any]:
    """The table of faults by id; empty without the file."""
    import yaml

    if not path.is_file():
        return {}
    return {
        row["id"]: row
        for row in yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["faults"]
    }


if __name__ == "__main__":
    sys.exit(main())
