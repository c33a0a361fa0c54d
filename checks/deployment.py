"""DEP: deploy configs, of Python and of C++, against the machine and the model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from checks.facts.deploy_config import DeployConfig
from checks.facts.deploy_paths import DeployPaths
from checks.facts.image_shape import sample_shape
from checks.facts.inference_model import InferenceModels
from checks.facts.machine import Host
from checks.facts.packages import Packages
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, Finding, Fix, Location, NotApplicable
from checks.registry import check

PREDICTOR_KEYS = ("use_fp16", "enable_profile", "cpu_num_threads", "ir_optim", "use_tensorrt")
"""What every Python predictor takes from `Global` without a default (`deploy/utils/predictor.py`, 2.2 to develop)."""

CPP_KEYS = (
    "infer_imgs",
    "inference_model_dir",
    "batch_size",
    "use_gpu",
    "gpu_mem",
    "cpu_num_threads",
    "enable_mkldnn",
    "use_tensorrt",
    "use_fp16",
    "enable_benchmark",
    "ir_optim",
    "enable_profile",
)
"""What the C++ demo takes from `Global` (`deploy/cpp/include/cls_config.h`, 2.3 to develop)."""

TEXT_NUMBERS = ("use_gpu", "gpu_id", "gpu_mem", "cpu_math_library_num_threads", "use_mkldnn", "resize_short_size", "crop_size")
LITE_NUMBERS = ("resize_short_size", "crop_size", "visualize", "enable_benchmark")
LITE_LATER = ("num_threads", "batch_size", "precision", "runtime_device", "tipc_benchmark")
"""Keys that the Paddle-Lite demo asks for from 2.4 on."""

POST_PROCESSES = (
    "Topk",
    "MultiLabelTopk",
    "MultiLabelThreshOutput",
    "ThreshOutput",
    "ScoreOutput",
    "SavePreLabel",
    "Binarize",
    "PersonAttribute",
    "VehicleAttribute",
    "FaceAttribute",
    "TableAttribute",
)
"""The classes of `deploy/python/postprocess.py` on any branch from 2.2 to develop."""

OTHER_GENERATION = {
    "cpu_num_threads": "cpu_math_library_num_threads",
    "enable_mkldnn": "use_mkldnn",
    "inference_model_dir": "cls_model_path",
}
"""Key of the YAML of 2.3 and later → its name in `config.txt`."""


def _needs(deploy: DeployConfig) -> list[tuple[str, str]]:
    """The keys that the program does not do without, and the case that a missing one makes."""
    tree = deploy.tree
    if deploy.program == "lite":
        needed = [("clas_model_file", "lite"), ("label_path", "lite"), *((key, "lite") for key in LITE_NUMBERS)]
        some = any(tree.has(key) for key in LITE_LATER)
        return needed + [(key, "lite" if some else "lite-later") for key in LITE_LATER]
    if deploy.program == "cpp-text":
        static = tree.has("cls_model_dir") and not tree.has("cls_model_path")
        more = ("cls_model_dir",) if static else ("use_tensorrt", "use_fp16", "cls_model_path", "cls_params_path")
        return [(key, "cpp-text") for key in (*TEXT_NUMBERS, *more)]
    if not isinstance(tree.raw("Global"), dict):
        return []
    if deploy.program == "cpp":
        return [(f"Global.{key}", "cpp") for key in CPP_KEYS]
    return list(_python_needs(deploy))


def _python_needs(deploy: DeployConfig) -> Iterator[tuple[str, str]]:
    tree = deploy.tree
    classifies, recognises, detects = (tree.has(name) for name in ("PreProcess", "RecPreProcess", "DetPreProcess"))
    if not (classifies or recognises or detects):
        return
    onnx, gpu = deploy.switch("onnx"), deploy.switch("gpu")
    keys = [*PREDICTOR_KEYS]
    if onnx and onnx.value:
        keys = ["use_fp16", "use_gpu", "cpu_num_threads", "ir_optim"]
    elif not tree.has("Global.use_gpu"):
        yield "Global.use_gpu", "use-gpu"
        keys.append("enable_mkldnn")
    else:
        keys.append("gpu_mem" if gpu and gpu.value else "enable_mkldnn")
    if classifies:
        keys += ["inference_model_dir", "infer_imgs", "batch_size"]
    if recognises:
        keys.append("rec_inference_model_dir")
    if detects and tree.raw("Global.det_inference_model_dir"):
        keys += ["image_shape", "threshold", "max_det_results"]
        keys += [] if tree.has("Global.labe_list") else ["label_list"]  # 2.2 writes and reads it without the l
    for key in keys:
        yield f"Global.{key}", "default"


@check("DEP201", name="deploy-key-missing", stages=DEPLOY)
def deploy_key_missing(config: TrainingConfig, deploy: DeployConfig) -> Iterator[Finding]:
    """A key that the program reads without a default: KeyError in Python, an exception of yaml-cpp or of `stoi` in C++."""
    needed = _needs(deploy)
    if not needed:
        raise NotApplicable("not-a-predictor-config")
    for key, case in needed:
        if deploy.tree.has(key):
            continue
        last = key.rpartition(".")[2]
        other = _other_name(deploy, last)
        fixes = (
            [Fix("rename", "advice", "safe", values={"other": other, "key": last})]
            if other
            else [Fix("add", "advice", "safe", values={"key": last})]
        )
        where = deploy.tree.key_at(f"Global.{other}" if deploy.kind == "yaml" else other) if other else _top(deploy)
        yield Finding(at=where, case=case, fixes=tuple(fixes), key=last, other=other, program=deploy.program)


def _top(deploy: DeployConfig) -> Location:
    return deploy.tree.key_at("Global") if deploy.kind == "yaml" else Location(deploy.file, 1)


def _other_name(deploy: DeployConfig, key: str) -> str | None:
    """What the key is called in the other generation's config, where that stands there instead."""
    names = OTHER_GENERATION if deploy.kind == "yaml" else {new: old for old, new in OTHER_GENERATION.items()}
    other = names.get(key)
    path = f"Global.{other}" if deploy.kind == "yaml" else str(other)
    return other if other and deploy.tree.has(path) else None


