"""What loaders put into /dev/shm, without a config: the numbers behind `paddle-doctor shm`."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from checks import shm_fragments, shm_sizes
from checks.facts.image_shape import SampleShape
from checks.shm_sizes import HEADER, PAGE, DockerSize, Need

DTYPES = {"float32": 4, "float16": 2, "uint8": 1}
"""Bytes of one number of an image: after normalisation, with `output_fp16`, and without normalisation."""

STEPS_DOWN, STEPS_UP = 2, 2
"""How many columns the table has on either side of the batch size asked for; each is half or twice its neighbour."""

HaveFrom = Literal["given", "measured", "docker-default"]


class Have(NamedTuple):
    """What there is: `bytes` may be used, `size` is the whole mount where it was measured."""

    bytes: int
    origin: HaveFrom
    size: int | None = None


class Cell(NamedTuple):
    """One cell of the table: the need of all processes, and whether it fits."""

    workers: int
    batch: int
    need: int
    fits: bool


class Step(NamedTuple):
    """One step of the computation: which, the formula with its numbers, and the result in bytes (or batches)."""

    key: str
    text: str
    result: int


class Loader(NamedTuple):
    """What is asked: one loader. `labels` are the bytes of a sample's label, `samples` those of one process in an epoch (None: any number).

    With more than one of the `epochs` the last batch of the one before counts too.
    """

    workers: int
    batch: int
    shape: SampleShape
    labels: int
    processes: int
    samples: int | None = None
    epochs: int = 1

    @property
    def batches(self) -> int | None:
        """Batches of one epoch in one process, where the samples are known."""
        return self.batches_of(self.batch)

    def batches_of(self, batch: int) -> int | None:
        """Batches of this size in an epoch."""
        return None if self.samples is None else shm_sizes.count_batches(self.samples, batch, drop_last=False)

    def full(self, batch: int) -> int:
        """The samples of the largest batch: no more than there are."""
        return batch if self.samples is None else min(batch, self.samples)

    def batch_bytes(self, batch: int) -> int:
        """What a batch of this size takes."""
        return shm_sizes.batch_bytes(batch, shm_sizes.sample_fields(self.shape, (self.labels,)))

    def need(self, workers: int | None = None, batch: int | None = None, epochs: int | None = None) -> Need:
        """The need of this loader, or with another number of workers, batch size or epochs."""
        workers = self.workers if workers is None else workers
        batch = self.batch if batch is None else batch
        return shm_sizes.need(
            workers,
            self.batch_bytes(self.full(batch)),
            batches=self.batches_of(batch),
            processes=self.processes,
            epochs=self.epochs if epochs is None else epochs,
        )


class Calculation(NamedTuple):
    """The answer for one loader."""

    loader: Loader
    have: Have

    @property
    def need(self) -> Need:
        """What it needs."""
        return self.loader.need()

    @property
    def margin(self) -> int:
        """Bytes to spare; negative where they are missing."""
        return self.have.bytes - self.need.total

    @property
    def fits(self) -> bool:
        """Whether the need is no more than there is."""
        return self.margin >= 0

    @property
    def next_epoch(self) -> int:
        """The need from the second epoch on."""
        return self.loader.need(epochs=2).total

    @property
    def size(self) -> DockerSize:
        """The size of /dev/shm to ask for."""
        return shm_sizes.docker_size(self.need.total, self.need.batch_bytes if self.loader.workers else 0, self.loader.processes)

    def cell(self, workers: int, batch: int) -> Cell:
        """One cell of the table."""
        need = self.loader.need(workers, batch).total
        return Cell(workers, batch, need, need <= self.have.bytes)

    def table(self) -> list[list[Cell]]:
        """Rows of numbers of workers, columns of batch sizes, both around what was asked."""
        workers = sorted({self.loader.workers, *_around(self.loader.workers)})
        return [[self.cell(w, b) for b in around(self.loader.batch)] for w in workers]

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """For the table's numbers of workers the largest batch size that fits, for an epoch of any length."""
        workers = [row[0].workers for row in self.table() if row[0].workers]
        return shm_sizes.fitting_pairs(
            self.have.bytes, self.loader.batch_bytes, workers=workers, processes=self.loader.processes, epochs=self.loader.epochs
        )

    def steps(self) -> list[Step]:
        """The formula with the numbers put in, from one file to all processes."""
        loader, need = self.loader, self.need
        shape, batch = loader.shape, loader.full(loader.batch)
        pages = f"{HEADER}) / {PAGE}⌉ × {PAGE}"
        image = f"⌈({batch} × {shape.channels} × {shape.height} × {shape.width} × {shape.itemsize} + {pages}"
        image_file = shm_sizes.file_bytes(batch * shape.bytes)
        label_file = shm_sizes.file_bytes(batch * loader.labels)
        most = f"2 × {loader.workers} + 1" if loader.workers else "0"
        steps = [
            Step("image", image, image_file),
            Step("label", f"⌈({batch} × {loader.labels} + {pages}", label_file),
            Step("batch", f"{image_file} + {label_file}", need.batch_bytes),
            Step("queued", most if loader.batches is None or not loader.workers else f"min({most}, {loader.batches})", need.queued),
            Step("semaphores", f"(3 × ({loader.workers} + 1) + 5) × {PAGE}" if loader.workers else "0", need.semaphore_bytes),
        ]
        whole = f"{need.queued} × {need.batch_bytes} + {need.semaphore_bytes}"
        if need.left_over:
            steps.append(Step("left-over", f"{need.batch_bytes} + {need.semaphore_bytes}", need.left_over))
            whole += f" + {need.left_over}"
        steps.append(Step("process", whole, need.per_process))
        if loader.processes > 1:
            steps.append(Step("all", f"{loader.processes} × {need.per_process}", need.total))
        return steps

    def data(self) -> dict[str, Any]:
        """All of it for JSON; sizes in bytes."""
        loader, need, size = self.loader, self.need, self.size
        shape = loader.shape
        return {
            "workers": loader.workers,
            "batch": loader.batch,
            "sample": {
                "channels": shape.channels,
                "height": shape.height,
                "width": shape.width,
                "dtype": next(name for name, bytes in DTYPES.items() if bytes == shape.itemsize),
                "image_bytes": shape.bytes,
                "label_bytes": loader.labels,
            },
            "processes": loader.processes,
            "batches": loader.batches,
            "queued_batches": need.queued,
            "batch_bytes": need.batch_bytes,
            "semaphore_bytes": need.semaphore_bytes,
            "process_bytes": need.per_process,
            "epochs": loader.epochs,
            "left_over_bytes": need.left_over,
            "need_bytes": need.total,
            "next_epoch_bytes": self.next_epoch,
            "have_bytes": self.have.bytes,
            "have_from": self.have.origin,
            "size_bytes": self.have.size,
            "margin_bytes": self.margin,
            "fits": self.fits,
            "next_epoch_fits": self.next_epoch <= self.have.bytes,
            "steps": [step._asdict() for step in self.steps()],
            "largest": [{"workers": w, "batch": b} for w, b in self.pairs()],
            "table": [cell._asdict() for row in self.table() for cell in row],
            "shm_size": {
                "bytes": size.bytes,
                "text": size.text,
                "need_bytes": size.need,
                "buffered_bytes": size.buffered,
            },
            "docker": docker_line(size.text),
            "compose": shm_fragments.compose_line(size.bytes),
            "kubernetes": shm_fragments.kubernetes_fragment(size.bytes),
        }


def docker_line(size: str) -> str:
    """The command that starts a container with a /dev/shm of a size."""
    return f"docker run --shm-size={size} ..."


def around(batch: int) -> list[int]:
    """Batch sizes around one: halves and doubles, without those below 1."""
    down = {batch >> step for step in range(1, STEPS_DOWN + 1)} - {0}
    return sorted({batch, *down, *(batch << step for step in range(1, STEPS_UP + 1))})


def _around(workers: int) -> list[int]:
    """Numbers of workers that people choose: up to three below one and two above."""
    usual = shm_sizes.sensible_workers(max(8, workers * 2))
    below = [number for number in usual if number < workers]
    above = [number for number in usual if number > workers]
    return [*below[-3:], *above[:2]]
