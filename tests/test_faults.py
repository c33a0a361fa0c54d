"""Faults that were made one at a time against the real PaddleClas, made again for the rules that exist so far.

The ids are those of the table of faults (`paddleclas/FAULTS.yaml` beside the corpus), which says what really happened. Where a healthy twin is in
that table (`works`), neither an error nor a warning may appear, unless the table itself asks for one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from checks.facts.inference_model import DeployCode
from checks.facts.machine import SharedMemory, StaleFile
from checks.facts.network import Network, WeightsCache
from checks.facts.output_folder import OutputFolder
from checks.facts.packages import Packages
from checks.model import Location
from doctor.run import Run
from tests.checks.test_pipeline_rules import CHW, DECODE, NORMAL, Ops, normal, png
from tests.deployments import deploy_project
from tests.projects import MACHINE, REMOVED, WEIGHTS, Project, measured, rows

TRAIN = "DataLoader.Train"
EVAL = "DataLoader.Eval"
CROP = {"RandCropImage": {"size": 64}}
SHORT = {"ResizeImage": {"resize_short": 72}}
CENTER = {"CropImage": {"size": 64}}
BGR = {"DecodeImage": {"to_rgb": False, "channel_first": False}}
PRETRAINED = "Global.pretrained_model"
NAMES = [f"train/{n}.png" for n in range(80)]
VAL = [f"val/{n}.png" for n in range(20)]


def lines(names: list[str], shift: int = 0, classes: int = 5, separator: str = " ") -> str:
    return rows([(name, n % classes + shift) for n, name in enumerate(names)], separator)


def base(folder: Path, changes: dict[str, Any] | None = None, train: Any = None, val: Any = None, label_map: str | None = None) -> Project:
    five = "".join(f"{n} class{n}\n" for n in range(5))
    start = {"class_num": 5, "train_batch": 8, "eval_batch": 8, "train_workers": 0, "eval_workers": 0}
    (folder / "good64b.pdparams").write_bytes(WEIGHTS)
    return Project(
        folder,
        "modern",
        {**start, **(changes or {})},
        train=lines(NAMES) if train is None else train,
        val=lines(VAL) if val is None else val,
        label_map=five if label_map is None else label_map,
    )


def changed(n: int, text: str) -> str:
    """The training list with line `n` (from 1) replaced."""
    kept = lines(NAMES).splitlines(keepends=True)
    kept[n - 1] = text
    return "".join(kept)


def shm(workers: int, batch: int, samples: int = 480, size: str = "64m", **more: Any) -> Callable[[Path], Run]:
    def make(folder: Path) -> Run:
        changes = {"train_workers": workers, "train_batch": batch, "eval_workers": 0, "class_num": 5, **more}
        project = base(folder, changes, train=lines([f"t/{n}.png" for n in range(samples)]))
        return project.check(assume=(f"shm={size}", "cpus=64", "gpus=0"))

    return make


def one(
    changes: dict[str, Any] | None = None, train: Any = None, val: Any = None, label_map: str | None = None, *o: str, **how: Any
) -> Callable[[Path], Run]:
    return lambda folder: base(folder, changes, train, val, label_map).check(*o, **how)


def on_machine(fact: type[Any], changes: dict[str, Any] | None = None, **values: Any) -> Callable[[Path], Run]:
    """A fault of the machine: what is measured there is changed, and nothing is assumed of its GPUs."""

    def make(folder: Path) -> Run:
        start = {"Arch.name": "MobileNetV3_small_x0_35", "epochs": 1, "train_workers": 0, "eval_workers": 0}
        project = base(folder, {**start, **(changes or {})})
        with pytest.MonkeyPatch.context() as patch:
            kept = {
                OutputFolder: OutputFolder("o", "/o", Location("config.yaml", 4, 15, "Global.output_dir"), "/", None, 1 << 40, 1 << 40, 0),
                SharedMemory: SharedMemory("/dev/shm", 64 << 20, 64 << 20, "tmpfs"),
                Network: Network(default_route=True, proxy=None),
                WeightsCache: WeightsCache("/root/.paddleclas/weights", ()),
            }
            kept[fact] = msgspec.structs.replace(kept[fact], **values)
            measured(patch, *kept.values())
            return project.check(assume=("cpus=64",))

    return make


def transforms(
    lists: dict[str, Ops], sizes: list[tuple[int, int]] | None = None, stage: str = "train", **more: Any
) -> Callable[[Path], Run]:
    """Other transforms in some lists; the others go through 72 and 64 pixels. `sizes` (height, width) are given to the images in turn."""
    start = {TRAIN: [DECODE, CROP, NORMAL], EVAL: [DECODE, SHORT, CENTER, NORMAL], "Infer": [DECODE, SHORT, CENTER, NORMAL, CHW], **lists}

    def make(folder: Path) -> Run:
        keys = {split: "Infer.transforms" if split == "Infer" else f"{split}.dataset.transform_ops" for split in start}
        project = base(folder, {**{keys[split]: ops for split, ops in start.items()}, **more})
        for number, name in enumerate(NAMES if sizes else ()):
            project.write(f"data/{name}", png(*sizes[number % len(sizes)]))  # type: ignore[index]  # there are some
        return project.check(stage=stage)

    return make


def weights(content: bytes) -> Callable[[Path], Run]:
    """Weights of which only the first bytes are looked at."""

    def make(folder: Path) -> Run:
        project = base(folder, {PRETRAINED: "w/bad"})
        project.write("w/bad.pdparams", content)
        return project.check()

    return make


def deployed(paddle: str, model: str, changes: dict[str, Any] | None = None, memory_optim: bool = True) -> Callable[[Path], Run]:
    """A model exported for 5 classes at 64 px, deployed with the predictor of develop and a PaddlePaddle for the CPU."""

    def make(folder: Path) -> Run:
        base(folder).write("imagenet.txt", "".join(f"{n} c{n}\n" for n in range(1000)))
        with pytest.MonkeyPatch.context() as patch:
            measured(
                patch,
                Packages("3.11.4", "python", {"paddlepaddle": paddle}, paddle, ("paddlepaddle",), None, None),
                DeployCode("predictor.py", by_prefix=True, memory_optim=memory_optim),
            )
            return deploy_project(folder, model, changes).check()

    return make


FAULTS: dict[str, tuple[Callable[[Path], Run], str, str]] = {
    # id: how it is made, the entry that explains it, severity
    "lab_start1_cn_count": (one(train=lines(NAMES, 1), val=lines(VAL, 1)), "2.1", "error"),
    "cn_too_small": (one({"class_num": 3}), "2.1", "error"),
    "cn_1000_default": (one({"class_num": 1000}), "2.1", "warning"),
    "lab_neg": (one(train=changed(1, "train/0.png -1\n")), "2.1", "error"),
    "lab_val_oor": (one(val="val/0.png 5\n" + lines(VAL[1:])), "2.1", "error"),
    "lab_float": (one(train=changed(1, "train/0.png 0.0\n")), "data.label-parse", "error"),
    "lab_gap_count": (one(train=lines(NAMES).replace(" 4\n", " 7\n"), val=lines(VAL).replace(" 4\n", " 7\n")), "2.1", "error"),
    "lab_comma": (one(train=lines(NAMES, separator=",")), "data.label-parse", "error"),
    "path_space": (one(train=lines([f"my {n}" for n in NAMES])), "data.label-parse", "error"),
    "lab_blank_mid": (one(train=changed(11, "\n")), "data.label-parse", "error"),
    "lab_blank_end": (one(train=lines(NAMES) + "\n"), "data.label-parse", "error"),
    "lab_gbk": (one(train=lines(NAMES).encode() + "花.png 1\n".encode("gbk")), "data.label-parse", "error"),
    "lab_empty": (one(train=""), "data.empty-list", "error"),
    "lab_val_empty": (one(val=""), "data.empty-list", "error"),
    "val_missing": (one({"eval_list": "./data/no_val.txt"}), "data.path-missing", "error"),
    "root_wrong": (one({"train_root": "./wrong"}), "data.path-missing", "error"),
    "leak": (one(train=lines(NAMES) + lines(VAL)), "data.leakage", "warning"),
    "topk_gt": (one({"topk": [1, 10]}), "metric.topk-exceeds-classes", "warning"),
    "op_unknown": (one({f"{TRAIN}.dataset.transform_ops.1": {"RandomCropImg": {"size": 64}}}), "config.components", "error"),
    "op_badparam": (one({f"{TRAIN}.dataset.transform_ops.1": {"RandCropImage": {"sizes": 64}}}), "config.components", "error"),
    "op_two_keys": (
        one({f"{TRAIN}.dataset.transform_ops.1": {"RandCropImage": {"size": 64}, "RandFlipImage": {"flip_code": 1}}}),
        "config.components",
        "error",
    ),
    "loss_typo": (one({"Loss.Train": [{"CrossEntropyLoss": {"weight": 1.0}}]}), "config.components", "error"),
    "opt_typo": (one({"Optimizer.name": "AdamWW"}), "config.components", "error"),
    "mixup_mixce": (
        one({"Loss.Train": [{"MixCELoss": {"weight": 1.0}}], f"{TRAIN}.dataset.batch_transform_ops": [{"MixupOperator": {"alpha": 0.2}}]}),
        "config.components",
        "error",
    ),
    "ckpt_suffix": (one({"Global.checkpoints": "good/latest.pdparams"}), "train.resume", "error"),
    "eval_nopre": (one(stage="eval"), "1.1", "error"),
    "pre_dir": (one({PRETRAINED: "data"}), "weights.path-missing", "error"),
    "pre_emptystr": (one({PRETRAINED: ""}), "weights.path-missing", "error"),
    "pre_html": (weights(b"<html><body>404</body></html>\n"), "weights.path-missing", "error"),
    "pre_junk": (weights(bytes(range(200, 256)) * 70), "weights.path-missing", "error"),
    "export_for_fd_nomap": (
        one(
            {PRETRAINED: "good64b", "Global.export_for_fd": True, "Infer.PostProcess.class_id_map_file": "none_map.txt"},
            stage="export",
        ),
        "infer.label-map-mismatch",
        "error",
    ),
    "pred_331_mem": (deployed("3.3.1", "json"), "infer.pir-format", "error"),
    "pred_262_pdmodel": (deployed("2.6.2", "pdmodel"), "infer.pir-format", "error"),
    "pred_262_json": (deployed("2.6.2", "json"), "infer.pir-format", "error"),
    "pred_nodir": (deployed("3.3.1", "json", {"Global.inference_model_dir": "none"}, memory_optim=False), "infer.pir-format", "error"),
    "predw_map_missing": (
        deployed("3.3.1", "json", {"PostProcess.Topk.class_id_map_file": "none.txt"}, memory_optim=False),
        "infer.label-map-mismatch",
        "warning",
    ),
    "predw_map_imagenet": (
        deployed("3.3.1", "json", {"PostProcess.Topk.class_id_map_file": "imagenet.txt"}, memory_optim=False),
        "infer.label-map-mismatch",
        "warning",
    ),
    "out_readonly": (lambda folder: blocked(base(folder, {"Global.output_dir": "outro/x"})), "env.disk-full", "error"),
    "out_diskfull5": (on_machine(OutputFolder, free=5_000_000, total=5 << 20), "env.disk-full", "error"),
    "shm_leak_kill9": (
        on_machine(SharedMemory, free=40 << 20, size=64 << 20, stale=(StaleFile("paddle_7_0", 7, 24 << 20),)),
        "1.3",
        "warning",
    ),
    "arch_pretrained_nonet": (on_machine(Network, {"Arch.pretrained": True}, default_route=False, proxy=None), "weights.download", "error"),
    "o_typo_series": (one(None, None, None, None, "DataLoader.TRAIN.sampler.batch_size=512"), "5.2", "error"),
    "o_spaces": (one(None, None, None, None, "Global.epochs = 2"), "5.2", "error"),
    "o_two_eq": (one(None, None, None, None, "Global.output_dir=a=b"), "5.2", "error"),
    "cn_global": (one({"class_num": REMOVED, "Global.class_num": 5}), "2.1", "warning"),
    "o_bs_float": (one(None, None, None, None, "DataLoader.Train.sampler.batch_size=8.0"), "5.2", "error"),
    "o_cn_alpha": (one(None, None, None, None, "Arch.class_num=five"), "5.2", "error"),
    "dev_typo": (one({"Global.device": "cuda"}), "5.1", "error"),
    "seed_str": (one({"Global.seed": "abc"}), "5.2", "error"),
    "nw_neg": (one({"train_workers": -1}), "5.1", "error"),
    "infer_map_short": (one({PRETRAINED: "good64b"}, label_map="0 a\n1 b\n", stage="infer"), "infer.label-map-mismatch", "error"),
    "infer_imagenet_map": (
        one({PRETRAINED: "good64b"}, label_map="".join(f"{n} c{n}\n" for n in range(1000)), stage="infer"),
        "infer.label-map-mismatch",
        "warning",
    ),
    "shm64_w4_b32": (shm(4, 32), "1.3", "error"),
    "shm64_w4_b13": (shm(4, 13, 200), "1.3", "error"),
    "shmprobe_w4_b14": (shm(4, 14), "1.3", "error"),
    "shmprobe_w2_b23": (shm(2, 23), "1.3", "error"),
    "shmprobe_w1_b38": (shm(1, 38), "1.3", "error"),
    "shm64_eval_b64": (
        lambda folder: base(
            folder, {"train_workers": 0, "eval_workers": 4, "eval_batch": 64}, val=lines([f"v/{n}.png" for n in range(480)])
        ).check(assume=("shm=64m", "cpus=64", "gpus=0")),
        "1.3",
        "error",
    ),
    "op_nonorm": (transforms({TRAIN: [DECODE, CROP]}), "config.transforms", "error"),
    "mixed_nocrop_w2": (
        transforms({TRAIN: [DECODE, SHORT, NORMAL]}, sizes=[(64, 64), (64, 96)], train_workers=2),
        "config.transforms",
        "error",
    ),
    "eval_bgr": (transforms({EVAL: [BGR, SHORT, CENTER, NORMAL]}, stage="eval"), "1.1", "warning"),
    "norm_mean_wrong_eval": (transforms({EVAL: [DECODE, SHORT, CENTER, normal(scale="1.0")]}, stage="eval"), "1.1", "error"),
    "infer_bgr": (transforms({"Infer": [BGR, SHORT, CENTER, NORMAL, CHW]}, stage="infer"), "1.1", "warning"),
}

WORKS: dict[str, Callable[[Path], Run]] = {
    "op_nosize": transforms({TRAIN: [DECODE, SHORT, NORMAL]}, sizes=[(64, 64)]),
    "base": one(),
    "pre_nonestr": lambda folder: texted(base(folder), "pretrained_model: null", 'pretrained_model: "None"'),
    "export_ok": one({PRETRAINED: "good64b"}, stage="export"),
    "repvgg_export": one({"Arch.name": "RepVGG_A0", PRETRAINED: "good64b"}, stage="export"),
    "predw_ok": deployed("3.3.1", "json", memory_optim=False),
    "predw_gpu": deployed("3.3.1", "json", {"Global.use_gpu": True}, memory_optim=False),
    "predw_topk10": deployed("3.3.1", "json", {"PostProcess.Topk.topk": 10}, memory_optim=False),
    "lab_start1_cn_maxp1": one({"class_num": 6}, lines(NAMES, 1), lines(VAL, 1), "".join(f"{n} x\n" for n in range(6))),
    "cn_too_big": one({"class_num": 50}),
    "path_space_tab": one({f"{TRAIN}.dataset.delimiter": "\t"}, lines([f"my {n}" for n in NAMES], separator="\t")),
    "lab_trailing": one(train=lines(NAMES).replace("\n", "   \n")),
    "lab_extra_col": one(train=lines(NAMES).replace("\n", " extra\n")),
    "lab_crlf": one(train=lines(NAMES).replace("\n", "\r\n")),
    "infer_topk_gt": one({"Infer.PostProcess.topk": 10, PRETRAINED: "good64b"}, stage="infer"),
    "lr_quoted": lambda folder: quoted(base(folder)),
    "amp_cpu": one({"AMP": {"use_amp": True, "scale_loss": 128.0, "use_dynamic_loss_scaling": True}}),
    "bs_gt_ds_nodrop": one({"train_batch": 128, f"{TRAIN}.sampler.drop_last": False}),
    "nw_gt_cpu": one({"train_workers": 8}, assume=("shm=8g", "cpus=2", "gpus=0")),
    "shm64_w4_b12": shm(4, 12, 200),
    "shm64_w4_b32_small": shm(4, 32, 80),
    "shm64_w0_b32": shm(0, 32),
    "shm64_w4_b32_noshm": shm(4, 32, **{f"{TRAIN}.loader.use_shared_memory": False}),
    "shm1g_w4_b32": shm(4, 32, size="1g"),
    "shmprobe_w2_b22": shm(2, 22),
    "shmprobe_w1_b37": shm(1, 37),
}


def blocked(project: Project) -> Run:
    """A file stands where the folder would be made, since the tests may run as root on a writable disk."""
    project.write("outro", "")
    return project.check()


def texted(project: Project, old: str, new: str) -> Run:
    project.save(project.text.replace(old, new))
    return project.check()


def quoted(project: Project) -> Run:
    project.save(project.text.replace("learning_rate: 0.1", 'learning_rate: "1e-4"'))
    return project.check()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_found_with_its_entry(tmp_path: Path, fault: str) -> None:
    make, entry, severity = FAULTS[fault]
    report = make(tmp_path).report
    assert (entry, severity) in [(f.entry, f.severity) for f in report.findings], report.findings
    # the right cause leads, and what follows from it is not called an error beside it
    errors = {f.entry for f in report.findings if f.severity == "error"}
    assert errors <= {entry}, report.findings


@pytest.mark.parametrize("twin", sorted(WORKS))
def test_what_works_gets_neither_error_nor_warning(tmp_path: Path, twin: str) -> None:
    report = WORKS[twin](tmp_path).report
    assert [f for f in report.findings if f.severity != "info"] == []


def test_the_ids_are_those_of_the_table(shared: Path) -> None:
    table = yaml.safe_load((shared / "paddleclas" / "FAULTS.yaml").read_text(encoding="utf-8"))["faults"]
    outcomes = {row["id"]: row["outcome"] for row in table}
    assert set(FAULTS) | set(WORKS) <= set(outcomes)
    assert {outcomes[twin] for twin in WORKS} == {"works"}
    assert MACHINE
