"""Small PaddleClas projects for tests: a config of either generation, label files, a label map and images, checked with the real engine.

The project as it is has no fault, and the machine it is checked for is assumed, so whatever a test finds comes from what it changed.
"""

from __future__ import annotations

import copy
import os
import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from checks.facts.base import COLLECTORS, Collector, World
from doctor.report import ReportedFinding, ReportedFix
from doctor.run import Run, run_check
from doctor.settings import Settings

Generation = Literal["modern", "legacy"]
Samples = list[tuple[str, int | str]]

CONFIG = "config.yaml"
MACHINE = ("shm=1g", "cpus=4", "gpus=0")
"""Enough for the project as it is, and the same wherever the tests run."""
WEIGHTS = b"\x80\x04}."
"""What a `.pdparams` file begins and ends with; an empty dictionary, pickled."""
REMOVED = object()
"""In place of a value: the key is not written at all."""

TRAIN: Samples = [(f"train/{label}/{number}.png", label) for label in range(3) for number in range(4)]
EVAL: Samples = [(f"val/{label}/{number}.png", label) for label in range(3) for number in range(2)]

KEYS: dict[str, dict[Generation, str]] = {
    "class_num": {"modern": "Arch.class_num", "legacy": "classes_num"},
    "topk": {"modern": "Metric.Eval.0.TopkAcc.topk", "legacy": "topk"},
    "epochs": {"modern": "Global.epochs", "legacy": "epochs"},
    "train_list": {"modern": "DataLoader.Train.dataset.cls_label_path", "legacy": "TRAIN.file_list"},
    "eval_list": {"modern": "DataLoader.Eval.dataset.cls_label_path", "legacy": "VALID.file_list"},
    "train_root": {"modern": "DataLoader.Train.dataset.image_root", "legacy": "TRAIN.data_dir"},
    "eval_root": {"modern": "DataLoader.Eval.dataset.image_root", "legacy": "VALID.data_dir"},
    "train_delimiter": {"modern": "DataLoader.Train.dataset.delimiter", "legacy": "TRAIN.delimiter"},
    "train_batch": {"modern": "DataLoader.Train.sampler.batch_size", "legacy": "TRAIN.batch_size"},
    "eval_batch": {"modern": "DataLoader.Eval.sampler.batch_size", "legacy": "VALID.batch_size"},
    "train_workers": {"modern": "DataLoader.Train.loader.num_workers", "legacy": "TRAIN.num_workers"},
    "eval_workers": {"modern": "DataLoader.Eval.loader.num_workers", "legacy": "VALID.num_workers"},
}
"""Concept → its key in each generation."""

_IMAGE = re.compile(r"\ufeff?([^\0\r]{1,250}?\.(?:png|jpg|jpeg|JPEG))(?=[ \t,;|]|$)")
_HAN = re.compile("[\u4e00-\u9fff]")


def modern_config() -> dict[str, Any]:
    """A config of 2.2 or later: ResNet50, three classes, 224 px."""
    return {
        "Global": {
            "checkpoints": None,
            "pretrained_model": None,
            "output_dir": "./output/",
            "device": "cpu",
            "save_interval": 1,
            "eval_during_train": True,
            "eval_interval": 1,
            "epochs": 2,
            "print_batch_step": 10,
            "use_visualdl": False,
            "image_shape": [3, 224, 224],
            "save_inference_dir": "./inference",
        },
        "Arch": {"name": "ResNet50", "class_num": 3},
        "Loss": {"Train": [{"CELoss": {"weight": 1.0}}], "Eval": [{"CELoss": {"weight": 1.0}}]},
        "Optimizer": {"name": "Momentum", "momentum": 0.9, "lr": {"name": "Cosine", "learning_rate": 0.1}},
        "DataLoader": {"Train": _modern_loader("train", drop_last=True), "Eval": _modern_loader("val", drop_last=False)},
        "Infer": {
            "infer_imgs": "./data/val/0/0.png",
            "batch_size": 2,
            "transforms": [*_transforms("val"), {"ToCHWImage": None}],
            "PostProcess": {"name": "Topk", "topk": 2, "class_id_map_file": "data/label_map.txt"},
        },
        "Metric": {"Train": [{"TopkAcc": {"topk": [1, 2]}}], "Eval": [{"TopkAcc": {"topk": [1, 2]}}]},
    }


def legacy_config() -> dict[str, Any]:
    """The same in the layout of 2.0 and 2.1."""
    return {
        "mode": "train",
        "ARCHITECTURE": {"name": "ResNet50"},
        "pretrained_model": "",
        "model_save_dir": "./output/",
        "use_gpu": False,
        "classes_num": 3,
        "total_images": len(TRAIN),
        "save_interval": 1,
        "validate": True,
        "valid_interval": 1,
        "epochs": 2,
        "topk": 2,
        "image_shape": [3, 224, 224],
        "LEARNING_RATE": {"function": "Cosine", "params": {"lr": 0.1}},
        "OPTIMIZER": {"function": "Momentum", "params": {"momentum": 0.9}},
        "TRAIN": _legacy_loader("train"),
        "VALID": _legacy_loader("val"),
    }


