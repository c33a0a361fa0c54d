"""What the loaders of a training put into /dev/shm, to the page: pure arithmetic, held against the real thing in `tests/real/test_shared_memory.py`.

A worker of `paddle.io.DataLoader` writes every field of a batch (the images, the labels …) into a file of its own in /dev/shm and hands its
name to the main process, which maps it. With 1, 2 and 4 workers and PaddlePaddle 2.6.2, 3.0.0 and 3.3.1 the peak is, to the byte,

    min(2 × workers + 1, batches) × Σ over the fields of ⌈(bytes + 64) / 4096⌉ × 4096  +  (3 × (workers + 1) + 5) × 4096

From the second epoch on the last batch of the epoch before and its semaphores lie there beside it: the loader's thread waits up to 5 s for
more (`MP_STATUS_CHECK_INTERVAL`) and holds on to both, and the workers of the new epoch, forked meanwhile, inherit them for all their life. A
/dev/shm of 64 MiB holds 4 workers × 12 images of 224 px for one epoch, and the same training dies at the start of its second.

Sources: `python/paddle/io/dataloader/dataloader_iter.py` (how many batches are under way), `worker.py` and
`paddle/incubate/multiprocessing/reductions.py` (one file per field), `paddle/phi/core/memory/allocation/mmap_allocator.cc` (3.x;
`paddle/fluid/memory/allocation/` in 2.x) for the header, Python's `multiprocessing/queues.py` and `synchronize.py` for the semaphores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from checks.facts.image_shape import SampleShape

PREFETCH = 2
"""`prefetch_factor` of `paddle.io.DataLoader`; PaddleClas never passes another (`python/paddle/io/reader.py`, 2.x and 3.x)."""

HEADER = 64
"""Bytes before the data of each file, for its reference count (`mmap_alignment` in `mmap_allocator.h`)."""

PAGE = 4096
"""What a tmpfs gives out: whole pages."""

INT64 = 8
"""Bytes of one class label: every dataset class of PaddleClas gives an int64."""

DOUBLE_BUFFER = 2
"""Batches to spare in a size that is proposed: a GPU's double buffer may hold as many beside those that are counted (`buffered_reader.cc`), and
so do the training and the evaluation of the epoch before for up to 5 s."""

DOCKER_DEFAULT = 64 << 20
"""What a container gets without `--shm-size`, in bytes."""

MIB, GIB = 1 << 20, 1 << 30


class Need(NamedTuple):
    """What one loader puts into /dev/shm in each of `processes` processes.

    `queued` batches lie there at once, each of `batch_bytes` (all its files, in whole pages); the semaphores of the loader's queues take
    `semaphore_bytes` beside them, invisible because they are unlinked at once. `left_over` is what the epoch before still holds.
    """

    workers: int
    queued: int
    batch_bytes: int
    processes: int = 1
    left_over: int = 0

    @property
    def semaphore_bytes(self) -> int:
        """Bytes of the semaphores in one process: they are there with `use_shared_memory: False` too."""
        return semaphore_bytes(self.workers)

    @property
    def per_process(self) -> int:
        """Bytes at the worst moment in one process."""
        return self.queued * self.batch_bytes + self.semaphore_bytes + self.left_over

    @property
    def total(self) -> int:
        """Bytes at the worst moment in all processes of a launch, which share one /dev/shm."""
        return self.per_process * self.processes


class DockerSize(NamedTuple):
    """A size for `--shm-size` and its reason: `need` bytes, `buffered` bytes to spare (see `DOUBLE_BUFFER`), rounded up to `bytes`."""

    bytes: int
    need: int
    buffered: int

    @property
    def text(self) -> str:
        """As Docker and Compose write it: `512m`, `2g`."""
        return f"{self.bytes // GIB}g" if self.bytes % GIB == 0 else f"{self.bytes // MIB}m"

    @property
    def kubernetes(self) -> str:
        """As Kubernetes writes it: `512Mi`, `2Gi`."""
        return f"{self.bytes // GIB}Gi" if self.bytes % GIB == 0 else f"{self.bytes // MIB}Mi"

    @property
    def spare(self) -> int:
        """Bytes above the need."""
        return self.bytes - self.need


def queued_batches(num_workers: int, batches: int | None = None, places: int = 1) -> int:
    """How many batches lie in /dev/shm at the worst moment.

    `2 × max(workers, places)` are under way or wait in the queue, and one is in the hands of the training; never more than an epoch has
    (`batches`; None for any number). PaddleClas passes one place. Without workers nothing lies there.
    """
    if num_workers < 1:
        return 0
    most = PREFETCH * max(num_workers, places) + 1
    return most if batches is None else min(most, batches)


def count_batches(samples: int, batch_size: int, drop_last: bool) -> int:
    """Batches of one epoch in one process."""
    return samples // batch_size if drop_last else math.ceil(samples / batch_size)


def file_bytes(data: int) -> int:
    """What a file with `data` bytes of a batch takes of /dev/shm: with the header, in whole pages."""
    return math.ceil((data + HEADER) / PAGE) * PAGE


def sample_fields(shape: SampleShape, labels: Iterable[int] = (INT64,)) -> tuple[int, ...]:
    """The bytes of each field of one sample: the image, then its labels."""
    return (shape.bytes, *labels)


def batch_bytes(batch_size: int, fields: Iterable[int]) -> int:
    """What a batch takes of /dev/shm: one file for each field of a sample (their bytes per sample, see `sample_fields`)."""
    return sum(file_bytes(batch_size * field) for field in fields)


def semaphore_bytes(num_workers: int) -> int:
    """What the semaphores of a loader with workers take: 3 for each queue (one per worker and one for the results), 5 for an event, a page each."""
    return (3 * (num_workers + 1) + 5) * PAGE if num_workers > 0 else 0


def need(
    workers: int, bytes_of_batch: int, *, batches: int | None = None, processes: int = 1, epochs: int = 1, last_batch: int | None = None
) -> Need:
    """The need of one loader: `bytes_of_batch` as `batch_bytes` gives it, `batches` of one epoch in one process if known.

    With more than one epoch the last batch of the one before counts too: `last_batch` bytes, where it is known to be a smaller one.
    """
    queued = queued_batches(workers, batches)
    left_over = 0
    if epochs > 1 and queued:
        left_over = (bytes_of_batch if last_batch is None else last_batch) + semaphore_bytes(workers)
    return Need(workers, queued, bytes_of_batch, processes, left_over)


def largest_batch(
    have: int, workers: int, bytes_of: Callable[[int], int], *, processes: int = 1, most: int | None = None, epochs: int = 1
) -> int:
    """The largest batch size whose need fits into `have` bytes, 0 where not even one sample does; `most` bounds the answer.

    `bytes_of` gives the bytes of a batch from its size, and must grow with it. The list may have any length.
    """

    def fits(batch: int) -> bool:
        return need(workers, bytes_of(batch), processes=processes, epochs=epochs).total <= have

    if most is not None and (most < 1 or fits(most)):
        return max(0, most)
    low, high = 0, 1
    while fits(high):
        low, high = high, high * 2
        if most is not None and high >= most:
            high = most
            break
        if high > have:  # a sample has a byte at least
            break
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def sensible_workers(most: int) -> tuple[int, ...]:
    """Numbers of workers that people choose, up to `most`, which is one of them: 1, 2, 4, 6, 8, 12, 16 and so on."""
    chosen = {most} if most > 0 else set()
    step = 1
    while step <= most:
        chosen |= {step, step * 3 // 2} if step >= 4 else {step}
        step *= 2
    return tuple(sorted(w for w in chosen if w <= most))


def fitting_pairs(
    have: int, bytes_of: Callable[[int], int], *, workers: Iterable[int], processes: int = 1, most: int | None = None, epochs: int = 1
) -> tuple[tuple[int, int], ...]:
    """For each number of workers the largest batch size that fits into `have` bytes; without those that hold no sample."""
    pairs = ((w, largest_batch(have, w, bytes_of, processes=processes, most=most, epochs=epochs)) for w in workers)
    return tuple((w, b) for w, b in pairs if b > 0)


def docker_size(need: int, bytes_of_batch: int = 0, processes: int = 1) -> DockerSize:
    """The size of /dev/shm to ask for: the need and two batches to spare (see `DOUBLE_BUFFER`), rounded up.

    Up to 1 GiB to steps of 128 MiB, above to whole GiB; never less than Docker's own 64 MiB.
    """
    buffered = DOUBLE_BUFFER * bytes_of_batch * processes
    wanted = need + buffered
    if wanted <= DOCKER_DEFAULT:
        return DockerSize(DOCKER_DEFAULT, need, buffered)
    step = 128 * MIB if wanted <= GIB else GIB
    return DockerSize(math.ceil(wanted / step) * step, need, buffered)
