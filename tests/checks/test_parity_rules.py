"""PAR101 to PAR110: the first rung that differs, and why. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from checks.facts.parity import Cause, LabelMaps, Parity, Repair, Side, Spread, Trouble, WeightsMatch
from doctor.report import ReportedFinding
from tests.ladders import DEPLOY, asked, cause, deployed, image, images, ladder
from tests.projects import CONFIG, measured, passes, reason

SHORT = "ResizeImage.resize_short"
RESIZE = Cause("parameter", "resize", "resize_short", 256, 200, f"Infer.transforms.1.{SHORT}", f"PreProcess.transform_ops.0.{SHORT}")
MAP = "PostProcess.Topk.class_id_map_file"


def one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, parity: Parity, shows: tuple[object, ...] = (), **how: Any
) -> ReportedFinding:
    """The only finding of a comparison, of whatever rule; it must be this one's."""
    measured(monkeypatch, parity)
    project = deployed(tmp_path, how.pop("changes", None))
    finding = project.finding(code, shows=shows, **asked(**how))
    assert [f.code for f in project.check(**asked(**how)).report.findings] == [code]
    return finding


def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, parity: Parity) -> bool:
    measured(monkeypatch, parity)
    return passes(deployed(tmp_path), code, **asked())


def test_a_healthy_pair_has_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder())
    run = deployed(tmp_path).check(**asked())
    assert run.report.findings == []
    assert run.exit == 0
    assert {check.code for check in run.report.checks if check.status == "passed"} == {f"PAR{n}" for n in range(101, 111)}


# PAR101 parity-side-not-run

SIDES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("no-python", {"error": "No such file", "python": "/venv/bin/python"}, ("No such file", "/venv/bin/python")),
    ("no-paddle", {"error": "ModuleNotFoundError: No module named 'paddle'"}, ("No module named 'paddle'",)),
    ("no-ppcls", {}, ("ppcls",)),
    ("no-deploy", {}, ("deploy/python",)),
    ("raised", {"stage": "network", "error": "KeyError: 'x'"}, ("network", "KeyError: 'x'")),
    ("late", {"stage": "network", "seconds": 120}, ("120", "network")),
    ("ended", {"stage": "images", "status": "SIGSEGV", "output": "Segmentation fault"}, ("SIGSEGV", "Segmentation fault")),
    ("ended-often", {"times": 4}, ("4",)),
    ("garbled", {"stage": "images", "python": "/venv/bin/python", "error": "JSON is malformed"}, ("JSON is malformed",)),
]


@pytest.mark.parametrize(("kind", "values", "shows"), SIDES)
@pytest.mark.parametrize("which", ["train", "deploy"])
def test_par101_positive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str, kind: str, values: dict[str, Any], shows: tuple[str, ...]
) -> None:
    parity = ladder(images=(), **{which: Side("/venv/bin/python", trouble=Trouble(kind, values))})
    program = {"train": "tools/infer.py", "deploy": "predict_cls.py"}[which]
    measured(monkeypatch, parity)
    finding = deployed(tmp_path).finding("PAR101", shows=(program, *shows), **asked())
    assert finding.severity == "error"
    assert finding.location.file == (CONFIG if which == "train" else DEPLOY)


def test_par101_positive_names_the_rule_of_a_known_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ValueError: (InvalidArgument) Not find predictor_id 0 and pass_name memory_optimize_pass"
    measured(
        monkeypatch, ladder(images=(), deploy=Side("python", trouble=Trouble("ended", {"stage": "x", "status": "exit 1", "output": said})))
    )
    finding = deployed(tmp_path).finding("PAR101", **asked())
    assert [fix.command for fix in finding.fixes] == ["paddle-doctor rule EXP102"]


def test_par101_positive_a_program_without_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble("no-parameters", {"model": "/m/inference.json", "file": "/m/inference.pdiparams"})
    parity = ladder(images=(), deploy=Side("python", trouble=trouble))
    measured(monkeypatch, parity)
    finding = deployed(tmp_path).finding("PAR101", shows=("/m/inference.json", "/m/inference.pdiparams"), **asked())
    assert finding.location.key == "Global.inference_model_dir"
    export, copy = finding.fixes
    assert export.command is not None and "export_model" in export.command
    assert "inference.pdiparams" in copy.title


