"""Make `knowledge/zoo/figures.json` from the published figures of PaddleClas's model pages.

Usage: `python scripts/make_figures.py model_zoo.csv`, a table with the columns `model, series, group, kind, top1, v100_trt_fp32_bs{1,4,8}_ms,
sd855_bs1_t{1,4}_ms, intel_cpu_bs1_ms, doc_latency_ms, eval_size, flops_g, params_m` and comments behind `#`. One line for each architecture,
with a second set of figures under `ssld` where the pages give one for distilled weights.

What the pages mix up is left out, so that figures of one kind can be compared with each other:

- PP-LCNet: the column of the V100 (batch 1) holds the milliseconds of the Xeon Gold 6148 that the other mobile networks were timed on, and the
  column of that Xeon those of another with OpenVINO, as for PP-LCNetV2; its chapter calls it a server network;
- PP-HGNetV2 and the largest PP-HGNet: one latency, of the precision of their own page; and their accuracy is that of distilled weights;
- four threads that are more than four times as fast as one: one of the two numbers belongs to another row;
- other sizes than 224 pixels, names that no architecture has, and rows of compressed or retrained weights.
"""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

from built import ZOO, write

OUT = ZOO / "figures.json"

ALIASES = {"MobileNetV1_x1_0": "MobileNetV1", "MobileNetV2_x1_0": "MobileNetV2", "ShuffleNetV2": "ShuffleNetV2_x1_0"}
"""Names of the pages for architectures that are called otherwise."""

V100 = tuple(f"v100_trt_fp32_bs{batch}_ms" for batch in (1, 4, 8))
ARM = ("sd855_bs1_t1_ms", "sd855_bs1_t4_ms")
SIZE = 224


def number(row: dict[str, str], key: str) -> float | None:
    """A cell as a number; None for an empty one."""
    return float(row[key]) if row[key] else None


def figures(row: dict[str, str]) -> dict[str, Any]:
    """The figures of a row that can be compared: top-1 in percent, GMACs, millions of parameters, milliseconds."""
    lcnet, second = row["model"].startswith("PPLCNet"), row["model"].startswith("PPLCNetV2")
    top1 = number(row, "top1")
    found: dict[str, Any] = {
        "top1": None if top1 is None else round(100 * top1, 2),
        "macs_g": number(row, "flops_g"),
        "params_m": number(row, "params_m"),
    }
    v100 = [number(row, key) for key in V100]
    own_page_only = v100[1] is None and v100[0] == number(row, "doc_latency_ms")
    if v100[0] is not None and None not in v100 and not lcnet and not own_page_only:
        found["v100"] = v100
    one, four = (number(row, key) for key in ARM)
    if one is not None and four is not None and one <= 4 * four:
        found["arm"] = one
    xeon = None if second else v100[0] if lcnet and v100[0] is not None else number(row, "intel_cpu_bs1_ms")
    if xeon is not None:
        found["xeon"] = xeon
    return {key: value for key, value in found.items() if value is not None}


def main(source: str) -> None:
    """Write one line per architecture, sorted by name."""
    architectures = json.loads((ZOO / "architectures.json").read_text(encoding="utf-8"))
    with open(source, encoding="utf-8") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    table: dict[str, dict[str, Any]] = {}
    for row in rows:
        plain = row["model"].removesuffix("_ssld")
        name = ALIASES.get(plain, plain)
        distilled = plain != row["model"] or plain.startswith("PPHGNetV2")
        if name not in architectures and name not in ALIASES.values():
            continue
        if row["eval_size"] not in ("", str(SIZE)):
            continue
        mobile = row["group"] != "server" or name.startswith(("PPLCNet", "MobileViT"))
        entry = table.setdefault(name, {"device": "mobile" if mobile else "server"})
        target = entry.setdefault("ssld", {}) if distilled else entry
        for key, value in figures(row).items():
            target.setdefault(key, value)  # the page of the models comes before those that compare them
    write(OUT, table)


if __name__ == "__main__":
    main(sys.argv[1])
