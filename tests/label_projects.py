"""What the tests of label lists share."""

from __future__ import annotations

from tests.projects import Generation

BOTH: list[Generation] = ["modern", "legacy"]
TRAIN_FILE = "./data/train_list.txt"
EVAL_FILE = "./data/val_list.txt"
GOOD = "a.png 0\nb.png 1\nc.png 2\n"
MULTI = {"DataLoader.Train.dataset.name": "MultiLabelDataset", "DataLoader.Eval.dataset.name": "MultiLabelDataset"}
