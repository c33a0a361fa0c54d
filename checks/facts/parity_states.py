"""What answers, comparisons and weights come to in the records of `Parity`."""

from __future__ import annotations

from checks.facts.parity import Cause, Ranked, Rung, RungState, Spread, Trouble, WeightsMatch
from checks.facts.parity_side import RankedSaid, Said


def ranked(said: RankedSaid | None) -> Ranked | None:
    """A result for the record."""
    return Ranked(said.ids, said.scores, said.names) if said is not None else None


def trouble_of(said: Said | Trouble) -> Trouble | None:
    """Why a side has nothing for an image, None where it has."""
    if isinstance(said, Trouble):
        return said
    if said.unread:
        return Trouble("unread", {})
    return Trouble("raised", {"stage": said.stage, "error": said.error}) if said.error is not None else None


def state_of(spread: Spread | None) -> RungState:
    """Whether a comparison found a difference."""
    return "unknown" if spread is None else "differs" if spread.differing else "same"


def weights_rung(weights: WeightsMatch | None, fused: bool, trouble: Trouble | None) -> Rung:
    """The rung of weights, with its causes."""
    if weights is None:
        return Rung("weights", "unknown", trouble=trouble)
    causes = []
    unlike = [pair for pair in weights.pairs if pair.error is not None]
    resized = [pair for pair in weights.pairs if pair.error is None and pair.deploy is not None]
    missing = 0 if fused else weights.missing
    sides = {(a, b) for pair in resized for a, b in zip(pair.train, pair.deploy or (), strict=False) if a != b}
    head = resized[:1] if missing and len(sides) == 1 else []  # a head of another size changes one number, another network many
    if head:
        causes.append(
            Cause("class-count", "weights", head[0].name, list(head[0].train), list(head[0].deploy or ()), alone=not weights.unlike)
        )
    if weights.unlike or (missing and not head):
        kind, name = "other-weights", unlike[0].name if unlike else weights.pairs[0].name if weights.pairs else None
        if weights.train_file is None or (weights.train_fresh and weights.deploy_fresh is False):
            causes.append(Cause("no-weights", "weights", name, False, True, alone=not head))
        elif weights.deploy_fresh and weights.train_fresh is False:
            causes.append(Cause("no-weights", "weights", name, True, False, alone=not head))
        else:
            causes.append(Cause(kind, "weights", name, weights.unlike + missing, weights.train, alone=not head))  # type: ignore[arg-type]
    if weights.near > weights.unlike + missing or "float16" in weights.dtypes:  # a few small tensors are near by chance
        causes.append(Cause("half-precision", "weights", None, "float32", "float16", alone=len(causes) == 0))
    return Rung("weights", "differs" if causes else "same", 0.0, causes=tuple(causes))
