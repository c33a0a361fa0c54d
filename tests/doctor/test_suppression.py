from __future__ import annotations

from pathlib import Path

import pytest

from doctor.run import Run
from tests.projects import Project, found, status


def project(tmp_path: Path, comment: str, own_line: bool = False, **changes: int) -> Project:
    made = Project(tmp_path, "modern", {"class_num": 2, **changes})
    line = "  class_num: 2"
    assert line in made.text
    indented = f"  {comment}\n{line}" if own_line else f"{line}  {comment}"
    made.save(made.text.replace(line, indented))
    return made


def unused(run: Run) -> list[tuple[int | None, str]]:
    return [(f.location.line, f.message) for f in found(run, "CFG191")]


@pytest.mark.parametrize("rule", ["LAB102", "label-exceeds-class-num", "LAB", "LAB1, ENV102"])
@pytest.mark.parametrize("own_line", [False, True])
def test_a_comment_hides_the_finding_of_its_line(tmp_path: Path, rule: str, own_line: bool) -> None:
    run = project(tmp_path, f"# paddle-doctor: ignore[{rule}] shared head", own_line).check(ignore=("ENV102",))
    assert not found(run, "LAB102")
    assert run.report.summary.suppressed >= 1
    assert status(run, "LAB102") == ("passed", None)
    assert not unused(run)
    assert run.exit == 0


def test_a_comment_on_another_line_hides_nothing_and_is_reported(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"class_num": 2})
    made.save(made.text.replace("  epochs: 2", "  epochs: 2  # paddle-doctor: ignore[LAB102] wrong place"))
    run = made.check()
    assert found(run, "LAB102")
    assert run.report.summary.suppressed == 0
    assert unused(run)[0][0] == made.text.split("\n").index("  epochs: 2  # paddle-doctor: ignore[LAB102] wrong place") + 1


def test_without_a_reason_nothing_is_hidden(tmp_path: Path) -> None:
    run = project(tmp_path, "# paddle-doctor: ignore[LAB102]").check()
    assert found(run, "LAB102")
    assert len(unused(run)) == 1


def test_an_unknown_rule_is_named(tmp_path: Path) -> None:
    run = project(tmp_path, "# paddle-doctor: ignore[LAB999] because").check()
    assert "LAB999" in unused(run)[0][1]


def test_a_whole_file(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"class_num": 2})
    made.save("# paddle-doctor: ignore-file[LAB102] an experiment\n" + made.text)
    run = made.check()
    assert not found(run, "LAB102")
    assert run.report.summary.suppressed == 1


def test_the_line_that_names_a_label_file_speaks_for_it(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", train="a.png 0\nb.png -1\nc.png 2\n")
    assert found(made.check(), "LAB103")[0].location.file.endswith("train_list.txt")
    line = "cls_label_path: ./data/train_list.txt"
    made.save(made.text.replace(line, f"{line}  # paddle-doctor: ignore[LAB103] unknown ones are filtered"))
    assert not found(made.check(), "LAB103")


def test_a_rule_that_did_not_run_cannot_be_unused(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern")
    made.save(made.text.replace("  epochs: 2", "  epochs: 2  # paddle-doctor: ignore[ENV101] later"))
    assert unused(made.check())
    assert not unused(made.check(select=("LAB", "CFG191")))
    assert not found(made.check(ignore=("CFG191",)), "CFG191")
