"""EXP: the exported model, and what will load it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import World
from checks.facts.export_target import ExportTarget
from checks.facts.inference_model import DeployCode, InferenceFlags
from checks.facts.packages import Packages
from checks.model import Location
from tests.deployments import Deployment, deploy_project, pir
from tests.exports import Net, repvgg
from tests.projects import Project, found, measured, passes, reason

BY_PREFIX = DeployCode("utils/predictor.py", by_prefix=True, memory_optim=True)
BY_FILE = DeployCode("utils/predictor.py", by_prefix=False, memory_optim=True)


def paddle(version: str | None, cuda: str | None = None) -> Packages:
    builds = (f"paddlepaddle{'-gpu' if cuda else ''}",) if version else ()
    return Packages("3.11.4", "python", dict.fromkeys(builds, version or ""), version, builds, cuda, None)


# EXP101 inference-model-missing


def test_exp101_positive_no_folder_and_one_beside(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.inference_model_dir": "./model"})
    finding = made.finding("EXP101", shows=("./model", str(tmp_path / "model")))
    assert (finding.severity, finding.entry) == ("error", "infer.pir-format")
    assert (finding.location.line, finding.location.column) == made.place("inference_model_dir: ^./model")
    assert made.assert_repaired_by(finding, stage="deploy") == ["models"]


@pytest.mark.parametrize("gone", ["inference.json", "inference.pdiparams"])
def test_exp101_positive_half_a_model(tmp_path: Path, gone: str) -> None:
    made = deploy_project(tmp_path)
    (tmp_path / "models" / gone).unlink()
    assert gone in made.finding("EXP101").message


def test_exp101_positive_a_file(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, changes={"Global.inference_model_dir": "models/inference.json"})
    assert "folder" in made.finding("EXP101").message


def test_exp101_positive_text_config(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    made.write("config.txt", "use_gpu 0\ncls_model_path models/inference.pdmodel\n")
    finding = made.finding("EXP101", config="config.txt")
    assert (finding.location.file, finding.location.line, finding.location.column) == ("config.txt", 2, 16)


def test_exp101_positive_the_option(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("EXP101", stage="deploy", inference_model="nowhere")
    assert finding.location.file == "nowhere"


def test_exp101_positive_files_without_content(tmp_path: Path) -> None:
    for number, name in enumerate(("inference.json", "inference.pdiparams")):
        project = deploy_project(tmp_path / str(number))
        (tmp_path / str(number) / "models" / name).write_bytes(b"")
        assert project.finding("EXP101", shows=(name,)).severity == "error"


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp101_negative(tmp_path: Path, model: str) -> None:
    assert passes(deploy_project(tmp_path, model), "EXP101")


def test_exp101_near_miss_the_option_names_a_folder_a_file_or_a_prefix(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    Net().write(tmp_path / "models", "pdmodel")
    for named in ("models", "models/inference.pdmodel", "models/inference"):
        assert passes(project, "EXP101", stage="deploy", inference_model=named), named


def test_exp101_near_miss_onnx_and_quantised(tmp_path: Path) -> None:
    made = deploy_project(tmp_path, None, {"Global.use_onnx": True})
    made.write("models/inference.onnx", "x")
    assert passes(made, "EXP101")
    made = deploy_project(tmp_path / "int8", None)
    made.write("models/inference_int8.pdmodel", "x")
    made.write("models/inference_int8.pdiparams", "x")
    assert passes(made, "EXP101")


def test_exp101_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "EXP101", stage="deploy") == "no-inference-model"


# EXP102 inference-model-format


def verdict(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    model: str,
    code: DeployCode | None,
    *,
    flag_off: bool = False,
    written: int = 4,
) -> tuple[str, str] | None:
    made = deploy_project(tmp_path, model, version=written)
    measured(monkeypatch, paddle(version), InferenceFlags(flag_off), *((code,) if code else ()))
    findings = made.findings("EXP102")
    assert len(findings) <= 1
    return (findings[0].severity, findings[0].message) if findings else None


@pytest.mark.parametrize("version", ["3.0.0", "3.3.1"])
@pytest.mark.parametrize(
    ("model", "code", "flag_off", "wanted"),
    [
        ("json", BY_PREFIX, False, "Not find predictor_id"),
        ("json", BY_FILE, False, "inference.pdmodel"),
        ("json", BY_PREFIX, True, "FLAGS_enable_pir_api"),
        ("json", None, False, "Not find predictor_id"),
        ("pdmodel", BY_PREFIX, False, "inference.json"),
        ("pdmodel", BY_PREFIX, True, None),
        ("pdmodel", BY_FILE, False, None),
        ("pdmodel", BY_FILE, True, None),
    ],
)
def test_exp102_positive_as_measured_on_paddle_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, model: str, code: DeployCode | None, flag_off: bool, wanted: str | None
) -> None:
    got = verdict(tmp_path, monkeypatch, version, model, code, flag_off=flag_off, written=1)
    assert (got is None) if wanted is None else (got is not None and got[0] == "error" and wanted in got[1]), got


@pytest.mark.parametrize(
    ("model", "code", "wanted"),
    [
        ("json", BY_PREFIX, "error"),
        ("json", BY_FILE, "error"),
        ("json", None, "error"),
        ("pdmodel", BY_PREFIX, "error"),
        ("pdmodel", BY_FILE, None),
    ],
)
def test_exp102_positive_as_measured_on_262(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, code: DeployCode | None, wanted: str | None
) -> None:
    got = verdict(tmp_path, monkeypatch, "2.6.2", model, code)
    assert (got[0] if got else None) == wanted


def test_exp102_positive_what_was_not_measured_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (version, model, code) in enumerate(
        (("2.6.2", "pdmodel", None), ("3.3.1", "pdmodel", None), ("2.6.1", "pdmodel", BY_PREFIX), ("3.9.0", "json", BY_PREFIX))
    ):
        got = verdict(tmp_path / str(number), monkeypatch, version, model, code)
        assert got is not None and got[0] == "warning", (version, got)


def test_exp102_positive_a_newer_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = DeployCode("p.py", by_prefix=True, memory_optim=False)
    got = verdict(tmp_path, monkeypatch, "3.0.0", "json", code, written=4)
    assert got is not None and got[0] == "error" and "format 4" in got[1]
    assert verdict(tmp_path, monkeypatch, "3.0.0", "json", code, written=1) is None
    assert verdict(tmp_path, monkeypatch, "3.3.1", "json", code, written=1) is None


def test_exp102_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(tmp_path, monkeypatch, "3.3.1", "pdmodel", BY_FILE) is None


def test_exp102_near_miss_older_paddle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(tmp_path, monkeypatch, "2.5.2", "pdmodel", BY_PREFIX) is None
    got = verdict(tmp_path / "j", monkeypatch, "2.5.2", "json", BY_PREFIX)
    assert got is not None and got[0] == "error"


def test_exp102_positive_the_cpp_demo_wants_one_name(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    made.write("deploy/cpp/tools/inference_cls.yaml", made.text)
    finding = made.finding("EXP102", config="deploy/cpp/tools/inference_cls.yaml", shows=("C++", "inference.json"))
    assert finding.severity == "error"
    made.write("models/inference.pdmodel", "x")
    assert passes(made, "EXP102", config="deploy/cpp/tools/inference_cls.yaml")


def test_exp102_positive_the_predictor_at_hand_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, paddle("3.3.1"))
    made = deploy_project(tmp_path, "pdmodel")
    made.write("utils/predictor.py", "config = Config(model_file, params_file)\nconfig.enable_memory_optim()\ncreate_predictor(config)\n")
    assert passes(made, "EXP102")
    text = "config = Config(inference_model_dir, model_prefix)\n# config.enable_memory_optim()\ncreate_predictor(config)\n"
    made.write("utils/predictor.py", text)
    assert "inference.json" in made.finding("EXP102").message
    world = World(environ={"FLAGS_enable_pir_api": "0"}, cwd=str(tmp_path))
    assert not found(made.check(world=world), "EXP102")


def test_exp102_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, paddle(None))
    assert reason(deploy_project(tmp_path), "EXP102") == "no-paddle"
    assert reason(deploy_project(tmp_path, changes={"Global.use_onnx": True}), "EXP102") == "onnx-model"
    (tmp_path / "models" / "inference.json").unlink()
    assert reason(deploy_project(tmp_path, None), "EXP102") == "no-inference-model"


# EXP103 quantised-model-first


def quantised(folder: Path, changes: dict[str, Any] | None = None, plain: bool = False) -> Any:
    made = deploy_project(folder, "pdmodel" if plain else None, changes)
    made.write("models/inference_int8.pdmodel", "x")
    made.write("models/inference_int8.pdiparams", "x")
    return made


def test_exp103_positive(tmp_path: Path) -> None:
    made = quantised(tmp_path / "a", {"Global.use_fp16": True, "Global.use_tensorrt": True})
    finding = made.finding("EXP103", shows=("fp16",))
    assert (finding.severity, finding.location.key) == ("warning", "Global.use_fp16")
    assert quantised(tmp_path / "b", plain=True).finding("EXP103").severity == "info"
    made = deploy_project(tmp_path / "c", changes={"Global.use_int8": True})
    finding = made.finding("EXP103", shows=("use_int8",))
    assert finding.severity == "error"
    assert made.assert_repaired_by(finding, stage="deploy") == [False]


def test_exp103_negative(tmp_path: Path) -> None:
    assert passes(deploy_project(tmp_path / "a"), "EXP103")


def test_exp103_near_miss_switches_that_fit(tmp_path: Path) -> None:
    assert passes(quantised(tmp_path / "b", {"Global.use_int8": True}), "EXP103")
    assert passes(deploy_project(tmp_path / "c", changes={"Global.use_fp16": True, "Global.use_tensorrt": True}), "EXP103")


def test_exp103_skipped_for_cpp(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    made.write("config.txt", "use_gpu 0\ncls_model_path models/inference.pdmodel\n")
    assert reason(made, "EXP103", config="config.txt") == "not-the-python-predictor"


# EXP104 export-target


def test_exp104_positive_a_file_in_the_way(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"Global.save_inference_dir": "config.yaml/model"})
    finding = made.finding("EXP104", stage="export", shows=("config.yaml",))
    assert (finding.severity, finding.location.key) == ("error", "Global.save_inference_dir")


def test_exp104_positive_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Location("config.yaml", 9, 23, "Global.save_inference_dir")
    measured(monkeypatch, ExportTarget("/ro/x", "/ro/x", at, None, "/ro", ()))
    assert Project(tmp_path, "modern").finding("EXP104", stage="export", shows=("/ro",)).severity == "error"


def test_exp104_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "EXP104", stage="export")


@pytest.mark.parametrize("folder", ["new/deep/folder", "."])
def test_exp104_near_miss_folders_yet_to_be_made(tmp_path: Path, folder: str) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.save_inference_dir": folder}), "EXP104", stage="export")


def test_exp104_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "EXP104", stage="export") == "no-export-target"


# EXP105 export-input-shape


@pytest.mark.parametrize(
    ("shape", "better"),
    [
        (None, [3, 224, 224]),
        ([64, 64], [3, 64, 64]),
        ([1, 3, 64, 64], [3, 224, 224]),
    ],
)
def test_exp105_positive(tmp_path: Path, shape: Any, better: list[int]) -> None:
    made = Project(tmp_path, "modern", {"Global.image_shape": shape})
    finding = made.finding("EXP105", stage="export")
    assert finding.severity == "error"
    assert made.assert_repaired_by(finding, stage="export") == [better]


def test_exp105_positive_channels_last(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Global.image_shape": [64, 64, 3]}).finding("EXP105", stage="export")
    assert (finding.severity, finding.fixes[0].value) == ("warning", [3, 64, 64])


def test_exp105_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "EXP105", stage="export")


@pytest.mark.parametrize("shape", [[3, -1, -1], [3, None, None], [4, 224, 224], [1, 32, 100], "3x224x224", [3, 224.0, 224]])
def test_exp105_near_miss_open_sides_other_channels_and_what_is_no_number(tmp_path: Path, shape: Any) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.image_shape": shape}), "EXP105", stage="export")


def test_exp105_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "EXP105", stage="export") == "shape-by-option"


def test_the_shapes_of_a_broken_program_are_unknown(tmp_path: Path) -> None:
    made = deploy_project(tmp_path)
    made.write("models/inference.json", pir([-1, 5], [-1, 3, 64, 64])[:-9])
    assert reason(made, "DEP210") == "model-input-unknown"


# EXP106 branches-not-fused


def exported(folder: Path, net: Net, model: str = "json", changes: dict[str, Any] | None = None) -> Deployment:
    made = deploy_project(folder, None, changes)
    net.write(folder / "models", model)
    return made


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp106_positive_repvgg_as_it_was_trained(tmp_path: Path, model: str) -> None:
    made = exported(tmp_path, repvgg(3), model)
    finding = made.finding("EXP106", shows=("3", "7"))
    assert (finding.severity, finding.entry) == ("warning", "3.3")
    assert (finding.location.line, finding.location.column) == made.place("inference_model_dir: ^models")


@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp106_negative_fused(tmp_path: Path, model: str) -> None:
    net = Net()
    value = net.fed[0]
    for _ in range(3):
        value = net.op("relu", net.conv(value))
    assert passes(exported(tmp_path, net.fetch(net.head(value, (-1, 5))), model), "EXP106")


def shortcut(net: Net, value: int) -> int:
    """The value and a convolution of it: a residual block of one layer, or a position embedding."""
    return net.op("add", value, net.norm(net.conv(value)))


def downsampled(net: Net, value: int) -> int:
    """ResNet's first block of a stage: an activation stands within one of its branches."""
    main = net.norm(net.conv(net.op("relu", net.norm(net.conv(value)))))
    return net.op("relu", net.op("add", main, net.norm(net.conv(value))))


