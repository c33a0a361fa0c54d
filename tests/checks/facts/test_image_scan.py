"""Existence by listing folders says the same as `os.path.exists` for each line, with numpy and without."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.base import Cancelled
from checks.facts.image_scan import look, paths_at
from checks.facts.label_format import LabelFormat, Parsed, parse_line

NAMES = ["a.jpg", "b.jpg", "A.JPG", "c d.jpg", "\u56fe.png", "dead.jpg", "link.jpg", "sub", ".", "..", "", "x" * 300, "e\u0301"]
FOLDERS = ["", "train/", "train//", "./train/", "train/../train/", "gone/", "train/sub/", "/nowhere/", "many/", "linked/"]
RULES = [LabelFormat(), LabelFormat(separator="\t"), LabelFormat(separator=None), LabelFormat(labels="multilabel", separator="\t")]


def _tree(root: str) -> None:
    for folder in ("train/sub", "many"):
        os.makedirs(os.path.join(root, folder))
        for name in ("a.jpg", "c d.jpg", "\u56fe.png"):
            Path(root, folder, name).write_bytes(b"x")
    Path(root, "train/a.jpg").write_bytes(b"x")
    os.symlink("nowhere", os.path.join(root, "train/dead.jpg"))
    os.symlink("a.jpg", os.path.join(root, "train/link.jpg"))
    os.symlink("many", os.path.join(root, "linked"))


@pytest.mark.parametrize("large", [False, True])
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES), st.sampled_from(["0", "12", "x", "0 1"])), max_size=40),
    rule=st.sampled_from(RULES),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    final=st.booleans(),
)
def test_the_same_as_asking_for_each(large: bool, rows: list[tuple[str, str, str]], rule: LabelFormat, end: str, final: bool) -> None:
    with tempfile.TemporaryDirectory() as root:
        _tree(root)
        lines = [f"{folder}{name}{rule.separator or ' '}{label}" for folder, name, label in rows]
        path = os.path.join(root, "list.txt")
        Path(path).write_bytes((end.join(lines) + (end if final else "")).encode())
        parsed = [(number, parse_line(line, rule)) for number, line in enumerate(lines, 1)]
        paths = [(number, line.path) for number, line in parsed if isinstance(line, Parsed)]
        expected = [(number, name) for number, name in paths if not os.path.exists(os.path.join(root, name))]
        listed, missing, count = look(path, rule, root, large, lambda done: None)
        assert (listed, count) == (len(paths), len(expected))
        assert [(item.line, item.path) for item in missing] == expected


@pytest.mark.parametrize("large", [False, True])
def test_a_folder_that_may_be_entered_but_not_listed(tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train").mkdir()
    lines = []
    for number in range(20):
        (tmp_path / f"train/{number}.jpg").write_bytes(b"x")
        lines.append(f"train/{number}.jpg 0\n")
    (tmp_path / "list.txt").write_text("".join(lines) + "train/gone.jpg 0\n")

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    listed, missing, count = look(str(tmp_path / "list.txt"), LabelFormat(), str(tmp_path), large, lambda done: None)
    assert (listed, count, [item.line for item in missing]) == (21, 1, [21])


@pytest.mark.parametrize("large", [False, True])
def test_it_can_be_given_up(tmp_path: Path, large: bool) -> None:
    (tmp_path / "list.txt").write_text("train/0.jpg 0\n" * 10)

    def stop(done: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        look(str(tmp_path / "list.txt"), LabelFormat(), str(tmp_path), large, stop)


@given(wanted=st.sets(st.integers(0, 60)), blank=st.integers(1, 50))
def test_paths_at_lines(wanted: set[int], blank: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [f"{number}.jpg 0" if number != blank else "" for number in range(1, 51)]
        Path(folder, "list.txt").write_text("\n".join(rows))
        expected = [(number, f"{number}.jpg") for number in sorted(wanted) if 1 <= number <= 50 and number != blank]
        assert paths_at(os.path.join(folder, "list.txt"), LabelFormat(), wanted) == expected
