"""Run by the interpreter that has paddle: saves weights in every way into the folder given, and prints what `paddle.load` gives back, as JSON."""

import hashlib
import json
import os
import sys
import warnings

import numpy as np
import paddle

warnings.simplefilter("ignore")
FOLDER = sys.argv[1]


def place(name):
    return os.path.join(FOLDER, name)


def main():
    paddle.seed(0)
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 8, 3), paddle.nn.BatchNorm2D(8), paddle.nn.Linear(8, 5))
    schedule = paddle.optimizer.lr.StepDecay(0.1, 3)
    optimizer = paddle.optimizer.Adam(schedule, parameters=net.parameters())
    (net[1](net[0](paddle.randn([2, 3, 8, 8]))).mean() + net[2](paddle.randn([2, 8])).mean()).backward()
    optimizer.step()
    state = net.state_dict()
    for protocol in (2, 3, 4):
        paddle.save(state, place(f"protocol-{protocol}.pdparams"), protocol=protocol)
        paddle.save({"model": state, "epoch": 7}, place(f"nested-{protocol}.pdparams"), protocol=protocol)
    paddle.save(optimizer.state_dict(), place("optimizer.pdopt"))
    paddle.save({"epoch": 3, "metric": np.float64(0.5), "top1": np.float32(0.25)}, place("states.pdstates"))
    for kind in ("float16", "bfloat16", "float64"):
        paddle.save({name: value.astype(kind) for name, value in state.items()}, place(f"{kind}.pdparams"))
    paddle.save({"step": paddle.to_tensor(3.0), "count": paddle.to_tensor(np.array(5))}, place("zero-d.pdparams"))
    paddle.save(net[2].weight, place("one.pdtensor"))
    paddle.save(sliced(), place("sliced.pdparams"), protocol=2)
    told = {name: loaded(place(name)) for name in sorted(os.listdir(FOLDER))}
    static()
    print(json.dumps(told))


def sliced():
    """Weights that are cut in pieces, as arrays of more than 1 GB are: the limit is lowered for it."""
    from paddle.framework import io, io_utils

    original = io_utils._unpack_saved_dict
    source = original.__code__.replace(co_consts=tuple(64 if value == 2**30 - 1 else value for value in original.__code__.co_consts))
    io._unpack_saved_dict = type(original)(source, original.__globals__)
    return {"long": paddle.arange(100, dtype="float32").reshape([10, 10]), "short": paddle.ones([2])}


def loaded(path):
    """Name → dtype, shape and hash of the values; nested ones by the usual key, a tensor alone by its own name."""
    value = paddle.load(path)
    if isinstance(value, paddle.Tensor):
        value = {value.name: value}
    value = value.get("model", value) if isinstance(value.get("model"), dict) else value
    found = {}
    for name, item in value.items():
        if isinstance(item, paddle.Tensor):
            array = np.ascontiguousarray(item.numpy())
            found[name] = [str(array.dtype), list(item.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    return found


def static():
    """The files of a static graph: combined parameters, a state, a tensor of its own (saved as `eval('data', …)`), one in the binary format."""
    paddle.enable_static()
    program, start = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(program, start):
        data = paddle.static.data("x", [None, 8], "float32")
        out = paddle.static.nn.fc(data, 5)
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(start)
        paddle.static.save_inference_model(place("exported"), [data], [out], executor)
        paddle.save({"deep": {"er": program.state_dict()}}, place("lod.static"))
    paddle.disable_static()
    paddle.save(paddle.ones([3, 4]), place("binary.static"), use_binary_format=True)


main()
