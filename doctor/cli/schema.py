"""`paddle-doctor schema`: the JSON Schema of the report."""

from __future__ import annotations

import argparse
import os
import sys

FILE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "reporters", "report.schema.json")
"""The published schema. A test holds it against the records, so that it cannot change unseen."""


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """None beside `--lang`."""


def run(options: argparse.Namespace, lang: str) -> int:
    """Print the schema."""
    with open(FILE, encoding="utf-8") as stream:
        sys.stdout.write(stream.read())
    return 0
