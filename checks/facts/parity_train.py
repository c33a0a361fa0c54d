"""The training side: what `tools/infer.py` does, step by step (`infer` in `ppcls/engine/engine.py`, 2.2 to develop), in the user's interpreter."""

import copy
import io
import os
import sys
import time
from typing import Any

from checks.facts.parity_common import Failed, Folder, digest, ranked, reason, stand_for_package, write_names
from checks.facts.parity_weights import match_weights
from checks.facts.probe_worker import find_ppcls

SOFTMAX = ("Topk", "ThreshOutput")
SIGMOID = ("MultiLabelThreshOutput", "VehicleAttribute", "PersonAttribute", "TableAttribute", "FaceAttribute")


class Decode:
    """`DecodeImage` of `ppcls/data/preprocess/ops/operators.py`, for a PaddleClas without it."""

    def __init__(self, to_rgb: Any = True, to_np: Any = True, channel_first: Any = False, backend: str = "cv2") -> None:
        self.to_rgb = to_rgb
        self.to_np = to_np
        self.channel_first = channel_first
        self.pillow = backend.lower() == "pil"

    def __call__(self, data: bytes) -> Any:
        if self.pillow:
            from PIL import Image

            image = Image.open(io.BytesIO(data)).convert("RGB")  # type: Any
        else:
            import cv2
            import numpy

            image = cv2.imdecode(numpy.frombuffer(data, dtype="uint8"), 1)
        if not self.to_np:
            return image
        if self.pillow:
            import numpy

            image = numpy.asarray(image)[:, :, ::-1]
        if self.to_rgb:
            image = image[:, :, ::-1]
        return image.transpose((2, 0, 1)) if self.channel_first else image


