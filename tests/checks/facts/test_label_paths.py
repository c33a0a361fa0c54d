"""Repeats, conflicts, folders and what lists share: the same whether all paths are in memory or their hashes alone, and what a plain loop finds."""

from __future__ import annotations

import collections
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.facts import label_hashes, label_lines
from checks.facts.base import Cancelled, Request, World
from checks.facts.label_format import MODERN, LabelFormat
from checks.facts.label_hashes import compare_large
from checks.facts.label_paths import LabelPaths
from checks.facts.label_tables import Comparison, Source, compare_small
from checks.facts.span_hash import hash_spans
from doctor.engine import Event, FactProgress
from doctor.run import Run, run_check
from doctor.settings import Settings
from tests.label_files import CHUNKS, PLAIN, PREFIXES, RULES, SLOW, SPACES, any_file, common, reference, repeats
from tests.projects import CONFIG, MACHINE, Project, rows

EXAMPLES, MOST = 3, 1000
File = tuple[bytes, LabelFormat, str]


def compare(
    files: list[File], *, large: bool, chunk: int = 1 << 20, batch: int = 200_000, most: int = MOST, base: str = ""
) -> dict[str, Any]:
    """Compare all files with each other; what was found, ready to be compared."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_lines, "CHUNK", chunk)
        patch.setattr(label_hashes, "BATCH", batch)
        sources = []
        for number, (data, rule, prefix) in enumerate(files):
            path = os.path.join(folder, f"{number}.txt")
            Path(path).write_bytes(data)
            sources.append(Source(path, rule, prefix, reference(data, rule).lines, base))
        pairs = [(a, b) for a in range(len(files)) for b in range(a + 1, len(files))]
        return outcome(compare_large(sources, pairs, EXAMPLES, most) if large else compare_small(sources, pairs, EXAMPLES, most))


def outcome(found: Comparison) -> dict[str, Any]:
    repeated, shared, folders = found
    return {
        "repeats": [(r.count, r.conflicts, r.rows) for r in repeated],
        "shared": [(s.count, s.conflicts, s.rows, s.labels) for s in shared],
        "folders": folders,
    }


def expected(files: list[File]) -> dict[str, Any]:
    found = [reference(*file) for file in files]
    return {
        "repeats": [repeats(f, EXAMPLES) for f in found],
        "shared": [common(found[a], found[b], EXAMPLES) for a in range(len(files)) for b in range(a + 1, len(files))],
        "folders": [folders_of(data, rule) for data, rule, _ in files],
    }


def folders_of(data: bytes, rule: LabelFormat) -> dict[str, dict[int, int]] | None:
    if rule.labels != "class":
        return None
    folders: dict[str, dict[int, int]] = {}
    for _, path, label in reference(data, rule, normalise=False).samples:
        name = path.rpartition("/")[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        labels = folders.setdefault(name, {})
        labels[label] = labels.get(label, 0) + 1
    return folders


@st.composite
def lists(draw: st.DrawFn) -> list[File]:
    rule = draw(st.sampled_from(RULES))
    return [(draw(any_file(rule)), rule, draw(st.sampled_from(PREFIXES))) for _ in range(draw(st.integers(1, 2)))]


@SLOW
@given(files=lists(), chunk=CHUNKS, batch=st.sampled_from([1, 3, 200_000]))
@example(files=[(b"a//b.jpg 0\na/b.jpg 0\n", PLAIN, "")], chunk=64, batch=9)
@example(files=[(b"a/ 0\na 0\n", PLAIN, "x/")], chunk=64, batch=9)
@example(files=[(b"a\t 3\na 3\n", SPACES, "")], chunk=64, batch=9)
@example(files=[("a\u3000b 3\na\u3000 3\n".encode(), SPACES, "")], chunk=64, batch=9)
@example(files=[(b"a.jpg11\nb.jpg12\n", LabelFormat(separator="1"), "")], chunk=64, batch=9)
@example(files=[(b"a.jpg 1\n", PLAIN, "a\nb/")], chunk=64, batch=9)
@example(files=[(b"a 0\nb 0\n", PLAIN, ""), (b"a 0\n" * 30 + b"b 0\n", PLAIN, "")], chunk=64, batch=9)
@example(files=[(b"x/a 0\n", PLAIN, ""), (b"a 0\n", PLAIN, "x/")], chunk=64, batch=9)
@example(files=[(b"a 0\n", PLAIN, ""), (b"../a 0\n", PLAIN, "x/")], chunk=64, batch=9)
@example(files=[(b"0\t9223372036854775808\t0\ta.jpg\n", MODERN["LogoDataset"], "")], chunk=64, batch=9)
@example(files=[(b"a 0\n/a 0\n", PLAIN, "x/"), (b"/a 1\na 1\n", PLAIN, "")], chunk=64, batch=9)
def test_hashes_find_what_tables_find_and_what_a_plain_loop_finds(files: list[File], chunk: int, batch: int) -> None:
    small = compare(files, large=False, chunk=chunk)
    assert compare(files, large=True, chunk=chunk, batch=batch) == small
    assert small == expected(files)


@SLOW
@given(files=lists(), chunk=CHUNKS)
@example(files=[(b"/b/a.jpg 0\n/b/c.jpg 1\n", PLAIN, "x/"), (b"a.jpg 1\nc.jpg 1\n", PLAIN, "")], chunk=64)
@example(files=[(b"/b/a.jpg 0\nc.jpg 1\n", PLAIN, "x/"), (b"x/c.jpg 1\na.jpg 0\n", PLAIN, "")], chunk=64)
@example(files=[(b"/b/a.jpg 0\n/b/./c.jpg 1\n/b/ 1\n/b 1\n/ba 1\n", PLAIN, "")], chunk=64)
def test_absolute_paths_below_the_root_are_the_relative_ones(files: list[File], chunk: int) -> None:
    assert compare(files, large=True, chunk=chunk, base="/b") == compare(files, large=False, chunk=chunk, base="/b")


@pytest.mark.parametrize("batch", [1, 7, 200_000])
def test_paths_with_one_hash_are_no_repeats(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hash of four values nearly every line is suspected, and still only true repeats are told."""
    monkeypatch.setattr(label_hashes, "hash_spans", lambda *a: hash_spans(*a) % 4 * 2 + 1)
    lines = [f"f{k % 5}/{k}.jpg {k % 3}\n" for k in range(400)]
    data = "".join([*lines, lines[7], "f0/10.jpg 2\n"]).encode()
    files = [(data, PLAIN, ""), ("".join(lines[50:60]).encode(), PLAIN, "")]
    found = compare(files, large=True, chunk=512, batch=batch)
    assert (found["repeats"], found["shared"]) == (expected(files)["repeats"], expected(files)["shared"])
    assert found["repeats"][0] == (2, 1, [(11, 402, False), (8, 401, True)])


