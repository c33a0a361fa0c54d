"""`paddle-doctor schema`: the JSON Schema of the report."""

from __future__ import annotations

import argparse
import os
import sys

from knowledge.phrases import phrase

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "reporters")
"""Where the published schemas are. A test holds it against the records, so that it cannot change unseen."""


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Which report."""
    parser.add_argument("report", nargs="?", choices=("report", "parity"), default="report", help=phrase("help-schema-report", lang))


def run(options: argparse.Namespace, lang: str) -> int:
    """Print the schema."""
    with open(os.path.join(FOLDER, f"{options.report}.schema.json"), encoding="utf-8") as stream:
        sys.stdout.write(stream.read())
    return 0
