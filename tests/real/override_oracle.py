"""Applies overrides with PaddleClas's own code and prints what became of them. Started by test_overrides.py, never imported."""

import contextlib
import copy
import importlib
import importlib.util
import io
import json
import os
import sys
import types

# the packages around the module import OpenCV, faiss and more, which have no part in overrides: their folders are enough
home = os.path.dirname(importlib.util.find_spec("paddleclas").origin)
for name in ("paddleclas", "paddleclas.ppcls", "paddleclas.ppcls.utils"):
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(home, *name.split(".")[1:])]
    sys.modules[name] = package
for name in ("logger", "check"):
    module = types.ModuleType(f"paddleclas.ppcls.utils.{name}")
    sys.modules[module.__name__] = module
    setattr(sys.modules["paddleclas.ppcls.utils"], name, module)
ppcls_config = importlib.import_module("paddleclas.ppcls.utils.config")


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


base, options = json.loads(sys.stdin.read())
rows = []
for option in options:
    tree = copy.deepcopy(base)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ppcls_config.override_config(tree, [option])
        rows.append(["ok", plain(tree)])
    except Exception as error:
        rows.append(["error", type(error).__name__])
print("RESULT" + json.dumps(rows))
