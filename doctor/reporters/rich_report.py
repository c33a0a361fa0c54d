"""The report for a person: grouped, the culprit quoted, numbers before words, remedies to copy, a summary last."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from rich.cells import cell_len

from checks.facts.label_lines import visible
from checks.model import OVERRIDE_FILE
from doctor.report import Report, ReportedFinding, ReportedFix
from doctor.reporters.layout import Segment, wrap, write
from doctor.run import Run
from doctor.source import quote
from doctor.terminal import terminal_width
from knowledge.phrases import phrase
from knowledge.template import size

STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}
MARKS = {"error": "✗", "warning": "!", "info": "i"}
MIN_WIDTH = 60
Middle = Callable[[int], list[list[Segment]]]
LONGEST_CARET = 40
SHOWN_OF_A_RULE = 5
"""How many findings of one rule are shown before the rest is counted."""


def render(
    done: Run,
    lang: str,
    *,
    quiet: bool = False,
    everything: bool = False,
    color: bool = True,
    file: TextIO | None = None,
    width: int | None = None,
    middle: Middle | None = None,
) -> None:
    """Print a report to `file` (stdout by default); colours only on a terminal, without NO_COLOR, and if `color`."""
    out = file or sys.stdout
    write(compose(done, lang, width or terminal_width(), quiet=quiet, everything=everything, middle=middle), out, color)


def compose(
    done: Run, lang: str, width: int, *, quiet: bool = False, everything: bool = False, middle: Middle | None = None
) -> list[list[Segment]]:
    """The report as styled lines; of a rule that found more than `SHOWN_OF_A_RULE` the rest is counted, unless `everything` is wanted.

    `middle` makes lines of a given width that come before the findings.
    """
    paper = _Paper(done, lang, max(MIN_WIDTH, width), None if everything else SHOWN_OF_A_RULE)
    if quiet:
        paper.one_line_each()
    else:
        paper.head()
        if middle is not None:
            paper.page += middle(paper.width)
        paper.findings()
        paper.unchecked()
        paper.summary()
    return paper.page


class _Paper:
    def __init__(self, done: Run, lang: str, width: int, most: int | None) -> None:
        self.report: Report = done.report
        self.most = most
        self.cwd = done.cwd
        self.sysroot = done.diagnosis.config.sysroot
        self.lang = lang
        self.width = width
        self.page: list[list[Segment]] = []

    def say(self, key: str, **values: Any) -> str:
        return phrase(key, self.lang, **values)

    def put(self, *segments: Segment, indent: int = 0, hang: int = 0) -> None:
        """Put text down wrapped to the width, indented; its further lines by `hang` more."""
        for number, line in enumerate(wrap(list(segments), max(20, self.width - indent - hang))):
            self.page.append([(" " * (indent + (hang if number else 0)), ""), *line])

    def blank(self) -> None:
        self.page.append([])

    def one_line_each(self) -> None:
        serious = [finding for finding in self.report.findings if finding.severity != "info"]
        for found in _by_rule(serious):
            for finding in found[: self.most]:
                text = f"{_place(finding)}: {self.say('severity-' + finding.severity)} {finding.code} {finding.message}"
                self.page.append([(text, "")])
            if found[len(found[: self.most]) :]:
                self.page.append([(self.left_out(found), "")])

    def head(self) -> None:
        config = self.report.config
        parts = (config.file, self.say(f"generation-{config.generation}"), self.say("stage", stage=self.say(f"stage-{config.stage}")))
        self.put(("paddle-doctor", "bold"), (f" {self.report.tool.version} · {' · '.join(parts)}", ""))
        self.container()
        self.put((self.say(f"root-{config.root_reason}", root=config.root), "dim"))
        if config.overrides:
            self.put((self.say("overridden", options="  ".join(f"-o {o}" for o in config.overrides)), "dim"))
        if config.assumed:
            shown = ", ".join(f"{k}={size(v) if k in ('shm', 'memory') else f'{v:g}'}" for k, v in config.assumed.items())
            self.put((self.say("assumed", facts=shown), "dim"))

    def container(self) -> None:
        """Where it was looked, if that was not here."""
        told = self.report.config.container
        if told is None:
            return
        if told.problem is not None:
            self.put((self.say("looked-lost", name=told.name, why=told.problem), "bold yellow"))
        elif told.state == "image":
            self.put((self.say("looked-image", name=told.name), "bold"))
        elif told.state == "file":
            self.put((self.say(f"looked-{told.source}", name=told.name, file=told.file), "bold"))
        else:
            state = self.say(f"state-{told.state}")
            values = {"name": told.name, "image": told.image or "?", "state": state, "ipc": told.ipc}
            self.put((self.say("looked-container", **values), "bold"))
        if not told.shm_free_known:
            self.put((self.say("shm-free-unknown"), "bold yellow"))

    def findings(self) -> None:
        if not self.report.findings:
            self.blank()
            self.put((self.say("healthy"), "bold green"))
        # findings come worst first, so the family of the worst leads
        for family in dict.fromkeys(finding.code.rstrip("0123456789") for finding in self.report.findings):
            self.blank()
            try:
                title = self.say(f"family-{family}")
            except KeyError:  # a plug-in's own family
                title = family
            self.page.append([(f"── {title} ", "bold"), ("─" * max(0, self.width - cell_len(title) - 4), "dim")])
            for found in _by_rule([f for f in self.report.findings if f.code.rstrip("0123456789") == family]):
                self.rule(found)

    def rule(self, found: list[ReportedFinding]) -> None:
        """What one rule found; why it matters is said once, unless it differs."""
        shown = found[: self.most]
        for number, finding in enumerate(shown):
            last = number == len(shown) - 1
            self.finding(finding, explain=last or finding.because != shown[number + 1].because)
        if len(found) > len(shown):
            self.blank()
            self.put((self.left_out(found), "bold"), indent=2)

    def left_out(self, found: list[ReportedFinding]) -> str:
        rest = found[self.most :]
        files = len({finding.location.file for finding in rest})
        return self.say("more-findings", count=len(rest), code=found[0].code, name=found[0].name, files=files)

    def finding(self, finding: ReportedFinding, explain: bool = True) -> None:
        style = STYLES[finding.severity]
        self.blank()
        mark = f"{MARKS[finding.severity]} {self.say('severity-' + finding.severity)} "
        self.put((mark, style), (finding.code, "bold"), (f" {finding.name}", "dim"))
        key = finding.location.key
        self.put((_place(finding), "cyan"), (f"  {key}" if key else "", "dim"), indent=2, hang=2)
        self.quote(finding)
        self.put((finding.message, ""), indent=2)
        if explain:
            self.labelled("why", finding.because, "dim")
        for fix in finding.fixes:
            self.fix(fix)
        if explain:
            self.labelled("more", f"paddle-doctor faq show {finding.entry} · paddle-doctor rule {finding.code}", "dim")

    def labelled(self, key: str, text: str, style: str = "") -> None:
        name = self.say(key)
        self.put((f"{name}  ", "bold dim" if style else "bold green"), (text, style), indent=2, hang=cell_len(name) + 2)

    def quote(self, finding: ReportedFinding) -> None:
        at = finding.location
        line = quote(at, self.report.config.file, self.cwd, self.report.config.root, self.report.config.overrides, self.sysroot)
        if line is None:
            return
        on_command_line = at.file == OVERRIDE_FILE
        gutter = "  -o │ " if on_command_line else f"  {at.line} │ "
        start, room = (at.column or 1) - 1, self.width - cell_len(gutter)
        before, culprit, after = line[:start], _token(line[start:]), ""
        after = line[start + len(culprit) :]
        before, culprit, after = (visible(part.replace("\t", " "), longest=None) for part in (before, culprit, after))
        while cell_len(before) + min(cell_len(culprit), LONGEST_CARET) > room and before:
            before = before[1:]  # keep the culprit in sight
        shown = before + culprit + after
        while cell_len(shown) > room:
            shown = shown[:-1]
        self.page.append([(gutter, "dim"), (shown, "")])
        if at.column is not None and not on_command_line:
            carets = max(1, min(cell_len(culprit), LONGEST_CARET, room - cell_len(before)))
            self.page.append([(" " * (cell_len(gutter) + cell_len(before)), ""), ("^" * carets, STYLES[finding.severity])])

    def fix(self, fix: ReportedFix) -> None:
        look = fix.safety == "unsafe" and fix.kind != "advice"
        self.labelled("fix", f"{fix.title} ({self.say('fix-unsafe')})" if look else fix.title)
        code = fix.command or fix.snippet
        if code is None and fix.kind == "edit" and fix.key:
            value = json.dumps(fix.value, ensure_ascii=False)
            code = f"-o {fix.key}={value}" if fix.file == OVERRIDE_FILE else f"{fix.key}: {value}"
        for line in (code or "").splitlines():
            self.page.append([("      ", ""), (line, "bold")])  # never wrapped: it is there to be copied

    def unchecked(self) -> None:
        """What could not be found out, and why; rules that have nothing to look at are counted, or with `--all` told too."""
        idle = [row.code for row in self.report.checks if not row.applies and self.most is not None]
        for status, title, style in (("skipped", "skipped-title", "bold dim"), ("crashed", "crashed-title", "bold red")):
            reasons: dict[str, list[str]] = {}
            for row in self.report.checks:
                if row.status == status and row.code not in idle:
                    reasons.setdefault(row.reason or "", []).append(row.code)
            if reasons:
                self.blank()
                self.put((self.say(title), style))
            for reason, codes in reasons.items():
                self.put((f"{', '.join(codes)}  {reason}", "dim"), indent=2, hang=2)
        if idle:
            self.blank()
            self.put((self.say("not-applicable", count=len(idle)), "dim"))

    def summary(self) -> None:
        s = self.report.summary
        counts = {"error": s.error, "warning": s.warning, "info": s.info}
        text = self.say("summary", **counts, passed=s.passed, failed=s.failed, skipped=s.skipped, checks=len(self.report.checks))
        for key, count in (("summary-crashed", s.crashed), ("summary-suppressed", s.suppressed)):
            if count:
                text += " · " + self.say(key, crashed=s.crashed, suppressed=s.suppressed)
        self.blank()
        worst = next((k for k in ("error", "warning") if counts[k]), None)
        self.put((text, STYLES[worst] if worst else "bold green"))


def _by_rule(findings: list[ReportedFinding]) -> list[list[ReportedFinding]]:
    """The findings of each rule together; they come worst first, and so do the rules."""
    groups: dict[tuple[str, str], list[ReportedFinding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.code), []).append(finding)
    return list(groups.values())


def _place(finding: ReportedFinding) -> str:
    at = finding.location
    if at.file == OVERRIDE_FILE:
        return f"-o #{at.line}"
    return ":".join(str(part) for part in (at.file, at.line, at.column) if part is not None)


def _token(text: str) -> str:
    """The scalar at the start of a text: to the end of the line or to its comment."""
    return text.partition(" #")[0].rstrip() or text[:1]