def test_par101_positive_weights_that_cannot_be_loaded_are_to_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Trouble("raised", {"stage": "weights", "error": "EOFError: Ran out of input"})
    measured(monkeypatch, ladder(images=(), train=Side("python", trouble=lost)))
    finding = deployed(tmp_path).finding("PAR101", **asked(weights="output/best model"))
    assert [fix.command for fix in finding.fixes] == [f"paddle-doctor check -c {CONFIG} --stage infer --weights 'output/best model'"]


def test_par101_near_miss_other_stages_are_not_about_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Trouble("raised", {"stage": "network", "error": "KeyError: 'x'"})
    measured(monkeypatch, ladder(images=(), train=Side("python", trouble=lost)))
    assert deployed(tmp_path).finding("PAR101", **asked(weights="output/best_model")).fixes == []


def test_par101_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR101", ladder())


def test_par101_near_miss_an_image_has_trouble_and_no_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR101", ladder(images=(image(0, train_trouble=Trouble("unread")),)))


def test_par101_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR101", **asked()) == "parity-not-asked"


# PAR102 predictor-stops


@pytest.mark.parametrize("kind", ["memory-optim", "files", "gpu", "tensorrt", "imports", "folder", "other"])
def test_par102_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    parity = ladder()
    stopped = msgspec.structs.replace(parity.deploy, repairs=(Repair(kind, "RuntimeError: it stops"),))
    finding = one(
        tmp_path, monkeypatch, "PAR102", msgspec.structs.replace(parity, deploy=stopped), ("it stops",), changes={"Global.use_gpu": True}
    )
    assert finding.severity == ("warning" if kind == "folder" else "error")
    if kind in ("gpu", "tensorrt"):
        (fix,) = finding.fixes
        assert (fix.kind, fix.file, fix.key, fix.value) == (
            "edit",
            DEPLOY,
            "Global.use_gpu" if kind == "gpu" else "Global.use_tensorrt",
            False,
        )


def test_par102_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR102", ladder())


def test_par102_near_miss_the_side_did_not_run_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR102", ladder(deploy=Side("python", trouble=Trouble("no-deploy"))))


def test_par102_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR102", **asked()) == "parity-not-asked"


# PAR103 image-read-by-one-side


@pytest.mark.parametrize("which", ["train", "deploy"])
def test_par103_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    for kind, severity in (("unread", "warning"), ("raised", "error")):
        broken = image(0, **{f"{which}_trouble": Trouble(kind, {"error": "cv2.error: empty"}), which: None})
        finding = one(tmp_path, monkeypatch, "PAR103", ladder(images=(broken, *images(20)[1:])), ("cv2.error: empty", 1, 20))
        assert (finding.severity, finding.location.file, finding.evidence["files"]) == (severity, "00.jpg", ["00.jpg"])


def test_par103_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR103", ladder())


def unread(number: int) -> Any:
    return image(number, train_trouble=Trouble("raised", {"error": "cv2.error"}), deploy_trouble=Trouble("unread"), train=None, deploy=None)


def test_par103_positive_neither_side_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR103", ladder(images=(unread(0), unread(1), *images(20)[2:])), (2, 20, "01.jpg", "cv2.error"))
    assert (finding.severity, finding.evidence["files"]) == ("warning", ["00.jpg", "01.jpg"])


def test_par103_positive_no_image_is_read_by_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR103", ladder(images=(unread(0),)), ("00.jpg", "cv2.error"))
    assert finding.severity == "error"


def test_par103_positive_says_why_in_chinese_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder(images=(image(0, deploy_trouble=Trouble("unread"), deploy=None), *images(20)[1:])))
    project = deployed(tmp_path)
    (chinese,), (english,) = (project.check(lang=lang, **asked()).report.findings for lang in ("zh", "en"))
    assert chinese.message.endswith("无法解码")
    assert english.message.endswith("it cannot be decoded")


def test_par103_near_miss_neither_side_is_told_of_where_a_side_did_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR103", ladder(images=(unread(0),), train=Side("python", trouble=Trouble("no-ppcls"))))


