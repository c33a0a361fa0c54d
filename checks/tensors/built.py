"""What the walker over a pickle builds: plain values that cannot do anything."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the modules cost some ms of a process that has twenty
    from typing import Any, Literal

    from checks.tensors.stream import Source

    Coding = Literal["raw", "utf-8", "latin-1", "escape", "unicode-escape", "elsewhere"]
    Kind = Literal["call", "import", "change"]

MAX_SIDES = 64
"""Dimensions that NumPy 2 allows."""

MAX_SIZE = 1 << 48
"""Numbers of one array; NumPy cannot have as many."""

EXCERPT = 120
"""Characters of an argument that are shown."""


class Text(str):
    """A text, and where and how it is written: `coding` is `utf-8`, `latin-1` (plain bytes), `escape` (protocol 0) or `unicode-escape`."""

    __slots__ = ("coding", "length", "offset")
    offset: int
    length: int
    coding: Coding


class Blob:
    """Bytes, or a long text, that stay in the file. `offset` is -1 where they are not in it."""

    __slots__ = ("coding", "length", "offset")

    def __init__(self, offset: int, length: int, coding: Coding = "raw") -> None:
        self.offset = offset
        self.length = length
        self.coding = coding


class Name:
    """Something the file names: `module.name`, resolved by nobody."""

    __slots__ = ("called", "module", "name", "position")

    def __init__(self, module: str, name: str, position: int) -> None:
        self.module = module
        self.name = name
        self.position = position
        self.called = False

    @property
    def label(self) -> str:
        """Printable: what a file names may hold escapes for a terminal."""
        text = f"{self.module}.{self.name}"[:EXCERPT]
        return text if text.isprintable() else ascii(text)[1:-1]


class Mapping:
    """A dict, as the pairs that were put in: keys are neither hashed nor compared, for a file could choose them so that this takes for ever."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []

    def get(self, key: str) -> Any:
        """The last value of a key that is a text."""
        return next((value for name, value in reversed(self.pairs) if isinstance(name, str) and name == key), None)


class Set:
    """A set, as the items that were put in."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Any] = []


class Foreign:
    """What a call of something unknown would have given."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label


class Dtype:
    """NumPy's type of an array's numbers; `name` is None for records and `objects`."""

    __slots__ = ("itemsize", "name", "objects", "swapped")

    def __init__(self, name: str | None, itemsize: int) -> None:
        self.name = name
        self.itemsize = itemsize
        self.swapped = False
        self.objects = False


class Array:
    """An array before (`dtype` None) and after its state is set."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.dtype: Dtype | None = None
        self.fortran = False
        self.data: Any = None

    @property
    def size(self) -> int:
        count = 1
        for side in self.shape:
            count *= side
        return count


class Scalar:
    """One number of NumPy's, as bytes in the file."""

    __slots__ = ("data", "dtype")

    def __init__(self, dtype: Dtype, data: Any) -> None:
        self.dtype = dtype
        self.data = data


DTYPES = {
    "b1": "bool",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "c8": "complex64",
    "c16": "complex128",
}
"""NumPy's short names in pickles → its names."""

EXTENDED = {"bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1}
"""Types of the package `ml_dtypes` → bytes."""


def shape_of(value: Any) -> tuple[int, ...] | None:
    """A shape, None where it is none."""
    if not isinstance(value, tuple) or len(value) > MAX_SIDES:
        return None
    count = 1
    for side in value:
        if type(side) is not int or not 0 <= side <= MAX_SIZE:
            return None
        count *= max(side, 1)
        if count > MAX_SIZE:
            return None
    return value


def shown(value: Any, source: Source | None = None, depth: int = 3) -> str:
    """A printable excerpt of a value; it costs no more than its length. `source` is where the beginning of bytes is looked up."""
    text = _shown(value, source, depth)
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def _shown(value: Any, source: Source | None, depth: int) -> str:
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 200 else f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        return repr(str(value[:EXCERPT]))
    if isinstance(value, Name | Foreign):
        return value.label
    if isinstance(value, Blob):
        if source is None or value.offset < 0:
            return f"<{value.length} bytes>"
        return repr(source.at(value.offset, min(value.length, EXCERPT)))
    if isinstance(value, Array):
        return f"<array {'×'.join(map(str, value.shape[:8]))}>"
    if isinstance(value, tuple | list | Set | Mapping):
        items = value.pairs if isinstance(value, Mapping) else value.items if isinstance(value, Set) else value
        left, right = "()" if isinstance(value, tuple) else "[]" if isinstance(value, list) else "{}"
        if depth <= 0 and items:
            return f"{left}…{right}"
        parts = [
            ": ".join(_shown(part, source, depth - 1) for part in item) if isinstance(value, Mapping) else _shown(item, source, depth - 1)
            for item in items[:4]
        ]
        return left + ", ".join(parts) + ("…" if len(items) > 4 else "") + right
    return f"<{type(value).__name__.lower()}>"


def plain(span: Blob | Text, raw: bytes) -> bytes:
    """The bytes that a span's text stands for.

    Raises:
        ValueError: it is no such text.
    """
    if span.coding == "utf-8":
        return raw.decode("utf-8").encode("latin-1")
    if span.coding == "unicode-escape":
        return raw.decode("raw-unicode-escape").encode("latin-1")
    if span.coding == "escape":
        return unescaped(raw)
    return raw


def unescaped(raw: bytes) -> bytes:
    """The bytes of a literal of Python 2, without its quotes.

    Raises:
        ValueError: it is none.
    """
    import codecs
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        return bytes(codecs.escape_decode(raw)[0])
