"""`paddle-doctor check`: facts, checks, report."""

from __future__ import annotations

import argparse
import os
import sys

from doctor.cli import refuse
from doctor.engine import Event, FactSlow, RequestRefused
from doctor.run import Run, run_check
from doctor.settings import load_settings
from knowledge.phrases import phrase


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """What the command takes; `-c` and `-o` are PaddleClas's own."""

    def text(key: str) -> str:
        return phrase(f"help-check-{key}", lang)

    parser.add_argument("-c", "--config", required=True, metavar="FILE", help=text("config"))
    parser.add_argument("-o", "--override", action="append", default=[], metavar="KEY=VALUE", help=text("override"))
    parser.add_argument("--stage", choices=("train", "eval", "export", "infer", "deploy"), default="train", help=text("stage"))
    parser.add_argument("--root", metavar="DIR", help=text("root"))
    parser.add_argument("--assume", action="append", default=[], metavar="KEY=VALUE", help=text("assume"))
    parser.add_argument("--select", action="append", default=[], metavar="RULES", help=text("select"))
    parser.add_argument("--ignore", action="append", default=[], metavar="RULES", help=text("ignore"))
    parser.add_argument("--fail-on", choices=("error", "warning", "info", "never"), help=text("fail-on"))
    parser.add_argument("--format", choices=("rich", "json"), default="rich", help=text("format"))
    parser.add_argument("-q", "--quiet", action="store_true", help=text("quiet"))
    parser.add_argument("--no-color", action="store_true", help=text("no-color"))


def run(options: argparse.Namespace, lang: str) -> int:
    """Check, print, and say by the exit status how it went."""
    try:
        settings, _ = load_settings(os.getcwd())
    except RequestRefused as error:
        error.lang = lang
        return refuse(error.line)
    lang = options.lang or settings.lang or lang

    def narrate(event: Event) -> None:
        if isinstance(event, FactSlow) and not options.quiet:
            print(phrase("measuring", lang, fact=event.fact, seconds=f"{event.seconds:.0f}"), file=sys.stderr, flush=True)

    try:
        done = run_check(
            options.config,
            tuple(options.override),
            stage=options.stage,
            root=options.root,
            lang=lang,
            select=_names(options.select),
            ignore=_names(options.ignore),
            assume=tuple(part for item in options.assume for part in item.split(",")),
            fail_on=options.fail_on,
            settings=settings,
            listener=narrate,
        )
    except RequestRefused as error:
        return refuse(error.line)
    show(done, lang, options.format, quiet=options.quiet, color=not options.no_color)
    return done.exit


def show(done: Run, lang: str, format: str, *, quiet: bool = False, color: bool = True) -> None:
    """Print a finished run to stdout; tracebacks of our own bugs go to stderr."""
    if format == "json":
        from doctor.reporters.json_report import render

        sys.stdout.flush()
        sys.stdout.buffer.write(render(done.report))
    else:
        from doctor.reporters.rich_report import render as render_rich

        render_rich(done, lang, quiet=quiet, color=color)
    for crash in done.crashes:
        print(crash, file=sys.stderr)


def _names(texts: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
