"""The arithmetic of /dev/shm: held against numbers that were measured, and against itself."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.image_shape import SampleShape
from checks.shm_sizes import (
    DOCKER_DEFAULT,
    GIB,
    MIB,
    PAGE,
    batch_bytes,
    count_batches,
    docker_size,
    file_bytes,
    fitting_pairs,
    largest_batch,
    need,
    queued_batches,
    sample_fields,
    semaphore_bytes,
    sensible_workers,
)

IMAGENET = sample_fields(SampleShape(3, 224, 224, 4))


@pytest.mark.parametrize(
    ("workers", "batch", "side", "batches", "peak"),
    [
        # statvfs of a /dev/shm of its own, PaddlePaddle 2.6.2, 3.0.0 and 3.3.1: all three the same
        (1, 8, 64, 50, 1_249_280),
        (2, 8, 64, 50, 2_064_384),
        (4, 8, 64, 50, 3_694_592),
        (4, 8, 128, 3, 4_825_088),
        (4, 600, 8, 34, 4_321_280),  # 600 labels fill more than one page
    ],
)
def test_need_is_what_was_measured(workers: int, batch: int, side: int, batches: int, peak: int) -> None:
    fields = sample_fields(SampleShape(3, side, side, 4))
    assert need(workers, batch_bytes(batch, fields), batches=batches).total == peak


@pytest.mark.parametrize(
    ("workers", "batch", "side", "epochs", "last", "pages"),
    [
        # PaddleClas develop: the pages at the worst moment of one epoch, and of the second
        (2, 8, 64, 1, None, 504),
        (2, 8, 64, 2, None, 616),
        (4, 11, 224, 1, 9, 14_591),
        (4, 11, 224, 3, 9, 15_936),  # 240 images: the last batch has 9
        (4, 10, 224, 3, None, 14_760),
    ],
)
def test_the_epoch_before_leaves_a_batch(workers: int, batch: int, side: int, epochs: int, last: int | None, pages: int) -> None:
    fields = sample_fields(SampleShape(3, side, side, 4))
    smaller = None if last is None else batch_bytes(last, fields)
    assert need(workers, batch_bytes(batch, fields), epochs=epochs, last_batch=smaller).total == pages * PAGE


@pytest.mark.parametrize(
    ("workers", "batches", "places", "queued"),
    [(1, None, 1, 3), (2, None, 1, 5), (4, 100, 1, 9), (4, 3, 1, 3), (8, None, 1, 17), (1, None, 2, 5), (0, None, 1, 0)],
)
def test_queued_batches(workers: int, batches: int | None, places: int, queued: int) -> None:
    assert queued_batches(workers, batches, places) == queued


@pytest.mark.parametrize(("samples", "batch", "drop_last", "batches"), [(80, 32, False, 3), (80, 32, True, 2), (5, 32, True, 0)])
def test_count_batches(samples: int, batch: int, drop_last: bool, batches: int) -> None:
    assert count_batches(samples, batch, drop_last) == batches


@pytest.mark.parametrize(("data", "taken"), [(0, PAGE), (4032, PAGE), (4033, 2 * PAGE), (8 * 602_112, 1177 * PAGE)])
def test_a_file_has_a_header_and_whole_pages(data: int, taken: int) -> None:
    assert file_bytes(data) == taken


@pytest.mark.parametrize(
    ("workers", "batch"),
    [(4, 12), (2, 22), (1, 37)],  # as real containers of 64 MiB held them: one image more, and the loader died
)
def test_docker_default(workers: int, batch: int) -> None:
    assert largest_batch(DOCKER_DEFAULT, workers, partial(batch_bytes, fields=IMAGENET)) == batch
    later = largest_batch(DOCKER_DEFAULT, workers, partial(batch_bytes, fields=IMAGENET), epochs=2)
    assert later == {4: 11, 2: 18, 1: 27}[workers]  # and these for many epochs


def test_processes_share_it() -> None:
    one = need(4, batch_bytes(64, IMAGENET))
    four = need(4, batch_bytes(64, IMAGENET), processes=4)
    assert four.total == 4 * one.total == 4 * four.per_process


@pytest.mark.parametrize(
    ("most", "workers"), [(0, ()), (1, (1,)), (3, (1, 2, 3)), (4, (1, 2, 4)), (10, (1, 2, 4, 6, 8, 10)), (16, (1, 2, 4, 6, 8, 12, 16))]
)
def test_sensible_workers(most: int, workers: tuple[int, ...]) -> None:
    assert sensible_workers(most) == workers


@pytest.mark.parametrize(
    ("wanted", "batch", "processes", "text", "kubernetes"),
    [
        (0, 0, 1, "64m", "64Mi"),
        (50 * MIB, 7 * MIB, 1, "64m", "64Mi"),
        (50 * MIB, 8 * MIB, 1, "128m", "128Mi"),
        (347 * MIB, 37 * MIB, 1, "512m", "512Mi"),
        (1000 * MIB, 12 * MIB, 1, "1g", "1Gi"),
        (1 * GIB, 1, 1, "2g", "2Gi"),
        (2 * GIB, 200 * MIB, 4, "4g", "4Gi"),
    ],
)
def test_docker_size(wanted: int, batch: int, processes: int, text: str, kubernetes: str) -> None:
    size = docker_size(wanted, batch, processes)
    assert (size.text, size.kubernetes) == (text, kubernetes)
    assert size.spare == size.bytes - wanted >= size.buffered == 2 * batch * processes


sizes = st.integers(1, 200_000)


@given(
    st.integers(0, 1 << 34),
    st.lists(sizes, min_size=1, max_size=4),
    st.integers(1, 64),
    st.integers(1, 8),
    st.none() | st.integers(-2, 5000),
    st.integers(1, 3),
)
def test_what_fits_fits_and_one_more_does_not(
    have: int, fields: list[int], workers: int, processes: int, most: int | None, epochs: int
) -> None:
    bytes_of = partial(batch_bytes, fields=fields)
    best = largest_batch(have, workers, bytes_of, processes=processes, most=most, epochs=epochs)
    assert best >= 0
    if best:
        assert need(workers, bytes_of(best), processes=processes, epochs=epochs).total <= have
    if most is None or best < most:
        assert need(workers, bytes_of(best + 1), processes=processes, epochs=epochs).total > have
    else:
        assert best == max(0, most)


@given(st.integers(0, 1 << 34), st.lists(sizes, min_size=1, max_size=4), st.integers(0, 64))
def test_pairs(have: int, fields: list[int], most: int) -> None:
    pairs = fitting_pairs(have, partial(batch_bytes, fields=fields), workers=sensible_workers(most))
    assert [w for w, _ in pairs] == list(sensible_workers(most))[: len(pairs)]  # more workers never hold what fewer do not
    batches = [b for _, b in pairs]
    assert batches == sorted(batches, reverse=True)


@given(st.integers(0, 512), st.lists(sizes, max_size=4), st.integers(0, 64), st.none() | st.integers(0, 100), st.integers(1, 16))
def test_need_is_whole_pages_and_grows(batch: int, fields: list[int], workers: int, batches: int | None, processes: int) -> None:
    found = need(workers, batch_bytes(batch, fields), batches=batches, processes=processes)
    assert found.total % PAGE == 0
    assert found.total >= found.per_process >= semaphore_bytes(workers) == found.semaphore_bytes
    more = need(workers + 1, batch_bytes(batch + 1, fields), batches=batches, processes=processes)
    assert more.total > found.total


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 32), st.integers(1, 16))
def test_docker_size_always_holds_it(wanted: int, batch: int, processes: int) -> None:
    size = docker_size(wanted, batch, processes)
    assert size.bytes >= max(DOCKER_DEFAULT, wanted + size.buffered)
    assert size.bytes <= max(DOCKER_DEFAULT, wanted + size.buffered + GIB)
