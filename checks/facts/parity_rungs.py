"""Compares what both sides made of an image, rung by rung, and asks them for what they would make of each other's arrays."""

from __future__ import annotations

import os
from typing import Any

from checks.facts.parity import Cause, ImageParity, RungName, Trouble
from checks.facts.parity_arrays import (
    BROKEN,
    TOLERANCES,
    Activation,
    Gathered,
    activate,
    as_seen,
    error_of,
    like,
    logits_tolerance,
    orientation,
    recognise,
    settle,
    undo,
)
from checks.facts.parity_chain import Chains, SideName, Unit, rung_of, smallest
from checks.facts.parity_plan import Plan
from checks.facts.parity_side import Gone, RankedSaid, Said, SideProcess
from checks.facts.parity_states import ranked, trouble_of

ANALYSED = 3
"""Images on which the steps of pre-processing are put right one by one."""
CROSSED = 20
"""Images for which the deploy side's tensor goes through the training network, and the training side's probabilities through the deploy side's
post-process."""
SETTLING = 8
"""Images after which the activation of the deployed model is settled."""

HALF_LOOSER = 20
"""How many times further outputs may be apart where one side computes in half precision."""


class Model:
    """What the network gave for one image, kept until the activation is settled."""

    def __init__(self, file: str, train: Any, probabilities: Any, deploy: Any, crossed: Any) -> None:
        self.file = file
        self.train = train
        self.probabilities = probabilities
        self.deploy = deploy
        self.crossed = crossed


