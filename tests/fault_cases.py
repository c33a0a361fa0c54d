"""The faults that were made one at a time against the real PaddleClas, made again: what each looks like, where it is to be blamed, and why.

The ids are those of the table of faults (`paddleclas/FAULTS.yaml` beside the corpus), which says what really happened with develop on paddle 3.3.1.
The project is the table's own base: MobileNetV3_small_x0_35, five classes, 80 training and 20 evaluation images of 64 px, batch 8, no workers.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from checks.facts.base import COLLECTORS, Collector, World
from checks.facts.inference_model import DeployCode
from checks.facts.machine import SharedMemory, StaleFile
from checks.facts.output_folder import OutputFolder
from checks.facts.packages import Packages
from checks.model import Location
from doctor.run import Run, run_check
from doctor.settings import Settings
from tests import deployments
from tests.exports import classifier
from tests.weights import SMALL, STATES, optimizer, saved

CLASSES, TRAIN_IMAGES, EVAL_IMAGES, SIDE = 5, 80, 20, 64
MACHINE = ("shm=8g", "cpus=2", "gpus=0")
TRAIN, EVAL = "DataLoader.Train", "DataLoader.Eval"
TRAIN_OPS, EVAL_OPS = f"{TRAIN}.dataset.transform_ops", f"{EVAL}.dataset.transform_ops"
REMOVED = object()

Make = Callable[[Path], Run]


class Case(NamedTuple):
    """How a fault is made, where a right finding stands (a key, `file:line`, or `-o`), and the entries that explain it."""

    make: Make
    where: tuple[str, ...]
    entries: tuple[str, ...]
    at_least: str = "warning"


def normalize(**params: Any) -> dict[str, Any]:
    return {"NormalizeImage": {"scale": "1.0/255.0", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": "", **params}}


DECODE = {"DecodeImage": {"to_rgb": True, "channel_first": False}}
TRAIN_TRANSFORMS = [DECODE, {"RandCropImage": {"size": SIDE}}, {"RandFlipImage": {"flip_code": 1}}, normalize()]
EVAL_TRANSFORMS = [DECODE, {"ResizeImage": {"resize_short": 72}}, {"CropImage": {"size": SIDE}}, normalize()]


def base_config() -> dict[str, Any]:
    """The table's base."""

    def loader(split: str, ops: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "dataset": {
                "name": "ImageNetDataset",
                "image_root": "data/",
                "cls_label_path": f"data/{split}_list.txt",
                "transform_ops": copy.deepcopy(ops),
            },
            "sampler": {"name": "DistributedBatchSampler", "batch_size": 8, "drop_last": False, "shuffle": split == "train"},
            "loader": {"num_workers": 0, "use_shared_memory": True},
        }

    return {
        "Global": {
            "checkpoints": None,
            "pretrained_model": None,
            "output_dir": "out",
            "device": "cpu",
            "save_interval": 1,
            "eval_during_train": True,
            "eval_interval": 1,
            "epochs": 1,
            "print_batch_step": 10,
            "use_visualdl": False,
            "image_shape": [3, SIDE, SIDE],
            "save_inference_dir": "inference",
            "seed": 42,
        },
        "Arch": {"name": "MobileNetV3_small_x0_35", "class_num": CLASSES},
        "Loss": {"Train": [{"CELoss": {"weight": 1.0, "epsilon": 0.1}}], "Eval": [{"CELoss": {"weight": 1.0}}]},
        "Optimizer": {
            "name": "Momentum",
            "momentum": 0.9,
            "lr": {"name": "Cosine", "learning_rate": 0.003},
            "regularizer": {"name": "L2", "coeff": 0.00001},
        },
        "DataLoader": {"Train": loader("train", TRAIN_TRANSFORMS), "Eval": loader("val", EVAL_TRANSFORMS)},
        "Infer": {
            "infer_imgs": "data/val/0/im_000.jpg",
            "batch_size": 4,
            "transforms": [*copy.deepcopy(EVAL_TRANSFORMS), {"ToCHWImage": None}],
            "PostProcess": {"name": "Topk", "topk": 2, "class_id_map_file": "data/map.txt"},
        },
        "Metric": {"Train": [{"TopkAcc": {"topk": [1, 2]}}], "Eval": [{"TopkAcc": {"topk": [1, 2]}}]},
    }


def deploy_config() -> dict[str, Any]:
    """A deploy config with the transforms of `Infer`, and the files of this project."""
    data = deployments.deploy_config()
    put(data, "Global.infer_imgs", "data/val/0/im_000.jpg")
    put(data, "Global.inference_model_dir", "inference")
    put(data, "PostProcess.Topk.class_id_map_file", "data/map.txt")
    return data