def _transforms(split: str) -> list[dict[str, Any]]:
    crop = (
        [{"RandCropImage": {"size": 224}}] if split == "train" else [{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}]
    )
    return [{"DecodeImage": {"to_rgb": True}}, *crop, {"NormalizeImage": {"scale": "1.0/255.0", "order": ""}}]


def _modern_loader(split: str, drop_last: bool) -> dict[str, Any]:
    return {
        "dataset": {
            "name": "ImageNetDataset",
            "image_root": "./data/",
            "cls_label_path": f"./data/{split}_list.txt",
            "transform_ops": _transforms(split),
        },
        "sampler": {"name": "DistributedBatchSampler", "batch_size": 2, "drop_last": drop_last, "shuffle": drop_last},
        "loader": {"num_workers": 1, "use_shared_memory": True},
    }


def _legacy_loader(split: str) -> dict[str, Any]:
    return {
        "batch_size": 2,
        "num_workers": 1,
        "file_list": f"./data/{split}_list.txt",
        "data_dir": "./data/",
        "transforms": [*_transforms(split), {"ToCHWImage": None}],
    }


def numbered(*labels: int, split: str = "train") -> Samples:
    """One sample for each label given."""
    return [(f"{split}/{label}/{number}.png", label) for number, label in enumerate(labels)]


def rows(samples: Samples, separator: str = " ") -> str:
    """A label file's text."""
    return "".join(f"{path}{separator}{label}\n" for path, label in samples)


class Project:
    """A project in a folder: `data` is its config as plain values, `lists` its label files (`data/<name>`) as text or bytes."""

    def __init__(
        self,
        folder: Path,
        generation: Generation,
        changes: Mapping[str, Any] | None = None,
        *,
        train: Samples | str | bytes | None = None,
        val: Samples | str | bytes | None = None,
        label_map: str | bytes | None = "0 zero\n1 one\n2 two\n",
    ) -> None:
        self.folder = folder
        self.generation: Generation = generation
        self.data = modern_config() if generation == "modern" else legacy_config()
        for key, value in (changes or {}).items():
            self.set(key, value)
        self.write_list("train_list.txt", TRAIN if train is None else train)
        self.write_list("val_list.txt", EVAL if val is None else val)
        self.write("data/val/0/0.png", PIXEL)  # the image for inference
        if label_map is not None:
            self.write("data/label_map.txt", label_map)
        self.text = ""
        self.save()

    def key(self, concept: str) -> str:
        """The key of a concept in this generation."""
        return KEYS[concept][self.generation]

    def set(self, key: str, value: Any) -> None:
        """Set, add or (with `REMOVED`) take out a value of the config; `key` is a dotted path or a name of `KEYS`."""
        *parents, last = (KEYS[key][self.generation] if key in KEYS else key).split(".")
        here: Any = self.data
        for part in parents:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        if isinstance(here, list):
            here[int(last)] = copy.deepcopy(value)
        elif value is REMOVED:
            del here[last]
        else:
            here[last] = copy.deepcopy(value)

    def save(self, text: str | None = None) -> None:
        """Write the config: as text, where given, else from the values."""
        self.text = yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True, width=1000) if text is None else text
        self.write(CONFIG, self.text)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def write_list(self, name: str, content: Samples | str | bytes) -> None:
        """Write a label file, and the images of its samples; of a text, those of its first 2,000 lines that begin with an image's name."""
        if isinstance(content, list):
            paths = [path for path, _ in content]
            content = rows(content)
        else:
            text = content[:200_000].decode("utf-8", "surrogateescape") if isinstance(content, bytes) else content
            paths = [match[1] for line in text.split("\n")[:2000] if (match := _IMAGE.match(line)) and not match[1].startswith("/")]
        for path in paths:
            image = self.folder / "data" / path
            if not image.exists():
                image.parent.mkdir(parents=True, exist_ok=True)
                image.write_bytes(PIXEL)
        self.write(f"data/{name}", content)

    def place(self, needle: str, after: str = "") -> tuple[int, int]:
        """Line and column, from 1, of the `^` in a piece of the config's text: `place("num_workers: ^8", after="Eval:")`."""
        before, _, behind = needle.partition("^")
        start = self.text.index(before + behind, self.text.index(after)) + len(before)
        line_start = self.text.rfind("\n", 0, start) + 1
        return self.text.count("\n", 0, start) + 1, start - line_start + 1

    def check(
        self,
        *overrides: str,
        stage: str = "train",
        lang: str = "en",
        assume: tuple[str, ...] = MACHINE,
        root: str | None = None,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        images: str = "quick",
        world: World | None = None,
        config: str = CONFIG,
        **companions: str,
    ) -> Run:
        """Run every rule over the project, started in its folder; `companions` are `weights`, `deploy_config`, `inference_model`."""
        run = run_check(
            config,
            overrides,
            stage=stage,
            root=root,
            lang=lang,
            select=select,
            ignore=ignore,
            assume=assume,
            images=images,
            settings=Settings(),
            world=world or World(cwd=str(self.folder)),
            **companions,  # type: ignore[arg-type]  # names of files, all of them
        )
        assert not run.crashes, "\n".join(run.crashes)
        return run

    def findings(self, code: str, *overrides: str, shows: tuple[object, ...] = (), **how: Any) -> list[ReportedFinding]:
        """The findings of one rule, in English; proves that the Chinese report holds the same facts, and that both show `shows`."""
        english, chinese = (found(self.check(*overrides, lang=lang, **how), code) for lang in ("en", "zh"))
        assert len(english) == len(chinese)
        for one, other in zip(english, chinese, strict=True):
            assert (one.severity, one.entry, one.location, one.evidence) == (other.severity, other.entry, other.location, other.evidence)
            assert [_facts(fix) for fix in one.fixes] == [_facts(fix) for fix in other.fixes]
            for text in (one.message, one.because, *(fix.title for fix in one.fixes)):
                assert text and not _HAN.search(text.replace(str(one.evidence.get("text", "")), "")) and "None" not in text, text
            for text in (other.message, other.because, *(fix.title for fix in other.fixes)):
                assert _HAN.search(text) and "None" not in text, text
        for text in map(str, shows):
            assert any(text in one.message for one in english), (text, [one.message for one in english])
            assert any(text in other.message for other in chinese), (text, [other.message for other in chinese])
        return english

    def finding(self, code: str, *overrides: str, shows: tuple[object, ...] = (), **how: Any) -> ReportedFinding:
        """The only finding of a rule, see `findings`."""
        findings = self.findings(code, *overrides, shows=shows, **how)
        assert len(findings) == 1, findings
        return findings[0]

    def assert_repaired_by(self, finding: ReportedFinding, *overrides: str, **how: Any) -> list[Any]:
        """Each edit that a finding offers makes it go away, and brings no error; returns the values of the edits."""
        edits = [fix for fix in finding.fixes if fix.kind == "edit"]
        errors = self.check(*overrides, **how).report.summary.error
        before = copy.deepcopy(self.data)
        for edit in edits:
            assert edit.key is not None and edit.file == CONFIG
            self.set(edit.key, edit.value)
            self.save()
            run = self.check(*overrides, **how)
            left = [
                f for f in found(run, finding.code) if f.location.key == finding.location.key and f.location.file == finding.location.file
            ]
            assert not left, (edit, left)
            assert run.report.summary.error <= errors - (finding.severity == "error"), (edit, run.report.findings)
            self.data = copy.deepcopy(before)
        self.save()
        return [edit.value for edit in edits]


