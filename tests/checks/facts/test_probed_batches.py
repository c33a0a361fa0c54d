"""`ProbedBatches` with a stand-in for PaddleClas and PaddlePaddle: what is measured, and what hostile code can do (nothing)."""

from __future__ import annotations

import ast
import http.server
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from checks.facts import probe_run, probed_batches
from checks.facts.base import Cancelled, Request, Unreadable, World
from checks.facts.probe_run import PROGRAM
from checks.facts.probed_batches import ProbedBatches, ProbeTrouble, collect_probed_batches
from checks.facts.training_config import collect_training_config
from tests.projects import CONFIG, REMOVED, Project
from tests.standin import loader, write_paddle, write_ppcls


@pytest.fixture
def paddle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_paddle(tmp_path_factory.mktemp("site"))


def probe(
    project: Project, paddle: Path | None, *, python: str | None = None, world: World | None = None, stage: str = "train", **env: str
) -> ProbedBatches:
    environ = {**os.environ, "PYTHONPATH": str(paddle or ""), "PROBE_LOG": str(project.folder.parent / "log"), **env}
    world = world or World(environ=environ, cwd=str(project.folder))
    request = Request(CONFIG, probe=True, python=python, stage=stage)  # type: ignore[arg-type]  # one of the stages
    found = collect_probed_batches(collect_training_config(request, world), request, world)
    assert msgspec.json.decode(msgspec.json.encode(found), type=ProbedBatches) == found
    return found


def made(folder: Path, train: dict[str, Any], **changes: Any) -> Project:
    """A project whose training loader is `train`, without an evaluation."""
    folder = folder / "project"
    project = Project(folder, "modern", {"DataLoader.Train": train, "DataLoader.Eval": REMOVED, **changes})
    write_ppcls(folder)
    return project


def shape_of(found: ProbedBatches, split: str = "Train") -> list[tuple[str, tuple[int, ...], int]]:
    batch = found.of(split)
    assert batch is not None, found.troubles
    return [(array.dtype, array.shape, array.bytes) for array in batch.arrays]


def trouble(found: ProbedBatches, split: str = "Train") -> ProbeTrouble:
    assert found.of(split) is None
    return found.troubles[split]


# what is measured


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_every_loader_of_the_stage(tmp_path: Path, paddle: Path, generation: Any) -> None:
    project = Project(tmp_path, generation)
    write_ppcls(tmp_path)
    found = probe(project, paddle)
    assert not found.troubles
    assert (found.python, found.paddle, found.ppcls) == (sys.executable, "3.0.0-standin", str(tmp_path))
    for split, batches, samples in (("Train", 6, 12), ("Eval", 3, 6)):
        assert shape_of(found, split) == [("float32", (2, 3, 224, 224), 2 * 3 * 224 * 224 * 4), ("int64", (2,), 16)]
        batch = found.of(split)
        assert batch is not None
        assert (batch.batch_size, batch.batches, batch.samples, batch.seen, batch.num_workers) == (2, batches, samples, 8, 1)
        assert batch.shared_memory
        assert batch.bytes == 2 * 3 * 224 * 224 * 4 + 16
    assert [batch.split for batch in probe(project, paddle, stage="eval").batches] == ["Eval"]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (loader("Plain", 64, shape=[3, 20, 30]), [("float32", (20, 3, 20, 30), 20 * 1800 * 4), ("int64", (20,), 160)]),
        (loader("Plain", 64, samples=999), [("float32", (64, 3, 32, 32), 64 * 3072 * 4), ("int64", (64,), 512)]),
        (loader("Plain", 4, dtype="uint8"), [("uint8", (4, 3, 32, 32), 4 * 3072), ("int64", (4,), 32)]),
        (loader("Plain", 4, dtype="float16", labels=7), [("float16", (4, 3, 32, 32), 4 * 3072 * 2), ("float32", (4, 7), 112)]),
        (loader("Growing", 1), [("float32", (1, 3, 49, 48), 3 * 49 * 48 * 4), ("int64", (1,), 8)]),
        (loader("Scaled", 16, sampler="Scales"), [("float32", (2, 3, 64, 64), 2 * 3 * 4096 * 4), ("int64", (2,), 16)]),
    ],
)
def test_types_and_shapes_of_a_batch(tmp_path: Path, paddle: Path, section: dict[str, Any], expected: Any) -> None:
    assert shape_of(probe(made(tmp_path, section), paddle)) == expected


def test_batch_transforms_add_fields(tmp_path: Path, paddle: Path) -> None:
    found = shape_of(probe(made(tmp_path, loader("Plain", 6, mix="mixed")), paddle))
    assert [(dtype, shape) for dtype, shape, _ in found] == [
        ("float32", (6, 3, 32, 32)),
        ("int64", (6,)),
        ("int64", (6,)),
        ("float32", (6,)),
    ]


