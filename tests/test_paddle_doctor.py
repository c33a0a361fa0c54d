"""The public face: it finds our packages whatever the user's folder holds, leaves the user's alone, and starts lightly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import paddle_doctor
from doctor.version import VERSION
from tests.command import SCRIPT, Said, environment, start
from tests.projects import CONFIG, Project

PROGRAMS = [(SCRIPT,), (sys.executable, "-m", "paddle_doctor")]
INTRUDERS = ("checks.py", "doctor/__init__.py", "doctor/engine.py", "knowledge.py")


@pytest.fixture
def intruders(tmp_path: Path) -> Path:
    """A PaddleClas user's folder: a faulty config, and modules by the names of our packages that must not be run by us."""
    Project(tmp_path, "modern", {"class_num": 2})
    for name in INTRUDERS:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"raise RuntimeError('{name} of the user was imported')\n", encoding="utf-8")
    return tmp_path


def python(code: str, cwd: Path, *arguments: str, **env: str) -> str:
    """Run Python code in a process of its own; returns its output, which must be all it says."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, env=environment(**env), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


# the house: our packages are found, whatever stands earlier on the path


@pytest.mark.parametrize("pythonpath", [".", "", None])
@pytest.mark.parametrize("program", PROGRAMS, ids=["script", "module"])
def test_command_works_in_a_folder_with_modules_of_our_names(intruders: Path, program: tuple[str, ...], pythonpath: str | None) -> None:
    env = {} if pythonpath is None else {"PYTHONPATH": pythonpath}
    said = start("check", "--config", CONFIG, "--format", "json", cwd=intruders, env=env, program=program)
    assert said.err == ""
    assert said.status == 1
    assert [finding["code"] for finding in said.json["findings"]][0] == "LAB102"


@pytest.mark.parametrize("program", PROGRAMS, ids=["script", "module"])
@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_works_in_a_folder_with_modules_of_our_names(intruders: Path, program: tuple[str, ...], flag: str) -> None:
    assert start(flag, cwd=intruders, env={"PYTHONPATH": "."}, program=program) == Said(0, f"paddle-doctor {VERSION}\n", "")


def test_namespace_packages_of_the_user_are_not_ours(tmp_path: Path) -> None:
    Project(tmp_path, "modern")
    for name in ("checks", "doctor", "knowledge"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "engine.py").write_text("raise RuntimeError\n", encoding="utf-8")
    assert start("check", "-c", CONFIG, "--format", "json", cwd=tmp_path, env={"PYTHONPATH": "."}).status in (0, 1)


USER_MODULES = """\
import sys
import checks, doctor, doctor.engine, knowledge
theirs = dict(checks=checks, doctor=doctor, engine=doctor.engine, knowledge=knowledge)
def same():
    import checks, doctor, doctor.engine, knowledge
    assert dict(checks=checks, doctor=doctor, engine=doctor.engine, knowledge=knowledge) == theirs
    assert checks.MINE and sys.modules["doctor.engine"].MINE
    ours = [n for n in sys.modules if n.partition(".")[0] in ("checks", "doctor", "knowledge")]
    assert sorted(ours) == ["checks", "doctor", "doctor.engine", "knowledge"], ours
    assert not any("Finder" in repr(f) and "paddle_doctor" in repr(f) for f in sys.meta_path)
