"""Facts → checks → results.

The engine collects the facts that the selected checks need, in parallel, each once and with a deadline; runs the checks; keeps a crash of one
from the others; and tells listeners what happens, so that a terminal, a TUI and a test can watch the same run.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from checks.facts.base import COLLECTORS, Collector, Request, Unreadable, World
from checks.facts.training_config import TrainingConfig
from checks.model import Finding, NotApplicable, Stage, Unavailable
from checks.registry import Check
from knowledge.phrases import phrase

Status = Literal["passed", "failed", "skipped", "crashed"]

SLOW_AFTER = 2.0
"""Seconds after which a fact that is still being measured is named to the listeners."""


SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while facts are measured."""


class FactStarted(msgspec.Struct, frozen=True):
    """A collector has begun."""

    fact: str


class FactSlow(msgspec.Struct, frozen=True):
    """A collector has been at work for `seconds`."""

    fact: str
    seconds: float


class FactProgress(msgspec.Struct, frozen=True):
    """A long measurement is at `done` of `total` lines or images."""

    fact: str
    done: int
    total: int


class FactFinished(msgspec.Struct, frozen=True):
    """A collector has ended, with a fact or without."""

    fact: str
    available: bool
    seconds: float


class CheckFinished(msgspec.Struct, frozen=True):
    """A check has ended."""

    code: str
    status: Status
    findings: int


Event = FactStarted | FactSlow | FactProgress | FactFinished | CheckFinished
Listener = Callable[[Event], None]


class CheckResult:
    """What one check came to. `reason` says why it was skipped; `crash` is the traceback of our own bug."""

    __slots__ = ("check", "crash", "findings", "reason", "seconds", "status")

    def __init__(
        self,
        check: Check,
        status: Status,
        findings: list[Finding],
        reason: Unavailable | None = None,
        seconds: float = 0.0,
        crash: str | None = None,
    ) -> None:
        self.check = check
        self.status = status
        self.findings = findings
        self.reason = reason
        self.seconds = seconds
        self.crash = crash


class Diagnosis:
    """The outcome of one run, before it is put into words: the facts by type, and the results in order of their codes."""

    def __init__(self, request: Request, facts: dict[type, Any], results: list[CheckResult]) -> None:
        self.request = request
        self.facts = facts
        self.results = results

    @property
    def config(self) -> TrainingConfig:
        """The config that was checked."""
        config = self.facts[TrainingConfig]
        assert isinstance(config, TrainingConfig)
        return config


