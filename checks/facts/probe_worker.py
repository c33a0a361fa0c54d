"""Puts real samples through the user's own PaddleClas: a program for the user's interpreter, started by `probed_batches`, never imported.

`python -B probe_worker.py HANDLE FILE` reads one marshalled order from a file and writes frames, four bytes of length and JSON, to a descriptor. It
builds every loader with PaddleClas's own functions (`build_dataloader` of 2.2 to develop, `Reader` of 2.0 and 2.1), takes a few
samples, collates them, and tells the arrays of a whole batch. It imports nothing of ours and runs on Python 3.6, which PaddlePaddle 2.0 came with.
"""

import copy
import ctypes
import itertools
import json
import marshal
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

SAMPLES = 8
"""How many samples of a loader are put through."""
ROUNDS = 16
"""How often they are collated where batch transforms do it, which may be drawn anew for each batch (`OpSampler`)."""
LOOKED = 4096
"""How many batches of a sampler with shapes of its own are looked at."""
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


class Settings(dict):  # type: ignore[type-arg]  # `dict[str, Any]` is no base class before Python 3.9
    """A section of a config, whose keys are attributes as well, like PaddleClas's own."""

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value


def settings(value: Any) -> Any:
    """Mappings as `Settings`; those inside lists stay plain, as in `ppcls/utils/config.py`."""
    return Settings((key, settings(item)) for key, item in value.items()) if isinstance(value, dict) else value


def leave_the_network() -> None:
    """No network for what follows: a network of its own where the kernel allows it, and no sockets beyond this machine in any case."""
    user, group = os.getuid(), os.getgid()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
            for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (user, user)), ("gid_map", "%d %d 1" % (group, group))):
                with open("/proc/self/" + name, "w") as stream:
                    stream.write(text)
    except (OSError, AttributeError):
        pass
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            raise OSError("no network while samples are put through")
        connect(self, address)

    def no_names(*arguments: Any, **named: Any) -> Any:
        raise OSError("no network while samples are put through")

    socket.socket.connect = connect_here  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = no_names


