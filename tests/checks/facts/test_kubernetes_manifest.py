"""Containers of Kubernetes manifests: what they are started with, and where the manifest says so."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.base import Unreadable
from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings
from checks.facts.kubernetes_manifest import read_kubernetes
from checks.model import Unavailable

FILE = "pod.yaml"
MEMORY = {"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}
MOUNT = {"name": "dshm", "mountPath": "/dev/shm"}


def read(folder: Path, text: str, container: str | None = None) -> ContainerSettings:
    (folder / FILE).write_text(text)
    return read_kubernetes(FILE, container, str(folder))


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    body = {"name": "paddle", "image": "paddle:2.6.2", **(container or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train"}, "spec": {"containers": [body], **spec}}


def of(folder: Path, container: dict[str, Any] | None = None, **spec: Any) -> ContainerSettings:
    return read(folder, yaml.safe_dump(pod(container, **spec)))


def refused(folder: Path, text: str | bytes, container: str | None = None) -> Unavailable:
    (folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Unreadable) as caught:
        read_kubernetes(FILE, container, str(folder))
    return caught.value.unavailable


def volume(**source: Any) -> list[dict[str, Any]]:
    return [{"name": "dshm", **source}]


LIMIT = {"resources": {"limits": {"memory": "1Gi"}}}


@pytest.mark.parametrize(
    ("container", "spec", "wanted"),
    [
        ({}, {}, {"shm": DEFAULT_SHM, "shm_origin": "default", "ipc": "private", "shm_volume": None}),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": [MEMORY]},
            {"shm": 2 << 30, "shm_origin": "empty-dir", "shm_volume": "dshm", "shm_written": "2Gi"},
        ),
        ({"volumeMounts": [{**MOUNT, "mountPath": "/dev/shm/"}]}, {"volumes": [MEMORY]}, {"shm": 2 << 30}),
        ({"volumeMounts": [{**MOUNT, "subPath": "x"}]}, {"volumes": [MEMORY]}, {"shm": 2 << 30}),
        ({"volumeMounts": [{**MOUNT, "readOnly": True}]}, {"volumes": [MEMORY]}, {"shm": 2 << 30, "shm_read_only": True}),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": volume(emptyDir={"medium": "Memory"})},
            {"shm": None, "shm_origin": "empty-dir", "shm_on_disk": False},
        ),
        ({"volumeMounts": [MOUNT], **LIMIT}, {"volumes": volume(emptyDir={"medium": "Memory"})}, {"shm": 1 << 30, "shm_written": None}),
        ({"volumeMounts": [MOUNT], **LIMIT}, {"volumes": [MEMORY]}, {"shm": 1 << 30, "memory": 1 << 30, "shm_written": "2Gi"}),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": volume(emptyDir={"medium": "Memory", "sizeLimit": "512m"})},
            {"shm": 1, "shm_written": "512m"},
        ),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(emptyDir={"medium": "Memory", "sizeLimit": 0})}, {"shm": None}),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(emptyDir={"medium": "Memory", "sizeLimit": 10**9})}, {"shm": 10**9}),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": volume(emptyDir={"sizeLimit": "2Gi"})},
            {"shm": None, "shm_on_disk": True, "shm_origin": "empty-dir"},
        ),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(emptyDir={"medium": ""})}, {"shm": None, "shm_on_disk": True}),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(emptyDir={})}, {"shm": None, "shm_on_disk": True}),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume()}, {"shm": None, "shm_on_disk": True, "shm_origin": "empty-dir"}),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(emptyDir={"medium": "HugePages-2Mi"})}, {"shm": None, "shm_on_disk": False}),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": volume(hostPath={"path": "/dev/shm"})},
            {"shm": None, "shm_origin": "bind", "shm_host_path": "/dev/shm"},
        ),
        (
            {"volumeMounts": [MOUNT]},
            {"volumes": volume(persistentVolumeClaim={"claimName": "x"})},
            {"shm_origin": "volume", "shm_on_disk": True},
        ),
        ({"volumeMounts": [MOUNT]}, {"volumes": volume(configMap={"name": "x"})}, {"shm_origin": "volume", "shm_on_disk": False}),
        ({"volumeMounts": [MOUNT]}, {}, {"shm": None, "shm_origin": "volume"}),
        ({"volumeMounts": [{**MOUNT, "mountPath": "/shm"}]}, {"volumes": [MEMORY]}, {"shm": DEFAULT_SHM, "shm_origin": "default"}),
        ({}, {"volumes": [MEMORY]}, {"shm": DEFAULT_SHM}),
        ({}, {"hostIPC": True}, {"shm": None, "shm_origin": "host", "ipc": "host", "shm_host_path": "/dev/shm"}),
        ({}, {"hostIPC": False}, {"shm": DEFAULT_SHM, "ipc": "private"}),
        ({"volumeMounts": [MOUNT]}, {"volumes": [MEMORY], "hostIPC": True}, {"shm": 2 << 30, "shm_origin": "empty-dir", "ipc": "host"}),
    ],
)
def test_shared_memory(tmp_path: Path, container: dict[str, Any], spec: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = of(tmp_path, container, **spec)
    assert {key: getattr(found, key) for key in wanted} == wanted
    assert (found.source, found.name, found.image, found.state) == ("kubernetes", "Pod/train/paddle", "paddle:2.6.2", "file")
    assert msgspec.json.decode(msgspec.json.encode(found), type=ContainerSettings) == found


def test_a_memory_volume_is_no_larger_than_what_the_pod_may_use(tmp_path: Path) -> None:
    """All containers need a limit for the pod to have one; init containers run before the others, unless they are restarted always."""
    memory = {"volumes": volume(emptyDir={"medium": "Memory"})}
    body = {"name": "a", "image": "x", "volumeMounts": [MOUNT], "resources": {"limits": {"memory": "2Gi"}}}
    other = {"name": "b", "image": "x", "resources": {"limits": {"memory": "1Gi"}}}

    def shm(**spec: Any) -> int | None:
        return read(tmp_path, yaml.safe_dump({"kind": "Pod", "spec": {"containers": [body, other], **memory, **spec}}), "a").shm

    assert shm() == 3 << 30
    assert shm(containers=[body, {"name": "b", "image": "x"}]) is None
    assert shm(initContainers=[{"name": "i", "resources": {"limits": {"memory": "8Gi"}}}]) == 8 << 30
    assert shm(initContainers=[{"name": "i", "restartPolicy": "Always", "resources": {"limits": {"memory": "8Gi"}}}]) == 11 << 30
    assert shm(initContainers=[{"name": "i"}]) is None
    assert shm(resources={"limits": {"memory": "5Gi"}}) == 5 << 30
    assert shm(overhead={"memory": "1Gi"}) == 4 << 30


@pytest.mark.parametrize(
    ("container", "spec", "wanted"),
    [
        ({"resources": {"limits": {"memory": "8Gi", "cpu": "500m", "nvidia.com/gpu": 2}}}, {}, {"memory": 8 << 30, "cpus": 0.5, "gpus": 2}),
        ({"resources": {"limits": {"memory": "8G", "cpu": 4, "nvidia.com/gpu": "1"}}}, {}, {"memory": 8 * 10**9, "cpus": 4.0, "gpus": 1}),
        ({"resources": {"requests": {"memory": "8G", "cpu": 4}}}, {}, {"memory": None, "cpus": None, "gpus": None}),
        ({"resources": {"requests": {"nvidia.com/gpu": 3}}}, {}, {"gpus": 3}),
        ({"resources": {"limits": {"nvidia.com/mig-1g.5gb": 2}}}, {}, {"gpus": 2}),
        ({"resources": {"limits": {"nvidia.com/gpu": 0}}}, {}, {"gpus": 0}),
        ({"resources": {"limits": {"memory": 1e9}}}, {}, {"memory": 10**9}),
        ({}, {"resources": {"limits": {"memory": "2Gi", "cpu": "2"}}}, {"memory": 2 << 30, "cpus": 2.0}),
        ({"securityContext": {"runAsUser": 1000}}, {}, {"user": "1000"}),
        ({"securityContext": {"runAsUser": 1000, "runAsGroup": 50}}, {"securityContext": {"runAsUser": 1}}, {"user": "1000:50"}),
        ({}, {"securityContext": {"runAsUser": 0}}, {"user": "0"}),
        ({"securityContext": {"readOnlyRootFilesystem": True}}, {}, {"read_only": True}),
        ({"workingDir": "/paddle"}, {}, {"workdir": "/paddle"}),
    ],
)
def test_other_settings(tmp_path: Path, container: dict[str, Any], spec: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = of(tmp_path, container, **spec)
    assert {key: getattr(found, key) for key in wanted} == wanted


def test_an_annotation_of_crio(tmp_path: Path) -> None:
    document = pod()
    document["metadata"]["annotations"] = {"io.kubernetes.cri-o.ShmSize": "512Mi"}
    found = read(tmp_path, yaml.safe_dump(document))
    assert (found.shm, found.shm_origin) == (512 << 20, "shm-size")
    template = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {**document, "kind": None}}}
    assert read(tmp_path, yaml.safe_dump(template)).shm == 512 << 20


SPEC = {"containers": [{"name": "paddle", "image": "x", "volumeMounts": [MOUNT]}], "volumes": [MEMORY]}
TEMPLATE = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}}


def resource(api: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "n"}, **rest}


KINDS: dict[str, dict[str, Any]] = {
    "Pod": resource("v1", "Pod", spec=SPEC),
    "Deployment": resource("apps/v1", "Deployment", spec={"replicas": 1, **TEMPLATE}),
    "StatefulSet": resource("apps/v1", "StatefulSet", spec={**TEMPLATE, "volumeClaimTemplates": []}),
    "DaemonSet": resource("apps/v1", "DaemonSet", spec=TEMPLATE),
    "ReplicaSet": resource("apps/v1", "ReplicaSet", spec=TEMPLATE),
    "ReplicationController": resource("v1", "ReplicationController", spec=TEMPLATE),
    "Job": resource("batch/v1", "Job", spec=TEMPLATE),
    "CronJob": resource("batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": TEMPLATE}}),
    "PodTemplate": resource("v1", "PodTemplate", **TEMPLATE),
    "PaddleJob": resource("batch.paddlepaddle.org/v1", "PaddleJob", spec={"worker": {"replicas": 2, **TEMPLATE}}),
    "PyTorchJob": resource("kubeflow.org/v1", "PyTorchJob", spec={"pytorchReplicaSpecs": {"Worker": {"replicas": 2, **TEMPLATE}}}),
    "MPIJob": resource("kubeflow.org/v2beta1", "MPIJob", spec={"mpiReplicaSpecs": {"Worker": TEMPLATE}}),
    "Volcano": resource("batch.volcano.sh/v1alpha1", "Job", spec={"tasks": [{"name": "worker", "replicas": 1, **TEMPLATE}]}),
    "InferenceService": resource("serving.kserve.io/v1beta1", "InferenceService", spec={"predictor": SPEC}),
    "List": {"apiVersion": "v1", "kind": "List", "items": [resource("v1", "Service", spec={}), resource("batch/v1", "Job", spec=TEMPLATE)]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(tmp_path: Path, kind: str) -> None:
    found = read(tmp_path, yaml.safe_dump(KINDS[kind]))
    assert (found.shm, found.shm_origin, found.shm_volume) == (2 << 30, "empty-dir", "dshm")
    assert found.name.startswith(("Job/n" if kind in ("Volcano", "List") else f"{kind}/n") + "/")
    assert found.name.endswith("/paddle")
    assert read(tmp_path, yaml.safe_dump(KINDS[kind]), found.name) == found
    assert read(tmp_path, msgspec.json.encode(KINDS[kind]).decode()).shm == 2 << 30


def test_a_claim_of_a_stateful_set_is_on_a_disk(tmp_path: Path) -> None:
    body = {**TEMPLATE["template"]["spec"], "volumes": []}
    claims = [{"metadata": {"name": "dshm"}, "spec": {}}]
    found = read(
        tmp_path, yaml.safe_dump(resource("apps/v1", "StatefulSet", spec={"template": {"spec": body}, "volumeClaimTemplates": claims}))
    )
    assert (found.shm_origin, found.shm_on_disk) == ("volume", True)


SEVERAL = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {containers: none}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - {name: nginx, image: nginx}
        - name: paddle
          image: paddle
          volumeMounts:
            - name: dshm
              mountPath: /dev/shm
      volumes:
        - name: dshm
          emptyDir:
            medium: Memory
            sizeLimit: 1Gi
---
apiVersion: batch.paddlepaddle.org/v1
kind: PaddleJob
metadata: {name: job}
spec:
  ps: {template: {spec: {containers: [{name: paddle, image: p}]}}}
  worker: {template: {spec: {containers: [{name: paddle, image: p, resources: {limits: {nvidia.com/gpu: 1}}}]}}}
"""


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("nginx", "Deployment/web/nginx"),
        ("web/paddle", "Deployment/web/paddle"),
        ("Deployment/paddle", "Deployment/web/paddle"),
        ("worker/paddle", "PaddleJob/job/worker/paddle"),
        ("job/ps/paddle", "PaddleJob/job/ps/paddle"),
        ("PaddleJob/job/worker/paddle", "PaddleJob/job/worker/paddle"),
    ],
)
def test_a_container_is_found_by_its_name_and_its_owners(tmp_path: Path, wanted: str, name: str) -> None:
    assert read(tmp_path, SEVERAL, wanted).name == name