def test_equal_hashes_mean_equal_paths_however_alike_they_are() -> None:
    """Names that differ in one figure at any place, of any length up to some words of eight bytes."""
    import numpy as np

    names = sorted({("n0144076" * 4)[:length] + str(k) + "x" * tail for length in range(25) for k in range(10) for tail in range(9)})
    ends = np.cumsum([len(name) for name in names])
    hashes = hash_spans(np, "".join(names).encode(), np.concatenate(([0], ends[:-1])), ends)
    assert len(set(hashes.tolist())) == len(names)


@pytest.mark.parametrize("large", [False, True])
class TestFolders:
    def test_samples_per_label_of_each_folder(self, large: bool) -> None:
        data = b"train/cat/1.jpg 0\ntrain/dog/1.jpg 1\ntrain/cat/2.jpg 0\ntrain/cat/3.jpg 1\n4.jpg 2\n"
        assert compare([(data * 3, PLAIN, "")], large=large, chunk=70)["folders"] == [
            {"train/cat": {0: 6, 1: 3}, "train/dog": {1: 3}, "": {2: 3}}
        ]

    def test_too_many_are_not_told(self, large: bool) -> None:
        data = b"".join(b"%d/a.jpg 0\n" % k for k in range(60))
        assert compare([(data, PLAIN, "")], large=large, chunk=64, most=59)["folders"] == [None]
        assert compare([(data, PLAIN, "")], large=large, chunk=64, most=60)["folders"] != [None]


# With the engine


