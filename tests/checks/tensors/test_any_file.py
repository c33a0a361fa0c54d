"""Whatever is in a file: no exception but `NotTensors`, bounded memory, and nothing read that need not be."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import struct
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.tensors import stream
from checks.tensors.allowed import BUILDERS, MERELY_NAMED
from checks.tensors.built import Name
from checks.tensors.formats import NotTensors, shapes_of
from checks.tensors.model import Contents, NoValues
from checks.tensors.pickles import walk
from checks.tensors.read import read_contents
from checks.tensors.stream import Source
from checks.tensors.values import array_of
from tests.weights_corpus import MARK, harmless, hostile, pickled_array, text

SEEDS = [s.content for s in (*hostile(), *harmless()) if isinstance(s.content, bytes) and len(s.content) < 5000]
DAMAGES = st.tuples(st.integers(0, 5000), st.integers(0, 255), st.sampled_from(["set", "insert", "drop", "cut"]))
OPCODES = b"(.0123456789}])abcdeghijloqrstuRXKMJNIFLVSTUCBGPQ" + bytes(range(0x80, 0x99))


def read(content: bytes) -> Contents | None:
    """What is read of these bytes, values too."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            contents = read_contents(file.name)
        except NotTensors:
            return None
        for tensor in contents.tensors[:3]:
            try:
                array = array_of(file.name, contents, tensor)
            except NoValues:
                continue
            assert array.shape == tensor.shape
        return contents


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    read(content)


@given(
    st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x05"]),
    st.lists(st.sampled_from([bytes([code]) for code in OPCODES]), max_size=40),
)
def test_any_opcodes(start: bytes, opcodes: list[bytes]) -> None:
    read(start + b"".join(opcodes) + b".")


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255), st.sampled_from(["set", "insert", "drop", "cut"])), max_size=4),
)
def test_any_damage(seed: bytes, damages: list[tuple[int, int, str]]) -> None:
    read(damaged(seed, damages))
    assert not os.path.exists(MARK)


def damaged(seed: bytes, damages: list[tuple[int, int, str]]) -> bytes:
    content = bytearray(seed)
    for place, byte, how in damages:
        at = place % (len(content) + 1)
        if how == "insert":
            content[at:at] = bytes([byte])
        elif how == "cut":
            del content[at:]
        elif how == "drop":
            del content[at : at + byte % 9 + 1]
        elif at < len(content):
            content[at] = byte
    return bytes(content)


class Anything:
    """In place of whatever a pickle names: it takes all that an unpickler may do with it, and does nothing."""

    def __init__(self, *args: object, **keywords: object) -> None:
        pass

    def __call__(self, *args: object) -> Anything:
        return Anything()

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __hash__(self) -> int:
        return 1

    append = extend = add = __setstate__ = lambda self, value: None


class Recorder(pickle._Unpickler):  # type: ignore[misc]  # Python's own, in Python: it makes no room for memo indexes
    def find_class(self, module: str, name: str) -> Any:
        self.seen.append((module, name))
        return Anything()


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.sampled_from(SEEDS), st.lists(DAMAGES, max_size=3))
def test_every_name_that_pickle_looks_up_is_told(seed: bytes, damages: list[tuple[int, int, str]]) -> None:
    """What stands before a payload cannot make the walker stop where pickle goes on."""
    content = damaged(seed, damages).rstrip(b".") + b"cevil\nrun\n)R."
    unpickler = Recorder(io.BytesIO(content), encoding="latin1")
    unpickler.seen = []
    with contextlib.suppress(Exception):
        unpickler.load()
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        walked = walk(Source(file.fileno()))
    if walked.flaw in ("excess", "cut"):
        return  # the one is reported; the other is a line without end, which only the unpickler in Python takes
    told = {function for _, function, _, _ in walked.calls}
    for module, name in unpickler.seen:
        assert (module, name) in BUILDERS or (module, name) in MERELY_NAMED or Name(module, name, 0).label in told


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=30),
        st.tuples(
            st.lists(st.integers(0, 5), max_size=4),
            st.sampled_from(["f4", "<f8", ">f4", "i8", "u1", "?", "f2", ">i2", "c8"]),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.integers(0, 5),
)
def test_any_arrays_come_back(told: dict[str, tuple[list[int], str, bool]], protocol: int) -> None:
    arrays: dict[str, Any] = {}
    for place, (name, (shape, kind, fortran)) in enumerate(told.items()):
        array = (np.arange(int(np.prod(shape))) + place).astype(kind).reshape(shape)
        arrays[name] = np.asfortranarray(array) if fortran else array
    with tempfile.NamedTemporaryFile() as file:
        file.write(pickle.dumps(arrays, protocol))
        file.flush()
        contents = read_contents(file.name)
        assert contents.flaw is None and contents.calls == ()
        assert [tensor.name for tensor in contents.tensors] == list(arrays)
        for tensor in contents.tensors:
            assert tensor.dtype == arrays[tensor.name].dtype.name
            assert np.array_equal(array_of(file.name, contents, tensor), arrays[tensor.name])


@pytest.mark.parametrize("opcode, width", [(b"B", 4), (b"\x8e", 8), (b"\x96", 8)])
def test_values_of_a_large_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opcode: bytes, width: int) -> None:
    """Ten arrays of 400 MB in a file with holes, 4 GB in all: a few KB of each are read."""
    size = 400_000_000
    values = np.broadcast_to(np.float32(0), (size // 4,))
    start, end = pickled_array(values, data=b"VALUES").split(b"VALUES")
    path = tmp_path / "w.pdparams"
    with open(path, "wb") as file:
        file.write(b"\x80\x05}(")
        for place in range(10):
            file.write(text(f"w{place}") + start + opcode + size.to_bytes(width, "little"))
            file.seek(size, os.SEEK_CUR)
            file.write(end)
        file.write(b"u.")
    asked = []
    original = os.pread
    monkeypatch.setattr(stream.os, "pread", lambda fd, count, place: asked.append(count) or original(fd, count, place))
    tracemalloc.start()
    assert shapes_of(str(path)) == {f"w{place}": (size // 4,) for place in range(10)}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(asked) < 200_000 and peak < 1 << 20


def test_the_reader_alone_imports_next_to_nothing() -> None:
    import subprocess
    import sys

    code = "import sys; before = set(sys.modules); import checks.tensors.formats; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[3])
    heavy = {"msgspec", "numpy", "typing", "re", "json", "pickle", "pickletools", "dataclasses", "enum"}
    assert not heavy & set(done.stdout.split())


def test_a_length_of_a_safetensors_header_that_is_absurd(tmp_path: Path) -> None:
    for length in (0, 1, 1 << 31, (1 << 64) - 1):
        assert read(struct.pack("<Q", length) + b'{"w":{}}') is None
