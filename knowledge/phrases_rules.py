"""Why a check has nothing to say, or a fact could not be had: by the room of the rules that say it."""

from __future__ import annotations

PHRASES_RULES: dict[str, tuple[str, str]] = {
    # --- components: names of PaddleClas and their parameters
    #
    "no-components": (
        "the config names no architecture, loss, transform or other component",
        "配置里没有指定网络、损失、transform 等任何组件",
    ),
    "no-own-paddleclas": (
        "no PaddleClas checkout is at hand",
        "附近没有 PaddleClas 源码",
    ),
    #
    # --- deployment, export, weights
    #
    "no-deploy-config": (
        "there is no deploy config; name one with --deploy-config",
        "没有部署配置；可用 --deploy-config 指定",
    ),
    "not-a-deploy-config": (
        "{file} is no deploy config: it has none of PreProcess, PostProcess, IndexProcess",
        "{file} 不是部署配置：其中没有 PreProcess、PostProcess、IndexProcess",
    ),
    "features-exported": (
        "the model is exported for its features, not for classes",
        "模型按特征导出，而不是按类别导出",
    ),
    "model-output-unknown": (
        "what the exported model answers with cannot be told",
        "无法得知导出模型的输出",
    ),
    "no-inference-yml": (
        "there is no inference.yml beside an exported model",
        "导出的模型旁边没有 inference.yml",
    ),
    "no-readable-program": (
        "there is no exported program that can be read",
        "没有可以读取的导出模型",
    ),
    "no-convolutions": (
        "the exported model has no convolutions that can be counted",
        "导出的模型中数不出卷积算子",
    ),
    "no-inference-model": (
        "no exported model is named or found; name its folder with --inference-model",
        "没有指定或找不到导出的模型；可用 --inference-model 指定目录",
    ),
    "no-deploy-code": (
        "PaddleClas's predictor (deploy/utils/predictor.py) was not found",
        "找不到 PaddleClas 的预测器（deploy/utils/predictor.py）",
    ),
    "onnx-model": ("the model is run by ONNX Runtime", "模型由 ONNX Runtime 运行"),
    "not-the-python-predictor": ("the config is not for the Python predictor", "该配置不是给 Python 预测器用的"),
    "not-the-cpp-demo": (
        "the config is not for the C++ demo (a YAML below deploy/cpp)",
        "该配置不是给 C++ demo 用的（deploy/cpp 下的 YAML）",
    ),
    "not-a-predictor-config": ("no predictor of PaddleClas reads this config", "PaddleClas 的预测器不读这类配置"),
    "no-deploy-threads": ("the config sets no thread count", "配置没有设置线程数"),
    "no-onednn-switch": ("the config has no switch for oneDNN (MKL-DNN)", "配置里没有 oneDNN（MKL-DNN）开关"),
    "no-precision-switch": ("the config has no switch for TensorRT or FP16", "配置里没有 TensorRT 或 FP16 开关"),
    "deploys-on-gpu": ("the model runs on the GPU", "模型在 GPU 上运行"),
    "deploys-on-cpu": ("the model runs on the CPU", "模型在 CPU 上运行"),
    "no-infer-imgs": ("the config names no images", "配置没有指定图片"),
    "model-input-unknown": ("the input of the exported model is unknown", "导出模型的输入形状未知"),
    "no-index": ("the config has no IndexProcess", "配置里没有 IndexProcess"),
    "no-export-target": ("the config names no folder for the export", "配置没有指定导出目录"),
    "shape-by-option": ("the export of this layout takes the image size as an option", "这种布局的导出用命令行选项指定图像尺寸"),
    "no-weights-in-config": ("this kind of config names no weights", "这类配置不指定权重"),
    "weights-by-option": (
        "in 2.0 and 2.1 these tools take the weights as an option, not from the config",
        "2.0、2.1 的这些工具用命令行选项接收权重，不读配置",
    ),
    "no-such-transform": ("no transform of the config is known to be broken", "配置里没有已知损坏的变换"),
    "no-optimizer-list": ("Optimizer is no list", "Optimizer 不是列表"),
    "no-weight-decay": ("the config has no weight decay", "配置没有权重衰减"),
    "no-plateau": ("the schedule is not ReduceOnPlateau", "学习率策略不是 ReduceOnPlateau"),
    "no-train-mode": ("the training mode needs no sections of its own", "训练模式不需要专门的段落"),
    "no-weights-named": ("no weights are named", "没有指定权重"),
    "weights-too-large": ("{file} has more than 2 GiB of values", "{file} 的数值超过 2 GiB"),
    "weights-not-read": ("the values of {file} cannot be read", "读不到 {file} 中的数值"),
    "weights-not-of-export": (
        "no weights were named for the exported model (--weights)",
        "没有用 --weights 指定导出模型对应的权重",
    ),
    "export-not-read": ("the parameters of the exported model cannot be read", "读不到导出模型的参数"),
    "export-quantised": ("the exported model is quantised", "导出模型是量化模型"),
    "export-not-comparable": ("too few parameters can be compared", "可比较的参数太少"),
    "no-batchnorm": ("the weights have no BatchNorm", "权重里没有 BatchNorm"),
    "features-not-classes": ("the network gives features, not classes", "网络输出的是特征，不是类别"),
    "no-classifier-seen": ("the weights have no classifier for {classes} classes", "权重里没有 {classes} 类的分类层"),
    "no-weights-found": ("the weights that are named are not there", "指定的权重不存在"),
    "no-weights-read": ("no weights are named whose content could be read and held against a network", "没有可读取并与网络对照的权重"),
    "no-optimizer-state": ("no state of an optimizer whose tensors are known lies beside the weights", "权重旁没有能辨认的优化器状态"),
    "network-state-unknown": ("what the state dict of {network} holds is not known", "不清楚 {network} 的状态字典包含什么"),
    "state-by-slim": ("quantisation or pruning changes the state dict", "量化或剪枝会改变状态字典"),
    #
    # --- environment
    #
    "no-routes": ("the routing tables of this system cannot be read", "读不到本系统的路由表"),
    "no-output-dir": ("the config names no output folder that this stage writes to", "配置没有该阶段要写的输出目录"),
    "no-free-space": ("the free space of the output folder is not known", "不知道输出目录的剩余空间"),
    "model-size-unknown": ("the size of this network or of its optimizer's state is not known", "该网络或其优化器状态的大小未知"),
    "no-device": ("the config names no device", "配置没有指定设备"),
    "machine-assumed": ("--assume describes another machine than this one", "--assume 描述的不是本机"),
    "no-checkout": ("PaddleClas is not at hand where the config would be run", "配置的运行目录里没有 PaddleClas"),
    "no-paddle": ("PaddlePaddle is not installed for this interpreter", "本解释器没有安装 PaddlePaddle"),
    "no-download": ("the config asks for no download", "配置不需要下载权重"),
    #
    # --- images
    #
    "images-off": ("images are not looked at (--images off)", "未检查图片（--images off）"),
    "images-not-opened": ("images are not opened (--images {depth})", "未打开图片检查（--images {depth}）"),
    "no-image-decoder": (
        "--images full needs a decoder: pip install 'paddle-doctor[images]'",
        "--images full 需要解码库：pip install 'paddle-doctor[images]'",
    ),
    "no-images-read": ("no listed image could be looked into", "没有可检查内容的图片"),
    "no-infer-images": ("the config names no image for inference", "配置没有给出要预测的图片"),
    "no-decode-image": ("the config has no DecodeImage", "配置中没有 DecodeImage"),
    "twins-not-compared": (
        "the lists have no labels to compare, or too many files look alike",
        "列表没有可比较的标签，或相似文件过多",
    ),
    "no-images-listed": ("no label file with images below an image root that exists", "没有可检查的图片列表，或图片根目录不存在"),
    # --- labels, label_sets
    "no-boxes": ("no list is read by CompCars with bbox_crop", "没有用 CompCars 的 bbox_crop 读取的列表"),
    "folders-name-no-classes": ("the folders of the images do not name their classes", "图片所在的目录不代表类别"),
    "no-relabel": ("no list is renumbered by relabel", "没有列表使用 relabel"),
    "no-synthetic": ("no patterns of synthetic images are given (--synthetic)", "没有用 --synthetic 指定合成图片"),
    "no-synthetic-listed": ("no listed image matches {patterns}", "列表中没有图片匹配 {patterns}"),
    "no-multi-label-list": ("no list has several labels for an image", "没有多标签列表"),
    "sampler-balances": ("the sampler {sampler} balances the classes", "采样器 {sampler} 已经均衡了各类别"),
    #
    # --- networks, objectives, distillation
    #
    "any-input-size": (
        "the network takes any image size, or is not known",
        "网络接受任意图像尺寸，或者是不认识的网络",
    ),
    "no-distillation": (
        "the config is no distillation",
        "配置不是蒸馏",
    ),
    "no-network": (
        "the config names no network that this rule knows",
        "配置中没有本规则认识的网络",
    ),
    "no-legacy-network": (
        "the config is none of 2.0 and 2.1, or names no network",
        "不是 2.0、2.1 的配置，或没有写网络",
    ),
    "no-mixing": (
        "no batch operator mixes images",
        "没有混合图像的 batch 算子",
    ),
    "no-device-told": (
        "no deploy config says what the network will run on",
        "没有部署配置说明网络将在什么设备上运行",
    ),
    "no-grouping-loss": (
        "no loss of a RecModel cuts the batch into groups of one class, or the batch size is not known",
        "没有把 batch 按类分组的 RecModel 损失，或 batch 大小未知",
    ),
    "no-loss-table": (
        "no loss of a RecModel keeps a table of classes or features",
        "没有带类别表或特征表的 RecModel 损失",
    ),
    "no-retrieval": (
        "nothing is evaluated by retrieval",
        "没有检索方式的评估",
    ),
    "no-rec-model": (
        "no model of the config is a RecModel",
        "配置中没有 RecModel",
    ),
    "no-roles-read": (
        "Arch.models is not a list of single roles (DST103)",
        "Arch.models 不是单角色的列表（DST103）",
    ),
    "no-transformer": (
        "the network is no transformer, or a role of a distillation",
        "网络不是 transformer，或者是蒸馏中的角色",
    ),
    #
    # --- pipeline, preprocessing
    #
    "no-transforms": (
        "the stage runs no list of transforms that can be followed",
        "当前阶段没有可以跟踪的算子列表",
    ),
    "nothing-to-compare": (
        "there are no two lists of transforms to compare",
        "没有两个可以互相比较的算子列表",
    ),
    "no-image-sizes": (
        "{split}: the size of the images decides, and none could be looked at",
        "{split}：结果取决于图像尺寸，而没有可供查看的图像",
    ),
    #
    # --- schedule
    #
    "no-schedule": ("the config has no learning-rate schedule", "配置中没有学习率策略"),
    "no-milestones": ("the schedule has no milestones", "学习率策略没有衰减点"),
    "no-epochs": ("the config gives no number of epochs", "配置中没有 epoch 数"),
    "no-evaluation": ("nothing is evaluated", "不做评估"),
    "no-checkpoint": ("the config names no checkpoint", "配置没有指定检查点"),
    "no-checkpoint-epoch": ("the epoch of the checkpoint is not known", "不知道检查点保存于哪个 epoch"),
    "no-adamw": ("the optimizer is not AdamW", "优化器不是 AdamW"),
    "no-average": ("no average of the weights (EMA) is kept", "没有使用权重的滑动平均（EMA）"),
    "no-batch-operators": ("there are no batch_transform_ops", "没有 batch_transform_ops"),
    "no-loss-of-pairs": (
        "no loss of a RecModel needs every class equally often in a batch",
        "RecModel 的损失函数都不要求 batch 内各类别样本数相等",
    ),
    "no-class-sampler": ("no sampler of this stage fills batches by class", "该阶段没有按类别组 batch 的采样器"),
    "no-accumulation": ("no gradients are accumulated", "不做梯度累积"),
    #
    # --- sections, values, override_effects
    #
    "sections-other-stage": (
        "PaddleClas's training engine does not read a config like this one at this stage",
        "PaddleClas 的训练引擎在此阶段不读这样的配置",
    ),
    "sections-modern": ("the rule is about configs of PaddleClas 2.2 and later", "本规则只针对 PaddleClas 2.2 及以后的配置"),
    "no-global-class-num": ("the config has no Global.class_num", "配置里没有 Global.class_num"),
    "infer-needs-classification": ("tools/infer.py handles classification only (CFG108)", "tools/infer.py 只支持分类任务（CFG108）"),
    "one-override": ("there are not two overrides", "覆盖项不足两个"),
}

