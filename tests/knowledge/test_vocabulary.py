"""What PaddleClas knows is left alone; what it does not know is caught, with the right guess."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from knowledge import meant_keys, vocabulary
from knowledge.vocabulary import UnknownKey, unknown_key

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "knowledge" / "vocabulary" / "keys.json"


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


KNOWN = [
    ("modern", "Arch.num_classes"),
    ("modern", "Arch.class_num"),
    ("modern", "Arch.use_sync_bn"),
    ("modern", "Arch.models.0.Anything.Head.class_num"),
    ("modern", "Arch.models.1.Student.models.0.ResNet18.return_patterns"),
    ("modern", "Arch.override_params.whatever"),
    ("modern", "Arch.Head.weight_attr.initializer.anything"),
    ("modern", "DataLoader.class_num"),
    ("modern", "DataLoader.epochs"),
    ("modern", "DataLoader.Eval.Query.dataset.cls_label_path"),
    ("modern", "DataLoader.Eval.Gallery.sampler.batch_size"),
    ("modern", "DataLoader.UnLabelTrain.dataset.transform_ops_strong.0.RandCropImage.size"),
    ("modern", "DataLoader.Metalearning.Train.sampler.camera_to_domain"),
    ("modern", "DataLoader.Train.dataset.datasets_config.0.name"),
    ("modern", "DataLoader.Train.dataset.batch_transform_ops.0.OpSampler.MixupOperator.alpha"),
    ("modern", "DataLoader.Train.dataset.transform_ops.-1.NormalizeImage.order"),
    ("modern", "DataLoader.Train.sampler.sample_configs.0.ratio"),
    ("modern", "Optimizer.0.SGD.lr.learning_rate"),
    ("modern", "Optimizer.0.Momentum.scope"),
    ("modern", "Optimizer.lr.step_each_epoch"),
    ("modern", "Optimizer.clip_norm"),
    ("modern", "Loss.Train.0.CELoss.epsilon"),
    ("modern", "Loss.Basic.0.TripletLossForMetaBIN.margin"),
    ("modern", "UnLabelLoss.Train.0.CELoss.weight"),
    ("modern", "Metric.Eval.0.TopkAcc.topk.0"),
    ("modern", "Global.image_shape.1"),
    ("modern", "Global.seed"),
    ("modern", "Global.uniform_output_enabled"),
    ("modern", "Global.export_for_fd"),
    ("modern", "Global.class_num"),
    ("modern", "Infer.infer_list"),
    ("modern", "Infer.save_dir"),
    ("modern", "profiler_options"),
    ("modern", "SSL.temperture"),
    ("modern", "MLDecoder.replace_layer"),
    ("modern", "Slim.prune.pruned_ratio"),
    ("legacy", "TRAIN.delimiter"),
    ("legacy", "VALID.transforms.1.ResizeImage.resize_short"),
    ("legacy", "TRAIN.mix.0.MixupOperator.alpha"),
    ("legacy", "ARCHITECTURE.params.padding_type"),
    ("legacy", "LEARNING_RATE.params.warmup_epoch"),
    ("legacy", "OPTIMIZER.regularizer.factor"),
    ("legacy", "last_epoch"),
    ("legacy", "use_xpu"),
    ("legacy", "vdl_dir"),
    ("deploy", "Global.use_npu"),
    ("deploy", "Global.gpu_id"),
    ("deploy", "Global.save_log_path"),
    ("deploy", "PreProcess.transform_ops.0.ResizeImage.resize_short"),
    ("deploy", "DetPreProcess.transform_ops.0.DetResize.target_size"),
    ("deploy", "PostProcess.ThreshOutput.threshold"),
    ("deploy", "PostProcess.main_indicator"),
    ("deploy", "IndexProcess.index_operation"),
    ("deploy", "ip"),
    ("deploy", "TrainConfig.learning_rate.T_max"),
]


@pytest.mark.parametrize(("generation", "dotted"), KNOWN)
def test_a_real_key_is_known(generation: str, dotted: str) -> None:
    assert unknown_key(_path(dotted), generation) is None


WRONG: list[tuple[str, str, str | None]] = [
    ("modern", "DataLoader.TRAIN.sampler.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "Global.epoch", "Global.epochs"),
    ("modern", "Arch.class_nums", "Arch.class_num"),
    ("modern", "Arch.classes_num", "Arch.class_num"),
    ("modern", "Arch.num_class", "Arch.class_num"),
    ("modern", "Global.epochs ", "Global.epochs"),
    ("modern", " Global.epochs", "Global.epochs"),
    ("modern", "TRAIN.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "VALID.batch_size", "DataLoader.Eval.sampler.batch_size"),
    ("modern", "classes_num", "Arch.class_num"),
    ("modern", "class_num", "Arch.class_num"),
    ("modern", "num_classes", "Arch.class_num"),
    ("modern", "Global.num_classes", "Arch.class_num"),
    ("modern", "batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "Global.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "learning_rate", "Optimizer.lr.learning_rate"),
    ("modern", "Optimizer.learning_rate", "Optimizer.lr.learning_rate"),
    ("modern", "Global.learning_rate", "Optimizer.lr.learning_rate"),
    ("modern", "lr", "Optimizer.lr.learning_rate"),
    ("modern", "Optimizer.lr.lr", "Optimizer.lr.learning_rate"),
    ("modern", "Optimizer.lr.learning_rte", "Optimizer.lr.learning_rate"),
    ("modern", "DataLoader.Train.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "DataLoader.Eval.batch_size", "DataLoader.Eval.sampler.batch_size"),
    ("modern", "DataLoader.Train.num_workers", "DataLoader.Train.loader.num_workers"),
    ("modern", "DataLoader.Train.loader.num_worker", "DataLoader.Train.loader.num_workers"),
    ("modern", "DataLoader.Train.loader.use_share_memory", "DataLoader.Train.loader.use_shared_memory"),
    ("modern", "DataLoader.Train.loader.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "DataLoader.Val.sampler.batch_size", "DataLoader.Eval.sampler.batch_size"),
    ("modern", "dataloader.train.sampler.batchsize", "DataLoader.Train.sampler.batch_size"),
    ("modern", "DataLoader.Train.sampler.batchsize", "DataLoader.Train.sampler.batch_size"),
    ("modern", "DataLoader.Train.dataset.cls_label_file", "DataLoader.Train.dataset.cls_label_path"),
    ("modern", "DataLoader.Train.dataset.img_root", "DataLoader.Train.dataset.image_root"),
    ("modern", "DataLoader.Train.image_root", "DataLoader.Train.dataset.image_root"),
    ("modern", "DataLoader.Train.dataset.transforms", "DataLoader.Train.dataset.transform_ops"),
    ("modern", "DataLoader.Train.transforms", "DataLoader.Train.dataset.transform_ops"),
    (
        "modern",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImg.size",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size",
    ),
    (
        "modern",
        "DataLoader.Train.dataset.transform_ops.1.RandCropimage.size",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size",
    ),
    (
        "modern",
        "DataLoader.Train.dataset.transform_ops.0.DecodeImage.to_rbg",
        "DataLoader.Train.dataset.transform_ops.0.DecodeImage.to_rgb",
    ),
    (
        "modern",
        "DataLoader.Train.dataset.batch_transform_ops.0.MixUpOperator.alpha",
        "DataLoader.Train.dataset.batch_transform_ops.0.MixupOperator.alpha",
    ),
    ("modern", "DataLoader.Train.dataset.transform_ops.RandCropImage.size", None),
    ("modern", "Train.sampler.batch_size", "DataLoader.Train.sampler.batch_size"),
    (
        "modern",
        "Train.dataset.transform_ops.1.RandCropImage.size",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size",
    ),
    ("modern", "TRAIN.transforms.1.RandCropImage.size", "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size"),
    ("modern", "ARCHITECTURE.name", "Arch.name"),
    ("modern", "arch.class_num", "Arch.class_num"),
    ("modern", "Arch.backbone.pretrained", "Arch.Backbone.pretrained"),
    ("modern", "Arch.Backbone.pretrain", "Arch.Backbone.pretrained"),
    ("modern", "Arch.models.0.Teacher.pretraind", "Arch.models.0.Teacher.pretrained"),
    ("modern", "Arch.pretrained_model", "Global.pretrained_model"),
    ("modern", "Global.pretrain_model", "Global.pretrained_model"),
    ("modern", "Global.checkpoint", "Global.checkpoints"),
    ("modern", "Global.pretrained", "Global.pretrained_model"),
    ("modern", "pretrained_model", "Global.pretrained_model"),
    ("modern", "epochs", "Global.epochs"),
    ("modern", "Global.save_interal", "Global.save_interval"),
    ("modern", "Global.print_batch_stpe", "Global.print_batch_step"),
    ("modern", "Global.Device", "Global.device"),
    ("modern", "Global.save_infer_dir", "Global.save_inference_dir"),
    ("modern", "Global.output", "Global.output_dir"),
    ("modern", "Global.num_workers", "DataLoader.Train.loader.num_workers"),
    ("modern", "Optimizer.regularizer.factor", "Optimizer.regularizer.coeff"),
    ("modern", "Optimizer.lr.warmup_epochs", "Optimizer.lr.warmup_epoch"),
    ("modern", "Optimizer.weight_decy", "Optimizer.weight_decay"),
    ("modern", "Loss.Train.0.CELoss.label_smoothing", "Loss.Train.0.CELoss.epsilon"),
    ("modern", "Loss.Train.0.CEloss.weight", "Loss.Train.0.CELoss.weight"),
    ("modern", "Loss.train.0.CELoss.weight", "Loss.Train.0.CELoss.weight"),
    ("modern", "Loss.Train.CELoss.epsilon", None),
    ("modern", "Metric.Eval.0.TopKAcc.topk", "Metric.Eval.0.TopkAcc.topk"),
    ("modern", "Metrics.Eval.0.TopkAcc.topk", "Metric.Eval.0.TopkAcc.topk"),
    ("modern", "Infer.Postprocess.topk", "Infer.PostProcess.topk"),
    ("modern", "Infer.PostProcess.class_map_file", "Infer.PostProcess.class_id_map_file"),
    ("modern", "infer_imgs", "Infer.infer_imgs"),
    ("modern", "Infer.topk", "Infer.PostProcess.topk"),
    ("modern", "AMP.use_pure_fp61", "AMP.use_pure_fp16"),
    ("modern", "AMP.opt_level", None),
    ("modern", "seed", "Global.seed"),
    ("modern", "topk", None),
    ("modern", "name", None),
    ("modern", "foo.bar", None),
    ("modern", "Global.wandb", None),
    ("modern", "DataLoader.Train.loader.prefetch_factor", None),
    ("modern", "use_gpu", "Global.device"),
    ("modern", "Arch.Head.class_nums", "Arch.Head.class_num"),
    ("modern", "EMA.ema_decay", None),
    ("legacy", "DataLoader.Train.sampler.batch_size", "TRAIN.batch_size"),
    ("legacy", "Arch.class_num", "classes_num"),
    ("legacy", "class_num", "classes_num"),
    ("legacy", "num_classes", "classes_num"),
    ("legacy", "class_nums", "classes_num"),
    ("legacy", "Global.epochs", "epochs"),
    ("legacy", "Optimizer.lr.learning_rate", "LEARNING_RATE.params.lr"),
    ("legacy", "batch_size", "TRAIN.batch_size"),
    ("legacy", "Train.batch_size", "TRAIN.batch_size"),
    ("legacy", "TRAIN.bacth_size", "TRAIN.batch_size"),
    ("legacy", "TRAIN.num_worker", "TRAIN.num_workers"),
    ("legacy", "LEARNING_RATE.lr", "LEARNING_RATE.params.lr"),
    ("legacy", "OPTIMIZER.momentum", "OPTIMIZER.params.momentum"),
    ("legacy", "EVAL.batch_size", "VALID.batch_size"),
    ("legacy", "DataLoader.Eval.dataset.transform_ops.2.CropImage.size", "VALID.transforms.2.CropImage.size"),
    ("legacy", "learning_rate", "LEARNING_RATE.params.lr"),
    ("legacy", "epoch", "epochs"),
    ("legacy", "VALID.transform.1.ResizeImage.resize_short", "VALID.transforms.1.ResizeImage.resize_short"),
    ("deploy", "Global.infer_img", "Global.infer_imgs"),
    ("deploy", "Global.use_mkldnn", "Global.enable_mkldnn"),
    ("deploy", "Infer.infer_imgs", "Global.infer_imgs"),
    ("deploy", "infer_imgs", "Global.infer_imgs"),
    ("deploy", "PostProcess.TopK.topk", "PostProcess.Topk.topk"),
    ("deploy", "PostProcess.topk", "PostProcess.Topk.topk"),
    ("deploy", "Preprocess.transform_ops.0.ResizeImage.size", "PreProcess.transform_ops.0.ResizeImage.size"),
    ("deploy", "IndexProcess.score_thresh", "IndexProcess.score_thres"),
    ("deploy", "Global.use_trt", "Global.use_tensorrt"),
    ("deploy", "Global.model_dirs", "Global.model_dir"),
    ("deploy", "Global.inference_dir", "Global.inference_model_dir"),
    ("modern", "weights", "Global.pretrained_model"),
    ("modern", "DataLoader.Train.loader.sampler.batch_size", "DataLoader.Train.sampler.batch_size"),
    ("modern", "Global.infer_model_name", "Arch.infer_model_name"),
    ("modern", "Global.save_inference_fir", "Global.save_inference_dir"),
    ("modern", "TRAIN", "DataLoader.Train"),
    ("modern", "ARCHITECTURE.params.stop_grad_layers", "Arch.stop_grad_layers"),
    ("modern", "Arch.models.Teacher.pretrained", None),
    ("modern", "Arch.Neck.hid_channels", None),
    ("legacy", "Optimizer", "OPTIMIZER"),
    ("legacy", "use_cpu", None),
    ("legacy", "Arch.padding_type", "ARCHITECTURE.params.padding_type"),
]


@pytest.mark.parametrize(("generation", "dotted", "meant"), WRONG)
def test_a_wrong_key_is_caught_with_the_right_guess(generation: str, dotted: str, meant: str | None) -> None:
    found = unknown_key(_path(dotted), generation)
    assert found is not None
    assert found.suggestion == meant
    if meant is not None:
        assert unknown_key(_path(meant), generation) is None


def test_the_record_says_where_the_path_stops_being_known() -> None:
    assert unknown_key(("DataLoader", "TRAIN", "sampler", "batch_size"), "modern") == UnknownKey(
        at=1, key="TRAIN", suggestion="DataLoader.Train.sampler.batch_size"
    )


def test_positions_may_be_numbers_or_digits() -> None:
    for position in (0, "0"):
        assert unknown_key(("Loss", "Train", position, "CELoss", "weight"), "modern") is None


def test_names_the_user_has_come_first_as_suggestions() -> None:
    block = "DataLoader.Train.dataset."
    written = _path(block + "transform_ops_strong3")
    mine: dict[str, object] = {"transform_ops_strong2": []}
    plain, preferred = unknown_key(written, "modern"), unknown_key(written, "modern", mine)
    assert plain is not None and plain.suggestion == block + "transform_ops_strong"
    assert preferred is not None and preferred.suggestion == block + "transform_ops_strong2"


@pytest.mark.parametrize("odd", [None, True, 3.5, "", "\u6279", "." * 500, "x" * 20_000])
def test_odd_keys_are_unknown_and_harm_nothing(odd: object) -> None:
    for generation in ("legacy", "modern", "deploy"):
        found = unknown_key((odd,), generation)  # type: ignore[arg-type]
        assert found == UnknownKey(0, str(odd), None)


def test_nothing_is_unknown_about_an_empty_path() -> None:
    assert unknown_key((), "modern") is None


# --- the shipped configurations


def _paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict | list):
                yield from _paths(inner, (*path, index))


def _generation(keys: set[str]) -> str | None:
    if keys & {"ARCHITECTURE", "TRAIN", "VALID", "classes_num"}:
        return "legacy"
    if "Arch" in keys:
        return "modern"
    return "deploy" if "Global" in keys else None


def test_no_shipped_configuration_raises_an_alarm(shared: Path) -> None:
    checked, alarms = 0, []
    for file in sorted((shared / "corpus" / "paddleclas-configs").rglob("*.y*ml")):
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        generation = _generation(set(document)) if isinstance(document, dict) else None
        if generation is None or "search_dict" in document or "base_config_file" in document:
            continue
        checked += 1
        alarms += [(file.name, path) for path in _paths(document) if unknown_key(path, generation)]
    assert checked > 400
    assert alarms == []


# --- the table


def test_the_table_is_sorted_compact_and_says_where_it_comes_from() -> None:
    text = TABLE.read_text(encoding="ascii")
    table = json.loads(text)
    assert len(text) < 400_000
    assert "Apache-2.0" in table["about"]["source"]
    assert set(table["about"]["branches"]) >= {"release/2.0", "release/2.1", "release/2.2", "release/2.5.2", "develop"}
    for slot in table["slots"].values():
        assert list(slot["keys"]) == sorted(slot["keys"])
        for below in (*slot.get("to", {}).values(), *(slot[k] for k in ("below", "any", "items") if k in slot)):
            assert below == "" or below in table["slots"]


def test_the_table_loads_in_a_blink() -> None:
    best = 1.0
    for _ in range(5):
        vocabulary._table.cache_clear()
        start = time.perf_counter()
        vocabulary._table()
        best = min(best, time.perf_counter() - start)
    assert best < 0.010


@pytest.mark.parametrize("generation", ["legacy", "modern", "deploy"])
def test_every_fixed_home_is_a_known_path(generation: str) -> None:
    homes = list(meant_keys.HOMES[generation].values())
    if generation == "legacy":
        homes += [old for old, _ in meant_keys.MOVED]
    if generation == "modern":
        homes += [new for _, new in meant_keys.MOVED]
    assert [home for home in homes if unknown_key(_path(home), generation)] == []


def test_every_synonym_leads_to_a_known_key() -> None:
    slots = vocabulary._table()["slots"]
    for slot, names in meant_keys.SYNONYMS.items():
        assert set(names.values()) <= set(slots[slot]["keys"]), slot
        assert not set(names) & set(slots[slot]["keys"]), slot


# --- the script that makes it


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_vocabulary", ROOT / "scripts" / "make_vocabulary.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SOURCES = {
    "ppcls/engine/engine.py": """