import paddle_doctor
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of a user who has modules by our names and uses us as a library."""
    Project(tmp_path, "modern", {"class_num": 2})
    for name in INTRUDERS:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("MINE = True\n", encoding="utf-8")
    return tmp_path


def test_library_gives_the_users_modules_back_twice_in_a_row(library: Path) -> None:
    code = USER_MODULES + (
        "for _ in range(2):\n"
        f"    report = paddle_doctor.check({CONFIG!r}, assume=['shm=1g', 'cpus=4', 'gpus=0'])\n"
        "    same()\n"
        "    print([f.code for f in report.findings], report.summary.error)\n"
        "assert paddle_doctor.__version__\n"
        "same()\n"
    )
    first, second = python(code, library, PYTHONPATH=".").splitlines()
    assert first == second and "LAB102" in first


def test_library_gives_the_users_modules_back_after_a_refusal(library: Path) -> None:
    code = USER_MODULES + (
        "try:\n"
        "    paddle_doctor.check('nowhere.yaml', lang='en')\n"
        "except paddle_doctor.RequestRefused as error:\n"
        "    print(error)\n"
        "same()\n"
    )
    assert python(code, library, PYTHONPATH=".").startswith("nowhere.yaml: no such file.")


def test_library_works_from_threads(library: Path) -> None:
    code = USER_MODULES + (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        f"    reports = list(pool.map(lambda n: paddle_doctor.check({CONFIG!r}, [f'Arch.class_num={{n}}']), range(1, 9)))\n"
        "same()\n"
        "print([sum(f.code == 'LAB102' for f in r.findings) for r in reports])\n"
    )
    assert json.loads(python(code, library, PYTHONPATH=".")) == [1, 1, 0, 0, 0, 0, 0, 0]


def test_library_report_can_be_read_and_encoded_afterwards(library: Path) -> None:
    code = USER_MODULES + (
        "import msgspec\n"
        f"report = paddle_doctor.check({CONFIG!r}, lang='zh', select=['LAB102'])\n"
        "print(msgspec.json.encode(report).decode())\n"
        "assert repr(report) and report == report\n"
        "same()\n"
    )
    report = json.loads(python(code, library, PYTHONPATH="."))
    assert [c["code"] for c in report["checks"]] == ["LAB102"]
    assert "class_num" in report["findings"][0]["message"]


def test_library_does_not_stand_in_the_way_of_the_users_first_import(library: Path) -> None:
    code = (
        "import sys, paddle_doctor\n"
        f"paddle_doctor.check({CONFIG!r}); paddle_doctor.__version__\n"
        "import checks, doctor.engine, knowledge\n"
        "assert checks.MINE and doctor.engine.MINE and knowledge.MINE\n"
        f"paddle_doctor.check({CONFIG!r})\n"
        "assert sys.modules['checks'] is checks\n"
    )
    python(code, library, PYTHONPATH=".")


def test_modules_below_our_folder_that_are_not_our_packages_are_the_users() -> None:
    class Module:
        __file__ = os.path.join(os.path.dirname(paddle_doctor.__file__), "examples", "checks.py")

    assert not paddle_doctor._is_ours("checks", Module)
    assert paddle_doctor._is_ours("doctor.version", sys.modules["doctor.version"])


# the API


def test_api_takes_what_the_command_takes(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"class_num": 2})
    report = paddle_doctor.check(
        tmp_path / CONFIG,
        ["Arch.class_num=1"],
        stage="eval",
        root=tmp_path,
        lang="zh",
        select=["LAB", "CFG"],
        ignore=["LAB101"],
        assume=["shm=64m", "cpus=8"],
    )
    assert report.config.overrides == ["Arch.class_num=1"]
    assert (report.config.stage, report.config.root, report.config.root_reason) == ("eval", str(project.folder), "given")
    assert report.config.assumed == {"shm": 64 << 20, "cpus": 8.0}
    codes = [check.code for check in report.checks]
    assert "LAB102" in codes and "LAB101" not in codes and not any(code.startswith("ENV") for code in codes)
    assert "class_num 1" in next(f.message for f in report.findings if f.code == "LAB102")


@pytest.mark.parametrize(
    "how, words",
    [
        ({"stage": "deploying"}, "deploying"),
        ({"select": ["LAB9"]}, "LAB9"),
        ({"ignore": ["nothing-of-the-kind"]}, "nothing-of-the-kind"),
        ({"assume": ["shm=lots"]}, "shm=lots"),
        ({"root": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"lang": "fr"}, "fr"),
    ],
)
def test_api_refuses_with_a_sentence(tmp_path: Path, how: dict[str, object], words: str) -> None:
    Project(tmp_path, "modern")
    with pytest.raises(paddle_doctor.RequestRefused) as refusal:
        paddle_doctor.check(tmp_path / CONFIG, **how)  # type: ignore[arg-type]
    assert words in str(refusal.value)
    assert isinstance(refusal.value, ValueError)


def test_version_is_an_attribute_and_others_are_missed() -> None:
    assert paddle_doctor.__version__ == VERSION
    with pytest.raises(AttributeError, match="nothing"):
        paddle_doctor.nothing  # noqa: B018  # looking it up is the test


# a light start: what is not needed is not imported

IMPORTED = """\
import sys
before = set(sys.modules)
import paddle_doctor
paddle_doctor.main(sys.argv[1:])
sys.stdout.flush()
print("\\nIMPORTED", *sorted({*sys.modules, *paddle_doctor._ours} - before))
"""


def imported(cwd: Path, *arguments: str) -> set[str]:
    """The modules that a command imports."""
    return set(python(IMPORTED, cwd, *arguments).rpartition("\nIMPORTED ")[2].split())


def test_version_imports_next_to_nothing(tmp_path: Path) -> None:
    names = imported(tmp_path, "--version")
    assert {"paddle_doctor", "doctor.version"} <= names
    assert names.isdisjoint({"argparse", "yaml", "msgspec", "rich", "checks", "doctor.cli", "knowledge"})


@pytest.mark.parametrize("format", ["rich", "json"])
def test_check_imports_only_what_it_needs(tmp_path: Path, format: str) -> None:
    Project(tmp_path, "modern", {"class_num": 2})
    names = imported(tmp_path, "check", "-c", CONFIG, "--format", format, "--fail-on", "never")
    assert {"yaml", "msgspec"} <= names
    heavy = {
        "paddle",
        "numpy",
        "textual",
        "docker",
        "psutil",
        "importlib.metadata",
        "asyncio",
        "rich.console",
        "knowledge.library",
        "shtab",
    }
    assert names.isdisjoint(heavy), names & heavy
    assert format == "rich" or "rich" not in names
