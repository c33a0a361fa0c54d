"""Collect the names and parameters of PaddleClas's components into ``knowledge/vocabulary/components.json``.

    python scripts/make_components.py PATH_TO_PADDLECLAS_GIT [--wheel FILE] [--branches NAME ...] [--output FILE] [--verbose]

PATH_TO_PADDLECLAS_GIT is a clone (bare or not) of https://github.com/PaddlePaddle/PaddleClas. Nothing is checked out, imported or executed:
sources are read from git's object store and parsed with ``ast``. A wheel of paddleclas, where one is given, counts as one branch more: 2.6.0 has a
network that no branch kept. What counts as a component, and where PaddleClas looks it up, is
``knowledge/namespaces.py``; how a constructor's parameters are followed is ``knowledge/signatures.py``. Two files hold the same table if and only
if they are equal byte for byte.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from knowledge.namespaces import FIXED, INJECTED, NAMESPACES, OVERWRITTEN, written
from knowledge.python_source import Module, Sources
from knowledge.signature import UNKNOWN, Signature
from knowledge.signatures import Signatures
from knowledge.visible import visible
from scripts.branches import LEGACY_BRANCHES, MODERN_BRANCHES, BranchSources, Repository

OUTPUT = Path(__file__).resolve().parent.parent / "knowledge" / "vocabulary" / "components.json"

# Constructors of paddle that PaddleClas's namespaces hold or hand keywords on to (paddle's public API reference, 2.x and 3.x together).
_PADDLE: dict[str, tuple[str, str]] = {
    "paddle.vision.transforms.ToTensor": ("", "data_format keys"),
    "paddle.vision.transforms.Resize": ("size", "interpolation keys"),
    "paddle.vision.transforms.RandomResizedCrop": ("size", "scale ratio interpolation keys"),
    "paddle.vision.transforms.CenterCrop": ("size", "keys"),
    "paddle.vision.transforms.RandomHorizontalFlip": ("", "prob keys"),
    "paddle.vision.transforms.RandomVerticalFlip": ("", "prob keys"),
    "paddle.vision.transforms.Normalize": ("", "mean std data_format to_rgb keys"),
    "paddle.vision.transforms.Transpose": ("", "order keys"),
    "paddle.vision.transforms.ColorJitter": ("", "brightness contrast saturation hue keys"),
    "paddle.vision.transforms.RandomCrop": ("size", "padding pad_if_needed fill padding_mode keys"),
    "paddle.vision.transforms.Pad": ("padding", "fill padding_mode keys"),
    "paddle.vision.transforms.RandomRotation": ("degrees", "interpolation resample expand center fill keys"),
    "paddle.vision.transforms.Grayscale": ("", "num_output_channels keys"),
    "paddle.vision.transforms.RandomErasing": ("", "prob scale ratio value inplace keys"),
    "paddle.nn.Layer": ("", "name_scope dtype"),
    "paddle.nn.L1Loss": ("", "reduction name"),
    "paddle.nn.MSELoss": ("", "reduction"),
    "paddle.nn.SmoothL1Loss": ("", "reduction delta is_huber name"),
    "paddle.nn.Tanh": ("", "name"),
    "paddle.io.DistributedBatchSampler": ("dataset batch_size", "num_replicas rank shuffle drop_last"),
    "paddle.io.BatchSampler": ("", "dataset sampler shuffle batch_size drop_last"),
    "paddle.io.Sampler": ("", "data_source"),
    "paddle.io.Dataset": ("", ""),
    "paddle.regularizer.L1Decay": ("", "coeff"),
    "paddle.regularizer.L2Decay": ("", "coeff"),
}
OUTSIDE = {
    name: Signature(frozenset(required.split()), frozenset(optional.split()), "error") for name, (required, optional) in _PADDLE.items()
}

# Files whose content tells which branch a checkout is; git's own blob ids, so that nothing of them is kept.
MARKERS = sorted(
    {space.module for space in NAMESPACES.values()}
    | {space.names for space in NAMESPACES.values() if space.names}
    | {"ppcls/engine/engine.py", "ppcls/data/preprocess/ops/operators.py", "ppcls/metric/metrics.py", "ppcls/optimizer/__init__.py"}
    | {"ppcls/utils/config.py", "ppcls/utils/save_load.py", "ppcls/data/reader.py", "tools/program.py", "tools/train.py", "setup.py"}
)


class WheelSources(Sources):
    """The Python files of a wheel, which holds them below `paddleclas/`."""

    def __init__(self, wheel: zipfile.ZipFile) -> None:
        names = {name.removeprefix("paddleclas/"): name for name in wheel.namelist() if name.endswith(".py")}
        super().__init__(lambda path: wheel.read(names[path]).decode("utf-8", errors="replace") if path in names else None)
        self.tree = names


class Table:
    """Components by kind and name; for each branch, as a bit, the signature it has there."""

    def __init__(self, branches: list[str]) -> None:
        self.branches = branches
        self.found: dict[str, dict[str, dict[Signature, int]]] = {}
        self.hidden: dict[str, dict[str, tuple[str, int]]] = {}
        self.blobs: dict[str, dict[str, int]] = {}
        self.kinds: dict[str, int] = {}

    def add(self, kind: str, name: str, signature: Signature, bit: int) -> None:
        """Take a component of one branch."""
        variants = self.found.setdefault(kind, {}).setdefault(name, {})
        variants[signature] = variants.get(signature, 0) | bit

    def branch(self, number: int, sources: BranchSources | WheelSources, legacy: bool, escapes: set[str]) -> None:
        """Take everything that one branch has."""
        bit = 1 << number
        signatures = Signatures(sources, OUTSIDE)
        for kind, space in NAMESPACES.items():
            names = visible(sources, kind) if (space.generation == "legacy") == legacy or space.generation == "deploy" else None
            if not names:  # release/static has its optimizers in paddle
                continue
            self.kinds[kind] = self.kinds.get(kind, 0) | bit
            for name in sorted(names):
                found = signatures.of(space.module, written(kind, name)) or UNKNOWN
                found = found.without(INJECTED.get(kind, ()))
                late = found.required & set(OVERWRITTEN.get(kind, ()))
                self.add(kind, name, Signature(found.required - late, found.optional | late, found.rest), bit)
            if space.folder:
                self._hidden(kind, space.folder, sources, names, bit)
        if not legacy:
            self.kinds["regularizer"] = self.kinds.get("regularizer", 0) | bit
            for name in FIXED["regularizer"]:
                self.add("regularizer", name, OUTSIDE[f"paddle.regularizer.{name}Decay"], bit)
        for path in MARKERS:
            if path in sources.tree and isinstance(sources, BranchSources):
                known = self.blobs.setdefault(path, {})
                short = sources.tree[path][:12]
                known[short] = known.get(short, 0) | bit
        escapes |= signatures.escapes

    def _hidden(self, kind: str, folder: str, sources: BranchSources | WheelSources, names: set[str], bit: int) -> None:
        """Classes that are there but that PaddleClas does not bring into its namespace."""
        for path in sources.tree:
            if not path.endswith(".py") or not re.match(folder, path):
                continue
            module = sources.module(path)
            for name, node in module.definitions.items() if module else ():
                kept = re.fullmatch(NAMESPACES[kind].keep, name) and not name.startswith("_")
                # an architecture is a function that builds a network; the classes beside it are its building blocks
                public = isinstance(node, ast.FunctionDef if kind.endswith("arch") else ast.ClassDef)
                if kept and public and name not in names:
                    before = self.hidden.setdefault(kind, {}).get(name, (path, 0))
                    self.hidden[kind][name] = (path, before[1] | bit)

    def render(self, commits: Mapping[str, str]) -> str:
        """The JSON text: one component kind per line."""
        everything = {s for names in self.found.values() for v in names.values() for s in v} | set(OUTSIDE.values())
        words = sorted({w for s in everything for w in s.names})
        number = {word: index for index, word in enumerate(words)}
        unique = sorted(everything, key=lambda s: (sorted(s.required), sorted(s.optional), s.rest))
        index = {signature: i for i, signature in enumerate(unique)}
        about = {
            "what": "Names and parameters of PaddleClas's components, per kind; numbers are sets of branches, a bit each, and signatures.",
            "source": "https://github.com/PaddlePaddle/PaddleClas (Apache-2.0); names of classes and parameters only, no code or text.",
            "made_by": "scripts/make_components.py",
            "branches": dict(commits),
        }
        parts = {
            "about": about,
            "branches": self.branches,
            "covers": self.kinds,
            "words": words,
            "signatures": [
                [
                    [number[w] for w in sorted(s.required)],
                    [number[w] for w in sorted(s.optional)],
                    ("error", "ignored", "open").index(s.rest),
                ]
                for s in unique
            ],
            "blobs": self.blobs,
            "outside": {name: index[s] for name, s in sorted(OUTSIDE.items())},
        }
        lines = [f'"{key}":{_compact(value)}' for key, value in parts.items()]
        kinds = {
            kind: {name: [[bits, index[s]] for s, bits in sorted(v.items(), key=lambda item: item[1])] for name, v in sorted(names.items())}
            for kind, names in sorted(self.found.items())
        }
        lines.append('"kinds":{' + ",\n".join(f"{_compact(kind)}:{_compact(names)}" for kind, names in kinds.items()) + "}")
        lines.append(
            '"hidden":{'
            + ",\n".join(f"{_compact(kind)}:{_compact(dict(sorted(n.items())))}" for kind, n in sorted(self.hidden.items()))
            + "}"
        )
        return "{" + ",\n".join(lines) + "}\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Collect the names and parameters of PaddleClas's components.")
    parser.add_argument("repository", type=Path, help="a clone of PaddleClas, bare or not")
    parser.add_argument(
        "--branches", nargs="+", default=["release/static", *LEGACY_BRANCHES, *MODERN_BRANCHES, "dev_hackathon4"], metavar="NAME"
    )
    parser.add_argument("--wheel", type=Path, help="a wheel of paddleclas, taken as one branch more")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--verbose", action="store_true", help="also say where keywords could not be followed")
    options = parser.parse_args(arguments)
    repository = Repository(options.repository)
    try:
        commits = {branch: repository.commit(branch) for branch in options.branches}
        table = Table(list(commits))
        cache: dict[str, Module | None] = {}
        escapes: set[str] = set()
        for number, (branch, commit) in enumerate(commits.items()):
            legacy = branch in ("release/static", *LEGACY_BRANCHES)
            table.branch(number, BranchSources(repository, repository.tree(commit), cache), legacy, escapes)
            print(f"{branch}: {commit[:10]}", file=sys.stderr)
        if options.wheel:
            version = options.wheel.name.split("-")[1]
            table.branches.append(version)
            commits[version] = options.wheel.name
            with zipfile.ZipFile(options.wheel) as wheel:
                table.branch(len(table.branches) - 1, WheelSources(wheel), False, escapes)
        text = table.render(commits)
    finally:
        repository.close()
    if options.verbose:
        for line in sorted(escapes):
            print(f"not followed: {line}", file=sys.stderr)
    options.output.write_text(text, encoding="ascii")
    print(f"{options.output}: {len(text)} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
