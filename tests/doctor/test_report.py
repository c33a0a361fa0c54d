from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from checks.facts.base import World
from checks.model import ANY, Finding, Location
from checks.registry import check
from doctor import run as run_module
from doctor.cli.schema import FOLDER
from doctor.exit import Exit
from doctor.reporters.json_report import render, schema
from doctor.run import Run, run_check
from doctor.settings import Settings
from tests.projects import CONFIG, MACHINE, Project, found

SCHEMA = json.loads((Path(FOLDER) / "report.schema.json").read_text(encoding="utf-8"))


@check("TST201", name="always-crashes", stages=ANY)
def always_crashes() -> Iterator[Finding]:
    raise RuntimeError("ours")
    yield Finding(at=Location("x"))


def run(project: Project, settings: Settings | None = None) -> Run:
    return run_check(CONFIG, lang="en", assume=MACHINE, settings=settings or Settings(), world=World(cwd=str(project.folder)))


def faulty(tmp_path: Path) -> Project:
    return Project(tmp_path, "modern", {"class_num": 2, "topk": [1, 9]})


def test_the_published_schema_is_that_of_the_records() -> None:
    assert schema() == SCHEMA, "run scripts/make_schema.py"


def test_json_is_valid_sorted_and_the_same_twice(tmp_path: Path) -> None:
    project = faulty(tmp_path)
    first, second = render(run(project).report), render(run(project).report)
    assert first == second
    data = json.loads(first)
    jsonschema.validate(data, SCHEMA)
    ranks = [("error", "warning", "info").index(f["severity"]) for f in data["findings"]]
    assert ranks == sorted(ranks)
    assert [c["code"] for c in data["checks"]] == sorted(c["code"] for c in data["checks"])
    assert {"schema_version", "tool", "config", "summary", "findings", "checks"} == set(data)
    finding = next(f for f in data["findings"] if f["code"] == "LAB102")
    assert finding["entry"] == "2.1"
    assert set(finding["location"]) == {"file", "line", "column", "key"}
    assert finding["location"]["key"] == "Arch.class_num"
    assert finding["evidence"]["max_label"] == 2
    assert all({"title", "safety", "kind"} <= set(fix) for fix in finding["fixes"])


def test_summary_counts_what_is_reported(tmp_path: Path) -> None:
    report = run(faulty(tmp_path)).report
    for severity in ("error", "warning", "info"):
        assert getattr(report.summary, severity) == sum(f.severity == severity for f in report.findings)
    statuses = [c.status for c in report.checks]
    assert (report.summary.passed, report.summary.failed) == (statuses.count("passed"), statuses.count("failed"))
    assert report.summary.crashed == 0


@pytest.mark.parametrize(("fail_on", "status"), [("error", Exit.FINDINGS), ("never", Exit.OK)])
def test_exit_status_follows_fail_on(tmp_path: Path, fail_on: str, status: Exit) -> None:
    assert run(faulty(tmp_path), Settings(fail_on=fail_on)).exit is status  # type: ignore[arg-type]


def test_warnings_fail_only_if_asked(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"topk": [1, 9]})
    assert [f.severity for f in run(project).report.findings] == ["warning"]
    assert run(project).exit is Exit.OK
    assert run(project, Settings(fail_on="warning")).exit is Exit.FINDINGS


def test_our_own_crash_is_three_unless_something_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = run_module.complete_registry

    def with_bug() -> run_module.Registry:
        return run_module.Registry([*complete().checks.values(), always_crashes])

    monkeypatch.setattr(run_module, "complete_registry", with_bug)
    healthy = run(Project(tmp_path / "a", "modern"))
    assert healthy.exit is Exit.CRASHED
    assert healthy.report.summary.crashed == 1
    assert "RuntimeError" in healthy.crashes[0]
    assert run(Project(tmp_path / "b", "modern", {"class_num": 2})).exit is Exit.FINDINGS


@pytest.mark.parametrize(("level", "seen"), [("off", None), ("info", "info"), ("warning", "warning")])
def test_severities_of_the_user_win(tmp_path: Path, level: str, seen: str | None) -> None:
    done = run(faulty(tmp_path), Settings(severities={"LAB102": level}))  # type: ignore[dict-item]
    assert [f.severity for f in found(done, "LAB102")] == ([] if seen is None else [seen])


@pytest.mark.parametrize(("given", "stage"), [({}, "train"), ({"inference_model": "models"}, "deploy"), ({"weights": "w"}, "train")])
def test_an_exported_model_that_is_named_is_what_the_check_is_for(tmp_path: Path, given: dict[str, str], stage: str) -> None:
    project = faulty(tmp_path)
    done = run_check(CONFIG, lang="en", assume=MACHINE, settings=Settings(), world=World(cwd=str(project.folder)), stage=None, **given)
    assert done.report.config.stage == stage


@pytest.mark.parametrize(("content", "said"), [(None, "--deploy-config"), ("Arch: {}\n", "no deploy config"), ("", "empty")])
def test_a_deploy_config_that_cannot_be_read_is_told_and_does_not_pass(tmp_path: Path, content: str | None, said: str) -> None:
    project = Project(tmp_path, "modern")
    if content is not None:
        (tmp_path / "deploy.yaml").write_text(content)
    done = project.check(stage="deploy", deploy_config="deploy.yaml")
    assert said in (done.problem or "") and "deploy.yaml" in (done.problem or "")
    assert done.exit == Exit.REFUSED and done.report.findings == []
    assert project.check(stage="deploy").problem is None
