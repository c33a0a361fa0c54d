"""Write docs/shm.md: what was predicted of loaders around the size of their /dev/shm, and what became of them in real containers.

Usage: `DOCKER_HOST=unix:///… python scripts/make_shm_doc.py PYTHON…`, with interpreters that have paddlepaddle, opencv and the wheel paddleclas. A
loader that does not do as predicted stops the script.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.real.daemon import import_image, root_files  # noqa: E402 - the path above comes first
from tests.real.shm_jobs import MIB, PAIRS, Job, Seen, run_jobs  # noqa: E402 - likewise

DOC = ROOT / "docs" / "shm.md"

HEAD = """\
# What loaders put into /dev/shm: predicted and seen

`paddle-doctor check` (ENV101) and `paddle-doctor shm` compute, before anything runs, how many bytes of `/dev/shm` the loaders of a
training take at the worst moment:

```
one loader = min(2 × num_workers + 1, batches) × Σ over the arrays of a batch of ⌈(bytes + 64) / 4096⌉ × 4096
             + (3 × (num_workers + 1) + 5) × 4096
```

2 is PaddlePaddle's prefetch factor, 1 the batch that the training has in hand, 64 the header of each file, 4096 a page; the last term
are the semaphores of the queues. An evaluation on a CPU copies the images it has in hand, so there the queue is one batch shorter.

Each pair of lines below is one loader in a real container with that `--shm-size`: the largest batch that fits by the formula, and the
next one. It is a `paddle.io.DataLoader` over image files with the operators of PaddleClas, and whoever takes its batches waits until
the queue is full. *died* means that a worker was killed by SIGBUS. `scripts/make_shm_doc.py` made the table;
`tests/real/test_shm_threshold.py` repeats it wherever there is a Docker daemon for tests.

以下公式在运行之前算出加载器在最坏时刻占用多少 `/dev/shm`（规则 ENV101 与命令 `paddle-doctor shm`）：2 是 PaddlePaddle 的预取系数，
1 是训练手里的那个 batch，64 是每个文件的头部，4096 是一页；最后一项是队列的信号量。在 CPU 上评估时会把手里的图像复制出来，
所以队列少一个 batch。

下表每两行是同一个加载器：按公式放得下的最大 batch，以及再大一步。它们都在设有该 `--shm-size` 的真实容器里运行：
`paddle.io.DataLoader` 读取真实的图像文件，用 PaddleClas 自己的算子处理；取数据的一方会等到队列装满。
*died* 表示有 worker 因 SIGBUS 退出。
"""

TAIL = """\
## At the limits

`tests/real/test_shm_limits.py` makes these happen in real containers:

- **Enlarged while in use.** Four workers with batches of 16 images of 224 px need 82.8 MiB and die in 64 MiB. After the command that ENV101
  offers (`nsenter --target PID --mount mount -o remount,size=… /dev/shm`, from the host), the same loader in the same container lives.
- **Memory below the need.** `--shm-size=2g` with `--memory=600m`: two workers with batches of 64 images of 448 px need 735 MiB. The kernel kills
  for want of memory. No worker writes `BUS error`; PaddlePaddle says `DataLoader 2 workers exit unexpectedly` and `Blocking queue is
  killed`, as it does when /dev/shm is full. Without the limit the loader lives.
- **No /dev/shm** (`--ipc=none`). No worker starts, with `use_shared_memory: False` either: the semaphores of the queues are files there
  (`FileNotFoundError`).
- **After a death.** The file that was being written stays, and where the container's first process asks after nobody, the worker stays as a
  zombie; its file belongs to nobody all the same (ENV108).

`use_shared_memory: False` needs no more than the semaphores. With two workers, 224 px and two CPUs it gave 0.72 (batch 32) and 0.63
(batch 64) of the images per second where JPEGs are decoded, 0.45 and 0.31 where there is nothing to decode (`benchmarks/README.md`).

