"""Results come in order, whoever is first; what goes wrong goes wrong where the result would be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from checks.facts import ahead as module
from checks.facts.ahead import ahead


@pytest.fixture(params=[1, 2], autouse=True)
def cpus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "usable_cpus", lambda: request.param)
    return int(request.param)


def test_results_come_in_order() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.01 if number % 2 == 0 else 0)
        return number * number

    assert list(ahead(slow_at_first, range(9))) == [n * n for n in range(9)]
    assert list(ahead(slow_at_first, [])) == []


def test_an_exception_is_raised_in_its_place_and_no_thread_stays() -> None:
    before = threading.active_count()
    found = []
    with pytest.raises(ZeroDivisionError):
        for value in ahead(lambda n: 6 // n, [3, 2, 0, 1]):
            found.append(value)
    assert found == [2, 3]
    assert threading.active_count() == before


def test_a_stream_is_read_a_few_items_ahead_only(cpus: int) -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = ahead(lambda n: n, items())
    assert next(results) == 0
    assert len(read) <= cpus + 2
    results.close()  # type: ignore[attr-defined]
    assert len(read) <= cpus + 2
