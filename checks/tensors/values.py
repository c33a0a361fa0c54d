"""The values of a tensor that `read_contents` found, as a NumPy array."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from checks.tensors.built import Blob, plain
from checks.tensors.model import Contents, NoValues, Tensor

if TYPE_CHECKING:
    import numpy

    Values = numpy.ndarray[Any, numpy.dtype[Any]]

MAX_BYTES = 4 << 30
"""The largest tensor whose values are read; the head for 21,841 classes has 0.2 GB."""


def array_of(path: str, contents: Contents, tensor: Tensor) -> Values:
    """The values of one tensor of a file or a folder, in its shape; `path` and `contents` are those of `read_contents`.

    `bfloat16` comes as float32 with the same numbers, the eight-bit floats as their uint8 codes.

    Raises:
        NoValues: they are not in the file, are more than `MAX_BYTES`, or the file is no longer what it was.
    """
    import numpy

    count = tensor.nbytes
    if count > MAX_BYTES:
        raise NoValues("size")
    stored = numpy.dtype({"bfloat16": "uint16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}.get(tensor.dtype, tensor.dtype))
    raw = _bytes(path, tensor)
    if len(raw) != count or stored.itemsize * tensor.size != count:
        raise NoValues("changed")
    values: Values = numpy.frombuffer(raw, stored.newbyteorder(">") if tensor.swapped else stored)
    if tensor.dtype == "bfloat16":
        values = (values.astype("uint32") << 16).view("float32")
    return values.astype(values.dtype.newbyteorder("="), copy=False).reshape(tensor.shape, order="F" if tensor.fortran else "C")


def _bytes(path: str, tensor: Tensor) -> bytes | bytearray:
    if tensor.offset is not None:
        return _read(path, tensor.offset, tensor.nbytes)
    if not tensor.spans and tensor.nbytes:
        raise NoValues("elsewhere")
    parts = []
    for span in tensor.spans:
        if span.coding == "elsewhere":
            raise NoValues("elsewhere")
        if not span.length:
            continue
        if span.length > 4 * MAX_BYTES:
            raise NoValues("size")
        raw = _read(os.path.join(path, span.file) if span.file else path, span.offset, span.length)
        try:
            parts.append(plain(Blob(span.offset, span.length, span.coding), bytes(raw)))
        except ValueError:
            raise NoValues("coding") from None
    return b"".join(parts)


def _read(path: str, offset: int, count: int) -> bytearray:
    try:
        with open(path, "rb", buffering=0) as stream:
            made = bytearray(count)
            view = memoryview(made)
            stream.seek(offset)
            done = 0
            while done < count:
                got = stream.readinto(view[done:])
                if not got:
                    raise NoValues("changed")
                done += got
            return made
    except (OSError, ValueError):
        raise NoValues("unreadable") from None
    except MemoryError:
        raise NoValues("memory") from None
