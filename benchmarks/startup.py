"""How long the command takes, against `python -c pass` of the same environment.

Usage: `python benchmarks/startup.py [ROUNDS]` with the interpreter that paddle-doctor is installed for (not editable, so that it has bytecode).
"""

from __future__ import annotations

import os
import sys
import tempfile

from timing import rounds, table

from doctor.demo import CONFIG, write_demo

BASE = "python -c pass"
LINES = 8_000
LIBRARIES = ("argparse", "click", "typer", "yaml", "msgspec", "rich.console", "numpy")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    command = os.path.join(os.path.dirname(sys.executable), "paddle-doctor")
    with tempfile.TemporaryDirectory() as folder:
        write_demo(folder)
        for name, lines in (("train", LINES), ("val", LINES // 10)):
            with open(os.path.join(folder, "flowers", f"{name}_list.txt"), "w", encoding="utf-8") as stream:
                stream.writelines(f"{name}/class_{i % 3}/image_{i:06d}.jpg {i % 3}\n" for i in range(lines))
        check = [command, "check", "--config", CONFIG]
        cases = {
            BASE: [sys.executable, "-c", "pass"],
            "paddle-doctor --version": [command, "--version"],
            f"check, {LINES:,} lines, JSON": [*check, "--format", "json"],
            f"check, {LINES:,} lines, report": check,
            f"check, {LINES:,} lines, report in Chinese": [*check, "--lang", "zh"],
            "faq search": [command, "faq", "search", "shm 不够"],
            "shm": [command, "shm", "--workers", "8", "--batch", "64", "--size", "224"],
        }
        print(table(rounds(cases, count, BASE, folder), BASE))
        print()
        imports = {BASE: [sys.executable, "-c", "pass"]}
        for name in LIBRARIES:
            try:
                __import__(name)
            except ImportError:
                continue
            imports[f"import {name}"] = [sys.executable, "-c", f"import {name}"]
        print(table(rounds(imports, count, BASE), BASE))


if __name__ == "__main__":
    main()
