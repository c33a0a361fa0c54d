"""Every fault of the table is found at its place and with its entry; what works there is called neither an error nor a warning."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.faults import Verdict
from tests.fault_cases import FAULTS, WORKS


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_found_at_its_place_with_its_entry(tmp_path: Path, fault: str) -> None:
    case = FAULTS[fault]
    report = case.make(tmp_path).report
    verdict = Verdict(case, report.findings, [])
    assert verdict.right, report.findings
    # the right cause leads, and what follows from it is not called an error beside it
    assert not verdict.beside, report.findings


@pytest.mark.parametrize("twin", sorted(WORKS))
def test_what_works_gets_neither_error_nor_warning(tmp_path: Path, twin: str) -> None:
    report = WORKS[twin](tmp_path).report
    assert [f for f in report.findings if f.severity != "info"] == []


def test_the_whole_table_is_replayed(shared: Path) -> None:
    table = yaml.safe_load((shared / "paddleclas" / "FAULTS.yaml").read_text(encoding="utf-8"))["faults"]
    outcomes = {row["id"]: row["outcome"] for row in table}
    assert set(FAULTS) | set(WORKS) == set(outcomes)
    assert {outcomes[twin] for twin in WORKS} == {"works"}
    # one that works and is blamed all the same: the table asks for a warning
    assert {fault for fault in FAULTS if outcomes[fault] == "works"} == {"cn_1000_default"}
