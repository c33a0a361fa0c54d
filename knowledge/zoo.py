"""What is known of the architectures: inputs of the last layer, parameters, input size (`zoo/architectures.json`).

The figures come from networks that were built and counted, not from papers (PaddleClas develop on PaddlePaddle 3.3.1).
"""

from __future__ import annotations

import functools
import os
from typing import Any

import msgspec

FLOAT32 = 4


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", "architectures.json"), "rb") as stream:
        table: dict[str, dict[str, Any]] = msgspec.json.decode(stream.read())
    return table


def head_bytes(architecture: str, classes: int) -> int | None:
    """Bytes that `classes` outputs take in the last layer: `(C + 1) × classes × 4`, with C its inputs and one bias each.

    2048 inputs (ResNet50) and 1000 classes make 8.2 MB. None for an architecture that is not known or has no class head.
    """
    inputs = _table().get(architecture, {}).get("fc_in")
    return None if inputs is None else (int(inputs) + 1) * classes * FLOAT32
