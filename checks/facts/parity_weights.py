"""The weights of the training network as really loaded, beside those of the exported model; a part of the training side's program."""

import copy
import hashlib
import os
from typing import Any

HALF = 2e-3
"""How far a value may be off for half precision, of the largest of its tensor: 2⁻¹¹ for each number, and as much again for sums of fused layers."""
AT_ONCE = 1 << 22
"""Numbers that are compared in one step."""
MOST_TOLD = 12


def match_weights(network: Any, model: str, left_out: Any = None) -> Any:
    """Counts of tensors that are equal, near, unlike and missing, as `WeightsMatch` has them; names that begin with `left_out` are not asked for."""
    network, fused = reparameterised(network)
    ours = [(name, array) for name, array in tensors_of(network) if not (left_out and name.startswith(left_out))]
    theirs = exported(model)
    if not theirs:
        return {"none": True}
    counts = dict.fromkeys(("equal", "near", "unlike", "missing"), 0)
    pairs = []
    free = {}  # type: Any
    for name, array in theirs:
        free.setdefault(array.shape, []).append((name, array))
    left = []
    for name, array in ours:
        same = free.get(array.shape, [])
        found = next((n for n, (_, other) in enumerate(same) if other.dtype == array.dtype and digest(other) == digest(array)), None)
        if found is None:
            left.append((name, array))
        else:
            same.pop(found)
            counts["equal"] += 1
    alone = []
    for rounds in ("near", "unlike"):  # what is near goes first, so that nothing else takes its counterpart
        waiting, left = left, []
        for name, array in waiting:
            same = free.get(array.shape, [])
            if not same:
                counts["missing"] += 1
                alone.append((name, array))
                continue
            error, best = nearest(array, [other for _, other in same])
            near = error <= HALF * max(float(abs(array.astype("float32")).max()) if array.size else 0.0, 1e-6)
            if rounds == "near" and not near:
                left.append((name, array))
                continue
            other = same.pop(best)
            counts["near" if near else "unlike"] += 1
            if not near:
                pairs.append({"name": name, "train": array.shape, "deploy": other[1].shape, "error": error})
    extra = [(name, array) for same in free.values() for name, array in same]
    for name, array in alone:
        other = next((one for one in extra if len(one[1].shape) == len(array.shape) and shares(one[1].shape, array.shape)), None)
        if other is not None:
            extra = [one for one in extra if one is not other]
        pairs.append({"name": name, "train": array.shape, "deploy": other[1].shape if other else None, "error": None})
    pairs = [dict(pair, train=list(pair["train"]), deploy=list(pair["deploy"]) if pair["deploy"] is not None else None) for pair in pairs]
    pairs.sort(key=lambda pair: pair["error"] is not None)
    return {
        **counts,
        "train": len(ours),
        "deploy": len(theirs),
        "extra": sum(map(len, free.values())),
        "dtypes": sorted({str(array.dtype) for _, array in theirs}),
        "train_fresh": fresh(ours),
        "deploy_fresh": fresh(theirs),
        "fused": fused,
        "pairs": pairs[: MOST_TOLD // 2] + pairs[MOST_TOLD // 2 :][-MOST_TOLD // 2 :],
    }


def nearest(array: Any, others: Any) -> Any:
    """(largest difference, place) of the tensor that is nearest to another of its shape."""
    import numpy

    if array.size * len(others) <= AT_ONCE:
        stacked = numpy.stack([other.astype("float32").reshape(-1) for other in others])
        errors = abs(stacked - array.astype("float32").reshape(-1)).max(axis=1) if array.size else numpy.zeros(len(others))
        errors = numpy.where(numpy.isfinite(errors), errors, 1e300)
        best = int(errors.argmin())
        return float(errors[best]), best
    return min((difference(array, other), place) for place, other in enumerate(others))


def shares(one: Any, other: Any) -> bool:
    """Whether two shapes of one rank differ in one side only, as those of a layer with another number of classes."""
    return bool(sum(a != b for a, b in zip(one, other)) <= 1)


def reparameterised(network: Any) -> Any:
    """The network as the export fuses it, and whether there was something to fuse."""
    names = ("re_parameterize", "rep")
    layers = [
        layer for layer in network.sublayers() if any(hasattr(layer, name) for name in names) and getattr(layer, "is_repped", None) is False
    ]
    if not layers:
        return network, False
    network = copy.deepcopy(network)
    for layer in network.sublayers():
        if getattr(layer, "is_repped", None) is False:
            for name in names:
                if hasattr(layer, name):
                    getattr(layer, name)()
                    break
    return network, True


def tensors_of(network: Any) -> Any:
    """Name and values of all tensors of numbers with fractions."""
    found = [(name, tensor.numpy()) for name, tensor in network.state_dict().items()]
    return [(name, array) for name, array in found if array.dtype.kind == "f"]


def exported(model: str) -> Any:
    """Name and values of the tensors of an exported model, as PaddlePaddle itself loads it."""
    import paddle

    prefix = os.path.splitext(model)[0]
    with paddle.utils.unique_name.guard():  # else what a process loads a second time is numbered on
        loaded = paddle.jit.load(prefix)
    found = [(str(tensor.name), tensor.numpy()) for tensor in loaded.state_dict().values()]
    return [(name, array) for name, array in found if array.dtype.kind == "f"]


def digest(array: Any) -> bytes:
    """A hash of the values."""
    return hashlib.sha1(array.tobytes()).digest()


def difference(one: Any, other: Any) -> float:
    """The largest difference of two tensors of one shape; 1e300 where one is not finite."""
    if not one.size:
        return 0.0
    error = float(abs(one.astype("float32") - other.astype("float32")).max())
    return min(error, 1e300) if error == error else 1e300


def fresh(tensors: Any) -> Any:
    """Whether all BatchNorm statistics are those of an initialiser: means 0, variances 1; None where there are none."""
    import re

    means = [a for name, a in tensors if re.search(r"(^|[._])(mean|running_mean)$|batch_norm.*\.w_1(_deepcopy_\d+)?(_\d+)?$", name)]
    variances = [a for name, a in tensors if re.search(r"(^|[._])(variance|running_var)$|batch_norm.*\.w_2(_deepcopy_\d+)?(_\d+)?$", name)]
    if not means or not variances:
        return None
    return bool(all((a == 0).all() for a in means) and all((a == 1).all() for a in variances))
