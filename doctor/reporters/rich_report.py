"""The report for a person: grouped, the culprit quoted, numbers before words, remedies to copy, a summary last."""

from __future__ import annotations

import json
import sys
from typing import Any

# rich costs about 25 ms, most of it in rich.console; nothing else of it is imported here
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from checks.facts.label_scan import visible
from checks.model import OVERRIDE_FILE
from doctor.report import Report, ReportedFinding, ReportedFix
from doctor.run import Run
from doctor.source import quote
from knowledge.phrases import phrase
from knowledge.template import size

STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}
MARKS = {"error": "✗", "warning": "!", "info": "i"}
MIN_WIDTH = 60


def render(done: Run, lang: str, *, quiet: bool = False, color: bool = True, file: Any = None, width: int | None = None) -> None:
    """Print a report to `file` (stdout by default); colours only on a terminal, without NO_COLOR, and if `color`."""
    out = file or sys.stdout
    console = Console(file=out, no_color=True if not color else None, highlight=False, emoji=False, markup=False, width=width)
    if console.width < MIN_WIDTH:
        console = Console(file=out, no_color=True if not color else None, highlight=False, emoji=False, markup=False, width=MIN_WIDTH)
    paper = _Paper(console, done, lang)
    if quiet:
        paper.lines()
        return
    paper.head()
    paper.findings()
    paper.rest()
    paper.summary()


