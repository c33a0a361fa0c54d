"""How long the survey of large label files takes and what it needs, beside PaddleClas's own loading loop and polars.

Usage: `python benchmarks/labels.py [PART ...] [--rounds N] [--lines N] [--many N]`, the parts being `imagenet` (1,281,167 lines), `formats` (other
dataset classes, a quarter of those lines each) and `21k` (14.2 million lines, 500 MB of disk; polars for its other half). Files are generated.

The loop is that of each dataset class: readlines, `strip().split()`, `np.int64` a line, lists kept. Its `os.path.exists` of every image is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable

from timing import rounds, table

LOOP = "PaddleClas's loop"
POLARS = "polars scan_csv, streaming"

LOADER = """
import sys
import numpy as np
name, path = sys.argv[1:3]
images, labels = [], []
with open(path) as fd:
    lines = fd.readlines()
    for line in lines:
        if name == "MultiLabelDataset":
            line = line.strip().split("\\t")
            labels.append([np.int64(i) for i in line[1].split(",")])
            images.append("root/" + line[0])
        elif name == "LogoDataset":
            line = line.strip().split("\\t")
            if line[0] == "image_id":
                continue
            images.append("root/" + line[3])
            labels.append(np.int64(line[1]) - 1)
        else:
            line = line.strip().split({"VeriWild": None, "ICartoonDataset": "\\t", "delimiter": ", "}.get(name, " "))
            images.append("root/" + line[0])
            labels.append(np.int64(line[1]))
"""
RULE = """
import sys
from checks.facts.label_format import MODERN, LabelFormat
rule = MODERN.get(sys.argv[1]) or LabelFormat(separator=", ")
path = sys.argv[2]
"""
SURVEY = f"""{RULE}
from checks.facts.label_scan import scan_file
scan_file(path, rule, True)
"""
PATHS = f"""{RULE}
from checks.facts.label_hashes import compare_large
from checks.facts.label_tables import Source
compare_large([Source(path, rule, "", int(sys.argv[3]))], [], 5, 100_000)
"""
INSIDE = f"""{RULE}
import time
import numpy
from checks.facts.label_hashes import compare_large
from checks.facts.label_scan import scan_file
from checks.facts.label_tables import Source
def loop():
    exec(LOADER, {{}})
LOADER = compile({LOADER!r}, "loop", "exec")
count, lines = int(sys.argv[4]), int(sys.argv[3])
both = []
for _ in range(count):
    a = time.perf_counter(); loop()
    b = time.perf_counter(); scan_file(path, rule, True)
    c = time.perf_counter(); compare_large([Source(path, rule, "", lines)], [], 5, 100_000)
    d = time.perf_counter()
    both.append(((c - b) / (b - a), (d - c) / (b - a)))
for name, ratios in zip(("survey", "paths"), zip(*both)):
    print(f"In one process, numpy loaded: {{name}} {{sorted(ratios)[count // 2]:.3f}} of the loop ({{min(ratios):.3f}} to {{max(ratios):.3f}}).")