def put(data: Any, key: str, value: Any) -> None:
    """Set, add or (with `REMOVED`) take out a value by its dotted path."""
    *parents, last = key.split(".")
    here = data
    for part in parents:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    if isinstance(here, list):
        here[int(last)] = copy.deepcopy(value)
    elif value is REMOVED:
        here.pop(last, None)
    else:
        here[last] = copy.deepcopy(value)


@functools.cache
def picture(number: int, kind: str = "jpeg", mode: str = "RGB") -> bytes:
    """A small image of noise: JPEG, PNG or GIF."""
    from PIL import Image

    noise = Image.effect_noise((SIDE, SIDE), 40 + number % 20)
    image = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180)))
    out = io.BytesIO()
    (noise.convert("I;16") if mode == "I;16" else image.convert(mode)).save(out, kind)
    return out.getvalue()


def names(split: str, count: int) -> list[tuple[str, int]]:
    each = count // CLASSES
    return [(f"{split}/{label}/im_{n:03d}.jpg", label) for label in range(CLASSES) for n in range(each)]


TRAIN_ROWS, EVAL_ROWS = names("train", TRAIN_IMAGES), names("val", EVAL_IMAGES)


def text(rows: list[tuple[str, Any]], separator: str = " ") -> str:
    return "".join(f"{path}{separator}{label}\n" for path, label in rows)


def shifted(rows: list[tuple[str, int]], shift: int) -> list[tuple[str, int]]:
    return [(path, label + shift) for path, label in rows]


def replaced(line: int, new: str) -> str:
    kept = text(TRAIN_ROWS).splitlines(keepends=True)
    kept[line - 1] = new
    return "".join(kept)


def lay(
    folder: Path, train: str | bytes | None, val: str | bytes | None, label_map: str | None, images: list[str], files: dict[str, bytes]
) -> None:
    """Lists, label map, the images of the base and `images`, and other files."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, content, usual in (("train", train, TRAIN_ROWS), ("val", val, EVAL_ROWS)):
        listed = text(usual) if content is None else content
        (data / f"{name}_list.txt").write_bytes(listed.encode() if isinstance(listed, str) else listed)
    for number, path in enumerate([*(path for path, _ in (*TRAIN_ROWS, *EVAL_ROWS)), *images]):
        target = data / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture(number % 16))
    (data / "map.txt").write_text(
        label_map if label_map is not None else "".join(f"{n} class{n}\n" for n in range(CLASSES)), encoding="utf-8"
    )
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


@contextlib.contextmanager
def given(*facts: Any) -> Iterator[None]:
    """While inside, these facts are what the machine says."""
    before = {type(fact): COLLECTORS.get(type(fact)) for fact in facts}
    for fact in facts:
        COLLECTORS[type(fact)] = Collector(type(fact), _giver(fact), deadline=5.0)
    try:
        yield
    finally:
        for kind, collector in before.items():
            if collector is None:
                del COLLECTORS[kind]
            else:
                COLLECTORS[kind] = collector


def _giver(fact: Any) -> Callable[[], Any]:
    def give():  # type: ignore[no-untyped-def]  # a collector's annotations are what it needs
        return fact

    return give


def packages(paddle: str | None, gpu: bool = False) -> Packages:
    """An interpreter with this PaddlePaddle and the OpenCV of the table."""
    builds = () if paddle is None else ("paddlepaddle-gpu",) if gpu else ("paddlepaddle",)
    installed = {"numpy": "1.24.4", "opencv-python": "4.6.0.66", **({} if paddle is None else {builds[0]: paddle})}
    return Packages("3.11.7", "python", installed, paddle, builds, "11.8" if gpu else None, None)


def one(
    changes: dict[str, Any] | None = None,
    *overrides: str,
    stage: str = "train",
    train: str | bytes | None = None,
    val: str | bytes | None = None,
    label_map: str | None = None,
    images: list[str] | None = None,
    files: dict[str, bytes] | None = None,
    absent: tuple[str, ...] = (),
    prepare: Callable[[Path], None] | None = None,
    deploy: bool = False,
    raw: tuple[str, str] | None = None,
    machine: tuple[str, ...] = MACHINE,
    world: Callable[[Path], World] | None = None,
    facts: tuple[Any, ...] = (),
    **how: Any,
) -> Make:
    """A project one change away from the base, checked."""

    def make(folder: Path) -> Run:
        data = deploy_config() if deploy else base_config()
        for key, value in (changes or {}).items():
            put(data, key, value)
        written = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
        if raw is not None:
            assert raw[0] in written, raw
            written = written.replace(*raw, 1)
        lay(folder, train, val, label_map, images or [], files or {})
        if deploy:
            model(folder, "json")
        for name in absent:
            (folder / name).unlink()
        if prepare is not None:
            prepare(folder)
        (folder / "config.yaml").write_text(written, encoding="utf-8")
        with given(*(facts or (packages("3.3.1"), predictor()))):
            done = run_check(
                "config.yaml",
                overrides,
                stage="deploy" if deploy else stage,
                lang="en",
                assume=machine,
                settings=Settings(),
                world=world(folder) if world else World(cwd=str(folder)),
                **how,
            )
        assert not done.crashes, done.crashes
        return done

    return make


def shm(workers: int, batch: int, images: int = 480, size: str = "64m", **more: Any) -> Make:
    """A loader of 224 px images for a container's /dev/shm."""
    changes = {**px224(), f"{TRAIN}.loader.num_workers": workers, f"{TRAIN}.sampler.batch_size": batch, **more}
    rows = many("train", images)
    return one(changes, train=text(rows), images=[path for path, _ in rows], machine=(f"shm={size}", "cpus=64", "gpus=0"))


