"""LAB: the label files as files and lines. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.label_projects import BOTH, EVAL_FILE, GOOD, MULTI, TRAIN_FILE
from tests.projects import CONFIG, REMOVED, TRAIN, Generation, Project, found, passes, reason, rows, shell, status

# LAB107 label-line-unparsable


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_blank_lines(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train="a.png 0\n\nb.png 1\n \t\nc.png 2\n\n")
    finding = project.finding("LAB107", shows=("3", "6", TRAIN_FILE))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.entry == "data.label-parse"
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 2)
    evidence = finding.evidence
    assert (evidence["count"], evidence["lines"], evidence["total_lines"], evidence["split"]) == (3, [2, 4, 6], 6, "Train")
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    before = (tmp_path / "data/train_list.txt").read_text()
    shell(project, fix.command)
    assert passes(project, "LAB107")
    assert (tmp_path / "data/train_list.txt").read_text() == GOOD
    assert (tmp_path / "data/train_list.txt.bak").read_text() == before


@pytest.mark.parametrize(
    "bad, shown", [("x.png", "x.png"), ("x.png cat", "x.png cat"), ("x.png 0.5", "x.png 0.5"), ("x.png 1\u200b", "<U+200B>")]
)
@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_no_integer(tmp_path: Path, generation: Generation, bad: str, shown: str) -> None:
    project = Project(tmp_path, generation, val=f"{GOOD}{bad}\n")
    for stage in ("train", "eval"):
        finding = project.finding("LAB107", stage=stage, shows=("1", "4", EVAL_FILE, shown))
        assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
        assert (finding.location.file, finding.location.line) == (EVAL_FILE, 4)
        assert finding.evidence["lines"] == [4]
        assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


def test_lab107_positive_words_are_numbered_by_one_mapping(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="a.png cat\nb.png dog\nc.png bird\n", val="d.png dog\ne.png cat\n")
    one, other = project.findings("LAB107", shows=("3", "cat", "2", "dog"))
    assert (one.severity, one.location.line, one.evidence["label"]) == ("error", 1, "cat")
    assert one.fixes[0].command == other.fixes[0].command
    shell(project, one.fixes[0].command)
    assert (tmp_path / "data/train_list.txt.numbered").read_text() == "a.png 0\nb.png 1\nc.png 2\n"
    assert (tmp_path / "data/val_list.txt.numbered").read_text() == "d.png 1\ne.png 0\n"


def test_lab107_near_miss_words_in_one_list_only_or_of_two_parts(tmp_path: Path) -> None:
    mixed = Project(tmp_path, "modern", train="a.png cat\nb.png dog\n").finding("LAB107", shows=("cat",))
    assert [fix.kind for fix in mixed.fixes] == ["advice"]  # which number a word has in the other list is not known
    for project in (
        Project(tmp_path, "modern", train="a.png hot dog\nb.png hot pot\n", val="c.png hot dog\n"),
        Project(tmp_path, "modern", train="a.png cat\nb.png 1\n", val="c.png cat\n"),
    ):
        assert project.findings("LAB107")[0].fixes[0].kind == "advice"


def test_lab107_positive_whole_numbers_with_a_point(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="a.png 0.0\nb.png 1\nc.png 2.\n")
    finding = project.finding("LAB107", shows=("2", "3", "0.0"))
    assert (finding.severity, finding.location.line) == ("error", 1)
    shell(project, finding.fixes[0].command)
    assert (tmp_path / "data/train_list.txt.integers").read_text() == "a.png 0\nb.png 1\nc.png 2\n"
    half = Project(tmp_path, "modern", train="a.png 0.5\nb.png 1\n").finding("LAB107")
    assert [fix.kind for fix in half.fixes] == ["advice"]


def test_lab107_positive_cameras_on_some_lines_alone(tmp_path: Path) -> None:
    """On develop `IndexError: list index out of range` for every sample past the number of cameras."""
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train="a.png 0\nb.png 1\nc.png 2 7\n")
    finding = project.finding("LAB107", shows=("2", "3"))
    assert (finding.severity, finding.location.line) == ("error", 3)
    for lists in ("a.png 0\nb.png 1\n", "a.png 0 1\nb.png 1 7\n"):
        assert passes(Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train=lists), "LAB107")


def test_lab107_positive_legacy_takes_two_parts_only(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy", train=f"{GOOD}d.png 1 extra\n").finding("LAB107", shows=("d.png 1 extra",))
    assert (finding.severity, finding.location.line) == ("warning", 4)
    whole = Project(tmp_path, "legacy", train="d.png 1 extra\n", val=GOOD).finding("LAB107")
    assert whole.severity == "error"  # there is no sample left to take in its place


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_a_line_without_end(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=GOOD + "x" * 70_000 + " 1\n")
    finding = project.finding("LAB107", shows=("1", "4", "xxx…"))
    assert finding.location.line == 4
    assert len(finding.evidence["text"]) < 100


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_positive_an_empty_delimiter(tmp_path: Path, generation: Generation) -> None:
    assert project_with_delimiter(tmp_path, generation, "", GOOD).finding("LAB107", shows=("3",)).severity == "error"


def project_with_delimiter(folder: Path, generation: Generation, delimiter: str, train: str) -> Project:
    return Project(folder, generation, {"train_delimiter": delimiter}, train=train)


def test_lab107_positive_a_value_of_several_labels(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", MULTI, train="a.png\t0,1\nb.png\t0,x\n", val="a.png\t0,1\n")
    assert project.finding("LAB107", shows=("0,x",)).location.line == 2


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB107")
    assert passes(Project(tmp_path, generation), "LAB107", stage="eval")


@pytest.mark.parametrize(
    "text", [GOOD.strip(), GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "   \n"), "".join(f"  {line}\n" for line in GOOD.split("\n")[:3])]
)
@pytest.mark.parametrize("generation", BOTH)
def test_lab107_near_miss_what_strip_takes_away(tmp_path: Path, generation: Generation, text: str) -> None:
    assert passes(Project(tmp_path, generation, train=text), "LAB107")


def test_lab107_near_miss_columns_that_are_passed_over(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", train="a.png 0 x\nb.png 1 y z\nc.png 2\n"), "LAB107")
    assert passes(Project(tmp_path, "modern", train="a.png +0\nb.png 01\nc.png 2\n"), "LAB107")


@pytest.mark.parametrize("generation", BOTH)
def test_lab107_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB107") == "no-labels-read"


# LAB108 wrong-separator


@pytest.mark.parametrize("separator, shown", [("\t", "\\t"), (",", ","), (";", ";"), ("\u3000", "U+3000")])
@pytest.mark.parametrize("generation", BOTH)
def test_lab108_positive(tmp_path: Path, generation: Generation, separator: str, shown: str) -> None:
    project = Project(tmp_path, generation, train=rows(TRAIN, separator))
    finding = project.finding("LAB108", shows=("12", TRAIN_FILE, shown))
    assert (finding.severity, finding.entry) == ("error", "data.label-parse")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 1)
    evidence = finding.evidence
    assert (evidence["count"], evidence["total_lines"], evidence["separator"], evidence["separator_seen"]) == (12, 12, " ", shown)
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("advice", "safe")
    block = {"modern": "DataLoader.Train.dataset", "legacy": "TRAIN"}[generation]
    assert f"{block}.delimiter" in fix.title
    assert fix.snippet is not None
    project.set(f"{block}.delimiter", yaml.safe_load(fix.snippet)["delimiter"])
    project.save()
    run = project.check()
    assert not found(run, "LAB108") and not found(run, "CFG101") and not found(run, "LAB107")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_positive_one_line_of_many(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}d.png\t1\n")
    finding = project.finding("LAB108", shows=("1", "4", "\\t"))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.location.line == 4
    assert [fix.snippet for fix in finding.fixes] == [None]  # another delimiter would lose the three lines that are read now


def test_lab108_positive_a_tab_in_single_quotes_is_no_tab(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_delimiter": "\\t"}, train=rows(TRAIN, "\t"))
    evidence = project.finding("LAB108").evidence
    assert (evidence["separator"], evidence["separator_seen"]) == ("\\\\t", "\\t")


def test_lab108_positive_a_dataset_class_with_a_fixed_separator(tmp_path: Path) -> None:
    lists = "a.png 0,1\nb.png 1,0\n"
    (train, evaluated) = Project(tmp_path, "modern", MULTI, train=lists, val=lists).findings("LAB108", shows=("\\t",))
    assert (train.evidence["separator"], train.evidence["separator_seen"]) == ("\\t", " ")
    assert [fix.snippet for fix in (*train.fixes, *evaluated.fixes)] == [None, None]  # it takes no delimiter


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB108")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_near_miss_the_delimiter_says_so(tmp_path: Path, generation: Generation) -> None:
    assert passes(
        project_with_delimiter(tmp_path, generation, "\t", rows([("my dir/a.png", 0), ("b,c.png", 1), ("d.png", 2)], "\t")), "LAB108"
    )


def test_lab108_near_miss_classes_that_split_at_any_white_space(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train="a.png\t0\nb.png  1\nc.png 2 7\n")
    assert passes(project, "LAB108")


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_near_miss_a_comma_in_the_path_is_no_separator(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}a,b.png\n")
    assert passes(project, "LAB108")
    assert status(project.check(), "LAB107")[0] == "failed"


@pytest.mark.parametrize("generation", BOTH)
def test_lab108_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB108") == "no-labels-read"


# LAB109 path-contains-separator


@pytest.mark.parametrize("bad", ["my dir/d.png 1", "d.png  1", "a b c.png 1"])
@pytest.mark.parametrize("generation", BOTH)
def test_lab109_positive(tmp_path: Path, generation: Generation, bad: str) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}{bad}\n")
    finding = project.finding("LAB109", shows=("1", "4", TRAIN_FILE))
    assert finding.severity == {"modern": "error", "legacy": "warning"}[generation]
    assert finding.entry == "data.label-parse"
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 4)
    assert finding.evidence["text"] == bad
    assert (finding.evidence["count"], finding.evidence["lines"], finding.evidence["separator"]) == (1, [4], " ")
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("advice", "unsafe")
    assert {"modern": "DataLoader.Train.dataset.delimiter", "legacy": "TRAIN.delimiter"}[generation] in fix.title
    assert yaml.safe_load(fix.snippet or "") == {"delimiter": "\t"}


def test_lab109_positive_where_another_delimiter_is_no_way_out(tmp_path: Path) -> None:
    tabs = project_with_delimiter(tmp_path, "modern", "\t", "a.png\t0\nb.png\t\t1\nc.png\t2\n").finding("LAB109", shows=("\\t",))
    assert [fix.snippet for fix in tabs.fixes] == [None]
    fixed = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "VeriWild"}, train=f"{GOOD}my d.png 1\n").finding("LAB109")
    assert [fix.snippet for fix in fixed.fixes] == [None]


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB109")


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_near_miss_blanks_in_a_list_of_tabs(tmp_path: Path, generation: Generation) -> None:
    project = project_with_delimiter(tmp_path, generation, "\t", "my dir/a 1.png\t0\nb.png\t1\nc.png\t2\n")
    assert passes(project, "LAB109")


def test_lab109_near_miss_a_blank_that_hides_because_a_number_follows(tmp_path: Path) -> None:
    # "a 1.png 2" is no integer in its second part, "a 1 2" is: PaddleClas reads the image "a" with the label 1
    assert passes(Project(tmp_path, "modern", train=f"{GOOD}a 1 2\n"), "LAB109")


@pytest.mark.parametrize("generation", BOTH)
def test_lab109_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB109") == "no-labels-read"


# titles above a table


def test_lab107_positive_a_line_of_titles(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="image_path label\n" + rows(TRAIN))
    finding = project.finding("LAB107", shows=("image_path label", 13))
    assert (finding.severity, finding.location.line) == ("error", 1)
    shell(project, finding.fixes[0].command)
    assert passes(project, "LAB107")


def test_lab108_positive_a_table_is_one_finding(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="path,label\n" + rows(TRAIN, ","))
    assert project.finding("LAB108", shows=(12, 13, ",")).location.line == 2
    assert not found(project.check(), "LAB107")


def test_lab107_near_miss_titles_in_another_place_or_with_other_faults(tmp_path: Path) -> None:
    later = Project(tmp_path, "modern", train=f"{rows(TRAIN)}path label\n").finding("LAB107")
    assert "titles" not in later.message
    words = Project(tmp_path, "modern", train=f"rose.png label\n{rows(TRAIN)}").finding("LAB107")
    assert "titles" not in words.message


# LAB101 label-file-missing


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"eval_list": "./data/lists/val.txt"})
    resolved, nearest = str(tmp_path / "data/lists/val.txt"), str(tmp_path / "data")
    for stage in ("train", "eval"):
        finding = project.finding("LAB101", stage=stage, shows=("Eval", "./data/lists/val.txt", resolved, nearest))
        assert (finding.severity, finding.entry) == ("error", "data.path-missing")
        at = finding.location
        assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(": ^./data/lists/val.txt"), project.key("eval_list"))
        expected = {"split": "Eval", "path": "./data/lists/val.txt", "resolved": resolved, "root": str(tmp_path), "nearest": nearest}
        assert finding.evidence == expected
        assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


def test_lab101_positive_one_of_several(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_list": [TRAIN_FILE, "gone.txt"]})
    assert project.finding("LAB101", shows=("gone.txt",)).location.key == "DataLoader.Train.dataset.cls_label_path.1"


def test_lab101_positive_blamed_on_the_override(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    finding = project.finding("LAB101", f"{project.key('train_list')}=gone.txt", shows=("gone.txt",))
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", 1, project.key("train_list"))


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB101")
    assert passes(Project(tmp_path, generation), "LAB101", stage="eval")


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_near_miss_absolute_linked_or_there_but_not_readable(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": str(tmp_path / "data/train_list.txt"), "eval_list": "linked.txt"})
    os.symlink(tmp_path / "data/val_list.txt", tmp_path / "linked.txt")
    assert passes(project, "LAB101")
    folder = Project(tmp_path, generation, {"eval_list": "./data"})
    assert passes(folder, "LAB101")  # LAB113 says it


def test_lab101_near_miss_a_dataset_class_without_a_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.dataset.name": "Market1501", "train_list": "bounding_box_train"})
    assert passes(project, "LAB101")


@pytest.mark.parametrize("generation", BOTH)
def test_lab101_skipped_without_a_label_file(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": REMOVED, "eval_list": REMOVED}), "LAB101") == "no-label-file"


# LAB112 label-file-empty


@pytest.mark.parametrize("split, concept, file", [("Train", "train_list", TRAIN_FILE), ("Eval", "eval_list", EVAL_FILE)])
@pytest.mark.parametrize("generation", BOTH)
def test_lab112_positive(tmp_path: Path, generation: Generation, split: str, concept: str, file: str) -> None:
    project = Project(tmp_path, generation)
    project.write(file, "")
    finding = project.finding("LAB112", shows=(split, file, "0 B"))
    assert (finding.severity, finding.entry) == ("error", "data.empty-list")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(f": ^{file}"), project.key(concept))
    assert finding.evidence == {"split": split, "file": file, "size": 0}
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "unsafe")]


def test_lab112_positive_a_header_alone(tmp_path: Path) -> None:
    changes = {"DataLoader.Train.dataset.name": "LogoDataset"}
    finding = Project(tmp_path, "modern", changes, train="image_id\tlabel\tbbox\tpath\n").finding("LAB112")
    assert finding.evidence["size"] == len("image_id\tlabel\tbbox\tpath\n")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB112")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_near_miss_one_sample_or_lines_that_cannot_be_read(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, train="a.png 0"), "LAB112")
    assert passes(Project(tmp_path, generation, train="\n\n"), "LAB112")  # LAB107 says it
    validate = {"modern": "Global.eval_during_train", "legacy": "validate"}[generation]
    assert passes(Project(tmp_path, generation, {validate: False}, val=""), "LAB112")


@pytest.mark.parametrize("generation", BOTH)
def test_lab112_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB112") == "no-labels-read"


# LAB113 label-file-unreadable


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_positive_a_folder(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "./data/train"})
    finding = project.finding("LAB113", shows=("Train", "./data/train"))
    assert (finding.severity, finding.entry) == ("error", "data.path-missing")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(": ^./data/train\n"), project.key("train_list"))
    assert finding.evidence == {"split": "Train", "file": "./data/train", "error": ""}
    assert finding.fixes == []


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_positive_a_pipe_a_device_and_bytes(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "pipe", "eval_list": "/dev/zero"})
    os.mkfifo(tmp_path / "pipe")
    for stage, files in (("train", ["/dev/zero", "pipe"]), ("eval", ["/dev/zero"])):
        assert sorted(f.evidence["file"] for f in project.findings("LAB113", stage=stage, shows=files)) == files
    binary = Project(tmp_path, generation, train=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    binary.finding("LAB113", shows=("Train", TRAIN_FILE))


@pytest.fixture
def outside_root() -> Iterator[Path]:
    """A folder that everyone may enter (pytest's own are for one user alone), while the test itself has no rights of root."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        Project(Path(name), "modern").check()  # everything is imported before the rights are gone
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(user)


def test_lab113_positive_without_permission(outside_root: Path) -> None:
    user = os.geteuid()
    if user == 65534:
        os.seteuid(0)
    project = Project(outside_root, "modern")
    os.chmod(outside_root / "data/train_list.txt", 0o000)
    if user == 65534:
        os.seteuid(user)
    finding = project.finding("LAB113", shows=("Train", TRAIN_FILE))
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "unsafe")
    assert shlex.split(fix.command or "") == ["chmod", "u+r", str(outside_root / "data/train_list.txt")]


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB113")


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_near_miss_missing_linked_or_a_zero_byte_far_behind(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "gone.txt", "eval_list": "linked.txt"})
    os.symlink(tmp_path / "data/val_list.txt", tmp_path / "linked.txt")
    assert passes(project, "LAB113")  # LAB101 says it


