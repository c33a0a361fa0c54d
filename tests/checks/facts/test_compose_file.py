"""Services of Compose files: what they are started with, and where the file says so."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.base import Unreadable
from checks.facts.compose_file import read_compose
from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings
from checks.model import Unavailable

FILE = "compose.yml"


def read(folder: Path, text: str, service: str | None = None, /, files: dict[str, str] | None = None, **environ: str) -> ContainerSettings:
    for name, content in {FILE: text, **(files or {})}.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return read_compose(FILE, service, environ, str(folder))


def of(folder: Path, body: str, **environ: str) -> ContainerSettings:
    """The settings of a service of this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return read(folder, f"services:\n  train:\n    image: paddle\n{lines}", **environ)


def refused(
    folder: Path, text: str | bytes, service: str | None = None, /, files: dict[str, str] | None = None, **environ: str
) -> Unavailable:
    if isinstance(text, bytes):
        (folder / FILE).write_bytes(text)
        with pytest.raises(Unreadable) as caught:
            read_compose(FILE, service, environ, str(folder))
    else:
        with pytest.raises(Unreadable) as caught:
            read(folder, text, service, files=files, **environ)
    return caught.value.unavailable


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("command: python", {"shm": DEFAULT_SHM, "shm_origin": "default", "ipc": "private", "shm_written": None}),
        ("shm_size: 2gb", {"shm": 2 << 30, "shm_origin": "shm-size", "shm_written": "2gb"}),
        ("shm_size: '2gb'", {"shm": 2 << 30, "shm_written": "2gb"}),
        ("shm_size: 2147483648", {"shm": 2 << 30, "shm_written": "2147483648"}),
        ("shm_size: 0", {"shm": DEFAULT_SHM, "shm_origin": "default"}),
        ("shm_size:", {"shm": DEFAULT_SHM, "shm_origin": "default"}),
        ("build:\n  context: .\n  shm_size: 2gb", {"shm": DEFAULT_SHM, "shm_origin": "default", "build_shm": 2 << 30}),
        ("build: {context: ., shm_size: 1g}\nshm_size: 2g", {"shm": 2 << 30, "build_shm": 1 << 30}),
        ("ipc: host", {"shm": None, "shm_origin": "host", "ipc": "host", "shm_host_path": "/dev/shm"}),
        ("ipc: host\nshm_size: 8g", {"shm": None, "shm_origin": "host"}),
        ("ipc: shareable\nshm_size: 1g", {"shm": 1 << 30, "ipc": "shareable"}),
        ("ipc: none", {"shm": None, "shm_origin": "none"}),
        ("ipc: container:other", {"shm": None, "shm_origin": "container", "ipc": "container:other"}),
        ("tmpfs: /dev/shm", {"shm": None, "shm_origin": "tmpfs", "shm_share": 0.5}),
        ("tmpfs: /dev/shm:size=2g,mode=1777", {"shm": 2 << 30, "shm_origin": "tmpfs", "shm_written": "/dev/shm:size=2g,mode=1777"}),
        ("tmpfs:\n  - /run\n  - /dev/shm/:size=2048m", {"shm": 2 << 30, "shm_origin": "tmpfs"}),
        ("tmpfs: ['/dev/shm:size=50%']", {"shm": None, "shm_share": 0.5}),
        ("tmpfs: /dev/shm:size=0", {"shm": None, "shm_share": None, "shm_origin": "tmpfs"}),
        ("tmpfs: /dev/shm:size=1g,ro", {"shm": 1 << 30, "shm_read_only": True}),
        ("tmpfs: /tmp:size=8g", {"shm": DEFAULT_SHM, "shm_origin": "default"}),
        ("tmpfs: /dev/shm:size=1g\nipc: host", {"shm": 1 << 30, "shm_origin": "tmpfs", "ipc": "host"}),
        ("volumes: ['/dev/shm:/dev/shm']", {"shm": None, "shm_origin": "bind", "shm_host_path": "/dev/shm"}),
        ("volumes: ['/dev/shm:/dev/shm:ro']", {"shm_origin": "bind", "shm_read_only": True}),
        ("volumes: ['/dev:/dev']", {"shm_origin": "bind", "shm_host_path": "/dev/shm"}),
        ("volumes: ['/mnt/ramdisk:/dev/shm:rw,z']", {"shm_origin": "bind", "shm_host_path": "/mnt/ramdisk", "shm_read_only": False}),
        ("volumes: ['./data:/data', 'cache:/root/.cache']", {"shm": DEFAULT_SHM}),
        ("volumes: ['/dev/shm:/data']", {"shm": DEFAULT_SHM, "shm_origin": "default"}),
        ("volumes: ['scratch:/dev/shm']", {"shm": None, "shm_origin": "volume", "shm_on_disk": True}),
        ("volumes: ['/dev/shm']", {"shm": None, "shm_origin": "volume", "shm_on_disk": True}),
        ("volumes: ['C:\\shm:/dev/shm']", {"shm_origin": "bind"}),
        ("volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: 2g}}]", {"shm": 2 << 30, "shm_origin": "tmpfs", "shm_written": "2g"}),
        ("volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: 1000000000}}]", {"shm": 10**9}),
        ("volumes: [{type: tmpfs, target: /dev/shm}]", {"shm": None, "shm_share": 0.5, "shm_origin": "tmpfs"}),
        ("volumes: [{type: bind, source: /dev/shm, target: /dev/shm}]", {"shm_origin": "bind", "shm_host_path": "/dev/shm"}),
        ("volumes: [{type: bind, source: /x, target: /dev/shm, read_only: true}]", {"shm_read_only": True, "shm_host_path": "/x"}),
        ("volumes: [{type: volume, source: v, target: /dev/shm}]", {"shm_origin": "volume", "shm_on_disk": True}),
        ("volumes: [{type: npipe, source: v, target: /dev/shm}]", {"shm_origin": "volume", "shm": None, "shm_on_disk": False}),
    ],
)
def test_shared_memory(tmp_path: Path, body: str, wanted: dict[str, Any]) -> None:
    found = of(tmp_path, body)
    assert {key: getattr(found, key) for key in wanted} == wanted
    assert (found.source, found.name, found.state, found.image) == ("compose", "train", "file", "paddle")
    assert msgspec.json.decode(msgspec.json.encode(found), type=ContainerSettings) == found