def px224() -> dict[str, Any]:
    """The base at 224 px."""
    return {
        f"{TRAIN_OPS}.1.RandCropImage.size": 224,
        f"{EVAL_OPS}.1.ResizeImage.resize_short": 256,
        f"{EVAL_OPS}.2.CropImage.size": 224,
        "Infer.transforms.1.ResizeImage.resize_short": 256,
        "Infer.transforms.2.CropImage.size": 224,
        "Global.image_shape": [3, 224, 224],
    }


def many(split: str, count: int) -> list[tuple[str, int]]:
    """More images than the base has."""
    return [(f"{split}/{n % CLASSES}/x{n}.jpg", n % CLASSES) for n in range(count)]


def weights(folder: Path) -> None:
    """A checkpoint of the base: the three files that PaddleClas writes, with the right tensors."""
    target = folder / "good64b"
    target.mkdir(exist_ok=True)
    for suffix, content in (("pdparams", saved(SMALL, CLASSES)), ("pdopt", optimizer(SMALL, CLASSES)), ("pdstates", STATES)):
        (target / f"latest.{suffix}").write_bytes(content)


def repvgg(folder: Path) -> None:
    """A checkpoint of RepVGG_A0."""
    target = folder / "good64b"
    target.mkdir(exist_ok=True)
    (target / "latest.pdparams").write_bytes(saved("RepVGG_A0", CLASSES))


def no_network(folder: Path) -> World:
    """A machine without a route to anywhere, without proxy and with an empty cache of weights."""
    net = folder / "machine" / "proc" / "net"
    net.mkdir(parents=True, exist_ok=True)
    (net / "route").write_text("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n", encoding="utf-8")
    (net / "ipv6_route").write_text("", encoding="utf-8")
    return World(root=str(folder / "machine"), environ={"HOME": str(folder), "PATH": os.defpath}, cwd=str(folder))


def companion(changes: dict[str, Any]) -> Make:
    """The base with a deploy config beside it, and an exported model that a CPU-only PaddlePaddle can load."""

    def make(folder: Path) -> Run:
        deploy = deploy_config()
        for key, value in changes.items():
            put(deploy, key, value)

        def prepare(place: Path) -> None:
            (place / "deploy.yaml").write_text(yaml.safe_dump(deploy, sort_keys=False), encoding="utf-8")
            (place / "data" / "imagenet.txt").write_text(IMAGENET_MAP, encoding="utf-8")
            model(place, "json")

        return one(prepare=prepare, stage="deploy", facts=(packages("3.3.1"), predictor(memory_optim=False)), deploy_config="deploy.yaml")(
            folder
        )

    return make


def model(folder: Path, kind: str) -> None:
    """An exported model of five classes: PIR (`json`, PaddlePaddle 3) or a program (`pdmodel`)."""
    classifier((-1, CLASSES), (-1, 3, SIDE, SIDE)).write(folder / "inference", kind)


def predictor(memory_optim: bool = True) -> DeployCode:
    """develop's predictor; the table's controls were run with `enable_memory_optim()` taken out."""
    return DeployCode("predictor.py", by_prefix=True, memory_optim=memory_optim)


def disk(problem: Literal["read-only"] | None, free: int) -> Make:
    """The output folder on another file system."""
    folder = OutputFolder("out", "/out", Location("config.yaml", 4, 15, "Global.output_dir"), "/", problem, free, free, 0)
    return one(machine=("cpus=2",), facts=(packages("3.3.1"), folder))


STALE = tuple(StaleFile(f"paddle_4242_{n}_71", 4242, 1 << 20) for n in range(18))
"""What 4 workers of a killed process left behind."""


def junk(content: bytes) -> Make:
    """Weights that are none by their first bytes."""
    return one({"Global.pretrained_model": "w/bad"}, files={"w/bad.pdparams": content})