def test_places(tmp_path: Path) -> None:
    at = read(tmp_path, SEVERAL, "web/paddle").shm_location
    assert at is not None
    assert (at.file, at.line, at.column, at.key) == (FILE, 23, 24, "spec.template.spec.volumes.0.emptyDir.sizeLimit")
    at = read(tmp_path, SEVERAL, "nginx").shm_location  # where a mount would be put in
    assert at is not None
    assert (at.line, at.column, at.key) == (13, 11, "spec.template.spec.containers.0.volumeMounts")
    at = read(tmp_path, SEVERAL.replace("            medium: Memory\n", ""), "web/paddle").shm_location
    assert at is not None
    assert (at.line, at.column, at.key) == (22, 13, "spec.template.spec.volumes.0.emptyDir.medium")
    at = read(tmp_path, SEVERAL, "worker/paddle").memory_location
    assert at is None


def test_containers_that_are_alike_are_one(tmp_path: Path) -> None:
    text = yaml.safe_dump(resource("kubeflow.org/v1", "PyTorchJob", spec={"r": {"Master": TEMPLATE, "Worker": TEMPLATE}}))
    assert read(tmp_path, text).shm == read(tmp_path, text, "paddle").shm == 2 << 30


def test_a_volume_that_was_meant_for_it(tmp_path: Path) -> None:
    assert of(tmp_path, {}, volumes=[MEMORY]).spare_volume is not None
    assert of(tmp_path, {"volumeMounts": [{"name": "dshm", "mountPath": "/shm"}]}, volumes=[MEMORY]).spare_volume is not None
    assert of(tmp_path, {}, volumes=[{**MEMORY, "name": "cache"}]).spare_volume is None
    assert of(tmp_path, {"volumeMounts": [MOUNT]}, volumes=[MEMORY]).spare_volume is None
    assert of(tmp_path, {}, volumes=[{"name": "shm", "emptyDir": {}}]).spare_volume is None
    both = {"kind": "Pod", "spec": {"containers": [{"name": "a", "volumeMounts": [MOUNT]}, {"name": "b"}], "volumes": [MEMORY]}}
    assert read(tmp_path, yaml.safe_dump(both), "b").spare_volume is None