@pytest.mark.parametrize("generation", BOTH)
def test_lab113_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": REMOVED, "eval_list": REMOVED}), "LAB113") == "no-label-file"


# LAB114 label-file-encoding


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_gbk(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=GOOD.encode() + "花/玫瑰.png 1\n".encode("gbk"))
    finding = project.finding("LAB114", shows=("0xbb", f"{TRAIN_FILE}:4", "gb18030"))
    assert (finding.severity, finding.entry) == ("error", "data.label-parse")
    assert (finding.location.file, finding.location.line) == (TRAIN_FILE, 4)
    assert finding.evidence == {"file": TRAIN_FILE, "line": 4, "byte": "0xbb", "encoding": "gb18030"}
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    shell(project, fix.command)
    assert (tmp_path / "data/train_list.txt.utf8").read_text(encoding="utf-8") == GOOD + "花/玫瑰.png 1\n"


def test_lab114_positive_of_no_known_encoding(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", train=GOOD.encode() + b"\xff\xff.png 1\n").finding("LAB114", shows=("0xff", "?"))
    assert finding.fixes == []


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_byte_order_mark(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, val=b"\xef\xbb\xbf" + GOOD.encode())
    for stage in ("train", "eval"):
        finding = project.finding("LAB114", stage=stage, shows=(EVAL_FILE,))
        assert (finding.severity, finding.location.file, finding.location.line) == ("error", EVAL_FILE, 1)
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety) == ("command", "safe")
    shell(project, fix.command)
    assert (tmp_path / "data/val_list.txt").read_bytes() == GOOD.encode()
    assert (tmp_path / "data/val_list.txt.bak").read_bytes() == b"\xef\xbb\xbf" + GOOD.encode()
    assert passes(project, "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_positive_characters_that_nobody_sees(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, train=f"{GOOD}my\u00a0rose.png 1\nd\u200b.png 1\n")
    finding = project.finding("LAB114", shows=("2", TRAIN_FILE, "4", "U+00A0"))
    assert (finding.severity, finding.location.line) == ("info", 4)
    assert finding.evidence == {"file": TRAIN_FILE, "count": 2, "line": 4, "characters": "U+00A0"}


def test_lab114_positive_after_a_byte_order_mark(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train="\ufeff" + f"{GOOD}d\u200b.png 1\n")
    mark, hidden = project.findings("LAB114")
    assert (mark.severity, hidden.severity, hidden.evidence["count"], hidden.location.line) == ("error", "info", 1, 4)


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_near_miss_chinese_accents_and_windows_line_ends(tmp_path: Path, generation: Generation) -> None:
    text = "花/玫瑰，红.png 0\r\ncafé/ñ😀.png 1\r\nc.png 2\r\n"
    assert passes(Project(tmp_path, generation, train=text), "LAB114")


@pytest.mark.parametrize("generation", BOTH)
def test_lab114_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"train_list": "x", "eval_list": "y"}), "LAB114") == "no-labels-read"


