"""The ladder, and how far both sides agree, as lines for a person."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

from checks.facts.parity import Parity, Rung, Spread, Trouble
from checks.facts.printed_pair import PrintedPair, PrintedSide
from doctor.parity import ParityReport
from doctor.reporters.layout import Segment, wrap
from knowledge.phrases import phrase

Lines = list[list[Segment]]

MARKS = {"same": ("✓", "green"), "differs": ("✗", "bold red"), "unknown": ("?", "yellow"), "not-applicable": ("–", "dim")}

TROUBLE_VALUES = ("error", "output", "python", "stage", "seconds", "status", "times", "file")
"""What sentences about a trouble may take; those that a trouble lacks are a dash."""


def middle(report: ParityReport, lang: str) -> Callable[[int], Lines]:
    """What comes between head and findings, for a given width."""

    def make(width: int) -> Lines:
        table = _Table(report, lang, width)
        if report.ladder is not None:
            table.ladder(report.ladder)
        if report.outputs is not None:
            table.outputs(report.outputs)
        table.agreement()
        table.picture()
        return table.lines

    return make


class _Table:
    def __init__(self, report: ParityReport, lang: str, width: int) -> None:
        self.report = report
        self.lang = lang
        self.width = width
        self.lines: Lines = []

    def say(self, key: str, **values: object) -> str:
        return phrase(f"parity-{key}", self.lang, **values)

    def put(self, *segments: Segment, indent: int = 0, hang: int = 0) -> None:
        for number, line in enumerate(wrap(list(segments), max(20, self.width - indent - hang))):
            self.lines.append([(" " * (indent + (hang if number else 0)), ""), *line])

    def title(self, key: str, **values: object) -> None:
        self.lines.append([])
        self.put((self.say(key, **values), "bold"))

    def ladder(self, parity: Parity) -> None:
        """One line a rung; the first that differs is marked."""
        self.title("ladder", images=len(parity.images), listed=parity.listed)
        if all(rung.state in ("unknown", "not-applicable") for rung in parity.rungs):
            self.unmeasured(parity)
            self.sides(parity)
            return
        names = [self.say(f"rung-{rung.name}") for rung in parity.rungs]
        broad = max(map(cell_len, names))
        heads = [self.say("column-alone"), self.say("column-whole")]
        cells = [[self.counted(rung) or self.spread(rung, rung.alone), self.spread(rung, rung.whole)] for rung in parity.rungs]
        widths = [max(cell_len(text) for text in (head, *column)) for head, column in zip(heads, zip(*cells, strict=True), strict=True)]
        self.lines.append([(" " * (7 + broad) + "  ".join(_left(head, wide) for head, wide in zip(heads, widths, strict=True)), "dim")])
        first = parity.first
        for number, (rung, name, row) in enumerate(zip(parity.rungs, names, cells, strict=True), 1):
            mark, style = MARKS[rung.state]
            text = "  ".join(_left(cell, wide) for cell, wide in zip(row, widths, strict=True))
            named = _left(name, broad) + " "
            line: list[Segment] = [(f"  {number} ", "dim"), (f"{mark} ", style), (named, "bold" if rung.state == "differs" else "")]
            line.append((text.rstrip() if rung is not first else text, "" if rung.state != "not-applicable" else "dim"))
            if rung is first:
                line.append((f"  ◀ {self.say('first')}", "bold red"))
            self.lines.append(line)
        self.unmeasured(parity)
        self.sides(parity)

    def unmeasured(self, parity: Parity) -> None:
        """One line for each reason why rungs were not measured."""
        whys: dict[str, list[str]] = {}
        for rung in parity.rungs:
            if rung.state == "unknown" and rung.trouble is not None:
                whys.setdefault(self.why(rung.trouble), []).append(self.say(f"rung-{rung.name}"))
        applicable = sum(rung.state != "not-applicable" for rung in parity.rungs)
        for why, names in whys.items():
            if len(names) == applicable:
                self.put((self.say("nothing-measured", error=why), "yellow"), indent=2, hang=2)
            else:
                self.put((self.say("rung-unknown", rung=self.say("and").join(names), error=why), "dim"), indent=2, hang=2)

    def why(self, trouble: Trouble) -> str:
        """A trouble as a sentence; only what an exception or a program said itself is left as it is."""
        values = {**dict.fromkeys(TROUBLE_VALUES, "–"), **trouble.values}
        if trouble.kind == "side":
            kind, side = str(values["kind"]), self.say(f"the-{values['side']}")
            return self.say("trouble-side", side=side, why=self.why(Trouble(kind, trouble.values)))
        return self.say(f"trouble-{trouble.kind}", **values).replace(" (–)", "").replace("（–）", "")

    def spread(self, rung: Rung, spread: Spread | None) -> str:
        """How far apart a rung is: images that differ, and the largest error."""
        if rung.state == "not-applicable":
            return self.say("not-applicable")
        if spread is None:
            return "–"
        if spread.shapes is not None:
            return " ≠ ".join("×".join(map(str, shape)) for shape in spread.shapes)
        if not spread.differing:
            return self.say("same") + (f" (≤ {spread.max_error:.2g})" if spread.max_error else "")
        error = "" if spread.max_error is None else f", {spread.max_error:.3g}"
        return self.say("differing", differing=spread.differing, images=spread.images) + error

    def counted(self, rung: Rung) -> str | None:
        """What of the rungs that no image takes part in: tensors and names."""
        parity = self.report.ladder
        if parity is None:
            return None
        if rung.name == "weights" and parity.weights is not None:
            return self.say("tensors", equal=parity.weights.equal, tensors=parity.weights.train)
        if rung.name == "labels" and parity.labels is not None:
            return self.say("names", equal=parity.labels.equal, names=parity.labels.equal + parity.labels.unlike)
        return None

    def sides(self, parity: Parity) -> None:
        for key, side in (("train", parity.train), ("deploy", parity.deploy)):
            if side.paddle is None:
                continue
            text = self.say(f"side-{key}", paddle=side.paddle, code=side.code or "–", device=side.device)
            if side.next is not None and side.start is not None:
                text += self.say("seconds", start=f"{side.start:.1f}", next=f"{1000 * side.next:.0f}")
            self.put((text, "dim"), indent=2, hang=2)

    def outputs(self, pair: PrintedPair) -> None:
        """Where both outputs come from, and how images were matched."""
        self.title("outputs")
        for key, side in (("train", pair.train), ("deploy", pair.deploy)):
            self.put((self.source(key, side), ""), indent=2, hang=2)
        if pair.matched:
            self.put((self.say(f"matched-{pair.by}", images=len(pair.matched)), "dim"), indent=2, hang=2)

    def source(self, key: str, side: PrintedSide) -> str:
        text = self.say(f"source-{key}", source=side.source, results=len(side.results.printed))
        return text + (f" · {side.status}, {side.seconds:.1f} s" if side.status and side.seconds is not None else "")

    def agreement(self) -> None:
        """The numbers over all images, and what they are held against."""
        found = self.report.agreement
        if found is None or not found.images:
            return
        self.title("agreement")
        rows = [self.say("top1", top1=found.top1, images=found.images, low=f"{100 * found.low:.1f}", high=f"{100 * found.high:.1f}")]
        if found.ties:
            rows.append(self.say("ties", ties=found.ties))
        tau = "–" if found.tau is None else f"{found.tau:.3f}"
        rows.append(self.say("ranks", ranks=found.ranks, displaced=found.displaced, listed=found.listed, tau=tau))
        if found.drift is not None and found.mean_drift is not None and found.needed is not None:
            rows.append(self.say("drift", drift=f"{found.drift:.3g}", mean=f"{found.mean_drift:.3g}", worst=found.worst or "–"))
            limit = {"tolerance": f"{found.tolerance:g}", "precision": self.report.precision, "needed": f"{found.needed:.3g}"}
            rows.append(self.say("tolerance-passed" if not found.over else "tolerance", **limit))
            if found.resolution:
                rows.append(self.say("resolution", resolution=f"{found.resolution:g}"))
        for row in rows:
            self.put((row, ""), indent=2, hang=2)

    def picture(self) -> None:
        if self.report.picture is not None:
            file = self.report.ladder.pictured if self.report.ladder is not None else None
            self.lines.append([])
            self.put((self.say("picture", picture=self.report.picture, file=file or "–", scale=f"{self.report.scale:g}"), ""), hang=2)


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
