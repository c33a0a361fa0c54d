"""DEP: deploy configs, of Python and of C++, against the machine and the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.machine import Host
from checks.facts.packages import Packages
from tests.deployments import Deployment, deploy_project
from tests.exports import classifier
from tests.projects import REMOVED, Project, found, measured, passes, reason

CPP = "deploy/cpp/tools/inference_cls.yaml"
TEXT = """\
# model load config
use_gpu  0
gpu_id  0
gpu_mem  4000
cpu_math_library_num_threads  10
use_mkldnn 1
use_tensorrt 0
use_fp16 0

# cls config
cls_model_path  models/inference.pdmodel
cls_params_path models/inference.pdiparams
resize_short_size 72
crop_size 64
"""
LITE = """\
clas_model_file ./models/net.nb
label_path ./map.txt
resize_short_size 256
crop_size 224
visualize 0
num_threads 1
batch_size 1
precision FP32
runtime_device arm_cpu
enable_benchmark 0
tipc_benchmark 0
"""
CPU_BUILD = Packages("3.11.4", "python", {"paddlepaddle": "3.3.1"}, "3.3.1", ("paddlepaddle",), None, None)


def cpp(folder: Path, changes: dict[str, Any] | None = None) -> Deployment:
    made = deploy_project(folder, "pdmodel", changes)
    made.write(CPP, made.text)
    return made


def text(folder: Path, content: str, name: str = "config.txt") -> Deployment:
    made = deploy_project(folder, "pdmodel")
    made.write(name, content)
    made.write("models/net.nb", "x")
    return made


def test_a_whole_deployment_has_no_finding(tmp_path: Path) -> None:
    assert deploy_project(tmp_path / "a").check().report.findings == []
    assert cpp(tmp_path / "b").check(config=CPP).report.findings == []
    assert text(tmp_path / "c", TEXT).check(config="config.txt").report.findings == []
    assert text(tmp_path / "d", LITE).check(config="config.txt").report.findings == []


def test_a_deploy_config_beside_a_training_config(tmp_path: Path) -> None:
    training = Project(tmp_path, "modern")
    made = deploy_project(tmp_path / "deploy", changes={"Global.use_fp16": True})
    (tmp_path / "deploy" / "config.yaml").rename(tmp_path / "deploy" / "inference_cls.yaml")
    assert made
    finding = training.finding("DEP206", stage="deploy", deploy_config="deploy/inference_cls.yaml", root=".")
    assert finding.location.file == "deploy/inference_cls.yaml"
    # paths count from deploy/, where the model and the image are
    run = training.check(stage="deploy", deploy_config="deploy/inference_cls.yaml", root=".")
    assert not found(run, "EXP101") and not found(run, "DEP209")
    # the map has 5 names, and so has the exported model, whatever the training config says
    assert not found(run, "CFG202")


def test_the_map_of_a_companion_against_the_training_config(tmp_path: Path) -> None:
    training = Project(tmp_path, "modern")
    deploy_project(tmp_path / "deploy", None)
    finding = training.finding("CFG202", stage="deploy", deploy_config="deploy/config.yaml", root=".")
    assert (finding.severity, finding.evidence["names"], finding.evidence["class_num"]) == ("warning", 5, 3)
    assert finding.location.file == "deploy/config.yaml"


def test_a_config_that_deploys_nothing(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern")
    assert reason(made, "DEP201", stage="deploy") == "no-deploy-config"
    assert reason(made, "DEP201", stage="deploy", deploy_config="config.yaml") == "not-a-deploy-config"
    assert reason(made, "DEP201", stage="deploy", deploy_config="nowhere.yaml") == "deploy-config-missing"


# DEP201 deploy-key-missing


@pytest.mark.parametrize(
    "key",
    [
        "use_fp16",
        "enable_profile",
        "cpu_num_threads",
        "ir_optim",
        "use_tensorrt",
        "enable_mkldnn",
        "infer_imgs",
        "batch_size",
        "inference_model_dir",
    ],
)
def test_dep201_positive_python(tmp_path: Path, key: str) -> None:
    finding = deploy_project(tmp_path, changes={f"Global.{key}": REMOVED}).finding("DEP201", shows=(key, "KeyError"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "1.5", "Global")


def test_dep201_positive_use_gpu_depends_on_the_branch(tmp_path: Path) -> None:
    assert deploy_project(tmp_path, changes={"Global.use_gpu": REMOVED}).finding("DEP201").severity == "warning"


def test_dep201_positive_the_key_of_the_other_generation(tmp_path: Path) -> None:
    changes = {"Global.cpu_num_threads": REMOVED, "Global.cpu_math_library_num_threads": 8}
    made = deploy_project(tmp_path, changes=changes)
    finding = made.finding("DEP201", shows=("cpu_num_threads",))
    assert (finding.location.line, finding.location.column) == made.place("^cpu_math_library_num_threads")
    assert "cpu_math_library_num_threads" in finding.fixes[0].title
    made = text(tmp_path / "t", TEXT.replace("cpu_math_library_num_threads", "cpu_num_threads"))
    finding = made.finding("DEP201", config="config.txt", shows=("cpu_math_library_num_threads",))
    assert (finding.location.line, finding.location.column) == (5, 1)


def test_dep201_positive_cpp_and_lite(tmp_path: Path) -> None:
    finding = cpp(tmp_path / "a", {"Global.enable_benchmark": REMOVED}).finding("DEP201", config=CPP, shows=("yaml-cpp",))
    assert finding.severity == "error"
    made = text(tmp_path / "b", TEXT.replace("crop_size 64\n", ""))
    assert made.finding("DEP201", config="config.txt").evidence["key"] == "crop_size"
    made = text(tmp_path / "c", LITE.replace("visualize 0\n", ""))
    assert made.finding("DEP201", config="config.txt").severity == "error"
    made = text(tmp_path / "d", "".join(LITE.splitlines(keepends=True)[:5]) + "enable_benchmark 0\n")
    assert {f.severity for f in made.findings("DEP201", config="config.txt")} == {"warning"}


def test_dep201_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "DEP201")
    assert passes(cpp(tmp_path / "b"), "DEP201", config=CPP)


def test_dep201_near_miss_keys_that_others_read(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a", changes={"Global.enable_benchmark": REMOVED}), "DEP201")
    assert passes(deploy_project(tmp_path / "b", changes={"Global.gpu_mem": REMOVED}), "DEP201")
    assert passes(deploy_project(tmp_path / "c", changes={"Global.use_gpu": True, "Global.enable_mkldnn": REMOVED}), "DEP201")


def test_dep201_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    made.save("Global: {inference_model_dir: models}\nPostProcess: {}\n")
    assert reason(made, "DEP201") == "not-a-predictor-config"


# DEP202 deploy-value-unreadable


@pytest.mark.parametrize(
    ("old", "new", "line", "shows"),
    [
        ("gpu_id  0\n", "gpu_id\n", 3, "no value"),
        ("gpu_id  0\n", "gpu_id\t0\n", 3, "TAB"),
        ("gpu_id  0\n", "gpu_id  0\n  \n", 4, "blank"),
        ("use_gpu  0\n", "use_gpu  False\n", 2, "stoi"),
    ],
)
def test_dep202_positive_text(tmp_path: Path, old: str, new: str, line: int, shows: str) -> None:
    finding = text(tmp_path, TEXT.replace(old, new)).finding("DEP202", config="config.txt")
    assert shows in finding.message
    assert (finding.severity, finding.location.file, finding.location.line) == ("error", "config.txt", line)


def test_dep202_positive_lite_has_no_blank_lines(tmp_path: Path) -> None:
    assert text(tmp_path, LITE + "\n").finding("DEP202", config="config.txt").location.line == 12


@pytest.mark.parametrize(
    ("key", "value", "severity"),
    [
        ("Global.use_gpu", "off", "warning"),
        ("Global.cpu_num_threads", "ten", "error"),
        ("Global.batch_size", 0, "error"),
        ("PostProcess.Topk.topk", "five", "error"),
    ],
)
def test_dep202_positive_yaml(tmp_path: Path, key: str, value: Any, severity: str) -> None:
    finding = deploy_project(tmp_path, changes={key: value}).finding("DEP202", shows=(str(value),))
    assert (finding.severity, finding.location.key) == (severity, key)


def test_dep202_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "DEP202")
    assert passes(text(tmp_path / "b", LITE), "DEP202", config="config.txt")


def test_dep202_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "DEP202", stage="deploy") == "no-deploy-config"


def test_dep202_near_miss_what_the_programs_take(tmp_path: Path) -> None:
    assert passes(text(tmp_path / "a", TEXT.replace("use_gpu  0", "use_gpu   1   # the second card")), "DEP202", config="config.txt")
    assert passes(deploy_project(tmp_path / "b", changes={"Global.cpu_num_threads": 0, "Global.batch_size": -1}), "DEP202")
    assert passes(deploy_project(tmp_path / "c", changes={"Global.batch_size": "4"}), "DEP202")  # a number to PaddleClas too


# DEP203 deploy-threads


def test_dep203_positive(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.cpu_num_threads": 10})
    finding = made.finding("DEP203", assume=("cpus=4", "gpus=0"), shows=("10", "4"))
    assert (finding.severity, finding.location.key) == ("info", "Global.cpu_num_threads")
    assert made.assert_repaired_by(finding, assume=("cpus=4", "gpus=0")) == [4]
    finding = text(tmp_path / "t", TEXT).finding("DEP203", assume=("cpus=4", "gpus=0"), config="config.txt")
    assert (finding.location.line, finding.location.column) == (5, 31)


def test_dep203_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "DEP203")


def test_dep203_near_miss_as_many_threads_as_cpus(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a", changes={"Global.cpu_num_threads": 16}), "DEP203")


def test_dep203_positive_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    made = deploy_project(tmp_path / "b", changes={"Global.cpu_num_threads": 10, "Global.use_gpu": True})
    assert made.finding("DEP203", assume=("cpus=4", "gpus=0"))


def test_dep203_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.cpu_num_threads": 10, "Global.use_gpu": True})
    assert reason(made, "DEP203", assume=("cpus=4", "gpus=1")) == "deploys-on-gpu"
    assert reason(text(tmp_path / "l", LITE), "DEP203", config="config.txt") == "no-deploy-threads"


# DEP204 deploy-onednn-off


def test_dep204_positive(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.enable_mkldnn": False})
    finding = made.finding("DEP204", shows=("Global.enable_mkldnn", "oneDNN"))
    assert finding.severity == "info"
    assert made.assert_repaired_by(finding) == [True]
    finding = text(tmp_path / "t", TEXT.replace("use_mkldnn 1", "use_mkldnn 0")).finding("DEP204", config="config.txt")
    assert (finding.location.line, finding.location.column) == (6, 12)


def test_dep204_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "b"), "DEP204")


def test_dep204_near_miss_switched_on_as_a_number(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path, changes={"Global.enable_mkldnn": 1}), "DEP204")


def test_dep204_skipped(tmp_path: Path) -> None:
    on_gpu = deploy_project(tmp_path / "c", changes={"Global.enable_mkldnn": False, "Global.use_gpu": True})
    assert reason(on_gpu, "DEP204") == "deploys-on-gpu"
    assert reason(text(tmp_path / "l", LITE), "DEP204", config="config.txt") == "no-onednn-switch"


# DEP205 deploy-gpu-absent


def test_dep205_positive(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.use_gpu": True})
    finding = made.finding("DEP205", shows=("Global.use_gpu",))
    assert (finding.severity, finding.location.key) == ("info", "Global.use_gpu")
    assert made.assert_repaired_by(finding) == [False]


def test_dep205_positive_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, CPU_BUILD, Host(16.0, "processors", None, None, (), 1))
    made = deploy_project(tmp_path, changes={"Global.use_gpu": True})
    assert made.finding("DEP205", shows=("3.3.1",), assume=()).severity == "info"


def test_dep205_negative(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.use_gpu": True})
    assert passes(made, "DEP205", assume=("cpus=16", "gpus=1"))


def test_dep205_near_miss_asked_about_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, CPU_BUILD)
    made = deploy_project(tmp_path, changes={"Global.use_gpu": True})
    assert passes(made, "DEP205", assume=("cpus=16", "gpus=1"))


def test_dep205_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path), "DEP205") == "deploys-on-cpu"


# DEP206 deploy-precision


def test_dep206_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = deploy_project(tmp_path, changes={"Global.use_fp16": True})
    finding = made.finding("DEP206", shows=("use_fp16",))
    assert (finding.severity, finding.location.key) == ("error", "Global.use_fp16")
    assert made.assert_repaired_by(finding, select=("DEP206",), assume=("cpus=16", "gpus=1"))[0] is False
    assert cpp(tmp_path / "c", {"Global.use_fp16": True}).finding("DEP206", config=CPP).severity == "info"
    made = text(tmp_path / "t", TEXT.replace("use_fp16 0", "use_fp16 1"))
    assert made.finding("DEP206", config="config.txt").location.line == 8
    assert deploy_project(tmp_path / "g", changes={"Global.use_tensorrt": True}).finding("DEP206").severity == "warning"
    measured(monkeypatch, CPU_BUILD)
    finding = deploy_project(tmp_path / "b", changes={"Global.use_tensorrt": True, "Global.use_gpu": True}).finding(
        "DEP206", shows=("3.3.1",)
    )
    assert (finding.severity, finding.location.key) == ("error", "Global.use_tensorrt")


def test_dep206_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "z"), "DEP206")
    on = {"Global.use_gpu": True, "Global.use_tensorrt": True, "Global.use_fp16": True}
    assert passes(deploy_project(tmp_path / "a", changes=on), "DEP206", assume=("cpus=16", "gpus=1"))


def test_dep206_near_miss_a_text_is_not_true(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "b", changes={"Global.use_fp16": "true"}), "DEP206")


def test_dep206_skipped(tmp_path: Path) -> None:
    assert reason(text(tmp_path / "l", LITE), "DEP206", config="config.txt") == "no-precision-switch"


# DEP207 cpp-cannot-read-yaml


@pytest.mark.parametrize(
    ("key", "value", "shows"),
    [
        ("PreProcess.transform_ops.0", {"ResizeImage": {"size": [192, 256]}}, "ResizeImage.resize_short"),
        ("PreProcess.transform_ops.1", {"ToCHWImage": None}, "CropImage"),
        ("PreProcess.transform_ops.1.CropImage.size", [64, 64], "CropImage.size"),
        ("PreProcess.transform_ops.2.NormalizeImage.scale", "1.0/255.0", "NormalizeImage.scale"),
    ],
)
def test_dep207_positive(tmp_path: Path, key: str, value: Any, shows: str) -> None:
    finding = cpp(tmp_path, {key: value}).finding("DEP207", config=CPP, shows=(shows,))
    assert finding.severity == "error"
    assert finding.location.line is not None and finding.location.line > 1


def test_dep207_positive_the_batch_is_only_noted(tmp_path: Path) -> None:
    made = cpp(tmp_path, {"Global.batch_size": 8})
    assert made.finding("DEP207", config=CPP, shows=("8",)).severity == "info"


def test_dep207_negative(tmp_path: Path) -> None:
    assert passes(cpp(tmp_path), "DEP207", config=CPP)


def test_dep207_near_miss_more_after_the_third(tmp_path: Path) -> None:
    made = cpp(tmp_path, {"PreProcess.transform_ops.3": {"Anything": {"size": [1, 2]}}, "Global.batch_size": 1})
    assert passes(made, "DEP207", config=CPP)


def test_dep207_skipped_for_python(tmp_path: Path) -> None:
    made = deploy_project(tmp_path / "p", changes={"PreProcess.transform_ops.0": {"ResizeImage": {"size": [64, 64]}}})
    assert reason(made, "DEP207") == "not-the-cpp-demo"


# DEP208 deploy-result-unused


@pytest.mark.parametrize(
    ("changes", "shows"),
    [
        ({"PostProcess.main_indicator": "Attribute"}, "Attribute"),
        ({"PostProcess.main_indicator": REMOVED}, "main_indicator"),
        ({"PostProcess": REMOVED}, "PostProcess"),
        ({"PostProcess.TopK": {"topk": 1}}, "TopK"),
    ],
)
def test_dep208_positive(tmp_path: Path, changes: dict[str, Any], shows: str) -> None:
    made = deploy_project(tmp_path, changes=changes)
    finding = made.finding("DEP208", shows=(shows,))
    assert finding.severity == "error"
    if "PostProcess.main_indicator" in changes and changes["PostProcess.main_indicator"] is not REMOVED:
        assert made.assert_repaired_by(finding) == ["Topk"]


def test_dep208_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "DEP208")


def test_dep208_near_miss(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "b", changes={"PostProcess.main_indicator": "MultiLabelTopk"}), "DEP208")  # contains Topk
    changes = {"PostProcess.SavePreLabel": {"save_dir": "x"}}
    assert passes(deploy_project(tmp_path / "c", changes=changes), "DEP208")


def test_dep208_skipped(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"PreProcess": REMOVED, "RecPreProcess": {"transform_ops": []}})
    assert reason(made, "DEP208") == "not-the-python-predictor"


# DEP209 deploy-images-missing


def test_dep209_positive(tmp_path: Path) -> None:
    finding = deploy_project(tmp_path, changes={"Global.infer_imgs": "nope.jpg"}).finding("DEP209", shows=("nope.jpg",))
    assert (finding.severity, finding.entry) == ("error", "data.path-missing")
    made = deploy_project(tmp_path / "b", changes={"Global.infer_imgs": "images"})
    made.write("images/a.PNG", "x")
    assert "extension" in made.finding("DEP209").message


def test_dep209_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path), "DEP209")


def test_dep209_near_miss_an_image_further_down(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.infer_imgs": "images"})
    made.write("images/below/b.jpeg", "x")
    assert passes(made, "DEP209")


def test_dep209_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path, changes={"Global.infer_imgs": REMOVED}), "DEP209") == "no-infer-imgs"


# DEP210 deploy-input-size


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_dep210_positive(tmp_path: Path, model: str) -> None:
    made = deploy_project(tmp_path, model, {"PreProcess.transform_ops.1.CropImage.size": 224})
    finding = made.finding("DEP210", shows=("3×64×64", "3×224×224"))
    assert (finding.severity, finding.location.key) == ("warning", "PreProcess.transform_ops.1.CropImage.size")


def test_dep210_positive_text(tmp_path: Path) -> None:
    made = text(tmp_path, TEXT.replace("crop_size 64", "crop_size 224"))
    assert made.finding("DEP210", config="config.txt").location.line == 14


def test_dep210_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "DEP210")


def test_dep210_near_miss_an_open_size(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "b", size=-1), "DEP210")


def test_dep210_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path / "a", None, {"Global.inference_model_dir": "none"}), "DEP210") == "model-input-unknown"
    made = deploy_project(tmp_path / "b", changes={"PreProcess.transform_ops": [{"ResizeImage": {"resize_short": 72}}]})
    assert reason(made, "DEP210") == "shape-unknown"


# DEP211 gallery-not-ready


def gallery(folder: Path, **index: Any) -> Deployment:
    made = deploy_project(folder, None)
    section = {"index_dir": "g/index", "image_root": "g", "data_file": "g/list.txt", "embedding_size": 512, "dist_type": "IP", **index}
    ops = made.data["PreProcess"]
    made.data = {"Global": made.data["Global"], "RecPreProcess": ops, "DetPreProcess": {"transform_ops": []}, "IndexProcess": section}
    made.data["Global"]["rec_inference_model_dir"] = "rec"
    made.data["Global"].pop("inference_model_dir")
    classifier((-1, 512)).write(made.folder / "rec")
    made.save()
    return made


def test_dep211_positive(tmp_path: Path) -> None:
    made = gallery(tmp_path)
    finding = made.finding("DEP211", shows=("g/list.txt",))
    assert (finding.severity, finding.location.key) == ("error", "IndexProcess.data_file")
    made.write("g/list.txt", "a.jpg\tcat\n")
    assert made.finding("DEP211", shows=("build_gallery.py",)).severity == "info"
    made = gallery(tmp_path / "w", embedding_size=256)
    for name in ("vector.index", "id_map.pkl"):
        made.write(f"g/index/{name}", "x")
    finding = made.finding("DEP211", shows=("256", "512"))
    assert made.assert_repaired_by(finding) == [512]
    made.set("IndexProcess.embedding_size", 512)
    made.set("Global.batch_size", 4)
    made.save()
    assert made.finding("DEP211", shows=("4",)).location.key == "Global.batch_size"


def test_dep211_negative(tmp_path: Path) -> None:
    made = gallery(tmp_path)
    made.write("g/list.txt", "a.jpg\tcat\n")
    for name in ("vector.index", "id_map.pkl"):
        made.write(f"g/index/{name}", "x")
    assert passes(made, "DEP211")


def test_dep211_skipped(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path / "b"), "DEP211") == "no-index"


def test_dep211_near_miss_the_list_is_not_needed_any_more(tmp_path: Path) -> None:
    made = gallery(tmp_path)
    for name in ("vector.index", "id_map.pkl"):
        made.write(f"g/index/{name}", "x")
    assert passes(made, "DEP211")
