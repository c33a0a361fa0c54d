"""The command line: one module per command, imported only when it is called.

A command's module has `arguments(parser, lang)` and `run(options, lang) -> int`. stdout carries the report, stderr the progress and the one line
about what cannot be served.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from doctor.exit import Exit
from doctor.run import default_lang
from doctor.terminal import terminal_width
from doctor.version import VERSION
from knowledge.phrases import phrase

COMMANDS = ("check", "parity", "shm", "faq", "rule", "demo", "schema", "completion")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, in the user's language."""

    def __init__(self, **options: Any) -> None:
        # argparse asks shutil for the width of the terminal at every argument: 8 ms of a check of 100
        super().__init__(formatter_class=lambda prog: argparse.HelpFormatter(prog, width=terminal_width() - 2), **options)

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}  ({self.prog} --help)", file=sys.stderr)
        sys.exit(Exit.REFUSED)


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show Chinese must not end in a traceback
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        print(phrase("interrupted", _language(arguments)), file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) has gone; Python would complain again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _dispatch(arguments: list[str]) -> int:
    lang = _language(arguments)
    if lang not in ("zh", "en"):
        return refuse(phrase("unknown-lang", "en", given=lang))
    _speak(lang)
    while arguments and arguments[0].startswith("--lang"):
        arguments = arguments[1 if "=" in arguments[0] else 2 :]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        whole_parser(lang).print_help()
        return Exit.OK
    if arguments[0] in ("--version", "-V"):
        print(f"paddle-doctor {VERSION}")
        return Exit.OK
    name = arguments[0]
    if name not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(name, COMMANDS, 1)
        hint = phrase("did-you-mean", lang, name=close[0]) if close else ", ".join(COMMANDS)
        return refuse(phrase("unknown-command", lang, name=name, hint=hint))
    module = _module(name)
    parser = Parser(prog=f"paddle-doctor {name}", description=phrase(f"help-{name}", lang))
    add_language(parser, lang)
    module.arguments(parser, lang)
    return int(module.run(parser.parse_args(arguments[1:]), lang))


def whole_parser(lang: str) -> Parser:
    """The parser of all commands together, for `--help` and for shell completion."""
    parser = Parser(prog="paddle-doctor", description=phrase("help-program", lang))
    parser.add_argument("-V", "--version", action="version", version="", help=phrase("help-version", lang))
    add_language(parser, lang)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser, title=phrase("help-commands", lang))
    for name in COMMANDS:
        sub = commands.add_parser(name, help=phrase(f"help-{name}", lang), description=phrase(f"help-{name}", lang))
        add_language(sub, lang)
        _module(name).arguments(sub, lang)
    return parser


def add_language(parser: argparse.ArgumentParser, lang: str) -> None:
    """`--lang`, which every command has; it is read before the parser is made."""
    parser.add_argument("--lang", choices=("zh", "en"), default=None, help=phrase("help-lang", lang))


def whole_number(lang: str, least: int, most: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from `least` to `most`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 15) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(phrase("shm-count-wrong", lang, given=text[:40], least=least, most=most))
        return int(text)

    return read


def refuse(line: str) -> int:
    """Say in one line why the request cannot be served."""
    print(f"paddle-doctor: {one_line(line)}", file=sys.stderr)
    return Exit.REFUSED


def one_line(text: str) -> str:
    """The text with line breaks and other control characters, as names may have them, written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _module(name: str) -> Any:
    return importlib.import_module(f"doctor.cli.{name}")


def _language(arguments: list[str]) -> str:
    for index, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1]
    return default_lang()


def _speak(lang: str) -> None:
    """Let argparse's own words be Chinese: it looks them up through `argparse._`, which has no catalogue of its own."""
    if lang == "zh":
        from knowledge.phrases_cli import ARGPARSE_ZH

        argparse._ = lambda text: ARGPARSE_ZH.get(text, text)  # type: ignore[attr-defined]  # imported there from gettext
