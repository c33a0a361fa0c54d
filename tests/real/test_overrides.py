"""Our overrides against PaddleClas's own `override_config`, option by option."""

from __future__ import annotations

import json
import os
import subprocess

import yaml

from checks.facts.overrides import apply_overrides
from checks.facts.yaml_tree import read_tree

ORACLE = os.path.join(os.path.dirname(__file__), "override_oracle.py")

CONFIG = {
    "Global": {"epochs": 120, "image_shape": [3, 224, 224], "pretrained_model": None},
    "Arch": {"name": "ResNet50", "class_num": 1000},
    "DataLoader": {"Train": {"dataset": {"transform_ops": [{"DecodeImage": {"to_rgb": True}}, {"ToCHWImage": None}]}}},
}

VALUES = [
    "1e-4", "True", "true", "null", "None", "[1,2]", "(1,2)", "{'a':1}", "0123", "1_000", "train_list.txt", "./data", "a/b", "data-x",
    "", '"quoted"', "'0'", "0x10", "nan", "inf", "-1", "+1", " 5", "5 ", "中文", "１", "a b", "[1, x]", "1,2", "...x", "gpu", "ResNet50_vd",
    "https://host/a.pdparams", "1.0/255.0x", "not_a_name + 1",
]  # fmt: skip

KEYS = [
    "Global.epochs", "Global.new", "New.deep.key", "Global.image_shape.1", "Global.image_shape.-1", "Global.image_shape.3",
    "Global.image_shape.-4", "Global.image_shape.x", "DataLoader.Train.dataset.transform_ops.0.DecodeImage.to_rgb",
    "DataLoader.Train.dataset.transform_ops.-1.ToCHWImage", "DataLoader.Train.dataset.transform_ops.5.DecodeImage.to_rgb",
    "Global.epochs.deeper", "Global.pretrained_model.deeper", "Global.epochs ", "Global", "DataLoader.TRAIN.sampler.batch_size",
]  # fmt: skip

MALFORMED = ["Global.epochs", "Global.output_dir=a=b", "=5"]


def test_every_override_ends_as_in_paddleclas(real_python: str, tmp_path: os.PathLike[str]) -> None:
    options = [f"Global.epochs={value}" for value in VALUES] + [f"{key}=7" for key in KEYS] + MALFORMED
    done = subprocess.run(
        [real_python, ORACLE], input=json.dumps([CONFIG, options]), capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path
    )
    rows = json.loads(done.stdout.rpartition("RESULT")[2])
    path = os.path.join(tmp_path, "c.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        yaml.safe_dump(CONFIG, stream)
    tree = read_tree(path)
    for option, (status, theirs) in zip(options, rows, strict=True):
        ours, (outcome,) = apply_overrides(tree, (option,))
        if status == "ok":
            if option == "=5":
                continue  # makes a key of no letters: refused by us on purpose
            assert outcome.problem is None, (option, outcome)
            assert json.dumps(ours.data, sort_keys=True) == json.dumps(theirs, sort_keys=True), option
        else:
            assert outcome.problem is not None, (option, theirs)
            assert ours.data == tree.data, option
