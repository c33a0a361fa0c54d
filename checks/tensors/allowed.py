"""The few functions that files of weights name, and what they build; everything else is a call."""

from __future__ import annotations

from checks.tensors.built import DTYPES, EXTENDED, Array, Blob, Dtype, Foreign, Mapping, Name, Scalar, Set, Text, shape_of
from checks.tensors.stream import Oddity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Refused(Exception):
    """The function is one of the few, its arguments are not those that a file of weights gives it."""


def _number_type(args: tuple[Any, ...]) -> Dtype:
    if not args:
        raise Refused
    if isinstance(args[0], Name):  # a type of ml_dtypes, named by its class
        return Dtype(args[0].name, EXTENDED.get(args[0].name, 0)) if args[0].module == "ml_dtypes" else Dtype(None, 0)
    if not isinstance(args[0], str):
        raise Refused
    name = str(args[0])
    code = name.lstrip("<>=|")
    if code in EXTENDED:
        return Dtype(code, EXTENDED[code])
    dtype = Dtype(DTYPES.get(code), int(code[1:]) if code[1:].isdecimal() and len(code) < 8 else 0)
    dtype.swapped = name.startswith(">")
    dtype.objects = code.startswith("O")
    return dtype


def _empty_array(args: tuple[Any, ...]) -> Array:
    if not args or not isinstance(args[0], Name) or (args[0].module, args[0].name) != ("numpy", "ndarray"):
        raise Refused
    return Array()


def _array_of_buffer(args: tuple[Any, ...]) -> Array:
    # numpy/core/numeric.py: _frombuffer(buf, dtype, shape, order), from protocol 5 on
    if len(args) != 4 or not isinstance(args[1], Dtype):
        raise Refused
    array = Array()
    fill_array(array, args[2], args[1], args[3] == "F", args[0])
    return array


def _scalar(args: tuple[Any, ...]) -> Any:
    if len(args) != 2 or not isinstance(args[0], Dtype) or not isinstance(args[1], Blob | Text):
        raise Refused
    return Scalar(args[0], args[1])


def _encoded(args: tuple[Any, ...]) -> Any:
    # how Python 3 writes bytes up to protocol 2: a text with one character for each byte
    if len(args) == 2 and args[1] in ("latin1", "latin-1") and isinstance(args[0], Text | Blob):
        return args[0] if isinstance(args[0], Blob) else Blob(args[0].offset, args[0].length, args[0].coding)
    raise Refused


def _bytes(args: tuple[Any, ...]) -> Any:
    if not args:
        return Blob(-1, 0)
    if len(args) == 1 and isinstance(args[0], Blob):
        return args[0]
    return _encoded(args)


def _ordered(args: tuple[Any, ...]) -> Mapping:
    made = Mapping()
    if len(args) > 1:
        raise Refused
    for source in args:
        if isinstance(source, Mapping):
            made.pairs = source.pairs[:]
        elif isinstance(source, list | tuple):
            for pair in source:
                if not isinstance(pair, list | tuple) or len(pair) != 2:
                    raise Refused
                made.pairs.append((pair[0], pair[1]))
        else:
            raise Refused
    return made


def _tuple(args: tuple[Any, ...]) -> tuple[Any, ...]:
    # paddle.save writes a Tensor as tuple((name, array))
    return tuple(_items(args))


def _list(args: tuple[Any, ...]) -> list[Any]:
    return list(_items(args))


def _set(args: tuple[Any, ...]) -> Set:
    made = Set()
    made.items = list(_items(args))
    return made


def _items(args: tuple[Any, ...]) -> Any:
    if not args:
        return ()
    if len(args) != 1 or not isinstance(args[0], list | tuple):
        raise Refused
    return args[0]


def _complex(args: tuple[Any, ...]) -> complex:
    if len(args) != 2 or not all(type(part) in (int, float) for part in args):
        raise Refused
    try:
        return complex(*args)
    except OverflowError as error:
        raise Oddity("number") from error