def found(run: Run, code: str) -> list[ReportedFinding]:
    """The findings of one rule."""
    return [finding for finding in run.report.findings if finding.code == code]


def status(run: Run, code: str) -> tuple[str, str | None]:
    """What became of one rule, and why."""
    (check,) = [check for check in run.report.checks if check.code == code]
    return check.status, check.reason


def reason(project: Project, code: str, *overrides: str, **how: Any) -> str:
    """Why a rule was skipped (the phrase's key, the same in both languages); asserts that it was, and that both languages say why."""
    for lang in ("en", "zh"):
        what, why = status(project.check(*overrides, lang=lang, **how), code)
        assert what == "skipped" and why and "{" not in why, (what, why)
        assert bool(_HAN.search(why)) == (lang == "zh")
    (result,) = [r for r in project.check(*overrides, **how).diagnosis.results if r.check.code == code]
    assert result.reason is not None
    return result.reason.reason


def passes(project: Project, code: str, *overrides: str, **how: Any) -> bool:
    """Whether a rule ran and found nothing."""
    return status(project.check(*overrides, **how), code) == ("passed", None)


def measured(monkeypatch: pytest.MonkeyPatch, *facts: Any) -> None:
    """Give facts of the machine instead of measuring them."""
    for fact in facts:
        monkeypatch.setitem(COLLECTORS, type(fact), Collector(type(fact), _giver(fact), deadline=5.0))


def _giver(fact: Any) -> Callable[[], Any]:
    def give():  # type: ignore[no-untyped-def]  # a collector's annotations are what it needs
        return fact

    return give


def _facts(fix: ReportedFix) -> tuple[Any, ...]:
    return fix.kind, fix.safety, fix.file, fix.key, fix.value, fix.command, fix.snippet


def _pixel() -> bytes:
    """A PNG of one pixel (RFC 2083)."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\x80\x80\x80")), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


PIXEL = _pixel()


def shell(project: Project, command: str | None) -> None:
    """Run a command that a finding offers, in the project's folder."""
    assert command
    subprocess.run(["sh", "-c", command], cwd=project.folder, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
