"""What the numbers of a tensor say: how many are none, how they lie, whether they are all one, and a hash by which equal ones are known.

A tensor is looked at in blocks, so that memory does not grow with it. NumPy is imported where values are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from checks.tensors.model import Contents, Tensor

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

BLOCK = 1 << 18
"""Numbers that are looked at together: 1 MB of float32, 2 MB more while they are summed; smaller and larger ones took longer."""


class Values(msgspec.Struct, frozen=True):
    """One tensor's numbers.

    `nan`, `inf`: how many are not a number, or infinite; the rest (`mean`, `std`, `low`, `high`) is told of the finite ones, and is None where there
    are none, or where they are no real numbers. `constant` is the one value that all have, if it is one and they are two or more. `digest` is equal
    for equal types and bytes (BLAKE2b, 128 bits), whatever the shape: a conversion keeps a bias as `(1, 8, 1, 1)`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    nan: int = 0
    inf: int = 0
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    constant: float | None = None
    digest: str = ""

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        count = 1
        for side in self.shape:
            count *= side
        return count

    @property
    def floating(self) -> bool:
        """Whether its numbers are floating-point: weights, not an index or a step count."""
        return "float" in self.dtype


def statistics_of(path: str, contents: Contents, tensor: Tensor) -> Values:
    """Go through a tensor's numbers once.

    Raises:
        NoValues: they cannot be had from the file.
        OSError: the file cannot be read.
    """
    import hashlib

    import numpy as np

    digest = hashlib.blake2b(tensor.dtype.encode(), digest_size=16)
    count = nan = inf = 0
    total = squares = shift = 0.0
    low, high = np.inf, -np.inf
    real = not tensor.dtype.startswith("float8")
    for block in blocks(path, contents, tensor):
        digest.update(np.ascontiguousarray(block).data)
        if not real or block.dtype.kind not in "fiub":
            real = False
            continue
        numbers = as_numbers(block, tensor.dtype)
        if numbers.dtype.kind == "f":
            finite = np.isfinite(numbers)
            if not finite.all():
                nan += int(np.isnan(numbers).sum())
                inf += int(np.isinf(numbers).sum())
                numbers = numbers[finite]
        if numbers.size:
            numbers = numbers.astype(np.float64, copy=False)
            # around the first block's mean, so that a narrow spread far from zero is not lost in the squares
            shift = float(numbers.mean()) if not count else shift
            away = numbers - shift
            count += numbers.size
            total += float(away.sum())
            squares += float(np.dot(away, away))
            low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
    given: dict[str, float | None] = {}
    if real and count:
        with np.errstate(over="ignore", invalid="ignore"):
            given = {
                "mean": shift + total / count,
                "std": max(squares / count - (total / count) ** 2, 0.0) ** 0.5,
                "low": low,
                "high": high,
            }
        given["constant"] = low if low == high and count == tensor.size > 1 else None
    return Values(tensor.name, tensor.shape, tensor.dtype, nan, inf, digest=digest.hexdigest(), **given)


def blocks(path: str, contents: Contents, tensor: Tensor, size: int = BLOCK) -> Iterator[Array]:
    """The tensor's numbers in C order, flat, at most `size` at a time; of bfloat16 the 16 bits.

    Raises:
        NoValues: they cannot be had from the file.
        OSError: the file cannot be read.
    """
    import numpy as np

    if tensor.offset is None or not tensor.size:
        from checks.tensors.values import array_of  # with all that reads a pickle's pieces

        flat = np.ascontiguousarray(array_of(path, contents, tensor)).reshape(-1)
        if tensor.dtype == "bfloat16":
            flat = (flat.view(np.uint32) >> 16).astype(np.uint16)
        for start in range(0, flat.size, size):
            yield flat[start : start + size]
        return
    stored = np.dtype("uint16" if tensor.dtype == "bfloat16" else tensor.dtype).newbyteorder("<")
    with open(path, "rb") as stream:
        stream.seek(tensor.offset)
        left = tensor.size
        while left:
            block = np.fromfile(stream, stored, min(left, size))
            if not block.size:
                raise OSError(f"{path} ends within {tensor.name}")
            left -= block.size
            yield block


def array_for(path: str, contents: Contents, tensor: Tensor) -> Array:
    """All of a tensor's numbers, bfloat16 as float32.

    Raises:
        NoValues: they cannot be had from the file.
        OSError: the file cannot be read.
    """
    import numpy as np

    parts = [as_numbers(block, tensor.dtype) for block in blocks(path, contents, tensor)]
    return (np.concatenate(parts) if parts else np.empty(0, np.float32)).reshape(tensor.shape)


def digest_of(numbers: Array, dtype: str) -> str:
    """The digest that a tensor of these numbers has once they are rounded to `dtype` (`float16`, `bfloat16`: to the nearest, halves to even)."""
    import hashlib

    import numpy as np

    digest = hashlib.blake2b(dtype.encode(), digest_size=16)
    if dtype == "bfloat16":
        bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
        stored = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")
    else:
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(numbers, np.dtype(dtype).newbyteorder("<"))
    digest.update(stored.tobytes())
    return digest.hexdigest()


def as_numbers(block: Array, dtype: str) -> Array:
    """Numbers as NumPy knows them: the 16 bits of a bfloat16 are the upper half of a float32."""
    import numpy as np

    if dtype == "bfloat16" and block.dtype.kind == "u":
        return (block.astype(np.uint32) << 16).view(np.float32)
    return block
