"""Saved results: logs, JSON, CSV, arrays; and how those of two sides are matched."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.printed import Results
from checks.facts.printed_pair import PrintedSide, pair_up
from checks.facts.printed_results import of_values
from checks.facts.saved_outputs import read_side
from tests.ladders import lines, side

TOPK = {"class_ids": [1, 0], "scores": [0.9, 0.1], "file_name": "d/a.jpg", "label_names": ["x", "y"]}


def read(folder: Path, name: str, content: str | bytes) -> PrintedSide:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_side("train", name, str(path))


def told(found: PrintedSide) -> list[tuple[Any, ...]]:
    assert found.trouble is None, found.trouble
    return [(one.file, one.result.ids, tuple(round(score, 5) for score in one.result.scores)) for one in found.results.printed]


@pytest.mark.parametrize(
    "data",
    [
        [TOPK],
        [[TOPK]],
        {"results": [TOPK], "more": 1},
        {"d/a.jpg": {"class_ids": [1, 0], "scores": [0.9, 0.1]}},
        {"d/a.jpg": [0.1, 0.9]},
        [{"file": "d/a.jpg", "class_ids": [1, 0], "scores": [0.9, 0.1]}],
        [{"file_name": "d/a.jpg", "probabilities": [0.1, 0.9]}],
    ],
)
def test_json_of_every_shape(tmp_path: Path, data: Any) -> None:
    assert told(read(tmp_path, "a.json", json.dumps(data))) == [("d/a.jpg", (1, 0), (0.9, 0.1))]


def test_a_log_may_be_called_json(tmp_path: Path) -> None:
    assert told(read(tmp_path, "a.json", str([TOPK]) + "\nend\n")) == [("d/a.jpg", (1, 0), (0.9, 0.1))]


def test_csv(tmp_path: Path) -> None:
    text = "\ufefffile,class_ids,scores,label_names\nd/a.jpg,1;0,0.90;0.10,x;y\nb.jpg,wrong,0.5,\nc.jpg,2,1.0,z\n"
    found = read(tmp_path, "a.csv", text)
    assert told(found) == [("d/a.jpg", (1, 0), (0.9, 0.1)), ("c.jpg", (2,), (1.0,))]
    assert found.results.decimals == 2
    assert told(read(tmp_path, "a.tsv", "file\tclass_id\tscore\na.jpg\t3\t0.5\n")) == [("a.jpg", (3,), (0.5,))]


def stored(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def test_arrays(tmp_path: Path) -> None:
    logits = np.log(np.array([[0.1, 0.9], [0.75, 0.25]], "float32"))
    files = np.array(["a.jpg", "b.jpg"])
    expected = [("a.jpg", (1, 0), (0.9, 0.1)), ("b.jpg", (0, 1), (0.75, 0.25))]
    assert told(read(tmp_path, "a.npz", stored(logits=logits, files=files))) == expected
    assert told(read(tmp_path, "b.npz", stored(probabilities=np.exp(logits), files=files))) == expected
    assert [row[1:] for row in told(read(tmp_path, "c.npz", stored(anything=logits)))] == [row[1:] for row in expected]
    out = io.BytesIO()
    np.save(out, np.exp(logits[0]))
    assert told(read(tmp_path, "d.npy", out.getvalue())) == [(None, (1, 0), (0.9, 0.1))]


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("unpickled",))


def test_no_pickle_is_opened(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.save(out, np.array([Bomb()], dtype=object), allow_pickle=True)
    for name, content in (("a.npy", out.getvalue()), ("b.npz", stored(logits=np.zeros((1, 2)), files=np.array([Bomb()], dtype=object)))):
        found = read(tmp_path, name, content)
        assert found.trouble is not None
        assert found.trouble.kind == "unreadable"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    def kind(found: PrintedSide) -> str:
        assert found.trouble is not None
        return found.trouble.kind

    assert kind(read_side("train", "x", str(tmp_path / "x"))) == "missing"
    assert kind(read_side("train", ".", str(tmp_path))) == "not-a-file"
    assert kind(read_side("train", "a\0b", "a\0b")) in ("unreadable", "missing")
    assert kind(read(tmp_path, "a.log", "nothing\n")) == "no-results"
    assert kind(read(tmp_path, "a.npz", b"PK\x03\x04garbage")) == "unreadable"
    assert kind(read(tmp_path, "a.npy", b"\x93NUMPY\x01\x00")) == "unreadable"
    assert kind(read(tmp_path, "b.npz", stored(a=np.zeros(3), b=np.zeros(3)))) == "no-array"
    assert kind(read(tmp_path, "c.npz", stored(logits=np.zeros((2, 2, 2))))) == "no-array"
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("x.txt", "no array")
    assert kind(read(tmp_path, "d.npz", bomb.getvalue())) in ("no-array", "unreadable")


@given(st.binary(max_size=200), st.sampled_from(["a.log", "a.json", "a.csv", "a.npz", "a.npy"]))
def test_any_bytes_are_read_without_a_fault(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    read(tmp_path_factory.mktemp("any"), name, content)


def test_images_are_matched_by_path_then_by_name_then_by_order() -> None:
    rows = [(0, 0.9), (1, 0.8), (0, 0.7)]
    plain = lines(*rows)
    assert pair_up(side("train", plain), side("deploy", plain)).by == "path"
    foldered = side("train", "x/" + plain.replace("\n", "\nx/", 2))
    assert [m.file for m in pair_up(foldered, side("deploy", plain)).matched] == ["x/0.jpg", "x/1.jpg", "x/2.jpg"]
    assert pair_up(foldered, side("deploy", plain)).by == "name"
    assert pair_up(side("train", plain + plain), side("deploy", plain + plain)).by == "order"
    nameless = PrintedSide("deploy", "file", "a.npy", Results(tuple(of_values(None, [0], [0.9], None, n, "score") for n in range(3))))  # type: ignore[arg-type]
    assert (pair_up(side("train", plain), nameless).by, len(pair_up(side("train", plain), nameless).matched)) == ("order", 3)
    shuffled = side("deploy", "\n".join(reversed(plain.split("\n"))))
    assert all(m.train.file == m.deploy.file for m in pair_up(side("train", plain), shuffled).matched)
    lost = pair_up(side("train", plain), side("deploy", ""))
    assert (lost.matched, lost.only_train) == ((), ("0.jpg", "1.jpg", "2.jpg"))


def test_names_that_recur_are_said_and_the_others_compared() -> None:
    plain = lines((0, 0.9), (1, 0.8), (0, 0.7))
    pair = pair_up(side("train", plain + plain.split("\n")[0]), side("deploy", plain))
    assert ([m.file for m in pair.matched], pair.ambiguous) == (["1.jpg", "2.jpg"], ("0.jpg",))