@check("DEP202", name="deploy-value-unreadable", stages=DEPLOY)
def deploy_value_unreadable(deploy: DeployConfig) -> Iterator[Finding]:
    """A line or value that the program cannot read: no value, a TAB, `True` where C++ wants 0 or 1, a text where Python wants a number."""
    for line in deploy.bad:
        yield Finding(at=line.location, case=line.problem, key=None, value=line.text)
    if deploy.kind == "text":
        numbers = LITE_NUMBERS if deploy.program == "lite" else (*TEXT_NUMBERS, "use_tensorrt", "use_fp16")
        for key in (*numbers, *(("num_threads", "batch_size", "tipc_benchmark") if deploy.program == "lite" else ())):
            value = deploy.tree.get(key)
            if value is not None and not str(value.value).lstrip("+-")[:1].isdigit():
                truth = {"true": "1", "false": "0", "on": "1", "off": "0", "yes": "1", "no": "0"}.get(str(value.value).lower())
                fixes = (Fix("write-number", "advice", "safe", snippet=f"{key} {truth}"),) if truth else ()
                yield Finding(at=value.location, case="not-a-number", fixes=fixes, key=key, value=str(value.value))
        return
    for name in ("use_gpu", "enable_mkldnn", "use_tensorrt", "ir_optim", "enable_profile"):
        value = deploy.tree.get(f"Global.{name}")
        if value is not None and isinstance(value.value, str):
            off = value.value.strip().lower() in ("false", "off", "no", "")
            fixes = (Fix("write-switch", "edit", "safe", value.location, not off, values={"value": str(not off)}),)
            yield Finding(at=value.location, case="switch-text", fixes=fixes, key=name, value=value.value)
    topk = deploy.tree.get("PostProcess.Topk.topk")
    if topk is not None and type(topk.value) is not int:
        yield Finding(at=topk.location, case="not-a-count", key="topk", value=str(topk.value))
    for name in ("batch_size", "cpu_num_threads"):
        value = deploy.tree.get(f"Global.{name}")
        if value is not None and (type(value.value) is not int or (name == "batch_size" and value.value == 0)):
            yield Finding(at=value.location, case="not-a-count", key=name, value=str(value.value))


