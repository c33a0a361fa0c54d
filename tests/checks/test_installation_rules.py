"""ENV103, ENV104 and ENV109: what is installed, and downloads. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.facts.base import World
from checks.facts.network import Network, WeightsCache
from checks.facts.packages import Packages
from tests.projects import CONFIG, REMOVED, Project, measured, passes, reason

HERE = ("shm=1g", "cpus=4")
"""Like the usual machine of the tests, but its GPUs are not assumed."""


def installed(*builds: str, cuda: str | None = None) -> Packages:
    return Packages("3.11.4", "/usr/bin/python3", dict.fromkeys(builds, "3.3.1"), "3.3.1" if builds else None, builds, cuda, None)


CPU = installed("paddlepaddle")
GPU = installed("paddlepaddle-gpu", cuda="12.6")


def on(folder: Path, device: str, **changes: Any) -> Project:
    return Project(folder, "modern", {"Global.device": device, **{key.replace("__", "."): value for key, value in changes.items()}})


# ENV103 device-not-supported


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
@pytest.mark.parametrize("device, severity", [("gpu", "error"), ("xpu", "error"), ("npu", "warning"), ("mps", "warning")])
def test_env103_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, severity: str, stage: str) -> None:
    measured(monkeypatch, CPU)
    project = on(tmp_path, device)
    finding = project.finding("ENV103", assume=HERE, stage=stage, shows=(device, "3.3.1", "/usr/bin/python3"))
    assert (finding.severity, finding.entry) == (severity, "env.paddle-version")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place(f"device: ^{device}"), "Global.device")
    assert project.assert_repaired_by(finding, assume=HERE, stage=stage) == ["cpu"]


def test_env103_positive_legacy_and_dali(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, CPU)
    project = Project(tmp_path, "legacy", {"use_gpu": True})
    assert project.assert_repaired_by(project.finding("ENV103", assume=HERE), assume=HERE) == [False]
    project = Project(tmp_path, "legacy", {"use_gpu": REMOVED})  # which means True
    assert project.assert_repaired_by(project.finding("ENV103", assume=HERE), assume=HERE) == [False]
    assert passes(Project(tmp_path, "legacy"), "ENV103", assume=HERE)
    project = on(tmp_path, "cpu", Global__use_dali=True)
    finding = project.finding("ENV103", assume=HERE, shows=("use_dali",))
    assert finding.severity == "error"
    assert project.assert_repaired_by(finding, assume=HERE) == [False]


def test_env103_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, CPU)
    assert passes(on(tmp_path, "cpu"), "ENV103", assume=HERE)
    measured(monkeypatch, GPU)
    assert passes(on(tmp_path, "gpu", Global__use_dali=True), "ENV103", assume=HERE)


def test_env103_near_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, installed("paddlepaddle-rocm"))  # its device is called gpu as well, without CUDA
    assert passes(on(tmp_path, "gpu"), "ENV103", assume=HERE)
    measured(monkeypatch, installed("paddlepaddle", "paddlepaddle-gpu", cuda="12.6"))
    assert passes(on(tmp_path, "gpu"), "ENV103", assume=HERE)


def test_env103_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, CPU)
    assert reason(on(tmp_path, "gpu"), "ENV103", assume=("gpus=4",)) == "machine-assumed"
    measured(monkeypatch, installed())
    assert reason(on(tmp_path, "gpu"), "ENV103", assume=HERE) == "no-paddle"
    measured(monkeypatch, CPU)
    assert reason(Project(tmp_path, "legacy", {"use_gpu": True}), "ENV103", assume=HERE, stage="export") == "no-device"
    project = on(tmp_path, "gpu")
    project.save("base_config_file: a.yaml\nsearch_dict: []\n")
    assert reason(project, "ENV103", assume=HERE) == "no-device"


# ENV104 several-paddle-builds


def test_env104_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, installed("paddlepaddle", "paddlepaddle-gpu", cuda="12.6"))
    finding = Project(tmp_path, "modern").finding("ENV104", shows=("paddlepaddle, paddlepaddle-gpu", "3.3.1"))
    assert (finding.severity, finding.entry, finding.location.file) == ("warning", "env.paddle-version", CONFIG)
    assert finding.fixes[0].command == "python -m pip uninstall -y paddlepaddle paddlepaddle-gpu"


@pytest.mark.parametrize("packages", [CPU, GPU])
def test_env104_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packages: Packages) -> None:
    measured(monkeypatch, packages)
    assert passes(Project(tmp_path, "modern"), "ENV104")


def test_env104_near_miss_other_packages_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(
        monkeypatch, Packages("3.11.4", "python", {"paddlepaddle": "3.3.1", "paddleclas": "2.6.0"}, "3.3.1", ("paddlepaddle",), None, None)
    )
    assert passes(Project(tmp_path, "modern"), "ENV104")


def test_env104_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, installed())
    assert reason(Project(tmp_path, "modern"), "ENV104") == "no-paddle"


# ENV109 weights-need-network

ALONE = Network(default_route=False, proxy=None)


def cache(*names: str) -> WeightsCache:
    return WeightsCache("/home/me/.paddleclas/weights", names)


@pytest.mark.parametrize(
    "changes, key, file",
    [
        ({"Arch.pretrained": True}, "Arch.pretrained", "ResNet50"),
        ({"Arch.pretrained": "https://x.y/a/Own_pretrained.pdparams"}, "Arch.pretrained", "Own"),
        ({"Global.pretrained_model": "http://x.y/Own_pretrained.pdparams"}, "Global.pretrained_model", "Own"),
        ({"Arch": {"name": "UniFormer_small", "class_num": 3}}, "Arch.name", "UniFormer_small"),
        (
            {"Arch": {"name": "DistillationModel", "models": [{"Teacher": {"name": "ResNet50_vd", "class_num": 3, "pretrained": True}}]}},
            "Arch.models.0.Teacher.pretrained",
            "ResNet50_vd",
        ),
        (
            {"Arch": {"name": "RecModel", "Backbone": {"name": "ResNet50", "pretrained": True}, "Head": {"name": "FC", "class_num": 3}}},
            "Arch.Backbone.pretrained",
            "ResNet50",
        ),
    ],
)
def test_env109_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], key: str, file: str) -> None:
    measured(monkeypatch, ALONE, cache("ResNet18_pretrained.pdparams"))
    finding = Project(tmp_path, "modern", changes).finding("ENV109", assume=HERE, shows=(file, "/home/me/.paddleclas/weights"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "weights.download", key)
    assert finding.evidence["file"] == file


def test_env109_positive_the_size_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, "modern", {"Arch.pretrained": True})
    for network in (Network(True, None), Network(False, "https_proxy")):
        measured(monkeypatch, network, cache())
        assert project.finding("ENV109", assume=HERE, shows=("97.7 MiB",)).severity == "info"
    measured(monkeypatch, ALONE)
    assert project.finding("ENV109", assume=("gpus=4",)).severity == "info"  # another machine
    elsewhere = {"Arch.pretrained": True, "train_list": "./none.txt", "eval_list": "./none.txt"}
    assert Project(tmp_path, "modern", elsewhere).finding("ENV109", assume=HERE).severity == "info"


def test_env109_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ALONE, cache("ResNet50_pretrained.pdparams"))
    assert passes(Project(tmp_path, "modern", {"Arch.pretrained": True}), "ENV109", assume=HERE)


def test_env109_near_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ALONE, cache("ResNeXt101_32x16_wsl_pretrained.pdparams", "ResNet50_ssld_pretrained.pdparams"))
    assert passes(Project(tmp_path, "modern", {"Arch.pretrained": True, "Arch.name": "ResNeXt101_32x16d_wsl"}), "ENV109", assume=HERE)
    assert passes(Project(tmp_path, "modern", {"Arch.pretrained": True, "Arch.use_ssld": True}), "ENV109", assume=HERE)


def test_env109_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "ENV109") == "no-download"
    assert reason(Project(tmp_path, "modern", {"Arch.pretrained": "./weights/own"}), "ENV109") == "no-download"
    off = {"Arch": {"name": "UniFormer_small", "class_num": 3, "pretrained": False}}
    assert reason(Project(tmp_path, "modern", off), "ENV109") == "no-download"
    assert reason(Project(tmp_path, "legacy", {"pretrained_model": "x"}), "ENV109") == "no-download"


HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
LOCAL = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
LOOPBACK6 = "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " ffffffff 00000001 00000000 00200200 lo\n"
DEFAULT6 = "0" * 32 + " 00 " + "0" * 32 + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"


@pytest.mark.parametrize(
    "four, six, variables, reaches",
    [
        (HEADER + DEFAULT + LOCAL, "", {}, True),
        (HEADER + LOCAL, LOOPBACK6, {}, False),
        (HEADER, DEFAULT6, {}, True),
        (HEADER, None, {"HTTPS_PROXY": "http://p:1"}, True),
        (HEADER, None, {"https_proxy": ""}, False),
        (HEADER + "damaged\n" + DEFAULT.replace("0003", "zzzz"), "damaged", {}, False),
    ],
)
def test_routes(tmp_path: Path, four: str, six: str | None, variables: dict[str, str], reaches: bool) -> None:
    net = tmp_path / "proc" / "net"
    net.mkdir(parents=True)
    (net / "route").write_text(four)
    if six is not None:
        (net / "ipv6_route").write_text(six)
    project = Project(tmp_path / "project", "modern", {"Arch.pretrained": True})
    world = World(root=str(tmp_path), environ={"HOME": str(tmp_path), **variables}, cwd=str(project.folder))
    severities = {f.severity for f in project.check(assume=HERE, world=world, select=("ENV109",)).report.findings}
    assert severities == {"info" if reaches else "error"}


# ENV105 sources-too-old

OLD = {
    "ppcls/engine/train/utils.py": "x = 1\ny = loss.numpy()[0]\n",
    "ppcls/arch/backbone/model_zoo/vision_transformer.py": "from collections import Callable\n",
    "ppcls/data/preprocess/ops/autoaugment.py": "a = np.int(3)\n",
    "ppcls/data/preprocess/batch_ops/batch_operators.py": "b = np.zeros(3, dtype=np.bool)\n",
}


def checkout(folder: Path, *files: str, changes: dict[str, Any] | None = None) -> Project:
    project = Project(folder, "modern", changes)
    project.write("tools/train.py", "")
    project.write("ppcls/__init__.py", "")
    for file in files:
        project.write(file, OLD[file])
    return project


def versions(python: str = "3.11.4", paddle: str = "3.3.1", numpy: str = "1.26.4") -> Packages:
    return Packages(python, "/usr/bin/python3", {"paddlepaddle": paddle, "numpy": numpy}, paddle, ("paddlepaddle",), None, None)


def test_env105_positive_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, versions())
    project = checkout(tmp_path, "ppcls/engine/train/utils.py")
    finding = project.finding("ENV105", assume=HERE, shows=("ppcls/engine/train/utils.py", "3.3.1", "2"))
    assert (finding.severity, finding.entry) == ("error", "env.paddle-version")
    assert (finding.location.file, finding.location.line) == ("ppcls/engine/train/utils.py", 2)


def test_env105_positive_python_and_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, versions())
    files = list(OLD)[1:]
    ops = {
        "DataLoader.Train.dataset.batch_transform_ops": [{"MixupCutmixHybrid": {"mode": "elem", "num_classes": 3}}],
        "DataLoader.Train.dataset.transform_ops": [{"DecodeImage": None}, {"AutoAugment": None}],
    }
    run = checkout(tmp_path, *files, changes=ops).check(assume=HERE, select=("ENV105",))
    assert [(f.location.file, f.severity) for f in run.report.findings] == [(file, "error") for file in sorted(files)]


def test_env105_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, versions())
    assert passes(checkout(tmp_path), "ENV105", assume=HERE)


def test_env105_near_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = checkout(tmp_path, *OLD)  # the config uses neither of the two operators
    measured(monkeypatch, versions("3.8.10", "2.3.2", "1.26.4"))
    assert passes(project, "ENV105", assume=HERE)
    measured(monkeypatch, versions("3.8.10"))
    assert passes(project, "ENV105", assume=HERE, stage="export")  # no loop over batches


def test_env105_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, versions())
    assert reason(Project(tmp_path, "modern"), "ENV105", assume=HERE) == "no-checkout"
    project = checkout(tmp_path, *OLD)
    assert reason(project, "ENV105", assume=("gpus=2",)) == "machine-assumed"
    measured(monkeypatch, installed())
    assert reason(project, "ENV105", assume=HERE) == "no-paddle"
