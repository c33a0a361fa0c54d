"""Runs one real paddle.io.DataLoader and prints the peak of its files in /dev/shm. Started by test_shared_memory.py, never imported."""

import json
import os
import sys
import threading
import time

import numpy as np
import paddle
from paddle.io import DataLoader, Dataset

workers, batch, side, samples, drop_last = (int(a) for a in sys.argv[1:6])


class Images(Dataset):
    def __getitem__(self, index):
        return np.zeros((3, side, side), "float32"), np.int64(index % 5)

    def __len__(self):
        return samples


def in_shm():
    """(bytes of image files, number of image files) of this run's workers now."""
    total = count = 0
    with os.scandir("/dev/shm") as entries:
        for entry in entries:
            if entry.name.startswith("paddle_"):
                try:
                    size = entry.stat().st_size
                    with open(f"/proc/{entry.name.split('_')[1]}/stat") as stat:
                        parent = int(stat.read().rpartition(")")[2].split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent != os.getpid():
                    continue  # somebody else's loader
                if size >= 3 * side * side * 4:  # the labels' files are the small ones
                    total, count = total + size, count + 1
    return total, count


peak = [0, 0]
stop = threading.Event()


def watch():
    while not stop.is_set():
        peak[:] = max(peak, list(in_shm()))
        time.sleep(0.001)


watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
paddle.set_device("cpu")
loader = DataLoader(
    Images(), batch_size=batch, num_workers=workers, use_shared_memory=True, drop_last=bool(drop_last), places=paddle.CPUPlace()
)
seen = 0
for _ in loader:
    seen += 1
    time.sleep(0.25 if seen <= 2 else 0.02)  # a slow consumer, so that the queue fills
stop.set()
watcher.join()
print(json.dumps({"paddle": paddle.__version__, "peak": peak[0], "files": peak[1], "batches": seen}))
