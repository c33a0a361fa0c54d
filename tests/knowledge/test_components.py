"""The table of PaddleClas's components: what it knows, what it suggests, and how it is read from sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import components as table
from knowledge.likeness import distance, plain
from knowledge.meanings import ARCHITECTURES, MEANT, PARAMETERS
from knowledge.namespaces import NAMESPACES
from knowledge.python_source import Found, Outside, Sources, Unclear, list_in_function, parse
from knowledge.signature import Signature
from knowledge.signatures import Signatures

KINDS = [*NAMESPACES, "regularizer"]
CERTAIN = [(kind, name) for kind in KINDS for name in table.names(kind) if len(name) > 5]


def test_every_kind_has_names_in_every_branch_that_it_covers() -> None:
    for kind in KINDS:
        assert table.names(kind), kind
        branches = {branch for name in table.names(kind) for branch in table.present_in(kind, name)}
        assert {"release/2.1"} <= branches if kind.startswith("legacy") else {"develop"} <= branches, kind


@pytest.mark.parametrize(
    ("kind", "name", "branch", "takes", "takes_not", "rest"),
    [
        ("arch", "ResNet50", "release/2.2", "class_num", "class_nums", "error"),
        ("arch", "ResNet50", "develop", "layer_type", "class_nums", "ignored"),
        ("arch", "MobileNetV1", "develop", "return_stages", "class_nums", "error"),
        ("arch", "RecModel", "develop", "head_feature_from", "Tail", "ignored"),
        ("transform", "RandCropImage", "release/2.2", "scale", "backend", "error"),
        ("transform", "RandCropImage", "develop", "backend", "sizes", "error"),
        ("transform", "TimmAutoAugment", "develop", "config_str", "policy", "error"),  # through super().__init__(*args, **kwargs)
        ("transform", "OpSampler", "develop", "class_num", "MixupOperator", "open"),
        ("loss", "DistillationCELoss", "develop", "epsilon", "temperature", "error"),
        ("loss", "DistillationDistanceLoss", "develop", "delta", "margin", "error"),  # into paddle's own loss
        ("optimizer", "Momentum", "develop", "use_nesterov", "nesterov", "error"),
        ("schedule", "Cosine", "develop", "warmup_start_lr", "warmup", "ignored"),
        ("sampler", "DistributedBatchSampler", "develop", "num_replicas", "dataset", "error"),
        ("legacy.optimizer", "Momentum", "release/2.1", "multi_precision", "learning_rate", "ignored"),
        ("deploy.transform", "ResizeImage", "develop", "resize_short", "short", "error"),
    ],
)
def test_what_a_constructor_takes(kind: str, name: str, branch: str, takes: str, takes_not: str, rest: str) -> None:
    found = table.signature(kind, name, branch)
    assert found is not None
    assert takes in found.names
    assert takes_not not in found.names
    assert found.rest == rest


def test_what_a_constructor_must_get() -> None:
    def required(kind: str, name: str, branch: str | None = None) -> set[str]:
        found = table.signature(kind, name, branch)
        assert found is not None
        return set(found.required)

    assert required("transform", "CropImage") == {"size"}
    assert required("loss", "CELoss") == {"weight"}
    assert required("gear", "ArcMargin") == {"embedding_size", "class_num"}
    assert required("arch", "RecModel") == {"Backbone"}
    assert required("transform.batch", "MixupOperator", "develop") == set()  # class_num is put in
    assert required("transform", "MixupOperator", "develop") == {"class_num"}
    assert required("postprocess", "ThreshOutput", "develop") == {"threshold"}
    assert required("sampler", "BatchSampler") == set()


def test_without_a_branch_the_kindest_reading_counts() -> None:
    found = table.signature("transform", "ResizeImage")
    assert found is not None and "backend" in found.names  # not in 2.2
    assert table.rests("arch", "ResNet50") == {"error", "ignored"}
    assert table.known("postprocess", "MultiLabelTopk") and not table.known("postprocess", "MultiLabelTopk", "develop")


def test_unknown_and_hidden_names() -> None:
    assert not table.known("arch", "ResNet50_vd_ssld")
    assert table.signature("arch", "Nothing") is None
    assert table.hidden("transform", "BlurImage") == "ppcls/data/preprocess/ops/operators.py"
    assert table.hidden("transform", "CropImage") is None


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CERTAIN), st.integers(0, 1000), st.sampled_from(("drop", "swap", "twice", "lower", "upper", "separators")))
def test_a_slip_is_suggested_back(component: tuple[str, str], at: int, slip: str) -> None:
    kind, name = component
    at %= len(name) - 1
    written = {
        "drop": name[:at] + name[at + 1 :],
        "swap": name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        "twice": name[:at] + name[at] + name[at:],
        "lower": name.lower(),
        "upper": name.upper(),
        "separators": name.replace("_", "-"),
    }[slip]
    if table.known(kind, written) or written == name:
        return
    found = table.suggest(kind, written)
    assert found is not None
    # two names may be a letter apart; then either will do
    far, near = (distance(plain(written), plain(other), 3) for other in (name, found.name))
    assert found.name == name or (near is not None and far is not None and near <= far), (written, found)
    if slip in ("lower", "upper", "separators"):
        assert found.name.lower().replace("_", "") == name.lower().replace("_", "")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CERTAIN), st.integers(0, 1000), st.integers(0, 1000))
def test_a_slip_in_a_parameter_is_suggested_back(component: tuple[str, str], which: int, at: int) -> None:
    found = table.signature(*component)
    assert found is not None
    parameters = sorted(name for name in found.names if len(name) > 4)
    if not parameters:
        return
    name = parameters[which % len(parameters)]
    at %= len(name)
    written = name[:at] + name[at + 1 :]
    if written in found.names:
        return
    if sum(written in {other[:i] + other[i + 1 :] for i in range(len(other))} for other in found.names) > 1:
        return  # label_ may be label_0 or label_1
    suggestion = table.closest_parameter(component[0], written, found.names)
    assert suggestion is not None


def test_meanings_lead_to_names_that_are_there() -> None:
    for kind, meant in MEANT.items():
        names = set(table.names(kind))
        for written, name in meant.items():
            assert written == written.lower() and "_" not in written, written
            if not kind.startswith(("legacy.", "deploy.")) and not kind.endswith(".part"):  # those share a table with others
                assert name in names, (kind, name)
    assert set(ARCHITECTURES.values()) <= set(table.names("arch"))
    everything = {p for kind in KINDS for name in table.names(kind) if (s := table.signature(kind, name)) for p in s.names}
    for meanings in PARAMETERS.values():
        for written, names_ in meanings.items():
            assert written == written.lower().replace("_", ""), written
            assert everything.intersection(names_), names_


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("arch", "swin_t", "SwinTransformer_tiny_patch4_window7_224"),
        ("arch", "efficientnet_b0", "EfficientNetB0"),
        ("arch", "PPLCNet", "PPLCNet_x1_0"),
        ("arch", "PPLCNet_x1.0", "PPLCNet_x1_0"),
        ("arch", "ResNet50_vd_pretrained", "ResNet50_vd"),
        ("gear", "ArcFace", "ArcMargin"),
        ("schedule", "CosineAnnealing", "Cosine"),
        ("legacy.transform", "RandomCrop", "RandCropImage"),
        ("deploy.transform", "Decode", "DecodeImage"),
        ("transform", "colorjitter", "ColorJitter"),
    ],
)
def test_what_others_call_a_thing(kind: str, written: str, meant: str) -> None:
    found = table.suggest(kind, written)
    assert found is not None and found.name == meant


def test_nothing_is_suggested_for_something_else_altogether() -> None:
    assert table.suggest("arch", "Quux") is None
    assert table.suggest("loss", "Zebra") is None
    assert table.closest_parameter("transform", "zebra", {"size", "scale"}) is None


def test_the_branch_is_told_by_most_files() -> None:
    blobs = {path: next(iter(b for b, bits in known.items() if bits >> 11 & 1), "") for path, known in table._table().blobs.items()}
    blobs = {path: blob for path, blob in blobs.items() if blob}
    assert table.branch_of(blobs) == "develop"
    changed = dict(blobs)
    for path in list(blobs)[:5]:
        changed[path] = "0" * 40
    assert table.branch_of(changed) == "develop"
    assert table.branch_of(dict.fromkeys(blobs, "0" * 40)) is None
    assert table.branch_of({}) is None


def test_era() -> None:
    assert "release/2.2" in table.era([("arch", "ResNet50", ("class_num",))])
    assert "release/2.2" not in table.era([("transform", "DecodeImage", ("backend",))])
    assert table.era([]) == table._table().branches


# --- reading sources

FILES = {
    "pkg/__init__.py": "from .a import *\nfrom .b import Thing as Renamed\nimport os\nAlias = Star\nfrom paddle.nn import Tanh\n__x = 1\n",
    "pkg/a.py": "__all__ = ['Star']\nclass Star:\n    def __init__(self, one, two=2, *, three=3, **rest):\n        self.build(**rest)\n"
    "    def build(self, four, five=5):\n        pass\nclass Unlisted: pass\n",
    "pkg/b.py": (
        "import paddle.nn as nn\nfrom .missing import Gone\n"
        "class Thing(nn.Layer):\n    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
        "def factory(pretrained=False, **kwargs):\n    options = dict(depth=3, **kwargs)\n    return Inner(**options)\n"
        "class Base:\n    def __init__(self, base_only=1):\n        pass\n"
        "class Inner(Base):\n    def __init__(self, depth, width=1, **kwargs):\n        super().__init__(**kwargs)\n"
        "class Reads:\n    def __init__(self, **config):\n        self.a = config['needed']\n        self.b = config.get('maybe')\n"
        "        if 'tested' in config:\n            self.c = config['tested']\n"
        "class Escapes:\n    def __init__(self, own, **kwargs):\n        print(kwargs)\n"
        "class Elsewhere(Gone):\n    pass\n"
        "@decorator\ndef wrapped(a):\n    pass\n"
        "def lists():\n    names = ['x', 'y']\n    return names\n"
    ),
    "pkg/broken.py": "def (:\n",
}
OUTSIDE = {"paddle.nn.Layer": Signature(frozenset(), frozenset(("name_scope", "dtype")), "error")}


@pytest.fixture
def sources() -> Sources:
    return Sources(FILES.get)


def test_names_are_followed(sources: Sources) -> None:
    found = sources.find("pkg/__init__.py", "Renamed")
    assert isinstance(found, Found) and found.path == "pkg/b.py"
    assert isinstance(sources.find("pkg/__init__.py", "Alias"), Found)
    assert isinstance(sources.find("pkg/__init__.py", "Star"), Found)
    assert sources.find("pkg/__init__.py", "Unlisted") is None  # not in __all__
    assert sources.find("pkg/__init__.py", "Tanh") == Outside("paddle.nn.Tanh")
    assert isinstance(sources.find("pkg/broken.py", "x"), Unclear)
    assert sources.find("nowhere.py", "x") is None
    assert {"Star", "Renamed", "Alias", "Tanh", "os"} <= sources.names("pkg/__init__.py")
    module = sources.module("pkg/b.py")
    assert module is not None and list_in_function(module, "lists", "names") == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "required", "optional", "rest"),
    [
        ("factory", set(), {"pretrained", "width", "base_only"}, "error"),
        ("Thing", set(), {"name_scope", "dtype"}, "error"),
        ("Inner", {"depth"}, {"width", "base_only"}, "error"),
        ("Reads", {"needed"}, {"maybe", "tested"}, "ignored"),
        ("Escapes", {"own"}, set(), "open"),
        ("Elsewhere", set(), set(), "open"),
        ("wrapped", set(), set(), "open"),
    ],
)
def test_keywords_are_followed(sources: Sources, name: str, required: set[str], optional: set[str], rest: str) -> None:
    found = Signatures(sources, OUTSIDE).of("pkg/b.py", name)
    assert found == Signature(frozenset(required), frozenset(optional), rest)  # type: ignore[arg-type]


def test_keywords_into_a_method_of_the_class(sources: Sources) -> None:
    found = Signatures(sources, OUTSIDE).of("pkg/a.py", "Star")
    assert found == Signature(frozenset(("one", "four")), frozenset(("two", "three", "five")), "error")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_parsed_or_broken(text: str) -> None:
    parse(text, "a/b.py")


def test_circles_end() -> None:
    files = {"a.py": "from b import *\nfrom b import X\n", "b.py": "from a import *\nfrom a import X\nclass Y(Y): pass\n"}
    sources = Sources(files.get)
    sources.find("a.py", "X")
    sources.names("a.py")
    assert Signatures(sources, {}).of("b.py", "Y") is not None


# --- the script that makes the table


def test_the_script_makes_the_same_table_twice(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    files = {
        "ppcls/loss/__init__.py": "from .mine import MyLoss\nclass CombinedLoss: pass\n",
        "ppcls/loss/mine.py": "class MyLoss:\n    def __init__(self, made_up, other=1): pass\nclass Hidden: pass\n",
    }
    for name, text in files.items():
        file = clone / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    me = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q", "-b", "develop"), ("add", "."), (*me, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *command], cwd=clone, check=True)
    script = Path(__file__).resolve().parents[2] / "scripts" / "make_components.py"
    texts = []
    for number in range(2):
        output = tmp_path / f"{number}.json"
        subprocess.run(
            [sys.executable, str(script), str(clone), "--branches", "develop", "--output", str(output)], check=True, capture_output=True
        )
        texts.append(output.read_text(encoding="ascii"))
    assert texts[0] == texts[1]
    assert '"loss":{"MyLoss":[[1,' in texts[0] and "made_up" in texts[0] and '"Hidden":["ppcls/loss/mine.py",1]' in texts[0]