@check("DEP203", name="deploy-threads", stages=DEPLOY)
def deploy_threads(deploy: DeployConfig, host: Host) -> Iterator[Finding]:
    """More threads than processors slow the CPU down; the count acts only there (FAQ 1.5)."""
    threads, gpu = deploy.number("threads"), deploy.switch("gpu")
    if threads is None or deploy.program == "lite":  # Paddle-Lite runs on another machine than this one
        raise NotApplicable("no-deploy-threads")
    if gpu and gpu.value and (host.gpu_count > 0 or not host.gpus_known):
        raise NotApplicable("deploys-on-gpu")
    if host.cpus is None:
        raise NotApplicable("cpus-not-told")
    if threads.value > host.cpus:
        best = max(1, int(host.cpus))
        fix = Fix("set-threads", "edit", "safe", threads.location, best if deploy.kind == "yaml" else str(best), values={"threads": best})
        yield Finding(at=threads.location, fixes=(fix,), threads=threads.value, cpus=host.cpus, cpu_limit=host.cpu_limit)


@check("DEP204", name="deploy-onednn-off", stages=DEPLOY)
def deploy_onednn_off(deploy: DeployConfig) -> Iterator[Finding]:
    """On a CPU without oneDNN (MKL-DNN), which is the largest single gain there (FAQ 1.5)."""
    onednn, gpu = deploy.switch("onednn"), deploy.switch("gpu")
    if onednn is None:
        raise NotApplicable("no-onednn-switch")
    if gpu is not None and gpu.value:
        raise NotApplicable("deploys-on-gpu")
    if not onednn.value:
        on: Any = True if deploy.kind == "yaml" else "1"
        yield Finding(at=onednn.location, fixes=(Fix("switch-on", "edit", "safe", onednn.location, on),), key=onednn.location.key)


@check("DEP205", name="deploy-gpu-absent", stages=DEPLOY)
def deploy_gpu_absent(deploy: DeployConfig, host: Host, packages: Packages | None) -> Iterator[Finding]:
    """A GPU asked for where there is none: Paddle Inference says so in one line and goes on, on the CPU and without oneDNN."""
    gpu = deploy.switch("gpu")
    if gpu is None or not gpu.value:
        raise NotApplicable("deploys-on-cpu")
    if not host.gpus_known:
        raise NotApplicable("gpus-not-told")
    build = cpu_only(packages) and not host.gpus_assumed if deploy.program == "python" else False
    if host.gpu_count > 0 and not build:
        return
    off: Any = False if deploy.kind == "yaml" else "0"
    yield Finding(
        at=gpu.location,
        case="default" if host.gpu_count == 0 else "build",
        fixes=(Fix("use-cpu", "edit", "safe", gpu.location, off),),
        key=gpu.location.key,
        gpus=host.gpu_count,
        paddle=packages.paddle if packages else None,
    )


def cpu_only(packages: Packages | None) -> bool:
    """Whether the PaddlePaddle here was built without CUDA and is for no other accelerator."""
    return packages is not None and packages.cuda is None and packages.paddle_builds == ("paddlepaddle",)


@check("DEP206", name="deploy-precision", stages=DEPLOY)
def deploy_precision(deploy: DeployConfig, packages: Packages | None) -> Iterator[Finding]:
    """FP16 without TensorRT stops the Python predictor and does nothing in C++; TensorRT needs a build that has it, and a GPU."""
    fp16, tensorrt, gpu = (deploy.switch(name) for name in ("fp16", "tensorrt", "gpu"))
    if fp16 is None and tensorrt is None:
        raise NotApplicable("no-precision-switch")
    wanted = tensorrt is not None and tensorrt.value
    on: Any = True if deploy.kind == "yaml" else "1"
    off: Any = False if deploy.kind == "yaml" else "0"
    python = deploy.program == "python"
    if fp16 is not None and fp16.value and not wanted and (not python or deploy.tree.raw("Global.use_fp16") is True):
        fixes = [Fix("fp16-off", "edit", "safe", fp16.location, off)]
        if tensorrt is not None:
            fixes.append(Fix("tensorrt-on", "edit", "unsafe", tensorrt.location, on))
        yield Finding(at=fp16.location, case="fp16" if python else "fp16-ignored", fixes=tuple(fixes), paddle=None)
    if wanted and tensorrt is not None:
        switch_off = (Fix("tensorrt-off", "edit", "safe", tensorrt.location, off),)
        onnx = deploy.switch("onnx")
        if python and cpu_only(packages) and packages is not None and not (onnx and onnx.value):
            yield Finding(at=tensorrt.location, case="no-tensorrt", fixes=switch_off, paddle=packages.paddle)
        elif not (gpu and gpu.value):
            yield Finding(at=tensorrt.location, case="python-cpu" if python else "cpp-cpu", fixes=switch_off, paddle=None)


