"""Where the user's files are opened: their own paths, or a mirror of a container's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.base import World, within


@pytest.mark.parametrize(
    "folder, path, opened",
    [
        ("/m/work", "a/b.txt", "/m/work/a/b.txt"),
        ("/m/work", "/data/train.txt", "/m/data/train.txt"),
        ("/m/work", "../data", "/m/data"),
        ("/m/work", "../../../../etc/passwd", "/m/etc/passwd"),
        ("/m", "../x", "/m/x"),
        ("/m/work", "output/", "/m/work/output/"),
        ("/work", "a", "/m/work/a"),
        ("/m/work", "//data//x", "/m/data/x"),
        ("/m/work", "/m/data", "/m/m/data"),
    ],
)
def test_nothing_leaves_the_mirror(folder: str, path: str, opened: str) -> None:
    assert within("/m", folder, path) == opened


@given(st.lists(st.sampled_from(["..", ".", "a", "", "/", "b c", "m"]), max_size=12).map("/".join))
def test_no_path_leaves_the_mirror(path: str) -> None:
    opened = within("/m", "/m/work", path)
    assert opened.startswith("/m/") or opened == "/m"
    assert ".." not in opened.split("/")


def test_without_a_mirror_paths_are_as_they_are() -> None:
    world = World(cwd="/work")
    assert world.locate("a/../b") == "/work/a/../b"
    assert world.locate("/data/x") == "/data/x"
    assert list(world.above("/a/b")) == ["/a/b", "/a", "/"]


def test_looking_upwards_ends_at_the_top_of_the_mirror(tmp_path: Path) -> None:
    top = str(tmp_path)
    world = World(cwd=top + "/work", sysroot=top)
    assert list(world.above(top + "/work/x")) == [top + "/work/x", top + "/work", top]
    assert world.locate("configs/a.yaml") == os.path.join(top, "work/configs/a.yaml")
    assert world.locate("/configs/a.yaml") == os.path.join(top, "configs/a.yaml")
