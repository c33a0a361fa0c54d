"""What stops the programs of PaddleClas, told by the line that they print last."""

from __future__ import annotations

import re

from checks.model import Fix

KNOWN: tuple[tuple[str, str, str], ...] = (
    (r"memory_optimize_pass|Not find predictor_id", "see-rule", "paddle-doctor rule EXP102"),
    (r"Cannot open file .*inference\.(json|pdmodel)|std::bad_alloc|strides is not right", "see-rule", "paddle-doctor rule EXP102"),
    (r"No module named '?faiss", "install", "pip install faiss-cpu"),
    (r"No module named '?paddleclas", "install", "pip install paddleclas"),
    (r"No module named '?ppcls", "install", "export PYTHONPATH=PaddleClas"),
    (r"No module named '?paddle'?$", "install", "pip install paddlepaddle"),
    (r"Model pretrain path .* does not exists", "see-rule", "paddle-doctor rule WTS103"),
    (r"(?i)out of memory|cannot malloc", "see-entry", "paddle-doctor faq show env.oom"),
    (r"(?i)GPU version|Cannot use GPU|use_gpu.* (compiled|CPU)|no CUDA-capable device", "see-rule", "paddle-doctor rule DEP205"),
)  # fmt: skip
"""What the line has in it → the fix's title, and the command. The first two were seen with PaddlePaddle 2.6.2, 3.0.0 and 3.3.1 (see EXP102)."""


def known_cause(line: str) -> Fix | None:
    """Where the way out of an error stands, if it is one that we know."""
    for pattern, title, command in KNOWN:
        if re.search(pattern, line):
            return Fix(title, "command", "safe", command=command)
    return None
