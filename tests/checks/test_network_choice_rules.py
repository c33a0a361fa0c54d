"""MDL: the network against the device of the deploy config. The figures are those of PaddleClas's model pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.figures import figures, made_for, mobile_equal, server_equal
from tests.deployments import deploy_config
from tests.projects import Project, passes, reason

YAML = "deploy/inference_cls.yaml"
LITE = "clas_model_file ./model.nb\nlabel_path ./labels.txt\nresize_short_size 256\ncrop_size 224\nvisualize 0\nenable_benchmark 0\n"


def project(folder: Path, architecture: str, **settings: Any) -> Project:
    """A training config and the deploy config that goes with it; `settings` are of its `Global`."""
    made = Project(folder, "modern", {"Arch.name": architecture})
    deploy = deploy_config()
    deploy["Global"].update(settings)
    made.write(YAML, yaml.safe_dump(deploy))
    return made


# MDL112 mobile-network-on-server


def test_mdl112_positive_both_figures_are_shown(tmp_path: Path) -> None:
    made = project(tmp_path, "MobileNetV3_large_x1_25", use_gpu=True, use_tensorrt=True)
    shows = ("MobileNetV3_large_x1_25", "1.75", "0.3627", "7.47", "76.41", "PPHGNet_tiny", "1.77", "4.54", "14.75", "79.83")
    finding = made.finding("MDL112", deploy_config=YAML, shows=shows)
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "2.5", "Arch.name")
    assert (finding.evidence["deploy"], finding.evidence["told_by"]) == (YAML, "Global.use_gpu")


@pytest.mark.parametrize(
    ("batch", "ms", "other_ms"), [(1, 1.02, 1.26), (3, 1.02, 1.26), (4, 1.93, 2.28), (64, 2.89, 3.89), (0, 1.02, 1.26)]
)
def test_mdl112_positive_the_batch_of_the_deployment(tmp_path: Path, batch: int, ms: float, other_ms: float) -> None:
    made = project(tmp_path, "MobileNetV2", use_gpu=True, batch_size=batch)
    found = made.finding("MDL112", deploy_config=YAML).evidence
    assert (found["other"], found["ms"], found["other_ms"]) == ("ResNet18_vd", ms, other_ms)


def test_mdl112_positive_distilled_weights_with_distilled_ones(tmp_path: Path) -> None:
    made = project(tmp_path, "GhostNet_x1_3", use_gpu=True)
    made.set("Arch.pretrained", True)
    made.set("Arch.use_ssld", True)
    made.save()
    found = made.finding("MDL112", deploy_config=YAML).evidence
    assert (found["top1"], found["other"], found["other_top1"], found["weights"]) == (79.4, "PPHGNet_tiny", 81.95, "SSLD")


def test_mdl112_positive_no_latency_of_a_xeon_is_taken_for_a_gpu(tmp_path: Path) -> None:
    found = project(tmp_path, "PPLCNet_x1_0", use_gpu=True).finding("MDL112", deploy_config=YAML, shows=("71.32", "ResNet18_vd", "1.26"))
    assert "ms" not in found.evidence and "no latency" in found.message


def test_mdl112_positive_legacy_has_no_pphgnet(tmp_path: Path) -> None:
    made = Project(tmp_path, "legacy", {"ARCHITECTURE.name": "MobileNetV3_large_x1_0"})
    made.write("deploy/config.txt", "use_gpu 1\ngpu_id 0\ncls_model_path ./a.pdmodel\n")
    found = made.finding("MDL112", deploy_config="deploy/config.txt")
    assert (found.evidence["other"], found.location.key) == ("ResNet34_vd", "ARCHITECTURE.name")


def test_mdl112_positive_the_student_of_a_distillation(tmp_path: Path) -> None:
    made = project(tmp_path, "ResNet50", use_gpu=True)
    models = [{"Teacher": {"name": "ResNet50", "class_num": 3}}, {"Student": {"name": "MobileNetV1", "class_num": 3}}]
    made.set("Arch", {"name": "DistillationModel", "models": models, "infer_model_name": "Student"})
    made.save()
    assert made.finding("MDL112", deploy_config=YAML).location.key == "Arch.models.1.Student.name"


def test_mdl112_negative_a_server_network_on_a_gpu(tmp_path: Path) -> None:
    for name in ("ResNet50", "PPHGNet_small", "SwinTransformer_tiny_patch4_window7_224", "EfficientNetB0", "FasterNet_T0", "NoSuchNet"):
        assert passes(project(tmp_path, name, use_gpu=True), "MDL112", deploy_config=YAML), name


def test_mdl112_near_miss_a_mobile_network_on_a_cpu(tmp_path: Path) -> None:
    assert passes(project(tmp_path, "MobileNetV3_large_x1_25", use_gpu=False), "MDL112", deploy_config=YAML)
    made = project(tmp_path, "MobileNetV3_large_x1_25")
    made.write("deploy/lite/config.txt", LITE)
    assert passes(made, "MDL112", deploy_config="deploy/lite/config.txt")


def test_mdl112_skipped_where_nothing_tells_the_device(tmp_path: Path) -> None:
    made = project(tmp_path, "MobileNetV1")
    made.set("Global.device", "gpu")
    made.save()
    assert reason(made, "MDL112") == "no-device-told"
    made.set("Arch", {"name": "RecModel"})
    made.save()
    assert reason(made, "MDL112", deploy_config=YAML) == "no-network"


# MDL113 server-network-on-mobile


def test_mdl113_positive_a_phone(tmp_path: Path) -> None:
    made = project(tmp_path, "ResNet50")
    made.write("deploy/lite/config.txt", LITE)
    shows = ("ResNet50", "76.5", "4.11", "25.61", "GhostNet_x1_3", "75.79", "0.2369", "7.38", "19.16")
    finding = made.finding("MDL113", deploy_config="deploy/lite/config.txt", shows=shows)
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "2.4", "Arch.name")


def test_mdl113_positive_a_cpu(tmp_path: Path) -> None:
    made = project(tmp_path, "ResNet50", use_gpu=False)
    finding = made.finding("MDL113", deploy_config=YAML, shows=("PPLCNet_x2_5", "5.39", "Xeon"))
    assert finding.evidence["told_by"] == "Global.use_gpu"


def test_mdl113_positive_a_transformer(tmp_path: Path) -> None:
    made = project(tmp_path, "SwinTransformer_tiny_patch4_window7_224", use_gpu=False)
    assert made.finding("MDL113", deploy_config=YAML).evidence["other"] == "PPLCNet_x2_5"


def test_mdl113_negative_a_mobile_network_on_a_cpu(tmp_path: Path) -> None:
    for name in ("MobileNetV3_small_x0_35", "PPLCNet_x2_5", "MobileViT_S", "EfficientNetB0", "NoSuchNet"):
        assert passes(project(tmp_path, name, use_gpu=False), "MDL113", deploy_config=YAML), name


def test_mdl113_near_miss_a_gpu(tmp_path: Path) -> None:
    made = project(tmp_path, "ResNet50", use_gpu=True)
    assert passes(made, "MDL113", deploy_config=YAML)
    made.set("Global.device", "cpu")  # of the training
    made.save()
    assert passes(made, "MDL113", deploy_config=YAML)


def test_mdl113_skipped_where_nothing_tells_the_device(tmp_path: Path) -> None:
    made = project(tmp_path, "ResNet50")
    assert reason(made, "MDL113") == "no-device-told"
    made.write("deploy/no_switch.yaml", "Global: {infer_imgs: a.png, inference_model_dir: m}\nPreProcess: {transform_ops: []}\n")
    assert reason(made, "MDL113", deploy_config="deploy/no_switch.yaml") == "no-device-told"


# the figures


def test_figures_that_the_pages_mix_up_are_left_out() -> None:
    lcnet = figures("PPLCNet_x1_0")
    assert lcnet is not None and (lcnet.v100, lcnet.xeon, lcnet.arm) == (None, 2.46, 10.78)
    second = figures("PPLCNetV2_base")
    assert second is not None and (second.v100, second.xeon) == (None, None)
    assert figures("PPHGNetV2_B4") is None  # its accuracy is that of distilled weights
    distilled = figures("PPHGNetV2_B4", ssld=True)
    assert distilled is not None and distilled.v100 is None
    swish = figures("ShuffleNetV2_swish")
    assert swish is not None and swish.arm is None  # 31.21 ms with one thread and 5.74 with four


def test_equal_networks_are_as_accurate() -> None:
    for name in ("MobileNetV1", "MobileNetV3_small_x1_0", "GhostNet_x1_0", "PPLCNet_x2_5", "MobileNetV4_conv_medium"):
        assert made_for(name) == "mobile"
        mine, other = figures(name), server_equal(name, ssld=False, batch=1)
        theirs = figures(other) if other else None
        assert mine is not None and theirs is not None and theirs.top1 >= mine.top1
    for name, near in (("ResNet18", "MobileNetV3_small_x1_25"), ("ResNet50_vd", "GhostNet_x1_3")):
        assert made_for(name) == "server" and mobile_equal(name, ssld=False, device="arm") == near
    assert (
        made_for("EfficientNetB0") is None and made_for("NoSuchNet") is None and mobile_equal("NoSuchNet", ssld=False, device="arm") is None
    )
