"""Makes `docs/parity.md`: what both sides of PaddleClas do with each PaddlePaddle, and which injected divergences are found.

`python scripts/make_parity_doc.py PYTHON…`: interpreters that each have a PaddlePaddle and the wheel `paddleclas`. Run from the top of the
repository. Each makes its own exports of a small network (`tests/real/parity_lab.py`) and goes through all cases of `tests/real/test_parity.py`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.real.parity_lab import Lab
from tests.real.test_parity import NAMES, PAIRS, both, found

HEAD = """# Parity, measured

`paddle-doctor parity` runs the training side and the deploy side of PaddleClas over the same images and compares them on nine rungs: bytes, decoded
pixels, resized, tensor, weights, logits, probabilities, top-k, label names. This page is made by `python scripts/make_parity_doc.py`, with the wheel
`paddleclas` 2.6.0 and a small network (MobileNetV3_small_x0_35, 32×32) that every PaddlePaddle exports itself.

“Left out” is what stopped the predictor of `deploy/python/predict_cls.py` as it is: the real script ends there; the ladder is measured without it.
"""


def main() -> None:
    columns: list[tuple[str, dict[str, str], dict[str, Any]]] = []
    for python in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(Path(folder), python)
            with lab.crew:
                healthy = lab.run()
                outcomes = {"healthy": "clean" if healthy.clean else "**not clean**"}
                for name, (changes, expected) in NAMES.items():
                    outcomes[name] = verdict(found(lab.run(**changes)), expected)
                for one, other in PAIRS:
                    changes = both(NAMES[one][0], NAMES[other][0])
                    outcomes[f"{one} + {other}"] = verdict(found(lab.run(**changes)), NAMES[one][1] | NAMES[other][1])
                program = next(path.name for path in (lab.folder / "good").iterdir() if path.suffix in (".json", ".pdmodel"))
                facts = {
                    "exported program": f"`{program}`",
                    "left out": "<br>".join(
                        f"`{repair.kind}`: {repair.error[:110]}".replace("|", "\\|") for repair in healthy.deploy.repairs
                    ),
                    "largest error of logits": f"{healthy.rung('logits').alone.max_error:.1e}" if healthy.rung("logits").alone else "–",
                    "weights equal": f"{healthy.weights.equal} of {healthy.weights.train}" if healthy.weights else "–",
                }
                columns.append((str(healthy.train.paddle), outcomes, facts))
    lines = [HEAD, "| | " + " | ".join(f"PaddlePaddle {version}" for version, _, _ in columns) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    for key in columns[0][2]:
        lines.append(f"| {key} | " + " | ".join(facts[key] for _, _, facts in columns) + " |")
    lines += ["", "## Divergences", "", "| injected | " + " | ".join(f"named by {version}" for version, _, _ in columns) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    for key in columns[0][1]:
        lines.append(f"| {key} | " + " | ".join(outcomes[key] for _, outcomes, _ in columns) + " |")
    Path("docs/parity.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def verdict(seen: set[Any], expected: set[Any]) -> str:
    """What was named, marked where it is not what was injected."""
    text = ", ".join(f"{rung}: {kind}" + (f" ({parameter})" if parameter else "") for rung, kind, parameter in sorted(seen, key=str))
    return text if seen == expected else f"**{text or 'nothing'}**"


if __name__ == "__main__":
    main()
