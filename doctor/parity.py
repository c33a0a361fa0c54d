"""One comparison of infer and predict, from request to report."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import msgspec

from checks.facts.base import ParityRequest
from checks.facts.deploy_config import DeployConfig
from checks.facts.parity import Parity
from checks.facts.printed_pair import PrintedPair
from checks.model import Unavailable
from checks.parity_outputs import pair_agreement
from checks.parity_remedies import precision_of, whole_agreement
from checks.parity_statistics import TOLERANCES, Agreement, Precision
from doctor.engine import Listener, RequestRefused
from doctor.report import ConfigInfo, ReportedCheck, ReportedFinding, Summary, Tool
from doctor.run import Run, run_check
from doctor.settings import Settings

SCHEMA_VERSION = 1
RULES = ("PAR",)

Mode = Literal["ladder", "outputs", "scripts"]


class ParityReport(msgspec.Struct, frozen=True):
    """What a comparison came to.

    `agreement` is that of both sides as they run, over the images that both have a result of; its `tolerance` is the default of `precision`,
    and `needed` the one that all scores would have passed. `ladder` is what was measured rung by rung, `outputs` what was read of two files or
    programs. `first` names the first rung that differs. `picture` is the file that was written, `scale` by how much the difference in it is
    amplified.
    """

    schema_version: int
    tool: Tool
    mode: Mode
    config: ConfigInfo
    precision: Precision
    agreement: Agreement | None
    needed: float | None
    first: str | None
    summary: Summary
    findings: list[ReportedFinding]
    checks: list[ReportedCheck]
    ladder: Parity | None = None
    outputs: PrintedPair | None = None
    picture: str | None = None
    scale: float | None = None


def run_parity(
    config: str,
    overrides: tuple[str, ...] = (),
    *,
    parity: ParityRequest,
    root: str | None = None,
    lang: str | None = None,
    deploy_config: str | None = None,
    weights: str | None = None,
    inference_model: str | None = None,
    python: str | None = None,
    fail_on: str | None = None,
    settings: Settings | None = None,
    listener: Listener | None = None,
    keep: contextlib.ExitStack | None = None,
) -> Run:
    """Run both sides, or read two outputs, and judge what was found.

    Raises:
        RequestRefused: it cannot be served.
    """
    done = run_check(
        config,
        overrides,
        stage="infer",
        root=root,
        lang=lang,
        select=RULES,
        deploy_config=deploy_config,
        weights=weights,
        inference_model=inference_model,
        images="off",
        cache=False,
        python=python,
        fail_on=fail_on,
        settings=settings,
        listener=listener,
        keep=keep,
        parity=parity,
    )
    fact = done.diagnosis.facts.get(PrintedPair if mode_of(parity) != "ladder" else Parity)
    if isinstance(fact, Unavailable):
        refused = RequestRefused(fact.reason, **fact.values)
        refused.lang = lang or "en"
        raise refused
    return done


def mode_of(parity: ParityRequest) -> Mode:
    """What is compared: both sides as we run them, two outputs, or two programs."""
    return "outputs" if parity.outputs else "scripts" if parity.scripts else "ladder"


def parity_report(done: Run, picture: str | None = None, scale: float | None = None) -> ParityReport:
    """The report of a finished comparison."""
    request = done.diagnosis.request.parity
    assert request is not None
    ladder, pair = (fact_of(done, kind) for kind in (Parity, PrintedPair))
    precision = precision_of(ladder, fact_of(done, DeployConfig))
    tolerance = TOLERANCES[precision]
    found = whole_agreement(ladder, tolerance) if ladder is not None else pair_agreement(pair, tolerance) if pair is not None else None
    report = done.report
    return ParityReport(
        SCHEMA_VERSION,
        report.tool,
        mode_of(request),
        report.config,
        precision,
        found,
        found.needed if found is not None else None,
        ladder.first.name if ladder is not None and ladder.first is not None else None,
        report.summary,
        report.findings,
        report.checks,
        ladder,
        pair,
        picture,
        scale,
    )


def fact_of(done: Run, kind: type) -> Any:
    """A fact of the run, None where it could not be had."""
    fact = done.diagnosis.facts.get(kind)
    return None if isinstance(fact, Unavailable) else fact
