"""Make `knowledge/zoo/architectures.json` from a list of built networks.

Usage: `python scripts/make_zoo.py architectures.yaml`, where the YAML has a list `architectures` with `name`, `fc_in_features`, `head_type`,
`params_m` and `input_size` for each network, measured by building it with 1000 classes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from built import ZOO, write

OUT = ZOO / "architectures.json"


def main(source: str) -> None:
    """Write one line per architecture: inputs of the last layer, its type, millions of parameters, input size."""
    rows = yaml.safe_load(Path(source).read_text(encoding="utf-8"))["architectures"]
    table = {}
    for row in rows:
        kept = {
            "fc_in": row.get("fc_in_features"),
            "head": row.get("head_type"),
            "params_m": row.get("params_m"),
            "input": row.get("input_size"),
        }
        table[row["name"]] = {k: v for k, v in kept.items() if v is not None}
    write(OUT, table)


if __name__ == "__main__":
    main(sys.argv[1])
