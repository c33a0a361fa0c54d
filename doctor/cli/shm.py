"""`paddle-doctor shm`: the calculator for /dev/shm."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable

from rich.cells import cell_len

from checks.facts.base import Request, Unreadable, World
from checks.facts.image_shape import SampleShape
from checks.facts.machine import collect_shared_memory
from checks.shm_fragments import compose_line, kubernetes_fragment
from checks.shm_sizes import DOCKER_DEFAULT, INT64
from doctor.calculator import DTYPES, Calculation, Cell, Have, Loader, Step, docker_line
from doctor.cli import refuse, whole_number
from doctor.cli.article import Output, output_arguments
from doctor.engine import RequestRefused
from doctor.exit import Exit
from doctor.reporters.layout import Segment
from doctor.run import parse_assumptions
from knowledge.phrases import phrase
from knowledge.template import size

WIDTH = 80
"""The table is no wider, however wide the terminal."""
MOST = {
    "workers": 4096,
    "batch": 1 << 20,
    "channels": 4096,
    "processes": 4096,
    "samples": 1 << 40,
    "classes": 1 << 24,
    "side": 1 << 16,
    "epochs": 1 << 30,
}
"""The largest numbers that are taken; none is near any real one."""


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """One loader, and what there is."""

    def text(key: str) -> str:
        return phrase(f"help-shm-{key}", lang)

    def count(name: str, least: int = 1) -> Callable[[str], int]:
        return whole_number(lang, least, MOST[name])

    parser.add_argument("--workers", required=True, type=count("workers", 0), metavar="N", help=text("workers"))
    parser.add_argument("--batch", required=True, type=count("batch"), metavar="N", help=text("batch"))
    parser.add_argument("--size", required=True, type=_sides(lang), metavar="HxW", help=text("size"))
    parser.add_argument("--processes", type=count("processes"), default=1, metavar="N", help=text("processes"))
    parser.add_argument("--channels", type=count("channels"), default=3, metavar="N", help=text("channels"))
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="float32", help=text("dtype"))
    parser.add_argument("--soft-labels", type=count("classes"), metavar="N", help=text("soft-labels"))
    epoch = parser.add_mutually_exclusive_group()
    epoch.add_argument("--samples", type=count("samples"), metavar="N", help=text("samples"))
    epoch.add_argument("--batches", type=count("samples"), metavar="N", help=text("batches"))
    parser.add_argument("--epochs", type=count("epochs"), default=1, metavar="N", help=text("epochs"))
    parser.add_argument("--have", metavar="SIZE", help=text("have"))
    output_arguments(parser, lang)


def run(options: argparse.Namespace, lang: str) -> int:
    """Compute and print; 0 if it fits, 1 if not."""
    height, width = options.size
    samples = options.samples and math.ceil(options.samples / options.processes)
    loader = Loader(
        workers=options.workers,
        batch=options.batch,
        shape=SampleShape(options.channels, height, width, DTYPES[options.dtype]),
        labels=INT64 if options.soft_labels is None else 4 * options.soft_labels,
        processes=options.processes,
        samples=options.batches * options.batch if options.batches else samples,
        epochs=options.epochs,
    )
    try:
        found = Calculation(loader, _have(options.have))
    except RequestRefused:
        return refuse(phrase("shm-have-wrong", lang, given=options.have))
    output = Output(options)
    if output.json:
        output.data(found.data())
    else:
        _Sheet(found, options.dtype, lang, output).print()
    return Exit.OK if found.fits else Exit.FINDINGS


def _have(given: str | None) -> Have:
    """What was given, what this machine has free, or what Docker gives where there is no /dev/shm."""
    if given is not None:
        size = parse_assumptions((f"shm={given}",)).shm
        assert size is not None
        return Have(size, "given")
    try:
        found = collect_shared_memory(Request(config=""), World())
    except Unreadable:
        return Have(DOCKER_DEFAULT, "docker-default")
    return Have(found.free, "measured", found.size)


def _sides(lang: str) -> Callable[[str], tuple[int, int]]:
    """The type of `--size`: one side of a square, or height and width."""

    def read(text: str) -> tuple[int, int]:
        match = re.fullmatch(r"([0-9]{1,9})(?:[xX×*,]([0-9]{1,9}))?", text)
        sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not all(1 <= side <= MOST["side"] for side in sides):
            raise argparse.ArgumentTypeError(phrase("shm-size-wrong", lang, given=text[:40], most=MOST["side"]))
        return sides

    return read


class _Sheet:
    """The calculation for a person."""

    def __init__(self, found: Calculation, dtype: str, lang: str, output: Output) -> None:
        self.found = found
        self.dtype = dtype
        self.lang = lang
        self.output = output
        self.lines: list[list[Segment]] = []

    def say(self, key: str, **values: object) -> str:
        return phrase(f"shm-{key}", self.lang, **values)

    def print(self) -> None:
        """All of it."""
        self.head()
        self.steps()
        self.table()
        self.remedies()
        self.output.lines(self.lines)

    def title(self, key: str) -> None:
        self.lines += [[], *self.output.folded((self.say(key), "bold"))]

    def rows(self, rows: list[tuple[str, str, str]]) -> None:
        """Labelled lines: what, text, style."""
        longest = max(cell_len(name) for name, _, _ in rows)
        for name, text, style in rows:
            head = "  " + name + " " * (longest - cell_len(name) + 2)
            for number, (_, *line) in enumerate(self.output.folded((text, style), indent=longest + 4)):
                self.lines.append([(" " * cell_len(head) if number else head, "dim"), *line])

    def head(self) -> None:
        found, loader = self.found, self.found.loader
        shape = loader.shape
        values = {"channels": shape.channels, "height": shape.height, "width": shape.width, "dtype": self.dtype}
        self.lines += self.output.folded(
            (self.say("title", workers=loader.workers, batch=loader.batch, processes=loader.processes, **values), "bold")
        )
        style = "bold green" if found.fits else "bold red"
        have = found.have
        there = self.say(f"have-{have.origin}", size=have.size or have.bytes)
        verdict = self.say("fits" if found.fits else "fits-not")
        self.rows(
            [
                (self.say("need"), _exact(found.need.total), ""),
                (self.say("have"), f"{_exact(have.bytes)}  {there}", ""),
                (self.say("margin"), f"{_exact(found.margin)}  {_mark(found.fits)} {verdict}", style),
            ]
        )
        if loader.workers and loader.epochs == 1:
            again = found.next_epoch <= have.bytes
            text = self.say("next-epoch" if again else "next-epoch-not", need=found.next_epoch)
            self.lines += self.output.folded((f"{_mark(again)} {text}", "dim" if again else "yellow"), indent=2)
        if not loader.workers:
            self.lines += self.output.folded((self.say("no-workers"), "dim"), indent=2)

    def steps(self) -> None:
        self.title("formula")
        self.rows([(self.say(f"step-{step.key}"), _equation(step), "") for step in self.found.steps()])

    def table(self) -> None:
        """Workers by batch size, as many columns around the one asked for as there is room."""
        rows = self.found.table()
        asked = self.found.loader
        column = next(index for index, cell in enumerate(rows[0]) if cell.batch == asked.batch)
        names = [self.say("row", workers=row[0].workers) for row in rows]
        left = max(cell_len(name) for name in names)
        first, last = 0, len(rows[0])
        while last - first > 1 and 2 + left + sum(self.widths(rows, first, last)) > min(self.output.width, WIDTH):
            first, last = (first, last - 1) if last - column > column - first else (first + 1, last)
        widths = self.widths(rows, first, last)
        self.title("table")
        self.lines += self.output.folded((self.say("legend", have=self.found.have.bytes), "dim"), indent=2)
        heads = "".join(
            _right(self.say("column", batch=cell.batch), width) for cell, width in zip(rows[0][first:last], widths, strict=True)
        )
        self.lines.append([("  " + " " * left, ""), (heads, "dim")])
        for name, row in zip(names, rows, strict=True):
            line: list[Segment] = [("  " + name + " " * (left - cell_len(name)), "dim")]
            for cell, width in zip(row[first:last], widths, strict=True):
                line.append((_right(self.cell(cell), width), "green" if cell.fits else "red"))
            self.lines.append(line)
        pairs = ", ".join(f"{workers} × {batch}" for workers, batch in self.found.pairs())
        self.lines += self.output.folded((self.say("pairs", pairs=pairs) if pairs else self.say("pairs-none"), ""), indent=2)

    def widths(self, rows: list[list[Cell]], first: int, last: int) -> list[int]:
        """The width of each column, with the gap before it."""
        columns = list(zip(*rows, strict=True))[first:last]
        return [1 + max(cell_len(text) for text in (self.say("column", batch=c[0].batch), *map(self.cell, c))) for c in columns]

    def cell(self, cell: Cell) -> str:
        """A cell's text; the one asked for stands in brackets."""
        text = f"{_mark(cell.fits)} {size(cell.need)}"
        asked = (cell.workers, cell.batch) == (self.found.loader.workers, self.found.loader.batch)
        return f"[{text}]" if asked else f"{text} "

    def remedies(self) -> None:
        """The size to ask for, as each program takes it; these lines are never wrapped, they are there to be copied."""
        wanted = self.found.size
        self.title("ask-for")
        self.lines += self.output.folded(
            (self.say("why-size", size=wanted.text, need=wanted.need, buffered=wanted.buffered), "dim"), indent=2
        )
        self.lines += [[], [("      ", ""), (docker_line(wanted.text), "bold")]]
        for name, text in (("Compose", compose_line(wanted.bytes)), ("Kubernetes", kubernetes_fragment(wanted.bytes))):
            self.lines += [[], [("  ", ""), (name, "dim")], *([("      ", ""), (line, "bold")] for line in text.splitlines())]


def _mark(fits: bool) -> str:
    return "✓" if fits else "✗"


def _exact(count: int) -> str:
    return f"{'-' if count < 0 else ''}{size(abs(count))}" + (f" ({count:,} B)" if abs(count) >= 1024 else "")


def _equation(step: Step) -> str:
    return f"{step.text} = {step.result:,}"


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text
