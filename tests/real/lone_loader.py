"""Takes batches of blank images through a real paddle.io.DataLoader and prints what became of it. Started by test_shm_limits.py, never imported.

    python lone_loader.py WORKERS BATCH SIDE SHARED      # SHARED: 1 through /dev/shm, 0 through pipes

The consumer waits after the first batch until the queue is full (every worker sleeps) or a worker is dead.
"""

import faulthandler
import json
import os
import signal
import sys
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 - one thread
import paddle  # noqa: E402 - likewise

faulthandler.dump_traceback_later(100, exit=True)
workers, batch, side, shared = (int(a) for a in sys.argv[1:5])


class Images(paddle.io.Dataset):
    def __getitem__(self, index):
        return np.full((3, side, side), index % 5, "float32"), np.int64(index % 5)

    def __len__(self):
        return (2 * workers + 3) * batch


def children():
    """(pid, state letter) of this process's children."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stream:
                state, parent = stream.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.append((int(pid), state))
    return found


def rest():
    """Until the workers have slept for 0.3 s in a row, or one has ended."""
    calm, give_up = 0, time.monotonic() + 60
    while calm < 30:
        now = [state for _, state in children()]
        if "Z" in now or len(now) < workers:
            return
        calm = calm + 1 if set(now) == {"S"} else 0
        if time.monotonic() > give_up:
            raise TimeoutError("the queue never came to rest")
        time.sleep(0.01)


outcome = {"lives": True, "batches": 0, "paddle": paddle.__version__}
try:
    loader = paddle.io.DataLoader(
        Images(), batch_size=batch, num_workers=workers, use_shared_memory=bool(shared), places=paddle.set_device("cpu")
    )
    for _ in loader:
        outcome["batches"] += 1
        if outcome["batches"] == 1:
            rest()
except BaseException as error:  # the handler of a worker's death raises what it likes
    outcome.update(lives=False, error=type(error).__name__, message=str(error).replace("\0", ""))
print("RESULT " + json.dumps(outcome), flush=True)
for pid, _ in children():  # those of a dead loader would notice within five seconds, and hold their files until then
    os.kill(pid, signal.SIGKILL)
os._exit(0)
