"""Tests against the real PaddlePaddle and PaddleClas, in an interpreter of their own (`PADDLE_DOCTOR_REAL_PYTHON`)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.real.probing import unavailable


@pytest.fixture(scope="session")
def real_python() -> str:
    """An interpreter that has paddle and paddleclas; without one these tests are skipped, in CI they fail."""
    for python in filter(None, (os.environ.get("PADDLE_DOCTOR_REAL_PYTHON"), sys.executable)):
        found = subprocess.run(
            [python, "-c", "import importlib.util as u; import sys; sys.exit(not (u.find_spec('paddle') and u.find_spec('paddleclas')))"],
            check=False,
        )
        if found.returncode == 0:
            return python
    return unavailable("needs an interpreter with paddlepaddle and paddleclas in PADDLE_DOCTOR_REAL_PYTHON")
