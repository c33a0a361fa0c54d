"""What `faq` and `rule` share: how an article, a list and JSON are printed.

On a terminal Markdown is drawn by rich; into a pipe it goes as it is, which is readable and can be processed. rich is told two things about
Chinese that it does not know: a line may break between any two characters (but not before a comma), and a line break in the source is no space.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import msgspec

from doctor.cli import add_language
from doctor.reporters.layout import Segment, wrap, write
from doctor.terminal import terminal_width
from knowledge.phrases import phrase

MIN_WIDTH = 60
UNBOUNDED = 1_000_000
"""A width that nothing reaches: a line in a pipe is left whole, for grep."""


def output_arguments(parser: argparse.ArgumentParser, lang: str, *, language: bool = False) -> None:
    """`--format` and `--no-color`; `language` adds `--lang`, for the commands below a command."""
    parser.add_argument("--format", choices=("rich", "json"), default=None, help=phrase("help-faq-format", lang))
    parser.add_argument("--no-color", action="store_true", help=phrase("help-check-no-color", lang))
    if language:
        add_language(parser, lang)


class Output:
    """Where and how a command prints, from its options."""

    def __init__(self, options: argparse.Namespace) -> None:
        format = getattr(options, "format", None)
        self.json = format == "json"
        self.rich = format == "rich" or (format is None and sys.stdout.isatty())
        self.color = not getattr(options, "no_color", False)
        self.width = max(MIN_WIDTH, terminal_width()) if self.rich else UNBOUNDED

    def data(self, value: Any) -> None:
        """Print JSON: UTF-8, whatever the locale says."""
        sys.stdout.flush()
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
        sys.stdout.buffer.flush()

    def lines(self, lines: list[list[Segment]]) -> None:
        """Print styled lines that `folded` made."""
        write(lines, sys.stdout, self.color and self.rich)

    def folded(self, *segments: Segment, indent: int = 0, hang: int = 0) -> list[list[Segment]]:
        """A styled text in lines that fit, indented; its further lines by `hang` more."""
        lines = wrap(list(segments), self.width - indent - hang)
        return [[(" " * (indent + (hang if number else 0)), ""), *line] for number, line in enumerate(lines)]

    def article(self, markdown: str) -> None:
        """Print an article."""
        if not self.rich:
            sys.stdout.write(markdown)
            return
        from rich.console import Console
        from rich.theme import Theme

        from doctor.cli.markdown import Article

        console = Console(
            width=self.width,
            force_terminal=sys.stdout.isatty(),  # else FORCE_COLOR would bring colours into a pipe
            no_color=not self.color or bool(os.environ.get("NO_COLOR")),
            # a black box behind every name, which is rich's own choice, hurts on a light terminal
            theme=Theme({"markdown.code": "cyan", "markdown.h1": "bold", "markdown.h2": "bold", "markdown.block_quote": "italic"}),
            highlight=False,
        )
        console.print(Article(markdown), soft_wrap=True)  # the article wraps itself, except for code, which is there to be copied
