"""How long the shapes of a 100 MB file of weights take, against `python -c pass`, and against `paddle.load` in its own process.

Usage: `python benchmarks/weights.py [PYTHON_WITH_PADDLE]` with the interpreter that paddle-doctor is installed for (not editable).
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile

from timing import rounds, table

BASE = "python -c pass"
ROUNDS = 21


def write(path: str) -> None:
    """Weights like ResNet50's: 53 convolutions with their BatchNorm and one FC, 102 MB, as `paddle.save` writes them (protocol 4)."""
    import numpy

    state: dict[str, object] = {"conv1.weight": numpy.ones((64, 3, 7, 7), "float32")}
    width = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        middle, out = 64 << stage, 256 << stage
        for block in range(blocks):
            shapes = [(middle, width, 1, 1), (middle, middle, 3, 3), (out, middle, 1, 1)] + ([(out, width, 1, 1)] if block == 0 else [])
            for place, shape in enumerate(shapes):
                name = f"blocks.{stage}.{block}.conv{place}"
                state[f"{name}.conv.weight"] = numpy.ones(shape, "float32")
                for part in ("weight", "bias", "_mean", "_variance"):
                    state[f"{name}.bn.{part}"] = numpy.ones(shape[0], "float32")
            width = out
    state["fc.weight"], state["fc.bias"] = numpy.ones((2048, 1000), "float32"), numpy.ones(1000, "float32")
    state["StructuredToParameterName@@"] = {name: f"parameter_{place}" for place, name in enumerate(state)}
    with open(path, "wb") as stream:
        pickle.dump(state, stream, 4)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "w.pdparams")
        subprocess.run([sys.executable, __file__, "--write", path], check=True)  # the parent's memory would count as the children's
        size = os.path.getsize(path) / 1e6
        shapes = "from checks.tensors.formats import shapes_of; assert len(shapes_of({path!r})) > 260"
        records = "from checks.tensors.read import read_contents; assert len(read_contents({path!r}).tensors) > 260"
        cases = {
            BASE: [sys.executable, "-c", "pass"],
            f"shapes of {size:.0f} MB": [sys.executable, "-c", shapes.format(path=path)],
            "the same as records, with places": [sys.executable, "-c", records.format(path=path)],
            "import msgspec": [sys.executable, "-c", "import msgspec"],
            "pickle.load": [sys.executable, "-c", f"import pickle; pickle.load(open({path!r}, 'rb'))"],
        }
        print(table(rounds(cases, ROUNDS, BASE), BASE))
        if len(sys.argv) > 1:
            cases = {BASE: cases[BASE], "paddle.load": [sys.argv[1], "-c", f"import paddle; paddle.load({path!r})"]}
            print(table(rounds(cases, 3, BASE), BASE))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2])
    else:
        main()