@check("DEP207", name="cpp-cannot-read-yaml", stages=DEPLOY)
def cpp_cannot_read_yaml(deploy: DeployConfig) -> Iterator[Finding]:
    """The C++ demo reads the transforms by position: ResizeImage, CropImage, NormalizeImage; and it runs one image at a time."""
    if deploy.program != "cpp":
        raise NotApplicable("not-the-cpp-demo")
    wants = (("ResizeImage", "resize_short", int), ("CropImage", "size", int), ("NormalizeImage", "scale", float))
    for index, (name, key, kind) in enumerate(wants):
        path = f"PreProcess.transform_ops.{index}"
        value = deploy.tree.raw(f"{path}.{name}.{key}")
        fits = (type(value) in (int, float)) if kind is float else type(value) is int
        if not fits:
            case = "position" if not deploy.tree.has(f"{path}.{name}") else "parameter"
            shown = None if value is None else str(value)
            yield Finding(at=deploy.tree.at(f"{path}.{name}.{key}"), case=case, index=index, op=name, key=key, value=shown)
    batch = deploy.number("batch")
    if batch is not None and batch.value > 1:
        yield Finding(at=batch.location, case="batch", index=None, op=None, key="batch_size", value=str(batch.value))


@check("DEP208", name="deploy-result-unused", stages=DEPLOY)
def deploy_result_unused(deploy: DeployConfig) -> Iterator[Finding]:
    """`main_indicator` must contain the name of a post-process that is listed; without it there is no result and the loop over it stops."""
    if deploy.program != "python" or not deploy.tree.has("PreProcess"):
        raise NotApplicable("not-the-python-predictor")
    section = deploy.tree.raw("PostProcess")
    if not isinstance(section, dict):
        # predict_cls looks for its attribute names in the section itself
        yield Finding(at=deploy.tree.at("PostProcess"), case="no-section", indicator=None, listed=[])
        return
    listed = [name for name in section if name != "main_indicator"]
    indicator = section.get("main_indicator") or ""
    for name in listed:
        if name not in POST_PROCESSES:
            import difflib  # 3 ms, and few names are wrong

            near = difflib.get_close_matches(name.lower(), [known.lower() for known in POST_PROCESSES], 1, 0.7)
            known = next((known for known in POST_PROCESSES if near and known.lower() == near[0]), None)
            rename = (Fix("rename", "advice", "safe", values={"name": known}),) if known else ()
            yield Finding(
                at=deploy.tree.key_at(f"PostProcess.{name}"), case="unknown", fixes=rename, indicator=name, listed=list(POST_PROCESSES)
            )
            return
    if isinstance(indicator, str) and any(name in indicator for name in listed):
        return
    fixes = []
    best = next((name for name in listed if name != "SavePreLabel"), None)
    if best and deploy.tree.has("PostProcess.main_indicator"):
        fixes.append(Fix("set-indicator", "edit", "safe", deploy.tree.at("PostProcess.main_indicator"), best, values={"name": best}))
    elif best:
        fixes.append(Fix("add-indicator", "advice", "safe", snippet=f"main_indicator: {best}", values={"name": best}))
    at = deploy.tree.at("PostProcess.main_indicator")
    yield Finding(at=at, case="default" if indicator else "absent", fixes=tuple(fixes), indicator=str(indicator) or None, listed=listed)


@check("DEP209", name="deploy-images-missing", stages=DEPLOY)
def deploy_images_missing(deploy: DeployConfig, paths: DeployPaths) -> Iterator[Finding]:
    """The image or folder to be classified is not there, or the folder has no image with an extension that is read."""
    if paths.images is None:
        raise NotApplicable("no-infer-imgs")
    item = paths.images
    if item.exists and (not item.is_folder or item.images):
        return
    yield Finding(at=item.source, case="empty" if item.exists else "default", written=item.written, path=item.path, nearest=item.nearest)


