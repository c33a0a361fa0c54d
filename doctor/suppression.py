"""`# paddle-doctor: ignore[LAB102] reason` comments: which findings they hide, and which of them hide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checks.facts.training_config import TrainingConfig
from checks.facts.yaml_comments import Suppression
from checks.model import ANY, Finding, Fix, Location
from checks.registry import Check, check, matches
from doctor.engine import CheckResult


@check("CFG191", name="unused-suppression", stages=ANY)
def unused_suppression() -> Iterator[Finding]:
    """A suppression that hides nothing, gives no reason or names no rule. Judged by `suppress`, once all other checks have run."""
    yield from ()


def suppress(
    results: list[CheckResult], config: TrainingConfig, known: Iterable[Check], judge_unused: bool
) -> list[tuple[CheckResult, Finding]]:
    """Take the findings that a comment hides out of the results, and add a result for `CFG191`; returns what was taken out.

    A comment holds for findings at its line, and for those in a file that the line names (a label file). One whose rules were not all run
    cannot be called unused.
    """
    comments = config.tree.suppressions
    used: set[Suppression] = set()
    hidden: list[tuple[CheckResult, Finding]] = []
    for result in results:
        for finding in list(result.findings):
            for comment in comments:
                if _covers(comment, result.check, finding, config.file):
                    used.add(comment)
                    if comment.reason:
                        result.findings.remove(finding)
                        hidden.append((result, finding))
                        break
        if result.status == "failed" and not result.findings:
            result.status = "passed"
    if judge_unused:
        findings = list(_unused(comments, used, results, list(known), config.file))
        results.append(CheckResult(unused_suppression, "failed" if findings else "passed", findings))
        results.sort(key=lambda r: r.check.code)
    return hidden


def _covers(comment: Suppression, rule: Check, finding: Finding, file: str) -> bool:
    if not any(matches(rule.code, rule.name, pattern) for pattern in comment.rules):
        return False
    if comment.covers is None:
        return True
    return any(place is not None and place.file == file and place.line == comment.covers for place in (finding.at, finding.via))


def _unused(
    comments: tuple[Suppression, ...], used: set[Suppression], results: list[CheckResult], known: list[Check], file: str
) -> Iterator[Finding]:
    judged = {result.check.code for result in results if result.status in ("passed", "failed")}
    for comment in comments:
        at = Location(file, comment.line, None)
        rules = list(comment.rules)
        remove = (Fix("remove", "advice", "safe"),)
        unknown = [r for r in rules if not any(matches(k.code, k.name, r) for k in known)]
        if unknown or not rules:
            yield Finding(at=at, case="unknown-rule", fixes=remove, rules=unknown, line=comment.line)
        elif not comment.reason:
            yield Finding(at=at, case="no-reason", rules=rules, line=comment.line)
        elif comment not in used and all(k.code in judged for k in known if any(matches(k.code, k.name, r) for r in rules)):
            yield Finding(at=at, fixes=remove, rules=rules, line=comment.line)
