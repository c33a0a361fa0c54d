"""Runs both sides of the user's PaddleClas over the images, for `Parity`.

Nothing else of a check runs the user's code for results. Each side is a process of its own in the user's interpreter (`parity_worker`), so that one
that crashes or hangs takes neither the other nor us with it; it is started again for the next image, a few times.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from typing import Any

import msgspec

from checks.facts.base import Request, World
from checks.facts.deploy_config import DeployConfig
from checks.facts.parity import RUNGS, Cause, LabelMaps, Parity, Repair, Rung, RungName, Side, TensorPair, Trouble, WeightsMatch
from checks.facts.parity_arrays import TOLERANCES
from checks.facts.parity_chain import SideName
from checks.facts.parity_images import choose_images
from checks.facts.parity_labels import compare_labels, labels_rung
from checks.facts.parity_plan import Plan, lone_program, model_files
from checks.facts.parity_rungs import HALF_LOOSER, Comparison
from checks.facts.parity_side import Gone, Said, SideProcess
from checks.facts.parity_states import state_of, weights_rung
from checks.facts.probe_run import environment, interpreter
from checks.facts.training_config import TrainingConfig

RESTARTS = 3
"""How often a side that crashed or hung is started again."""

LEAVINGS = 5
"""How often the removal of the folder is tried."""

NAMES: tuple[SideName, ...] = ("train", "deploy")
_PIXELS: tuple[RungName, ...] = ("bytes", "decoded", "resized", "tensor")


class Crew:
    """The processes of both sides and the folder through which they talk; ended and removed on leaving.

    After Ctrl-C the interpreter ends while the thread of the fact is still here, and would stop it halfway through: so leaving is also due at exit,
    where it waits for a leaving that is under way.
    """

    def __init__(self) -> None:
        self.sides: dict[SideName, SideProcess] = {}
        self._leaving = threading.Lock()

    def __enter__(self) -> Crew:
        self.scratch = tempfile.mkdtemp(prefix="paddle-doctor-parity-")
        atexit.register(self._leave)
        self.folder = os.path.join(self.scratch, "arrays")
        os.mkdir(self.folder)
        return self

    def __exit__(self, *about: object) -> None:
        self._leave()
        atexit.unregister(self._leave)

    def _leave(self) -> None:
        with self._leaving:
            for side in list(self.sides.values()):
                side.end()
            for _ in range(LEAVINGS):  # what a side started may write until it is dead as well
                shutil.rmtree(self.scratch, ignore_errors=True)
                if not os.path.lexists(self.scratch):
                    return
                time.sleep(0.05)


class ParityRun:
    """One run of both sides."""

    def __init__(self, config: TrainingConfig, deploy: DeployConfig, request: Request, world: World) -> None:
        assert request.parity is not None
        self.wanted = request.parity
        self.world = world
        self.plan = Plan(config, deploy, request, world)
        self.chosen = choose_images(config, deploy, request, world)
        self.python = interpreter(request.python, world)
        self.done = 0
        self.sides: dict[SideName, SideProcess] = {}
        self.ready: dict[SideName, Said] = {}
        self.troubles: dict[SideName, Trouble] = {}
        self.restarts: dict[SideName, int] = {"train": 0, "deploy": 0}
        self.starts: dict[SideName, float] = {}
        self.times: dict[SideName, list[float]] = {"train": [], "deploy": []}
        self.weights: WeightsMatch | None = None
        self.weights_trouble: Trouble | None = None
        self.fused = False

    def run(self) -> Parity:
        """Start both sides, and compare what they make of every image."""
        with Crew() as crew:
            return self.run_with(crew)

    def run_with(self, crew: Crew) -> Parity:
        """The same with sides that may be there already, of an earlier run with the same interpreter, code and folders."""
        orders = self.plan.orders(crew.folder)
        lone = lone_program(self.plan.model) if not self.plan.onnx else None
        if lone is not None:  # PaddlePaddle 3.3.1 runs it with whatever lies in memory
            self.troubles["deploy"] = Trouble("no-parameters", {"model": lone[0], "file": lone[1]})
        environ = environment(self.world.environ, crew.scratch, gpu=True)
        cwds: dict[SideName, str] = {"train": self.plan.train_cwd, "deploy": self.plan.deploy_cwd}
        self.sides = crew.sides if lone is None else {}
        fresh = not self.sides
        for name in NAMES:
            if fresh:
                self.sides[name] = SideProcess(self.python, orders[name], cwds[name], environ, self.wanted.seconds, self._poll)
            else:
                self.sides[name].poll = self._poll
        comparison = Comparison(self.plan, crew.folder, self.sides)
        if lone is None:
            self._begin(None if fresh else orders)
        labels = compare_labels(crew.folder, {name: said.names for name, said in self.ready.items()}, self._maps())
        if not self.troubles:
            self._weights(comparison)
            self._images(comparison)
        return self._result(comparison, labels)

    def _poll(self) -> None:
        self.world.progress("Parity", self.done, len(self.chosen.files))

    def _maps(self) -> dict[SideName, str | None]:
        """The files of label maps that the configs name."""
        post = (self.plan.train_config.get("Infer") or {}).get("PostProcess") or {}
        theirs = self.plan.deploy_config.get("PostProcess")
        sections = [section for section in theirs.values() if isinstance(section, dict)] if isinstance(theirs, dict) else []
        named = next((section["class_id_map_file"] for section in sections if section.get("class_id_map_file")), None)
        ours = post.get("class_id_map_file") if isinstance(post, dict) else None
        return {"train": ours if isinstance(ours, str) else None, "deploy": named if isinstance(named, str) else None}

    def _begin(self, again: dict[str, dict[str, Any]] | None) -> None:
        """Start both at once (or have both built anew), and wait for both."""
        begin = time.monotonic()
        for name, side in self.sides.items():
            try:
                if again is None:
                    side.start()
                else:
                    side.again(again[name])
            except Gone as gone:
                self.troubles[name] = gone.trouble
        for name in self.sides:
            if name not in self.troubles:
                self._await(name)
                self.starts[name] = time.monotonic() - begin

    def _await(self, name: SideName) -> None:
        """Wait until a side is there; a deploy side that its predictor takes down is started again without what does it."""
        while True:
            side = self.sides[name]
            try:
                self.ready[name] = side.ready()
                return
            except Gone as gone:
                repairs = side.order.get("repairs", [])
                tried = {kind for kind, _ in repairs}
                repair = next((kind for kind in ("files", "memory-optim") if kind not in tried), None)
                if name == "train" or gone.trouble.kind != "ended" or side.stage != "predictor" or repair is None:
                    self.troubles[name] = gone.trouble
                    return
                said = f"{gone.trouble.values.get('output', '-')} ({gone.trouble.values.get('status', '-')})"
                side.order["repairs"] = [*repairs, [repair, said]]
                self._restart(name)

    def _restart(self, name: SideName) -> None:
        old = self.sides[name]
        old.end()
        fresh = SideProcess(old.python, old.order, old.cwd, old.environ, old.seconds, old.poll)
        self.sides[name] = fresh
        fresh.start()

    def _weights(self, comparison: Comparison) -> None:
        if self.ready["train"].broken is not None:
            return
        files = model_files(self.plan.model)
        if files is None:
            self.weights_trouble = Trouble("no-parameters", {"file": self.plan.model or "-"})
            return
        try:
            said = self.sides["train"].ask("weights", model=files[0], params=files[1])
        except Gone as gone:
            self.weights_trouble = gone.trouble
            self._revive("train")
            return
        if said.error is not None or said.none:
            self.weights_trouble = Trouble("no-parameters", {"file": files[1], "error": said.error or "-"})
            return
        self.fused = said.fused or self.plan.output == "features"  # what features do not need is left out of the export
        loaded = self.ready["train"].loaded
        pairs = tuple(msgspec.convert(pair, TensorPair) for pair in said.pairs)
        self.weights = WeightsMatch(
            loaded,
            said.train,
            said.deploy,
            said.equal,
            said.near,
            said.unlike,
            said.missing,
            said.extra,
            said.dtypes,
            said.train_fresh,
            said.deploy_fresh,
            pairs,
        )
        comparison.half = bool(said.near) or "float16" in said.dtypes

    def _images(self, comparison: Comparison) -> None:
        for file in self.chosen.files:
            answers: dict[SideName, Said | Trouble] = {}
            for name, side in self.sides.items():
                try:
                    side.tell("run", image=file)
                except Gone as gone:
                    answers[name] = gone.trouble
            for name, side in self.sides.items():
                if name in answers:
                    continue
                try:
                    said = side.hear()
                    answers[name] = said
                    self.times[name].append(said.seconds)
                except Gone as gone:
                    answers[name] = gone.trouble
            comparison.take(file, answers["train"], answers["deploy"])
            self.done += 1
            self._poll()
            for name, side in list(self.sides.items()):
                if isinstance(answers[name], Trouble) or side.gone:
                    self._revive(name)
            if self.troubles:
                break
        with contextlib.suppress(Gone):
            comparison.settle()

    def _revive(self, name: SideName) -> None:
        """Start a side again that is gone; after a few times it is given up."""
        self.restarts[name] += 1
        if self.restarts[name] > RESTARTS:
            self.troubles[name] = Trouble("ended-often", {"times": RESTARTS + 1})
            return
        try:
            self._restart(name)
            self.ready[name] = self.sides[name].ready()
        except Gone as gone:
            self.troubles[name] = gone.trouble

    def _result(self, comparison: Comparison, labels: LabelMaps) -> Parity:
        sides = {name: self._side(name, comparison) for name in self.sides}
        rungs = tuple(self._rung(name, comparison, labels, sides) for name in RUNGS)
        arrays, pictured = self._arrays(comparison)
        return Parity(
            self.plan.output,
            sides["train"],
            sides["deploy"],
            rungs,
            tuple(comparison.images),
            self.chosen.source,
            self.chosen.listed,
            self.weights,
            labels,
            arrays,
            pictured,
        )

    def _side(self, name: SideName, comparison: Comparison) -> Side:
        said = self.ready.get(name)
        times = self.times[name]
        deploy = name == "deploy"
        activation = comparison.activation if deploy else comparison.train_activation
        trouble = self.troubles.get(name)
        if trouble is None and said is not None and said.broken is not None:
            trouble = Trouble("raised", {"stage": said.broken[0], "error": said.broken[1], "python": self.python})
        return Side(
            python=self.python,
            paddle=self.sides[name].paddle,
            code=said.code if said else None,
            stand_in=said.stand_in if said else False,
            device=said.device if said else "cpu",
            wanted=self._wanted(name),
            ops=self.plan.deploy_ops if deploy else self.plan.train_ops,
            width=comparison.widths.get(name),
            activations={"none": (), None: (), "softmax-twice": ("softmax", "softmax")}.get(activation, (str(activation),)),
            post_process=(said.post_process if said else None) if deploy else self.plan.post_process,
            topk=(said.topk if said and type(said.topk) is int else None) if deploy else self.plan.topk,
            repairs=tuple(msgspec.convert({"kind": kind, "error": error}, Repair) for kind, error in said.repairs) if said else (),
            trouble=trouble,
            start=self.starts.get(name),
            first=times[0] if times else None,
            next=sum(times[1:]) / len(times[1:]) if len(times) > 1 else None,
        )

    def _wanted(self, name: SideName) -> str:
        """The device that the config of a side asks for."""
        config = self.plan.deploy_config if name == "deploy" else self.plan.train_config
        whole = config.get("Global") or {}
        if name == "train":
            return str(whole.get("device") or "cpu").partition(":")[0]
        return next((device for device in ("gpu", "npu", "xpu", "mlu") if whole.get(f"use_{device}")), "cpu")

    def _rung(self, name: RungName, comparison: Comparison, labels: LabelMaps, sides: dict[SideName, Side]) -> Rung:
        features = self.plan.output == "features"
        if (features and name in ("probabilities", "topk", "labels")) or (name == "labels" and self.plan.output in ("attributes", "score")):
            return Rung(name, "not-applicable")
        if name == "weights":
            return weights_rung(self.weights, self.fused, self.weights_trouble or self._why(name, sides))
        if name == "labels":
            return labels_rung(labels, sides, self._why(name, sides))
        whole = comparison.whole[name].spread() if name in comparison.whole else None
        alone = comparison.alone[name].spread() if name in comparison.alone else None
        state = state_of(alone)
        causes = tuple(comparison.causes.get(name, {}).values())
        trouble = None
        if state == "unknown":
            trouble = self._why(name, sides) or comparison.topk_trouble
        if state == "differs" and name in ("logits", "probabilities"):
            causes = self._of_model(name, comparison, sides)
        tolerance = TOLERANCES.get(name, 0.0) * (HALF_LOOSER if comparison.half and name not in _PIXELS else 1)
        return Rung(name, state, tolerance, whole, alone, causes, trouble)

    def _of_model(self, name: RungName, comparison: Comparison, sides: dict[SideName, Side]) -> tuple[Cause, ...]:
        train, deploy = sides["train"], sides["deploy"]
        if name == "probabilities":
            if train.activations == deploy.activations:
                return ()
            if not deploy.activations:
                return (Cause("activation-missing", "activation", None, list(train.activations), []),)
            kind = "activation-doubled" if len(deploy.activations) > len(train.activations) > 0 else "activation-other"
            return (Cause(kind, "activation", None, list(train.activations), list(deploy.activations)),)  # type: ignore[arg-type]
        if train.width != deploy.width:
            return (Cause("class-count", "weights", None, train.width, deploy.width),)
        rung = weights_rung(self.weights, self.fused, self.weights_trouble)
        if rung.causes:
            return tuple(msgspec.structs.replace(cause, proven=False) for cause in rung.causes)
        return (Cause("graph" if rung.state == "same" else "other-weights", "weights", None, None, None, proven=rung.state == "same"),)

    def _why(self, name: RungName, sides: dict[SideName, Side]) -> Trouble:
        """Why a rung could not be measured."""
        for side in ("train", "deploy"):
            trouble = sides[side].trouble
            if trouble is not None:
                return Trouble("side", {"side": side, "kind": trouble.kind, **trouble.values})
        return Trouble("no-images" if name in _PIXELS else "other-input")

    def _arrays(self, comparison: Comparison) -> tuple[str | None, str | None]:
        """Write the arrays of the image that differs most, if they were asked for."""
        if comparison.pictured is None:
            return None, None
        _, file, arrays = comparison.pictured
        if self.wanted.arrays is None or not arrays:
            return None, file
        import numpy

        try:
            with open(self.wanted.arrays, "wb") as stream:
                numpy.savez_compressed(stream, **arrays)
        except OSError:
            return None, file
        return self.wanted.arrays, file