@pytest.mark.parametrize("which", ["train", "deploy"])
def test_par103_near_miss_a_side_that_gets_through_none_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    stopped = Trouble("raised", {"stage": "weights", "error": "EOFError: Ran out of input"})
    broken = tuple(image(n, **{f"{which}_trouble": stopped, which: None}) for n in range(4))
    one(tmp_path, monkeypatch, "PAR101", ladder(images=broken, **{which: Side("python", trouble=stopped)}), ("EOFError",))


def test_par103_near_miss_a_tensor_that_the_model_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = tuple(image(n, deploy_trouble=Trouble("raised", {"error": "ValueError"}), deploy=None, train_model=None) for n in range(20))
    parity = ladder(images=refused, tensor=cause("missing-step", "layout", parameter="ToCHWImage"))
    finding = one(tmp_path, monkeypatch, "PAR104", parity, ("ToCHWImage",))
    assert finding.severity == "error"


def test_par103_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR103", **asked()) == "parity-not-asked"


# PAR104 preprocessing-differs


def test_par104_positive_a_parameter_is_corrected_in_the_deploy_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(resized=(RESIZE,), images=images(flips=5, through="train_model"))
    finding = one(tmp_path, monkeypatch, "PAR104", parity, ("ResizeImage.resize_short: 256 → 200", 5, 20, "8.7", "49.1"))
    assert (finding.severity, finding.entry, finding.location.file, finding.location.key) == (
        "error",
        "infer.preprocess-mismatch",
        DEPLOY,
        RESIZE.deploy_key,
    )
    assert finding.location.line is not None
    (fix,) = finding.fixes
    assert (fix.kind, fix.safety, fix.file, fix.key, fix.value) == ("edit", "safe", DEPLOY, RESIZE.deploy_key, 256)


@pytest.mark.parametrize(("score", "severity"), [(0.8, "warning"), (0.90001, "info")])
def test_par104_positive_is_as_bad_as_what_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: float, severity: str) -> None:
    parity = ladder(
        tensor=cause("parameter", "normalize", parameter="mean", train=[0.5], deploy=[0.4]),
        images=images(score=score, through="train_model"),
    )
    assert one(tmp_path, monkeypatch, "PAR104", parity).severity == severity


@pytest.mark.parametrize("kind", ["missing-step", "extra-step", "order", "colour-order", "backend", "orientation", "code"])
def test_par104_positive_offers_the_whole_section_where_no_value_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parity = ladder(tensor=cause(kind, "layout", train="ToCHWImage"), images=images(flips=20, through="train_model"))
    finding = one(tmp_path, monkeypatch, "PAR104", parity)
    (fix,) = finding.fixes
    assert fix.kind == "advice"
    section = yaml.safe_load(fix.snippet or "")["PreProcess"]["transform_ops"]
    assert [next(iter(op)) for op in section] == ["ResizeImage", "CropImage", "NormalizeImage", "ToCHWImage"]
    assert section[2]["NormalizeImage"] == {"scale": "1.0/255.0", "mean": [0.5, 0.5, 0.5], "order": ""}


def test_par104_positive_two_independent_causes_are_two_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = Cause("parameter", "normalize", "scale", 0.0039, 1.0, None, "PreProcess.transform_ops.2.NormalizeImage.scale")
    guessed = Cause("parameter", "crop", "size", 1, 2, proven=False)
    measured(monkeypatch, ladder(resized=(RESIZE, guessed), tensor=(scale,), images=images(flips=5)))
    findings = deployed(tmp_path).findings("PAR104", **asked())
    assert sorted(finding.evidence["rung"] for finding in findings) == ["resized", "tensor"]


def test_par104_positive_of_an_unknown_cause_the_rung_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(tmp_path, monkeypatch, "PAR104", ladder(decoded=(), images=images(flips=2))).evidence["rung"] == "decoded"


def test_par104_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR104", ladder())


def test_par104_near_miss_scales_that_are_equal_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder()
    rungs = tuple(msgspec.structs.replace(r, alone=Spread(20, 0, 1e-6, 1e-7)) if r.name == "tensor" else r for r in parity.rungs)
    assert silent(tmp_path, monkeypatch, "PAR104", msgspec.structs.replace(parity, rungs=rungs))


def test_par104_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR104", **asked()) == "parity-not-asked"


# PAR105 exported-weights-differ

WEIGHTS = WeightsMatch("best_model.pdparams", 40, 40, 38, 0, 0, 2, 2, ("float32",), False, False)


