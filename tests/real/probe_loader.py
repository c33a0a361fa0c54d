"""Runs one real paddle.io.DataLoader and prints the peak of its /dev/shm, which must be its own. Started by test_shared_memory.py, never imported."""

import json
import os
import sys
import threading
import time

import numpy as np
import paddle
from paddle.io import DataLoader, Dataset

workers, batch, side, samples, drop_last, epochs = (int(a) for a in sys.argv[1:7])


class Images(Dataset):
    def __getitem__(self, index):
        return np.zeros((3, side, side), "float32"), np.int64(index % 5)

    def __len__(self):
        return samples


def used():
    stats = os.statvfs("/dev/shm")
    return (stats.f_blocks - stats.f_bfree) * stats.f_frsize


peaks = [0] * epochs
place = 0
stop = threading.Event()


def watch():
    while not stop.is_set():
        peaks[place] = max(peaks[place], used())
        time.sleep(0.0005)


def filled():
    """Wait until the workers have nothing more to do."""
    before, since = -1, time.monotonic()
    while time.monotonic() - since < 0.4:
        if used() != before:
            before, since = used(), time.monotonic()
        time.sleep(0.02)


def epoch(loader):
    seen = 0
    for _ in loader:
        seen += 1
        if seen <= 2 or seen == len(loader):  # as a training works on its last batch before it asks for more
            filled()
    return seen


assert used() == 0
watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
paddle.set_device("cpu")
loader = DataLoader(
    Images(), batch_size=batch, num_workers=workers, use_shared_memory=True, drop_last=bool(drop_last), places=paddle.CPUPlace()
)
batches = epoch(loader)
while place + 1 < epochs:
    place += 1
    epoch(loader)
stop.set()
watcher.join()
print(json.dumps({"paddle": paddle.__version__, "peaks": peaks, "batches": batches}))
