"""One view over every kind of config, and every value knows where it stands."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.facts.base import COLLECTORS, Request, StageName, Unreadable, World
from checks.facts.label_format import LEGACY, LEGACY_MULTILABEL, LabelFormat
from checks.facts.training_config import TrainingConfig, collect_training_config
from checks.model import Location


@pytest.fixture
def view(tmp_path: Path) -> Any:
    """Write a config, collect it, and see that it survives JSON."""

    def collect(block: str, *overrides: str, stage: StageName = "train", root: str | None = None) -> TrainingConfig:
        (tmp_path / "c.yaml").write_text(textwrap.dedent(block), encoding="utf-8")
        config = collect_training_config(Request("c.yaml", overrides, root, stage), World(cwd=str(tmp_path)))
        assert round_trip(config) == config
        return config

    return collect


def round_trip(config: TrainingConfig) -> TrainingConfig:
    return msgspec.json.decode(msgspec.json.encode(config), type=TrainingConfig)


def at(line: int, column: int, key: str) -> Location:
    return Location("c.yaml", line, column, key)


def counts(config: TrainingConfig) -> list[tuple[int, str, str | None, str | None]]:
    return [(c.count.value, c.role, c.architecture, c.count.location.key) for c in config.class_counts]


MODERN = """\
Global:
  checkpoints: null
  pretrained_model: ./weights/best
  output_dir: ./output/
  device: gpu
  epochs: 20
  eval_during_train: True
  image_shape: [3, 224, 224]
Arch:
  name: ResNet50_vd
  class_num: 102
Optimizer:
  name: Momentum
  lr:
    name: Cosine
    learning_rate: 1e-2
DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
      image_root: ./dataset/flowers102/
      cls_label_path: ./dataset/flowers102/train_list.txt
      transform_ops:
        - DecodeImage: {to_rgb: True}
        - RandCropImage: {size: 224}
        - NormalizeImage: {scale: 1.0/255.0}
    sampler:
      name: DistributedBatchSampler
      batch_size: 64
      drop_last: False
    loader:
      num_workers: 4
      use_shared_memory: True
  Eval:
    dataset:
      name: ImageNetDataset
      image_root: ./dataset/flowers102/
      cls_label_path: ./dataset/flowers102/val_list.txt
      delimiter: ","
      transform_ops:
        - ResizeImage: {resize_short: 256}
    sampler: {name: DistributedBatchSampler, batch_size: 32, drop_last: True}
    loader: {num_workers: 2, use_shared_memory: False}
Infer:
  PostProcess:
    name: Topk
    topk: 5
    class_id_map_file: ./map.txt
Metric:
  Train:
    - TopkAcc: {topk: [1, 5]}
  Eval:
    - TopkAcc:
        topk: 3