def test_a_relative_folder_counts_from_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "services:\n  a:\n    extends: {file: base/c.yml, service: b}\n",
        files={"base/c.yml": "services: {b: {volumes: ['./shm:/dev/shm']}}"},
    )
    assert found.shm_host_path == str(tmp_path / "base/shm")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("mem_limit: 4g", {"memory": 4 << 30}),
        ("mem_limit: 0", {"memory": None}),
        ("deploy: {resources: {limits: {memory: 4G, cpus: '1.5'}}}", {"memory": 4 << 30, "cpus": 1.5}),
        ("deploy: {resources: {reservations: {memory: 4G, cpus: '1.5'}}}", {"memory": None, "cpus": None}),
        ("cpus: 2", {"cpus": 2.0}),
        ("cpus: '0.5'", {"cpus": 0.5}),
        ("cpus: 0", {"cpus": None}),
        ("cpuset: 0-3,6", {"cpus": 5.0}),
        ("cpuset: '0,1'\ncpus: 1.5", {"cpus": 1.5}),
        ("cpu_quota: 50000", {"cpus": 0.5}),
        ("cpu_quota: 100000\ncpu_period: 50000", {"cpus": 2.0}),
        ("cpus: lots", {"cpus": None}),
        ("user: 1000", {"user": "1000"}),
        ("user: 1000:50", {"user": "1000:50"}),
        ("user: '1000:1000'", {"user": "1000:1000"}),
        ("user: paddle", {"user": "paddle"}),
        ("read_only: true", {"read_only": True}),
        ("read_only: 'true'", {"read_only": True}),
        ("read_only: false", {"read_only": False}),
        ("working_dir: /paddle", {"workdir": "/paddle"}),
        ("gpus: all", {"gpus": None}),
        ("gpus: [{count: 2}]", {"gpus": 2}),
        ("gpus: [{driver: nvidia, device_ids: ['0', '3', '5']}]", {"gpus": 3}),
        ("deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}}", {"gpus": 2}),
        ("deploy: {resources: {reservations: {devices: [{count: all, capabilities: [gpu]}]}}}", {"gpus": None}),
        ("deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}", {"gpus": None}),
        ("deploy: {resources: {reservations: {devices: [{count: 1, capabilities: [tpu]}]}}}", {"gpus": None}),
        ("runtime: nvidia", {"gpus": None}),
        ("runtime: nvidia\nenvironment: {NVIDIA_VISIBLE_DEVICES: '0,1'}", {"gpus": 2}),
        ("runtime: nvidia\nenvironment: [NVIDIA_VISIBLE_DEVICES=none]", {"gpus": 0}),
        ("runtime: nvidia\nenvironment: [NVIDIA_VISIBLE_DEVICES=all]", {"gpus": None}),
        ("environment: [NVIDIA_VISIBLE_DEVICES=0]", {"gpus": None}),
        ("image: paddlepaddle/paddle:${TAG:-2.6.2}", {"image": "paddlepaddle/paddle:2.6.2"}),
    ],
)
def test_other_settings(tmp_path: Path, body: str, wanted: dict[str, Any]) -> None:
    found = read(tmp_path, "services:\n  train:\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    assert {key: getattr(found, key) for key in wanted} == wanted


def test_a_tmpfs_volume_is_as_large_as_its_options_say(tmp_path: Path) -> None:
    options = "      type: tmpfs\n      device: tmpfs\n      o: size=2g,uid=1\n"
    text = f"services:\n  a:\n    volumes: ['shm:/dev/shm']\nvolumes:\n  shm:\n    driver_opts:\n{options}"
    found = read(tmp_path, text)
    assert (found.shm, found.shm_origin, found.shm_on_disk) == (2 << 30, "volume", False)
    assert (found.shm_location.line, found.shm_location.column) == (9, 10)


VERSIONS = {
    "first": "train:\n  image: paddle\n  shm_size: 1g\n  mem_limit: 2g\n",
    "2.4": "version: '2.4'\nservices:\n  train:\n    image: paddle\n    shm_size: 1g\n    mem_limit: 2g\n",
    "3.8": "version: '3.8'\nservices:\n  train:\n    image: paddle\n    shm_size: 1g\n    deploy: {resources: {limits: {memory: 2g}}}\n",
    "none": "name: p\nservices:\n  train:\n    image: paddle\n    shm_size: 1g\n    mem_limit: 2g\n",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version(tmp_path: Path, version: str) -> None:
    found = read(tmp_path, VERSIONS[version])
    assert (found.name, found.shm, found.memory) == ("train", 1 << 30, 2 << 30)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("shm_size: 2gb", (4, 15, "shm_size")),
        ("command: x", (3, 5, "shm_size")),  # where it would be put in
        ("tmpfs: /dev/shm:size=2g", (4, 12, "tmpfs")),
        ("tmpfs:\n  - /run\n  - /dev/shm:size=2g", (6, 9, "tmpfs.1")),
        ("ipc: host", (4, 10, "ipc")),
        ("volumes:\n  - type: tmpfs\n    target: /dev/shm\n    tmpfs:\n      size: 1g", (8, 17, "volumes.0.tmpfs.size")),
        ("volumes:\n  - type: tmpfs\n    target: /dev/shm", (5, 9, "volumes.0")),
    ],
)
def test_places(tmp_path: Path, body: str, place: tuple[int, int, str]) -> None:
    at = of(tmp_path, body).shm_location
    assert at is not None
    assert (at.file, at.line, at.column, at.key) == (FILE, place[0], place[1], f"services.train.{place[2]}")


