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
        "enum.Enum",
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
_STATES_AND_TYPES = ("numpy.random.", *(f"numpy.{kind}" for kind in ("bool", "int", "uint", "float", "complex", "str_")))


def does_harm(call: Call) -> bool:
    """Whether a call is of something that can do as it likes: of the standard library, of a loader, or of what another call gave.

    What is left is a class of another package (`ppcls.utils.config.AttrDict`, `torch._utils._rebuild_tensor_v2`): it runs too, but what
    it does cannot be told from here.
    """
    name = call.function.partition("(")[0] if call.kind == "change" else call.function
    if name in PLAIN:
        return False
    if not name.isascii() or not name.replace(".", "").replace("_", "").isalnum():
        return True  # computed: the result of a call, or a text too long for a name
    if name.startswith(_STATES_AND_TYPES):
        return False
    first = name.partition(".")[0]
    return first in sys.stdlib_module_names or first in _OTHERS or name.startswith(_HARMFUL)