def test_par105_positive_class_count_comes_with_the_right_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(weights_rung=cause("class-count", "weights", train=[512, 3], deploy=[512, 7]), weights=WEIGHTS, images=images(flips=20))
    parity = msgspec.structs.replace(parity, deploy=msgspec.structs.replace(parity.deploy, width=None))
    finding = one(tmp_path, monkeypatch, "PAR105", parity, (7, 3), weights="best_model.pdparams", inference_model="models")
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "1.1", "Global.inference_model_dir")
    (fix,) = finding.fixes
    assert fix.command == (
        f"python3 tools/export_model.py -c {CONFIG} -o Global.pretrained_model=best_model -o Arch.class_num=3 -o Global.save_inference_dir=models"
    )


@pytest.mark.parametrize(
    ("kind", "severity"), [("other-weights", "error"), ("no-weights", "error"), (None, "error"), ("half-precision", "warning")]
)
def test_par105_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, severity: str) -> None:
    causes = cause(kind, "weights") if kind else ()
    fresh = msgspec.structs.replace(WEIGHTS, deploy_fresh=kind == "no-weights")
    finding = one(tmp_path, monkeypatch, "PAR105", ladder(weights_rung=causes, weights=fresh, images=images(flips=9)))
    assert finding.severity == severity
    assert finding.fixes[0].kind == "command"


def test_par105_positive_the_training_side_loaded_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = msgspec.structs.replace(WEIGHTS, train_file=None, train_fresh=True, deploy_fresh=False)
    finding = one(
        tmp_path, monkeypatch, "PAR105", ladder(weights_rung=cause("no-weights", "weights"), weights=fresh, images=images(flips=9))
    )
    assert finding.location.key == "Global.pretrained_model"
    assert [fix.kind for fix in finding.fixes] == ["advice"]


def test_par105_positive_another_network_is_no_other_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = msgspec.structs.replace(WEIGHTS, equal=5, unlike=8, missing=27, extra=27)
    finding = one(
        tmp_path, monkeypatch, "PAR105", ladder(weights_rung=cause("other-weights", "weights"), weights=other, images=images(flips=9))
    )
    assert "another network" in finding.message and "27" in finding.message


def test_par105_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR105", ladder())


def test_par105_near_miss_halves_that_change_nothing_are_information(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(weights_rung=cause("half-precision", "weights"), weights=WEIGHTS, images=images(score=0.901))
    finding = one(tmp_path, monkeypatch, "PAR105", parity)
    assert (finding.severity, finding.fixes) == ("info", [])


def test_par105_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR105", **asked()) == "parity-not-asked"


# PAR106 exported-graph-differs


@pytest.mark.parametrize(("change", "severity"), [({"flips": 2}, "error"), ({"score": 0.8}, "warning"), ({}, "info")])
def test_par106_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, severity: str) -> None:
    finding = one(tmp_path, monkeypatch, "PAR106", ladder(logits=cause("graph", "other"), images=images(**change)))
    assert finding.severity == severity
    assert [(fix.key, fix.value) for fix in finding.fixes] == [("Global.enable_mkldnn", False)]


def test_par106_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR106", ladder())


def test_par106_near_miss_as_far_as_float16_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(
        logits=cause("graph", "other"), images=images(score=0.91), weights=msgspec.structs.replace(WEIGHTS, dtypes=("float16",))
    )
    assert silent(tmp_path, monkeypatch, "PAR106", parity)


def test_par106_near_miss_other_weights_explain_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(logits=(), weights_rung=cause("other-weights", "weights"), weights=WEIGHTS, images=images(flips=9))
    assert silent(tmp_path, monkeypatch, "PAR106", parity)


def test_par106_near_miss_weights_that_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parity = ladder(logits=cause("graph", "other"), images=images(flips=9))
    unread = tuple(msgspec.structs.replace(rung, state="unknown") if rung.name == "weights" else rung for rung in parity.rungs)
    assert silent(tmp_path, monkeypatch, "PAR106", msgspec.structs.replace(parity, rungs=unread, weights=None))


def test_par106_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR106", **asked()) == "parity-not-asked"


