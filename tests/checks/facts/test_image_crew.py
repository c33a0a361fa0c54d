"""Many image files at once: the same results as one by one, whatever becomes of a worker."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from checks.facts import image_crew
from checks.facts.base import Cancelled
from checks.facts.image_crew import see_all
from checks.facts.image_worker import GONE, see


def files(folder: Path, count: int = 60) -> list[str]:
    for number in range(count):
        stream = io.BytesIO()
        Image.new("RGB", (20 + number % 3, 10), (number, 0, 0)).save(stream, "JPEG" if number % 2 else "PNG")
        (folder / f"{number}.jpg").write_bytes(stream.getvalue())
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.jpg").write_bytes((folder / "1.jpg").read_bytes()[:-20])
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    return [
        str(folder / name) for name in (*(f"{n}.jpg" for n in range(count)), "empty.jpg", "cut.jpg", "folder.jpg", "pipe.jpg", "gone.jpg")
    ]


def test_processes_say_what_one_by_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path)
    alone = [see(path) for path in paths]
    assert [seen[0].fault for seen in alone[-5:]] == ["empty", "cut", "folder", "special", "gone"]
    assert {seen[0].fault for seen in alone[:-5]} == {""}
    assert alone[-1] == GONE
    monkeypatch.setattr(image_crew, "MANY", 10)
    monkeypatch.setattr(image_crew, "FRAME", 7)
    steps: list[int] = []
    assert see_all(paths, False, steps.append, cpus=2)[0] == alone
    assert steps[-1] == len(paths)
    found, decoders = see_all(paths, True, steps.append, cpus=2)
    assert found == alone
    assert "Pillow" in decoders


WORKER = """
import marshal, os, sys, time
def send(rows):
    data = marshal.dumps(rows)
    sys.stdout.buffer.write(len(data).to_bytes(4, "little") + data)
    sys.stdout.buffer.flush()
if sys.argv[1] == "full":
    send(["none"])
while True:
    start = sys.stdin.buffer.read(4)
    if len(start) < 4:
        break
    paths = marshal.loads(sys.stdin.buffer.read(int.from_bytes(start, "little")))
    if "die" in paths:
        os._exit(3)
    if "hang" in paths:
        time.sleep(60)
    send([(("", "jpeg", 1, 1, "RGB", 1), 5, 6, 7)] * len(paths))
"""


@pytest.mark.parametrize(("bad", "fault"), [("die", "died"), ("hang", "slow")])
def test_a_worker_that_dies_or_hangs_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, fault: str) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(image_crew, "PROGRAM", str(tmp_path / "worker.py"))
    monkeypatch.setattr(image_crew, "PATIENCE", 3.0)
    paths = ["a"] * 20 + [bad] + ["b"] * 20 + [bad]
    found, _ = see_all(paths, True, lambda done: None, cpus=1)
    assert [index for index, seen in enumerate(found) if seen[0].fault == fault] == [20, 41]
    assert {seen[0].fault for seen in found} == {"", fault}


def test_it_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(image_crew, "PROGRAM", str(tmp_path / "worker.py"))

    def stop(done: int) -> None:
        raise Cancelled

    start = time.monotonic()
    with pytest.raises(Cancelled):
        see_all(["hang"] * 40, True, stop, cpus=2)
    assert time.monotonic() - start < 10