# LAB113: files that are something else than a list

LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0a' * 32}\nsize 123456\n"
PAGE = "\n<!DOCTYPE html>\n<html>\n<head><title>Sign in</title></head>\n</html>\n"
OTHERS = {
    "file-is-lfs-pointer": LFS,
    "file-is-web-page": PAGE,
    "file-is-xml": '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>\n',
    "file-is-json": '[\n{"path": "a.png", "label": 0},\n{"path": "b.png", "label": 1}\n]\n',
    "file-is-label-map": "0\tcat\n1 dog\n2 hot dog\n",
    "file-is-no-list": "Global:\n  epochs: 2\n  device: gpu\n" + "  x: y\n" * 6 + "Arch:\nsize 3\n",
}


@pytest.mark.parametrize("generation", BOTH)
@pytest.mark.parametrize("case", OTHERS)
def test_lab113_positive_something_else(tmp_path: Path, generation: Generation, case: str) -> None:
    """On develop each of them ends in a ValueError or an IndexError that names no file."""
    project = Project(tmp_path, generation, train=OTHERS[case])
    finding = project.finding("LAB113", shows=(TRAIN_FILE, "Train"))
    assert (finding.severity, finding.location.key) == ("error", project.key("train_list"))
    others = [f.code for f in project.check().report.findings if f.code[:3] in ("LAB", "IMG") and f.code != "LAB113"]
    assert not others  # one cause, one finding


def test_lab113_positive_a_command_that_downloads(tmp_path: Path) -> None:
    (fix,) = Project(tmp_path, "modern", val=LFS).finding("LAB113").fixes
    assert fix.command == f"git -C {tmp_path / 'data'} lfs pull"


@pytest.mark.parametrize(
    "train",
    [
        "version 0\n[a].png 1\n{b}.png 2\n",  # read as they are
        "a.png cat\nb.png dog\n",
        "a.png\nb.png\nc.png 1\n",
        "0 cat\n1 2\n",  # one line is a sample
        "[a b].png 1\nc.png 2\n",
    ],
)
def test_lab113_near_miss_lists_with_faults_of_lists(tmp_path: Path, train: str) -> None:
    assert passes(Project(tmp_path, "modern", train=train), "LAB113")
