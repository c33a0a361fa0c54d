"""Facts are collected each once, in parallel and with a deadline; checks are run, skipped with a reason, and kept from each other's crashes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import COLLECTORS, Collector, Fact, Request, Unreadable, World
from checks.facts.training_config import TrainingConfig
from checks.model import ANY, DEPLOY, TRAIN, Finding, Location, NotApplicable, Stage, Unavailable
from checks.registry import Check, check
from doctor import engine
from doctor.engine import CheckFinished, Diagnosis, Event, FactFinished, FactSlow, FactStarted, RequestRefused, diagnose
from tests.projects import CONFIG, Project


class Red(Fact, frozen=True):
    """A fact of these tests; so are the others."""

    value: int = 1


class Green(Fact, frozen=True):
    value: int = 2


class Amber(Fact, frozen=True):
    value: int = 3


class NeverRegistered(Fact, frozen=True):
    pass


Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    def add(fact: type, function: Callable[..., Any], deadline: float = 10.0) -> None:
        monkeypatch.setitem(COLLECTORS, fact, Collector(fact, function, deadline))

    return add


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Diagnosis]:
    """Runs checks over a config without a fault."""
    Project(tmp_path, "modern")

    def go(*checks: Check, stage: Any = "train", listener: Any = None) -> Diagnosis:
        return diagnose(Request(CONFIG, stage=stage), checks, world=World(cwd=str(tmp_path)), listener=listener)

    return go


def finding(**evidence: Any) -> Finding:
    return Finding(at=Location(CONFIG, 1), **evidence)


@check("TST101", name="takes-red")
def takes_red(red: Red) -> Iterator[Finding]:
    yield finding(value=red.value)


@check("TST102", name="takes-green")
def takes_green(green: Green) -> Iterator[Finding]:
    yield finding(value=green.value)


@check("TST103", name="takes-red-and-maybe-green")
def takes_red_and_maybe_green(red: Red, green: Green | None) -> Iterator[Finding]:
    yield finding(red=red.value, green=green and green.value)


@check("TST104", name="takes-nothing-and-finds-nothing")
def takes_nothing() -> Iterator[Finding]:
    yield from ()


@check("TST105", name="crashes")
def crashes(config: TrainingConfig) -> Iterator[Finding]:
    yield finding()
    raise ZeroDivisionError("one by zero")


@check("TST106", name="does-not-apply")
def does_not_apply(config: TrainingConfig) -> Iterator[Finding]:
    raise NotApplicable("no-vocabulary", generation=config.generation)
    yield


@check("TST107", name="deploy-only", stages=DEPLOY)
def deploy_only() -> Iterator[Finding]:
    yield from ()


@check("TST108", name="takes-amber")
def takes_amber(amber: Amber) -> Iterator[Finding]:
    yield finding(value=amber.value)


@check("TST109", name="takes-what-nobody-collects")
def takes_what_nobody_collects(fact: NeverRegistered) -> Iterator[Finding]:
    yield from ()


def red() -> Red:
    return Red()


def green() -> Green:
    return Green()


def green_of_red(red: Red) -> Green:
    return Green(red.value + 10)


def amber_of_green(green: Green) -> Amber:
    return Amber(green.value + 100)


def red_of_amber(amber: Amber) -> Red:
    return Red(amber.value)


def amber_of_red(red: Red) -> Amber:
    return Amber(red.value + 100)


def unreadable() -> Red:
    raise Unreadable("file-missing", file="red.txt")


def broken() -> Red:
    raise LookupError("our mistake")


# statuses


def test_check_gets_the_facts_that_its_parameters_name(run: Any, register: Register) -> None:
    register(Red, red)
    register(Green, green_of_red)
    done = run(takes_red, takes_red_and_maybe_green, takes_nothing)
    assert [r.status for r in done.results] == ["failed", "failed", "passed"]
    assert [f.evidence for r in done.results for f in r.findings] == [{"value": 1}, {"red": 1, "green": 11}]
    assert isinstance(done.config, TrainingConfig)
    assert done.facts[Green] == Green(11)


def test_check_is_skipped_with_the_reason_of_the_missing_fact(run: Any, register: Register) -> None:
    register(Red, unreadable)
    register(Green, green)
    first, second = run(takes_red, takes_green).results
    assert (first.status, first.findings) == ("skipped", [])
    assert first.reason == Unavailable("file-missing", {"file": "red.txt"})
    assert (second.status, second.reason) == ("failed", None)


def test_reason_passes_down_a_chain_of_facts(run: Any, register: Register) -> None:
    register(Red, unreadable)
    register(Green, green_of_red)
    register(Amber, amber_of_green)  # its name sorts before the one it needs
    (result,) = run(takes_amber).results
    assert (result.status, result.reason) == ("skipped", Unavailable("file-missing", {"file": "red.txt"}))


def test_optional_fact_that_is_missing_is_none(run: Any, register: Register) -> None:
    register(Red, red)
    register(Green, lambda_unreadable)
    (result,) = run(takes_red_and_maybe_green).results
    assert result.status == "failed"
    assert result.findings[0].evidence == {"red": 1, "green": None}


def lambda_unreadable() -> Green:
    raise Unreadable("no-shared-memory", platform="test")


def test_fact_without_a_collector_is_a_reason(run: Any) -> None:
    (result,) = run(takes_what_nobody_collects).results
    assert (result.status, result.reason) == ("skipped", Unavailable("no-collector", {"fact": "NeverRegistered"}))


def test_check_that_does_not_apply_is_skipped_with_its_verdict(run: Any) -> None:
    (result,) = run(does_not_apply).results
    assert (result.status, result.reason) == ("skipped", Unavailable("no-vocabulary", {"generation": "modern"}))


def test_crash_of_a_check_stays_its_own(run: Any, register: Register) -> None:
    register(Red, red)
    crashed, failed = run(crashes, takes_red).results
    assert (crashed.status, crashed.findings) == ("crashed", [])  # what it found before is not trusted
    assert crashed.reason == Unavailable("check-crashed", {"error": "ZeroDivisionError: one by zero"})
    assert "ZeroDivisionError" in crashed.crash and "in crashes" in crashed.crash
    assert failed.status == "failed"


def test_crash_of_a_collector_is_a_reason(run: Any, register: Register) -> None:
    register(Red, broken)
    (result,) = run(takes_red).results
    assert result.status == "skipped"
    assert result.reason == Unavailable("collector-crashed", {"fact": "Red", "error": "LookupError: our mistake"})


def test_only_the_checks_of_the_stage_run(run: Any) -> None:
    assert [r.check.code for r in run(takes_nothing, deploy_only).results] == ["TST104"]
    assert [r.check.code for r in run(takes_nothing, deploy_only, stage="deploy").results] == ["TST104", "TST107"]
    assert Stage["TRAIN"] == TRAIN and ANY & DEPLOY


def test_config_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused) as refusal:
        diagnose(Request("none.yaml"), [takes_nothing], world=World(cwd=str(tmp_path)))
    assert refusal.value.reason == "config-missing"
    assert refusal.value.line.startswith("none.yaml: no such file")
    refusal.value.lang = "zh"
    assert refusal.value.line.startswith("none.yaml：文件不存在")


# collecting


def test_each_fact_is_collected_once_and_only_if_needed(run: Any, register: Register) -> None:
    counts = {"red": 0, "green": 0, "amber": 0}

    def count_red() -> Red:
        counts["red"] += 1
        return Red()

    def count_green(red: Red) -> Green:
        counts["green"] += 1
        return Green()

    def count_amber() -> Amber:
        counts["amber"] += 1
        return Amber()

    register(Red, count_red)
    register(Green, count_green)
    register(Amber, count_amber)
    run(takes_red, takes_green, takes_red_and_maybe_green)
    assert counts == {"red": 1, "green": 1, "amber": 0}


def test_facts_are_collected_in_parallel(run: Any, register: Register) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def red_meets() -> Red:
        meeting.wait()
        return Red()

    def green_meets() -> Green:
        meeting.wait()
        return Green()

    register(Red, red_meets)
    register(Green, green_meets)
    assert [r.status for r in run(takes_red, takes_green).results] == ["failed", "failed"]


def test_fact_starts_when_its_own_needs_are_there(run: Any, register: Register) -> None:
    finished = threading.Event()

    def slow_amber() -> Amber:
        assert finished.wait(10)  # Green, which does not need it, ends first
        return Amber()

    def quick_green(red: Red) -> Green:
        finished.set()
        return Green()

    register(Red, red)
    register(Green, quick_green)
    register(Amber, slow_amber)
    assert {r.status for r in run(takes_amber, takes_green).results} == {"failed"}


def test_fact_that_hangs_is_left_behind_at_its_deadline(run: Any, register: Register) -> None:
    release = threading.Event()

    def hangs() -> Red:
        release.wait(30)
        return Red()

    register(Red, hangs, deadline=0.05)
    register(Green, green)
    register(Amber, amber_of_red)
    start = time.monotonic()
    first, second, third, fourth = run(takes_red, takes_green, takes_red_and_maybe_green, takes_amber).results
    assert time.monotonic() - start < 20
    release.set()
    late = Unavailable("deadline", {"fact": "Red", "seconds": 0.05})
    assert [(r.status, r.reason) for r in (first, third, fourth)] == [("skipped", late)] * 3
    assert second.status == "failed"
    hanging = [t for t in threading.enumerate() if t.name == "Red"]
    assert all(t.daemon for t in hanging)  # so that the process can end
    for thread in hanging:
        thread.join(10)


def test_fact_that_comes_after_its_deadline_is_too_late(run: Any, register: Register) -> None:
    release = threading.Event()

    def late() -> Red:
        release.wait(30)
        return Red()

    def waits_for_red() -> Green:
        time.sleep(0.1)  # Red's deadline passes
        release.set()
        time.sleep(0.2)  # and Red comes in
        return Green()

    register(Red, late, deadline=0.05)
    register(Green, waits_for_red)
    events: list[Event] = []
    done = run(takes_red, takes_green, listener=events.append)
    assert [r.status for r in done.results] == ["skipped", "failed"]
    assert [e.available for e in events if isinstance(e, FactFinished) and e.fact == "Red"] == [False]


def test_facts_that_need_each_other_are_our_mistake(run: Any, register: Register) -> None:
    register(Red, red_of_amber)
    register(Amber, amber_of_red)
    with pytest.raises(RuntimeError, match=r"circle: (Red, Amber|Amber, Red)"):
        run(takes_red)


# events


def test_listener_hears_what_happens_in_order(run: Any, register: Register) -> None:
    register(Red, red)
    register(Green, green_of_red)
    events: list[Event] = []
    run(takes_red, takes_green, takes_nothing, crashes, listener=events.append)
    told = [(type(e), getattr(e, "fact", None) or getattr(e, "code", None)) for e in events]
    assert told == [
        (FactStarted, "TrainingConfig"),
        (FactFinished, "TrainingConfig"),
        (FactStarted, "Red"),
        (FactFinished, "Red"),
        (FactStarted, "Green"),
        (FactFinished, "Green"),
        (CheckFinished, "TST101"),
        (CheckFinished, "TST102"),
        (CheckFinished, "TST104"),
        (CheckFinished, "TST105"),
    ]
    assert [(e.status, e.findings) for e in events if isinstance(e, CheckFinished)] == [
        ("failed", 1),
        ("failed", 1),
        ("passed", 0),
        ("crashed", 0),
    ]
    assert all(e.available and e.seconds >= 0 for e in events if isinstance(e, FactFinished))


def test_slow_fact_is_named_once(run: Any, register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SLOW_AFTER", 0.05)

    def slow() -> Red:
        time.sleep(0.3)
        return Red()

    register(Red, slow)
    events: list[Event] = []
    run(takes_red, listener=events.append)
    slow_ones = [e for e in events if isinstance(e, FactSlow) and e.fact == "Red"]
    assert len(slow_ones) == 1
    assert slow_ones[0].seconds >= 0.05
    assert events.index(slow_ones[0]) < next(i for i, e in enumerate(events) if isinstance(e, FactFinished) and e.fact == "Red")


def test_unavailable_fact_is_told_as_such(run: Any, register: Register) -> None:
    register(Red, unreadable)
    events: list[Event] = []
    run(takes_red, listener=events.append)
    assert [e.available for e in events if isinstance(e, FactFinished) and e.fact == "Red"] == [False]
