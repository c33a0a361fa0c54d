"""What a key that PaddleClas does not know was probably meant to be: other names, other places, and keys never to be offered."""

from __future__ import annotations

from typing import Final

# The same thing in the layout of 2.1 and before and in that of 2.2 and later.
MOVED: Final[tuple[tuple[str, str], ...]] = (
    ("ARCHITECTURE.name", "Arch.name"),
    ("ARCHITECTURE", "Arch"),
    ("ARCHITECTURE.params", "Arch"),
    ("LEARNING_RATE.function", "Optimizer.lr.name"),
    ("LEARNING_RATE.params.lr", "Optimizer.lr.learning_rate"),
    ("LEARNING_RATE", "Optimizer.lr"),
    ("LEARNING_RATE.params", "Optimizer.lr"),
    ("OPTIMIZER.function", "Optimizer.name"),
    ("OPTIMIZER", "Optimizer"),
    ("OPTIMIZER.params", "Optimizer"),
    ("OPTIMIZER.regularizer.factor", "Optimizer.regularizer.coeff"),
    ("OPTIMIZER.regularizer.function", "Optimizer.regularizer.name"),
    *(
        (f"{old}.{key}", f"DataLoader.{new}.{home}")
        for old, new in (("TRAIN", "Train"), ("VALID", "Eval"))
        for key, home in (
            ("batch_size", "sampler.batch_size"),
            ("data_dir", "dataset.image_root"),
            ("delimiter", "dataset.delimiter"),
            ("file_list", "dataset.cls_label_path"),
            ("mix", "dataset.batch_transform_ops"),
            ("num_workers", "loader.num_workers"),
            ("transforms", "dataset.transform_ops"),
        )
    ),
    ("TRAIN", "DataLoader.Train"),
    ("VALID", "DataLoader.Eval"),
    ("checkpoints", "Global.checkpoints"),
    ("classes_num", "Arch.class_num"),
    ("ema_decay", "EMA.decay"),
    ("epochs", "Global.epochs"),
    ("image_shape", "Global.image_shape"),
    ("model_save_dir", "Global.output_dir"),
    ("multilabel", "Global.use_multilabel"),
    ("pretrained_model", "Global.pretrained_model"),
    ("print_interval", "Global.print_batch_step"),
    ("save_interval", "Global.save_interval"),
    ("scale_loss", "AMP.scale_loss"),
    ("use_amp", "AMP.use_amp"),
    ("use_dali", "Global.use_dali"),
    ("use_dynamic_loss_scaling", "AMP.use_dynamic_loss_scaling"),
    ("use_gpu", "Global.device"),
    ("valid_interval", "Global.eval_interval"),
    ("validate", "Global.eval_during_train"),
)

# What people call a thing, per slot, where no likeness of letters would lead from the one to the other.
SYNONYMS: Final[dict[str, dict[str, str]]] = {
    "arch": {
        **dict.fromkeys(("class_number", "classes", "n_class", "n_classes", "num_class"), "class_num"),
        "pretrain": "pretrained",
    },
    "dataset": {
        **dict.fromkeys(("cls_label_file", "file_list", "label_file", "list_file"), "cls_label_path"),
        **dict.fromkeys(("data_dir", "data_root", "img_root", "root"), "image_root"),
        **dict.fromkeys(("batch_transforms", "mix"), "batch_transform_ops"),
        "transforms": "transform_ops",
    },
    "global": {
        **dict.fromkeys(("epoch_num", "max_epoch", "max_epochs", "num_epoch", "num_epochs", "total_epochs"), "epochs"),
        **dict.fromkeys(("pretrain", "pretrained", "pretrained_weights", "weights"), "pretrained_model"),
        **dict.fromkeys(("model_save_dir", "output", "output_path", "save_dir"), "output_dir"),
        **dict.fromkeys(("resume", "resume_from"), "checkpoints"),
        **dict.fromkeys(("inference_dir", "save_infer_dir", "save_inference_path"), "save_inference_dir"),
    },
    "infer": {"transform_ops": "transforms"},
    "deploy.global": {
        **dict.fromkeys(("mkldnn", "use_mkldnn", "use_onednn"), "enable_mkldnn"),
        **dict.fromkeys(("use_trt", "tensorrt"), "use_tensorrt"),
        **dict.fromkeys(("inference_dir", "inference_model"), "inference_model_dir"),
        "cpu_threads": "cpu_num_threads",
    },
    "legacy": {
        **dict.fromkeys(("class_num", "num_classes"), "classes_num"),
        **dict.fromkeys(("eval", "val"), "VALID"),
        "output_dir": "model_save_dir",
    },
    "loader": {
        **dict.fromkeys(("num_work", "worker", "workers"), "num_workers"),
        **dict.fromkeys(("shared_memory", "shm", "use_shm"), "use_shared_memory"),
    },
    "loaders": {**dict.fromkeys(("val", "valid", "validate", "validation"), "Eval"), "training": "Train"},
    "loss.params": dict.fromkeys(("label_smooth", "label_smoothing", "smoothing"), "epsilon"),
    "lr": dict.fromkeys(("base_lr", "init_lr", "initial_lr", "lr"), "learning_rate"),
    "metrics": dict.fromkeys(("val", "valid"), "Eval"),
    "losses": dict.fromkeys(("val", "valid"), "Eval"),
    "optimizer": {"wd": "weight_decay"},
    "regularizer": {"factor": "coeff"},
    "sampler": dict.fromkeys(("batch", "bs"), "batch_size"),
}