"""


def test_modern(view: Any) -> None:
    config = view(MODERN)
    assert config.generation == "modern"
    assert config.architecture.value == "ResNet50_vd"
    assert config.class_num.value == 102
    assert config.class_num.location == at(11, 14, "Arch.class_num")
    assert counts(config) == [(102, "", "ResNet50_vd", "Arch.class_num")]
    assert (config.epochs.value, config.epochs.location) == (20, at(6, 11, "Global.epochs"))
    assert config.image_shape.value == [3, 224, 224]
    assert (config.pretrained.value, config.checkpoints, config.output_dir.value) == ("./weights/best", None, "./output/")
    assert (config.learning_rate.value, config.learning_rate.location) == (0.01, at(16, 20, "Optimizer.lr.learning_rate"))
    assert [loader.split for loader in config.loaders] == ["Train", "Eval"]
    assert [(t.split, t.ks, t.location) for t in config.topk] == [
        ("Train", (1, 5), at(51, 23, "Metric.Train.0.TopkAcc.topk")),
        ("Eval", (3,), at(54, 15, "Metric.Eval.0.TopkAcc.topk")),
    ]
    assert [(m.value, m.location) for m in config.label_maps] == [("./map.txt", at(48, 24, "Infer.PostProcess.class_id_map_file"))]


def test_modern_loaders(view: Any) -> None:
    train, evaluation = view(MODERN).loaders
    assert (train.key, train.used, train.trains, train.sampler) == ("DataLoader.Train", True, True, "DistributedBatchSampler")
    assert (train.batch_size.value, train.batch_is_total) == (64, False)
    assert train.batch_size.location == at(29, 19, "DataLoader.Train.sampler.batch_size")
    assert (train.num_workers.value, train.num_workers.location) == (4, at(32, 20, "DataLoader.Train.loader.num_workers"))
    assert (train.shared_memory, train.drop_last.value) == (True, False)
    (dataset,) = train.datasets
    assert (dataset.name, dataset.format, dataset.relabel) == ("ImageNetDataset", LabelFormat(), False)
    assert [(v.value, v.location) for v in dataset.lists] == [
        ("./dataset/flowers102/train_list.txt", at(22, 23, "DataLoader.Train.dataset.cls_label_path"))
    ]
    assert dataset.image_root.location == at(21, 19, "DataLoader.Train.dataset.image_root")
    assert (evaluation.trains, evaluation.shared_memory) == (False, False)
    assert evaluation.datasets[0].format == LabelFormat(separator=",")


def test_which_loaders_a_stage_builds(view: Any) -> None:
    def used(*overrides: str, stage: str) -> list[str]:
        return [loader.split for loader in view(MODERN, *overrides, stage=stage).used_loaders()]

    assert used(stage="train") == ["Train", "Eval"]
    assert used("Global.eval_during_train=False", stage="train") == ["Train"]
    assert used(stage="eval") == ["Eval"]
    assert used(stage="export") == used(stage="infer") == used(stage="deploy") == []


def test_overrides_are_blamed_as_overrides(view: Any) -> None:
    config = view(
        MODERN,
        "Arch.class_num=103",
        "DataLoader.Train.dataset.cls_label_path=list.txt",
        "Metric.Eval.0.TopkAcc.topk=[1,2]",
        "Global.dvice=cpu",
    )
    assert (config.class_num.value, config.class_num.location) == (103, Location("-o", 1, None, "Arch.class_num"))
    path = config.loader("Train").datasets[0].lists[0]
    assert (path.value, path.location) == ("list.txt", Location("-o", 2, None, "DataLoader.Train.dataset.cls_label_path"))
    assert (config.topk[1].ks, config.topk[1].location.file) == ((1, 2), "-o")
    assert [override.known_before for override in config.overrides] == [True, True, True, False]
    assert config.loader("Nothing") is None


LEGACY_CONFIG = """\
mode: 'train'
ARCHITECTURE:
    name: 'ResNet50'
pretrained_model: ""
model_save_dir: "./output/"
classes_num: 1000
validate: True
epochs: 120
topk: 5
image_shape: [3, 224, 224]
LEARNING_RATE:
    function: 'Piecewise'
    params:
        lr: 0.1
TRAIN:
    batch_size: 256
    num_workers: 4
    file_list: "./dataset/train_list.txt"
    data_dir: "./dataset/"
    transforms:
        - RandCropImage:
            size: 224
        - NormalizeImage:
            scale: 1./255.
VALID:
    batch_size: 64
    num_workers: 4
    file_list: "./dataset/val_list.txt"
    data_dir: "./dataset/"
    transforms:
        - ResizeImage: {resize_short: 256}
        - CropImage: {size: 224}
