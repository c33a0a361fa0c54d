"""What people call things that PaddleClas calls otherwise: names of torchvision, timm, MMPretrain and of PaddleClas's own other generation."""

from __future__ import annotations

from typing import Final


def _all(meant: str, *written: str) -> dict[str, str]:
    return dict.fromkeys(written, meant)


# by kind, then by the written name in lower case and without separators
MEANT: Final[dict[str, dict[str, str]]] = {
    "loss": {
        **_all(
            "CELoss",
            "crossentropyloss",
            "crossentropy",
            "ce",
            "xent",
            "softmaxcrossentropy",
            "softmaxloss",
            "nllloss",
            "labelsmoothloss",
            "labelsmoothingloss",
            "labelsmoothcrossentropy",
            "labelsmoothingcrossentropy",
            "labelsmoothceloss",
            "mixceloss",
            "mixcrossentropyloss",
        ),
        **_all(
            "MultiLabelLoss",
            "bceloss",
            "bce",
            "bcewithlogitsloss",
            "binarycrossentropy",
            "binarycrossentropyloss",
            "multilabelsoftmarginloss",
        ),
        **_all("MultiLabelAsymmetricLoss", "asymmetricloss", "asl", "asymmetriclossmultilabel"),
        **_all("SoftTargetCrossEntropy", "softtargetcrossentropyloss", "softcrossentropy", "softceloss", "softtargetceloss"),
        **_all("TripletLossV2", "triplet", "tripletmarginloss"),
        **_all("DistanceLoss", "mseloss", "l1loss", "l2loss", "smoothl1loss"),
        **_all("DistillationKLDivLoss", "kldivloss", "kdloss", "kldloss"),
        **_all("DistillationDMLLoss", "jsdivloss"),
        **_all("SupConLoss", "supervisedcontrastiveloss", "contrastive"),
    },
    "gear": {
        **_all("ArcMargin", "arcface", "arcfacehead", "arcmarginproduct", "arcloss"),
        **_all("CosMargin", "cosface", "amsoftmax", "addmarginproduct"),
        **_all("CircleMargin", "circleloss", "circle"),
        **_all("AdaMargin", "adaface"),
        **_all("FC", "linear", "linearhead", "linearclshead", "fullyconnected", "dense", "clshead"),
    },
    "optimizer": {**_all("Momentum", "sgdm", "sgdmomentum", "nesterov", "momentumsgd"), "adamweightdecay": "AdamW"},
    "schedule": {
        **_all("Step", "steplr", "stepdecay"),
        **_all("MultiStepDecay", "multistep", "multisteplr"),
        **_all(
            "Cosine",
            "cosineannealing",
            "cosineannealinglr",
            "cosineannealingdecay",
            "cosinedecay",
            "cosinelr",
            "cosinewarmup",
            "cosineschedule",
            "cosinelrscheduler",
            "warmupcosine",
            "cos",
        ),
        **_all("Piecewise", "piecewisedecay", "piecewiselr", "piecewiseconstant"),
        **_all("Linear", "lineardecay", "linearlr", "linearwarmup", "polynomial", "polynomialdecay", "poly", "polylr", "polynomiallr"),
        **_all("ReduceOnPlateau", "reducelronplateau", "plateau"),
        **_all("Cyclic", "cycliclr"),
        **_all("OneCycleLR", "onecycle"),
        **_all("Constant", "const", "fixed", "constantlr"),
    },
    "legacy.schedule": {
        **_all("Cosine", "cosineannealing", "cosineannealinglr", "cosineannealingdecay", "cosinedecay", "cosinelr"),
        **_all("CosineWarmup", "warmupcosine", "cosinewithwarmup"),
        **_all("Piecewise", "piecewisedecay", "step", "steplr", "stepdecay", "multistep", "multisteplr", "multistepdecay"),
        **_all("ExponentialWarmup", "exponential", "exponentialdecay", "exponentiallr"),
    },
    "regularizer": {
        **_all("L2", "l2decay", "l2regularizer", "l2regularization", "weightdecay"),
        **_all("L1", "l1decay", "l1regularizer", "l1regularization"),
    },
    "metric": {
        **_all("TopkAcc", "accuracy", "acc", "top1", "top1acc", "top5", "topk", "topacc", "topkaccuracy", "top1accuracy", "topkmetric"),
        **_all("Recallk", "recall", "recallatk", "recall@k"),
        **_all("Precisionk", "precision", "precisionatk"),
        **_all("mAP", "meanap", "meanaverageprecision", "averageprecision"),
        **_all("HammingDistance", "hamming", "hammingloss", "multilabelacc"),
        **_all("MultiLabelMAP", "multilabelmap"),
    },
    "sampler": {
        **_all("DistributedBatchSampler", "distributedsampler", "randomsampler", "sequentialsampler", "batch", "defaultsampler"),
        **_all("DistributedRandomIdentitySampler", "randomidentitysampler", "identitysampler"),
        **_all("PKSampler", "pk", "pkbatchsampler", "distributedpksampler"),
        **_all("RASampler", "repeataugsampler", "repeataugmentsampler"),
        **_all("MultiScaleSampler", "multiscalebatchsampler"),
    },
    "dataset": {
        **_all(
            "ImageNetDataset",
            "imagenet",
            "imagefolder",
            "datasetfolder",
            "imagelist",
            "customdataset",
            "imagedataset",
            "commondataset",
            "dataset",
        ),
        **_all("MultiLabelDataset", "multilabel", "multilabelimagenetdataset"),
    },
    "transform": {
        **_all("RandCropImage", "randomcrop", "randomresizecrop", "randomresizedcropimage", "randresizedcrop", "randomsizedcrop"),
        **_all("ResizeImage", "resize", "resizeedge", "scale"),
        **_all("CropImage", "centercrop", "centrecrop", "crop"),
        **_all("RandFlipImage", "randomflip", "flip", "horizontalflip", "randomhorizontalflip", "fliplr", "randomhflip", "hflip"),
        **_all("NormalizeImage", "normalize", "normalise", "normaliseimage"),
        **_all("ToCHWImage", "totensor", "tochw", "transpose", "permute", "hwc2chw", "packinputs", "imagetotensor"),
        **_all("DecodeImage", "decode", "loadimage", "loadimagefromfile", "readimage", "imread"),
        **_all("ColorJitter", "rawcolorjitter", "jitter", "randomcolorjitter"),
        **_all("RandAugment", "randaug", "randomaugment"),
        **_all("AutoAugment", "autoaug", "imagenetpolicy"),
        **_all("TimmAutoAugment", "timmaugment", "timmautoaug", "timmrandaugment"),
        **_all("RandomErasing", "randomerase", "erasing", "randerasing"),
        **_all("RandomRotation", "rotation", "rotate", "randomrotate", "randrotate"),
        **_all("RandomGrayscale", "grayscale", "togray"),
        **_all("MixupOperator", "mixup", "batchmixup"),
        **_all("CutmixOperator", "cutmix", "batchcutmix"),
        **_all("FmixOperator", "fmix"),
        **_all("PCALighting", "lighting"),
    },
    "eval_mode": {
        **_all("classification", "classify", "cls", "class", "classifier", "multilabel"),
        **_all("retrieval", "rec", "recognition", "retrieve", "metric"),
        "face": "adaface",
    },
    "train_mode": {**_all("fixmatch_ccssl", "ccssl"), "progressivelearning": "progressive"},
    "transform.mix": {"mixup": "MixupOperator", "cutmix": "CutmixOperator", "fmix": "FmixOperator"},
    "transform.nested": {"colorjitter": "RawColorJitter"},
    "postprocess": {
        **_all("Topk", "top1", "top5", "topkacc", "softmax", "topkpostprocess"),
        **_all("ThreshOutput", "threshold", "thresh"),
        **_all("MultiLabelThreshOutput", "multilabel", "multilabeltopk", "multilabeloutput", "multilabelthreshold"),
    },
}
MEANT["legacy.regularizer"] = MEANT["regularizer"]
MEANT["legacy.transform"] = MEANT["transform"]
MEANT["deploy.transform"] = MEANT["transform"]
MEANT["deploy.postprocess"] = MEANT["postprocess"]
MEANT["dataset.part"] = MEANT["dataset"]
MEANT["sampler.part"] = MEANT["sampler"]