def end_with_the_parent() -> None:
    """When whoever started this is gone, its end of standard input closes: then this and all that it started ends."""

    def watch() -> None:
        while os.read(0, 1 << 16):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class Teller:
    """Writes frames."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.owner = os.getpid()

    def tell(self, **values: Any) -> None:
        if os.getpid() != self.owner:  # a fork of the user's code that came back here
            os._exit(1)
        data = json.dumps(values).encode()
        os.write(self.handle, len(data).to_bytes(4, "little") + data)


def reason_of(error: BaseException) -> str:
    """An exception in one line; of datasets that try another sample until the stack is full, what they met first."""
    while isinstance(error, RecursionError) and error.__context__ is not None:
        error = error.__context__
    lines = str(error).strip().splitlines() or [""]  # the first says what, further ones what to do
    return "%s: %s" % (type(error).__name__, lines[0][:300]) if lines[0] else type(error).__name__


def find_ppcls(roots: Any) -> bool:
    """Make `ppcls.data` importable, as `tools/train.py` does: its own folder comes first on the path, the checkout last. Says whether it is there."""
    import importlib.util

    for root in roots:
        if os.path.isdir(os.path.join(root, "ppcls", "data")):
            sys.path.insert(0, os.path.join(root, "tools"))
            sys.path.append(root)
            return True
    installed = importlib.util.find_spec("paddleclas")
    for folder in (installed.submodule_search_locations if installed else None) or ():
        if os.path.isdir(os.path.join(folder, "ppcls", "data")):
            sys.path.insert(0, folder)
            return True
    found = importlib.util.find_spec("ppcls")
    return any(os.path.isdir(os.path.join(folder, "data")) for folder in (found.submodule_search_locations if found else None) or ())


def build(config: Any, generation: str, split: str, device: Any) -> Any:
    """The loader of a split, built as the training builds it (`ppcls/engine`, `tools/train.py`)."""
    import ppcls.data

    if generation == "legacy":
        import paddle

        return ppcls.data.Reader(config, "train" if split == "Train" else "valid", places=paddle.CPUPlace())()
    section = config["DataLoader"]
    arch = config.get("Arch") or {}
    whole = config.get("Global") or {}
    section["class_num"] = arch.get("class_num", whole.get("class_num"))
    section["epochs"] = whole.get("epochs")
    *outer, mode = split.split(".")
    for name in outer:
        section = section[name]
    return ppcls.data.build_dataloader(section, mode, device, False)


def arrays(batch: Any) -> Any:
    """The arrays of a collated batch, which are what travels through shared memory (`paddle/io/dataloader/flat.py`)."""
    if isinstance(batch, Mapping):
        return [array for item in batch.values() for array in arrays(item)]
    if isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        return [array for item in batch for array in arrays(item)]
    if hasattr(batch, "numpy") and hasattr(batch, "shape"):  # a paddle.Tensor
        batch = batch.numpy()
    return [batch] if hasattr(batch, "nbytes") and hasattr(batch, "dtype") and hasattr(batch, "shape") and batch.shape else []


def shapes(sample: Any) -> Any:
    """The shapes of the arrays of one sample."""
    return [tuple(array.shape) for array in arrays(sample)]


def default_collate() -> Any:
    """What a DataLoader without a `collate_fn` does; its place has changed over the versions."""
    import importlib

    for place in ("paddle.io.dataloader.collate", "paddle.fluid.dataloader.collate", "paddle.fluid.dataloader.dataloader_iter"):
        try:
            return importlib.import_module(place).default_collate_fn
        except (ImportError, AttributeError):
            continue
    raise ImportError("default_collate_fn")


def groups(sampler: Any, count: int) -> Any:
    """(what to ask the dataset for, size of the batch) for every kind of batch that a sampler gives.

    The items of a plain sampler are indexes, and any will do, so they are spread over the list. Others carry the size that the sampler wants
    (`MultiScaleSampler`): batches that agree in what all of their items share are of one kind.
    """
    kinds = {}  # type: Any
    for number, batch in enumerate(itertools.islice(iter(sampler), LOOKED)):
        batch = list(batch)
        if not batch:
            continue
        if not isinstance(batch[0], (tuple, list)):
            if count and number < SAMPLES and (None not in kinds or len(batch) > kinds[None][1]):
                kinds[None] = ([], len(batch))
            if number >= SAMPLES:
                break
            continue
        columns = list(zip(*batch))
        kind = tuple(column[0] if len(set(column)) == 1 else None for column in columns) if len(batch) > 1 else (batch[0][:-1], 1)
        if kind not in kinds or len(batch) > kinds[kind][1]:
            kinds[kind] = (spread(batch), len(batch))
    if None in kinds:
        kinds[None] = (spread(range(count)), kinds[None][1])
    return list(kinds.values())


def spread(items: Any) -> Any:
    """A few of the items, from the first to near the last; of fewer, some twice."""
    return [items[index * len(items) // SAMPLES] for index in range(SAMPLES)]


class Unequal(Exception):
    """Samples of one batch that cannot be put together."""


def measure(dataset: Any, collate: Any, rounds: int, picks: Any, size: int) -> Any:
    """The arrays of the largest batch of `size`, from a few samples; `rounds` are how often they are collated."""
    samples = [dataset[pick] for pick in picks]
    by_size = sorted(samples, key=lambda sample: sum(map(product, shapes(sample))))
    small, large = by_size[0], by_size[-1]
    if size == 1:
        samples = [large]
    elif shapes(small) != shapes(large):
        try:
            collate([small, large] * (len(samples) // 2 or 1))
        except Exception:
            raise unequal(small, large) from None
    count = min(size, len(samples))
    found = []  # type: Any
    for _ in range(rounds):
        # batch transforms may change the samples in place
        fields = arrays(collate(copy.deepcopy(samples[:count]) if rounds > 1 else samples[:count]))
        whole = count == size
        if not whole and any(array.shape[0] % count for array in fields):
            # something in it does not grow with the samples, so all are needed
            fields, whole = arrays(collate([copy.deepcopy(samples[index % count]) for index in range(size)])), True
        told = [describe(array, 1 if whole else count, 1 if whole else size) for array in fields]
        if not found or weight(told) > weight(found):
            found = told
    return found


def describe(array: Any, count: int, size: int) -> Any:
    """An array of a batch of `count` as one of `size` has it."""
    shape = [int(side) for side in array.shape]
    shape[0] = shape[0] // count * size
    return {"dtype": str(array.dtype), "shape": shape, "bytes": product(shape) * int(array.dtype.itemsize)}


def weight(fields: Any) -> int:
    """The bytes of all arrays."""
    return sum(field["bytes"] for field in fields)


def unequal(small: Any, large: Any) -> Unequal:
    """The first array in which two samples differ."""
    pairs = [(list(one), list(other)) for one, other in zip(shapes(small), shapes(large)) if one != other]
    return Unequal(*(pairs or [([len(shapes(small))], [len(shapes(large))])])[0])


def product(numbers: Any) -> int:
    """All multiplied; 1 for none."""
    result = 1
    for number in numbers:
        result *= int(number)
    return result


def probe(loader: Any) -> Any:
    """What one loader's batches are like."""
    dataset, sampler = loader.dataset, loader.batch_sampler
    collate = loader.collate_fn or default_collate()
    rounds = ROUNDS if loader.collate_fn else 1
    count = len(dataset)
    found = None
    for picks, size in groups(sampler, count):
        fields = measure(dataset, collate, rounds, picks, size)
        if found is None or weight(fields) > weight(found["fields"]):
            found = {"fields": fields, "batch_size": size, "seen": len(picks)}
    found = found or {"fields": [], "batch_size": 0, "seen": 0}
    try:
        batches = len(sampler)
    except TypeError:  # it gives batches without end, or does not count them (`DomainShuffleBatchSampler`)
        batches = None
    found.update(samples=count, batches=batches, num_workers=int(loader.num_workers), shared_memory=bool(loader.use_shared_memory))
    return found


