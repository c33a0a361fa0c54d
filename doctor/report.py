"""The report: a diagnosis put into words. Its records are the JSON that others build on, so a change of meaning needs a new `schema_version`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from checks.facts.base import Request, World
from checks.facts.machine import SharedMemory
from checks.model import Finding, Fix, Location, Severity, Unavailable
from checks.registry import Check, Registry, matches
from doctor.engine import Diagnosis, Status
from doctor.hider import Hider
from doctor.settings import Level
from doctor.suppression import suppress
from knowledge.pages import Case, Page, page
from knowledge.phrases import phrase
from knowledge.template import fill

SCHEMA_VERSION = 1

SeverityName = Literal["error", "warning", "info"]


class Tool(msgspec.Struct, frozen=True):
    """Who wrote the report."""

    name: str
    version: str


class ContainerInfo(msgspec.Struct, frozen=True):
    """The container that was asked for, as its daemon or a file (`file`) tells of it; `shm` in bytes, None where that does not tell.

    `shm_free_known` is False where it could not be measured how much of its /dev/shm is in use: it is then judged as if all of it were free.
    `problem` says why it could not be asked; then nothing else is known of it.
    """

    name: str
    source: str
    image: str | None = None
    state: str | None = None
    ipc: str | None = None
    shm: int | None = None
    file: str | None = None
    shm_free_known: bool = True
    problem: str | None = None


class ConfigInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was checked: the file, its layout, where relative paths count from and why, the overrides, and the facts that were assumed.

    `container` is there where one was asked for: `file` and `root` are then paths in it (for an image or a file of settings: on this machine).
    """

    file: str
    generation: str
    stage: str
    root: str
    root_reason: str
    overrides: list[str]
    assumed: dict[str, float]
    container: ContainerInfo | None = None


class Summary(msgspec.Struct, frozen=True):
    """The counts of a run: findings by severity, suppressed ones, and checks by status."""

    error: int
    warning: int
    info: int
    suppressed: int
    passed: int
    failed: int
    skipped: int
    crashed: int


class ReportedFix(msgspec.Struct, frozen=True, omit_defaults=True):
    """A way out: `kind` edit (set `key` of `file` to `value`), command (run it) or advice (text, or a `snippet` of YAML to copy)."""

    title: str
    safety: Literal["safe", "unsafe"]
    kind: Literal["edit", "command", "advice"]
    file: str | None = None
    key: str | None = None
    value: Any = None
    command: str | None = None
    snippet: str | None = None


class ReportedFinding(msgspec.Struct, frozen=True):
    """One problem in words: where it stands, the measured numbers (`evidence`), why it matters, and the ways out."""

    code: str
    name: str
    severity: SeverityName
    entry: str
    message: str
    because: str
    location: Location
    evidence: dict[str, Any]
    fixes: list[ReportedFix]


class ReportedCheck(msgspec.Struct, frozen=True):
    """What became of one check.

    `seconds` is its own time in tenths, without that of the facts, so that equal runs give equal bytes. `applies` is False where the config
    has nothing of the kind that the rule looks at; a check that was skipped and does apply could not measure what it needs.
    """

    code: str
    status: Status
    reason: str | None
    seconds: float
    applies: bool = True


class Report(msgspec.Struct, frozen=True):
    """The outcome of one run, ordered: findings by severity, code and place; checks by code."""

    schema_version: int
    tool: Tool
    config: ConfigInfo
    summary: Summary
    findings: list[ReportedFinding]
    checks: list[ReportedCheck]


def build_report(
    diagnosis: Diagnosis, registry: Registry, lang: str, version: str, severities: dict[str, Level] | None = None, judge_unused: bool = True
) -> tuple[Report, list[str]]:
    """Word a diagnosis in a language; also returns the tracebacks of checks that crashed.

    `severities` maps codes, names or prefixes to the user's own severity; `off` drops a rule's findings.
    """
    config = diagnosis.config
    hide, inside = Hider(config.sysroot), _commands_for(diagnosis.request.container if config.sysroot else None)
    known = [*registry.checks.values()]
    hidden = suppress(diagnosis.results, config, known, judge_unused)
    findings: list[ReportedFinding] = []
    crashes: list[str] = []
    checks: list[ReportedCheck] = []
    pages: dict[str, Page] = {}
    for result in diagnosis.results:
        status, reason = result.status, result.reason
        try:
            worded = [_word(inside(hide(finding)), result.check, pages, lang, severities or {}) for finding in result.findings]
            findings += [finding for finding in worded if finding is not None]
        except Exception as error:  # a page that does not fit its check is our bug, like a crash of the check
            import traceback

            status = "crashed"
            crashes.append(traceback.format_exc())
            reason = Unavailable("check-crashed", {"error": f"{type(error).__name__}: {error}"})
        if result.crash:
            crashes.append(result.crash)
        text = phrase(reason.reason, lang, **hide.plain(reason.values)) if reason else None
        applies = reason is None or status != "skipped" or _unmeasured(reason.reason)
        checks.append(ReportedCheck(result.check.code, status, text, round(result.seconds, 1), applies))
    findings.sort(key=_order)
    counts = {severity.value: sum(f.severity == severity.value for f in findings) for severity in Severity}
    statuses = {status: sum(c.status == status for c in checks) for status in ("passed", "failed", "skipped", "crashed")}
    info = ConfigInfo(
        file=config.file,
        generation=config.generation,
        stage=config.stage,
        root=hide.plain(config.root),
        root_reason=config.root_reason,
        overrides=list(diagnosis.request.overrides),
        assumed=_assumed(diagnosis.request),
        container=_container(diagnosis, lang),
    )
    summary = Summary(**counts, suppressed=len(hidden), **statuses)
    return Report(SCHEMA_VERSION, Tool("paddle-doctor", version), info, summary, findings, checks), crashes