def embedded(net: Net, value: int) -> int:
    """DSNet: a convolution, and a depthwise convolution of it added to it."""
    first = net.conv(value)
    return net.op("relu", net.op("add", first, net.conv(first, "depthwise_conv2d")))


def inverted(net: Net, value: int) -> int:
    """Two residual blocks without an activation behind the sum, which is used again."""
    return net.op("add", value, net.conv(net.op("relu", net.conv(value))))


def concatenated(net: Net, value: int) -> int:
    """Inception: the branches are not summed."""
    return net.op("relu", net.op("concat", net.norm(net.conv(value)), net.norm(net.conv(value))))


@pytest.mark.parametrize("block", [shortcut, downsampled, embedded, inverted, concatenated])
@pytest.mark.parametrize("model", ["json", "pdmodel"])
def test_exp106_near_miss_other_sums(tmp_path: Path, block: Callable[[Net, int], int], model: str) -> None:
    net = Net()
    value = net.fed[0]
    for _ in range(4):
        value = block(net, value)
    assert passes(exported(tmp_path, net.fetch(net.head(value, (-1, 5))), model), "EXP106")


def test_exp106_skipped_without_convolutions_that_can_be_counted(tmp_path: Path) -> None:
    assert reason(deploy_project(tmp_path), "EXP106") == "no-convolutions"


