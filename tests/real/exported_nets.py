"""Imported by the interpreter that has paddle: exports networks of PaddleClas. The tracing of PaddlePaddle wants its source in a file."""

import os

import numpy as np
import paddle


class Exported(paddle.nn.Layer):
    """A network and `times` softmaxes."""

    def __init__(self, net, times):
        super().__init__()
        self.net, self.times, self.last = net, times, paddle.nn.Softmax(-1)

    def forward(self, x):
        x = self.net(x)
        x = x[0] if isinstance(x, (list, tuple)) else x
        for _ in range(self.times):
            x = self.last(x)
        return x


def export(arch, folder, nets):
    """Export each, with its weights beside it; the values that were given to its parameters, by name."""
    told = {}
    for place, (name, options) in nets.items():
        with paddle.utils.unique_name.guard():
            net = getattr(arch, name)(pretrained=False, class_num=5)
        net.eval()
        for layer in net.sublayers() if options.get("fuse") else ():
            if hasattr(layer, "re_parameterize"):
                layer.re_parameterize()
        values = {}
        for number, tensor in enumerate(net.state_dict().values(), 1) if options.get("number") else ():
            tensor.set_value(np.full(tensor.shape, number / 64, "float32"))
            values[tensor.name] = number / 64
        paddle.save(net.state_dict(), os.path.join(folder, f"{place}.pdparams"))
        whole = Exported(net, options.get("softmax", 1))
        whole.eval()
        spec = [paddle.static.InputSpec([None, 3, 64, 64], "float32")]
        paddle.jit.save(paddle.jit.to_static(whole, input_spec=spec), os.path.join(folder, place, "inference"))
        told[place] = values
    return told