class Payload:
    """What pickles to a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def runs(function: Callable[..., Any], *arguments: Any) -> Make:
    """Weights that call a function when they are loaded."""
    return one({"Global.pretrained_model": "w/evil"}, files={"w/evil.pdparams": pickle.dumps({"fc.weight": Payload(function, *arguments)})})


def swap_model(folder: Path) -> None:
    """The program of a PaddlePaddle before PIR instead."""
    (folder / "inference" / "inference.json").unlink()
    model(folder, "pdmodel")


def unequal(image: Path) -> None:
    """Give an image another shape than the others have."""
    from PIL import Image

    image.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((96, 48), 50).convert("RGB").save(image, "jpeg")


LABELS, MAPS, PATHS, PARSE = ("2.1",), ("infer.label-map-mismatch",), ("data.path-missing",), ("data.label-parse",)
PIR, COMPONENTS, FULL = ("infer.pir-format",), ("config.components", "5.1"), ("env.disk-full",)
INFER_OPS, TOPK = "Infer.transforms", "Metric.Eval.0.TopkAcc.topk"
DISTILLED = {
    "Arch": {
        "name": "DistillationModel",
        "class_num": CLASSES,
        "pretrained_list": [None, None],
        "models": [
            {"Teacher": {"name": "MobileNetV3_small_x0_35", "class_num": CLASSES, "pretrained": True}},
            {"Student": {"name": "MobileNetV3_small_x0_35", "class_num": CLASSES}},
        ],
        "freeze_params_list": [True, False],
        "infer_model_name": "Student",
    },
    "Loss.Train": [{"DistillationGTCELoss": {"weight": 1.0, "model_names": ["Student"]}}],
    "Metric": {
        "Train": [{"DistillationTopkAcc": {"model_key": "Student", "topk": [1, 2]}}],
        "Eval": [{"DistillationTopkAcc": {"model_key": "Student", "topk": [1, 2]}}],
    },
}


def extra(name: str, content: bytes | None) -> Make:
    """The training list with one more image; None makes it a folder."""

    def folder_instead(folder: Path) -> None:
        (folder / "data" / name).mkdir(parents=True)

    files = {} if content is None else {f"data/{name}": content}
    return one(train=text([*TRAIN_ROWS, (name, 0)]), files=files, prepare=folder_instead if content is None else None)


def all_bad(workers: int) -> Make:
    changes = {f"{TRAIN}.loader.num_workers": workers}
    return one(changes, train=text([("bad/zero.jpg", n % CLASSES) for n in range(16)]), files={"data/bad/zero.jpg": b""})


def relabelled(train: list[tuple[str, int]], val: list[tuple[str, int]], classes: int, both: bool) -> Make:
    changes = {f"{TRAIN}.dataset.relabel": True, "Arch.class_num": classes, **({f"{EVAL}.dataset.relabel": True} if both else {})}
    return one(changes, train=text(train), val=text(val), label_map="".join(f"{n} x\n" for n in range(classes)))


def vit(name: str, size: int) -> dict[str, Any]:
    return {
        "Arch.name": name,
        f"{TRAIN_OPS}.1.RandCropImage.size": size,
        f"{EVAL_OPS}.1.ResizeImage.resize_short": size,
        f"{EVAL_OPS}.2.CropImage.size": size,
        "Infer.transforms.1.ResizeImage.resize_short": size,
        "Infer.transforms.2.CropImage.size": size,
        "Global.image_shape": [3, size, size],
    }


GBK = text(TRAIN_ROWS).encode() + "花.jpg 1\n".encode("gbk")
SPACED = [(path.replace("train/", "my train/"), label) for path, label in TRAIN_ROWS]
ODD = [(path, 2 * label + 1) for path, label in TRAIN_ROWS]
IMAGENET_MAP = "".join(f"{n} name{n}\n" for n in range(1000))
SUFFIX = {"Global.checkpoints": "./good64b/latest.pdparams"}
UNEQUAL = [DECODE, {"ResizeImage": {"resize_short": 72}}, {"RandFlipImage": {"flip_code": 1}}, normalize()]

FAULTS: dict[str, Case] = {
    "lab_start1_cn_count": Case(
        one(train=text(shifted(TRAIN_ROWS, 1)), val=text(shifted(EVAL_ROWS, 1))), ("Arch.class_num",), LABELS, "error"
    ),
    "cn_too_small": Case(one({"Arch.class_num": 3}), ("Arch.class_num",), LABELS, "error"),
    "cn_1000_default": Case(one({"Arch.class_num": 1000}), ("Arch.class_num",), (*LABELS, "1.1")),
    "cn_global": Case(one({"Arch.class_num": REMOVED, "Global.class_num": CLASSES}), ("Global.class_num",), LABELS),
    "lab_neg": Case(one(train=replaced(1, "train/0/im_000.jpg -1\n")), ("data/train_list.txt:1",), LABELS, "error"),
    "lab_val_oor": Case(one(val="val/0/im_000.jpg 5\n" + text(EVAL_ROWS[1:])), ("data/val_list.txt:1",), LABELS, "error"),
    "lab_float": Case(one(train=replaced(1, "train/0/im_000.jpg 0.0\n")), ("data/train_list.txt:1",), (*PARSE, *LABELS), "error"),
    "lab_gap_count": Case(
        one(train=text(TRAIN_ROWS).replace(" 4\n", " 7\n"), val=text(EVAL_ROWS).replace(" 4\n", " 7\n")),
        ("Arch.class_num",),
        LABELS,
        "error",
    ),
    "lab_comma": Case(one(train=text(TRAIN_ROWS, ",")), ("data/train_list.txt:1",), PARSE, "error"),
    "path_space": Case(one(train=text(SPACED), images=[p for p, _ in SPACED]), ("data/train_list.txt:1",), PARSE, "error"),
    "lab_blank_mid": Case(one(train=replaced(11, "\n")), ("data/train_list.txt:11",), PARSE, "error"),
    "lab_blank_end": Case(one(train=text(TRAIN_ROWS) + "\n"), ("data/train_list.txt:81",), PARSE, "error"),
    "lab_gbk": Case(one(train=GBK), ("data/train_list.txt:81",), PARSE, "error"),
    "lab_empty": Case(one(train=""), (f"{TRAIN}.dataset.cls_label_path",), ("data.empty-list",), "error"),
    "lab_val_empty": Case(one(val=""), (f"{EVAL}.dataset.cls_label_path",), ("data.empty-list",), "error"),
    "val_missing": Case(one({f"{EVAL}.dataset.cls_label_path": "data/no_val.txt"}), (f"{EVAL}.dataset.cls_label_path",), PATHS, "error"),
    "root_wrong": Case(one({f"{TRAIN}.dataset.image_root": "nodata"}), (f"{TRAIN}.dataset.image_root",), PATHS, "error"),
    "img_missing": Case(one(train=replaced(6, "train/0/nope.jpg 0\n")), ("data/train_list.txt:6",), ("data.missing-image",), "error"),
    "leak": Case(one(train=text([*TRAIN_ROWS, *EVAL_ROWS, *TRAIN_ROWS[:3]])), ("data/val_list.txt:1",), ("data.leakage",)),
    "img_zero_jpg": Case(extra("bad/zero.jpg", b""), ("data/train_list.txt:81",), ("data.corrupt-image",)),
    "img_text_jpg": Case(extra("bad/text.jpg", b"no picture\n" * 9), ("data/train_list.txt:81",), ("data.corrupt-image",)),
    "img_gif_gif": Case(extra("bad/gif.gif", picture(0, "gif")), ("data/train_list.txt:81",), ("data.corrupt-image",)),
    "img_isdir": Case(extra("bad/adir.jpg", None), ("data/train_list.txt:81",), ("data.corrupt-image", "data.missing-image")),
    "img_all_bad": Case(all_bad(0), ("data/train_list.txt:1",), ("data.corrupt-image",), "error"),
    "img_all_bad_w2": Case(all_bad(2), ("data/train_list.txt:1",), ("data.corrupt-image",), "error"),
    "op_unknown": Case(
        one({f"{TRAIN_OPS}.1": {"RandomCropImg": {"size": SIDE}}}),
        (f"{TRAIN_OPS}.1.RandomCropImg", f"{TRAIN_OPS}.1"),
        ("5.1", "config.components"),
        "error",
    ),
    "op_badparam": Case(
        one({f"{TRAIN_OPS}.1": {"RandCropImage": {"sizes": SIDE}}}), (f"{TRAIN_OPS}.1.RandCropImage.sizes",), COMPONENTS, "error"
    ),
    "op_two_keys": Case(
        one({f"{TRAIN_OPS}.1": {"RandCropImage": {"size": SIDE}, "RandFlipImage": {"flip_code": 1}}}),
        (f"{TRAIN_OPS}.1",),
        COMPONENTS,
        "error",
    ),
    "op_nonorm": Case(one({TRAIN_OPS: TRAIN_TRANSFORMS[:2]}), (TRAIN_OPS,), ("config.transforms",), "error"),
    "mixed_nocrop_w2": Case(
        one(
            {TRAIN_OPS: UNEQUAL, f"{TRAIN}.loader.num_workers": 2},
            prepare=lambda folder: unequal(folder / "data" / "train" / "0" / "im_003.jpg"),
        ),
        (TRAIN_OPS,),
        ("config.transforms",),
        "error",
    ),
    "ckpt_suffix": Case(one(SUFFIX, prepare=weights), ("Global.checkpoints",), ("train.resume",), "error"),
    "pre_dir": Case(
        one({"Global.pretrained_model": "./good64b"}, prepare=weights), ("Global.pretrained_model",), ("weights.path-missing",), "error"
    ),
    "pre_emptystr": Case(one({"Global.pretrained_model": ""}), ("Global.pretrained_model",), ("weights.path-missing",), "error"),
    "pre_other_arch": Case(
        one({"Arch.name": "MobileNetV1_x0_25", "Global.pretrained_model": "./good64b/latest"}, prepare=weights),
        ("Global.pretrained_model",),
        ("1.1", "weights.shape-mismatch"),
        "warning",
    ),
    "pre_evil": Case(runs(open, "PWNED", "w"), ("Global.pretrained_model",), ("weights.runs-code",), "error"),
    "pre_evil2": Case(runs(os.system, "id > PWNED"), ("Global.pretrained_model",), ("weights.runs-code",), "error"),
    "pre_html": Case(junk(b"<html><body>404</body></html>\n"), ("Global.pretrained_model",), ("weights.path-missing",), "error"),
    "pre_junk": Case(junk(bytes(range(200, 256)) * 70), ("Global.pretrained_model",), ("weights.path-missing",), "error"),
    "eval_nopre": Case(one(stage="eval"), ("Global.pretrained_model",), ("1.1", "weights.path-missing"), "error"),
    "eval_bgr": Case(
        one({f"{EVAL_OPS}.0.DecodeImage.to_rgb": False}, stage="train"),
        (f"{EVAL_OPS}.0.DecodeImage.to_rgb",),
        ("1.1", "infer.preprocess-mismatch"),
        "warning",
    ),
    "norm_mean_wrong_eval": Case(
        one({f"{EVAL_OPS}.3.NormalizeImage.scale": "1.0"}),
        (f"{EVAL_OPS}.3.NormalizeImage.scale",),
        ("1.1", "infer.preprocess-mismatch"),
        "error",
    ),
    "infer_wrong_cn": Case(
        one({"Global.pretrained_model": "./good64b/latest", "Arch.class_num": 1000}, stage="infer", prepare=weights),
        ("Arch.class_num",),
        ("1.1",),
        "error",
    ),
    "export_cn1000": Case(
        one({"Global.pretrained_model": "./good64b/latest", "Arch.class_num": 1000}, stage="export", prepare=weights),
        ("Arch.class_num",),
        ("1.1",),
        "error",
    ),
    "infer_imagenet_map": Case(
        one({"Global.pretrained_model": "./good64b/latest"}, stage="infer", label_map=IMAGENET_MAP, prepare=weights),
        ("Infer.PostProcess.class_id_map_file",),
        (*MAPS, "1.1"),
    ),
    "infer_map_short": Case(
        one({"Global.pretrained_model": "./good64b/latest"}, stage="infer", label_map="0 a\n1 b\n", prepare=weights),
        ("Infer.PostProcess.class_id_map_file",),
        MAPS,
        "error",
    ),
    "infer_bgr": Case(
        one({f"{INFER_OPS}.0.DecodeImage.to_rgb": False, "Global.pretrained_model": "./good64b/latest"}, stage="infer", prepare=weights),
        (f"{INFER_OPS}.0.DecodeImage.to_rgb",),
        ("1.1", "infer.preprocess-mismatch"),
        "warning",
    ),
    "infer_missing_img": Case(
        one({"Infer.infer_imgs": "none.jpg", "Global.pretrained_model": "./good64b/latest"}, stage="infer", prepare=weights),
        ("Infer.infer_imgs",),
        (*PATHS, "data.missing-image"),
        "error",
    ),
    "infer_last_bad": Case(
        one(
            {"Infer.infer_imgs": "inferdir", "Global.pretrained_model": "./good64b/latest"},
            stage="infer",
            prepare=weights,
            files={"inferdir/a.jpg": picture(0), "inferdir/b.jpg": picture(1), "inferdir/z.jpg": b""},
        ),
        ("Infer.infer_imgs", "inferdir/z.jpg"),
        ("data.corrupt-image",),
        "warning",
    ),
    "export_for_fd_nomap": Case(
        one(
            {
                "Global.export_for_fd": True,
                "Infer.PostProcess.class_id_map_file": "none_map.txt",
                "Global.pretrained_model": "./good64b/latest",
            },
            stage="export",
            prepare=weights,
        ),
        ("Infer.PostProcess.class_id_map_file",),
        (*MAPS, *PATHS),
        "error",
    ),
    "pred_331_mem": Case(one(deploy=True), ("Global.inference_model_dir",), PIR, "error"),
    "pred_262_pdmodel": Case(
        one(deploy=True, facts=(packages("2.6.2"), predictor()), prepare=swap_model),
        ("Global.inference_model_dir",),
        PIR,
        "error",
    ),
    "pred_262_json": Case(one(deploy=True, facts=(packages("2.6.2"), predictor())), ("Global.inference_model_dir",), PIR, "error"),
    "pred_nodir": Case(one({"Global.inference_model_dir": "none"}, deploy=True), ("Global.inference_model_dir",), (*PIR, *PATHS), "error"),
    "predw_resize_mismatch": Case(
        companion({"PreProcess.transform_ops.0.ResizeImage.resize_short": 256, "PreProcess.transform_ops.1.CropImage.size": 224}),
        ("PreProcess.transform_ops.0.ResizeImage.resize_short", "PreProcess.transform_ops.1.CropImage.size"),
        ("1.1", "infer.preprocess-mismatch"),
        "error",
    ),
    "predw_norm_mean0": Case(
        companion(
            {
                "PreProcess.transform_ops.2.NormalizeImage.mean": [0.0, 0.0, 0.0],
                "PreProcess.transform_ops.2.NormalizeImage.std": [1.0, 1.0, 1.0],
            }
        ),
        ("PreProcess.transform_ops.2.NormalizeImage.mean", "PreProcess.transform_ops.2.NormalizeImage.std"),
        ("1.1", "infer.preprocess-mismatch"),
        "error",
    ),
    "predw_map_missing": Case(
        companion({"PostProcess.Topk.class_id_map_file": "none_map.txt"}), ("PostProcess.Topk.class_id_map_file",), (*MAPS, *PATHS)
    ),
    "predw_map_imagenet": Case(
        companion({"PostProcess.Topk.class_id_map_file": "data/imagenet.txt"}), ("PostProcess.Topk.class_id_map_file",), (*MAPS, "1.1")
    ),
    "topk_gt": Case(one({TOPK: [1, 10]}), (TOPK,), ("metric.topk-exceeds-classes",)),
    "o_typo_series": Case(one(None, "DataLoader.TRAIN.sampler.batch_size=512"), ("-o",), ("5.2",), "error"),
    "o_spaces": Case(one(None, "Global.epochs = 2"), ("-o",), ("5.2",), "error"),
    "o_two_eq": Case(one(None, "Global.output_dir=a=b"), ("-o",), ("5.2",), "error"),
    "o_bs_float": Case(one(None, f"{TRAIN}.sampler.batch_size=8.0"), ("-o",), ("5.2", "5.1"), "error"),
    "o_cn_alpha": Case(one(None, "Arch.class_num=five"), ("-o",), ("5.2", "5.1"), "error"),
    "nw_neg": Case(one({f"{TRAIN}.loader.num_workers": -1}), (f"{TRAIN}.loader.num_workers",), ("5.1",), "error"),
    "dev_typo": Case(one({"Global.device": "cuda"}), ("Global.device",), ("5.1",), "error"),
    "loss_typo": Case(
        one({"Loss.Train": [{"CrossEntropyLoss": {"weight": 1.0}}]}), ("Loss.Train.0.CrossEntropyLoss", "Loss.Train.0"), COMPONENTS, "error"
    ),
    "opt_typo": Case(one({"Optimizer.name": "AdamWW"}), ("Optimizer.name",), COMPONENTS, "error"),
    "mixup_mixce": Case(
        one({"Loss.Train": [{"MixCELoss": {"weight": 1.0}}], f"{TRAIN}.dataset.batch_transform_ops": [{"MixupOperator": {"alpha": 0.2}}]}),
        ("Loss.Train.0.MixCELoss", "Loss.Train.0"),
        COMPONENTS,
        "error",
    ),
    "seed_str": Case(one({"Global.seed": "abc"}), ("Global.seed",), ("5.2", "5.1"), "error"),
    "shm64_w4_b32": Case(shm(4, 32), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shm64_w4_b13": Case(shm(4, 13, 200), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shmprobe_w4_b13": Case(shm(4, 13), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shmprobe_w4_b14": Case(shm(4, 14), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shmprobe_w2_b23": Case(shm(2, 23), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shmprobe_w1_b38": Case(shm(1, 38), (f"{TRAIN}.loader.num_workers",), ("1.3",), "error"),
    "shm64_eval_b64": Case(
        one(
            {**px224(), f"{EVAL}.loader.num_workers": 4, f"{EVAL}.sampler.batch_size": 64},
            val=text(many("val", 480)),
            images=[path for path, _ in many("val", 480)],
            machine=("shm=64m", "cpus=64", "gpus=0"),
        ),
        (f"{EVAL}.loader.num_workers",),
        ("1.3",),
        "error",
    ),
    "shm_leak_kill9": Case(
        one(machine=("cpus=2", "gpus=0"), facts=(packages("3.3.1"), SharedMemory("/dev/shm", 64 << 20, 40 << 20, "tmpfs", None, STALE))),
        ("/dev/shm", "config.yaml"),
        ("1.3",),
    ),
    "vit384_img224": Case(
        one(vit("ViT_base_patch16_384", 224)),
        ("Arch.name", f"{TRAIN_OPS}.1.RandCropImage.size", f"{TRAIN_OPS}.1.RandCropImage"),
        ("4.3",),
        "error",
    ),
    "vit224_img384": Case(
        one(vit("ViT_small_patch16_224", 384)),
        ("Arch.name", f"{TRAIN_OPS}.1.RandCropImage.size", f"{TRAIN_OPS}.1.RandCropImage"),
        ("4.3",),
        "error",
    ),
    "distill_list": Case(one({**DISTILLED, "Arch.pretrained_list": ["nope", None]}), ("Arch.pretrained_list",), ("2.3",), "error"),
    "distill_list_ok_file": Case(
        one({**DISTILLED, "Arch.pretrained_list": ["good64b/latest", None]}, prepare=weights), ("Arch.pretrained_list",), ("2.3",), "error"
    ),
    "arch_pretrained_nonet": Case(
        one({"Arch.pretrained": True}, world=no_network, machine=("cpus=2",), facts=(packages("3.3.1"),)),
        ("Arch.pretrained",),
        ("weights.download",),
        "error",
    ),
    "relabel_train_only": Case(
        relabelled(ODD, [(p, 2 * k + 1) for p, k in EVAL_ROWS], 10, False), (f"{TRAIN}.dataset.relabel",), LABELS, "error"
    ),
    "relabel_val_missing_class": Case(
        relabelled(shifted(TRAIN_ROWS, 1), [row for row in shifted(EVAL_ROWS, 1) if row[1] != 1], CLASSES, True),
        (f"{EVAL}.dataset.relabel",),
        LABELS,
        "error",
    ),
    "both_shift_val_from1": Case(one(val=text([(p, (k + 1) % CLASSES) for p, k in EVAL_ROWS])), ("data/val_list.txt:1",), LABELS, "error"),
    "out_readonly": Case(disk("read-only", 1 << 40), ("Global.output_dir",), FULL, "error"),
    "out_diskfull5": Case(disk(None, 5_000_000), ("Global.output_dir",), FULL, "error"),
}

WORKS: dict[str, Make] = {
    "base": one(),
    "lab_start1_cn_maxp1": one(
        {"Arch.class_num": 6},
        train=text(shifted(TRAIN_ROWS, 1)),
        val=text(shifted(EVAL_ROWS, 1)),
        label_map="".join(f"{n} x\n" for n in range(6)),
    ),
    "cn_too_big": one({"Arch.class_num": 50}),
    "path_space_tab": one({f"{TRAIN}.dataset.delimiter": "\t"}, train=text(SPACED, "\t"), images=[p for p, _ in SPACED]),
    "lab_trailing": one(train=text(TRAIN_ROWS).replace("\n", "   \n")),
    "lab_extra_col": one(train=text(TRAIN_ROWS).replace("\n", " extra\n")),
    "lab_crlf": one(train=text(TRAIN_ROWS).replace("\n", "\r\n")),
    "img_cmyk_jpg": extra("bad/cmyk.jpg", picture(0, "jpeg", "CMYK")),
    "img_i16_png": extra("bad/i16.png", picture(0, "png", "I;16")),
    "op_nosize": one({TRAIN_OPS: UNEQUAL}),
    "pre_nonestr": one({"Global.pretrained_model": "None"}),
    "infer_topk_gt": one({"Infer.PostProcess.topk": 10, "Global.pretrained_model": "./good64b/latest"}, stage="infer", prepare=weights),
    "export_ok": one({"Global.pretrained_model": "./good64b/latest"}, stage="export", prepare=weights),
    "predw_ok": companion({}),
    "predw_gpu": companion({"Global.use_gpu": True}),
    "predw_topk10": companion({"PostProcess.Topk.topk": 10}),
    "lr_quoted": one(raw=("learning_rate: 0.003", 'learning_rate: "1e-4"')),
    "bs_gt_ds_nodrop": one({f"{TRAIN}.sampler.batch_size": 128}),
    "nw_gt_cpu": one({f"{TRAIN}.loader.num_workers": 8}),
    "shm64_w4_b12": shm(4, 12, 200),
    "shm64_w4_b32_small": shm(4, 32, 80),
    "shm64_w0_b32": shm(0, 32),
    "shm64_w4_b32_noshm": shm(4, 32, **{f"{TRAIN}.loader.use_shared_memory": False}),
    "shm1g_w4_b32": shm(4, 32, size="1g"),
    "shmprobe_w4_b12": shm(4, 12),
    "shmprobe_w2_b22": shm(2, 22),
    "shmprobe_w1_b37": shm(1, 37),
    "vit_scratch": one(vit("ViT_small_patch16_224", 224), train=text(TRAIN_ROWS[::10])),
    "repvgg_export": one({"Arch.name": "RepVGG_A0", "Global.pretrained_model": "./good64b/latest"}, stage="export", prepare=repvgg),
    "pre_fc_mismatch": one({"Arch.class_num": 7, "Global.pretrained_model": "./good64b/latest"}, prepare=weights),
    "amp_cpu": one({"AMP": {"use_amp": True, "scale_loss": 128.0, "use_dynamic_loss_scaling": True, "level": "O1"}}),
}