SUFFIXES: Final = (
    "_ssld_stage1_pretrained",
    "_ssld_pretrained",
    "_ssld_v2",
    "_ssld_infer",
    "_ssld",
    "_pretrained",
    "_infer",
    "_finetune",
    "_imagenet",
)
"""Endings of weight files and model-zoo rows that are no part of an architecture's name; the longest first."""

ARCHITECTURES: Final[dict[str, str]] = {
    **_all("ResNet50", "resnet", "resnetv1b50", "resnet50v1"),
    **_all("ResNet18_vd", "resnet18d"),
    **_all("ResNet34_vd", "resnet34d"),
    **_all("ResNet50_vd", "resnet50d", "resnetvd", "resnetv1d50", "resnetv1d"),
    **_all("ResNet101_vd", "resnet101d"),
    **_all("SE_ResNet50_vd", "seresnet50", "seresnet50d"),
    **_all("VGG11", "vgg11bn"),
    **_all("VGG13", "vgg13bn"),
    **_all("VGG16", "vgg16bn", "vgg"),
    **_all("VGG19", "vgg19bn"),
    **_all("MobileNetV1", "mobilenet", "mobilenetv1x10", "mobilenetv1100"),
    **_all("MobileNetV2", "mobilenetv2x10", "mobilenetv2100"),
    **_all("MobileNetV3_large_x1_0", "mobilenetv3", "mobilenetv3large", "mobilenetv3large100", "mobilenetv3largex1", "largemobilenetv3"),
    **_all("MobileNetV3_small_x1_0", "mobilenetv3small", "mobilenetv3small100", "mobilenetv3smallx1"),
    **_all("EfficientNetB0", "efficientnet", "tfefficientnetb0"),
    **{f"tfefficientnetb{n}": f"EfficientNetB{n}" for n in range(1, 8)},
    **_all("EfficientNetV2_S", "efficientnetv2", "efficientnetv2s", "tfefficientnetv2s"),
    **_all(
        "SwinTransformer_tiny_patch4_window7_224", "swint", "swintiny", "swintransformer", "swintransformertiny", "swintinypatch4window7224"
    ),
    **_all("SwinTransformer_small_patch4_window7_224", "swins", "swinsmall", "swintransformersmall", "swinsmallpatch4window7224"),
    **_all("SwinTransformer_base_patch4_window7_224", "swinb", "swinbase", "swintransformerbase", "swinbasepatch4window7224"),
    **_all("SwinTransformer_large_patch4_window7_224", "swinl", "swinlarge", "swintransformerlarge", "swinlargepatch4window7224"),
    **_all("ViT_base_patch16_224", "vit", "vitb16", "vitbase", "visiontransformer", "vitbasepatch16"),
    **_all("ViT_small_patch16_224", "vits16", "vitsmall"),
    **_all("ViT_large_patch16_224", "vitl16", "vitlarge"),
    **_all("DeiT_tiny_patch16_224", "deittiny", "deit"),
    **_all("DeiT_small_patch16_224", "deitsmall"),
    **_all("DeiT_base_patch16_224", "deitbase"),
    **_all("ConvNeXt_tiny", "convnext"),
    **_all("ConvNeXt_base_224", "convnextbase"),
    **_all("ConvNeXt_large_224", "convnextlarge"),
    **_all("InceptionV3", "inception", "inception3"),
    **_all("ShuffleNetV2_x1_0", "shufflenet", "shufflenetv2"),
    **_all("GhostNet_x1_0", "ghostnet", "ghostnet100"),
    **_all("HRNet_W18_C", "hrnet", "hrnetw18"),
    **_all("PPLCNet_x1_0", "pplcnet", "lcnet", "lcnet100"),
    **_all("PPLCNetV2_base", "pplcnetv2"),
    **_all("PPHGNet_small", "pphgnet", "hgnet"),
    **_all("PPHGNetV2_B4", "pphgnetv2", "hgnetv2", "hgnetv2b4"),
    **_all("Res2Net50_26w_4s", "res2net", "res2net50"),
    **_all("ResNeXt50_32x4d", "resnext", "resnext50"),
    **_all("ResNeSt50", "resnest"),
    **_all("DenseNet121", "densenet"),
    **_all("SqueezeNet1_0", "squeezenet"),
    **_all("Xception41", "xception"),
    **_all("WideResNet", "wideresnet50", "wideresnet502"),
    **_all("RepVGG_A0", "repvgg"),
    **_all("CSPDarkNet53", "cspdarknet"),
    **_all("DarkNet53", "darknet"),
    **_all("LeViT_128", "levit"),
    **_all("StarNet_S1", "starnet"),
    **_all("MobileViT_S", "mobilevit"),
}

