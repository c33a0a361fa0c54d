"""With the user's own PaddleClas at hand its names and parameters win; it is read as text, and nothing of it is ever run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks.facts.base import World
from doctor.run import run_check
from doctor.settings import Settings
from tests.checks.test_components_rules import CODES, quiet
from tests.projects import CONFIG, Project, status

OWN = {
    "tools/train.py": "",
    "ppcls/__init__.py": "",
    "ppcls/arch/__init__.py": "from .backbone import *\n\nclass RecModel:\n    def __init__(self, **config):\n        pass\n",
    "ppcls/arch/backbone/__init__.py": "from .mine import MyNet, ResNet50\n",
    "ppcls/arch/backbone/mine.py": (
        "import paddle.nn as nn\n\nclass MyNet(nn.Layer):\n    def __init__(self, class_num, width=1.0):\n        pass\n\n\n"
        "def ResNet50(class_num=1000, my_switch=False):\n    return None\n"
    ),
    "ppcls/loss/__init__.py": "from .mine import *\nfrom .celoss import CELoss\n",
    "ppcls/loss/celoss.py": "class CELoss:\n    def __init__(self, epsilon=None):\n        pass\n",
    "ppcls/loss/mine.py": "@something\nclass MyLoss:\n    def __init__(self, a):\n        pass\n",
}


def own(tmp_path: Path, changes: dict[str, Any], files: dict[str, str] | None = None) -> Project:
    project = Project(tmp_path, "modern", changes)
    for name, text in {**OWN, **(files or {})}.items():
        project.write(name, text)
    return project


def test_own_class_is_known_with_its_parameters(tmp_path: Path) -> None:
    quiet(own(tmp_path, {"Arch": {"name": "MyNet", "class_num": 3, "width": 0.5}}))
    finding = own(tmp_path, {"Arch": {"name": "MyNet", "class_num": 3, "widht": 0.5}}).finding("CFG111", shows=("width",))
    assert finding.severity == "error"
    assert own(tmp_path, {"Arch": {"name": "MyNet"}}).finding("CFG112").evidence["parameters"] == ["class_num"]


def test_own_parameter_of_a_known_network(tmp_path: Path) -> None:
    quiet(own(tmp_path, {"Arch": {"name": "ResNet50", "class_num": 3, "my_switch": True}}))


def test_own_loss_with_a_decorator(tmp_path: Path) -> None:
    quiet(own(tmp_path, {"Loss.Train.0": {"MyLoss": {"weight": 1.0, "anything": 2}}}))


def test_a_name_that_only_another_branch_has(tmp_path: Path) -> None:
    finding = own(tmp_path, {"Arch.name": "PPHGNetV2_B4"}).finding("CFG110", shows=("develop",))
    assert finding.severity == "error"
    assert "develop" in finding.evidence["branches"]
    assert own(tmp_path, {"Arch.name": "MyNett"}).finding("CFG110").evidence["suggestion"] == "MyNet"


def test_own_source_that_is_no_python(tmp_path: Path) -> None:
    quiet(own(tmp_path, {}, {"ppcls/loss/__init__.py": "def broken(:\n", "ppcls/arch/backbone/__init__.py": "\0"}))


def test_own_checkout_above_the_config(tmp_path: Path) -> None:
    project = own(tmp_path, {"Arch": {"name": "MyNet", "class_num": 3}})
    project.write("configs/a.yaml", project.text)
    (tmp_path / CONFIG).unlink()
    run = run_check("a.yaml", settings=Settings(), world=World(cwd=str(tmp_path / "configs")), select=CODES, lang="en")
    assert run.report.findings == []
    assert status(run, "CFG110") == ("passed", None)