class RequestRefused(Exception):  # the user's input, not a fault of ours
    """The request cannot be served: the config is missing, no YAML, and so on. Carries a phrase; `line` is it in the user's language."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values
        self.lang = "en"

    @property
    def line(self) -> str:
        """The one line that the user sees."""
        return phrase(self.reason, self.lang, **self.values)


def diagnose(request: Request, checks: Iterable[Check], *, world: World | None = None, listener: Listener | None = None) -> Diagnosis:
    """Run checks over one config.

    Raises:
        RequestRefused: the config cannot be read.
    """
    world = world or World()
    emit = listener or (lambda event: None)
    world.on_progress = lambda fact, done, total: emit(FactProgress(fact, done, total))
    stage = Stage[request.stage.upper()]
    selected = [check for check in checks if check.stages & stage]
    given: dict[type, Any] = {Request: request, World: world}
    config = _collect({TrainingConfig}, given, emit)[TrainingConfig]
    if isinstance(config, Unavailable):
        raise RequestRefused(config.reason, **config.values)
    given[TrainingConfig] = config
    wanted = {need.fact for check in selected for need in check.needs.values()}
    facts = _collect(wanted, given, emit)
    results = []
    for check in selected:
        result = _run(check, facts)
        emit(CheckFinished(check.code, result.status, len(result.findings)))
        results.append(result)
    return Diagnosis(request, facts, results)


def _run(check: Check, facts: Mapping[type, Any]) -> CheckResult:
    start = time.perf_counter()
    arguments: dict[str, Any] = {}
    for name, need in check.needs.items():
        fact = facts[need.fact]
        if isinstance(fact, Unavailable):
            if not need.optional:
                return CheckResult(check, "skipped", [], fact)
            fact = None
        arguments[name] = fact
    try:
        findings = list(check(**arguments))
    except NotApplicable as verdict:
        return CheckResult(check, "skipped", [], Unavailable(verdict.reason, verdict.values), time.perf_counter() - start)
    except Exception as error:  # a bug of ours must not take the other checks with it
        import traceback

        reason = Unavailable("check-crashed", {"error": f"{type(error).__name__}: {error}"})
        return CheckResult(check, "crashed", [], reason, time.perf_counter() - start, traceback.format_exc())
    return CheckResult(check, "failed" if findings else "passed", findings, None, time.perf_counter() - start)


def _collect(wanted: set[type], given: Mapping[type, Any], emit: Listener) -> dict[type, Any]:
    """Measure facts and what they stand on; a collector starts as soon as its own needs are there.

    Each runs in a daemon thread: one that hangs in the kernel (a dead network mount) is left behind at its deadline.
    """
    facts: dict[type, Any] = dict(given)
    pending: dict[type, Collector] = {}
    stack = [fact for fact in wanted if fact not in facts]
    while stack:
        fact = stack.pop()
        if fact in pending or fact in facts:
            continue
        collector = COLLECTORS.get(fact)
        if collector is None:
            facts[fact] = Unavailable("no-collector", {"fact": fact.__name__})
            continue
        pending[fact] = collector
        stack += [need for need in collector.needs.values() if need not in facts]
    done: queue.SimpleQueue[tuple[type, Any, float]] = queue.SimpleQueue()
    # at CPython's 5 ms a quick fact waits for a busy one at every turn: with seven of them 30 ms of a check of 100
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        _measure(pending, facts, done, emit)
    except BaseException:  # Ctrl-C as well
        given[World].cancelled = True  # long measurements see it at their next step and end
        raise
    finally:
        sys.setswitchinterval(interval)
    return facts


def _measure(
    pending: dict[type, Collector], facts: dict[type, Any], done: queue.SimpleQueue[tuple[type, Any, float]], emit: Listener
) -> None:
    running: dict[type, float] = {}
    told: set[type] = set()
    while pending or running:
        ready = [f for f in sorted(pending, key=lambda f: f.__name__) if all(need in facts for need in pending[f].needs.values())]
        for fact in ready:
            _start(pending.pop(fact), facts, done, emit, running)
        if ready and not running:
            continue  # what they need was unavailable, so they are too, and others may be waiting for them
        if not running:
            if pending:
                raise RuntimeError("facts need each other in a circle: " + ", ".join(f.__name__ for f in pending))
            break
        now = time.monotonic()
        waits = [start + (COLLECTORS[f].deadline if f in told else min(SLOW_AFTER, COLLECTORS[f].deadline)) for f, start in running.items()]
        try:
            fact, outcome, seconds = done.get(timeout=max(0.0, min(waits) - now))
        except queue.Empty:
            _overdue(running, told, facts, emit)
            continue
        if fact in running:  # one that missed its deadline may still come in; too late
            del running[fact]
            facts[fact] = outcome
            emit(FactFinished(fact.__name__, not isinstance(outcome, Unavailable), seconds))


def _start(
    collector: Collector,
    facts: dict[type, Any],
    done: queue.SimpleQueue[tuple[type, Any, float]],
    emit: Listener,
    running: dict[type, float],
) -> None:
    arguments = {name: facts[need] for name, need in collector.needs.items()}
    missing = next((value for value in arguments.values() if isinstance(value, Unavailable)), None)
    if missing is not None:
        facts[collector.fact] = missing
        return
    world = facts[World]
    if collector.touches and world.lost is not None:
        facts[collector.fact] = world.lost
        return
    emit(FactStarted(collector.fact.__name__))
    running[collector.fact] = start = time.monotonic()

    def work() -> None:
        outcome: Any
        try:
            outcome = collector.function(**arguments)
        except Unreadable as error:
            outcome = error.unavailable
        except Exception as error:  # a bug of ours must not take the other facts with it
            outcome = Unavailable("collector-crashed", {"fact": collector.fact.__name__, "error": f"{type(error).__name__}: {error}"})
        done.put((collector.fact, outcome, time.monotonic() - start))

    threading.Thread(target=work, name=collector.fact.__name__, daemon=True).start()


def _overdue(running: dict[type, float], told: set[type], facts: dict[type, Any], emit: Listener) -> None:
    now = time.monotonic()
    for fact, start in list(running.items()):
        deadline = COLLECTORS[fact].deadline
        if now - start >= deadline:
            del running[fact]
            facts[fact] = Unavailable("deadline", {"fact": fact.__name__, "seconds": deadline})
            emit(FactFinished(fact.__name__, False, now - start))
        elif now - start >= SLOW_AFTER and fact not in told:
            told.add(fact)
            emit(FactSlow(fact.__name__, now - start))
