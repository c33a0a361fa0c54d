"""A small stand-in for a checkout of PaddleClas, and one for PaddlePaddle: the entry points that `--probe` uses, and datasets that misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PPCLS = '''
import json, os, socket, subprocess, sys, threading, time, urllib.request
import numpy as np
from paddle.io import BatchSampler, DataLoader, Dataset

def log(name):
    with open(os.environ["PROBE_LOG"], "a") as stream:
        stream.write(name + "\\n")

class Plain(Dataset):
    """Images of one shape and type, with a label; what happens to each is `act`."""
    def __init__(self, shape=(3, 32, 32), dtype="float32", samples=20, labels=0, **others):
        self.shape, self.dtype, self.samples, self.labels = tuple(shape), dtype, samples, labels
        self.seen = []
    def __len__(self):
        return self.samples
    def __getitem__(self, index):
        self.act(index)
        label = np.zeros(self.labels, "float32") if self.labels else np.int64(index)
        return np.zeros(self.size(index), self.dtype), label
    def act(self, index):
        pass
    def size(self, index):
        return self.shape

class ImageNetDataset(Plain):
    """Reads its list, crops to the last size of its transforms, as far as the tests' configs go."""
    def __init__(self, image_root, cls_label_path, transform_ops=None, **others):
        with open(cls_label_path) as stream:
            count = len([line for line in stream if line.strip()])
        size = [op[name]["size"] for op in transform_ops for name in op if (op[name] or {}).get("size")]
        side = [size[-1], size[-1]] if isinstance(size[-1], int) else size[-1][::-1]
        super().__init__((3, *side), samples=count)

class Growing(Plain):
    def size(self, index):
        return 3, 32 + index, 48

class Sleeping(Plain):
    def act(self, index):
        time.sleep(1000)

class Forking(Plain):
    def act(self, index):
        hears, tells = os.pipe()
        if os.fork() == 0:
            log("child %d" % os.getpid())
            os.write(tells, b".")
            time.sleep(1000)
        os.read(hears, 1)

class ForkingThenSleeping(Forking):
    def act(self, index):
        Forking.act(self, index)
        time.sleep(1000)

class Flooding(Plain):
    def act(self, index):
        line = ("x" * 99999 + "\\0\\n").encode()
        for _ in range(50):
            os.write(1, line)
            os.write(2, line)

class Raising(Plain):
    def act(self, index):
        raise ValueError("sample %d is \\x00\\x1b[31m bad\\nsecond line" % index)

class Resampling(Plain):
    def __getitem__(self, index):
        try:
            raise OSError("no such image as 7.png")
        except Exception:
            return self[index + 1]

class Quitting(Plain):
    def act(self, index):
        os._exit(0)

class Exiting(Plain):
    def act(self, index):
        sys.exit(0)

class Dying(Plain):
    def act(self, index):
        print("SomeError: last words", flush=True)
        os.kill(os.getpid(), 9)

class Garbling(Plain):
    def act(self, index):
        for handle in range(3, 64):
            try:
                os.write(handle, b"\\x10\\0\\0\\0 no JSON at all ")
            except OSError:
                pass

class Huge(Plain):
    def act(self, index):
        for handle in range(3, 64):
            try:
                os.write(handle, b"\\xff\\xff\\xff\\x7f")
            except OSError:
                pass

class Calling(Plain):
    def act(self, index):
        urllib.request.urlopen("http://127.0.0.1:%s/" % os.environ["PROBE_PORT"], timeout=5)

class Connecting(Plain):
    def act(self, index):
        with socket.socket() as one:
            one.connect(("127.0.0.1", int(os.environ["PROBE_PORT"])))

class Telling(Plain):
    """Says what surrounds it."""
    def act(self, index):
        names = ("CUDA_VISIBLE_DEVICES", "PADDLE_TRAINERS_NUM", "PYTHONDONTWRITEBYTECODE")
        raise ValueError(json.dumps([os.getcwd(), {n: os.environ.get(n) for n in names}, os.getpgid(0) == os.getpid()]))

class Scales(BatchSampler):
    """Batches of several sizes; an item tells the dataset what size to make."""
    def __init__(self, dataset, **others):
        self.length = len(dataset)
    def __iter__(self):
        for side, count in ((16, 16), (32, 4), (64, 2)):
            yield [(side, side, index) for index in range(count)]
    def __len__(self):
        return 3

class Uncounted(BatchSampler):
    """Batches without end, and without a length."""
    def __init__(self, dataset, batch_size=4):
        self.batch_size = batch_size
    def __iter__(self):
        while True:
            yield list(range(self.batch_size))
    def __len__(self):
        raise TypeError("object has no len()")

class Scaled(Plain):
    def __getitem__(self, item):
        width, height, index = item
        return np.zeros((3, height, width), "float32"), np.int64(index)

