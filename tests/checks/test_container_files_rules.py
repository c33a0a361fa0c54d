"""ENV113: settings of /dev/shm in Compose files and manifests that fail, or have no effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import Generation, Project, passes, reason

COMPOSE = "compose.yml"
MACHINE = ("cpus=4", "gpus=0")


def service(folder: Path, *lines: str, generation: Generation = "modern", others: str = "", **changes: Any) -> Project:
    made = Project(folder, generation, changes)
    made.write(COMPOSE, "services:\n  train:\n    image: paddle\n" + "".join(f"    {line}\n" for line in lines) + others)
    return made


def pod(folder: Path, *volumes: str, mounts: str = "[{name: dshm, mountPath: /dev/shm}]", limits: str = "{}") -> Project:
    made = Project(folder, "modern")
    body = f"    - name: train\n      image: paddle\n      volumeMounts: {mounts}\n      resources: {{limits: {limits}}}\n"
    text = f"kind: Pod\nspec:\n  containers:\n{body}"
    made.write("pod.yml", f"{text}  volumes:\n" + "".join(f"    - {line}\n" for line in volumes))
    return made


COMPOSED: dict[str, Any] = {"compose": COMPOSE, "service": "train", "assume": MACHINE}
DEPLOYED: dict[str, Any] = {"kubernetes": "pod.yml", "assume": MACHINE}


def test_env113_positive_thousandths_of_a_byte(tmp_path: Path) -> None:
    made = pod(tmp_path, "{name: dshm, emptyDir: {medium: Memory, sizeLimit: 512m}}")
    finding = made.finding("ENV113", shows=("512m", "1 B"), **DEPLOYED)
    assert finding.severity == "error"
    assert (finding.location.file, finding.location.line, finding.location.column) == ("pod.yml", 9, 58)
    assert [fix.snippet for fix in finding.fixes] == ["sizeLimit: 512Mi\n"]
    # one cause, one finding
    assert reason(made, "ENV101", **DEPLOYED) == "shm-not-told-page"


@pytest.mark.parametrize("size", ["2", "8b", "4095"])
def test_env113_positive_less_than_a_page(tmp_path: Path, size: str) -> None:
    finding = service(tmp_path, f"shm_size: {size}").finding("ENV113", shows=(size,), **COMPOSED)
    assert (finding.severity, finding.location.line, finding.location.column) == ("error", 4, 15)


@pytest.mark.parametrize(
    "line",
    ["tmpfs: /dev/shm:size=1g,ro", "volumes: ['/dev/shm:/dev/shm:ro']", "volumes: [{type: tmpfs, target: /dev/shm, read_only: true}]"],
)
@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_env113_positive_read_only(tmp_path: Path, line: str, generation: Generation) -> None:
    finding = service(tmp_path, line, generation=generation).finding("ENV113", shows=("train",), **COMPOSED)
    assert (finding.severity, finding.location.file, finding.location.line) == ("error", COMPOSE, 4)
    assert len(finding.fixes) == 2


def test_env113_positive_read_only_in_a_pod(tmp_path: Path) -> None:
    mounts = "[{name: dshm, mountPath: /dev/shm, readOnly: true}]"
    assert (
        pod(tmp_path, "{name: dshm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}", mounts=mounts).finding("ENV113", **DEPLOYED).severity
        == "error"
    )


def test_env113_positive_no_shared_memory_at_all(tmp_path: Path) -> None:
    made = service(tmp_path, "ipc: none")
    finding = made.finding("ENV113", shows=("ipc: none",), **COMPOSED)
    assert (finding.severity, finding.location.line, finding.location.column) == ("error", 4, 10)
    assert [fix.snippet for fix in finding.fixes] == [None, "num_workers: 0\n"]
    # one cause, one finding
    assert reason(made, "ENV101", **COMPOSED) == "no-shared-memory-file"


def test_env113_positive_a_namespace_that_is_not_shared(tmp_path: Path) -> None:
    finding = service(tmp_path, "ipc: service:data", others="  data: {image: x, shm_size: 1g}\n").finding(
        "ENV113", shows=("data", "19.03"), **COMPOSED
    )
    assert (finding.severity, finding.fixes[0].snippet) == ("warning", "ipc: shareable\n")


def test_env113_positive_a_volume_that_is_not_mounted(tmp_path: Path) -> None:
    made = pod(tmp_path, "{name: dshm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}", mounts="[{name: dshm, mountPath: /shm}]")
    finding = made.finding("ENV113", **DEPLOYED)
    assert (finding.severity, finding.location.line) == ("warning", 9)
    assert finding.fixes[0].snippet == "volumeMounts:\n  - name: dshm\n    mountPath: /dev/shm\n"


@pytest.mark.parametrize(
    ("lines", "decides"),
    [
        (("shm_size: 8g", "ipc: host"), "ipc: host"),
        (("shm_size: 8g", "tmpfs: /dev/shm:size=1g"), "/dev/shm:size=1g"),
        (("shm_size: 8g", "volumes: ['/dev/shm:/dev/shm']"), "volumes"),
        (("shm_size: 8g", "ipc: service:data"), "ipc: service:data"),
    ],
)
def test_env113_positive_a_size_without_effect(tmp_path: Path, lines: tuple[str, ...], decides: str) -> None:
    made = service(tmp_path, *lines, others="  data: {image: x, ipc: shareable, shm_size: 1g}\n")
    finding = made.finding("ENV113", shows=(decides,), **COMPOSED)
    assert (finding.severity, finding.location.line, finding.location.column) == ("info", 4, 15)


@pytest.mark.parametrize("volume", ["{name: dshm, emptyDir: {}}", "{name: dshm, emptyDir: {sizeLimit: 8Gi}}"])
def test_env113_positive_a_folder_on_a_disk(tmp_path: Path, volume: str) -> None:
    finding = pod(tmp_path, volume).finding("ENV113", **DEPLOYED)
    assert (finding.severity, finding.fixes[0].snippet) == ("info", "medium: Memory\n")


def test_env113_positive_more_than_the_memory_limit(tmp_path: Path) -> None:
    finding = service(tmp_path, "shm_size: 8g", "mem_limit: 4g").finding("ENV113", shows=("4 GiB", "8 GiB"), **COMPOSED)
    assert (finding.severity, finding.location.line, finding.location.column) == ("info", 5, 16)
    made = pod(tmp_path / "pod", "{name: dshm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}", limits="{memory: 4Gi}")
    assert made.finding("ENV113", shows=("4 GiB", "8 GiB"), **DEPLOYED).location.line == 7


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("shm_size: 8gb",),
        ("ipc: host",),
        ("ipc: shareable", "shm_size: 8g"),
        ("tmpfs: /dev/shm:size=8g,mode=1777",),
        ("build: {context: ., shm_size: 1g}", "shm_size: 8g"),
        ("shm_size: 8g", "mem_limit: 16g"),
        ("mem_limit: 32m",),  # the default size is nobody's choice
    ],
)
def test_env113_negative_compose(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert passes(service(tmp_path, *lines), "ENV113", **COMPOSED)


@pytest.mark.parametrize(
    ("volume", "limits"),
    [
        ("{name: dshm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}", "{}"),
        ("{name: dshm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}", "{memory: 16Gi}"),
        ("{name: dshm, emptyDir: {medium: Memory}}", "{memory: 16Gi}"),
        ("{name: dshm, hostPath: {path: /dev/shm}}", "{}"),
    ],
)
def test_env113_negative_kubernetes(tmp_path: Path, volume: str, limits: str) -> None:
    assert passes(pod(tmp_path, volume, limits=limits), "ENV113", **DEPLOYED)


@pytest.mark.parametrize(
    "lines",
    [
        ("shm_size: 4096",),  # a page, and ENV101's business
        ("tmpfs: /tmp:ro",),
        ("volumes: ['./data:/data:ro']",),
        ("read_only: true",),  # the root, not /dev/shm
        ("ipc: service:data",),
    ],
)
def test_env113_near_miss_compose(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert passes(service(tmp_path, *lines, others="  data: {image: x, ipc: shareable, shm_size: 1g}\n"), "ENV113", **COMPOSED)


def test_env113_near_miss_kubernetes(tmp_path: Path) -> None:
    """A memory volume of another purpose, and one that another container of the pod mounts."""
    shared = "{name: dshm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}"
    assert passes(pod(tmp_path, shared, "{name: cache, emptyDir: {medium: Memory}}"), "ENV113", **DEPLOYED)


def test_env113_skipped_where_no_file_was_given(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "ENV113") == "no-container-settings"


def test_env113_skipped_where_no_loader_has_workers(tmp_path: Path) -> None:
    made = service(tmp_path, "tmpfs: /dev/shm:ro", train_workers=0, eval_workers=0)
    assert reason(made, "ENV113", **COMPOSED) == "no-shm-loader"


def test_env113_skipped_where_all_batches_go_through_pipes(tmp_path: Path) -> None:
    pipes = {f"DataLoader.{split}.loader.use_shared_memory": False for split in ("Train", "Eval")}
    made = service(tmp_path, "ipc: host", "shm_size: 8g", **pipes)
    assert reason(made, "ENV113", **COMPOSED) == "no-shm-loader"
    for lines in (("tmpfs: /dev/shm:ro",), ("shm_size: 2",), ("ipc: none",)):  # the semaphores of the queues lie there too
        assert service(tmp_path / lines[0][:3], *lines, **pipes).finding("ENV113", **COMPOSED).severity == "error"


# ENV101: what is to be written into the file


BIG: dict[str, Any] = {"train_batch": 64, "train_workers": 4, "train": [(f"train/{n % 3}/{n}.png", n % 3) for n in range(900)]}


def needy(folder: Path, *lines: str) -> Project:
    made = Project(folder, "modern", {"train_batch": BIG["train_batch"], "train_workers": BIG["train_workers"]}, train=BIG["train"])
    made.write(COMPOSE, "services:\n  train:\n    image: paddle\n" + "".join(f"    {line}\n" for line in lines))
    return made


@pytest.mark.parametrize(
    ("lines", "place", "snippets"),
    [
        ((), "compose.yml:3", ["shm_size: 512mb"]),
        (("shm_size: 64m",), "compose.yml:4", ["shm_size: 512mb"]),
        (("build: {context: ., shm_size: 8g}",), "compose.yml:3", [None, "shm_size: 512mb"]),
        (("tmpfs: /dev/shm:size=64m,mode=1777",), "compose.yml:4", ["tmpfs: /dev/shm:size=512m,mode=1777"]),
    ],
)
def test_env101_positive_says_what_to_write_where(tmp_path: Path, lines: tuple[str, ...], place: str, snippets: list[str | None]) -> None:
    finding = needy(tmp_path, *lines).findings("ENV101", images="off", **COMPOSED)[0]
    advice = [fix for fix in finding.fixes if fix.kind == "advice"]
    assert [fix.snippet and fix.snippet.strip() for fix in advice] == snippets
    assert place in advice[-1].title
    assert advice[-1].file == COMPOSE
