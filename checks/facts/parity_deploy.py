"""The deploy side: what `deploy/python/predict_cls.py` does, step by step (2.2 to develop), in the user's interpreter.

The script itself is imported: its `main` reads each image, its predictor pre-processes, runs the exported model and post-processes. Where the
predictor cannot be built as the user would build it, that is told, and the call that stops it is left out.
"""

import importlib
import importlib.util
import os
import sys
import time
from typing import Any

from checks.facts.parity_common import Failed, Folder, digest, ranked, reason, stand_for_package, write_names

ATTEMPTS = 5
UNIMPORTABLE = []  # type: Any
"""What the import had to leave out, for a side that is built again."""


class Captured(BaseException):  # past every `except Exception` of the user's
    """Carries what a predictor was given."""


class Watched:
    """An op whose results are kept."""

    def __init__(self, op: Any, kept: Any) -> None:
        self.op = op
        self.kept = kept

    def __call__(self, image: Any) -> Any:
        made = self.op(image)
        self.kept.append(made)
        return made


class Deployment:
    """The deploy side."""

    def __init__(self, order: Any, folder: Folder, teller: Any) -> None:
        self.order = order
        self.folder = folder
        self.repairs = []  # type: Any
        for kind, error in order["repairs"]:
            self.repairs.append([kind, error])
        teller.tell(kind="begun", stage="deploy")
        self.module = self._import(order["places"])
        config = self.module.config
        self.config = config.AttrDict(order["config"])
        config.create_attr_dict(self.config)
        self.name = "RecPredictor" if order["script"] == "predict_rec" else "ClsPredictor"
        self.outputs = []  # type: Any
        self.made = []  # type: Any
        teller.tell(kind="begun", stage="predictor")
        self.broken = None  # type: Any
        self.predictor = self._predictor()
        self.post = self.predictor.postprocess
        self.predictor.postprocess = self._kept
        self.predictor.benchmark = False
        self.ops = [Watched(op, self.made) for op in self.predictor.preprocess_ops]

    def _import(self, places: Any) -> Any:
        """The script of the checkout, else that of the installed package."""
        spec = importlib.util.find_spec("paddleclas")
        places = list(places) + [os.path.join(place, "deploy") for place in (spec.submodule_search_locations if spec else None) or ()]
        script = self.order["script"]
        folder = next((place for place in places if os.path.isfile(os.path.join(place, "python", script + ".py"))), None)
        if folder is None:
            raise Failed("no-deploy", ImportError(script))
        self.code = os.path.dirname(folder)
        sys.path.insert(0, os.path.join(folder, "python"))
        self.repairs += UNIMPORTABLE
        try:
            return importlib.import_module(script)
        except ImportError as error:
            self.repairs.append(["imports", reason(error)])
            UNIMPORTABLE.append(self.repairs[-1])
        except BaseException as error:
            raise Failed("deploy", error)
        stand_for_package(next(iter((spec.submodule_search_locations if spec else None) or ()), self.code))
        sys.modules.pop(script, None)
        try:
            return importlib.import_module(script)
        except BaseException as error:
            raise Failed("deploy", error)

    def _predictor(self) -> Any:
        """The predictor as the user builds it, else without what stops it."""
        kind = getattr(self.module, self.name)
        module = sys.modules[self.module.Predictor.__module__]  # type: Any
        original, create = module.Config, module.create_predictor
        module.create_predictor = lambda config: create(getattr(config, "inner", config))
        try:
            return self._attempt(kind, module, original)
        finally:
            module.Config, module.create_predictor = original, create

    def _attempt(self, kind: Any, module: Any, original: Any) -> Any:
        for _ in range(ATTEMPTS):
            left_out = {repair for repair, _ in self.repairs}
            module.Config = repairing(original, left_out) if left_out & {"memory-optim", "files", "gpu", "tensorrt"} else original
            if "tensorrt" in left_out:
                self.config["Global"].update(use_fp16=False, use_tensorrt=False)
            try:
                return kind(self.config)
            except BaseException as error:
                repair = remedy(error, left_out, self.config["Global"])
                if repair is None:
                    return self._without_model(kind, error)
                self.repairs.append([repair, reason(error)])
        return self._without_model(kind, RuntimeError(self.repairs[-1][1]))

    def _without_model(self, kind: Any, error: BaseException) -> Any:
        """A predictor that has all but a model, so that the rungs before it can be measured."""
        self.broken = ["predictor", reason(error)]
        base = self.module.Predictor
        kept, base.__init__ = base.__init__, lambda self, *given, **named: None
        try:
            return kind(self.config)
        except BaseException as second:
            raise Failed("predictor", second)
        finally:
            base.__init__ = kept

    def _kept(self, output: Any, *names: Any) -> Any:
        self.outputs.append(output)
        return self.post(output) if self.post is not None else None

    def ready(self) -> Any:
        """What this side is."""
        functions = getattr(self.post, "func_list", [])
        main = getattr(self.post, "main_indicator", "") or ""
        chosen = next((function for function in functions if type(function).__name__ in main), None)
        names = write_names(self.folder, getattr(chosen, "class_id_map", None))
        return {
            "code": self.code,
            "device": "gpu" if self.config["Global"].get("use_gpu") and "gpu" not in dict(self.repairs) and has_gpu() else "cpu",
            "repairs": [] if self.broken else self.repairs,
            "broken": self.broken,
            "names": names,
            "post_process": type(chosen).__name__ if chosen is not None else None,
            "topk": getattr(chosen, "topk", None),
        }

    def read(self, image: str) -> Any:
        """The image as `main` of the script hands it to its predictor."""

        class Stub:
            benchmark = False

            def __init__(self, *given: Any) -> None:
                pass

            def predict(self, images: Any, *given: Any, **named: Any) -> Any:
                raise Captured(images)

        config = type(self.config)(self.config)
        config["Global"] = type(self.config)(self.config["Global"], batch_size=1, infer_imgs=image)
        kept = getattr(self.module, self.name), self.module.get_image_list
        setattr(self.module, self.name, Stub)
        self.module.get_image_list = lambda *given: [image]
        try:
            self.module.main(config)
        except Captured as captured:
            images = captured.args[0]
            return images[0] if isinstance(images, list) else images
        finally:
            setattr(self.module, self.name, kept[0])
            self.module.get_image_list = kept[1]
        return None

    def do_run(self, image: str) -> Any:
        """All steps for one image; what was made before a failure is told with it."""
        begin = time.time()
        answer = {"arrays": {}}  # type: Any
        stage = "read"
        try:
            answer["bytes"] = digest(image)
            stage = "decode"
            value = self.read(image)
            if value is None:
                answer["unread"] = True
                return answer
            answer["arrays"]["decoded"] = self.folder.put(value)
            del self.made[:]
            try:
                if self.broken:
                    stage = "model"
                    for op in self.ops:
                        value = op(value)
                    raise RuntimeError(self.broken[1])
                answer.update(self._predict([value], self.ops, answer["arrays"]))
            finally:
                stage = "model" if len(self.made) == len(self.ops) else self.order["kinds"][len(self.made)]
                made = [value, *self.made]
                for number, mark in self.order["marks"].items():
                    if number + 1 < len(made):
                        answer["arrays"][mark] = self.folder.put(made[number + 1])
        except BaseException as error:
            answer.update(stage=stage, error=reason(error))
        answer["seconds"] = time.time() - begin
        return answer

    def do_model(self, tensor: str) -> Any:
        """The exported model on a tensor."""
        if self.broken:
            raise RuntimeError(self.broken[1])
        arrays = {}  # type: Any
        answer = self._predict([self.folder.get(tensor)], [], arrays)
        answer["arrays"] = arrays
        return answer

    def do_apply(self, ops: Any, array: Any = None, image: Any = None) -> Any:
        """Ops on an array, or on an image as the script reads it."""
        value = self.read(image) if array is None else self.folder.get(array)
        for op in self.module.create_operators(ops):
            value = op(value)
        return {"arrays": {"array": self.folder.put(value)}}

    def do_post(self, array: str) -> Any:
        """The post-process on an output."""
        return {"result": ranked(self.post(self.folder.get(array))) if self.post is not None else None}

    def _predict(self, images: Any, ops: Any, arrays: Any) -> Any:
        self.predictor.preprocess_ops = ops
        del self.outputs[:]
        try:
            result = self.predictor.predict(images)
            if not self.outputs:
                result = self._kept(result)  # scripts whose `main` post-processes
        except Exception as error:
            if not self.outputs:
                raise
            arrays["output"] = self.folder.put(self.outputs[-1])
            return {"stage": "post-process", "error": reason(error)}
        arrays["output"] = self.folder.put(self.outputs[-1])
        return {"result": ranked(result) if self.post is not None else None}