BAD: list[tuple[str | bytes, str | None, str, dict[str, Any]]] = [
    ("", None, "settings-empty", {}),
    ("---\n---\n", None, "settings-empty", {}),
    (b"PK\3\4\0", None, "settings-binary", {}),
    ("Global: {device: gpu}", None, "kubernetes-no-containers", {}),
    ("services: {a: {image: b}}", None, "kubernetes-no-containers", {}),
    ("kind: Pod\nspec: {containers: []}", None, "kubernetes-no-containers", {}),
    ("kind: Pod\nspec: {containers: text}", None, "kubernetes-no-containers", {}),
    ("[1, 2]", None, "kubernetes-no-containers", {}),
    (SEVERAL, None, "kubernetes-which-service", {}),
    (
        SEVERAL,
        "paddle",
        "kubernetes-which-service",
        {"names": "Deployment/web/paddle, PaddleJob/job/ps/paddle, PaddleJob/job/worker/paddle"},
    ),
    (SEVERAL, "other", "kubernetes-no-such-service", {"name": "other"}),
    (SEVERAL, "worker/nginx", "kubernetes-no-such-service", {}),
    (SEVERAL, "", "kubernetes-no-such-service", {"name": ""}),
    (SEVERAL.replace("1Gi", "1gb"), "web/paddle", "kubernetes-quantity-wrong", {"line": 23, "column": 24, "text": "1gb"}),
    (SEVERAL.replace("1Gi", "-1"), "web/paddle", "kubernetes-quantity-wrong", {"text": "-1"}),
    ("spec: {{ .Values.spec }}", None, "config-not-yaml", {"line": 1}),
    ("a: 1\n---\nb: [1\n", None, "config-not-yaml", {}),
    ("a: &a\n  b: *a\n", None, "settings-cyclic", {"line": 1}),
    ("---\na: 1\n" * 250_000, None, "settings-explodes", {}),
]