"""
SCAN_CSV = """
import sys
import polars as pl
frame = pl.scan_csv(sys.argv[1], separator=" ", has_header=False, schema={"path": pl.String, "label": pl.Int64})
counts = frame.group_by("label").agg(pl.len()).collect(engine="streaming")
counts.select(pl.col("label").min(), pl.col("label").max().alias("max"), pl.col("len").sum(), pl.len().alias("classes"))
"""


def imagenet(number: int, label: int) -> str:
    """A line of `train_list.txt`."""
    return f"train/n{label:08d}/n{label:08d}_{number % 100_000}_{number // 100_000}.JPEG {label}\n"


def short(number: int, label: int) -> str:
    """A line of a list of ImageNet-21k."""
    return f"n{label:05d}/n{label:05d}_{number % 10_000}_{number // 10_000}.JPEG {label}\n"


FORMATS: dict[str, Callable[[int, int], str]] = {
    "ICartoonDataset": lambda n, k: f"train/{k:05d}/{k:05d}_{n}.jpg\t{k}\n",
    "VeriWild": lambda n, k: f"images/{k:05d}/{n:06d}.jpg {k} {n % 174}\n",
    "LogoDataset": lambda n, k: f"{n + 1}\t{k + 1}\t{k % 10}\ttrain/{k:05d}/{n}.jpg\n",
    "MultiLabelDataset": lambda n, k: f"train/{n:08d}.jpg\t{','.join('1' if i == k % 80 else '0' for i in range(80))}\n",
    "delimiter": lambda n, k: f"train/{k:05d}/a photo {n}.jpg, {k}\n",
}
"""Dataset class (`delimiter`: ImageNetDataset with `delimiter: ", "`) → a line of its list."""


def write(path: str, lines: int, classes: int, line: Callable[[int, int], str], header: str = "") -> None:
    """Write a list whose samples come in random order of their classes."""
    random.seed(0)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(header)
        for number in range(lines):
            stream.write(line(number, random.randrange(classes)))


def measure_imagenet(folder: str, count: int, lines: int) -> None:
    """The survey and the pass over the paths of ImageNet-1k's size, whole processes and in one process."""
    path = os.path.join(folder, "train_list.txt")
    write(path, lines, 1000, imagenet)
    words = ["ImageNetDataset", path, str(lines)]
    cases = {
        LOOP: [sys.executable, "-c", LOADER, *words],
        "label survey": [sys.executable, "-c", SURVEY, *words],
        "repeats, conflicts and folders": [sys.executable, "-c", PATHS, *words],
        "import numpy": [sys.executable, "-c", "import numpy"],
    }
    print(f"{lines:,} lines, {os.path.getsize(path) / 1e6:.0f} MB\n")
    print(table(rounds(cases, count, LOOP), LOOP), flush=True)
    print()
    subprocess.run([sys.executable, "-c", INSIDE, *words, str(count)], check=True)
    os.unlink(path)


def measure_formats(folder: str, count: int, lines: int) -> None:
    """Surveys of the lists of other dataset classes, each against its own loop."""
    for name, line in FORMATS.items():
        path = os.path.join(folder, f"{name}.txt")
        write(path, lines, 1000, line, "image_id\tclass_id\tsuper\tpath\n" if name == "LogoDataset" else "")
        words = [name, path, str(lines)]
        base = f"{name}: its loop"
        cases = {
            base: [sys.executable, "-c", LOADER, *words],
            f"{name}: survey": [sys.executable, "-c", SURVEY, *words],
            f"{name}: paths": [sys.executable, "-c", PATHS, *words],
        }
        print(f"\n{lines:,} lines, {os.path.getsize(path) / 1e6:.0f} MB\n")
        print(table(rounds(cases, count, base), base), flush=True)
        os.unlink(path)


def measure_21k(folder: str, count: int, lines: int) -> None:
    """The survey of ImageNet-21k's size against polars, where that is installed."""
    path = os.path.join(folder, "21k_list.txt")
    write(path, lines, 21_841, short)
    survey, base = "label survey", POLARS
    cases = {POLARS: [sys.executable, "-c", SCAN_CSV, path], survey: [sys.executable, "-c", SURVEY, "ImageNetDataset", path]}
    if importlib.util.find_spec("polars") is None:
        print("polars is not installed; the survey alone:")
        del cases[POLARS]
        base = survey
    print(f"\n{lines:,} lines, {os.path.getsize(path) / 1e6:.0f} MB\n")
    print(table(rounds(cases, count, base), base), flush=True)
    cases = {"repeats, conflicts and folders": [sys.executable, "-c", PATHS, "ImageNetDataset", path, str(lines)]}
    print()
    print(table(rounds(cases, 1, *cases), next(iter(cases))), flush=True)
    os.unlink(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="imagenet, formats, 21k (default: all)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lines", type=int, default=1_281_167)
    parser.add_argument("--many", type=int, default=14_200_000)
    options = parser.parse_args()
    parts = options.parts or ["imagenet", "formats", "21k"]
    with tempfile.TemporaryDirectory() as folder:
        if "imagenet" in parts:
            measure_imagenet(folder, options.rounds, options.lines)
        if "formats" in parts:
            measure_formats(folder, options.rounds, options.lines // 4)
        if "21k" in parts:
            measure_21k(folder, options.rounds, options.many)


if __name__ == "__main__":
    main()