RUNS = [
    [cell.strip() for cell in line.strip("|\n ").split(" | ")]
    for line in (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8").splitlines()
    if line.startswith(("| 2.", "| 3."))
]
"""What `scripts/make_exports_doc.py` saw: PaddlePaddle, model, and what became of it with the predictors of 2.5.2, of develop and of the wheel."""


@pytest.mark.parametrize("row", RUNS, ids=lambda row: f"{row[0]} {row[1]}")
def test_exp102_says_of_each_run_what_became_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: list[str]) -> None:
    version, model, *outcomes = row
    suffix = "json" if ".json" in model else "pdmodel"
    written = int(model.rpartition("version ")[2].rstrip(")"))
    for number, (code, outcome) in enumerate(zip((BY_FILE, BY_PREFIX, BY_PREFIX), outcomes, strict=True)):
        place = tmp_path / str(number)
        got = verdict(place, monkeypatch, version.split()[0], suffix, code, flag_off="PIR" in version.upper(), written=written)
        assert (got is None) == (outcome == "works"), (row, got)
        if got is not None:
            parts = ("Not find predictor_id", "bad_alloc", "inference.json", "inference.pdmodel")
            said = next((part for part in parts if part in outcome), "format 4")
            if version == "2.6.2" and suffix == "json":
                said = "inference.pdmodel"  # of the two causes the format is the one that no predictor mends
            assert got[0] == "error"
            assert said in got[1], (row, got)


def test_exp102_was_run_with_all_three_versions() -> None:
    assert {row[0].split()[0] for row in RUNS} == {"2.6.2", "3.0.0", "3.3.1"}
    assert len(RUNS) == 25
