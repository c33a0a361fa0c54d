"""`paddle-doctor completion SHELL`: a completion script for the user's shell."""

from __future__ import annotations

import argparse

from doctor.cli import whole_parser
from knowledge.phrases import phrase

SHELLS = ("bash", "zsh", "tcsh")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, help=phrase("help-completion-shell", lang))


def run(options: argparse.Namespace, lang: str) -> int:
    """Print the script; `eval "$(paddle-doctor completion bash)"` turns it on."""
    import shtab

    parser = whole_parser(lang)
    for action in _actions(parser):
        if action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's own way to mark an argument
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # likewise
    print(shtab.complete(parser, shell=options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [inner for sub in action.choices.values() for inner in _actions(sub)]
        else:
            found.append(action)
    return found
