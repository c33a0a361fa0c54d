"""What a file of tensors holds: names, types, shapes, and where the values lie."""

from __future__ import annotations

from typing import Literal

import msgspec

Format = Literal["pickle", "static", "safetensors"]
"""`paddle.save` (and `fluid.dygraph.save_dygraph`), the combined or separate files of a static graph (`SerializeToStream`), or safetensors."""

Coding = Literal["raw", "utf-8", "latin-1", "escape", "unicode-escape", "elsewhere"]
"""How values are written: as they are (`raw`, `latin-1`), as a text with one character for each byte (`utf-8` in protocol 1 and 2,
`unicode-escape` and `escape` in protocol 0), or not in the file at all (`elsewhere`)."""


class Span(msgspec.Struct, frozen=True):
    """`length` bytes of values from `offset` on; of the file `file` in a folder with one file for each tensor."""

    offset: int
    length: int
    coding: Coding = "raw"
    file: str | None = None


class Tensor(msgspec.Struct, frozen=True):
    """One tensor.

    `name` is its key in the file ("" in a static file, where only the order tells); inside `{"model": …}` without that key. `dtype` is NumPy's name
    (`bfloat16` too). `offset` is where `nbytes` of values lie in the file, in C order and little-endian; None where they lie in pieces, are written
    otherwise (protocol 2 keeps them as text), or are not in the file. `spans` are then the places, `fortran` and `swapped` say that the values are in
    Fortran's order and big-endian; `checks/tensors/values.py` reads them all.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    offset: int | None = None
    spans: tuple[Span, ...] = ()
    fortran: bool = False
    swapped: bool = False

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        count = 1
        for side in self.shape:
            count *= side
        return count


class Call(msgspec.Struct, frozen=True):
    """Something that loading the file would run.

    `function` is `module.name`, `argument` a printable excerpt of what it would be given, `position` the byte behind the opcode. `kind` is
    `call`, `import` for a name that is only looked up (which imports its module), or `change` for what would be put into something foreign.
    """

    function: str
    argument: str = ""
    position: int | None = None
    kind: Literal["call", "import", "change"] = "call"


class Contents(msgspec.Struct, frozen=True):
    """What a file of tensors holds.

    `nested` is the key below which the tensors lie (`model` in `{"model": …}`, `state.model` two levels down, `0` in a list), None at the
    top. `groups` are the tensors of other mappings, by key (`master_weights` of an optimizer, `optimizer` beside `model`). `scalars` are
    numbers and texts at the top (`epoch`, `metric`), `tables` mappings of such (`LR_Scheduler`), `others` the names of what is none of
    these. `parameter_names` is the `StructuredToParameterName@@` of `paddle.save`: structured name → the parameter's own name. `calls` are
    what loading would run: a file with any is hostile, or not one that `paddle.save` wrote. `behind` is the same of a second pickle behind
    the end, which `paddle.load` does not read; `trailing` is how many bytes stand there. `top` is what loading a pickle gives: only a
    mapping has names. `flaw` says in one word what is wrong with the file's structure, None where nothing is.
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
    groups: dict[str, tuple[Tensor, ...]] = {}
    tables: dict[str, dict[str, int | float | str | bool | None]] = {}
    top: Literal["mapping", "tensor", "sequence", "other"] = "mapping"
    behind: tuple[Call, ...] = ()
    trailing: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape."""
        return {tensor.name: tensor.shape for tensor in self.tensors}


class NoValues(Exception):
    """The values cannot be had; `reason` is one word: elsewhere, size, changed, unreadable, coding, memory, large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
