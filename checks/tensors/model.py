"""What a file of tensors holds: names, types, shapes, and where the values lie."""

from __future__ import annotations

from typing import Literal

import msgspec

Format = Literal["pickle", "static", "safetensors"]
"""`paddle.save` (and `fluid.dygraph.save_dygraph`), the combined or separate files of a static graph (`SerializeToStream`), or safetensors."""


class Tensor(msgspec.Struct, frozen=True):
    """One tensor.

    `name` is its key in the file ("" in a static file, where only the order tells); inside `{"model": …}` without that key. `dtype` is NumPy's name
    (`bfloat16` too). `offset` is where `nbytes` of values lie in the file, in C order and little-endian; None where they lie in pieces, are written
    otherwise (protocol 2 keeps them as text), or are not in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    offset: int | None = None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        count = 1
        for side in self.shape:
            count *= side
        return count


class Call(msgspec.Struct, frozen=True):
    """Something that loading the file would run: `function` as `module.name`, `argument` a printable excerpt of what it would be given."""

    function: str
    argument: str = ""
    position: int | None = None


class Contents(msgspec.Struct, frozen=True):
    """What a file of tensors holds.

    `nested` is the key below which the tensors lie (`model` in `{"model": …}`), None at the top. `scalars` are numbers and texts at the top
    (`epoch`, `metric`), `others` the names of what is neither a tensor nor one of these. `parameter_names` is the
    `StructuredToParameterName@@` of `paddle.save`: structured name → the parameter's own name. `calls` are what loading would run: a file with any is
    hostile, or not one that `paddle.save` wrote. `flaw` says in one word what is wrong with the file's structure, None where nothing is.
    """

    format: Format
    tensors: tuple[Tensor, ...] = ()
    nested: str | None = None
    scalars: dict[str, int | float | str | bool | None] = {}
    others: tuple[str, ...] = ()
    parameter_names: dict[str, str] = {}
    calls: tuple[Call, ...] = ()
    protocol: int | None = None
    flaw: str | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape."""
        return {tensor.name: tensor.shape for tensor in self.tensors}
