"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Caller


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Caller:
    """The command line in this process, in an empty folder, with no locale and 80 columns."""
    return Caller(capsys, monkeypatch, tmp_path)