def paths_of(project: Project, **how: Any) -> LabelPaths:
    run: Run = project.check(select=("LAB",), **how)
    found = run.diagnosis.facts[LabelPaths]
    assert isinstance(found, LabelPaths)
    return found


def test_labels_of_shared_images(tmp_path: Path) -> None:
    train = [(f"all/{k}.png", k % 3) for k in range(12)]
    found = paths_of(Project(tmp_path, "modern", train=train, val=[*((path, (label + 1) % 3) for path, label in train[:6]), train[7]]))
    (overlap,) = found.overlaps
    assert (overlap.shared, overlap.conflicts) == (7, 6)
    assert collections.Counter({(pair.train, pair.other): pair.images for pair in overlap.labels}) == {
        (0, 1): 2,
        (1, 2): 2,
        (2, 0): 2,
        (1, 1): 1,
    }
    assert [(e.path, e.first_line, e.second_line, e.same_label) for e in overlap.examples][:1] == [("all/0.png", 1, 1, False)]


def test_one_file_for_both_splits_shares_all(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"eval_list": "./data/train_list.txt"})
    project.write_list("train_list.txt", "a.png 0\nb.png 1\nb.png 2\nc.png 2\n")
    (overlap,) = paths_of(project).overlaps
    assert (overlap.shared, overlap.conflicts, overlap.labels) == (3, 0, ())
    assert (overlap.examples[0].path, overlap.examples[0].first_line, overlap.examples[0].second_line) == ("a.png", 1, 1)


def large_project(folder: Path) -> Project:
    """A project whose training list has more than a mebibyte."""
    train = [(f"train/{k % 3}/{'long_name_' * 3}{k}.png", k % 3) for k in range(25_000)]
    return Project(folder, "modern", train=rows([*train, train[5]]), val=rows([train[3], ("val/1.png", 1)]))


def test_what_a_large_list_came_to_is_kept(tmp_path: Path) -> None:
    project = large_project(tmp_path / "project")
    told: list[Event] = []

    def listener(event: Event) -> None:
        if isinstance(event, FactProgress) and event.total > 1000:  # the small list is read each time
            told.append(event)

    def check(cache: bool = True) -> LabelPaths:
        world = World(cwd=str(project.folder), environ={"PADDLE_DOCTOR_CACHE": str(tmp_path / "cache")})
        told.clear()
        run = run_check(CONFIG, select=("LAB",), assume=MACHINE, settings=Settings(), world=world, cache=cache, listener=listener)
        found = run.diagnosis.facts[LabelPaths]
        assert isinstance(found, LabelPaths)
        return found

    first = check()
    assert told
    assert (first.lists[0].repeats, first.lists[0].conflicts, first.overlaps[0].shared) == (1, 0, 1)
    assert first.lists[0].folders == {f"train/{k}": {k: 8334 - (k > 0) + (k == 2)} for k in range(3)}
    assert check() == first
    assert not told
    assert check(cache=False) == first
    assert told
    path = project.folder / "data/train_list.txt"
    path.write_text(rows([("train/0/a.png", 0)] * 2) + path.read_text())
    assert check().lists[0].repeats == 2


def test_a_large_list_of_absolute_paths_shares_what_a_relative_one_has(tmp_path: Path) -> None:
    project = large_project(tmp_path)
    train = [(f"{tmp_path}/data/train/{k % 3}/{'long_name_' * 3}{k}.png", k % 3) for k in range(25_000)]
    project.write("data/train_list.txt", rows(train))
    overlap = paths_of(project).overlaps[0]
    assert (overlap.shared, overlap.conflicts) == (1, 0)


def test_a_long_pass_can_be_given_up(tmp_path: Path) -> None:
    from checks.facts.label_paths import collect_label_paths
    from checks.facts.label_survey import Labels, collect_labels
    from checks.facts.training_config import TrainingConfig

    project = large_project(tmp_path)
    facts = project.check(select=("LAB",)).diagnosis.facts
    config, request, world = facts[TrainingConfig], Request(CONFIG, cache=False), World(cwd=str(project.folder))
    world.cancelled = True
    with pytest.raises(Cancelled):
        collect_labels(config, request, world)
    with pytest.raises(Cancelled):
        collect_label_paths(config, facts[Labels], request, world)
