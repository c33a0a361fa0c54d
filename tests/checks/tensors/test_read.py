"""Files of tensors as NumPy and pickle write them."""

from __future__ import annotations

import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checks.tensors.harm import does_harm
from checks.tensors.read import NotTensors, read_contents
from checks.tensors.values import array_of
from tests.weights_corpus import P4, call, named, raw, short, stacked

PROTOCOLS = range(6)


def written(folder: Path, value: Any, protocol: int) -> str:
    path = folder / f"w{protocol}.pdparams"
    path.write_bytes(pickle.dumps(value, protocol))
    return str(path)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_names_shapes_types_and_values(tmp_path: Path, protocol: int) -> None:
    generator = np.random.default_rng(0)
    arrays = {
        "conv.weight": generator.normal(size=(8, 3, 3, 3)).astype("float32"),
        "fortran": np.asfortranarray(generator.normal(size=(4, 6)).astype("float64")),
        "big": generator.integers(0, 1000, (5, 2)).astype(">i4"),
        "half": generator.normal(size=(7,)).astype("float16"),
        "zero": np.array(3, "int64"),
        "none": np.zeros((0, 4), "float32"),
        "flags": np.array([True, False]),
        "large": generator.normal(size=(100, 100)).astype("float32"),
    }
    path = written(tmp_path, collections.OrderedDict(arrays), protocol)
    contents = read_contents(path)
    assert contents.flaw is None and contents.calls == () and contents.format == "pickle"
    assert contents.shapes == {name: array.shape for name, array in arrays.items()}
    for tensor in contents.tensors:
        array = arrays[tensor.name]
        assert tensor.dtype == array.dtype.name and tensor.nbytes == array.nbytes
        assert np.array_equal(array_of(path, contents, tensor), array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_tensor(tmp_path: Path, protocol: int) -> None:
    value = {"epoch": 7, "metric": np.float64(0.5), "note": "a\nb", "model": {"fc.weight": np.ones((3, 2), "f4")}, "lr": {"last_epoch": 3}}
    contents = read_contents(written(tmp_path, value, protocol))
    assert contents.scalars == {"epoch": 7, "metric": 0.5, "note": "a\nb"}
    assert (contents.nested, contents.shapes, contents.tables) == ("model", {"fc.weight": (3, 2)}, {"lr": {"last_epoch": 3}})
    assert contents.calls == () and contents.flaw is None


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b"<html>", "other"), (b"PK\x03\x04" + bytes(60), "archive")])
def test_no_tensors(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(NotTensors) as raised:
        read_contents(str(path))
    assert raised.value.reason == reason


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    for path, reason in ((str(tmp_path / "x"), "missing"), (str(tmp_path), "folder"), ("\0", "unreadable"), ("/dev/null", "unreadable")):
        with pytest.raises(NotTensors) as raised:
            read_contents(path)
        assert raised.value.reason == reason


def test_calls_are_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "evil.pdparams"
    path.write_bytes(b"\x80\x04cos\nmkdir\n(X\x05\x00\x00\x00PWNEDtR.")
    contents = read_contents(str(path))
    assert [(call.kind, call.function, call.argument) for call in contents.calls] == [("call", "os.mkdir", "('PWNED')")]
    assert not (tmp_path / "PWNED").exists()


def test_what_is_shown_is_printable(tmp_path: Path) -> None:
    path = tmp_path / "evil.pdparams"
    path.write_bytes(P4 + call(stacked("os", "\x1b[2Jsystem"), short("\x1b[2J\n"), raw(b"\x1b")) + b".")
    (found,) = read_contents(str(path)).calls
    assert found.function == "os.\\x1b[2Jsystem" and (found.function + found.argument).isprintable()


def test_the_states_of_several_optimizers_are_a_list(tmp_path: Path) -> None:
    """As PaddleClas saves them: ppcls/utils/save_load.py, `save_model`."""
    one = {
        "w_moment1_0": ("w_moment1_0", np.ones((2, 3), "f4")),
        "LR_Scheduler": {"last_epoch": 4},
        "master_weights": {"w": np.ones(2, "f4")},
    }
    contents = read_contents(written(tmp_path, [one], 4))
    assert (contents.top, contents.nested, contents.shapes) == ("sequence", "0", {"w_moment1_0": (2, 3)})
    assert contents.tables == {"LR_Scheduler": {"last_epoch": 4}} and list(contents.groups) == ["master_weights"]


def test_numbers_that_only_pickle_reads_do_not_end_the_walk(tmp_path: Path) -> None:
    path = tmp_path / "evil.pdparams"
    path.write_bytes(b"I007\n0S'\\q'\n0" + call(named("os", "system"), short("x")) + b".")
    contents = read_contents(str(path))
    assert [found.function for found in contents.calls] == ["os.system"]


def test_objects_saved_along_do_no_harm(tmp_path: Path) -> None:
    import datetime

    value = {"w": np.ones(2), "when": datetime.datetime(2024, 1, 1), "kind": np.float32, "random": np.random.RandomState(0)}
    contents = read_contents(written(tmp_path, value, 4))
    assert contents.shapes == {"w": (2,)} and contents.calls
    assert not [found for found in contents.calls if does_harm(found)]
