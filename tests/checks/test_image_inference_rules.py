"""IMG: the images for inference. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import PIXEL, Project, passes, reason


def folder(tmp_path: Path, **files: bytes) -> Project:
    """A project that infers over the folder `test`, with these files (`a_jpg` is `a.jpg`)."""
    project = Project(tmp_path, "modern", {"Infer.infer_imgs": "./test", "Infer.batch_size": 4})
    (tmp_path / "test").mkdir()
    for name, content in files.items():
        project.write(f"test/{name.replace('__', '/').replace('_', '.')}", content)
    return project


# IMG110 infer-image-missing


@pytest.mark.parametrize("path", ["none.jpg", "./gone/"])
def test_img110_positive(tmp_path: Path, path: str) -> None:
    project = Project(tmp_path, "modern", {"Infer.infer_imgs": path})
    finding = project.finding("IMG110", stage="infer", shows=(path,))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "data.path-missing", "Infer.infer_imgs")
    assert project.findings("IMG110", stage="train") == []


def test_img110_positive_override_and_extensions(tmp_path: Path) -> None:
    project = folder(tmp_path, a_PNG=PIXEL, b_webp=PIXEL)
    assert project.finding("IMG110", stage="infer").evidence["passed_over"] == 2
    finding = project.finding("IMG110", "Infer.infer_imgs=./test/a.PNG", stage="infer", shows=("./test/a.PNG",))
    assert finding.location.file == "-o"


def test_img110_near_miss_a_folder_too_large_to_go_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = folder(tmp_path, a_txt=b"", b__c_txt=b"")
    assert not passes(project, "IMG110", stage="infer")
    monkeypatch.setattr("checks.facts.image_inference.MOST_ENTRIES", 1)
    assert passes(project, "IMG110", stage="infer")
    monkeypatch.undo()
    monkeypatch.setattr("checks.facts.image_inference.SECONDS", -1)
    assert passes(project, "IMG110", stage="infer")


def test_img110_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "IMG110", stage="infer")


def test_img110_near_miss_a_list_names_the_images(tmp_path: Path) -> None:
    project = folder(tmp_path, a_PNG=PIXEL)
    project.set("Infer.infer_list", "./data/val_list.txt")
    project.save()
    assert passes(project, "IMG110", stage="infer")


def test_img110_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "IMG110", stage="infer") == "no-infer-images"


# IMG111 infer-images-passed-over


def test_img111_positive(tmp_path: Path) -> None:
    project = folder(tmp_path, a_jpg=PIXEL, b_PNG=PIXEL, c_webp=PIXEL, notes_txt=b"x", sub__d_png=PIXEL)
    passed, nested = project.findings("IMG111", stage="infer", shows=("b.PNG",))
    assert (passed.severity, passed.evidence["count"], passed.evidence["taken"]) == ("warning", 2, 2)
    assert (nested.severity, nested.evidence["count"]) == ("info", 1)


def test_img111_negative(tmp_path: Path) -> None:
    assert passes(folder(tmp_path, a_jpg=PIXEL, b_JPG=PIXEL, c_bmp=PIXEL), "IMG111", stage="infer")


def test_img111_near_miss_other_files_and_a_single_image(tmp_path: Path) -> None:
    assert passes(folder(tmp_path / "a", a_jpg=PIXEL, notes_txt=b"", b_json=b"{}"), "IMG111", stage="infer")
    assert passes(Project(tmp_path / "b", "modern"), "IMG111", stage="infer")


def test_img111_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG111", stage="infer", images="off") == "images-off"


# IMG112 infer-image-broken


def test_img112_positive(tmp_path: Path) -> None:
    last = folder(tmp_path / "last", a_jpg=PIXEL, b_jpg=PIXEL, z_jpg=b"").finding("IMG112", stage="infer", shows=("z.jpg", "2"))
    assert (last.severity, last.evidence["lost"], last.evidence["count"]) == ("error", 2, 1)
    middle = folder(tmp_path / "middle", a_jpg=PIXEL, b_jpg=b"", z_jpg=PIXEL).finding("IMG112", stage="infer", shows=("b.jpg",))
    assert middle.severity == "warning"
    every = folder(tmp_path / "all", a_jpg=b"", b_jpg=b"x").finding("IMG112", stage="infer", shows=("a.jpg",))
    assert every.severity == "error"


def test_img112_negative(tmp_path: Path) -> None:
    assert passes(folder(tmp_path, a_jpg=PIXEL, b_jpg=PIXEL), "IMG112", stage="infer")


def test_img112_near_miss_the_last_batch_was_full(tmp_path: Path) -> None:
    project = folder(tmp_path, a_jpg=PIXEL, b_jpg=PIXEL, z_jpg=b"")
    assert project.finding("IMG112", "Infer.batch_size=2", stage="infer").severity == "warning"
    assert project.finding("IMG112", "Infer.batch_size=1", stage="infer").severity == "warning"


def test_img112_skipped(tmp_path: Path) -> None:
    assert reason(folder(tmp_path, a_jpg=PIXEL), "IMG112", stage="infer", images="exists") == "no-infer-images"


# IMG113 unknown-decode-backend


def test_img113_positive(tmp_path: Path) -> None:
    key = "DataLoader.Train.dataset.transform_ops.0.DecodeImage.backend"
    project = Project(tmp_path, "modern", {key: "pillow"})
    finding = project.finding("IMG113", shows=("pillow",))
    assert (finding.severity, finding.location.key) == ("warning", key)
    assert project.assert_repaired_by(finding) == ["pil"]


@pytest.mark.parametrize("backend", ["cv2", "pil", "PIL", "CV2"])
def test_img113_negative(tmp_path: Path, backend: str) -> None:
    assert passes(Project(tmp_path, "modern", {"DataLoader.Train.dataset.transform_ops.0.DecodeImage.backend": backend}), "IMG113")


def test_img113_near_miss_another_stage(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Infer.transforms.0.DecodeImage.backend": "pillow"})
    assert passes(project, "IMG113")
    assert project.finding("IMG113", stage="infer").severity == "warning"


def test_img113_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace("DecodeImage", "Decoded"))
    assert reason(project, "IMG113") == "no-decode-image"