def mixed(batch):
    """As PaddleClas's own `mix_collate_fn`: two labels and a weight for each sample."""
    images = np.stack([image for image, label in batch])
    labels = np.array([label for image, label in batch])
    return [images, labels, labels[::-1], np.ones(len(batch), "float32")]

calls = []
def sampled(batch):
    """One of two outcomes, as an `OpSampler` has them."""
    calls.append(len(batch))
    images = np.stack([image for image, label in batch])
    labels = np.array([label for image, label in batch])
    return [images, labels] if len(calls) % 3 else [images, np.zeros((len(batch), 100), "float32")]

def padded(batch):
    side = max(image.shape[1] for image, label in batch)
    return [np.stack([np.pad(image, ((0, 0), (0, side - image.shape[1]), (0, 0))) for image, label in batch])]

def build_dataloader(config, mode, device, use_dali=False, seed=None):
    assert mode in ("Train", "Eval", "Gallery", "Query", "UnLabelTrain"), mode
    section = config[mode]
    assert "class_num" in config or mode in ("Gallery", "Query")
    given = dict(section["dataset"])
    dataset = globals()[given.pop("name")](**given)
    sampler = dict(section["sampler"])
    name = sampler.pop("name", None)
    if name in globals():
        sampler = globals()[name](dataset, **sampler)
    else:
        sampler = BatchSampler(dataset, batch_size=sampler["batch_size"], drop_last=sampler.get("drop_last", False))
    collate = globals().get(section["dataset"].get("batch_transform_ops"))
    return DataLoader(dataset=dataset, places=device, batch_sampler=sampler, num_workers=section.loader["num_workers"],
                      use_shared_memory=section.loader.use_shared_memory, return_list=True, collate_fn=collate)

class Reader:
    """The way of 2.0 and 2.1."""
    def __init__(self, config, mode="train", places=None):
        self.params, self.mode, self.places = config[mode.upper()], mode, places
    def __call__(self):
        dataset = ImageNetDataset(self.params["data_dir"], self.params["file_list"], self.params["transforms"])
        sampler = BatchSampler(dataset, batch_size=self.params["batch_size"], drop_last=self.mode == "train")
        return DataLoader(dataset, batch_sampler=sampler, places=self.places, return_list=True, num_workers=self.params["num_workers"])
'''

LOGGER = """
_logger = None
def init_logger(name="ppcls", log_file=None):
    assert log_file is None
    print("logging\\0to stdout")
"""

PADDLE = """
import numpy as np
__version__ = "3.0.0-standin"
def set_device(name):
    assert name == "cpu"
class CPUPlace:
    pass
"""

PADDLE_IO = """
class Dataset:
    pass
class BatchSampler:
    def __init__(self, dataset, shuffle=False, batch_size=1, drop_last=False):
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
    def __iter__(self):
        batch = []
        for index in range(len(self.dataset)):
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch
    def __len__(self):
        count = len(self.dataset)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
class DataLoader:
    def __init__(self, dataset, places=None, batch_sampler=None, num_workers=0, use_shared_memory=True, return_list=True, collate_fn=None):
        self.dataset, self.batch_sampler, self.collate_fn, self.num_workers = dataset, batch_sampler, collate_fn, num_workers
        self.use_shared_memory = use_shared_memory and num_workers > 0
"""

COLLATE = """
import numbers
import numpy as np
def default_collate_fn(batch):
    if isinstance(batch[0], np.ndarray):
        return np.stack(batch)
    if isinstance(batch[0], numbers.Number):
        return np.array(batch)
    return [default_collate_fn(fields) for fields in zip(*batch)]
"""


def write_ppcls(folder: Path) -> Path:
    """A checkout with `ppcls.data` in a folder."""
    return _write(
        folder, {"ppcls/__init__.py": "", "ppcls/data/__init__.py": PPCLS, "ppcls/utils/__init__.py": "", "ppcls/utils/logger.py": LOGGER}
    )


def write_paddle(folder: Path) -> Path:
    """A package `paddle` in a folder, which has what `ppcls.data` above and the probe use."""
    files = {"paddle/__init__.py": PADDLE, "paddle/io/__init__.py": PADDLE_IO, "paddle/io/dataloader/__init__.py": ""}
    return _write(folder, {**files, "paddle/io/dataloader/collate.py": COLLATE})


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def loader(
    name: str, batch: int = 8, workers: int = 2, sampler: str | None = None, mix: str | None = None, **dataset: Any
) -> dict[str, Any]:
    """A section of `DataLoader` with a dataset of the stand-in."""
    chosen = {"batch_size": batch, **({"name": sampler} if sampler else {})}
    given = {"name": name, **dataset, **({"batch_transform_ops": mix} if mix else {})}
    return {"dataset": given, "sampler": chosen, "loader": {"num_workers": workers, "use_shared_memory": True}}
