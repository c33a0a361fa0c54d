"""`paddle-doctor demo`: a faulty project to look at."""

from __future__ import annotations

import argparse
import os
import sys

from checks.facts.base import World
from doctor.cli import refuse
from doctor.cli.check import show
from doctor.demo import CONFIG, write_demo
from doctor.exit import Exit
from doctor.run import run_check
from doctor.settings import Settings
from knowledge.phrases import phrase

FOLDER = "paddle-doctor-demo"


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The folder to write to."""
    parser.add_argument("folder", nargs="?", default=FOLDER, metavar="DIR", help=phrase("help-demo-dir", lang))


def run(options: argparse.Namespace, lang: str) -> int:
    """Write the project, check it, and say how to go on. What the check finds is what the demo is for, so it ends with 0."""
    folder = options.folder
    try:
        write_demo(folder)
    except FileExistsError:
        return refuse(phrase("demo-not-empty", lang, folder=folder))
    except OSError as error:
        return refuse(phrase("demo-cannot-write", lang, folder=folder, error=error.strerror or str(error)))
    print(phrase("demo-written", lang, folder=folder), file=sys.stderr)
    # as the user will do it next: from inside the folder, whose settings are nobody else's
    world = World(cwd=os.path.abspath(folder))
    done = run_check(CONFIG, lang=lang, settings=Settings(), world=world)
    show(done, lang, "rich")
    print(phrase("demo-next", lang, command=f"cd {folder} && paddle-doctor check --config {CONFIG}"), file=sys.stderr)
    return Exit.OK