def has_gpu() -> bool:
    """Whether there is one that PaddlePaddle can use."""
    import paddle

    return bool(paddle.is_compiled_with_cuda()) and paddle.device.cuda.device_count() > 0


def remedy(error: BaseException, tried: Any, settings: Any) -> Any:
    """What to leave out after a predictor could not be built; None where nothing is known."""
    text = str(error)
    if "memory_optimize_pass" in text and "memory-optim" not in tried:
        return "memory-optim"
    if ("annot open file" in text or "not exist" in text or "NotFound" in text or "not found" in text) and "files" not in tried:
        return "files"
    if settings.get("use_gpu") and not has_gpu() and "gpu" not in tried:
        return "gpu"
    if (settings.get("use_tensorrt") or settings.get("use_fp16")) and "tensorrt" not in tried:
        return "tensorrt"
    return next((repair for repair in ("files", "memory-optim") if repair not in tried), None)


def repairing(original: Any, left_out: Any) -> Any:
    """A `Config` without the calls that are left out."""

    class Config:
        def __init__(self, model: str, params: str) -> None:
            if "files" in left_out and os.path.isdir(model):
                prefix = os.path.join(model, params)
                model = next((prefix + end for end in (".json", ".pdmodel") if os.path.isfile(prefix + end)), prefix + ".pdmodel")
                params = prefix + ".pdiparams"
            elif "files" in left_out and not os.path.isfile(model) and os.path.isfile(model[: -len(".pdmodel")] + ".json"):
                model = model[: -len(".pdmodel")] + ".json"
            self.inner = original(model, params)

        def __getattr__(self, name: str) -> Any:
            if name == "enable_memory_optim" and "memory-optim" in left_out:
                return lambda *given: None
            if name == "enable_use_gpu" and "gpu" in left_out:
                return lambda *given: self.inner.disable_gpu()
            if name == "enable_tensorrt_engine" and "tensorrt" in left_out:
                return lambda *given, **named: None
            return getattr(self.inner, name)

    return Config