def test_places_of_what_has_no_effect_and_of_the_memory_limit(tmp_path: Path) -> None:
    found = of(tmp_path, "shm_size: 8g\nipc: host\nmem_limit: 1g")
    assert found.shm_hidden is not None and found.memory_location is not None
    assert (found.shm_hidden.line, found.shm_hidden.column) == (4, 15)
    assert (found.memory_location.line, found.memory_location.column) == (6, 16)
    assert of(tmp_path, "shm_size: 8g").shm_hidden is None
    assert of(tmp_path, "tmpfs: /dev/shm:size=1g\nshm_size: 8g").shm_hidden is not None


def test_variables(tmp_path: Path) -> None:
    body = "shm_size: ${SHM:-1g}\nmem_limit: ${MEMORY}\ntmpfs: ['${PLACE-/run}:size=${SIZE:-5m}']"
    found = of(tmp_path, body, MEMORY="3g")
    assert (found.shm, found.memory, found.shm_written) == (1 << 30, 3 << 30, "1g")
    assert of(tmp_path, body, MEMORY="3g", PLACE="/dev/shm", SIZE="7m").shm == 7 << 20
    (tmp_path / ".env").write_text("SHM=2g\nMEMORY=4g\n")
    found = of(tmp_path, body)
    assert (found.shm, found.memory) == (2 << 30, 4 << 30)
    assert of(tmp_path, body, SHM="5g").shm == 5 << 30  # the environment comes first
    assert of(tmp_path, body, COMPOSE_DISABLE_ENV_FILE="1", MEMORY="1g").shm == 1 << 30


