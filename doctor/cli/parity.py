"""`paddle-doctor parity`: where infer and predict part ways."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from checks.facts.base import ParityRequest
from doctor.cli import refuse, whole_number
from doctor.cli.check import Narrator, ended_tidily
from doctor.engine import RequestRefused
from doctor.parity import parity_report, run_parity
from doctor.picture import PictureRefused, draw, may_write
from doctor.settings import Settings, load_settings
from knowledge.phrases import phrase

MOST_IMAGES = 1_000_000
PLACEHOLDERS = "{images}, {config}, {weights}, {model}, {deploy_config}"
MOST_SECONDS = 3600


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Both sides, the images, and what to show."""

    def text(key: str) -> str:
        return phrase(f"help-parity-{key}", lang)

    def shared(key: str) -> str:
        return phrase(f"help-check-{key}", lang)

    parser.add_argument("-c", "--config", required=True, metavar="FILE", help=shared("config"))
    parser.add_argument("-o", "--override", action="append", default=[], metavar="KEY=VALUE", help=shared("override"))
    parser.add_argument("--weights", metavar="FILE", help=text("weights"))
    parser.add_argument("--inference-model", metavar="DIR", help=text("inference-model"))
    parser.add_argument("--deploy-config", metavar="FILE", help=text("deploy-config"))
    parser.add_argument("--images", nargs="+", default=[], metavar="FILE", help=text("images"))
    parser.add_argument("--limit", type=whole_number(lang, 1, MOST_IMAGES), default=1000, metavar="N", help=text("limit"))
    parser.add_argument("--seconds", type=whole_number(lang, 1, MOST_SECONDS), default=120, metavar="N", help=text("seconds"))
    parser.add_argument("--python", metavar="FILE", help=text("python"))
    parser.add_argument("--root", metavar="DIR", help=shared("root"))
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--outputs", nargs=2, default=[], metavar=("TRAIN", "DEPLOY"), help=text("outputs"))
    other.add_argument(
        "--scripts", nargs=2, default=[], metavar=("TRAIN", "DEPLOY"), help=phrase("help-parity-scripts", lang, placeholders=PLACEHOLDERS)
    )
    parser.add_argument("--picture", metavar="FILE", help=text("picture"))
    parser.add_argument("--force", action="store_true", help=text("force"))
    parser.add_argument("--fail-on", choices=("error", "warning", "info", "never"), help=shared("fail-on"))
    parser.add_argument("--format", choices=("rich", "json"), default="rich", help=shared("format"))
    parser.add_argument("-q", "--quiet", action="store_true", help=shared("quiet"))
    parser.add_argument("--all", action="store_true", help=shared("all"))
    parser.add_argument("--no-color", action="store_true", help=shared("no-color"))


def run(options: argparse.Namespace, lang: str) -> int:
    """Compare, print, and say by the exit status how it went."""
    try:
        settings, _ = load_settings(os.getcwd())
        lang = options.lang or settings.lang or lang
        _consistent(options)
        with contextlib.ExitStack() as keep:
            keep.enter_context(ended_tidily())
            return _compare(options, lang, settings, keep)
    except RequestRefused as error:
        error.lang = lang
        return refuse(error.line)
    except PictureRefused as error:
        return refuse(phrase(error.reason, lang, **error.values))


def _consistent(options: argparse.Namespace) -> None:
    """Options that go together, and a place for the picture, before minutes are spent.

    Raises:
        RequestRefused: they do not.
        PictureRefused: the picture may not be written there.
    """
    for flag in ("weights", "inference_model", "deploy_config", "python", "root", "picture"):
        value = getattr(options, flag)
        if value is not None and not value.strip():
            raise RequestRefused("option-empty", flag="--" + flag.replace("_", "-"))
    if options.picture is not None:
        if options.outputs or options.scripts:
            raise RequestRefused("picture-without-ladder")
        may_write(options.picture, options.force)


def _compare(options: argparse.Namespace, lang: str, settings: Settings, keep: contextlib.ExitStack) -> int:
    arrays = None
    if options.picture is not None:
        import tempfile  # few comparisons are drawn

        folder = keep.enter_context(tempfile.TemporaryDirectory(prefix="paddle-doctor-picture-", ignore_cleanup_errors=True))
        arrays = os.path.join(folder, "arrays.npz")
    request = ParityRequest(
        images=tuple(options.images),
        limit=options.limit,
        seconds=float(options.seconds),
        arrays=arrays,
        outputs=tuple(options.outputs),
        scripts=tuple(options.scripts),
    )
    done = run_parity(
        options.config,
        tuple(options.override),
        parity=request,
        root=options.root,
        lang=lang,
        deploy_config=options.deploy_config,
        weights=options.weights,
        inference_model=options.inference_model,
        python=options.python,
        fail_on=options.fail_on,
        settings=settings,
        listener=None if options.quiet else Narrator(lang),
        keep=keep,
    )
    scale = draw(arrays, options.picture) if arrays is not None else None
    report = parity_report(done, options.picture if scale is not None else None, scale)
    if options.picture is not None and scale is None:
        print(f"paddle-doctor: {phrase('picture-nothing', lang)}", file=sys.stderr)
    if options.format == "json":
        from doctor.reporters.json_report import render

        sys.stdout.flush()
        sys.stdout.buffer.write(render(report))
    else:
        from doctor.reporters.parity_table import middle
        from doctor.reporters.rich_report import render as render_rich

        render_rich(done, lang, quiet=options.quiet, everything=options.all, color=not options.no_color, middle=middle(report, lang))
    for crash in done.crashes:
        print(crash, file=sys.stderr)
    return done.exit