class Comparison:
    """Gathers all rungs over the images."""

    def __init__(self, plan: Plan, folder: str, sides: dict[SideName, SideProcess]) -> None:
        self.plan = plan
        self.folder = folder
        self.sides = sides
        self.chains = Chains(plan.train_ops, plan.deploy_ops)
        self.whole: dict[RungName, Gathered] = {}
        self.alone: dict[RungName, Gathered] = {}
        self.causes: dict[RungName, dict[tuple[Any, ...], Cause]] = {}
        self.images: list[ImageParity] = []
        self.activation: Activation | None = None
        self.train_activation: Activation = "none"
        self.widths: dict[SideName, int] = {}
        self.waiting: list[Model] = []
        self.errors: dict[str, tuple[dict[RungName, float], dict[RungName, float]]] = {}
        self.half = False
        self.analysed = self.crossed = self.posted = 0
        self.pictured: tuple[float, str, dict[str, Any]] | None = None
        self.topk_trouble: Trouble | None = None

    def take(self, file: str, train: Said | Trouble, deploy: Said | Trouble) -> None:
        """Compare what both sides made of an image; `Trouble` for a side that is gone."""
        troubles = {"train": trouble_of(train), "deploy": trouble_of(deploy)}
        whole: dict[RungName, float] = {}
        alone: dict[RungName, float] = {}
        self.errors[file] = (whole, alone)
        ours, theirs = (said if isinstance(said, Said) else Said("answer") for said in (train, deploy))
        crossed: Said | None = None
        turned: Said | None = None
        if ours.bytes is not None and theirs.bytes is not None:
            self._count("bytes", file, ours.bytes != theirs.bytes, whole, alone)
        try:
            self._pixels(file, ours, theirs, troubles, whole, alone)
            crossed, turned = self._cross(ours, theirs, whole)
        except Gone as gone:
            troubles["deploy"] = troubles["deploy"] or gone.trouble
        self._model(file, ours, theirs, crossed)
        self._topk(file, ours, theirs, whole, alone)
        self._picture(file, ours, theirs, whole.get("tensor", 0.0))
        self.images.append(
            ImageParity(
                file,
                troubles["train"],
                troubles["deploy"],
                ranked(ours.result),
                ranked(theirs.result),
                ranked(crossed.result) if crossed else None,
                ranked(turned.result) if turned else None,
                whole,
                alone,
            )
        )
        self._sweep()

    def array(self, said: Said, name: str) -> Any:
        """An array of an answer, None where there is none."""
        import numpy

        written = said.arrays.get(name)
        if written is None and name == "resized":
            return self.array(said, "decoded")  # no op changes the image's size
        try:
            return numpy.load(os.path.join(self.folder, os.path.basename(written)), allow_pickle=False) if written else None
        except (OSError, ValueError):
            return None

    def _count(self, rung: RungName, file: str, differs: bool, whole: dict[RungName, float], alone: dict[RungName, float]) -> None:
        for gathered, errors in ((self.whole, whole), (self.alone, alone)):
            gathered.setdefault(rung, Gathered()).count(file, differs)
            errors[rung] = BROKEN if differs else 0.0

    def _pixels(
        self,
        file: str,
        ours: Said,
        theirs: Said,
        troubles: dict[str, Trouble | None],
        whole: dict[RungName, float],
        alone: dict[RungName, float],
    ) -> None:
        """The rungs from decoded pixels to the tensor."""
        before = 0.0
        for rung, earlier in (("decoded", ""), ("resized", "decoded"), ("tensor", "resized")):
            name: RungName = rung  # type: ignore[assignment]  # one of the rungs
            one, other = self.array(ours, rung), self.array(theirs, rung)
            if one is None:
                if other is not None and rung == "decoded":
                    self._count("decoded", file, True, whole, alone)  # only one side can read it
                return
            tolerance = TOLERANCES[name]
            if other is None:
                if rung == "decoded" and theirs.unread:
                    self._count("decoded", file, True, whole, alone)
                elif self.array(theirs, earlier) is not None if earlier else False:
                    self._differs(name, file, whole)
            else:
                whole[name] = self.whole.setdefault(name, Gathered()).add(file, one, other, tolerance)
            made = other
            if earlier and (before > TOLERANCES[earlier] or other is None):  # type: ignore[index]  # a rung
                made = self._deploy_on(ours, rung, earlier)
            if made is not None:
                alone[name] = self.alone.setdefault(name, Gathered()).add(file, one, made, tolerance)
            elif earlier:
                self._differs(name, file, alone, False)
            before = whole.get(name, BROKEN)
            if rung == "decoded" and other is not None and whole[name] > 0:
                self._decoding(one, other)
        if any(alone.get(name, 0.0) > TOLERANCES[name] for name in ("resized", "tensor")) and self.analysed < ANALYSED:
            self.analysed += 1
            self._steps(ours)

    def _differs(self, name: RungName, file: str, errors: dict[RungName, float], whole: bool = True) -> None:
        (self.whole if whole else self.alone).setdefault(name, Gathered()).count(file, True)
        errors[name] = BROKEN

    def _deploy_on(self, ours: Said, rung: str, earlier: str) -> Any:
        """What the deploy side's ops of a rung make of the training side's array of the rung before."""
        ops = [op for op in self.plan.deploy_ops if rung_of(op.step) == rung or (op.step == "other" and rung == "resized")]
        source = ours.arrays.get(earlier) or ours.arrays.get("decoded")
        return self._run([("deploy", op.name, op.parameters) for op in ops], source)

    def _run(self, chain: list[tuple[SideName, str, dict[str, Any]]], source: str | None) -> Any:
        """The array that a mixed chain makes of another; None where an op fails."""
        name = source
        said = Said("answer", arrays={"array": source} if source else {})
        while chain and name is not None:
            side = chain[0][0]
            count = next((n for n, link in enumerate(chain) if link[0] != side), len(chain))
            ops = [{op: parameters} for _, op, parameters in chain[:count]]
            said = self.sides[side].ask("apply", ops=ops, array=name)
            name = said.arrays.get("array")
            chain = chain[count:]
        return self.array(said, "array") if name else None

    def _decoding(self, one: Any, other: Any) -> None:
        """Why decoded pixels differ."""
        op = next((op for op in self.plan.train_ops if op.step == "decode"), None)
        key = f"{op.key}.{op.name}" if op else None
        given = op.parameters if op else {}
        pillow = str(given.get("backend", "")).lower() == "pil"
        if one.ndim == other.ndim == 3 and one.shape[0] == 3 != one.shape[2]:
            self._because("decoded", Cause("parameter", "decode", "channel_first", True, False, f"{key}.channel_first"))
            one = one.transpose(1, 2, 0)
        turned = orientation(one, other) or orientation(one, other[..., ::-1])
        if turned:
            self._because("decoded", Cause("orientation", "decode", None, "pillow" if pillow else "cv2", "cv2", None, None, proven=False))
            self._because("decoded", Cause("backend", "decode", "backend", "pil", "cv2", f"{key}.backend")) if pillow else None
            return
        exact = error_of(one, other[..., ::-1])[0] == 0.0
        reversed_ = exact or (like(one, other[..., ::-1]) and not like(one, other))
        if reversed_:
            written = f"{key}.to_rgb" if "to_rgb" in given else None
            rgb = bool(given.get("to_rgb", True))
            self._because("decoded", Cause("colour-order", "decode", "to_rgb", "RGB" if rgb else "BGR", "BGR" if rgb else "RGB", written))
        if not exact and pillow:
            self._because("decoded", Cause("backend", "decode", "backend", "pil", "cv2", f"{key}.backend", alone=not reversed_))
        if not reversed_ and not pillow:
            self._because("decoded", Cause("code", "decode", None, op.name if op else None, self.plan.script, proven=False))

    def _steps(self, ours: Said) -> None:
        """Which steps must be put right for the deploy side's ops to make the training side's tensor of its pixels."""
        target = self.array(ours, "tensor")
        source = ours.arrays.get("decoded")
        if target is None or source is None:
            return

        def equal(units: list[Unit]) -> bool:
            made = self._run(self.chains.chain(units), source)
            error = error_of(target, made)[0] if made is not None else None
            return error is not None and error <= TOLERANCES["tensor"]

        kept, enough = smallest(self.chains.units, equal)
        counts: dict[RungName, int] = {}
        for unit in kept:
            counts[rung_of(unit.step)] = counts.get(rung_of(unit.step), 0) + 1
        for unit in kept:
            self._because(rung_of(unit.step), self.chains.cause(unit, enough and counts[rung_of(unit.step)] == 1, enough))
        if not enough:
            self._other_code(source)

    def _other_code(self, source: str) -> None:
        """With the same parameters, the ops whose code makes something else."""
        name: str | None = source
        for train, deploy in self.chains.pairs:
            if train is None or name is None:
                continue
            said = self.sides["train"].ask("apply", ops=[{train.name: train.parameters}], array=name)
            if deploy is not None and train.name == deploy.name:
                other = self._run([("deploy", deploy.name, train.parameters)], name)
                one = self.array(said, "array")
                error = error_of(one, other)[0] if one is not None and other is not None else None
                if error is None or error > TOLERANCES["tensor"]:
                    self._because(rung_of(train.step), Cause("code", train.step, None, train.name, deploy.name, train.key, deploy.key))
            name = said.arrays.get("array")

    def _because(self, rung: RungName, cause: Cause) -> None:
        self.causes.setdefault(rung, {}).setdefault((cause.kind, cause.step, cause.parameter, cause.deploy_key), cause)

    def _cross(self, ours: Said, theirs: Said, whole: dict[RungName, float]) -> tuple[Said | None, Said | None]:
        """(the deployed model on the training side's tensor, the training network on the deploy side's); None where it would be the same."""
        if whole.get("tensor", BROKEN) <= TOLERANCES["tensor"] and "output" in theirs.arrays:
            return theirs, None
        crossed = turned = None
        if "tensor" in ours.arrays:
            crossed = self.sides["deploy"].ask("model", tensor=ours.arrays["tensor"])
        if "tensor" in theirs.arrays and self.crossed < CROSSED:
            self.crossed += 1
            turned = self.sides["train"].ask("model", tensor=theirs.arrays["tensor"])
        return crossed, turned

    def _model(self, file: str, ours: Said, theirs: Said, crossed: Said | None) -> None:
        train = self.array(ours, "output")
        if train is None:
            return
        self.train_activation = ours.activations[-1] if ours.activations else "none"  # type: ignore[assignment]  # softmax or sigmoid
        self.widths["train"] = int(train.shape[-1])
        other = self.array(crossed, "output") if crossed else None
        deploy = self.array(theirs, "output")
        for array in (other, deploy):
            if array is not None:
                self.widths["deploy"] = int(array.shape[-1])
        model = Model(file, train, self.array(ours, "probabilities"), deploy, other)
        if self.activation is not None:
            self._outputs(model)
            return
        self.waiting.append(model)
        if len(self.waiting) >= SETTLING:
            self.settle()

    def settle(self) -> None:
        """Decide what the deployed model puts its output through, and compare the outputs that waited for it."""
        if not self.waiting:
            return
        seen = [(model.train, other) for model in self.waiting if (other := self._output(model)) is not None]
        fitting: list[Activation] = ["softmax", "sigmoid", "softmax-twice", "none"]
        for train, other in seen:
            fitting = [a for a in fitting if close(train, other, a, logits_tolerance(train) * (HALF_LOOSER if self.half else 1))]
        unsure: Activation = "none" if self.plan.output == "features" else settle(recognise(other) for _, other in seen)
        self.activation = fitting[0] if fitting and seen else unsure if seen else None
        for model in self.waiting:
            self._outputs(model)
        self.waiting = []

    @staticmethod
    def _output(model: Model) -> Any:
        return model.crossed if model.crossed is not None else model.deploy

    def _outputs(self, model: Model) -> None:
        """The rungs of logits and probabilities of an image."""
        whole, alone = self.errors[model.file]
        activation = self.activation
        if activation is None:
            return
        looser = HALF_LOOSER if self.half else 1
        seen = as_seen(model.train, activation)
        for array, gathered, errors in ((model.deploy, self.whole, whole), (model.crossed, self.alone, alone)):
            if array is None:
                continue
            tolerance = logits_tolerance(model.train) * looser
            errors["logits"] = gathered.setdefault("logits", Gathered()).add(model.file, seen, undo(array, activation), tolerance)
        if self.plan.output == "features" or model.probabilities is None:
            return
        made = activate(model.train, activation)
        for array, gathered, errors in ((model.deploy, self.whole, whole), (made, self.alone, alone)):
            if array is not None:
                tolerance = TOLERANCES["probabilities"] * looser
                spread = gathered.setdefault("probabilities", Gathered())
                errors["probabilities"] = spread.add(model.file, model.probabilities, array, tolerance)

    def _topk(self, file: str, ours: Said, theirs: Said, whole: dict[RungName, float], alone: dict[RungName, float]) -> None:
        if ours.result is None or self.plan.output == "features":
            return
        if theirs.result is not None:
            self._ranks("topk", file, ours.result, theirs.result, self.whole, whole)
        if self.posted >= CROSSED or "probabilities" not in ours.arrays:
            return
        self.posted += 1
        try:
            said = self.sides["deploy"].ask("post", array=ours.arrays["probabilities"])
        except Gone as gone:
            self.topk_trouble = gone.trouble
            return
        if said.result is not None:
            self._ranks("topk", file, ours.result, said.result, self.alone, alone)
        elif said.error is not None:
            self.topk_trouble = Trouble("raised", {"stage": "post-process", "error": said.error})

    def _ranks(
        self,
        rung: RungName,
        file: str,
        one: RankedSaid,
        other: RankedSaid,
        gathered: dict[RungName, Gathered],
        errors: dict[RungName, float],
    ) -> None:
        """Compare ids and scores, of as many as both sides give; ids of equal scores may be in any order."""
        import numpy

        count = min(len(one.ids), len(other.ids))
        if len(one.ids) != len(other.ids):
            self._because("topk", Cause("top-k", "post-process", "topk", len(one.ids), len(other.ids), proven=True))
        kept = gathered.setdefault(rung, Gathered())
        tolerance = TOLERANCES["topk"] * (HALF_LOOSER if self.half else 1)
        scores = [numpy.array(side.scores[:count], dtype="float64") for side in (one, other)]
        if scores[0].shape != scores[1].shape:
            kept.count(file, True)
            errors[rung] = BROKEN
            return
        errors[rung] = kept.add(file, scores[0], scores[1], tolerance)
        swapped = [n for n in range(count) if one.ids[n] != other.ids[n]]
        tied = all(
            any(m != n and m < len(one.scores) and abs(one.scores[m] - one.scores[n]) <= 2e-5 for m in range(count)) for n in swapped
        )
        if swapped and errors[rung] <= tolerance and not (tied or count < len(one.ids)):
            kept.differing += 1
            errors[rung] = max(errors[rung], 1.0)

    def _picture(self, file: str, ours: Said, theirs: Said, error: float) -> None:
        if self.pictured is not None and error <= self.pictured[0]:
            return
        arrays = {
            f"{side}_{name}": self.array(said, name)
            for side, said in (("train", ours), ("deploy", theirs))
            for name in ("resized", "tensor")
        }
        self.pictured = (error, file, {name: array for name, array in arrays.items() if array is not None})

    def _sweep(self) -> None:
        for name in os.listdir(self.folder):
            if name.endswith(".npy"):
                os.unlink(os.path.join(self.folder, name))


def close(train: Any, other: Any, activation: Activation, tolerance: float) -> bool:
    """Whether an output is that of these logits under an activation."""
    error = error_of(as_seen(train, activation), undo(other, activation))[0]
    return error is not None and error <= tolerance
