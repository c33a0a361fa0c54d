"""Existence, quick look and full decode of listed images, against `os.path.exists` for each line and a full Pillow load.

Usage: `python benchmarks/images.py [ROUNDS] [EXISTENCE_LINES] [IMAGES]`. Makes its files in a temporary folder: empty ones for existence
(1.28 million of them take a few minutes to make), JPEGs of 96x96 for the rest. Needs Pillow, and simplejpeg for the full decode.
"""

from __future__ import annotations

import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from timing import rounds, table

BASE = "os.path.exists for each line"

EXISTS = """
import os, sys
gone = 0
with open(sys.argv[1]) as f:
    for line in f:
        gone += not os.path.exists(os.path.join(sys.argv[2], line.strip().split(" ")[0]))
"""
FOLDERS = """
import sys
from checks.facts.image_scan import look
from checks.facts.label_format import LabelFormat
look(sys.argv[1], LabelFormat(), sys.argv[2], True, lambda done: None)
"""
PLAIN = FOLDERS.replace("True", "False")
SMALL = """
import sys, time
from checks.facts.image_scan import look
from checks.facts.label_format import LabelFormat
times = []
for _ in range(9):
    start = time.perf_counter()
    look(sys.argv[1], LabelFormat(), sys.argv[2], False, lambda done: None)
    times.append(1000 * (time.perf_counter() - start))
print(f"8,000 lines, all there: {sorted(times)[4]:.1f} ms ({min(times):.1f} at best)")
"""


def folders_of_files(folder: str, lines: int) -> str:
    """`lines` empty files in about 1,000 folders, and their list in random order."""
    random.seed(0)
    rows = []
    classes = max(1, min(1000, lines // 100))
    for label in range(classes):
        os.makedirs(os.path.join(folder, f"train/n{label:08d}"))
    for number in range(lines):
        label = number % classes
        name = f"train/n{label:08d}/n{label:08d}_{number // classes}.JPEG"
        os.close(os.open(os.path.join(folder, name), os.O_CREAT | os.O_WRONLY))
        rows.append(f"{name} {label}\n")
    random.shuffle(rows)
    path = os.path.join(folder, "list.txt")
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(rows)
    return path


def picture(width: int, height: int, seed: int) -> bytes:
    """A JPEG of soft shapes and a little noise, which compresses about as a photo does."""
    from PIL import Image

    rng = random.Random(seed)
    coarse = Image.frombytes("RGB", (12, 12), rng.randbytes(432)).resize((width, height), Image.Resampling.BICUBIC)
    noise = Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3))
    stream = io.BytesIO()
    Image.blend(coarse, noise, 0.06).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def jpegs(folder: str, count: int, different: int = 500) -> list[str]:
    """`count` JPEGs of 96x96 pixels, so many different ones, in 100 folders."""
    os.makedirs(folder, exist_ok=True)
    pictures = [picture(96, 96, seed) for seed in range(different)]
    paths = []
    for number in range(count):
        if number < 100:
            os.mkdir(os.path.join(folder, f"{number}"))
        paths.append(os.path.join(folder, f"{number % 100}/{number}.jpg"))
        with open(paths[-1], "wb") as stream:
            stream.write(pictures[number % different])
    return paths


def contents(paths: list[str], count: int) -> None:
    """Images per second of Pillow, the quick look and the full decode, and their ratios within each round."""
    from PIL import Image

    from checks.facts.image_crew import see_all, usable_cpus

    def pillow(some: list[str]) -> None:
        for path in some:
            with Image.open(path) as image:
                image.load()

    def one(some: list[str]) -> None:
        from checks.facts.image_worker import see

        for path in some:
            see(path)

    few = paths[:: max(1, len(paths) // 4000)]
    cases = {
        "Pillow load, one process": (pillow, few),
        "quick, one process": (one, paths),
        f"quick, {usable_cpus()} CPUs": (lambda some: see_all(some, False, lambda done: None), paths),
        f"full, {usable_cpus()} CPUs": (lambda some: see_all(some, True, lambda done: None), paths),
    }
    rates: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(count + 1):
        for name, (work, some) in cases.items():
            start = time.perf_counter()
            work(some)
            rates[name].append(len(some) / (time.perf_counter() - start))
    base = rates["Pillow load, one process"][1:]
    print("| case | images/s | × Pillow | from | to |\n| --- | --- | --- | --- | --- |")
    for name, found in rates.items():
        ratios = [rate / other for rate, other in zip(found[1:], base, strict=True)]
        print(f"| {name} | {statistics.median(found[1:]):.0f} | {statistics.median(ratios):.1f} | {min(ratios):.1f} | {max(ratios):.1f} |")


def whole(folder: str, count: int) -> None:
    """A whole check of a project of 8,800 images: the first, and one that finds its results kept."""
    from doctor.demo import CONFIG, write_demo

    write_demo(folder)
    data = os.path.join(folder, "flowers")
    paths = [os.path.relpath(path, data) for path in jpegs(os.path.join(data, "jpeg"), 8_800, 8_800)]
    for name, some in (("train", paths[:8_000]), ("val", paths[8_000:])):
        with open(os.path.join(data, f"{name}_list.txt"), "w", encoding="utf-8") as stream:
            stream.writelines(f"{path} {number % 3}\n" for number, path in enumerate(some))
    check = [os.path.join(os.path.dirname(sys.executable), "paddle-doctor"), "check", "--config", CONFIG]
    cases = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "check, --images off": [*check, "--images", "off"],
        "check, 8,800 images, --no-cache": [*check, "--no-cache"],
        "check, 8,800 images, kept": check,
    }
    print(table(rounds(cases, count, "python -c pass", folder), "python -c pass"), "\n")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 1_281_167
    images = int(sys.argv[3]) if len(sys.argv) > 3 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        if lines:
            path = folders_of_files(folder, lines)
            cases = {
                BASE: [sys.executable, "-c", EXISTS, path, folder],
                "folder by folder, numpy": [sys.executable, "-c", FOLDERS, path, folder],
                "folder by folder, no numpy": [sys.executable, "-c", PLAIN, path, folder],
            }
            print(table(rounds(cases, count, BASE), BASE), "\n")
        small = os.path.join(folder, "small")
        os.mkdir(small)
        subprocess.run([sys.executable, "-c", SMALL, folders_of_files(small, 8000), small], check=True)
        print()
        if images:
            whole(os.path.join(folder, "project"), count)
            contents(jpegs(os.path.join(folder, "jpeg"), images), count)


if __name__ == "__main__":
    main()