_CLASS_NUM = ("class_num", "num_classes")
# by kind ("" for all), then by the written name in lower case and without separators: what it may stand for, the likeliest first
PARAMETERS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "": {
        **dict.fromkeys(
            (
                "classnum",
                "classnums",
                "numclass",
                "numclasses",
                "classesnum",
                "classnumber",
                "nclass",
                "nclasses",
                "classdim",
                "classes",
                "nbclasses",
            ),
            _CLASS_NUM,
        ),
        **dict.fromkeys(("lr", "baselr", "initlr", "initiallr", "learningrate"), ("learning_rate", "lr")),
        **dict.fromkeys(("batch", "bs", "batchsizes", "batchsizepercard"), ("batch_size", "first_bs")),
        **dict.fromkeys(("p", "probability", "prob"), ("prob", "p")),
        **dict.fromkeys(("k", "ks", "topks"), ("topk",)),
        **dict.fromkeys(("eps", "labelsmooth", "labelsmoothing", "smoothing"), ("epsilon", "label_smoothing")),
        **dict.fromkeys(("temp", "t", "tau"), ("temperature",)),
        **dict.fromkeys(("pretrain", "pretrainedmodel", "weights"), ("pretrained",)),
        **dict.fromkeys(("dropout", "droprate", "dropoutrate", "dropoutprob"), ("dropout_prob", "drop_rate", "dropout", "drop")),
        **dict.fromkeys(
            ("embeddingdim", "embeddim", "embeddingsize", "infeatures"), ("embedding_size", "embed_dim", "feat_dim", "in_channels")
        ),
    },
    "dataset": {
        **dict.fromkeys(
            ("clslabelfile", "filelist", "labelfile", "listfile", "labelpath", "annfile", "annotation", "datalist"),
            ("cls_label_path", "label_path", "sample_list_path"),
        ),
        **dict.fromkeys(
            ("datadir", "dataroot", "imgroot", "root", "datapath", "dataprefix", "imagedir", "rootdir", "imgdir"),
            ("image_root", "root_dir"),
        ),
        **dict.fromkeys(("batchtransforms", "mix", "batchops", "batchtransformop"), ("batch_transform_ops",)),
        **dict.fromkeys(("transforms", "transform", "pipeline", "ops", "transformop"), ("transform_ops", "transform")),
        **dict.fromkeys(("sep", "separator", "delim"), ("delimiter",)),
    },
    "sampler": {
        **dict.fromkeys(("droplastbatch", "last"), ("drop_last",)),
        **dict.fromkeys(("numinstance", "k", "instances", "sampleperclass", "sampleperids"), ("num_instances", "sample_per_id")),
    },
    "loss": dict.fromkeys(("w", "lossweight", "weights", "lossratio"), ("weight",)),
    "optimizer": {
        **dict.fromkeys(("wd", "l2", "decay"), ("weight_decay",)),
        **dict.fromkeys(("clipgrad", "gradclip", "maxnorm"), ("clip_norm",)),
        "nesterov": ("use_nesterov",),
    },
    "regularizer": dict.fromkeys(("factor", "weightdecay", "coefficient", "decay", "coef"), ("coeff", "factor")),
    "schedule": {
        **dict.fromkeys(("warmup", "warmupepochs", "warmupepochnum", "warmups", "warmupsteps"), ("warmup_epoch", "num_warmup_steps")),
        **dict.fromkeys(("minlr", "lrmin", "endlr", "etamin"), ("eta_min", "end_lr", "min_lr")),
        **dict.fromkeys(("step", "steps", "epochs", "milestone", "boundaries"), ("milestones", "decay_epochs", "step_size")),
        **dict.fromkeys(("warmuplr", "startlr", "warmupstart"), ("warmup_start_lr",)),
    },
    "transform": {
        **dict.fromkeys(("short", "shortside", "shortedge", "resize", "shorter"), ("resize_short",)),
        **dict.fromkeys(
            ("cropsize", "imgsize", "imagesize", "inputsize", "targetsize", "shape", "outputsize", "sizes"),
            ("size", "resize_short", "target_size"),
        ),
        **dict.fromkeys(("rgb", "usergb", "bgr2rgb", "torgb"), ("to_rgb",)),
        **dict.fromkeys(("interp", "interpolate", "resample"), ("interpolation", "interp")),
        **dict.fromkeys(("flipmode", "code", "direction"), ("flip_code",)),
        **dict.fromkeys(("layers", "n", "numops"), ("num_layers",)),
        **dict.fromkeys(("m", "mag", "level"), ("magnitude",)),
        **dict.fromkeys(("policy", "config"), ("config_str",)),
        **dict.fromkeys(("holes", "nhole"), ("n_holes",)),
        "beta": ("alpha",),
    },
    "postprocess": dict.fromkeys(
        ("classidmap", "labelfile", "labelmap", "labelpath", "classidmapfile", "labellist", "mapfile"), ("class_id_map_file",)
    ),
}
