"""Looks at PaddleClas's own networks, heads and operators and prints what they take. Started by test_components.py, never imported."""

import importlib
import importlib.util
import inspect
import io
import json
import logging
import os
import sys
import types
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

# the packages around the modules import OpenCV, faiss and more, which have no part in signatures
home = os.path.dirname(importlib.util.find_spec("paddleclas").origin)
for name in ("paddleclas", "paddleclas.ppcls", "paddleclas.deploy", "paddleclas.deploy.python", "paddleclas.deploy.utils"):
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(home, *name.split(".")[1:])]
    sys.modules[name] = package
sys.path.insert(0, home)
for name in (
    "cv2",
    "visualdl",
    "faiss",
    "easydict",
    "scipy",
    "scipy.ndimage",
    "sklearn",
    "skimage",
    "matplotlib",
    "tqdm",
    "requests",
    "pandas",
):
    package = name.partition(".")[0]
    if isinstance(sys.modules.get(package), mock.MagicMock) or importlib.util.find_spec(package) is None:
        sys.modules[name] = mock.MagicMock()


def takes(what):
    """Named parameters, those without a default, and whether any others are let in."""
    parameters = [p for p in inspect.signature(what).parameters.values() if p.name != "self"]
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [
        [p.name for p in named],
        [p.name for p in named if p.default is p.empty],
        any(p.kind is p.VAR_KEYWORD for p in parameters),
    ]


def public(module):
    return {
        name: takes(value)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and "paddleclas" in str(getattr(value, "__module__", ""))
        and not name.endswith("Error")
    }


def outcome(network, keyword):
    """What becomes of a keyword that a network does not name: it is built, or its TypeError."""
    import paddle

    try:
        with paddle.utils.unique_name.guard():
            network(**{keyword: 1})
    except TypeError as error:
        return str(error)
    return "built"


found = {}
with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
    backbone = importlib.import_module("paddleclas.ppcls.arch.backbone")
    importlib.import_module("paddleclas.ppcls.utils.logger")._logger = logging.getLogger("ppcls")
    gears = importlib.import_module("paddleclas.ppcls.arch.gears")
    found["arch"] = public(backbone)
    found["gear"] = public(gears)
    found["deploy.transform"] = public(importlib.import_module("paddleclas.deploy.python.preprocess"))
    found["deploy.postprocess"] = public(importlib.import_module("paddleclas.deploy.python.postprocess"))
    found["built"] = {name: outcome(getattr(backbone, name), "zz_unknown") for name in json.loads(sys.stdin.read())}
print("RESULT" + json.dumps(found))