def test_a_variable_of_another_service_does_not_matter(tmp_path: Path) -> None:
    text = "services:\n  db: {image: 'x:${TAG:?say which}'}\n  train: {image: y, shm_size: 1g}\n"
    assert read(tmp_path, text, "train").shm == 1 << 30
    assert refused(tmp_path, text, "db") == Unavailable(
        "compose-variable-required", {"file": FILE, "line": 2, "column": 15, "name": "TAG", "message": "say which"}
    )


MERGES = """
x-base: &base
  shm_size: 1g
  environment: {A: 1}
x-limits: &limits
  mem_limit: 2g
services:
  one:
    <<: *base
    image: a
  two:
    <<: [*base, *limits]
    shm_size: 3g
  three:
    extends: two
    ipc: shareable
  four:
    extends: {service: three}
    shm_size: 4g
  five: &five
    image: b
    tmpfs: [/dev/shm:size=1g]
  six:
    <<: *five
    shm_size: 6g
"""


@pytest.mark.parametrize(
    ("service", "shm", "memory", "line"),
    [
        ("one", 1 << 30, None, 3),
        ("two", 3 << 30, 2 << 30, 13),
        ("three", 3 << 30, 2 << 30, 13),
        ("four", 4 << 30, 2 << 30, 19),
        ("six", 1 << 30, None, 22),
    ],
)
def test_anchors_merges_and_extends(tmp_path: Path, service: str, shm: int, memory: int | None, line: int) -> None:
    found = read(tmp_path, MERGES, service)
    assert (found.shm, found.memory) == (shm, memory)
    assert found.shm_location is not None
    assert found.shm_location.line == line


def test_extending_a_service_of_another_file(tmp_path: Path) -> None:
    files = {
        "common/base.yml": "services:\n  base:\n    extends: {file: ../deep.yml, service: root}\n    mem_limit: 2g\n",
        "deep.yml": "services:\n  root:\n    image: paddle\n    shm_size: ${SHM:-5g}\n    tmpfs: /run\n",
    }
    text = "services:\n  train:\n    extends:\n      file: common/base.yml\n      service: base\n    tmpfs: ['/dev/shm:size=1g']\n"
    found = read(tmp_path, text, files=files)
    assert (found.image, found.memory, found.shm, found.shm_origin) == ("paddle", 2 << 30, 1 << 30, "tmpfs")
    assert found.shm_hidden is not None and (found.shm_hidden.file, found.shm_hidden.line) == ("deep.yml", 4)
    found = read(tmp_path, text.replace("    tmpfs: ['/dev/shm:size=1g']\n", ""), files=files)
    assert found.shm == 5 << 30
    assert found.shm_location is not None and (found.shm_location.file, found.shm_location.line) == ("deep.yml", 4)


@pytest.mark.parametrize(
    ("over", "shm"),
    [
        ("tmpfs: !override [/run]", DEFAULT_SHM),
        ("tmpfs: !reset []", DEFAULT_SHM),
        ("tmpfs: !reset null", DEFAULT_SHM),
        ("tmpfs: /dev/shm:size=3g", 3 << 30),
        ("tmpfs: !override ['/dev/shm:size=4g']", 4 << 30),
        ("tmpfs:", 2 << 30),
    ],
)
def test_tags_of_compose(tmp_path: Path, over: str, shm: int) -> None:
    text = f"services:\n  base: {{image: a, tmpfs: ['/dev/shm:size=2g']}}\n  train:\n    extends: base\n    {over}\n"
    assert read(tmp_path, text, "train").shm == shm


