"""PAR111 to PAR115: two outputs. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.parity import Trouble
from checks.facts.printed_pair import PrintedPair, PrintedSide, pair_up
from doctor.report import ReportedFinding
from tests.ladders import DEPLOY, asked, deployed, lines, printed, side
from tests.projects import CONFIG, measured, passes, reason

TRAIN = [(n % 2, 0.6 + 0.01 * n) for n in range(20)]
GOOD = lines(*TRAIN)


def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, pair: PrintedPair, shows: tuple[object, ...] = ()) -> ReportedFinding:
    measured(monkeypatch, pair)
    project = deployed(tmp_path)
    finding = project.finding(code, shows=shows, **asked())
    assert [f.code for f in project.check(**asked()).report.findings] == [code]
    return finding


def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, pair: PrintedPair) -> bool:
    measured(monkeypatch, pair)
    return passes(deployed(tmp_path), code, **asked())


def failing(kind: str, origin: Any, **values: Any) -> PrintedPair:
    return pair_up(side("train", GOOD), PrintedSide("deploy", origin, "the other", trouble=Trouble(kind, values)))


def test_equal_outputs_have_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, printed(GOOD, GOOD))
    run = deployed(tmp_path).check(**asked())
    assert (run.report.findings, run.exit) == ([], 0)
    assert {check.code for check in run.report.checks if check.status == "passed"} == {f"PAR{n}" for n in range(111, 116)}


@pytest.mark.parametrize(
    ("origin", "kind", "values"),
    [
        ("file", "missing", {}),
        ("file", "not-a-file", {}),
        ("file", "unreadable", {"error": "Permission denied"}),
        ("file", "too-large", {"size": 1 << 30, "limit": 1 << 20}),
        ("file", "no-array", {"names": "a, b"}),
        ("file", "no-results", {"lines": 77}),
        ("script", "no-program", {"error": "No such file"}),
        ("script", "late", {"seconds": 99, "output": "loading", "images": 3}),
        ("script", "ended", {"status": "SIGSEGV", "output": "Segmentation fault", "images": 0}),
        ("script", "no-results", {"lines": 3, "output": "hello"}),
    ],
)
def test_par111_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str, kind: str, values: dict[str, Any]) -> None:
    texts = tuple(value for value in values.values() if isinstance(value, str))
    finding = one(tmp_path, monkeypatch, "PAR111", failing(kind, origin, **values), ("the other", *texts))
    assert (finding.severity, finding.entry) == ("error", "1.1")
    assert finding.location.file == ("the other" if origin == "file" else CONFIG)


def test_par111_positive_names_the_rule_of_a_known_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ValueError: (InvalidArgument) Not find predictor_id 0 and pass_name memory_optimize_pass"
    finding = one(tmp_path, monkeypatch, "PAR111", failing("ended", "script", status="exit 1", output=said, images=0))
    assert [fix.command for fix in finding.fixes] == ["paddle-doctor rule EXP102"]


def test_par111_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR111", printed(GOOD, GOOD))


def test_par111_near_miss_other_lines_around_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR111", printed("Traceback\n" + GOOD, GOOD + "ValueError: late\n"))


def test_par111_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR111", **asked()) == "outputs-not-asked"


# PAR112 printed-results-differ


def test_par112_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = lines(*[(1 - first, score) if n < 3 else (first, score) for n, (first, score) in enumerate(TRAIN)])
    finding = one(tmp_path, monkeypatch, "PAR112", printed(GOOD, other), (3, 20, "3.2", "37.9"))
    assert (finding.severity, finding.location.file) == ("error", "deploy.log")
    assert finding.evidence["flipped"] == ["0.jpg", "1.jpg", "2.jpg"]


def test_par112_positive_scores_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR112", printed(GOOD, lines(*[(first, score + 0.05) for first, score in TRAIN])), ("0.05",))
    assert finding.severity == "warning"
    assert finding.evidence["needed"] == pytest.approx(0.05, abs=2e-4)


def test_par112_positive_ids_shifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(tmp_path, monkeypatch, "PAR112", printed(GOOD, lines(*TRAIN, shift=1)), ("1",)).evidence["shift"] == 1


def test_par112_positive_a_second_softmax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sure = [(n % 2, 0.99) for n in range(20)]
    finding = one(tmp_path, monkeypatch, "PAR112", printed(lines(*sure), lines(*[(first, 0.57) for first, _ in sure])), ("0.5761", 3))
    assert (finding.severity, finding.evidence["bound"]) == ("error", 0.5761)


def test_par112_positive_no_softmax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = [(first, 7.25) for first, _ in TRAIN]
    assert "7.25" in one(tmp_path, monkeypatch, "PAR112", printed(GOOD, lines(*logits)), ("7.25",)).message


def test_par112_positive_a_head_of_1000_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wild = lines(*[(300 + 37 * n % 600, 0.002) for n in range(20)], names=False)
    finding = one(tmp_path, monkeypatch, "PAR112", printed(lines(*TRAIN, names=False), wild))
    assert finding.evidence["classes"] == 3
    assert finding.fixes[0].kind == "command"
    assert "Global.pretrained_model=" in (finding.fixes[0].command or "")


def test_par112_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR112", printed(GOOD, GOOD))


def test_par112_near_miss_two_printed_decimals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = [(first, score + 0.0049) for first, score in TRAIN]
    assert silent(tmp_path, monkeypatch, "PAR112", printed(lines(*exact, decimals=5), lines(*TRAIN, decimals=2)))


def test_par112_near_miss_first_classes_that_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tie = "0.jpg:\tclass id(s): [0, 1], score(s): [0.50, 0.50], label_name(s): []\n"
    assert silent(tmp_path, monkeypatch, "PAR112", printed(tie, tie.replace("[0, 1]", "[1, 0]")))


def test_par112_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR112", **asked()) == "outputs-not-asked"


# PAR113 printed-names-differ


def test_par113_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR113", printed(GOOD, lines(*TRAIN, name="tench")), ("class0", "tench0"))
    assert (finding.severity, finding.location.file, finding.location.key) == ("error", DEPLOY, "PostProcess.Topk.class_id_map_file")


def test_par113_positive_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(tmp_path, monkeypatch, "PAR113", printed(GOOD, lines(*TRAIN, names=False))).severity == "warning"


def test_par113_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR113", printed(GOOD, GOOD))


def test_par113_near_miss_programs_that_print_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "".join(
        f"File:{n}.jpg, Top-5 result: class id(s): [{c}, {c + 1}], score(s): [{s:.2f}, {1 - s:.2f}]\n" for n, (c, s) in enumerate(TRAIN)
    )
    assert silent(tmp_path, monkeypatch, "PAR113", printed(GOOD, plain))


def test_par113_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR113", **asked()) == "outputs-not-asked"


# PAR114 images-not-matched


def test_par114_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR114", printed(GOOD, "\n".join(GOOD.split("\n")[:18])), (2, 18))
    assert (finding.severity, finding.evidence["files"]) == ("warning", ["18.jpg", "19.jpg"])


def test_par114_positive_names_that_recur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = GOOD + GOOD.split("\n")[0] + "\n"
    finding = one(tmp_path, monkeypatch, "PAR114", printed(twice, GOOD), ("0.jpg", 19))
    assert (finding.severity, finding.evidence["files"]) == ("warning", ["0.jpg"])


def test_par114_positive_nothing_in_common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, printed(GOOD, "\n".join(GOOD.replace(".jpg", ".png").split("\n")[:5])))
    findings = deployed(tmp_path).findings("PAR114", **asked())
    assert {finding.severity for finding in findings} == {"error"}


def test_par114_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR114", printed(GOOD, GOOD))


def test_par114_near_miss_folders_on_one_side_and_recurring_names_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR114", printed("data/val/" + GOOD.replace("\n", "\ndata/val/", 19), GOOD))
    assert silent(tmp_path, monkeypatch, "PAR114", printed(GOOD + GOOD, GOOD + GOOD))


def test_par114_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR114", **asked()) == "outputs-not-asked"


# PAR115 too-few-printed-results


def test_par115_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = lines(*TRAIN[:3])
    assert one(tmp_path, monkeypatch, "PAR115", printed(few, few), (3, "70.8")).severity == "info"


def test_par115_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR115", printed(GOOD, GOOD))


def test_par115_near_miss_a_flip_needs_no_more_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR115", printed(lines((0, 0.9)), lines((1, 0.9))))


def test_par115_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR115", **asked()) == "outputs-not-asked"