# Where a key belongs that many places know.
HOMES: Final[dict[str, dict[str, str]]] = {
    "modern": {
        **dict.fromkeys(("batch", "batch_size", "bs"), "DataLoader.Train.sampler.batch_size"),
        **dict.fromkeys(("class_nums", "classes_num", "num_class", "num_classes"), "Arch.class_num"),
        **dict.fromkeys(("data_dir", "image_root"), "DataLoader.Train.dataset.image_root"),
        **dict.fromkeys(("cls_label_path", "file_list"), "DataLoader.Train.dataset.cls_label_path"),
        **dict.fromkeys(("base_lr", "learning_rate", "lr"), "Optimizer.lr.learning_rate"),
        **dict.fromkeys(("epoch", "max_epoch", "max_epochs", "num_epochs"), "Global.epochs"),
        "class_id_map_file": "Infer.PostProcess.class_id_map_file",
        "class_num": "Arch.class_num",
        "model_name": "Arch.name",
        "num_workers": "DataLoader.Train.loader.num_workers",
        "pretrained": "Arch.pretrained",
        **dict.fromkeys(("pretrain_weights", "weights"), "Global.pretrained_model"),
        "use_gpu": "Global.device",
        "weight_decay": "Optimizer.weight_decay",
    },
    "legacy": {
        **dict.fromkeys(("batch", "batch_size", "bs"), "TRAIN.batch_size"),
        **dict.fromkeys(("class_num", "num_classes"), "classes_num"),
        **dict.fromkeys(("base_lr", "learning_rate", "lr"), "LEARNING_RATE.params.lr"),
        **dict.fromkeys(("data_dir", "image_root"), "TRAIN.data_dir"),
        **dict.fromkeys(("file_list", "cls_label_path"), "TRAIN.file_list"),
        "num_workers": "TRAIN.num_workers",
        "pretrained": "pretrained_model",
    },
    "deploy": {
        "batch_size": "Global.batch_size",
        "class_id_map_file": "PostProcess.Topk.class_id_map_file",
        "topk": "PostProcess.Topk.topk",
    },
}

# Misspelt in configurations PaddleClas ships, or out of use: known, but never what anyone should be led to.
NEVER_OFFERED: Final = frozenset(
    (
        ("deploy.global", "labe_list"),
        ("global", "class_num"),
        ("global", "infer_imgs"),
        ("op", "BlurImage"),
        ("optimizer", "clip_grad"),
        ("ssl", "tempture"),
    )
)

# Words too general to say where they belong when their surroundings are wrong.
GENERIC: Final = frozenset(
    (
        *("alpha", "config", "delimiter", "dropout", "epsilon", "function", "gamma", "input_size", "key", "level"),
        *("margin", "mode", "model", "name", "params", "path", "scale", "scope", "size", "threshold", "topk", "type"),
        *("values", "weight"),
    )
)

# A place must be this many times as usual as the next one before a key out of place is sent there.
CLEARLY_MORE: Final = 4