class Training:
    """The training side."""

    def __init__(self, order: Any, folder: Folder, teller: Any) -> None:
        import paddle

        self.order = order
        self.folder = folder
        self.activations = []  # type: Any
        self.recorded = None  # type: Any
        config = order["config"]
        wanted = str((config.get("Global") or {}).get("device", "cpu")).partition(":")[0]
        gpu = wanted == "gpu" and paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0
        self.device = str(paddle.set_device("gpu" if gpu else "cpu"))
        self.device = "gpu" if gpu else "cpu"
        teller.tell(kind="begun", stage="ppcls")
        self._import(order["roots"])
        teller.tell(kind="begun", stage="network")
        self.network, self.loaded, self.broken = None, None, None  # type: Any, Any, Any
        try:
            self.network = self._guard("network", self._network)
            teller.tell(kind="begun", stage="weights")
            self.loaded = self._guard("weights", self._load)
            self.network.eval()
        except Failed as failed:  # the rungs before it can be measured all the same
            self.broken = [failed.stage, reason(failed.error)]
        teller.tell(kind="begun", stage="transforms")
        self.ops = self._guard("transforms", lambda: self.create(order["transforms"]))
        self.post = self._guard("post-process", self._post)
        self.files = []  # type: Any

    def _guard(self, stage: str, work: Any) -> Any:
        try:
            return work()
        except BaseException as error:
            raise Failed(stage, error)

    def _import(self, roots: Any) -> None:
        here = list(sys.path)
        whole = find_ppcls(roots)
        if not whole:
            sys.path[:] = here
            import importlib.util

            spec = importlib.util.find_spec("paddleclas")
            places = list((spec.submodule_search_locations if spec else None) or ()) + list(roots)
            place = next((p for p in places if os.path.isfile(os.path.join(p, "ppcls", "arch", "__init__.py"))), None)
            if place is None:
                raise Failed("no-ppcls", ImportError("ppcls"))
            sys.path.insert(0, place)
        try:
            import ppcls.arch
            from ppcls.utils import logger

            if hasattr(logger, "init_logger"):
                logger.init_logger(log_file=None)
            if whole:
                import ppcls.data
        except BaseException as error:
            raise Failed("ppcls", error)
        self.stand_in = not whole
        if self.stand_in:
            stand_for_package(sys.path[0])
        self.code = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(ppcls.arch.__file__))))
        from ppcls.utils import config

        settings = copy.deepcopy(self.order["config"])
        self.config = config.AttrDict(settings)
        config.create_attr_dict(self.config)

    def _network(self) -> Any:
        import inspect

        import paddle
        import ppcls.arch

        whole = "mode" in inspect.signature(ppcls.arch.build_model).parameters
        with paddle.utils.unique_name.guard():  # many networks name their parameters, and a name is given once
            return ppcls.arch.build_model(self.config, "infer") if whole else ppcls.arch.build_model(self.config["Arch"])

    def _load(self) -> Any:
        path = (self.config.get("Global") or {}).get("pretrained_model")
        if path is None:
            return None
        from ppcls.utils.save_load import load_dygraph_pretrain

        load_dygraph_pretrain(self.network, path)
        return str(path)

    def create(self, specs: Any) -> Any:
        """The ops of a list of a config."""
        specs = copy.deepcopy(specs)
        if not self.stand_in:
            from ppcls.data import create_operators

            return create_operators(specs)
        from paddleclas.deploy.python import preprocess

        made = []
        for spec in specs:
            ((name, given),) = spec.items()
            made.append((Decode if name == "DecodeImage" else getattr(preprocess, name))(**(given or {})))
        return made

    def _post(self) -> Any:
        section = (self.config.get("Infer") or {}).get("PostProcess")
        if not section or self.order["output"] == "features":
            return None
        if not self.stand_in:
            from ppcls.data.postprocess import build_postprocess

            return build_postprocess(section)
        from paddleclas.deploy.python import postprocess

        given = dict(section)
        name = given.pop("name")
        if name == "DistillationPostProcess":
            name = given.pop("func", "Topk")
            given = {key: value for key, value in given.items() if key not in ("model_name", "key")}
        return getattr(postprocess, name)(**given)

    def ready(self) -> Any:
        """What this side is."""
        inner = getattr(self.post, "func", self.post)
        names = write_names(self.folder, getattr(inner, "class_id_map", None))
        return {
            "code": self.code,
            "stand_in": self.stand_in,
            "device": self.device,
            "loaded": self.loaded,
            "names": names,
            "broken": self.broken,
        }

    def do_run(self, image: str) -> Any:
        """All steps for one image; what was made before a failure is told with it."""
        begin = time.time()
        answer = {"arrays": {}}  # type: Any
        stage = "read"
        try:
            answer["bytes"] = digest(image)
            with open(image, "rb") as stream:
                value = stream.read()  # type: Any
            for number, (op, kind) in enumerate(zip(self.ops, self.order["kinds"])):
                stage = kind
                value = op(value)
                if value is None:
                    raise ValueError("no image")
                if number in self.order["marks"]:
                    answer["arrays"][self.order["marks"][number]] = self.folder.put(value)
            stage = "model"
            answer.update(self._forward(self.folder.get(answer["arrays"]["tensor"]), image, answer["arrays"]))
        except BaseException as error:
            raise_for_stop(error)
            answer.update(stage=stage, error=reason(error))
        answer["seconds"] = time.time() - begin
        return answer

    def do_model(self, tensor: str) -> Any:
        """The network on a tensor."""
        arrays = {}  # type: Any
        answer = self._forward(self.folder.get(tensor), "x", arrays)
        answer["arrays"] = arrays
        return answer

    def do_apply(self, ops: Any, array: Any = None, image: Any = None) -> Any:
        """Ops on an array, or on the bytes of an image."""
        if array is None:
            with open(image, "rb") as stream:
                value = stream.read()  # type: Any
        else:
            value = self.folder.get(array)
        for op in self.create(ops):
            value = op(value)
        return {"arrays": {"array": self.folder.put(value)}}

    def do_weights(self, model: str, params: str) -> Any:
        """The weights of the network beside those of an exported model."""
        arch = self.config["Arch"]
        chosen = getattr(self.network, str(arch.get("infer_model_name")), None) if arch.get("name") == "DistillationModel" else None
        left_out = "head." if self.order["output"] == "features" else None  # the export replaces it
        return match_weights(chosen if chosen is not None else self.network, model, left_out)

    def _forward(self, tensor: Any, image: str, arrays: Any) -> Any:
        import numpy
        import paddle

        if self.broken:
            raise RuntimeError(self.broken[1])
        with paddle.no_grad():
            out = self.network(paddle.to_tensor(numpy.array([tensor])))
            if isinstance(out, (list, tuple)):
                out = out[0]
            for key in ("Student", *(("features",) if self.order["output"] == "features" else ()), "logits", "output"):
                if isinstance(out, dict) and key in out:
                    out = out[key]
            if not hasattr(out, "numpy"):
                raise TypeError("the network gives " + type(out).__name__)
            raw = out.numpy().astype("float32")
            if self.order["output"] == "features":
                raw = raw / numpy.sqrt(numpy.sum(numpy.square(raw), axis=1, keepdims=True))
            arrays["output"] = self.folder.put(raw)
            if self.post is None:
                return {}
            result, probabilities = self._finish(out, image)
        arrays["probabilities"] = self.folder.put(probabilities if probabilities is not None else raw)
        return {"result": result, "activations": self.activations}

    def _finish(self, out: Any, image: str) -> Any:
        """The post-process, and what it makes of the network's output with the activation that is in it."""
        from paddle.nn import functional

        if self.stand_in:
            name = type(self.post).__name__
            known = "softmax" if name in SOFTMAX else "sigmoid" if name in SIGMOID else None
            self.activations = [known] if known else []
            values = (functional.softmax(out, axis=-1) if known == "softmax" else functional.sigmoid(out) if known else out).numpy()
            return ranked(self.post(values)), values
        seen = []  # type: Any
        kept = {name: getattr(functional, name) for name in ("softmax", "sigmoid")}

        def watched(name: str) -> Any:
            def call(*given: Any, **named: Any) -> Any:
                made = kept[name](*given, **named)
                seen.append((name, made.numpy()))
                return made

            return call

        for name in kept:
            setattr(functional, name, watched(name))
        try:
            result = ranked(self.post(out, [image]))
        finally:
            for name, function in kept.items():
                setattr(functional, name, function)
        self.activations = [name for name, _ in seen]
        return result, seen[-1][1] if seen else None


def raise_for_stop(error: BaseException) -> None:
    """Nobody is there any more who could hear of it."""
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
        raise error