def test_of_batch_transforms_that_are_drawn_the_largest_outcome_counts(tmp_path: Path, paddle: Path) -> None:
    found = shape_of(probe(made(tmp_path, loader("Plain", 16, mix="sampled")), paddle))
    assert [(dtype, shape) for dtype, shape, _ in found] == [("float32", (16, 3, 32, 32)), ("float32", (16, 100))]


def test_a_collate_function_that_pads_is_content_with_unequal_samples(tmp_path: Path, paddle: Path) -> None:
    assert shape_of(probe(made(tmp_path, loader("Growing", 8, mix="padded")), paddle))[0][1][0] == 8


def test_a_sampler_without_end_or_length(tmp_path: Path, paddle: Path) -> None:
    batch = probe(made(tmp_path, loader("Plain", 6, sampler="Uncounted")), paddle).of("Train")
    assert batch is not None
    assert (batch.batch_size, batch.batches, batch.arrays[0].shape) == (6, None, (6, 3, 32, 32))


def test_no_batch_at_all(tmp_path: Path, paddle: Path) -> None:
    section = loader("Plain", 64)
    section["sampler"]["drop_last"] = True
    batch = probe(made(tmp_path, section), paddle).of("Train")
    assert batch is not None
    assert (batch.arrays, batch.batches, batch.batch_size) == ((), 0, 0)


def test_retrieval_has_a_gallery_and_a_query(tmp_path: Path, paddle: Path) -> None:
    both = {"Query": loader("Plain", 4), "Gallery": loader("Plain", 2)}
    project = made(tmp_path, loader("Plain"))
    project.set("DataLoader.Eval", both)
    project.save()
    found = probe(project, paddle)
    assert {batch.split: batch.batch_size for batch in found.batches} == {"Train": 8, "Eval.Query": 4, "Eval.Gallery": 2}


# where nothing is measured


def test_not_asked_not_here_or_nothing_to_measure(tmp_path: Path, paddle: Path) -> None:
    project = made(tmp_path, loader("Sleeping"))
    world = World(cwd=str(project.folder))
    config = collect_training_config(Request(CONFIG), world)
    with pytest.raises(Unreadable, match="probe-not-asked"):
        collect_probed_batches(config, Request(CONFIG), world)
    with pytest.raises(Unreadable, match="probe-elsewhere"):
        collect_probed_batches(msgspec.structs.replace(config, sysroot="/mirror"), Request(CONFIG, probe=True), world)
    with pytest.raises(Unreadable, match="no-shm-loader"):
        probe(made(tmp_path, loader("Sleeping"), **{"Global.use_dali": True}), paddle)


def test_no_paddle_and_no_ppcls(tmp_path: Path, paddle: Path) -> None:
    project = made(tmp_path, loader("Plain"))
    broken = tmp_path / "broken"
    (broken / "paddle").mkdir(parents=True)
    (broken / "paddle" / "__init__.py").write_text("raise ImportError('libcuda.so: no such file')")
    found = trouble(probe(project, broken))
    assert (found.kind, found.values["error"]) == ("no-paddle", "ImportError: libcuda.so: no such file")
    (project.folder / "ppcls" / "data" / "__init__.py").write_text("import nothing_of_this_name")
    assert trouble(probe(project, paddle)).kind == "ppcls-raised"
    (project.folder / "ppcls" / "data" / "__init__.py").unlink()
    (project.folder / "ppcls" / "data").rmdir()
    assert trouble(probe(project, paddle)).kind == "no-ppcls"


def test_what_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = made(tmp_path, loader("Plain"))
    monkeypatch.setattr(probe_run, "GREETING", 1.0)
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 1000\n")
    sleeper.chmod(0o755)
    for python in (
        "/nowhere/python",
        str(tmp_path),
        "/bin/true",
        "/bin/cat",
        str(sleeper),
        "no-such-program",
        str(project.folder / CONFIG),
    ):
        started = time.monotonic()
        found = trouble(probe(project, None, python=python))
        assert (found.kind, found.values["python"]) == ("no-python", python)
        assert time.monotonic() - started < 30


# hostile code


