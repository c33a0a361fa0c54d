"""How long a survey of a label file of the size of ImageNet-1k takes, against a plain Python loop over the same file.

Usage: `python benchmarks/labels.py [ROUNDS] [LINES]`. The loop only counts; the survey also finds bad lines, duplicates and invisible characters.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile

from timing import rounds, table

BASE = "plain loop"

LOOP = """
import sys
counts = {}
with open(sys.argv[1]) as f:
    for line in f:
        path, label = line.strip().split(" ")
        label = int(label)
        counts[label] = counts.get(label, 0) + 1
"""
LOADER = """
import sys
images, labels = [], []
with open(sys.argv[1]) as f:
    for line in f.readlines():
        line = line.strip().split(" ")
        images.append("root/" + line[0])
        labels.append(int(line[1]))
len(set(labels))
"""
SURVEY = """
import sys
from checks.facts.label_format import LabelFormat
from checks.facts.label_scan import scan_file
scan = scan_file(sys.argv[1], LabelFormat(), "", large=True)
scan.paths.duplicates(5)
"""
INSIDE = """
import sys, time, numpy
from checks.facts.label_format import LabelFormat
from checks.facts.label_scan import scan_file
def loop():
    counts = {}
    with open(sys.argv[1]) as f:
        for line in f:
            path, label = line.strip().split(" ")
            label = int(label)
            counts[label] = counts.get(label, 0) + 1
def survey():
    scan_file(sys.argv[1], LabelFormat(), "", large=True).paths.duplicates(5)
ratios = []
for _ in range(int(sys.argv[2])):
    a = time.perf_counter(); loop(); b = time.perf_counter(); survey(); c = time.perf_counter()
    ratios.append((b - a) / (c - b))
ratios.sort()
print(f"In one process, numpy loaded: the survey is {ratios[len(ratios) // 2]:.1f} times as fast as the loop"
      f" ({ratios[0]:.1f} to {ratios[-1]:.1f}).")
"""


def main() -> None:
    import subprocess

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 1_281_167
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "train_list.txt")
        with open(path, "w", encoding="utf-8") as stream:
            for number in range(lines):
                label = random.randrange(1000)
                stream.write(f"train/n{label:08d}/n{label:08d}_{number % 100_000}_{number // 100_000}.JPEG {label}\n")
        cases = {
            BASE: [sys.executable, "-c", LOOP, path],
            "PaddleClas's loader, without its file checks": [sys.executable, "-c", LOADER, path],
            "label survey, whole process": [sys.executable, "-c", SURVEY, path],
        }
        print(table(rounds(cases, count, BASE), BASE))
        print()
        subprocess.run([sys.executable, "-c", INSIDE, path, str(count)], check=True)


if __name__ == "__main__":
    main()
