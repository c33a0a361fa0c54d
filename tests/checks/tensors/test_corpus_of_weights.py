"""The reader over the corpus: hostile files are told for what they are, harmless ones are read, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from checks.tensors.model import Contents
from checks.tensors.read import NotTensors, read_contents
from tests.weights_corpus import MARK, Harmless, Hostile, harmless, hostile

HOSTILE, HARMLESS = list(hostile()), list(harmless())


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({sample.name for sample in HOSTILE}) == len(HOSTILE) >= 40
    assert len({sample.name for sample in HARMLESS}) == len(HARMLESS) >= 20


@pytest.mark.parametrize("sample", HOSTILE, ids=[sample.name for sample in HOSTILE])
def test_hostile(tmp_path: Path, sample: Hostile) -> None:
    path = tmp_path / "w.pdparams"
    path.write_bytes(sample.content)
    tracemalloc.start()
    start = time.perf_counter()
    try:
        contents: Contents | None = read_contents(str(path))
    except NotTensors as problem:
        contents = None
        reason = problem.reason
    spent, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 20 and peak < 150 << 20  # tracing memory makes it several times slower
    assert not Path(MARK).exists()
    if contents is None:
        assert sample.calls is None and reason == "other" and sample.flaw is not None
        return
    assert contents.flaw == sample.flaw
    if sample.calls is None:
        assert contents.calls == ()
    else:
        assert sample.calls in [found.function for found in contents.calls]


@pytest.mark.parametrize("sample", HARMLESS, ids=[sample.name for sample in HARMLESS])
def test_harmless(tmp_path: Path, sample: Harmless) -> None:
    path = tmp_path / "w.pdparams"
    if isinstance(sample.content, dict):
        path.mkdir()
        for name, content in sample.content.items():
            (path / name).write_bytes(content)
    else:
        path.write_bytes(sample.content)
    contents = read_contents(str(path))
    assert contents.calls == () and contents.flaw is None
    assert contents.shapes == sample.shapes
