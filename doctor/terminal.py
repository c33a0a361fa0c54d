"""The terminal that we write to."""

from __future__ import annotations

import os
import sys


def terminal_width() -> int:
    """Columns of the terminal: COLUMNS, else what the terminal says, else 80."""
    text = os.environ.get("COLUMNS", "")
    if text.isdigit() and int(text):
        return int(text)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80
