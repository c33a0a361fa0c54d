"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a busy machine must not make a test fail: no timed assertions, neither ours nor hypothesis's
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests keep between runs goes into a folder of their own, not into the user's."""
    before = os.environ.get("PADDLE_DOCTOR_CACHE")
    os.environ["PADDLE_DOCTOR_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["PADDLE_DOCTOR_CACHE"]
    else:
        os.environ["PADDLE_DOCTOR_CACHE"] = before


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