def test_volumes_of_the_same_target_are_replaced(tmp_path: Path) -> None:
    volumes = "[{type: tmpfs, target: /dev/shm, tmpfs: {size: 1g}}]"
    text = f"services:\n  base: {{volumes: ['/dev/shm:/dev/shm']}}\n  train: {{extends: base, volumes: {volumes}}}\n"
    assert read(tmp_path, text, "train").shm == 1 << 30


def test_included_files(tmp_path: Path) -> None:
    files = {
        "a/one.yml": "services: {one: {image: a, shm_size: 1g}}",
        "two.yml": "services: {two: {image: b, shm_size: 2g}}\ninclude: [compose.yml]",
    }
    text = "include:\n  - a/one.yml\n  - path: [two.yml]\nservices:\n  three: {image: c, ipc: 'service:one'}\n"
    assert read(tmp_path, text, "one", files=files).shm == 1 << 30
    assert read(tmp_path, text, "two", files=files).shm == 2 << 30
    found = read(tmp_path, text, "three", files=files)
    assert (found.shm, found.shm_origin, found.shm_location and found.shm_location.file) == (1 << 30, "container", "a/one.yml")
    assert read(tmp_path, "include: [a/one.yml]\n", files=files).shm == 1 << 30


def test_joining_another_services_namespace(tmp_path: Path) -> None:
    text = "services:\n  a: {image: x, ipc: MODE, shm_size: 1g}\n  b: {image: x, ipc: 'service:a', shm_size: 9g}\n  c: {image: x, ipc: 'service:b'}\n"
    found = read(tmp_path, text.replace("MODE", "shareable"), "b")
    assert (found.shm, found.shm_origin, found.ipc, found.unshared_ipc) == (1 << 30, "container", "container:a", None)
    assert found.shm_location is not None and found.shm_location.key == "services.a.shm_size"
    assert found.shm_hidden is not None and found.shm_hidden.key == "services.b.shm_size"
    assert read(tmp_path, text.replace("MODE", "private"), "b").unshared_ipc == "a"
    assert read(tmp_path, text.replace("MODE", "host"), "b").shm_host_path == "/dev/shm"
    assert read(tmp_path, text.replace("MODE", "shareable"), "c").shm == 1 << 30


