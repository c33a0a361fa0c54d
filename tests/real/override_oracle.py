"""Applies overrides with PaddleClas's own code and prints what became of them. Started by test_overrides.py, never imported."""

import contextlib
import copy
import io
import json
import sys

with contextlib.redirect_stdout(io.StringIO()):
    from paddleclas.ppcls.utils import config as ppcls_config


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