# PAR107 activation-differs


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("activation-missing", ()), ("activation-doubled", ("softmax", "softmax")), ("activation-other", ("sigmoid",)), (None, ())],
)
def test_par107_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, ends: tuple[str, ...]) -> None:
    parity = ladder(probabilities=cause(kind, "activation") if kind else (), images=images(score=0.5))
    parity = msgspec.structs.replace(parity, deploy=msgspec.structs.replace(parity.deploy, activations=ends))
    finding = one(tmp_path, monkeypatch, "PAR107", parity, (", ".join(ends),) if ends else ())
    assert finding.severity == "error"
    assert [fix.kind for fix in finding.fixes] == {"activation-missing": ["command"], "activation-doubled": ["advice"]}.get(kind, [])


def test_par107_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR107", ladder())


def test_par107_near_miss_other_logits_under_the_same_softmax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR107", ladder(logits=cause("graph", "other"), images=images(flips=3)))


def test_par107_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR107", **asked()) == "parity-not-asked"


# PAR108 results-differ


@pytest.mark.parametrize(("kind", "severity"), [("top-k", "info"), ("threshold", "warning"), (None, "warning")])
def test_par108_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, severity: str) -> None:
    causes = cause(kind, "post-process", train=5, deploy=2, deploy_key="PostProcess.Topk.topk") if kind else ()
    finding = one(tmp_path, monkeypatch, "PAR108", ladder(topk=causes, images=images(flips=1)))
    assert finding.severity == severity
    assert [(fix.key, fix.value) for fix in finding.fixes] == ([("PostProcess.Topk.topk", 5)] if kind else [])


def test_par108_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR108", ladder())


def test_par108_near_miss_other_classes_that_the_resize_explains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR108", ladder(resized=(RESIZE,), images=images(flips=5)))


def test_par108_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR108", **asked()) == "parity-not-asked"


# PAR109 label-names-differ


@pytest.mark.parametrize(
    ("kind", "maps", "severity", "shows"),
    [
        ("label-shift", {"unlike": 3, "shift": 1, "examples": ((0, "cat", "dog"),)}, "error", ("cat", "dog", 1)),
        ("label-names", {"unlike": 3, "examples": ((0, "cat", "tench"),)}, "error", ("cat", "tench", 3)),
        ("label-map-missing", {"deploy_file": None}, "warning", ("map.txt",)),
        ("label-count", {"deploy": 1000}, "warning", (1000, 3)),
    ],
)
def test_par109_positive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, maps: dict[str, Any], severity: str, shows: tuple[object, ...]
) -> None:
    told = msgspec.structs.replace(LabelMaps("/data/own.txt", "map.txt", 3, 3), **maps)
    finding = one(tmp_path, monkeypatch, "PAR109", ladder(labels_rung=cause(kind, "labels"), labels=told), shows)
    assert (finding.severity, finding.entry, finding.location.key) == (severity, "infer.label-map-mismatch", MAP)
    (fix,) = finding.fixes
    assert (fix.kind, fix.file, fix.key, fix.value) == ("edit", DEPLOY, MAP, "/data/own.txt")


def test_par109_positive_the_training_side_has_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = LabelMaps("own/names.txt", "own/names.txt", None, 3)
    finding = one(
        tmp_path, monkeypatch, "PAR109", ladder(labels_rung=cause("label-map-missing", "labels"), labels=told), ("own/names.txt",)
    )
    assert "training side" in finding.message
    assert finding.location.file == CONFIG and finding.fixes == []


def test_par109_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR109", ladder())


def test_par109_near_miss_another_file_with_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR109", ladder(labels=LabelMaps("a.txt", "b.txt", 3, 3, 3)))


def test_par109_skipped(tmp_path: Path) -> None:
    assert reason(deployed(tmp_path), "PAR109", **asked()) == "parity-not-asked"


# PAR110 too-few-images


def test_par110_positive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = one(tmp_path, monkeypatch, "PAR110", ladder(images=images(3)), (3, "70.8"))
    assert finding.severity == "info"


def test_par110_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR110", ladder(images=images(10)))


def test_par110_near_miss_a_flip_needs_no_more_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(tmp_path, monkeypatch, "PAR110", ladder(images=images(3, flips=1)))


def test_par110_skipped_without_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder(images=()))
    assert reason(deployed(tmp_path), "PAR110", **asked()) == "parity-no-results"
