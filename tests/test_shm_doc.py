"""docs/shm.md against the formula: its needs, its predictions, and what was seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.make_shm_doc import HEAD, PAIRS, job_of, rows

DOC = Path(__file__).resolve().parents[1] / "docs" / "shm.md"
ROWS = list(rows(DOC.read_text(encoding="utf-8")))


def test_it_begins_as_the_script_writes_it() -> None:
    assert DOC.read_text(encoding="utf-8").startswith(HEAD)


def test_it_covers_both_generations_of_paddlepaddle_and_every_pair() -> None:
    versions = {cells[0] for cells in ROWS}
    assert {version.partition(".")[0] for version in versions} == {"2", "3"}
    jobs = {job for pair in PAIRS for job in pair}
    for version in versions:
        mine = [job_of(cells) for cells in ROWS if cells[0] == version]
        assert len(mine) == len(jobs)
        # a list without end is told by its length
        assert {(j.shm, j.workers, j.batch, j.side, j.dtype, j.split, j.listed, j.together) for j in jobs} == {
            (j.shm, j.workers, j.batch, j.side, j.dtype, j.split, j.listed, j.together) for j in mine
        }


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: "-".join(cells[:5]))
def test_each_line_is_what_the_formula_says_and_what_was_seen(cells: list[str]) -> None:
    job = job_of(cells)
    assert cells[8] == f"{job.need:,}"
    assert cells[9] == ("fits" if job.fits else "does not")
    assert cells[10] == ("lived" if job.fits else "died")
    assert cells[11] == (f"{job.need:,}" if job.fits else "–")