def _evaluated(args: tuple[Any, ...]) -> Any:
    # paddle.save writes a tensor of a static graph as eval('data', {'data': array}): python/paddle/framework/io.py, reduce_LoDTensor
    if len(args) == 2 and args[0] == "data" and isinstance(args[1], Mapping) and len(args[1].pairs) == 1:
        value = args[1].get("data")
        if isinstance(value, Array):
            return value
    raise Refused


def fill_array(array: Array, shape: Any, dtype: Dtype, fortran: bool, data: Any) -> None:
    """Set the state of an array.

    Raises:
        Refused: it is no state of an array.
        Oddity: NumPy would not take it: the values are not as many as the shape has places.
    """
    sides = shape_of(shape)
    if sides is None:
        array.dtype = None
        raise Oddity("shape")
    array.shape, array.dtype, array.fortran, array.data = sides, dtype, fortran, data
    if isinstance(data, Text):
        data = array.data = Blob(data.offset, data.length, data.coding)
    if isinstance(data, Blob) and dtype.objects:
        raise Oddity("object")
    if dtype.name is None or not isinstance(data, Blob) or data.coding == "elsewhere":
        return
    count = array.size * dtype.itemsize
    if (data.coding in ("raw", "latin-1") and data.length != count) or data.length < count:
        raise Oddity("size")


_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath")
_BUILTINS = ("builtins", "__builtin__")

BUILDERS: dict[tuple[str, str], Callable[[tuple[Any, ...]], Any]] = {
    ("numpy", "dtype"): _number_type,
    ("collections", "OrderedDict"): _ordered,
    ("_codecs", "encode"): _encoded,
    **{(module, "_reconstruct"): _empty_array for module in _NUMPY},
    **{(module, "scalar"): _scalar for module in _NUMPY},
    ("numpy.core.numeric", "_frombuffer"): _array_of_buffer,
    ("numpy._core.numeric", "_frombuffer"): _array_of_buffer,
    **{(module, "tuple"): _tuple for module in _BUILTINS},
    **{(module, "list"): _list for module in _BUILTINS},
    **{(module, "set"): _set for module in _BUILTINS},
    **{(module, "frozenset"): _set for module in _BUILTINS},
    **{(module, "dict"): _ordered for module in _BUILTINS},
    **{(module, "bytes"): _bytes for module in _BUILTINS},
    **{(module, "bytearray"): _bytes for module in _BUILTINS},
    **{(module, "complex"): _complex for module in _BUILTINS},
    **{(module, "eval"): _evaluated for module in _BUILTINS},
}
"""What is called in files that `paddle.save` writes, or that nobody needs to fear."""

MERELY_NAMED = {("numpy", "ndarray"), *(("ml_dtypes", name) for name in EXTENDED)}
"""What may be named, but not called."""


def build(function: Any, args: Any) -> Any:
    """What a call gives.

    Raises:
        Refused: it is a call of something else, or with other arguments.
        Oddity: the values contradict each other.
    """
    if isinstance(function, Name) and isinstance(args, tuple):
        builder = BUILDERS.get((function.module, function.name))
        if builder is not None:
            return builder(args)
    raise Refused


def set_state(instance: Any, state: Any) -> bool:
    """Set the state of an array or a dtype; False where it is something foreign.

    Raises:
        Oddity: NumPy would not take the state.
    """
    if isinstance(instance, Array):
        # numpy/core/src/multiarray/methods.c, array_setstate: version, shape, dtype, whether in Fortran's order, values
        # (the version may be missing, as in Numeric's time)
        if isinstance(state, tuple) and len(state) == 4:
            state = (0, *state)
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], Dtype):
            raise Oddity("state")
        fill_array(instance, state[1], state[2], state[3] is True or state[3] == 1, state[4])
        return True
    if isinstance(instance, Dtype):
        # descriptor.c, arraydescr_setstate: version, byte order, subarray, names, fields, size, alignment, flags
        if not isinstance(state, tuple) or len(state) < 5:
            raise Oddity("state")
        instance.swapped = state[1] == ">"
        if any(part is not None for part in state[2:5]):
            instance.name = None
        return True
    return not isinstance(instance, Name | Foreign)  # other values have no state, and pickle lets them have None


def label_of(function: Any) -> str:
    """How a function that would be called is named."""
    return function.label if isinstance(function, Name | Foreign) else "?"
