"""Puts the loaders of configs through a real paddle.io.DataLoader and prints what they held in /dev/shm, or that they died.

Started in a container by test_shm_threshold.py and scripts/make_shm_doc.py, never imported:

    python shm_oracle.py JOBS.json         # a list of {"folder", "config", "split", "together": processes at once}

Each job prints a line `RESULT {…}`: whether it lived, the error's last line otherwise, the peak of /dev/shm in bytes (blocks that were taken,
hence also those of files without a name), the number of batches. The loader is PaddleClas's own where `PADDLE_DOCTOR_PADDLECLAS` names a checkout;
else paddle's over a data set with the operators of the wheel `paddleclas`.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import select
import signal
import sys
import time
import traceback
import types
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
warnings.simplefilter("ignore")

import cv2  # noqa: E402 - one thread each
import numpy as np  # noqa: E402 - likewise
import paddle  # noqa: E402 - likewise
import yaml  # noqa: E402 - likewise

cv2.setNumThreads(0)
CHECKOUT = os.environ.get("PADDLE_DOCTOR_PADDLECLAS")
SETTLED = 0.3
"""Seconds of rest after which a queue is full: every worker sleeps, and /dev/shm stays as it is."""
PATIENCE = 20.0
"""Seconds after which a job is given up."""


class Images(paddle.io.Dataset):
    """Images and labels of a list, as PaddleClas's ImageNetDataset reads them."""

    def __init__(self, image_root, cls_label_path, transform_ops):
        with open(cls_label_path) as stream:
            lines = [line.split() for line in stream]
        self.images = [os.path.join(image_root, path) for path, _ in lines]
        self.labels = [np.int64(label) for _, label in lines]
        self.ops = _deployed(transform_ops)

    def __getitem__(self, index):
        with open(self.images[index], "rb") as stream:
            image = stream.read()
        for op in self.ops:
            image = op(image)
        return image.transpose((2, 0, 1)), self.labels[index]

    def __len__(self):
        return len(self.labels)


def _deployed(transform_ops):
    """The operators of the wheel; the packages around them import what has no part in it."""
    home = os.path.dirname(importlib.util.find_spec("paddleclas").origin)
    for name in ("paddleclas", "paddleclas.deploy", "paddleclas.deploy.python"):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(home, *name.split(".")[1:])]
        sys.modules.setdefault(name, package)
    return importlib.import_module("paddleclas.deploy.python.preprocess").create_operators(transform_ops)


def loader_of(config, split):
    place = paddle.set_device("cpu")
    if CHECKOUT:
        if CHECKOUT not in sys.path:
            sys.path.insert(0, CHECKOUT)
        from ppcls.data import build_dataloader
        from ppcls.utils import logger

        logger.init_logger(log_file=None)
        return build_dataloader(config["DataLoader"], split, place)
    part = config["DataLoader"][split]
    dataset = dict(part["dataset"])
    assert dataset.pop("name") == "ImageNetDataset"
    sampler = dict(part["sampler"])
    assert sampler.pop("name") == "DistributedBatchSampler"
    options = {"use_shared_memory": part["loader"]["use_shared_memory"], "num_workers": part["loader"]["num_workers"]}
    return paddle.io.DataLoader(dataset=Images(**dataset), places=place, return_list=True, **sampler, **options)


def taken():
    """Bytes of /dev/shm that are taken."""
    now = os.statvfs("/dev/shm")
    return (now.f_blocks - now.f_bfree) * now.f_frsize


