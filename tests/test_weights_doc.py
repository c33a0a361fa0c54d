"""docs/weights.md against the corpus: every sample is in it, with what our reader says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.make_weights_doc import DOC, HEAD, _ours
from tests.weights_corpus import harmless, hostile, write

TEXT = DOC.read_text(encoding="utf-8")


def test_it_begins_as_the_script_writes_it_and_covers_three_versions() -> None:
    assert TEXT.startswith(HEAD)
    assert len(re.findall(r"^\| paddle\.load, [\d.]+ \|", TEXT, re.MULTILINE)) == 3


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write(folder, str(folder / "MARK"))
    return folder


@pytest.mark.parametrize("kind, samples", [("hostile", list(hostile())), ("harmless", list(harmless()))])
def test_each_line_says_what_our_reader_says(corpus: Path, kind: str, samples: list[object]) -> None:
    for name in (sample.name for sample in samples):  # type: ignore[attr-defined]
        line = re.search(rf"^\| {re.escape(name)} \|.*$", TEXT, re.MULTILINE)
        assert line is not None, f"{name}: run scripts/make_weights_doc.py"
        told = re.sub(r" in [\d.]+ s$", "", _ours(corpus / kind / f"{name}.pdparams")[1])
        assert f"| {told}" in line.group()
    assert not (corpus / "MARK").exists()