def lasting(log: Path) -> list[int]:
    """The children that are still there after a while: those that were killed need a moment to be gone."""
    pids = [int(line.split()[1]) for line in log.read_text().splitlines()] if log.exists() else []
    deadline = time.monotonic() + 20
    while (alive := [pid for pid in pids if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("name", ["Sleeping", "ForkingThenSleeping"])
def test_a_dataset_that_never_answers_ends_with_all_its_children(
    tmp_path: Path, paddle: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(probed_batches, "SECONDS", 8.0)  # with time to start on a busy machine
    project = made(tmp_path, loader(name))
    project.set("DataLoader.Eval", loader("Plain"))
    project.save()
    started = time.monotonic()
    found = probe(project, paddle)
    assert time.monotonic() - started < 30
    assert {split: t.kind for split, t in found.troubles.items()} == {"Train": "late", "Eval": "late"}
    assert bool((tmp_path / "log").exists()) == (name != "Sleeping")
    assert not lasting(tmp_path / "log")


def test_children_that_hold_the_pipes_do_not_keep_it(tmp_path: Path, paddle: Path) -> None:
    started = time.monotonic()
    found = probe(made(tmp_path, loader("Forking")), paddle)
    assert shape_of(found)
    assert time.monotonic() - started < 30
    assert len((tmp_path / "log").read_text().splitlines()) == 8
    assert not lasting(tmp_path / "log")


def test_output_without_end_is_no_matter(tmp_path: Path, paddle: Path) -> None:
    assert shape_of(probe(made(tmp_path, loader("Flooding")), paddle))


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("Raising", "raised", "ValueError: sample 0 is <U+0000><U+001B>[31m bad"),
        ("Resampling", "raised", "OSError: no such image as 7.png"),
        ("Exiting", "raised", "SystemExit: 0"),
        ("Quitting", "ended", "exit 0"),
        ("Dying", "ended", "SomeError: last words"),
        ("Dying", "ended", "SIGKILL"),
        ("Unheard", "raised", "KeyError: 'Unheard'"),
        ("Growing", "unequal", "3×32×48"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_loader_is_measured(tmp_path: Path, paddle: Path, name: str, kind: str, words: str) -> None:
    project = made(tmp_path, loader(name))
    project.set("DataLoader.Eval", loader("Plain"))
    project.save()
    found = probe(project, paddle)
    assert trouble(found).kind == kind
    assert words in map(str, trouble(found).values.values())
    assert (found.of("Eval") is None) == (kind == "ended")  # it ended before


@pytest.mark.parametrize("name", ["Garbling", "Huge"])
def test_an_answer_that_is_not_ours(tmp_path: Path, paddle: Path, name: str) -> None:
    found = trouble(probe(made(tmp_path, loader(name)), paddle))
    assert found.kind in ("no-python", "ended")


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    """A web server here; its port and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made.server_address[1], asked
        made.shutdown()


@pytest.mark.parametrize("name", ["Calling", "Connecting"])
def test_there_is_no_network(tmp_path: Path, paddle: Path, server: tuple[int, list[str]], name: str) -> None:
    port, asked = server
    found = trouble(probe(made(tmp_path, loader(name)), paddle, PROBE_PORT=str(port)))
    assert found.kind == "raised"
    assert "no network while samples are put through" in found.values["error"]
    assert asked == []


def test_what_surrounds_it(tmp_path: Path, paddle: Path) -> None:
    project = made(tmp_path, loader("Telling"))
    found = trouble(probe(project, paddle, CUDA_VISIBLE_DEVICES="0,1", PADDLE_TRAINERS_NUM="4"))
    cwd, environ, own_group = json.loads(found.values["error"].removeprefix("ValueError: "))
    assert cwd == str(project.folder)
    assert environ == {"CUDA_VISIBLE_DEVICES": "", "PADDLE_TRAINERS_NUM": None, "PYTHONDONTWRITEBYTECODE": "1"}
    assert own_group


def test_nothing_is_left_behind(tmp_path: Path, paddle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    project = made(tmp_path, loader("Plain"))
    before = sorted(str(path) for path in project.folder.rglob("*"))
    handles = len(os.listdir("/proc/self/fd"))
    assert shape_of(probe(project, paddle))
    assert sorted(str(path) for path in project.folder.rglob("*")) == before
    assert list(scratch.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == handles


def test_a_run_that_is_given_up_ends_it(tmp_path: Path, paddle: Path) -> None:
    project = made(tmp_path, loader("ForkingThenSleeping"))
    world = World(environ={**os.environ, "PYTHONPATH": str(paddle), "PROBE_LOG": str(tmp_path / "log")}, cwd=str(project.folder))

    def give_up() -> None:
        deadline = time.monotonic() + 30
        while not (tmp_path / "log").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        world.cancelled = True

    threading.Thread(target=give_up, daemon=True).start()
    with pytest.raises(Cancelled):
        probe(project, paddle, world=world)
    assert not lasting(tmp_path / "log")


def test_it_ends_with_whoever_started_it(tmp_path: Path, paddle: Path) -> None:
    """Ctrl-C ends our threads where they stand; the program sees its standard input close."""
    import subprocess

    project = made(tmp_path, loader("ForkingThenSleeping"))
    code = (
        "import sys, os; sys.path.insert(0, sys.argv[1])\n"
        "from doctor.run import run_check\n"
        "run_check('config.yaml', probe=True, select=('ENV112',))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(paddle), "PROBE_LOG": str(tmp_path / "log")}
    root = str(Path(__file__).parents[3])
    with subprocess.Popen([sys.executable, "-c", code, root], cwd=project.folder, env=env) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "log").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert (tmp_path / "log").exists()
    assert not lasting(tmp_path / "log")


def test_the_program_is_of_an_old_python_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(PROGRAM).read_text(encoding="utf-8"), feature_version=(3, 6))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name.partition(".")[0] for name in names} - {"paddle", "ppcls"}
    assert ours <= set(sys.stdlib_module_names)
    assert "__future__" not in names  # its annotations are of 3.7