class _Paper:
    def __init__(self, console: Console, done: Run, lang: str) -> None:
        self.console = console
        self.report: Report = done.report
        self.cwd = done.cwd
        self.lang = lang

    def say(self, key: str, **values: Any) -> str:
        return phrase(key, self.lang, **values)

    def put(self, text: Text | str, indent: int = 0, style: str = "", hang: int = 0) -> None:
        """Print text wrapped to the width, indented; following lines are indented by `hang` more."""
        whole = text if isinstance(text, Text) else Text(text, style=style)
        room = max(20, self.console.width - indent - hang)
        for number, line in enumerate(whole.wrap(self.console, room)):
            pad = " " * (indent + (hang if number else 0))
            line.rstrip()
            self.console.print(Text(pad).append_text(line), soft_wrap=True)

    def blank(self) -> None:
        self.console.print()

    def lines(self) -> None:
        for finding in self.report.findings:
            if finding.severity != "info":
                text = f"{_place(finding)}: {self.say('severity-' + finding.severity)} {finding.code} {finding.message}"
                self.console.print(Text(text), soft_wrap=True)

    def head(self) -> None:
        config = self.report.config
        title = Text("paddle-doctor ", style="bold").append(self.report.tool.version, style="")
        title.append(
            f" · {config.file} · {self.say('generation-' + config.generation)} · {self.say('stage', stage=self.say('stage-' + config.stage))}"
        )
        self.put(title)
        self.put(self.say(f"root-{config.root_reason}", root=config.root), style="dim")
        if config.overrides:
            self.put(self.say("overridden", options="  ".join(f"-o {o}" for o in config.overrides)), style="dim")
        if config.assumed:
            shown = ", ".join(f"{k}={size(v) if k in ('shm', 'memory') else f'{v:g}'}" for k, v in config.assumed.items())
            self.put(self.say("assumed", facts=shown), style="dim")

    def findings(self) -> None:
        if not self.report.findings:
            self.blank()
            self.put(self.say("healthy"), style="bold green")
        # findings come worst first, so the family of the worst leads
        for family in dict.fromkeys(finding.code.rstrip("0123456789") for finding in self.report.findings):
            self.blank()
            key = f"family-{family}"
            try:
                title = self.say(key)
            except KeyError:
                title = family
            self.put(Text(f"── {title} ", style="bold").append("─" * max(0, self.console.width - cell_len(title) - 4), style="dim"))
            for finding in self.report.findings:
                if finding.code.rstrip("0123456789") == family:
                    self.finding(finding)

    def finding(self, finding: ReportedFinding) -> None:
        style = STYLES[finding.severity]
        head = Text(f"{MARKS[finding.severity]} {self.say('severity-' + finding.severity)} ", style=style)
        head.append(finding.code, style="bold").append(f" {finding.name}", style="dim")
        self.blank()
        self.put(head)
        self.put(Text(_place(finding), style="cyan").append(f"  {finding.location.key}" if finding.location.key else "", style="dim"), 2)
        self.quote(finding)
        self.put(finding.message, 2)
        self.label("why", finding.because, dim=True)
        for fix in finding.fixes:
            self.fix(fix)
        self.label("more", f"paddle-doctor faq show {finding.entry} · paddle-doctor rule {finding.code}", dim=True)

    def label(self, key: str, text: str, dim: bool = False) -> None:
        name = self.say(key)
        whole = Text(f"{name}  ", style="bold dim" if dim else "bold green").append(text, style="dim" if dim else "")
        self.put(whole, 2, hang=cell_len(name) + 2)

    def quote(self, finding: ReportedFinding) -> None:
        at = finding.location
        line = quote(at, self.report.config.file, self.cwd, self.report.config.root, self.report.config.overrides)
        if line is None:
            return
        line = visible_line(line)
        number = "-o" if at.file == OVERRIDE_FILE else str(at.line)
        gutter = f"  {number} │ "
        room = self.console.width - cell_len(gutter) - 2
        column = (at.column or 1) - 1
        cut = 0
        if cell_len(line) > room:
            # keep the culprit in sight
            while cell_len(line[cut : column + 12]) > room:
                cut += 1
            line = line[cut:]
            while cell_len(line) > room:
                line = line[:-1]
        shown = Text(gutter, style="dim").append(line, style="")
        self.console.print(shown, soft_wrap=True)
        if at.column is not None and at.file != OVERRIDE_FILE:
            pad = " " * cell_len(gutter)
            width = _token_width(line, column - cut)
            self.console.print(
                Text(pad + " " * cell_len(line[: column - cut])).append("^" * width, style=STYLES[finding.severity]), soft_wrap=True
            )

    def fix(self, fix: ReportedFix) -> None:
        title = fix.title if fix.safety == "safe" or fix.kind == "advice" else f"{fix.title} ({self.say('fix-unsafe')})"
        self.label("fix", title)
        if fix.command:
            self.code(fix.command)
        elif fix.snippet:
            self.code(fix.snippet)
        elif fix.kind == "edit" and fix.key:
            self.code(f"-o {fix.key}={_yaml(fix.value)}" if fix.file == OVERRIDE_FILE else f"{fix.key}: {_yaml(fix.value)}")

    def code(self, text: str) -> None:
        for line in text.splitlines():
            # never wrapped: it is there to be copied
            self.console.print(Text("      ").append(line, style="bold"), soft_wrap=True)

    def rest(self) -> None:
        for status, title in (("skipped", "skipped-title"), ("crashed", "crashed-title")):
            rows = [c for c in self.report.checks if c.status == status]
            if not rows:
                continue
            self.blank()
            self.put(self.say(title), style="bold dim" if status == "skipped" else "bold red")
            reasons: dict[str, list[str]] = {}
            for row in rows:
                reasons.setdefault(row.reason or "", []).append(row.code)
            for reason, codes in reasons.items():
                self.put(Text(", ".join(codes), style="dim").append(f"  {reason}", style="dim"), 2, hang=2)

    def summary(self) -> None:
        s = self.report.summary
        counts = {"error": s.error, "warning": s.warning, "info": s.info}
        text = self.say("summary", **counts, passed=s.passed, failed=s.failed, skipped=s.skipped, checks=len(self.report.checks))
        for key, count in (("summary-crashed", s.crashed), ("summary-suppressed", s.suppressed)):
            if count:
                text += " · " + self.say(key, crashed=s.crashed, suppressed=s.suppressed)
        self.blank()
        worst = next((k for k in ("error", "warning") if counts[k]), None)
        self.put(Text(text, style=STYLES[worst] if worst else "bold green"))


def visible_line(line: str) -> str:
    """A quoted line with tabs as one blank, so that the caret stands right, and other invisible characters as code points."""
    return visible(line.replace("\t", " ")) if len(line) < 60 else line.replace("\t", " ")


def _place(finding: ReportedFinding) -> str:
    at = finding.location
    if at.file == OVERRIDE_FILE:
        return f"-o #{at.line}"
    return ":".join(str(part) for part in (at.file, at.line, at.column) if part is not None)


def _token_width(line: str, column: int) -> int:
    token = line[column:].split(" #")[0].rstrip()
    return max(1, min(cell_len(token), 40))


def _yaml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
