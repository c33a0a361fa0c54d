"""Which PaddlePaddle opens which exported model with which predictor of PaddleClas: each pair is run, and `docs/exports.md` says what came of it.

    python scripts/make_exports_doc.py --python 3.3.1=/a/bin/python --python 2.6.2=/b/bin/python --code 2.5.2=/checkout/deploy …

Each interpreter exports a small network in the formats that it has, and runs `deploy/python/predict_cls.py` of each predictor over every export.
`--code` names a folder `deploy` of a checkout; the wheel's is found in the interpreter. Takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from checks.tensors.programs import read_program

EXPORT = """
import cv2, sys
import paddle
from paddle.vision.models import resnet18
net = resnet18(num_classes=5)
net.eval()
paddle.jit.save(paddle.jit.to_static(net, input_spec=[paddle.static.InputSpec([None, 3, 64, 64], "float32")]), sys.argv[1])
"""

IMAGE = 'import cv2, numpy, sys; cv2.imwrite(sys.argv[1], numpy.full((80, 80, 3), 127, "uint8"))'

CONFIG = """
Global: {infer_imgs: IMAGE, inference_model_dir: MODEL, batch_size: 1, use_gpu: False, enable_mkldnn: True, cpu_num_threads: 1,
  enable_benchmark: False, use_fp16: False, ir_optim: True, use_tensorrt: False, gpu_mem: 100, enable_profile: False}
PreProcess:
  transform_ops:
    - ResizeImage: {resize_short: 64}
    - CropImage: {size: 64}
    - NormalizeImage: {scale: 0.00392157, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: '', channel_num: 3}
    - ToCHWImage:
PostProcess:
  main_indicator: Topk
  Topk: {topk: 1}
"""

INTRODUCTION = """\
# Which PaddlePaddle opens which exported model

Exported by one PaddlePaddle, opened by another on a CPU, with three predictors: `deploy/python/predict_cls.py` of the branch 2.5.2, of develop,
and of the wheel `paddleclas` 2.6.0. Each cell was run by `scripts/make_exports_doc.py`; it says what was printed last. Rule EXP102 speaks of these
verdicts.

由一个 PaddlePaddle 导出，在 CPU 上由另一个打开，用三种预测器：2.5.2 分支、develop、以及 wheel `paddleclas` 2.6.0 的
`deploy/python/predict_cls.py`。每一格都由 `scripts/make_exports_doc.py` 实际运行得到，写的是最后打印的内容。规则 EXP102 依据这张表。
"""

FLAG = "FLAGS_enable_pir_api"


def export(python: str, folder: Path, old: bool) -> Path | None:
    """Export the network; None where this PaddlePaddle fails to."""
    folder.mkdir(parents=True)
    environ = {**os.environ, "OMP_NUM_THREADS": "1", **({FLAG: "0"} if old else {})}
    done = subprocess.run([python, "-c", EXPORT, str(folder / "inference")], env=environ, capture_output=True, timeout=300, check=False)
    return folder if done.returncode == 0 else None


def outcome(python: str, code: str | None, folder: Path, model: Path, image: Path, old: bool) -> str:
    """The last thing that the predictor prints, shortened."""
    config = folder / "deploy.yaml"
    config.write_text(CONFIG.replace("IMAGE", str(image)).replace("MODEL", str(model)))
    environ = {key: value for key, value in os.environ.items() if key != FLAG} | {"OMP_NUM_THREADS": "1"} | ({FLAG: "0"} if old else {})
    if code is None:  # the wheel's, without its paddleclas.py, which imports what a classifier does not need
        found = "import importlib.util as u, os; print(os.path.dirname(u.find_spec('paddleclas').origin))"
        package = subprocess.run([python, "-c", found], capture_output=True, text=True, check=True).stdout.split()[-1]
        code = os.path.join(package, "deploy")
    script = os.path.join(code, "python", "predict_cls.py")
    place = folder / "path" / "paddleclas"
    place.mkdir(parents=True, exist_ok=True)
    (place / "__init__.py").touch()
    link = place / "deploy"
    link.unlink(missing_ok=True)
    link.symlink_to(code)
    environ["PYTHONPATH"] = str(place.parent)
    done = subprocess.run([python, script, "-c", str(config)], env=environ, capture_output=True, timeout=300, check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode == 0:
        return "works" if "class id" in text else "exit 0 without a result"
    lines = [line for line in text.splitlines() if re.search(r"Error\b|bad_alloc|Segmentation", line)]
    said = lines[-1].strip() if lines else f"exit {done.returncode}"
    said = re.sub(r"^\w*Error: *|\(\w+\) *", "", said)
    return f"`{textwrap.shorten(said.replace(str(model) + '/', '…/'), 70, placeholder=' …')}`"


def main() -> None:
    """Run all pairs and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", required=True, metavar="VERSION=PATH")
    parser.add_argument("--code", action="append", default=[], metavar="NAME=FOLDER")
    options = parser.parse_args()
    pythons = dict(item.split("=", 1) for item in options.python)
    codes: dict[str, str | None] = {**dict(item.split("=", 1) for item in options.code), "wheel 2.6.0": None}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = folder / "image.png"
        subprocess.run([next(iter(pythons.values())), "-c", IMAGE, str(image)], check=True)
        models: dict[str, Path] = {}
        for version, python in pythons.items():
            for old in (False, True) if version >= "3" else (False,):
                made = export(python, folder / f"{version}-{old}", old)
                if made is not None:
                    suffix = ".json" if (made / "inference.json").exists() else ".pdmodel"
                    program = read_program(str(made / f"inference{suffix}"))
                    models[f"`{suffix}` of {version} (version {program.version if program else '?'})"] = made
        for version, python in pythons.items():
            for old in (False, True) if version >= "3" else (False,):
                for label, model in models.items():
                    cells = [outcome(python, code, folder, model, image, old) for code in codes.values()]
                    rows.append(f"| {version}{f' with `{FLAG}=0`' if old else ''} | {label} | {' | '.join(cells)} |")
                    print(rows[-1], file=sys.stderr, flush=True)
    heads = ["PaddlePaddle", "model", *codes]
    table = "\n".join(["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads), *rows])
    Path("docs/exports.md").write_text(f"{INTRODUCTION}\n{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