BAD: list[tuple[str | bytes, str | None, str, dict[str, Any]]] = [
    ("", None, "settings-empty", {}),
    ("# nothing\n", None, "settings-empty", {}),
    (b"\0\1", None, "settings-binary", {}),
    ("services: {a: {image: é}}".encode("latin-1"), None, "settings-not-utf8", {}),
    ("services: [a, b]", None, "compose-no-services", {}),
    ("Global: {device: gpu}\nArch: {name: ResNet50}", None, "compose-no-services", {}),
    ("apiVersion: v1\nkind: Pod\nspec: {containers: []}", None, "compose-no-services", {}),
    ("- a\n- b\n", None, "compose-no-services", {}),
    ("just text", None, "compose-no-services", {}),
    ("services: {a: {}, b: {}}", None, "compose-which-service", {"names": "a, b"}),
    ("services: {a: {}, b: {}}", "c", "compose-no-such-service", {"name": "c", "names": "a, b"}),
    ("services: {a: {}}", "c", "compose-no-such-service", {"name": "c"}),
    ("services:\n  a: text\n", None, "compose-service-wrong", {"name": "a", "line": 2}),
    ("services:\n  a:\n    shm_size: lots\n", None, "compose-size-wrong", {"line": 3, "column": 15, "name": "shm_size", "text": "lots"}),
    ("services:\n  a:\n    shm_size: -1\n", None, "compose-size-wrong", {"text": "-1"}),
    ("services:\n  a:\n    shm_size: ${NOT_SET}\n", None, "compose-size-wrong", {"text": ""}),
    ("services:\n  a:\n    mem_limit: 2 gigs\n", None, "compose-size-wrong", {"name": "mem_limit"}),
    ("services:\n  a:\n    tmpfs: /dev/shm:size=2gb\n", None, "compose-tmpfs-wrong", {"line": 3, "column": 12}),
    ("services:\n  a:\n    shm_size: ${SHM\n", None, "compose-variable-wrong", {"line": 3, "text": "${SHM"}),
    ("services:\n  a: {extends: b}\n", None, "compose-extends-wrong", {"name": "b"}),
    ("services:\n  a: {extends: {}}\n", None, "compose-extends-wrong", {"name": ""}),
    ("services:\n  a: {extends: {file: no.yml, service: b}}\n", None, "settings-missing", {"file": "no.yml"}),
    ("services:\n  a: {extends: a}\n", None, "compose-extends-cycle", {"name": "a"}),
    ("services:\n  a: {extends: b}\n  b: {extends: a}\n", "a", "compose-extends-cycle", {}),
    ("services:\n  a: {ipc: 'service:b'}\n", None, "compose-ipc-wrong", {"name": "b"}),
    ("services:\n  a: {ipc: 'service:b'}\n  b: {ipc: 'service:a'}\n", "a", "compose-ipc-cycle", {}),
    ("services:\n  a: &a\n    b: *a\n", None, "settings-cyclic", {}),
    ("services:\n  a: !!python/object/apply:os.system ['true']\n", None, "config-not-yaml", {"line": 2}),
    ("services:\n\ta: {}\n", None, "config-tab", {"line": 2}),
    ("a: [" * 200, None, "config-too-deep", {}),
]


@pytest.mark.parametrize(("text", "service", "reason", "values"), BAD)
def test_refused(tmp_path: Path, text: str | bytes, service: str | None, reason: str, values: dict[str, Any]) -> None:
    found = refused(tmp_path, text, service)
    assert found.reason == reason
    assert found.values | values == found.values
    assert found.values["file"] == values.get("file", FILE)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        read_compose("none.yml", None, {}, str(tmp_path))
    assert caught.value.unavailable == Unavailable("settings-missing", {"file": "none.yml"})
    with pytest.raises(Unreadable) as caught:
        read_compose(".", None, {}, str(tmp_path))
    assert caught.value.unavailable.reason == "config-is-directory"


def test_files_that_extend_each_other_end(tmp_path: Path) -> None:
    files = {f"f{n}.yml": f"services: {{a: {{extends: {{file: f{n + 1}.yml, service: a}}}}}}" for n in range(60)}
    assert refused(tmp_path, "services: {a: {extends: {file: f0.yml, service: a}}}", files=files).reason == "compose-too-many-files"


def _yaml(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3) | st.dictionaries(
        st.sampled_from(
            ["shm_size", "ipc", "tmpfs", "volumes", "deploy", "resources", "limits", "memory", "cpus", "gpus", "extends", "service", "type"]
        )
        | st.sampled_from(
            ["target", "size", "build", "file", "driver_opts", "o", "environment", "count", "capabilities", "include", "path", "source"]
        ),
        values,
        max_size=4,
    )


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(
        ["2g", "/dev/shm", "tmpfs", "service:a", "host", "${A:-b}", "/dev/shm:size=1g", "v:/dev/shm", "a", "${", ":", "compose.yml"]
    )
    | st.text(max_size=6)
)
ANYTHING = st.recursive(SCALARS, _yaml, max_leaves=25)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_service_is_read_or_refused(service: Any, other: Any, volumes: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_bytes(
            msgspec.json.encode({"services": {"a": service, "b": other}, "volumes": volumes, "include": volumes})
        )
        try:
            found = read_compose(FILE, "a", {}, folder)
        except Unreadable as error:
            assert "\n" not in str(error.unavailable.values.get("problem", ""))
            return
        assert msgspec.json.decode(msgspec.json.encode(found), type=ContainerSettings) == found


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="services: a{}[]&*!<\n\t-'\"$%@", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_bytes(content)
        Path(folder, ".env").write_bytes(content)
        try:
            read_compose(FILE, None, {}, folder)
        except Unreadable:
            return
