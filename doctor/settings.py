"""The user's standing wishes: `[tool.paddle-doctor]` in `pyproject.toml`, or `paddle-doctor.toml`; flags win over both."""

from __future__ import annotations

import os
import sys
from typing import Any, Literal

import msgspec

from doctor.engine import RequestRefused

Level = Literal["off", "info", "warning", "error"]


class Settings(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Which rules run, what fails the run, and in which language it speaks."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Literal["error", "warning", "info", "never"] = "error"
    lang: Literal["zh", "en"] | None = None
    severities: dict[str, Level] = {}


def load_settings(folder: str) -> tuple[Settings, str | None]:
    """The settings that hold in a folder, and the file they come from.

    The nearest folder upwards with a `paddle-doctor.toml`, or with a `pyproject.toml` that has our table, decides; the two are not mixed.

    Raises:
        RequestRefused: the file is no TOML, or says something that is no setting.
    """
    folder = os.path.abspath(folder)
    while True:
        for name in ("paddle-doctor.toml", "pyproject.toml"):
            path = os.path.join(folder, name)
            content = _read(path)
            if content is None or (name == "pyproject.toml" and b"paddle-doctor" not in content):
                continue
            table = _parse(content, path)
            if name == "pyproject.toml":
                table = table.get("tool", {}).get("paddle-doctor")
                if table is None:
                    continue
            try:
                return msgspec.convert(table, Settings), path
            except msgspec.ValidationError as error:
                raise RequestRefused("settings-wrong", file=path, error=str(error)) from None
        parent = os.path.dirname(folder)
        if parent == folder:
            return Settings(), None
        folder = parent


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read(1 << 20)
    except OSError:
        return None


def _parse(content: bytes, path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
        return table
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestRefused("settings-no-toml", file=path, error=" ".join(str(error).split())) from None
