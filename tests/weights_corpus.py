"""A corpus of hostile and of harmless files of weights, made byte by byte; `python -m tests.weights_corpus FOLDER` writes it.

What a hostile file would do is harmless too: it makes the file `MARK`, so that it can be handed to the real `paddle.load` to see whether it runs.
None is ever loaded by the tests.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MARK = "/tmp/paddle-doctor-corpus-mark"
"""The file that a payload makes. A corpus for the real `paddle.load` names one of its own."""


class Hostile(NamedTuple):
    """`calls` is the function that must be among those reported, or None where only `flaw` is; both may be so."""

    name: str
    content: bytes
    calls: str | None
    flaw: str | None = None
    kind: str = "code"  # or "resources" (time, memory), "structure"


class Harmless(NamedTuple):
    """`shapes` are those that must be read."""

    name: str
    content: bytes | dict[str, bytes]
    shapes: dict[str, tuple[int, ...]]


# --- a small assembler of pickles

P0, P2, P3, P4 = b"", b"\x80\x02", b"\x80\x03", b"\x80\x04"


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    """STACK_GLOBAL."""
    return short(module) + short(name) + b"\x93"


def text(value: str) -> bytes:
    """BINUNICODE."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def raw(value: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    """LONG1."""
    made = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(made)]) + made


def call(function: bytes, *args: bytes) -> bytes:
    """REDUCE."""
    return function + b"(" + b"".join(args) + b"tR"


def pickled_array(
    values: np.ndarray[Any, Any], module: str = "numpy.core.multiarray", data: bytes | None = None, dtype: bytes | None = None
) -> bytes:
    """Python 3's way of an array, without memo."""
    kind = values.dtype.str
    made = (
        call(named("numpy", "dtype"), text(kind[1:]), b"\x89", b"\x88")
        + b"(K\x03"
        + text(kind[0])
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    start = call(named(module, "_reconstruct"), named("numpy", "ndarray"), b"K\x00\x85", raw(b"b"))
    sides = b"(" + b"".join(number(side) for side in values.shape) + b"t"
    return start + b"(K\x01" + sides + (dtype or made) + b"\x89" + (data or raw(values.tobytes())) + b"tb"


def state(*pairs: tuple[str, bytes]) -> bytes:
    """A dict of texts to what is already pickled."""
    return b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"


ONES = np.ones((2, 3), "<f4")


def touch(mark: str) -> str:
    return f"touch {mark}"


# --- hostile


def hostile(mark: str = MARK) -> Iterator[Hostile]:
    """Samples that run something, take time or memory, or are built against readers."""
    yield from _calls(mark)
    yield from _ways_to_name(mark)
    yield from _ways_to_call(mark)
    yield from _misleading(mark)
    yield from _hidden(mark)
    yield from _resources(mark)
    yield from _structure()


def _calls(mark: str) -> Iterator[Hostile]:
    """Each a plain call in the place of the whole file."""
    command = touch(mark)
    code = f"open({mark!r}, 'w').close()"
    table: list[tuple[str, str, str, bytes]] = [
        ("os-system", "os", "system", text(command)),
        ("posix-system", "posix", "system", text(command)),
        ("nt-system", "nt", "system", text(command)),
        ("os-popen", "os", "popen", text(command)),
        ("os-exit", "os", "_exit", b"K\x00"),
        ("os-mkdir", "os", "mkdir", text(mark)),
        ("subprocess-popen", "subprocess", "Popen", b"]" + text("touch") + b"a" + text(mark) + b"a"),
        ("subprocess-output", "subprocess", "check_output", b"]" + text("touch") + b"a" + text(mark) + b"a"),
        ("eval", "builtins", "eval", text(f"__import__('os').system({command!r})")),
        ("exec", "builtins", "exec", text(code)),
        ("import", "builtins", "__import__", text("antigravity.never")),
        ("compile", "builtins", "compile", text(code) + text("x") + text("exec")),
        ("open", "builtins", "open", text(mark) + text("w")),
        ("io-open", "_io", "FileIO", text(mark) + text("w")),
        ("log-file", "logging", "FileHandler", text(mark)),
        ("run-path", "runpy", "run_path", text(mark)),
        ("timeit", "timeit", "timeit", text("pass") + text(code)),
        ("profile", "cProfile", "run", text(code)),
        ("pdb", "bdb", "Bdb", b""),
        ("numpy-runstring", "numpy.testing._private.utils", "runstring", text(code) + b"}"),
        ("numpy-load", "numpy", "load", text(mark)),
        ("pip", "pip._internal", "main", b"]" + text("help") + b"a"),
        ("library", "ctypes", "CDLL", text(mark)),
        ("connection", "socket", "create_connection", text("127.0.0.1") + b"K\x01\x86"),
        ("address", "urllib.request", "urlopen", text("file:///etc/hostname")),
        ("browser", "webbrowser", "open", text("about:blank")),
        ("remove-tree", "shutil", "rmtree", text(mark)),
        ("code-object", "marshal", "loads", raw(b"N")),
        ("paddle-load", "paddle.framework.io", "load", text(mark)),
        ("interpreter", "code", "interact", b""),
        ("sleep", "time", "sleep", b"K\x00"),
        ("torch-load", "torch.serialization", "load", text(mark)),
        ("reconstructor", "copyreg", "_reconstructor", named("subprocess", "Popen") + named("builtins", "object") + b"N"),
        ("odd-codec", "_codecs", "encode", text("x") + text("uu")),
        ("decoded", "_codecs", "decode", raw(b"x") + text("uu")),
    ]
    for name, module, function, args in table:
        yield Hostile(f"call-{name}", P2 + call(named(module, function), args) + b".", f"{module}.{function}")
    yield Hostile("call-python-2-eval", P2 + call(named("__builtin__", "eval"), text(code)) + b".", "__builtin__.eval")
    yield Hostile("call-python-2-exec", P2 + call(named("__builtin__", "execfile"), text(mark)) + b".", "__builtin__.execfile")


def _ways_to_name(mark: str) -> Iterator[Hostile]:
    command = touch(mark)
    yield Hostile("name-protocol-0", f"cos\nsystem\n(S'{command}'\ntR.".encode(), "os.system")
    yield Hostile("name-unicode-protocol-0", f"cos\nsystem\n(V{command}\ntR.".encode(), "os.system")
    yield Hostile("name-stacked", P4 + call(stacked("os", "system"), short(command)) + b".", "os.system")
    memo = short("os") + b"\x940" + short("system") + b"\x940" + b"h\x00h\x01\x93"
    yield Hostile("name-from-memo", P4 + call(memo, short(command)) + b".", "os.system")
    joined = call(stacked("builtins", "str.join"), short(""), b"]" + short("sys") + b"a" + short("tem") + b"a")
    yield Hostile("name-joined", P4 + call(short("os") + joined + b"\x93", short(command)) + b".", "builtins.str.join")
    yield Hostile("name-dotted", P4 + call(stacked("shutil", "os.system"), short(command)) + b".", "shutil.os.system")
    found = call(named("builtins", "getattr"), call(named("importlib", "import_module"), text("os")), text("system"))
    yield Hostile("name-by-getattr", P2 + call(found, text(command)) + b".", "builtins.getattr")
    attribute = call(call(named("operator", "attrgetter"), text("system")), call(named("importlib", "import_module"), text("os")))
    yield Hostile("name-by-attrgetter", P2 + call(attribute, text(command)) + b".", "operator.attrgetter")
    method = call(named("operator", "methodcaller"), text("system"), text(command))
    yield Hostile(
        "name-by-methodcaller", P2 + call(method, call(named("importlib", "import_module"), text("os"))) + b".", "operator.methodcaller"
    )
    extended = call(named("copyreg", "add_extension"), text("os"), text("system"), b"K\x42") + b"0"
    yield Hostile("name-by-extension", P2 + extended + call(b"\x82\x42", text(command)) + b".", "copyreg.add_extension", "extension")
    yield Hostile("name-only-imported", P2 + named("antigravity", "geohash") + b".", "antigravity.geohash")
    yield Hostile("name-long-text", P4 + call(text("o" * 5000) + short("system") + b"\x93", short(command)) + b".", "<5000 bytes>.system")


def _ways_to_call(mark: str) -> Iterator[Hostile]:
    command = touch(mark)
    yield Hostile("way-inst", f"(S'{command}'\nios\nsystem\n.".encode(), "os.system")
    yield Hostile("way-obj", b"(" + named("os", "system") + text(command) + b"o.", "os.system")
    system = b"]" + named("os", "system") + b"a"
    lazy = named("builtins", "map") + named("os", "system") + b"]" + text(command) + b"a\x86\x81"
    yield Hostile("way-newobj-lazy-map", P2 + call(named("builtins", "tuple"), lazy) + b".", "builtins.map")
    keywords = named("subprocess", "Popen") + b")}" + text("args") + system + b"s\x92"
    yield Hostile("way-newobj-ex", P4 + keywords + b".", "subprocess.Popen")
    partial = call(named("functools", "partial"), named("os", "system"), text(command))
    yield Hostile("way-partial", P2 + partial + b")R.", "functools.partial")
    built = call(named("functools", "partial"), named("builtins", "print"))
    built += b"(" + named("os", "system") + text(command) + b"\x85}Ntb)R"
    yield Hostile("way-build-setstate", P2 + built + b".", "functools.partial")
    yield Hostile(
        "way-build-on-a-class", P2 + named("collections", "OrderedDict") + b"N}" + text("x") + b"K\x01s\x86b.", "collections.OrderedDict"
    )
    appended = call(named("collections", "deque")) + b"(K\x01K\x02e"
    yield Hostile("way-append-to-foreign", P2 + appended + b".", "collections.deque")
    items = call(named("collections", "defaultdict"), named("os", "getcwd")) + text("x") + b"K\x01s"
    yield Hostile("way-items-of-foreign", P2 + items + b".", "collections.defaultdict")
    inner = P2 + call(named("os", "system"), text(command)) + b"."
    yield Hostile("way-pickle-within", P3 + call(named("pickle", "loads"), raw(inner)) + b".", "os.system")
    deeper = inner
    for _ in range(5):
        deeper = P3 + call(named("_pickle", "loads"), raw(deeper)) + b"."
    yield Hostile("way-pickle-six-deep", deeper, "_pickle.loads")
    evaluated = call(named("builtins", "eval"), text("data "), state(("data", pickled_array(ONES))))
    yield Hostile("way-nearly-a-lod-tensor", P4 + evaluated + b".", "builtins.eval")
    more = call(named("builtins", "eval"), text("data"), state(("data", pickled_array(ONES)), ("__builtins__", named("os", "system"))))
    yield Hostile("way-lod-tensor-with-more", P4 + more + b".", "builtins.eval")


def _misleading(mark: str) -> Iterator[Hostile]:
    """Before the payload stands something that pickle takes, and that a reader could stop at."""
    payload = call(named("os", "system"), text(touch(mark))) + b"."
    yield Hostile("mislead-item-of-a-list", P2 + b"]Na(K\x00K\x01u0" + payload, "os.system")
    yield Hostile("mislead-append-to-bytes", b"\x80\x05\x96" + bytes(8) + b"(K\x01e0" + payload, "os.system")
    yield Hostile("mislead-item-of-an-array", P2 + pickled_array(ONES) + b"K\x00K\x01s0" + payload, "os.system")
    yield Hostile("mislead-state-of-none", P2 + b"]Nb0" + payload, "os.system")
    yield Hostile("mislead-memo-in-words", b"Np +5\n0" + payload, "os.system")
    yield Hostile("mislead-memo-index", P2 + b"Nr" + (1_000_001).to_bytes(4, "little") + b"0" + payload, "os.system", "memo")
    yield Hostile("mislead-hexadecimal", b"L0x10L\n0" + payload, "os.system")
    old = pickled_array(ONES).replace(b"(K\x01(", b"((", 1)
    yield Hostile("mislead-state-of-numeric", P2 + old + b"0" + payload, "os.system")
    yield Hostile("mislead-lone-surrogate", P2 + b"X\x03\x00\x00\x00\xed\xa0\x800" + payload, "os.system")
    many = b"".join(call(named("collections", "deque")) + b"0" for _ in range(100))
    yield Hostile("mislead-by-many-calls", P2 + many + payload, "os.system")
    extended = (
        call(named("copyreg", "add_extension"), text("os"), text("system"), b"K\x43") + b"0" + b"\x82\x43" + text(touch(mark)) + b"\x85R."
    )
    yield Hostile("mislead-by-extension", P2 + extended, "extension 67", "extension")


def _hidden(mark: str) -> Iterator[Hostile]:
    payload = call(named("os", "system"), text(touch(mark)))
    yield Hostile(
        "hidden-among-weights",
        P4 + state(("fc.weight", pickled_array(ONES)), ("fc.bias", payload), ("c", pickled_array(ONES))) + b".",
        "os.system",
    )
    yield Hostile("hidden-and-popped", P4 + payload + b"0" + state(("fc.weight", pickled_array(ONES))) + b".", "os.system")
    yield Hostile("hidden-below-a-mark", P4 + b"(" + payload + b"1" + state(("fc.weight", pickled_array(ONES))) + b".", "os.system")
    yield Hostile("hidden-in-optimizer", P4 + state(("fc_moment1_0", pickled_array(ONES)), ("LR_Scheduler", payload)) + b".", "os.system")
    yield Hostile("hidden-as-a-key", P4 + b"}" + payload + pickled_array(ONES) + b"s.", "os.system")
    objects = pickled_array(ONES, data=b"]" + payload + b"a", dtype=call(named("numpy", "dtype"), text("O8"), b"\x89", b"\x88"))
    yield Hostile("hidden-in-object-array", P4 + state(("fc.weight", objects)) + b".", "os.system")
    yield Hostile(
        "hidden-in-a-shape",
        P4 + call(named("numpy.core.multiarray", "_reconstruct"), named("numpy", "ndarray"), payload) + b".",
        "os.system",
    )
    yield Hostile(
        "hidden-as-array-class",
        P4 + call(named("numpy.core.multiarray", "_reconstruct"), named("os", "PathLike"), b"K\x00\x85") + b".",
        "os.PathLike",
    )
    yield Hostile("hidden-before-a-cut", P4 + state(("a", payload), ("fc.weight", pickled_array(ONES)))[:-30], "os.system", "cut")
    yield Hostile("hidden-before-nonsense", P4 + payload + b"\xff", "os.system", "opcode")
    yield Hostile("hidden-behind-protocols", P4 + P2 + P3 + payload + P4 + b".", "os.system")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("archive/data.pkl", b"x")
    yield Hostile("hidden-before-a-zip", P0 + payload + b"." + archive.getvalue(), "os.system")
    tape = payload[:90] + b"."
    yield Hostile("hidden-in-a-tape", (tape + bytes(257 - len(tape))) + b"ustar" + bytes(250), "os.system")


def _resources(mark: str) -> Iterator[Hostile]:
    many = 200_000
    for name, opcode, size in (
        ("bytes", b"\x8e", 8),
        ("text", b"\x8d", 8),
        ("bytearray", b"\x96", 8),
        ("bytes-of-2-gb", b"B", 4),
        ("text-of-2-gb", b"X", 4),
    ):
        length = (1 << 50 if size == 8 else 1 << 31).to_bytes(size, "little")
        yield Hostile(f"length-{name}", P4 + opcode + length + b"abc.", None, "cut", "resources")
    yield Hostile("length-frame", P4 + b"\x95" + (1 << 50).to_bytes(8, "little") + b"N.", None, "cut", "resources")
    yield Hostile("length-number", P2 + b"\x8b" + (1 << 30).to_bytes(4, "little") + b"\x01.", None, "cut", "resources")
    yield Hostile("length-negative", P2 + b"\x8b" + b"\xff\xff\xff\xff" + b".", None, "length", "resources")
    yield Hostile("memo-index", P2 + b"Nr" + (1 << 31).to_bytes(4, "little") + b".", None, "memo", "resources")
    laughs = b"](" + b"K\x01" * 10 + b"e" + b"".join(b"q%c0](" % n + b"h%c" % n * 10 + b"e" for n in range(30))
    yield Hostile("laughs", P2 + laughs + b".", None, None, "resources")
    doubled = P2 + b"]" + b"2\x86" * 200 + b"."
    yield Hostile("doubled", doubled, None, None, "resources")
    yield Hostile("deep-lists", P2 + b"]" * many + b"a" * (many - 1) + b".", None, None, "resources")
    yield Hostile("deep-tuples", P2 + b"N" + b"\x85" * many + b".", None, None, "resources")
    yield Hostile(
        "deep-dicts", P2 + b"}" * 1 + b"".join(text("a") + b"}" for _ in range(50_000)) + b"s" * 50_000 + b".", None, None, "resources"
    )
    yield Hostile("deep-marks", P2 + b"(" * (many * 2) + b".", None, "excess", "resources")
    colliding = b"}(" + b"".join(number(place * ((1 << 61) - 1)) + b"N" for place in range(1, 30_000)) + b"u"
    yield Hostile("colliding-keys", P2 + colliding + b".", None, None, "resources")
    yield Hostile("endless", P2 + b"N0" * 600_000 + b".", None, "excess", "resources")
    late = call(named("os", "system"), text(touch(mark))) + b"."
    yield Hostile("payload-behind-a-million", P2 + b"N0" * 600_000 + late, None, "excess", "resources")
    yield Hostile("big-shape", P2 + pickled_array(ONES).replace(number(2), number(1 << 45), 1) + b".", None, "size", "resources")
    yield Hostile(
        "bytearray-of-1-tb", P2 + call(named("builtins", "bytearray"), number(1 << 40)) + b".", "builtins.bytearray", None, "resources"
    )
    yield Hostile(
        "list-of-range",
        P2 + call(named("builtins", "list"), call(named("builtins", "range"), number(1 << 40))) + b".",
        "builtins.range",
        None,
        "resources",
    )
    yield Hostile("power", P2 + call(named("operator", "pow"), b"K\x09", number(9**9)) + b".", "operator.pow", None, "resources")
    yield Hostile("inflated", P3 + call(named("zlib", "decompress"), raw(b"x")) + b".", "zlib.decompress", None, "resources")
    yield Hostile("long-digits", b"L" + b"9" * 100_000 + b"L\n.", None, "excess", "resources")
    copies = b"](" + b"N" * 50_000 + b"eq\x00" + (call(named("builtins", "tuple"), b"h\x00") + b"0") * 2_000
    yield Hostile("copies", P2 + copies + b".", None, "excess", "resources")


def _structure() -> Iterator[Hostile]:
    yield Hostile("persistent", b"Pname\n.", None, "persistent", "structure")
    yield Hostile("persistent-binary", P2 + b"Nq\x00Q.", None, "persistent", "structure")
    yield Hostile("extension", P2 + b"\x83\x01\x02)R.", "extension 513", "extension", "structure")
    yield Hostile("underflow", P2 + b"R.", None, "stack", "structure")
    yield Hostile("no-mark", P2 + b"t.", None, "stack", "structure")
    yield Hostile("no-memo", P2 + b"h\x05.", None, "memo", "structure")
    yield Hostile("unknown-opcode", P2 + b"\xf0.", None, "opcode", "structure")
    yield Hostile("unknown-protocol", b"\x80\x09N.", None, "protocol", "structure")
    yield Hostile("call-of-a-text", P2 + call(text("os.system"), text("x")) + b".", None, "stack", "structure")
    yield Hostile("odd-items", P2 + b"}(K\x01u.", None, "stack", "structure")
    yield Hostile("bad-utf-8", P2 + b"X\x02\x00\x00\x00\xff\xfe.", None, "text", "structure")
    yield Hostile("too-few-values", P4 + state(("fc.weight", pickled_array(ONES, data=raw(b"1234")))) + b".", None, "size", "structure")
    yield Hostile(
        "object-type-with-bytes",
        P4 + pickled_array(ONES, dtype=call(named("numpy", "dtype"), text("O8"), b"\x89", b"\x88")) + b".",
        None,
        "object",
        "structure",
    )
    yield Hostile("buffer-elsewhere", b"\x80\x05\x97\x98.", None, "buffer", "structure")
    yield Hostile("cut-in-an-array", (P4 + state(("fc.weight", pickled_array(ONES))))[:-20], None, "cut", "structure")


# --- harmless


def harmless() -> Iterator[Harmless]:
    """Files that are what they should be, and some that only look bad."""
    yield from _saved()
    yield from _odd_but_good()
    yield from _other_formats()


def _saved() -> Iterator[Harmless]:
    arrays: dict[str, Any] = {
        "conv.weight": np.ones((8, 3, 3, 3), "<f4"),
        "bn._mean": np.zeros(8, "<f4"),
        "fc.weight": np.ones((8, 5), "<f4"),
    }
    shapes = {name: array.shape for name, array in arrays.items()}
    table = {"StructuredToParameterName@@": {name: f"p_{place}" for place, name in enumerate(arrays)}}
    for protocol in range(6):
        yield Harmless(f"saved-protocol-{protocol}", pickle.dumps({**arrays, **table}, protocol), shapes)
        yield Harmless(f"ordered-protocol-{protocol}", pickle.dumps(collections.OrderedDict(arrays), protocol), shapes)
    yield Harmless("saved-numpy-2", P4 + state(("a", pickled_array(ONES, "numpy._core.multiarray"))) + b".", {"a": (2, 3)})
    yield Harmless("nested-model", pickle.dumps({"model": arrays, "epoch": 3}, 4), shapes)
    yield Harmless("nested-tensors", pickle.dumps({"model": {name: (f"p_{name}", array) for name, array in arrays.items()}}, 2), shapes)
    moments = {f"{name}_moment1_0": array for name, array in arrays.items()}
    optimizer = {**moments, "LR_Scheduler": {"last_epoch": 2, "last_lr": 0.1}, "master_weights": {"fc.w_0": np.ones((8, 5), "<f4")}}
    yield Harmless("optimizer", pickle.dumps(optimizer, 4), {name: array.shape for name, array in moments.items()})
    yield Harmless("states", pickle.dumps({"epoch": 3, "metric": np.float32(0.5), "top1": np.float64(0.25)}, 4), {})
    parts = {
        "w@@.0": np.ones(4, "<f4"),
        "w@@.1": np.ones(2, "<f4"),
        "UnpackBigParamInfor@@": {"w": {"OriginShape": (2, 3), "slices": ["w@@.0", "w@@.1"]}},
    }
    yield Harmless("sliced", pickle.dumps(parts, 2), {"w": (2, 3)})
    many = {f"blocks.{place}.attention.qkv.weight": np.ones((2, 2), "<f2") for place in range(3000)}
    yield Harmless("many", pickle.dumps(many, 4), dict.fromkeys(many, (2, 2)))


def _odd_but_good() -> Iterator[Harmless]:
    yield Harmless(
        "zero-dimensions", pickle.dumps({"step": np.array(3, "<i8"), "none": np.zeros((0, 4), "<f4")}, 4), {"step": (), "none": (0, 4)}
    )
    yield Harmless("fortran", pickle.dumps({"w": np.asfortranarray(np.ones((4, 6)))}, 4), {"w": (4, 6)})
    yield Harmless("big-endian", pickle.dumps({"w": np.ones((4, 6), ">f4")}, 4), {"w": (4, 6)})
    lod = call(named("builtins", "eval"), text("data"), state(("data", pickled_array(ONES))))
    yield Harmless("lod-tensor", P4 + state(("fc_0.w_0", lod)) + b".", {"fc_0.w_0": (2, 3)})
    python_2 = pickled_array(ONES, data=b"U" + bytes([ONES.nbytes]) + ONES.tobytes())
    yield Harmless("python-2", P2 + b"}(U\x01a" + python_2 + b"u.", {"a": (2, 3)})
    evil = np.frombuffer(P2 + call(named("os", "system"), text("id")) + b".", "u1")
    yield Harmless("payload-as-values", pickle.dumps({"w": evil, "os.system": np.ones(1)}, 4), {"w": evil.shape, "os.system": (1,)})
    yield Harmless(
        "texts-that-look-bad", pickle.dumps({"note": "__import__('os').system('id')", "c": "cos\nsystem\n", "w": ONES}, 0), {"w": (2, 3)}
    )
    yield Harmless("chinese-names", pickle.dumps({"权重": ONES}, 2), {"权重": (2, 3)})
    yield Harmless("bytes-behind-the-end", pickle.dumps({"w": ONES}, 4) + b"behind the end", {"w": (2, 3)})
    yield Harmless(
        "payload-behind-the-end", pickle.dumps({"w": ONES}, 4) + P2 + call(named("os", "system"), text("id")) + b".", {"w": (2, 3)}
    )
    yield Harmless(
        "containers", pickle.dumps({"w": ONES, "s": {1, 2}, "f": frozenset("ab"), "c": 1j, "l": [1, (2, None)]}, 4), {"w": (2, 3)}
    )
    yield Harmless("one-array", pickle.dumps(ONES, 4), {"": (2, 3)})


def _other_formats() -> Iterator[Harmless]:
    yield Harmless("static-combined", lod_tensor(ONES) + lod_tensor(np.ones(5, "<f4")), {"": (5,)})
    yield Harmless(
        "static-folder", {"fc_0.w_0": lod_tensor(ONES), "fc_0.b_0": lod_tensor(np.ones(5, "<f4"))}, {"fc_0.w_0": (2, 3), "fc_0.b_0": (5,)}
    )
    header = b'{"__metadata__":{"format":"np"},"w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}'
    yield Harmless("safetensors", struct.pack("<Q", len(header)) + header + bytes(12), {"w": (2, 3)})


def lod_tensor(values: np.ndarray[Any, Any]) -> bytes:
    """What `SerializeToStream` writes."""
    sides = b"".join(b"\x10" + bytes([side]) for side in values.shape)
    description = b"\x08\x05" + sides
    return struct.pack("<IQIi", 0, 0, 0, len(description)) + description + values.tobytes()


def write(folder: Path, mark: str) -> None:
    """Write every sample to a folder: `hostile/<name>.pdparams` and `harmless/<name>.pdparams`."""
    for kind, samples in (("hostile", hostile(mark)), ("harmless", harmless())):
        for sample in samples:
            place = folder / kind / f"{sample.name}.pdparams"
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(sample.content, dict):
                place.mkdir(exist_ok=True)
                for name, content in sample.content.items():
                    (place / name).write_bytes(content)
            else:
                place.write_bytes(sample.content)


if __name__ == "__main__":
    write(Path(sys.argv[1]), str(Path(sys.argv[1]).resolve() / "MARK"))
