"""A piece of Python run in the interpreter that has the real PaddleClas."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, NoReturn

import pytest

_BEFORE = """
import importlib.util, json, os, sys
sys.path.insert(0, os.path.dirname(importlib.util.find_spec("paddleclas").origin))
import paddle
try:
    import ppcls.arch
    from ppcls.utils import logger
except ModuleNotFoundError as error:
    sys.exit("MISSING " + str(error.name))
logger.init_logger(log_file=None)
given, found = json.loads(sys.argv[1]), {}
"""


def unavailable(message: str) -> NoReturn:
    """Skip the test, or fail where `PADDLE_DOCTOR_NO_SKIP` says that everything must be there."""
    if os.environ.get("PADDLE_DOCTOR_NO_SKIP"):
        pytest.fail(message)
    pytest.skip(message)


def probe(python: str, code: str, given: object) -> dict[str, Any]:
    """What `code` puts into `found`, when `given` is given and `ppcls.arch` imported."""
    whole = f'{_BEFORE}{code}\nprint("FOUND" + json.dumps(found))'
    done = subprocess.run([python, "-c", whole, json.dumps(given)], capture_output=True, text=True, timeout=600, check=False)
    if "MISSING" in done.stderr:
        unavailable(done.stderr.strip().splitlines()[-1])  # networks need more packages than the tests of overrides
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(lines[0][len("FOUND") :])
    return found