def states(parent):
    """State letters of the children of a process, of those alive."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stream:
                state, ppid = stream.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(ppid) == parent:
            found.append(state)
    return found


def settle(peak):
    """Wait until the workers have nothing left to do; returns the most that was taken meanwhile."""
    rest, before, give_up = None, None, time.monotonic() + PATIENCE
    while True:
        now, moment = taken(), time.monotonic()
        peak = max(peak, now)
        alive = set(states(os.getpid()))
        if "Z" in alive:  # a worker has died; the next batch will tell
            return peak
        if now != before or alive - {"S"}:
            rest = None
        elif rest is None:
            rest = moment
        elif moment - rest >= SETTLED:
            return peak
        if moment > give_up:
            raise TimeoutError("the queue never came to rest")
        before = now
        time.sleep(0.005)


def consume(loader, copies, slow=2):
    """Take all batches, after the first ones only when the queue is full; returns (peak, batches, shapes and dtypes of a batch).

    `copies`: as the evaluation does (`ppcls/engine/evaluation/classification.py`), which on a CPU gives the file of the images back.
    """
    peak, seen, shapes = taken(), 0, []
    for batch in loader:
        seen += 1
        if copies:
            batch[0] = paddle.to_tensor(batch[0])
        if seen <= slow:
            peak = settle(peak)
            shapes = shapes or [[str(field.dtype).rpartition(".")[2], list(field.shape)] for field in batch]
        peak = max(peak, taken())
    return peak, seen, shapes


def job(config, split):
    outcome = {"lives": True, "error": None}
    try:
        outcome["peak"], outcome["batches"], outcome["fields"] = consume(loader_of(config, split), split == "Eval")
    except BaseException as error:  # the signal's handler raises what it likes
        outcome.update(lives=False, error=f"{type(error).__name__}: {error}".replace("\0", ""))
        if not isinstance(error, SystemError):  # PaddlePaddle's own word for it
            outcome["trace"] = traceback.format_exc()
    return outcome


def forked(config, split):
    """The job in a process of its own, which shares the imports; returns (pid, the pipe that it answers through, what it and its workers say)."""
    readable, writable = os.pipe()
    said = open(os.memfd_create("said"), "w+b")  # noqa: SIM115 - closed by `answer`
    pid = os.fork()
    if not pid:
        os.close(readable)
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        try:
            os.write(writable, json.dumps(job(config, split)).encode())
        finally:
            os._exit(0)
    os.close(writable)
    return pid, readable, said


def answer(pid, readable, said):
    """The outcome of a job. One whose worker has died may also wait for ever: PaddlePaddle then empties a queue that two threads read."""
    ready, _, _ = select.select([readable], [], [], PATIENCE)
    text = os.read(readable, 1 << 16) if ready else b""  # not to its end: workers that are still there hold the pipe too
    os.close(readable)
    if not text:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with said:
        said.seek(0)
        words = said.read().replace(b"\0", b"").decode("utf-8", "replace")
    bus = "BUS error" in words
    if not text:
        outcome = {"lives": False, "error": "waits for ever" if ready == [] else f"ended with {status}"}
        if not bus:
            outcome["trace"] = outcome["error"] + words[-2000:]
    else:
        outcome = json.loads(text)
    return dict(outcome, bus=bus)


def clear():
    """End whatever a dead loader left: its workers, which are ours once their parent is gone, and their files."""
    assert os.getpid() == 1, "for a container of its own"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if pid != "1":
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    for name in os.listdir("/dev/shm"):
        os.unlink(f"/dev/shm/{name}")


def main():
    with open(sys.argv[1]) as stream:
        jobs = json.load(stream)
    for wanted in jobs:
        os.chdir(wanted["folder"])
        with open(wanted["config"]) as stream:
            config = yaml.safe_load(stream)
        running = [forked(config, wanted["split"]) for _ in range(wanted["together"])]
        outcomes = [answer(*one) for one in running]
        result = dict(outcomes[0], paddle=paddle.__version__, alive=sum(o["lives"] for o in outcomes))
        result["lives"] = result["alive"] == wanted["together"]
        result["bus"] = any(o["bus"] for o in outcomes)
        result["error"] = next((o["error"] for o in outcomes if o["error"]), None)
        clear()
        result["left"] = taken()
        print("RESULT " + json.dumps(result), flush=True)


main()
