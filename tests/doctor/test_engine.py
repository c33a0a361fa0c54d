from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.base import COLLECTORS, Fact, Request, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.model import ANY, EVAL, TRAIN, Finding, Location, NotApplicable
from checks.registry import Check, check
from doctor import engine
from doctor.engine import CheckFinished, Diagnosis, FactFinished, FactSlow, FactStarted, RequestRefused, diagnose

CALLS: list[str] = []


class Good(Fact, frozen=True):
    value: int


class Derived(Fact, frozen=True):
    value: int


class Absent(Fact, frozen=True):
    value: int


class Buggy(Fact, frozen=True):
    value: int


class Hanging(Fact, frozen=True):
    value: int


class Chicken(Fact, frozen=True):
    value: int


class Egg(Fact, frozen=True):
    value: int


@pytest.fixture(autouse=True)
def _facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(COLLECTORS)
    CALLS.clear()

    @collects(Good, deadline=5)
    def good(request: Request) -> Good:
        CALLS.append("good")
        return Good(1)

    @collects(Derived, deadline=5)
    def derived(good: Good, config: TrainingConfig) -> Derived:
        CALLS.append("derived")
        return Derived(good.value + 1)

    @collects(Absent, deadline=5)
    def absent() -> Absent:
        raise Unreadable("file-missing", file="nowhere.txt")

    @collects(Buggy, deadline=5)
    def buggy() -> Buggy:
        raise ZeroDivisionError("oops")

    @collects(Hanging, deadline=0.15)
    def hanging() -> Hanging:
        threading.Event().wait(30)
        return Hanging(1)

    @collects(Chicken, deadline=1)
    def chicken(egg: Egg) -> Chicken:
        return Chicken(1)

    @collects(Egg, deadline=1)
    def egg(chicken: Chicken) -> Egg:
        return Egg(1)

    yield
    COLLECTORS.clear()
    COLLECTORS.update(before)


@check("TST101", name="fires", stages=ANY)
def fires(derived: Derived, good: Good) -> Iterator[Finding]:
    yield Finding(at=Location("x", 1), derived=derived.value, good=good.value)


@check("TST102", name="needs-absent", stages=ANY)
def needs_absent(absent: Absent) -> Iterator[Finding]:
    yield Finding(at=Location("x"))


@check("TST103", name="can-do-without", stages=ANY)
def can_do_without(good: Good, absent: Absent | None) -> Iterator[Finding]:
    if absent is None:
        yield Finding(at=Location("x"), good=good.value)


@check("TST104", name="crashes", stages=ANY)
def crashes(good: Good) -> Iterator[Finding]:
    yield Finding(at=Location("x"))
    raise KeyError("lost")


@check("TST105", name="not-applicable", stages=ANY)
def not_applicable(good: Good) -> Iterator[Finding]:
    raise NotApplicable("no-class-num")
    yield


@check("TST106", name="hangs", stages=ANY)
def hangs(hanging: Hanging) -> Iterator[Finding]:
    yield Finding(at=Location("x"))


@check("TST107", name="eval-only", stages=EVAL)
def eval_only() -> Iterator[Finding]:
    yield Finding(at=Location("x"))


@check("TST108", name="buggy-fact", stages=TRAIN)
def buggy_fact(buggy: Buggy) -> Iterator[Finding]:
    yield Finding(at=Location("x"))


@check("TST109", name="circle", stages=TRAIN)
def circle(chicken: Chicken) -> Iterator[Finding]:
    yield Finding(at=Location("x"))


def run(tmp_path: Path, *checks: Check, stage: str = "train", **how: object) -> Diagnosis:
    (tmp_path / "c.yaml").write_text("Arch: {name: ResNet50}\n")
    return diagnose(Request("c.yaml", stage=stage), checks, world=World(cwd=str(tmp_path)), **how)  # type: ignore[arg-type]


def test_facts_are_injected_and_each_is_collected_once(tmp_path: Path) -> None:
    (first, second) = run(tmp_path, fires, can_do_without).results
    assert first.findings[0].evidence == {"derived": 2, "good": 1}
    assert (first.status, second.status) == ("failed", "failed")
    assert sorted(CALLS) == ["derived", "good"]


def test_a_missing_fact_skips_the_check_and_is_named(tmp_path: Path) -> None:
    (result,) = run(tmp_path, needs_absent).results
    assert result.status == "skipped"
    assert result.reason is not None
    assert (result.reason.reason, result.reason.values) == ("file-missing", {"file": "nowhere.txt"})


def test_a_crash_stays_alone(tmp_path: Path) -> None:
    bad, good = run(tmp_path, crashes, fires).results
    assert (bad.status, bad.findings, good.status) == ("crashed", [], "failed")
    assert bad.crash is not None
    assert "KeyError" in bad.crash


def test_a_check_that_does_not_apply_is_skipped_with_its_reason(tmp_path: Path) -> None:
    (result,) = run(tmp_path, not_applicable).results
    assert result.status == "skipped"
    assert result.reason is not None
    assert result.reason.reason == "no-class-num"


def test_a_hanging_fact_is_left_at_its_deadline(tmp_path: Path) -> None:
    start = time.monotonic()
    late, fine = run(tmp_path, hangs, fires).results
    assert late.status == "skipped"
    assert late.reason is not None
    assert late.reason.reason == "deadline"
    assert fine.status == "failed"
    assert time.monotonic() - start < 20


def test_a_slow_fact_is_named_while_it_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SLOW_AFTER", 0.05)
    events: list[object] = []
    run(tmp_path, hangs, listener=events.append)
    slow = [e for e in events if isinstance(e, FactSlow)]
    assert [e.fact for e in slow] == ["Hanging"]
    assert any(isinstance(e, FactFinished) and e.fact == "Hanging" and not e.available for e in events)


def test_a_bug_in_a_collector_is_said_to_be_ours(tmp_path: Path) -> None:
    (result,) = run(tmp_path, buggy_fact).results
    assert result.reason is not None
    assert result.reason.reason == "collector-crashed"
    assert "ZeroDivisionError" in result.reason.values["error"]


def test_stages_choose_the_checks(tmp_path: Path) -> None:
    assert run(tmp_path, eval_only).results == []
    assert [r.check.code for r in run(tmp_path, eval_only, stage="eval").results] == ["TST107"]


def test_facts_that_need_each_other_are_a_bug_and_not_a_hang(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="circle"):
        run(tmp_path, circle)


def test_events_come_in_order(tmp_path: Path) -> None:
    events: list[object] = []
    run(tmp_path, fires, listener=events.append)
    started = [e.fact for e in events if isinstance(e, FactStarted)]
    assert started == ["TrainingConfig", "Good", "Derived"]
    assert isinstance(events[-1], CheckFinished)


def test_a_config_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused) as caught:
        diagnose(Request("gone.yaml"), [fires], world=World(cwd=str(tmp_path)))
    assert "gone.yaml" in caught.value.line
