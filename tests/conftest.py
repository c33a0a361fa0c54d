"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the corpus of real PaddleClas configs, which is not part of the repository.

    It is `PADDLE_DOCTOR_SHARED`, or `shared` beside the repository. Without it a test is skipped, or fails where
    `PADDLE_DOCTOR_NO_SKIP=1` says that it must be there.
    """
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("PADDLE_DOCTOR_SHARED") or default)
    if not (folder / "corpus").is_dir():
        message = f"no corpus of real configs in {folder}; set PADDLE_DOCTOR_SHARED to its folder"
        if os.environ.get("PADDLE_DOCTOR_NO_SKIP") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder
