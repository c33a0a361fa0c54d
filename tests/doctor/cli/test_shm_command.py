"""`paddle-doctor shm`: the table says what the formula says, in both languages, within 80 columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from checks.facts.image_shape import SampleShape
from checks.shm_sizes import batch_bytes, count_batches, need
from doctor.calculator import DTYPES, Calculation, Have, Loader, around
from tests.command import Caller, start
from tests.test_paddle_doctor import imported

ASKED = ("shm", "--workers", "8", "--batch", "64", "--size", "224", "--processes", "4")


def test_the_numbers_of_the_issue(call: Caller) -> None:
    said = call(*ASKED, "--have", "64m", "--format", "json")
    assert (said.status, said.err) == (1, "")
    data = said.json
    image, label = 64 * 3 * 224 * 224 * 4, 64 * 8
    pages = sum(-(-(size + 64) // 4096) * 4096 for size in (image, label))
    assert data["batch_bytes"] == pages
    assert data["need_bytes"] == 4 * (17 * pages + (3 * 9 + 5) * 4096)
    assert data["have_bytes"] == 64 << 20
    assert data["margin_bytes"] == data["have_bytes"] - data["need_bytes"]
    assert data["fits"] is False
    assert data["shm_size"]["text"] == "3g"
    assert (data["docker"], data["compose"]) == ("docker run --shm-size=3g ...", "shm_size: 3gb")
    volumes = yaml.safe_load(data["kubernetes"])["volumes"]
    assert [volume["emptyDir"] for volume in volumes] == [{"medium": "Memory", "sizeLimit": "3Gi"}]
    text = call(*ASKED, "--have", "64m").out
    for line in (data["docker"], data["compose"], *data["kubernetes"].splitlines()):
        assert line in text
    assert data["steps"][-1]["result"] == data["need_bytes"]


@pytest.mark.parametrize(("workers", "fits", "fits_not"), [(4, 12, 13), (2, 22, 23), (1, 37, 38)])
def test_the_thresholds_of_real_containers(call: Caller, workers: int, fits: int, fits_not: int) -> None:
    for batch, status in ((fits, 0), (fits_not, 1)):
        assert call("shm", "--workers", str(workers), "--batch", str(batch), "--size", "224", "--have", "64m").status == status


@given(
    workers=st.integers(0, 64),
    batch=st.integers(1, 2048),
    side=st.integers(1, 512),
    channels=st.sampled_from([1, 3, 4]),
    itemsize=st.sampled_from(sorted(DTYPES.values())),
    processes=st.integers(1, 8),
    samples=st.none() | st.integers(1, 100_000),
    epochs=st.integers(1, 3),
    have=st.integers(0, 1 << 34),
)
def test_a_cell_is_marked_as_fitting_exactly_if_the_need_is_no_more_than_there_is(
    workers: int, batch: int, side: int, channels: int, itemsize: int, processes: int, samples: int | None, epochs: int, have: int
) -> None:
    shape = SampleShape(channels, side, side + 1, itemsize)
    found = Calculation(Loader(workers, batch, shape, 8, processes, samples, epochs), Have(have, "given"))
    rows = found.table()
    assert any((cell.workers, cell.batch) == (workers, batch) for row in rows for cell in row)
    for row in rows:
        for cell in row:
            batches = None if samples is None else count_batches(samples, cell.batch, drop_last=False)
            full = cell.batch if samples is None else min(cell.batch, samples)
            exact = need(cell.workers, batch_bytes(full, (shape.bytes, 8)), batches=batches, processes=processes, epochs=epochs)
            assert cell.need == exact.total
            assert cell.fits == (exact.total <= have)
    assert found.fits == (found.need.total <= have) == (found.margin >= 0)
    assert found.steps()[-1].result == found.need.total
    assert found.size.bytes >= found.need.total
    for count, largest in found.pairs():
        for size, fits in ((largest, True), (largest + 1, False)):
            assert (need(count, batch_bytes(size, (shape.bytes, 8)), processes=processes, epochs=epochs).total <= have) == fits


@given(st.integers(1, 1 << 20))
def test_columns_are_sizes_around_the_one_asked_for(batch: int) -> None:
    columns = around(batch)
    assert batch in columns
    assert columns == sorted(set(columns))
    assert columns[0] >= 1


def test_what_is_printed_is_what_json_says(call: Caller) -> None:
    for have in ("64m", "1g", "8g"):
        data = call(*ASKED, "--have", have, "--format", "json").json
        text = call(*ASKED, "--have", have, "--format", "rich", "--lang", "en").out
        rows = {int(match[1]): match[2] for match in re.finditer(r"^  (\d+) workers? +(\S.*)$", text, re.MULTILINE)}
        columns = [int(n) for n in re.findall(r"batch (\d+)(?= |$)", next(line for line in text.splitlines() if line.count("batch ") > 2))]
        fits = {(cell["workers"], cell["batch"]): cell["fits"] for cell in data["table"]}
        for workers, row in rows.items():
            marks = re.findall("[✓✗]", row)
            assert [fits[workers, batch] for batch in columns] == [mark == "✓" for mark in marks]
        assert text.count("[✓") + text.count("[✗") == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("asked", [ASKED, ("shm", "--workers", "4096", "--batch", "1048576", "--size", "65536", "--processes", "4096")])
def test_no_line_is_wider_than_the_terminal_and_the_columns_stand_below_each_other(
    call: Caller, monkeypatch: pytest.MonkeyPatch, lang: str, width: int, asked: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = call(*asked, "--have", "64m", "--format", "rich", "--lang", lang).out.splitlines()
    assert not [line for line in lines if cell_len(line) > width and "--shm-size" not in line]
    table = [line for line in lines if re.match(r"  \d+ (workers?|个 worker) .*[✓✗]", line)]
    assert len(table) >= 4
    ends = {tuple(cell_len(line[: match.end()]) for match in re.finditer("B(?=[ \\]]|$)", line)) for line in table}
    assert len(ends) == 1, table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--workers", "x", "--batch", "64", "--size", "224"), ("--workers", "x")),
        (("--workers", "-1", "--batch", "64", "--size", "224"), ("--workers", "-1")),
        (("--workers", "2", "--batch", "0", "--size", "224"), ("--batch", "0")),
        (("--workers", "2", "--batch", "3.5", "--size", "224"), ("--batch", "3.5")),
        (("--workers", "2", "--batch", "9" * 5000, "--size", "224"), ("--batch",)),
        (("--workers", "2", "--batch", "3", "--size", "224x"), ("--size", "224x")),
        (("--workers", "2", "--batch", "3", "--size", "0"), ("--size", "0")),
        (("--workers", "2", "--batch", "3"), ("--size",)),
        (("--workers", "2", "--batch", "3", "--size", "224", "--have", "lots"), ("--have", "lots")),
        (("--workers", "2", "--batch", "3", "--size", "224", "--samples", "3", "--batches", "2"), ("--samples", "--batches")),
        (("--workers", "2", "--batch", "3", "--size", "224", "--dtype", "int8"), ("--dtype", "int8")),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_bad_arguments_are_one_line(call: Caller, lang: str, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    line = call("shm", *arguments, "--lang", lang).refused(*words)
    assert len(line) < 300
    assert lang == "en" or re.search("[\u4e00-\u9fff]", line)


def test_height_comes_before_width_and_labels_and_short_lists_count(call: Caller) -> None:
    def ask(*more: str) -> dict[str, Any]:
        found: dict[str, Any] = call("shm", "--workers", "2", "--batch", "8", *more, "--have", "1g", "--format", "json").json
        return found

    wide = ask("--size", "224x448")
    assert wide["sample"] == {
        "channels": 3,
        "height": 224,
        "width": 448,
        "dtype": "float32",
        "image_bytes": 3 * 224 * 448 * 4,
        "label_bytes": 8,
    }
    assert ask("--size", "224", "--dtype", "float16")["batch_bytes"] < ask("--size", "224")["batch_bytes"]
    assert ask("--size", "224", "--soft-labels", "10000")["batch_bytes"] == batch_bytes(8, (3 * 224 * 224 * 4, 40_000))
    assert ask("--size", "224", "--samples", "17")["queued_batches"] == 3
    assert ask("--size", "224", "--samples", "17", "--processes", "2")["queued_batches"] == 2
    assert ask("--size", "224", "--batches", "2")["queued_batches"] == 2
    assert ask("--size", "224", "--batches", "99")["queued_batches"] == 5


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_one_epoch_holds_the_second_may_not(call: Caller, lang: str) -> None:
    """4 workers × 12 images fit into 64 MiB for one epoch; a real training dies at the start of its second."""
    asked = ("shm", "--workers", "4", "--batch", "12", "--size", "224", "--have", "64m", "--lang", lang)
    said = call(*asked)
    assert said.status == 0
    assert {"en": "✗ does not fit from the second epoch on", "zh": "✗ 从第二个 epoch 起放不下"}[lang] in said.out
    data = call(*asked, "--format", "json").json
    assert (data["fits"], data["next_epoch_fits"]) == (True, False)
    again = call(*asked, "--epochs", "2", "--format", "json")
    assert again.status == 1
    assert again.json["need_bytes"] == data["next_epoch_bytes"] == data["need_bytes"] + again.json["left_over_bytes"]


def test_a_list_shorter_than_a_batch_is_one_smaller_batch(call: Caller) -> None:
    asked = ("shm", "--workers", "4", "--batch", "256", "--size", "224", "--have", "64m", "--samples", "40", "--format", "json")
    said = call(*asked)
    assert (said.status, said.json["batch_bytes"]) == (0, batch_bytes(40, (3 * 224 * 224 * 4, 8)))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_workers_need_nothing(call: Caller, lang: str) -> None:
    said = call("shm", "--workers", "0", "--batch", "64", "--size", "224", "--have", "0", "--lang", lang)
    assert said.status == 0
    assert {"en": "Without workers", "zh": "没有 worker"}[lang] in said.out


def test_have_is_measured_where_it_is_not_given(call: Caller) -> None:
    data = call("shm", "--workers", "1", "--batch", "1", "--size", "8", "--format", "json").json
    assert data["have_from"] in ("measured", "docker-default")
    assert data["have_from"] == "docker-default" or data["size_bytes"] >= data["have_bytes"]


def test_a_process_of_its_own_prints_json_only(tmp_path: Path) -> None:
    said = start(*ASKED, "--have", "64g", "--format", "json", cwd=tmp_path)
    assert (said.status, said.err) == (0, "")
    assert said.json["fits"] is True


def test_it_starts_as_lightly_as_the_faq(tmp_path: Path) -> None:
    names = imported(tmp_path, *ASKED, "--have", "64m", "--format", "rich")
    heavy = {"paddle", "numpy", "textual", "docker", "psutil", "importlib.metadata", "asyncio", "rich.console", "shtab"}
    assert names.isdisjoint(heavy), names & heavy