@check("DEP210", name="deploy-input-size", stages=DEPLOY)
def deploy_input_size(deploy: DeployConfig, models: InferenceModels) -> Iterator[Finding]:
    """The transforms make another input than the one that the exported model declares."""
    role, section = ("cls", "PreProcess") if deploy.kind == "text" or deploy.tree.has("PreProcess") else ("rec", "RecPreProcess")
    model = next((m for m in models.models if m.role == role), None)
    declared = model.program.inputs[0].shape if model and model.program and len(model.program.inputs) == 1 else ()
    if model is None or len(declared) != 4:
        raise NotApplicable("model-input-unknown")
    if deploy.kind == "text":
        crop = deploy.tree.get("crop_size")
        side = int(crop.value) if crop and str(crop.value).isdecimal() and len(str(crop.value)) < 6 else None
        if crop is None or side is None:
            raise NotApplicable("shape-unknown")
        sent, at = (3, side, side), crop.location
    else:
        ops = deploy.tree.raw(f"{section}.transform_ops")
        items = [op for op in (ops if isinstance(ops, list) else ()) if isinstance(op, dict)]
        pairs = [(str(name), params if isinstance(params, dict) else {}) for op in items for name, params in op.items()]
        shape = sample_shape(pairs)
        if shape is None:
            raise NotApplicable("shape-unknown")
        sent = (shape.channels, shape.height, shape.width)
        last = [n for n, (name, p) in enumerate(pairs) if name in ("CropImage", "ResizeImage") and "size" in p]
        at = deploy.tree.at(f"{section}.transform_ops.{last[-1]}.{pairs[last[-1]][0]}.size") if last else deploy.tree.at(section)
    if any(want > 0 and want != have for want, have in zip(declared[1:], sent, strict=True)):
        yield Finding(
            at=at,
            case="channels" if declared[1] > 0 and declared[1] != sent[0] else "default",
            path=model.path,
            declared="×".join(str(side) for side in declared[1:]),
            sent="×".join(str(side) for side in sent),
        )


@check("DEP211", name="gallery-not-ready", stages=DEPLOY)
def gallery_not_ready(deploy: DeployConfig, paths: DeployPaths, models: InferenceModels | None) -> Iterator[Finding]:
    """PP-ShiTu's index: built by `build_gallery.py` from images and a list, read by `predict_system.py` as `vector.index` and `id_map.pkl`."""
    if not isinstance(deploy.tree.raw("IndexProcess"), dict):
        raise NotApplicable("no-index")
    index, listed = paths.index, paths.gallery_list
    if index is not None and listed is not None and not (index.exists and index.complete):
        root = paths.gallery_root
        absent = listed if not listed.exists else root if root is not None and not root.exists else None
        if absent is not None:
            yield Finding(at=absent.source, case="default", written=absent.written, path=absent.path, index=index.path)
        else:
            command = f"python3 python/build_gallery.py -c {os.path.relpath(os.path.join(deploy.root, deploy.file), deploy.root)}"
            fix = Fix("build", "command", "safe", command=command)
            yield Finding(at=index.source, case="build", fixes=(fix,), written=index.written, path=index.path, index=index.path)
    batch = deploy.number("batch")
    if batch is not None and batch.value != 1 and deploy.tree.has("DetPreProcess"):
        fix = Fix("batch-one", "edit", "safe", batch.location, 1)
        yield Finding(at=batch.location, case="batch", fixes=(fix,), written=str(batch.value), path="", index="")
    width = deploy.tree.get("IndexProcess.embedding_size")
    model = models.of("rec") if models else None
    if width is None or type(width.value) is not int or model is None or model.program is None or len(model.program.outputs) != 1:
        return
    output = model.program.outputs[0].shape
    if len(output) == 2 and output[1] > 0 and output[1] != width.value:
        fix = Fix("set-width", "edit", "safe", width.location, output[1], values={"width": output[1]})
        yield Finding(at=width.location, case="width", fixes=(fix,), written=str(width.value), path=model.path, index=str(output[1]))