"""


def test_legacy(view: Any) -> None:
    config = view(LEGACY_CONFIG)
    assert config.generation == "legacy"
    assert counts(config) == [(1000, "", "ResNet50", "classes_num")]
    assert config.class_num.location == at(6, 14, "classes_num")
    assert (config.pretrained, config.checkpoints, config.output_dir.value) == (None, None, "./output/")
    assert (config.learning_rate.value, config.learning_rate.location) == (0.1, at(14, 13, "LEARNING_RATE.params.lr"))
    assert [(t.split, t.ks, t.location) for t in config.topk] == [("Eval", (5,), at(9, 7, "topk"))]
    train, evaluation = config.loaders
    assert (train.split, train.key, evaluation.split, evaluation.key) == ("Train", "TRAIN", "Eval", "VALID")
    assert train.batch_is_total
    assert (train.batch_size.value, train.batch_size.location) == (256, at(16, 17, "TRAIN.batch_size"))
    assert (train.shared_memory, train.drop_last.value, evaluation.drop_last.value) == (True, True, False)
    assert train.datasets[0].format == LEGACY
    assert train.datasets[0].lists[0].location == at(18, 16, "TRAIN.file_list")
    assert config.label_maps == ()


def test_legacy_variants(view: Any) -> None:
    assert [x.split for x in view(LEGACY_CONFIG, "validate=False").used_loaders()] == ["Train"]
    assert not view(LEGACY_CONFIG, "use_dali=True").loaders[0].shared_memory
    assert view(LEGACY_CONFIG, "multilabel=True").loaders[0].datasets[0].format == LEGACY_MULTILABEL
    assert view(LEGACY_CONFIG, "TRAIN.delimiter=','").loaders[0].datasets[0].format == msgspec.structs.replace(LEGACY, separator=",")
    only_eval = view("ARCHITECTURE: {name: ResNet50}\nVALID: {batch_size: 1}\n")
    assert ([x.split for x in only_eval.loaders], only_eval.class_num) == (["Eval"], None)


def arch(view: Any, block: str, *overrides: str) -> list[tuple[int, str, str | None, str | None]]:
    return counts(view("Arch:\n" + textwrap.indent(textwrap.dedent(block), "  ") + "\nDataLoader: {}\n", *overrides))


def test_class_count_inside_the_head(view: Any) -> None:
    block = """
        name: RecModel
        Backbone: {name: ResNet50, class_num: 64}
        Neck: {name: FC, embedding_size: 2048, class_num: 512}
        Head: {name: ArcMargin, class_num: 185341}
        """
    assert arch(view, block) == [(185341, "", None, "Arch.Head.class_num")]
    assert arch(view, block, "Arch.class_num=7") == [(185341, "", None, "Arch.Head.class_num")]


def test_class_count_of_a_backbone_without_a_head(view: Any) -> None:
    assert arch(view, "name: RecModel\nBackbone: {name: ResNet50, class_num: 26}\nNeck: {class_num: 512}") == [
        (26, "", "ResNet50", "Arch.Backbone.class_num")
    ]
    assert arch(view, "name: RecModel\nBackbone: {name: ResNet50}\nNeck: {class_num: 512}") == []


DISTILLATION = """
    name: DistillationModel
    class_num: &class_num 1000
    models:
      - Teacher:
          name: ResNet50_vd
          class_num: *class_num
      - Student:
          name: MobileNetV3
          class_num: 10
    """


def test_distillation(view: Any) -> None:
    assert arch(view, DISTILLATION) == [
        (1000, "Teacher", "ResNet50_vd", "Arch.models.0.Teacher.class_num"),
        (10, "Student", "MobileNetV3", "Arch.models.1.Student.class_num"),
    ]
    config = view("Arch:" + textwrap.indent(textwrap.dedent(DISTILLATION), "  "))
    assert config.class_num.value == 10
    assert config.class_counts[0].count.location == at(7, 9, "Arch.models.0.Teacher.class_num")
    assert arch(view, DISTILLATION, "Arch.models.0.Teacher.class_num=7")[0][0] == 7


def test_distillation_of_recognition_and_attention_models(view: Any) -> None:
    block = """
        name: DistillationModel
        models:
          - Teacher:
              name: RecModel
              Backbone: {name: ResNet50}
              Neck: {name: FC, class_num: 512}
              Head: {name: CircleMargin, class_num: 33}
          - Student:
              name: AttentionModel
              class_num: 5
              models:
                - ResNet18: {name: ResNet18, class_num: 44}
                - LinearTransformStudent: {name: LinearTransformStudent}
        """
    assert arch(view, block) == [
        (33, "Teacher", None, "Arch.models.0.Teacher.Head.class_num"),
        (44, "Student", "ResNet18", "Arch.models.1.Student.models.0.ResNet18.class_num"),
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("name: WideResNet\nnum_classes: 10", [(10, "", "WideResNet", "Arch.num_classes")]),
        ("name: WideResNet\nclass_num: 10", []),
        ("name: ResNet50\nnum_classes: 10", []),
        ("name: ResNet50", []),
        ("name: ResNet50\nclass_num: null", []),
        ("name: ResNet50\nclass_num: '102'", [(102, "", "ResNet50", "Arch.class_num")]),
        ("name: ResNet50\nclass_num: many", []),
        ("name: ResNet50\nclass_num: True", []),
        ("name: ResNet50\nclass_num: 10.0", []),
        ("name: ResNet50\nclass_num: 0", [(0, "", "ResNet50", "Arch.class_num")]),
        ("name: [ResNet50]\nclass_num: 9", [(9, "", None, "Arch.class_num")]),
        ("- ResNet50", []),
        ("name: DistillationModel\nmodels: []", []),
        ("name: DistillationModel\nmodels: [Teacher, {Student: ResNet50}]", []),
    ],
)
def test_class_count(view: Any, block: str, expected: Any) -> None:
    assert arch(view, block) == expected


@pytest.mark.parametrize(
    ("block", "count"),
    [
        ("name: ResNet50", 8),
        ("name: ResNet50\nclass_num: 9", 9),
        ("name: ResNet50\nclass_num: null", None),
        ("name: WideResNet", None),
        ("name: RecModel\nBackbone: {name: ResNet50}", None),
        ("name: RecModel\nHead: {name: FC}", None),
        ("name: DistillationModel\nmodels: [Teacher: {name: ResNet50}]", None),
    ],
)
def test_the_global_class_count_counts_only_where_paddleclas_copies_it(view: Any, block: str, count: int | None) -> None:
    config = view("Global: {class_num: 8}\nArch:\n" + textwrap.indent(block, "  "))
    assert (config.class_num and config.class_num.value) == count


def test_retrieval(view: Any) -> None:
    loader = "dataset: {name: VeriWild, image_root: r, cls_label_path: l.txt}, sampler: {batch_size: 8}, loader: {num_workers: 1}"
    config = view(f"""
        Global: {{eval_mode: retrieval}}
        DataLoader:
          mean: [0.5]
          Train: {{{loader}}}
          Eval:
            Query: {{{loader}}}
            Gallery: {{{loader}}}
          Metalearning:
            Train: {{{loader}}}
          UnLabelTrain: {{{loader}}}
        """)
    assert [(x.split, x.key, x.used, x.trains) for x in config.loaders] == [
        ("Train", "DataLoader.Train", True, True),
        ("Eval.Query", "DataLoader.Eval.Query", True, False),
        ("Eval.Gallery", "DataLoader.Eval.Gallery", True, False),
        ("Metalearning.Train", "DataLoader.Metalearning.Train", True, False),
        ("UnLabelTrain", "DataLoader.UnLabelTrain", True, False),
    ]
    assert config.loader("Eval.Query").datasets[0].format == LabelFormat(separator=None, integer_column=2)
    assert config.loader("Eval.Query").datasets[0].lists[0].location.key == "DataLoader.Eval.Query.dataset.cls_label_path"


def dataset(view: Any, block: str) -> Any:
    return view("DataLoader:\n  Train:\n    dataset:\n" + textwrap.indent(textwrap.dedent(block), "      ")).loaders[0].datasets


def test_multi_label(view: Any) -> None:
    (found,) = dataset(view, "name: MultiLabelDataset\ncls_label_path: a.txt\ndelimiter: ' '")
    assert found.format == LabelFormat(separator="\t", labels="multilabel")


def test_mixed_datasets_and_lists_of_lists(view: Any) -> None:
    found = dataset(
        view,
        """
        name: MixDataset
        datasets_config:
          - {name: ImageNetDataset, image_root: a/, cls_label_path: a.txt, relabel: True}
          - {name: LogoDataset, image_root: b/, cls_label_path: [b.txt, c.txt]}
          - nothing
        """,
    )
    assert [(d.name, d.key, [v.value for v in d.lists], d.relabel) for d in found] == [
        ("ImageNetDataset", "DataLoader.Train.dataset.datasets_config.0", ["a.txt"], True),
        ("LogoDataset", "DataLoader.Train.dataset.datasets_config.1", ["b.txt", "c.txt"], False),
    ]
    assert found[1].lists[1].location == at(8, 71, "DataLoader.Train.dataset.datasets_config.1.cls_label_path.1")


def test_other_datasets(view: Any) -> None:
    (face,) = dataset(view, "name: AdaFaceDataset\nroot_dir: faces\nlabel_path: l.txt\ncls_label_path: no.txt")
    assert (face.image_root.value, [v.value for v in face.lists]) == ("faces", ["l.txt"])
    (scanned,) = dataset(view, "name: Market1501\nimage_root: m\ncls_label_path: no.txt")
    assert (scanned.format, scanned.lists, scanned.image_root.value) == (None, (), "m")
    assert dataset(view, "cls_label_path: a.txt") == ()


def test_samplers(view: Any) -> None:
    config = view("""
        Global: {use_dali: True}
        DataLoader:
          Train:
            dataset: {name: MultiScaleDataset, transform_ops: [RandCropImage: {size: 160}, NormalizeImage: ]}
            sampler: {name: MultiScaleSampler, scales: [160, 224, 320], first_bs: 64, divided_factor: 32}
            loader: {num_workers: 4, use_shared_memory: True}
          Eval:
            dataset: {name: ImageNetDataset}
        """)
    train, evaluation = config.loaders
    assert (train.batch_size.value, train.batch_size.location.key) == (64, "DataLoader.Train.sampler.first_bs")
    assert not train.shared_memory
    assert (evaluation.sampler, evaluation.batch_size, evaluation.num_workers, evaluation.drop_last) == (None, None, None, None)


@pytest.mark.parametrize(
    ("block", "generation"),
    [
        ("Arch: {}", "modern"),
        ("DataLoader: {}", "modern"),
        ("Global: {epochs: 1}", "modern"),
        ("Arch: {}\nInfer: {PostProcess: {}}", "modern"),
        ("classes_num: 5", "legacy"),
        ("VALID: {}", "legacy"),
        ("Global: {infer_imgs: a, inference_model_dir: b}\nPreProcess: {}", "deploy"),
        ("Global: {rec_inference_model_dir: b}\nIndexProcess: {}", "deploy"),
        ("RecPreProcess: {}", "deploy"),
        ("search_dict: []", "search"),
        ("base_config_file: x\nGlobal: {}", "search"),
        ("Hpi: {}\nGlobal: {model_name: x}", "fragment"),
        ("something: else", "fragment"),
    ],
)
def test_generation(view: Any, block: str, generation: str) -> None:
    assert view(block).generation == generation


def test_deploy_and_search_have_no_training(view: Any) -> None:
    deploy = view("""
        Global: {infer_imgs: ./images, inference_model_dir: ./models, batch_size: 1}
        PreProcess: {transform_ops: [ResizeImage: {resize_short: 256}]}
        PostProcess:
          Topk: {topk: 5, class_id_map_file: ../map.txt}
        """)
    assert (deploy.class_counts, deploy.loaders, deploy.topk, deploy.architecture) == ((), (), (), None)
    assert [m.location for m in deploy.label_maps] == [at(5, 38, "PostProcess.Topk.class_id_map_file")]
    search = view("base_config_file: a.yaml\nsearch_dict: [{search_key: lrs, replace_config: [Optimizer.lr.learning_rate]}]\n")
    assert (search.class_counts, search.loaders, search.label_maps) == ((), (), ())


def test_values_of_the_wrong_type_are_absent(view: Any) -> None:
    config = view("""
        Global: {epochs: many, image_shape: ["3", 224], pretrained_model: 5, output_dir: "", checkpoints: [a]}
        Arch: {name: 5}
        Optimizer: {lr: {learning_rate: .inf}}
        DataLoader: {Train: {dataset: {name: ImageNetDataset, cls_label_path: 5}, sampler: [1], loader: 3}}
        Metric: {Train: {TopkAcc: 1}, Eval: [TopkAcc: {topk: x}, TopkAcc, 5]}
        """)
    for absent in ("epochs", "image_shape", "pretrained", "output_dir", "checkpoints", "architecture", "learning_rate", "class_num"):
        assert getattr(config, absent) is None, absent
    assert config.topk == ()
    (loader,) = config.loaders
    assert (loader.sampler, loader.batch_size, loader.num_workers, loader.shared_memory, loader.datasets[0].lists) == (
        None,
        None,
        None,
        False,
        (),
    )


# ---- the root


def test_root_given(view: Any, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    config = view(MODERN, root="here")
    assert (config.root, config.root_reason) == (str(tmp_path / "here"), "given")
    assert config.resolve("./a/b.txt") == str(tmp_path / "here" / "a" / "b.txt")
    assert config.resolve("/a/b.txt") == "/a/b.txt"
    with pytest.raises(Unreadable) as caught:
        view(MODERN, root="nowhere")
    assert caught.value.unavailable.reason == "root-missing"


def collect_in(cwd: Path, config: str) -> TrainingConfig:
    return collect_training_config(Request(config), World(cwd=str(cwd)))


def test_root_found(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "PaddleClas", tmp_path / "elsewhere"
    for folder in (checkout / "ppcls" / "configs", checkout / "tools", checkout / "deploy" / "configs", elsewhere):
        folder.mkdir(parents=True)
    (checkout / "tools" / "train.py").touch()
    (checkout / "ppcls" / "configs" / "c.yaml").write_text(MODERN)
    (checkout / "deploy" / "configs" / "d.yaml").write_text("PreProcess: {}\n")
    config = collect_in(elsewhere, "../PaddleClas/ppcls/configs/c.yaml")
    assert (config.root, config.root_reason) == (str(checkout), "checkout")
    assert config.class_num is not None
    assert config.class_num.location.file == "../PaddleClas/ppcls/configs/c.yaml"
    config = collect_in(elsewhere, str(checkout / "deploy" / "configs" / "d.yaml"))
    assert (config.root, config.root_reason) == (str(checkout / "deploy"), "checkout")
    (elsewhere / "dataset" / "flowers102").mkdir(parents=True)
    config = collect_in(elsewhere, "../PaddleClas/ppcls/configs/c.yaml")
    assert (config.root, config.root_reason) == (str(elsewhere), "cwd")


def test_root_otherwise_is_the_current_folder(view: Any, tmp_path: Path) -> None:
    config = view(MODERN)
    assert (config.root, config.root_reason) == (str(tmp_path), "cwd")


def test_missing_config(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        collect_in(tmp_path, "none.yaml")
    assert caught.value.unavailable.values == {"file": "none.yaml"}


def test_registered() -> None:
    assert COLLECTORS[TrainingConfig].needs == {"request": Request, "world": World}


# ---- anything at all

WORDS = st.sampled_from(
    [
        *("Global", "Arch", "DataLoader", "Train", "Eval", "Query", "dataset", "sampler", "loader", "name", "class_num", "models", "Head"),
        *(
            "Backbone",
            "topk",
            "TopkAcc",
            "Metric",
            "Infer",
            "PostProcess",
            "class_id_map_file",
            "cls_label_path",
            "datasets_config",
            "first_bs",
        ),
        *(
            "image_shape",
            "batch_size",
            "scales",
            "transform_ops",
            "ResizeImage",
            "size",
            "TRAIN",
            "VALID",
            "transforms",
            "classes_num",
            "delimiter",
        ),
        *("ARCHITECTURE", "file_list", "num_workers", "a.b", "", "epochs", "Optimizer", "lr", "learning_rate", "search_dict", "PreProcess"),
    ]
)
LEAVES = st.sampled_from(
    [None, True, 0, 1, -5, 224, 2.5, float("inf"), float("nan"), 2**70, "", "x", "RecModel", "MixDataset", "ImageNetDataset", "MultiScaleSampler",
     "a\x00b", "\ud800".encode("utf-8", "backslashreplace").decode(), "'\\ud800'", "(1, 2)", "{1: 2}", "1e-3", "WideResNet", "NormalizeImage"]
)  # fmt: skip
NODES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.integers(), inner, max_size=5), max_leaves=20
)


def grown(children: Any) -> Any:
    return st.fixed_dictionaries(
        {},
        optional={
            "Global": children,
            "Arch": children | st.fixed_dictionaries({"models": st.lists(st.dictionaries(WORDS, children, max_size=2), max_size=2)}),
            "DataLoader": st.dictionaries(
                st.sampled_from(["Train", "Eval", "x"]),
                st.fixed_dictionaries({"dataset": children}, optional={"sampler": children, "loader": children}) | children,
                max_size=2,
            ),
            "Metric": st.dictionaries(st.sampled_from(["Train", "Eval"]), children, max_size=2),
            "Infer": children,
            "TRAIN": children,
            "classes_num": children,
            "ARCHITECTURE": children,
            "Optimizer": children,
        },
    )


@given(grown(NODES) | st.dictionaries(WORDS, NODES, max_size=4), st.sampled_from(["train", "eval", "export", "infer", "deploy"]))
@settings(deadline=None, max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_mapping(tmp_path: Path, data: Any, stage: StageName) -> None:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data) if data else "a: 1\n", encoding="utf-8")
    config = collect_training_config(
        Request("c.yaml", ("Global.x.0=1", "Arch.models.0.Head.class_num=3"), stage=stage), World(cwd=str(tmp_path))
    )
    assert round_trip(config) == config


# ---- real configs


def real_configs(shared: Path) -> list[Path]:
    return sorted((shared / "corpus" / "paddleclas-configs").rglob("*.yaml"))


def test_every_real_config_is_read_and_survives_json(shared: Path, tmp_path: Path) -> None:
    paths = real_configs(shared)
    assert len(paths) > 400
    for path in paths:
        config = collect_training_config(Request(str(path)), World(cwd=str(tmp_path)))
        assert round_trip(config) == config, path
        assert config.tree.duplicates == (), path
        assert config.tree.suppressions == (), path
        for found in (*(c.count for c in config.class_counts), config.epochs, config.architecture):
            if found is not None:
                assert says(path, found.location, found.value), (path, found)
        for loader in config.loaders:
            for value in (loader.batch_size, loader.num_workers, *(v for d in loader.datasets for v in d.lists)):
                if value is not None:
                    assert says(path, value.location, value.value), (path, value)


def says(path: Path, location: Location, value: Any) -> bool:
    """The text at a place is the value, or the key of an alias to it."""
    assert location.line is not None
    assert location.column is not None
    assert location.key is not None
    rest = path.read_text(encoding="utf-8").splitlines()[location.line - 1][location.column - 1 :]
    return (
        rest.lstrip("\"'&abcdefghijklmnopqrstuvwxyz_ ").startswith(str(value))
        or str(value) in rest
        or rest.startswith(f"{location.key.rpartition('.')[2]}: *")
    )


def test_real_configs_have_the_kinds_that_were_counted_by_hand(shared: Path, tmp_path: Path) -> None:
    """Figures of the branch release/2.4: 319 training configs, 274 of them plain, 26 metric learning, 19 distillation."""
    seen: Counter[str] = Counter()
    for path in real_configs(shared):
        if "/2.4/ppcls/" not in str(path) or "/kunlun/" in str(path):
            continue
        config = collect_training_config(Request(str(path)), World(cwd=str(tmp_path)))
        if config.generation != "modern":
            seen[config.generation] += 1
            continue
        if not config.loaders:  # the gallery of a retrieval turned into a classifier: no DataLoader, and not among the 319
            seen["no loader"] += 1
            continue
        name = config.architecture.value if config.architecture else None
        seen[{"RecModel": "metric learning", "DistillationModel": "distillation"}.get(name or "", "plain")] += 1
        seen["retrieval"] += config.loader("Eval.Query") is not None
        train = config.loader("Train")
        seen["multi-label"] += train is not None and any(d.name == "MultiLabelDataset" for d in train.datasets)
        if name == "RecModel":
            assert all(c.count.location.key in ("Arch.Head.class_num", "Arch.Backbone.class_num") for c in config.class_counts), path
        elif name == "DistillationModel":
            assert {c.role for c in config.class_counts} in ({"Teacher", "Student"}, {"Student", "Student1"}, set()), path
        else:
            assert [c.count.location.key for c in config.class_counts] == ["Arch.class_num"], path
    assert seen == {
        "plain": 274,
        "metric learning": 26,
        "distillation": 19,
        "retrieval": 22,
        "multi-label": 14,
        "search": 10,
        "no loader": 1,
    }


def test_real_overrides_from_the_handbook(shared: Path, tmp_path: Path) -> None:
    path = shared / "corpus" / "paddleclas-configs" / "2.4" / "ppcls" / "configs" / "quick_start" / "new_user" / "ShuffleNetV2_x0_25.yaml"
    config = collect_training_config(
        Request(str(path), ("Arch.class_num=12", "DataLoader.Train.loader.num_workers=0")), World(cwd=str(tmp_path))
    )
    assert config.class_num is not None
    assert (config.class_num.value, config.class_num.location) == (12, Location("-o", 1, None, "Arch.class_num"))
    assert all(override.problem is None and override.known_before for override in config.overrides)