OUTCOMES_ZH: dict[str, str] = {
    # how a pre-processing differs (PAR104)
    "another value": "取值不同",
    "a step is missing": "缺少步骤",
    "a step too many": "多出步骤",
    "another order of steps": "步骤顺序不同",
    "another order of colours": "颜色通道顺序不同",
    "another library": "所用图像库不同",
    "the orientation of EXIF": "对 EXIF 方向的处理不同",
    "other code of the same step": "同一步骤的代码不同",
    "another result": "结果不同",
    # why an image was not read (PAR103)
    "it cannot be decoded": "无法解码",
    "the step did not end in time": "处理超时",
    "the process ended": "进程意外结束",
    "the schedule then ends after the last epoch": "学习率策略在最后一个 epoch 之后才走完",
    "exit status 0, but the loss becomes nan": "状态 0 结束，但损失变成 nan",
    "the learning rate turns negative, and the loss is driven up": "学习率变成负数，损失越训越大",
    "the first batch fails, or the network cannot be built": "网络无法构建，或第一个 batch 就报错",
    "the loss cannot tell the classes apart": "损失无法区分类别",
    "the weights are driven apart, exit status 0": "权重越来越大，状态 0 结束",
    "this loss is driven up, exit status 0": "该损失会越训越大，状态 0 结束",
    "the other losses hardly count any more, and the sum may become nan": "其余损失几乎不起作用，总和可能变成 nan",
    "from 2.3 on there is then no label smoothing at all": "从 2.3 起不再做标签平滑",
    "no attribute ever reaches it": "任何属性都达不到",
    "no class ever reaches it": "任何类别都达不到",
    "another number of classes is listed": "列出的类别数会是另一个数",
    "an exception": "会抛异常",
    "an AssertionError or TypeError": "AssertionError 或 TypeError",
    "ZeroDivisionError or TypeError": "ZeroDivisionError 或 TypeError",
    "ZeroDivisionError, TypeError or a run that hangs": "ZeroDivisionError、TypeError，或者卡住",
    "RecursionError, and the run hangs": "RecursionError，训练卡住",
}
"""What comes of a number that cannot work, where `knowledge.value_types` and `knowledge.component_values` say it in words of their own."""