class Engine:
    def __init__(self, config):
        self.config = config
        amp = self.config.get("AMP", None)
        self.scale = amp.get("made_up_scale", 1.0)
        self.config["Global"]["made_up_write"] = 1
        if "made_up_test" in config["Global"]:
            pass
""",
    "ppcls/arch/backbone/__init__.py": "from .net import TinyNet\n",
    "ppcls/arch/backbone/net.py": """
class Base:
    def __init__(self, from_base=None):
        pass

class Net(Base):
    def __init__(self, config, depth=3, made_up_width=8, **kwargs):
        super().__init__(**kwargs)
        kwargs.get("only_read")

def TinyNet(pretrained=False, **kwargs):
    return Net({}, depth=1, **kwargs)
""",
    "ppcls/configs/tiny.yaml": "Global: {epochs: 1, only_in_yaml: 2}\nArch: {name: TinyNet}\nDataLoader: {}\n",
}


def test_the_script_reads_a_clone_without_importing_it(maker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clone, output = tmp_path / "clone", tmp_path / "keys.json"
    for name, text in SOURCES.items():
        file = clone / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    me = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q", "-b", "develop"), ("add", "."), (*me, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *command], cwd=clone, check=True)
    texts = []
    for _ in range(2):
        assert maker.main([str(clone), "--branches", "develop", "--output", str(output)]) == 0
        texts.append(output.read_bytes())
    assert texts[0] == texts[1]
    assert "bytes" in capsys.readouterr().err
    slots = json.loads(texts[0])["slots"]
    assert {"made_up_write", "made_up_test", "only_in_yaml", "epochs"} <= set(slots["global"]["keys"])
    assert "made_up_scale" in slots["amp"]["keys"]
    assert {"from_base", "made_up_width", "only_read", "pretrained"} <= set(slots["arch"]["keys"])
    # What the factory fills in itself cannot be set from a configuration.
    assert not {"config", "depth"} & set(slots["arch"]["keys"])


def test_the_script_names_a_branch_it_cannot_find(maker: ModuleType, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(SystemExit, match="release/9"):
        maker.main([str(tmp_path), "--branches", "release/9", "--output", str(tmp_path / "keys.json")])
