from __future__ import annotations

from pathlib import Path

import pytest

from doctor.engine import RequestRefused
from doctor.settings import Settings, load_settings

FULL = 'select = ["LAB"]\nignore = ["LAB105"]\nfail-on = "warning"\nlang = "zh"\n'
SEVERITIES = 'LAB104 = "off"\n'
MEANT = Settings(("LAB",), ("LAB105",), "warning", "zh", {"LAB104": "off"})


def test_nothing_is_the_default(tmp_path: Path) -> None:
    assert load_settings(str(tmp_path)) == (Settings(), None)


def test_own_file(tmp_path: Path) -> None:
    path = tmp_path / "paddle-doctor.toml"
    path.write_text(FULL + "[severities]\n" + SEVERITIES)
    assert load_settings(str(tmp_path)) == (MEANT, str(path))


def test_pyproject_from_a_folder_below(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.paddle-doctor]\n" + FULL + "[tool.paddle-doctor.severities]\n" + SEVERITIES)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text('[project]\nname = "paddle-doctor-user"\n')
    assert load_settings(str(below)) == (MEANT, str(path))


def test_the_nearest_decides(tmp_path: Path) -> None:
    (tmp_path / "paddle-doctor.toml").write_text('lang = "zh"\n')
    below = tmp_path / "a"
    below.mkdir()
    (below / "paddle-doctor.toml").write_text('lang = "en"\n')
    assert load_settings(str(below))[0] == Settings(lang="en")


@pytest.mark.parametrize(
    "text", ["lang = ", 'langue = "zh"\n', 'lang = "fr"\n', 'fail-on = "maybe"\n', '[severities]\nLAB = "loud"\n', "\xff"]
)
def test_what_is_no_setting_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "paddle-doctor.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RequestRefused) as caught:
        load_settings(str(tmp_path))
    assert str(path) in caught.value.line
    assert "\n" not in caught.value.line
