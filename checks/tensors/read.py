"""`read_contents`: what a file of tensors holds, whatever its format, without running anything of it."""

from __future__ import annotations

from collections.abc import Iterable

from checks.tensors.built import Array, Blob
from checks.tensors.formats import NotTensors, look_into
from checks.tensors.model import Call, Contents, Span, Tensor
from checks.tensors.pickles import Walk

__all__ = ["NotTensors", "read_contents"]

MAX_OTHERS = 1000


def read_contents(path: str) -> Contents:
    """Read names, types, shapes and places of a pickle of `paddle.save`, of a static graph's parameters (a file or a folder), or of safetensors.

    Raises:
        NotTensors: nothing of this is in the file.
    """
    found = look_into(path)
    tensors = tuple(_tensor(*told) for told in found.tensors)
    others = tuple(found.others[:MAX_OTHERS])
    if found.pickled is None or found.walked is None:
        return Contents(found.format, tensors, scalars=dict(found.notes), others=others, flaw=found.flaw)
    gathered = found.pickled
    return Contents(
        found.format,
        tensors,
        nested=gathered.nested,
        scalars=gathered.scalars,
        others=others,
        parameter_names=gathered.names,
        calls=_calls(found.walked),
        protocol=found.walked.protocol,
        flaw=found.flaw,
        groups={key: tuple(_tensor(name, *kept) for name, kept in group.items()) for key, group in gathered.groups.items()},
        tables=gathered.tables,
        top=gathered.top,
        behind=_calls(found.behind) if found.behind is not None else (),
        trailing=found.trailing,
    )


def _calls(found: Walk) -> tuple[Call, ...]:
    return tuple(Call(function, argument, position, kind) for kind, function, argument, position in found.calls)


def _tensor(name: str, array: Array, spans: Iterable[Blob], file: str | None = None) -> Tensor:
    dtype = array.dtype
    assert dtype is not None
    assert dtype.name is not None
    nbytes = array.size * dtype.itemsize
    spans = tuple(spans)
    simple = len(spans) == 1 and spans[0].coding in ("raw", "latin-1") and spans[0].offset >= 0
    if simple and not array.fortran and not dtype.swapped and file is None:
        return Tensor(name, dtype.name, array.shape, nbytes, spans[0].offset)
    places = tuple(Span(span.offset, span.length, span.coding, file) for span in spans)
    return Tensor(name, dtype.name, array.shape, nbytes, None, places, array.fortran, dtype.swapped)
