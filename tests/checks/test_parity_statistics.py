"""Agreement in the terms of the task."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.parity import Ranked
from checks.parity_statistics import Pair, agreement, half_unit, images_for, interval, kendall, score_drift

A = Ranked((1, 0), (0.9, 0.1))


def test_equal_results_agree() -> None:
    found = agreement([Pair(f"{n}.jpg", A, A) for n in range(20)], 1e-4)
    assert (found.images, found.top1, found.ranks, found.drift, found.tau, found.needed) == (20, 0, 0, 0.0, 1.0, 0.0)
    assert found.agrees
    assert found.low == 0.0
    assert 0.16 < found.high < 0.17


def test_a_flip_a_swap_and_a_drift_are_told_apart() -> None:
    pairs = [
        Pair("same", A, A),
        Pair("flip", A, Ranked((0, 1), (0.6, 0.4))),
        Pair("swap", Ranked((3, 1, 2), (0.8, 0.11, 0.09)), Ranked((3, 2, 1), (0.8, 0.11, 0.09))),
        Pair("drift", A, Ranked((1, 0), (0.85, 0.15))),
    ]
    found = agreement(pairs, 1e-3)
    assert (found.top1, found.ties, found.ranks, found.displaced, found.listed, found.over) == (1, 0, 2, 4, 9, 3)
    assert (found.worst, found.flipped) == ("flip", ("flip",))
    assert found.drift == pytest.approx(0.5)
    assert not found.agrees


def test_a_flip_between_equal_scores_is_a_tie() -> None:
    near = Pair("a", Ranked((1, 0), (0.50004, 0.49996)), Ranked((0, 1), (0.50003, 0.49997)))
    found = agreement([near], 1e-4)
    assert (found.top1, found.ties, found.changed, found.agrees) == (1, 1, 0, True)
    assert agreement([near], 1e-6).changed == 1


def test_printed_decimals_limit_what_can_be_told() -> None:
    pair = Pair("a", Ranked((1, 0), (0.90619, 0.05867)), Ranked((1, 0), (0.91, 0.06)))
    found = agreement([pair], 1e-4, half_unit(2) + half_unit(5))
    assert found.agrees
    assert found.needed == 0.0
    assert agreement([pair], 1e-4).over == 1
    assert (half_unit(2), half_unit(17)) == (0.005, 0.0)


def test_names_are_compared_where_the_classes_are_equal() -> None:
    pair = Pair("a", Ranked((1,), (0.9,), ("cat",)), Ranked((1,), (0.9,), ("dog",)))
    assert agreement([pair], 1e-4).names == 1
    assert agreement([Pair("a", pair.train, Ranked((1,), (0.9,)))], 1e-4).names == 0


def test_drift_of_classes_that_one_side_does_not_list() -> None:
    assert score_drift(Ranked((1,), (0.9,)), Ranked((2,), (0.6,))) == pytest.approx(0.3)
    assert score_drift(Ranked((), (0.1, math.nan)), Ranked((), (0.3, math.nan))) == pytest.approx(0.2)
    assert score_drift(Ranked((), (0.1,)), Ranked((), (math.nan,))) == math.inf
    assert score_drift(Ranked((), (0.1,)), Ranked((), (0.1, 0.2))) == math.inf
    assert score_drift(Ranked((1,), ()), A) is None


def test_the_interval_is_that_of_the_tables() -> None:
    for hits, trials, low, high in (
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (3, 1000, 0.0006, 0.0087),
    ):
        assert interval(hits, trials) == pytest.approx((low, high), abs=6e-5)
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(0, images_for(0.01))[1] <= 0.01 < interval(0, images_for(0.01) - 1)[1]


@given(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(case: tuple[int, int]) -> None:
    hits, trials = case
    low, high = interval(hits, trials)
    assert 0 <= low <= high <= 1
    if trials:
        assert low - 1e-9 <= hits / trials <= high + 1e-9
    mirrored = interval(trials - hits, trials)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


@given(st.permutations(list(range(6))))
def test_kendall_is_symmetric(order: list[int]) -> None:
    one, other = tuple(range(6)), tuple(order)
    tau = kendall(one, other)
    assert tau is not None
    assert -1 <= tau <= 1
    assert kendall(other, one) == tau
    assert kendall(one, other[::-1]) == pytest.approx(-tau)
    assert kendall((1,), other) is None
