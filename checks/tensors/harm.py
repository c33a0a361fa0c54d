"""Which of the calls in a file can do harm, and which are but objects that somebody saved along with the weights."""

from __future__ import annotations

import sys

from checks.tensors.model import Call

PLAIN = frozenset(
    {
        "argparse.Namespace",
        "collections.Counter",
        "collections.defaultdict",
        "collections.deque",
        "copyreg._reconstructor",
        "datetime.date",
        "datetime.datetime",
        "datetime.timedelta",
        "decimal.Decimal",
        "fractions.Fraction",
        "pathlib.Path",
        "pathlib.PosixPath",
        "pathlib.PurePosixPath",
        "pathlib.WindowsPath",
        "types.SimpleNamespace",
        "uuid.UUID",
        *(
            f"{module}.{name}"
            for module in ("builtins", "__builtin__")
            for name in ("bool", "float", "int", "object", "range", "slice", "str")
        ),
    }
)
"""Classes of the standard library that hold values and do nothing."""

_OTHERS = frozenset(
    ("__builtin__", "__main__", "cPickle", "cloudpickle", "commands", "dill", "joblib", "pip", "pkg_resources", "setuptools", "urllib2")
)
_HARMFUL = (
    "numpy.",
    "paddle.framework.io.",
    "paddle.hub.",
    "paddle.load",
    "paddle.utils.",
    "torch.hub.",
    "torch.load",
    "torch.serialization.",
)
_NUMBERS = (
    "bool",
    "bool_",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "str_",
)
_GENERATORS = (
    *(f"_pickle.{name}" for name in ("__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor")),
    *("_mt19937.MT19937", "_pcg64.PCG64", "_pcg64.PCG64DXSM", "_philox.Philox", "_sfc64.SFC64"),
)
_OF_NUMPY = frozenset((*(f"numpy.{name}" for name in _NUMBERS), *(f"numpy.random.{name}" for name in _GENERATORS)))
"""Types of numbers, and how the state of a random generator is saved."""


def does_harm(call: Call) -> bool:
    """Whether a call is of something that can do as it likes: of the standard library, of a loader, or of what another call gave.

    What is left is a class of another package (`ppcls.utils.config.AttrDict`, `torch._utils._rebuild_tensor_v2`): it runs too, but what
    it does cannot be told from here.
    """
    name = call.function.partition("(")[0] if call.kind == "change" else call.function
    if name in PLAIN or name in _OF_NUMPY:
        return False
    if not name.isascii() or not name.replace(".", "").replace("_", "").isalnum():
        return True  # computed: the result of a call, or a text too long for a name
    first = name.partition(".")[0]
    return first in sys.stdlib_module_names or first in _OTHERS or name.startswith(_HARMFUL)