@pytest.mark.parametrize(("text", "container", "reason", "values"), BAD)
def test_refused(tmp_path: Path, text: str | bytes, container: str | None, reason: str, values: dict[str, Any]) -> None:
    found = refused(tmp_path, text, container)
    assert found.reason == reason
    assert found.values | values == found.values
    assert found.values["file"] == FILE


def test_aliases_of_many_documents_do_not_explode(tmp_path: Path) -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
    assert refused(tmp_path, ("---\n" + laughs) * 400).reason == "settings-explodes"


def _yaml(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3) | st.dictionaries(
        st.sampled_from(
            [
                "spec",
                "template",
                "containers",
                "volumes",
                "volumeMounts",
                "name",
                "emptyDir",
                "medium",
                "sizeLimit",
                "mountPath",
                "metadata",
            ]
        )
        | st.sampled_from(
            [
                "resources",
                "limits",
                "memory",
                "nvidia.com/gpu",
                "hostPath",
                "annotations",
                "hostIPC",
                "securityContext",
                "kind",
                "apiVersion",
            ]
        ),
        values,
        max_size=4,
    )


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["1Gi", "Memory", "dshm", "/dev/shm"])
    | st.text(max_size=5)
)
ANYTHING = st.recursive(SCALARS, _yaml, max_leaves=25)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_pod_is_read_or_refused(document: Any, body: Any, volumes: Any) -> None:
    content = (
        msgspec.json.encode(document)
        + b"\n---\n"
        + msgspec.json.encode({"kind": "Pod", "spec": {"containers": [{"name": "a"}, body], "volumes": volumes}})
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_bytes(content)
        for name in (None, "a"):
            try:
                found = read_kubernetes(FILE, name, folder)
            except Unreadable:
                continue
            assert msgspec.json.decode(msgspec.json.encode(found), type=ContainerSettings) == found


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="kind: spec{}[]&*!<\n\t-'\"%@", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_bytes(content)
        with pytest.raises(Unreadable):
            read_kubernetes(FILE, None, folder)