def main() -> None:
    """The program."""
    teller = Teller(int(sys.argv[1]))
    teller.tell(kind="hello")
    with open(sys.argv[2], "rb") as stream:
        order = marshal.load(stream)
    signal.alarm(order["seconds"] + 5)
    end_with_the_parent()
    leave_the_network()
    del sys.argv[1:], sys.path[0]  # this script's folder, whose modules are not the user's
    found = find_ppcls(order["roots"])
    try:
        import paddle

        paddle.set_device("cpu")
    except BaseException as error:
        teller.tell(kind="no-paddle", error=reason_of(error))
        return
    if not found:
        teller.tell(kind="no-ppcls")
        return
    try:
        import ppcls.data
        from ppcls.utils import logger

        if hasattr(logger, "init_logger"):
            logger.init_logger(log_file=None)
    except BaseException as error:
        teller.tell(kind="ppcls-raised", error=reason_of(error))
        return
    teller.tell(kind="ready", paddle=str(paddle.__version__), ppcls=os.path.dirname(os.path.dirname(os.path.dirname(ppcls.data.__file__))))
    config = settings(order["config"])
    for split in order["splits"]:
        teller.tell(kind="begun", split=split)
        try:
            teller.tell(kind="batch", split=split, **probe(build(config, order["generation"], split, paddle.CPUPlace())))
        except Unequal as error:
            teller.tell(kind="unequal", split=split, small=error.args[0], large=error.args[1])
        except BaseException as error:
            teller.tell(kind="raised", split=split, error=reason_of(error))
    teller.tell(kind="done")
    os._exit(0)  # threads and exit handlers of the user's code are not waited for


if __name__ == "__main__":
    main()