## 边界情况

`tests/real/test_shm_limits.py` 在真实容器里逐一重现：

- **使用中扩大。** 4 个 worker、每个 batch 16 张 224 px 的图，需要 82.8 MiB，在 64 MiB 里会崩溃。从宿主机执行 ENV101 给出的命令
  （`nsenter --target PID --mount mount -o remount,size=… /dev/shm`）之后，同一容器里的同一个加载器可以正常运行。
- **内存上限低于需求。** `--shm-size=2g` 配 `--memory=600m`：2 个 worker、每个 batch 64 张 448 px 的图，需要 735 MiB，
  内核会因内存不足杀掉进程。worker 不会输出 `BUS error`，PaddlePaddle 只报 `DataLoader 2 workers exit unexpectedly` 和
  `Blocking queue is killed`，与 /dev/shm 写满时相同。去掉内存上限就能正常运行。
- **没有 /dev/shm**（`--ipc=none`）。一个 worker 也启动不了，`use_shared_memory: False` 也一样：队列的信号量就是放在那里的文件
  （`FileNotFoundError`）。
- **崩溃之后。** 正在写的文件会留下；如果容器的首个进程不回收子进程，worker 会成为僵尸进程，但文件已经无主（ENV108）。

`use_shared_memory: False` 只需要信号量所占的空间。2 个 worker、224 px、两个 CPU 都很忙时，要解码 JPEG 的情况下每秒图像数是共享内存的
0.72（batch 32）和 0.63（batch 64）；不需要解码时是 0.45 和 0.31（见 `benchmarks/README.md`）。
"""
"""What tests and the benchmark have shown."""

COLUMNS = (
    "PaddlePaddle",
    "`--shm-size`",
    "loader",
    "workers",
    "batch",
    "image",
    "list",
    "processes",
    "need, bytes",
    "predicted",
    "seen",
    "peak, bytes",
)


def row(job: Job, seen: Seen) -> tuple[str, ...]:
    """One line of the table."""
    peak = f"{seen.peak:,}" if seen.lives and seen.peak is not None else "–"
    return (
        seen.paddle, f"{job.shm}m", job.split, str(job.workers), str(job.batch), f"3×{job.side}×{job.side} {job.dtype}", str(job.listed),
        str(job.together), f"{job.need:,}", "fits" if job.fits else "does not", "lived" if seen.lives else "died", peak,
    )  # fmt: skip


def job_of(cells: list[str]) -> Job:
    """The loader of a line of the table."""
    side, dtype = cells[5].split()[0].split("×")[1], cells[5].split()[1]
    return Job(
        shm=int(cells[1].rstrip("m")),
        workers=int(cells[3]),
        batch=int(cells[4]),
        side=int(side),
        dtype=dtype,  # type: ignore[arg-type]  # one of the three, or the test fails
        split=cells[2],  # type: ignore[arg-type]  # likewise
        samples=int(cells[6]),
        together=int(cells[7]),
    )


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each line of the table in the document."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def main() -> None:
    import docker

    pythons = sys.argv[1:]
    if not pythons:
        sys.exit(__doc__)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    client = docker.from_env(timeout=60)
    image = import_image(client, root_files(), "doc")
    try:
        for python in pythons:
            with tempfile.TemporaryDirectory() as folder:
                seen = run_jobs(client, image, python, Path(folder), [job for pair in PAIRS for job in pair])
            for job, outcome in seen.items():
                if outcome.lives != job.fits or (outcome.lives and outcome.peak != job.need) or outcome.bus == outcome.lives:
                    sys.exit(f"not as predicted: {job} {outcome}, need {job.need}, {job.shm * MIB} there")
                lines.append("| " + " | ".join(row(job, outcome)) + " |")
    finally:
        client.images.remove(image, force=True)
        client.close()
    DOC.write_text(HEAD + "\n" + "\n".join(lines) + "\n\n" + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
