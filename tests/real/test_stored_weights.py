"""The reader of weights against PaddlePaddle itself: files that it saves, and files that it should never have loaded."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from checks.tensors.harm import does_harm
from checks.tensors.read import read_contents
from checks.tensors.values import array_of
from tests.real.probing import probe
from tests.weights_corpus import hostile, lod_tensor, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def saved(real_python: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, list[object]]]]:
    folder = tmp_path_factory.mktemp("saved")
    command = [real_python, str(ROOT / "tests" / "real" / "saved_weights.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_every_way_of_saving_is_read_as_paddle_loads_it(saved: tuple[Path, dict[str, dict[str, list[object]]]]) -> None:
    folder, told = saved
    assert len(told) >= 12
    for name, tensors in told.items():
        path = str(folder / name)
        contents = read_contents(path)
        assert contents.flaw is None and contents.calls == () and contents.top in ("mapping", "tensor"), name
        found = {}
        for tensor in contents.tensors:
            array = np.ascontiguousarray(array_of(path, contents, tensor))
            found[tensor.name] = [str(array.dtype), list(tensor.shape), hashlib.sha256(array.tobytes()).hexdigest()]
        assert found == tensors, name


def test_the_sliced_one_is_in_pieces(saved: tuple[Path, dict[str, dict[str, list[object]]]]) -> None:
    folder, _ = saved
    assert b"UnpackBigParamInfor@@" in (folder / "sliced.pdparams").read_bytes()
    assert len({tensor.name: tensor.spans for tensor in read_contents(str(folder / "sliced.pdparams")).tensors}["long"]) > 1


def test_what_else_stands_in_them(saved: tuple[Path, dict[str, dict[str, list[object]]]]) -> None:
    folder, _ = saved
    for protocol in (2, 3, 4):
        contents = read_contents(str(folder / f"nested-{protocol}.pdparams"))
        assert (contents.nested, contents.scalars, contents.protocol) == ("model", {"epoch": 7}, protocol)
        plain = read_contents(str(folder / f"protocol-{protocol}.pdparams"))
        assert set(plain.parameter_names) == set(plain.shapes) == set(contents.shapes)
        assert (plain.tensors[0].offset is None) == (protocol == 2)
    optimizer = read_contents(str(folder / "optimizer.pdopt"))
    assert set(optimizer.tables["LR_Scheduler"]) >= {"last_epoch", "last_lr"}
    assert read_contents(str(folder / "states.pdstates")).scalars == {"epoch": 3, "metric": 0.5, "top1": 0.25}


def test_files_of_a_static_graph(saved: tuple[Path, dict[str, dict[str, list[object]]]]) -> None:
    folder, _ = saved
    exported = read_contents(str(folder / "exported.pdiparams"))
    assert exported.format == "static" and sorted(tensor.shape for tensor in exported.tensors) == [(5,), (8, 5)]
    lod = read_contents(str(folder / "lod.static"))
    assert lod.calls == () and sorted(lod.shapes.values()) == [(5,), (8, 5)]
    binary = read_contents(str(folder / "binary.static"))
    assert np.array_equal(array_of(str(folder / "binary.static"), binary, binary.tensors[0]), np.ones((3, 4)))


def test_whatever_paddle_load_runs_is_told(real_python: str, tmp_path: Path) -> None:
    """Harmless payloads, each in a process of its own with limits (scripts/corpus_verdicts.py)."""
    write(tmp_path, str(tmp_path / "MARK"))
    kinds = {sample.name: sample.kind for sample in hostile()}
    for path in (tmp_path / "hostile").iterdir():
        if kinds[path.stem] != "code":
            path.unlink()
    command = [real_python, str(ROOT / "scripts" / "corpus_verdicts.py"), "paddle", str(tmp_path / "hostile"), str(tmp_path / "MARK")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ran = [name for name, found in json.loads(done.stdout.splitlines()[-1]).items() if found["ran"]]
    assert len(ran) >= 40
    for name in ran:
        assert any(does_harm(call) for call in read_contents(str(tmp_path / "hostile" / f"{name}.pdparams")).calls), name


NO_WEIGHTS = {
    "exported": lod_tensor(np.ones((2, 3), "<f4")) * 2,
    "safetensors": b"\x44" + bytes(7) + b'{"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   ' + bytes(24),
    "torch": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03.",
    "list": b"\x80\x02]K\x01a.",
    "damaged": b"\x80\x02}q\x00h\x07.",
}


LOAD = """
from ppcls.utils.save_load import load_dygraph_pretrain
for name in given["names"]:
    try:
        load_dygraph_pretrain(paddle.nn.Linear(2, 3), os.path.join(given["folder"], name))
        found[name] = "loaded"
    except Exception as error:
        found[name] = type(error).__name__
"""


def test_what_wts104_calls_no_weights_stops_paddleclas(real_python: str, tmp_path: Path) -> None:
    for name, content in NO_WEIGHTS.items():
        (tmp_path / f"{name}.pdparams").write_bytes(content)
    found = probe(real_python, LOAD, {"names": list(NO_WEIGHTS), "folder": str(tmp_path)})
    assert set(found) == set(NO_WEIGHTS)
    assert set(found.values()) <= {"ValueError", "AttributeError", "TypeError"}, found
