"""What `use_shared_memory: False` costs: images per second of a real paddle.io.DataLoader through /dev/shm and through pipes.

Usage: `python benchmarks/shared_memory.py PYTHON [ROUNDS]`, with an interpreter that has paddlepaddle and OpenCV. Two workers, 224 px, float32,
on the CPU; the consumer does nothing with the batches. In every round each case runs once, and the ratio is taken within the round. Two
pipelines: JPEGs of 500x375 pixels that are decoded, cropped, resized and normalised as in training, and images that are there already, so that
the way to the main process is all there is. Needs Pillow to make its files.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

from images import picture

WORKERS, SIDE = 2, 224
BATCHES = (32, 64)

PROBE = """
import glob, json, os, sys, time, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import cv2
import numpy as np
import paddle
from paddle.io import DataLoader, Dataset

cv2.setNumThreads(0)
folder, workers, side, rounds, batches = sys.argv[1], *map(int, sys.argv[2:5]), json.loads(sys.argv[5])
files = sorted(glob.glob(f"{folder}/*.jpg"))
mean, std = (np.array(v, "float32").reshape(1, 1, 3) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
READY = np.zeros((3, side, side), "float32")


class Images(Dataset):
    def __init__(self, count, jpeg):
        self.count, self.jpeg = count, jpeg

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not self.jpeg:
            return READY, np.int64(0)
        with open(files[index % len(files)], "rb") as stream:
            image = cv2.imdecode(np.frombuffer(stream.read(), "uint8"), cv2.IMREAD_COLOR)[:, :, ::-1]
        left = index * 7 % (image.shape[1] - side)
        image = cv2.resize(image[:, left : left + image.shape[0]], (side, side), interpolation=cv2.INTER_LINEAR)
        image = (image.astype("float32") / 255.0 - mean) / std
        return image.transpose((2, 0, 1)), np.int64(0)


def rate(jpeg, batch, shared):
    # as many that starting and stopping workers is left out, and the queue is full or empty as it will be
    data = Images((24 if jpeg else 60) * batch, jpeg)
    start, seen = None, 0
    for image, _ in DataLoader(data, batch_size=batch, num_workers=workers, use_shared_memory=shared, places=paddle.CPUPlace()):
        seen += 1
        if seen == 2 * workers:
            start = time.perf_counter()
    return (seen - 2 * workers) * batch / (time.perf_counter() - start)


for _ in range(rounds + 1):
    for jpeg in (True, False):
        for batch in batches:
            print("RATES", json.dumps([jpeg, batch, rate(jpeg, batch, True), rate(jpeg, batch, False)]), flush=True)
print("PADDLE", paddle.__version__)
"""


def main() -> None:
    python, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        for number in range(200):
            with open(os.path.join(folder, f"{number}.jpg"), "wb") as stream:
                stream.write(picture(500, 375, number))
        command = [python, "-c", PROBE, folder, str(WORKERS), str(SIDE), str(rounds), json.dumps(BATCHES)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = out.splitlines()
    found: dict[tuple[bool, int], list[tuple[float, float]]] = {}
    for line in lines:
        if line.startswith("RATES"):
            jpeg, batch, shared, piped = json.loads(line.removeprefix("RATES"))
            found.setdefault((jpeg, batch), []).append((shared, piped))
    print(f"PaddlePaddle {lines[-1].removeprefix('PADDLE ')}, {WORKERS} workers, {SIDE} px, {os.cpu_count()} CPUs, {rounds} rounds\n")
    print(
        "| images | batch | /dev/shm, images/s | pipes, images/s | pipes ÷ /dev/shm | from | to |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for (jpeg, batch), rates in found.items():
        kept = rates[1:]  # the first round warms up
        ratios = [piped / shared for shared, piped in kept]
        middle = [statistics.median(column) for column in zip(*kept, strict=True)]
        print(
            f"| {'JPEG, decoded' if jpeg else 'there already'} | {batch} | {middle[0]:,.0f} | {middle[1]:,.0f} | {statistics.median(ratios):.2f} "
            f"| {min(ratios):.2f} | {max(ratios):.2f} |"
        )


if __name__ == "__main__":
    main()
