"""`paddle-doctor check`: facts, checks, report."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from doctor.cli import one_line, refuse
from doctor.engine import Event, FactFinished, FactProgress, FactSlow, RequestRefused
from doctor.run import Run, run_check
from doctor.settings import Settings, load_settings
from knowledge.phrases import phrase


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """What the command takes; `-c` and `-o` are PaddleClas's own."""

    def text(key: str) -> str:
        return phrase(f"help-check-{key}", lang)

    parser.add_argument("-c", "--config", required=True, metavar="FILE", help=text("config"))
    parser.add_argument("-o", "--override", action="append", default=[], metavar="KEY=VALUE", help=text("override"))
    parser.add_argument("--stage", choices=("train", "eval", "export", "infer", "deploy"), help=text("stage"))
    parser.add_argument("--root", metavar="DIR", help=text("root"))
    parser.add_argument("--deploy-config", metavar="FILE", help=text("deploy-config"))
    parser.add_argument("--weights", metavar="FILE", help=text("weights"))
    parser.add_argument("--inference-model", metavar="DIR", help=text("inference-model"))
    parser.add_argument("--synthetic", action="append", default=[], metavar="GLOB", help=text("synthetic"))
    parser.add_argument("--images", choices=("off", "exists", "quick", "full"), default="quick", help=text("images"))
    parser.add_argument("--no-cache", action="store_true", help=text("no-cache"))
    parser.add_argument("--container", metavar="NAME", help=text("container"))
    parser.add_argument("--docker-host", metavar="URL", help=text("docker-host"))
    parser.add_argument("--assume", action="append", default=[], metavar="KEY=VALUE", help=text("assume"))
    parser.add_argument("--probe", action="store_true", help=text("probe"))
    parser.add_argument("--python", metavar="FILE", help=text("python"))
    parser.add_argument("--compose", metavar="FILE", help=text("compose"))
    parser.add_argument("--kubernetes", metavar="FILE", help=text("kubernetes"))
    parser.add_argument("--service", metavar="NAME", help=text("service"))
    parser.add_argument("--select", action="append", default=[], metavar="RULES", help=text("select"))
    parser.add_argument("--ignore", action="append", default=[], metavar="RULES", help=text("ignore"))
    parser.add_argument("--fail-on", choices=("error", "warning", "info", "never"), help=text("fail-on"))
    parser.add_argument("--format", choices=("rich", "json"), default="rich", help=text("format"))
    parser.add_argument("-q", "--quiet", action="store_true", help=text("quiet"))
    parser.add_argument("--all", action="store_true", help=text("all"))
    parser.add_argument("--no-color", action="store_true", help=text("no-color"))


def run(options: argparse.Namespace, lang: str) -> int:
    """Check, print, and say by the exit status how it went."""
    try:
        settings, _ = load_settings(os.getcwd())
    except RequestRefused as error:
        error.lang = lang
        return refuse(error.line)
    lang = options.lang or settings.lang or lang

    narrate = None if options.quiet else Narrator(lang)

    with contextlib.ExitStack() as keep:
        if options.container is not None or options.probe:
            keep.enter_context(ended_tidily())
        return _check(options, lang, settings, narrate, keep)


@contextlib.contextmanager
def ended_tidily() -> Iterator[None]:
    """Let `kill`, or a terminal that is closed, end the block as Ctrl-C does: what was copied into a folder of ours is removed."""
    import signal  # few runs have such a folder

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    changed = []
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # who ignores it, as nohup does, or handles it, goes on doing so; threads may not set handlers
        if number is not None and signal.getsignal(number) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
            signal.signal(number, end)
            changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _check(options: argparse.Namespace, lang: str, settings: Settings, narrate: Narrator | None, keep: contextlib.ExitStack) -> int:
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
            deploy_config=options.deploy_config,
            weights=options.weights,
            inference_model=options.inference_model,
            synthetic=tuple(options.synthetic),
            images=options.images,
            cache=not options.no_cache,
            probe=options.probe,
            python=options.python,
            compose=options.compose,
            kubernetes=options.kubernetes,
            service=options.service,
            fail_on=options.fail_on,
            settings=settings,
            listener=narrate,
            container=options.container,
            docker_host=options.docker_host,
            keep=keep,
        )
    except RequestRefused as error:
        return refuse(error.line)
    lost = done.report.config.container.problem if done.report.config.container else None
    for line in dict.fromkeys(filter(None, (lost, done.problem))):
        print(f"paddle-doctor: {one_line(line)}", file=sys.stderr)
    show(done, lang, options.format, quiet=options.quiet, everything=options.all, color=not options.no_color)
    return done.exit


def show(done: Run, lang: str, format: str, *, quiet: bool = False, everything: bool = False, color: bool = True) -> None:
    """Print a finished run to stdout; tracebacks of our own bugs go to stderr."""
    if format == "json":
        from doctor.reporters.json_report import render

        sys.stdout.flush()
        sys.stdout.buffer.write(render(done.report))
    else:
        from doctor.reporters.rich_report import render as render_rich

        render_rich(done, lang, quiet=quiet, everything=everything, color=color)
    for crash in done.crashes:
        print(crash, file=sys.stderr)


class Narrator:
    """Says on stderr what takes long: a line that is written over on a terminal, else one line for each slow fact."""

    EVERY = 0.1
    """Seconds between two looks of the line that is written over."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.live = sys.stderr.isatty()
        self.shown = 0.0
        self.width = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, FactSlow):
            self.clear()
            print(phrase("measuring", self.lang, fact=event.fact, seconds=f"{event.seconds:.0f}"), file=sys.stderr, flush=True)
        elif isinstance(event, FactProgress) and self.live and time.monotonic() - self.shown > self.EVERY:
            share = 100 * event.done // max(1, event.total)
            text = phrase("measuring-progress", self.lang, fact=event.fact, done=event.done, total=event.total, share=share)
            from rich.cells import cell_len  # only a terminal needs it, and JSON runs go without rich

            self.clear()
            self.shown, self.width = time.monotonic(), cell_len(text)
            print(text, end="", file=sys.stderr, flush=True)
        elif isinstance(event, FactFinished):
            self.clear()

    def clear(self) -> None:
        """Take the line that is written over away again."""
        if self.width:
            print("\r" + " " * self.width + "\r", end="", file=sys.stderr, flush=True)
            self.width = 0


def _names(texts: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
