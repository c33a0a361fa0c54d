"""Lists of transforms that nobody has seen, followed and run for real.

Those of deployment come from the wheel `paddleclas`; with a checkout of PaddleClas in `PADDLE_DOCTOR_PADDLECLAS`, and its requirements in the
interpreter, those of training too. `PADDLE_DOCTOR_SEED` makes other lists.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.checks.facts.test_pipelines import disagreements

ORACLE = Path(__file__).parent / "transform_oracle.py"


def test_new_lists_end_as_with_the_real_transforms(real_python: str, tmp_path: Path) -> None:
    checkout = os.environ.get("PADDLE_DOCTOR_PADDLECLAS")
    only: list[str] = []
    if not checkout:
        where = "import importlib.util as u; print(*u.find_spec('paddleclas').submodule_search_locations)"
        checkout = subprocess.run([real_python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
        only = ["--deployed"]
    out = tmp_path / "outcomes.json"
    seed = os.environ.get("PADDLE_DOCTOR_SEED", "7")
    command = [real_python, str(ORACLE), str(out), "--seed", seed, "--lists", "200", *only]
    subprocess.run(command, cwd=checkout, check=True, timeout=1800)
    wrong, compared = disagreements(json.loads(out.read_text(encoding="utf-8")))
    assert compared > 100
    assert wrong == []