UNMEASURED = frozenset({
    "deadline", "collector-crashed", "no-collector", "no-labels-read", "no-train-labels", "no-samples-known", "no-images-read", "no-image-sizes",
    "no-image-decoder", "images-not-opened", "images-off", "no-paddle", "no-shared-memory", "no-free-space", "no-routes", "no-roles-read",
    "shape-unknown", "model-input-unknown", "model-size-unknown", "twins-not-compared", "images-in-container", "no-python",
    "folder-not-listed", "docker-sdk-missing", "probe-elsewhere", "path-not-seen",
})  # fmt: skip
"""Reasons that say: this could not be found out. All others say that there is nothing of the kind to look at."""


def _unmeasured(reason: str) -> bool:
    return reason in UNMEASURED or reason.startswith(("file-", "config-", "daemon-", "container-", "shm-not-told", "packages-of-image"))


def _commands_for(container: str | None) -> Callable[[Finding], Finding]:
    """Lets commands of ours look into the container again."""

    def again(fix: Fix) -> Fix:
        if container is None or not (fix.command or "").startswith(_CHECK):
            return fix
        rest = (fix.command or "").removeprefix(_CHECK)
        return msgspec.structs.replace(fix, command=f"{_CHECK}--container {shlex.quote(container)} {rest}")

    def turn(finding: Finding) -> Finding:
        if container is None:
            return finding
        fixes = tuple(again(fix) for fix in finding.fixes)
        return Finding(at=finding.at, via=finding.via, case=finding.case, fixes=fixes, **finding.evidence)

    return turn


_CHECK = "paddle-doctor check "


def _container(diagnosis: Diagnosis, lang: str) -> ContainerInfo | None:
    world = diagnosis.facts[World]
    if world.lost is not None:
        return ContainerInfo(diagnosis.request.container or "", "docker", problem=phrase(world.lost.reason, lang, **world.lost.values))
    told = world.settings
    if told is None:
        return None
    shm = diagnosis.facts.get(SharedMemory)
    known = not isinstance(shm, SharedMemory) or shm.free_known
    return ContainerInfo(told.name, told.source, told.image, told.state, told.ipc, told.shm, told.file, known)


def _assumed(request: Request) -> dict[str, float]:
    return {k: v for k, v in msgspec.structs.asdict(request.assumed).items() if v is not None}


def _order(finding: ReportedFinding) -> tuple[Any, ...]:
    at = finding.location
    return (Severity(finding.severity).rank, finding.code, at.file, at.line or 0, at.column or 0, at.key or "", finding.message)


def _word(finding: Finding, rule: Check, pages: dict[str, Page], lang: str, severities: dict[str, Level]) -> ReportedFinding | None:
    found = pages.get(rule.code) or pages.setdefault(rule.code, page(rule.code, rule.pages))
    case: Case = found.case(finding.case)
    severity = case.severity
    for pattern, level in severities.items():
        if matches(rule.code, rule.name, pattern):
            severity = level
    if severity == "off":
        return None
    evidence = {key: value for key, value in finding.evidence.items() if value is not None}
    values = dict(finding.evidence)
    return ReportedFinding(
        code=rule.code,
        name=rule.name,
        severity=severity,  # type: ignore[arg-type]  # the page's severities are checked by a test
        entry=found.entry,
        message=fill(case.zh if lang == "zh" else case.en, values),
        because=found.because.get(lang),
        location=finding.at,
        evidence=evidence,
        fixes=[_word_fix(fix, found, values, lang) for fix in finding.fixes],
    )


def _word_fix(fix: Fix, found: Page, values: dict[str, Any], lang: str) -> ReportedFix:
    title = fill(found.fixes[fix.id].get(lang), {**values, **fix.values})
    at = fix.at
    return ReportedFix(
        title=title,
        safety=fix.safety,
        kind=fix.kind,
        file=at.file if at else None,
        key=at.key if at else None,
        value=fix.value,
        command=fix.command,
        snippet=fix.snippet,
    )
