"""IMG: what is in the listed images. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from checks.facts.image_worker import see
from checks.facts.packages import Packages
from tests.projects import PIXEL, TRAIN, Generation, Project, measured, passes, reason, rows

BOTH: list[Generation] = ["modern", "legacy"]
DECODE = "DataLoader.Train.dataset.transform_ops.0.DecodeImage"


def encoded(kind: str = "JPEG", size: tuple[int, int] = (48, 40), mode: str = "RGB", seed: int = 0, **how: Any) -> bytes:
    """An image file; each seed gives another picture."""
    pixels = bytes((seed * 37 + n * n % 251) % 256 for n in range(size[0] * size[1]))
    picture = Image.frombytes("L", size, pixels)
    stream = io.BytesIO()
    picture.convert(mode).save(stream, kind, **how)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PADDLE_DOCTOR_CACHE", str(tmp_path / "cache"))


def packages(monkeypatch: pytest.MonkeyPatch, **installed: str) -> None:
    names = {name.replace("_", "-"): version for name, version in installed.items()}
    measured(monkeypatch, Packages("3.11.0", "python", names, None, (), None, None))


def filled(folder: Path, generation: Generation = "modern", changes: dict[str, Any] | None = None, **files: bytes) -> Project:
    """A project whose images are all different, with some more in its training list (`a_jpg=…` is `bad/a.jpg` with label 0)."""
    extra = [(f"bad/{name.replace('_', '.')}", 0) for name in files]
    project = Project(folder, generation, changes, train=[*TRAIN, *extra])
    for number, (path, _) in enumerate(TRAIN):
        project.write(f"data/{path}", encoded("PNG", seed=number))
    for number in range(6):
        project.write(f"data/val/{number // 2}/{number % 2}.png", encoded("PNG", seed=100 + number))
    for (path, _), content in zip(extra, files.values(), strict=True):
        project.write(f"data/{path}", content)
    return project


# IMG104 broken-image

JPEG = encoded()


@pytest.mark.parametrize("generation", BOTH)
@pytest.mark.parametrize(
    ("content", "fault", "kinds"),
    [
        (b"", "empty", []),
        (b"<!DOCTYPE html><html>404</html>", "not-image", ["html"]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "not-image", ["git-lfs"]),
        (b"not an image, but text\n" * 20, "not-image", ["text"]),
        (bytes(5000), "not-image", ["zeros"]),
        (encoded("PNG")[:-12], "cut", ["png"]),
        (encoded("BMP")[:-100], "cut", ["bmp"]),
        (encoded("WEBP")[:-9], "cut", ["webp"]),
        (encoded("JPEG", progressive=True)[:-50], "cut", ["progressive jpeg"]),
        (JPEG[:-50], "cut-partly", ["jpeg"]),
        (encoded("GIF"), "format", ["gif"]),
        (b"\0\0\0\x18ftypheic" + bytes(300), "format", ["heic"]),
    ],
)
def test_img104_positive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation: Generation, content: bytes, fault: str, kinds: list[str]
) -> None:
    packages(monkeypatch, opencv_python="4.6.0.66")
    project = filled(tmp_path, generation, a_jpg=content)
    finding = project.finding("IMG104", shows=("bad/a.jpg", "13", *([] if fault == "cut-partly" else kinds)))
    assert (finding.severity, finding.entry) == ("warning", "data.corrupt-image")
    assert (finding.location.file, finding.location.line) == ("./data/train_list.txt", 13)
    assert (finding.evidence["fault"], finding.evidence["kinds"]) == (fault, kinds)
    assert (finding.evidence["files"], finding.evidence["samples"], finding.evidence["looked"]) == (1, 1, 13)
    again = project.finding("IMG104")  # out of the cache
    assert again.evidence == finding.evidence
    project.write("data/bad/a.jpg", encoded(seed=77))
    assert passes(project, "IMG104")


def test_img104_positive_a_folder_and_a_file_on_three_lines(tmp_path: Path) -> None:
    project = filled(tmp_path)
    os.makedirs(tmp_path / "data/bad/folder.jpg")
    project.write("data/bad/zero.jpg", b"")
    project.write("data/train_list.txt", rows([*TRAIN, ("bad/folder.jpg", 0), *[("bad/zero.jpg", 0)] * 3]))
    folder, empty = project.findings("IMG104")
    assert (empty.evidence["files"], empty.evidence["samples"], empty.evidence["share"]) == (1, 3, 19)
    assert (folder.evidence["fault"], folder.location.line) == ("folder", 13)


def test_img104_positive_unguarded(tmp_path: Path) -> None:
    project = filled(tmp_path, changes={"DataLoader.Train.dataset.name": "CompCars"}, a_jpg=b"")
    assert project.finding("IMG104", shows=("bad/a.jpg",)).severity == "error"


def test_img104_positive_by_decoding(tmp_path: Path) -> None:
    noisy = encoded(size=(200, 200))
    broken = noisy[: len(noisy) // 2] + b"\xff\xd3" * 20 + noisy[len(noisy) // 2 + 40 :]
    project = filled(tmp_path, a_jpg=broken)
    assert passes(project, "IMG104")
    assert project.finding("IMG104", images="full").evidence["fault"] == "damaged-partly"


@pytest.mark.parametrize("version", ["4.11.0.86", "4.12.0.88", None])
def test_img104_positive_by_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    packages(monkeypatch, **({"opencv_python_headless": version} if version else {}))
    cut = filled(tmp_path / "cut", a_jpg=JPEG[:-50]).finding("IMG104")
    assert cut.evidence["fault"] == ("cut" if version else "cut-partly")
    gif = filled(tmp_path / "gif", a_jpg=encoded("GIF"))
    if version == "4.12.0.88":
        assert passes(gif, "IMG104")
    else:
        assert gif.finding("IMG104", shows=(version or "4.6.0.66",)).evidence["fault"] == ("format" if version else "format-assumed")


@pytest.mark.parametrize("generation", BOTH)
@pytest.mark.parametrize("images", ["quick", "full"])
def test_img104_negative(tmp_path: Path, generation: Generation, images: str) -> None:
    assert passes(filled(tmp_path, generation), "IMG104", images=images)


def test_img104_near_miss_readable_in_spite_of_its_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, opencv_python="4.6.0.66")
    project = filled(
        tmp_path,
        cmyk_jpg=encoded(mode="CMYK"),
        grey_jpg=encoded(mode="L", seed=1),
        palette_png=encoded("PNG", mode="P", seed=2),
        deep_png=encoded("PNG", mode="I;16", seed=3),
        png_jpg=encoded("PNG", seed=4),
        webp_jpg=encoded("WEBP", seed=5),
        tiff_png=encoded("TIFF", seed=6),
        trailing_jpg=encoded(seed=7) + b"\0" * 3000,
        motion_jpg=encoded(seed=8) + b"ftypmp42" + bytes(range(256)) * 300,
        trailing_png=encoded("PNG", seed=9) + b"\n" * 200,
    )
    assert passes(project, "IMG104")
    assert passes(project, "IMG104", images="full")


def test_img104_near_miss_pillow_reads_gif(tmp_path: Path) -> None:
    assert passes(filled(tmp_path, changes={f"{DECODE}.backend": "PIL"}, a_jpg=encoded("GIF")), "IMG104")


@pytest.mark.parametrize("images", ["off", "exists"])
def test_img104_skipped(tmp_path: Path, images: str) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG104", images=images) == ("images-off" if images == "off" else "images-not-opened")


def test_img104_skipped_without_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.image_health.see_all", lambda paths, full, tell: ([see(path) for path in paths], []))
    assert reason(Project(tmp_path, "modern"), "IMG104", images="full") == "no-image-decoder"


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


NOISE = encoded("PNG", size=(300, 200))


@pytest.mark.parametrize(
    ("content", "images"),
    [
        (_flipped(encoded("PNG"), 30), "quick"),  # the checksum of the header
        (_flipped(encoded("PNG"), len(encoded("PNG")) - 13), "quick"),  # of the pixels of a small file
        (_flipped(NOISE, len(NOISE) - 13), "full"),
        (PIXEL[:16] + bytes(4) + PIXEL[20:], "quick"),  # no pixels at all
    ],
)
def test_img104_positive_wrong_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, images: str) -> None:
    packages(monkeypatch, opencv_python="4.6.0.66", pillow="10.0.0")
    finding = filled(tmp_path, x_png=content).finding("IMG104", images=images, shows=("bad/x.png",))
    assert (finding.severity, finding.location.line, finding.evidence["fault"]) == ("warning", 13, "damaged")


def test_img104_near_miss_checksum_of_what_may_be_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, opencv_python="4.6.0.66", pillow="10.0.0")
    noted = PIXEL[:33] + b"\0\0\0\4tEXtnote\1\2\3\4" + PIXEL[33:]
    assert passes(filled(tmp_path, x_png=noted), "IMG104")


# IMG105 no-readable-image


@pytest.mark.parametrize("generation", BOTH)
def test_img105_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    for path, _ in TRAIN:
        project.write(f"data/{path}", b"")
    finding = project.finding("IMG105", shows=("12", "train/0/0.png"))
    assert (finding.severity, finding.evidence["bad"], finding.location.line) == ("error", 12, 1)
    assert passes(project, "IMG104")  # one fault, one finding


def test_img105_positive_nearly_all(tmp_path: Path) -> None:
    project = filled(tmp_path)
    project.write("data/bad/zero.jpg", b"")
    project.write("data/train_list.txt", rows([("bad/zero.jpg", 0)] * 5000 + TRAIN[:1]))
    finding = project.finding("IMG105", shows=("5000", "5001"))
    assert (finding.severity, finding.evidence["share"]) == ("error", 99.9)


@pytest.mark.parametrize("generation", BOTH)
def test_img105_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "IMG105")


def test_img105_near_miss_some_can_be_read(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    for path, _ in TRAIN[1:]:
        project.write(f"data/{path}", b"")
    assert passes(project, "IMG105")
    assert project.finding("IMG104").evidence["samples"] == 11


def test_img105_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG105", images="exists") == "images-not-opened"


# IMG106 images-sampled


@pytest.fixture
def _short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.image_health.SAMPLE_ABOVE", 100)
    monkeypatch.setattr("checks.facts.image_health.SAMPLE", 60)


@pytest.mark.usefixtures("_short_samples")
def test_img106_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/train_list.txt", rows(TRAIN * 10))
    finding = project.finding("IMG106", shows=("60", "120", "4.9", "95"))
    assert (finding.severity, finding.evidence["broken"]) == ("info", 0)
    for path, _ in TRAIN:
        project.write(f"data/{path}", b"")
    assert project.finding("IMG106").evidence["bound"] == 100


def test_img106_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "IMG106")


@pytest.mark.usefixtures("_short_samples")
def test_img106_near_miss_full_takes_no_sample(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.write("data/train_list.txt", rows(TRAIN * 10))
    assert passes(project, "IMG106", images="full")


def test_img106_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG106", images="exists") == "images-not-opened"


# IMG107 extreme-image-size


def _png_of(width: int, height: int) -> bytes:
    header = PIXEL[12:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PIXEL[24:29]
    return PIXEL[:12] + header + zlib.crc32(header).to_bytes(4, "big") + PIXEL[33:]


def test_img107_positive(tmp_path: Path) -> None:
    resized = {f"{DECODE.rpartition('.0.')[0]}.1": {"ResizeImage": {"size": 224}}}
    project = filled(tmp_path, changes=resized, huge_png=_png_of(9000, 7000), tiny_png=_png_of(3, 5), common_png=_png_of(48, 40))
    huge, tiny = project.findings("IMG107", shows=("bad/huge.png", "9000", "bad/tiny.png", "48x40"))
    assert (huge.severity, huge.location.line, huge.evidence["bytes"]) == ("info", 13, 189_000_000)
    assert (tiny.severity, tiny.location.line) == ("info", 14)


def test_img107_positive_nothing_to_crop(tmp_path: Path) -> None:
    finding = filled(tmp_path, dot_png=PIXEL, large_png=_png_of(200, 200)).finding(
        "IMG107", shows=("bad/dot.png", "1 x 1", "RandCropImage")
    )
    assert (finding.severity, finding.location.line, finding.evidence["count"]) == ("warning", 13, 1)


def test_img107_negative(tmp_path: Path) -> None:
    assert passes(filled(tmp_path), "IMG107")


def test_img107_near_miss_small_throughout_and_just_large(tmp_path: Path) -> None:
    assert passes(filled(tmp_path / "c", small_png=_png_of(5, 5)), "IMG107")
    assert passes(Project(tmp_path / "a", "modern"), "IMG107")
    assert passes(filled(tmp_path / "b", large_png=_png_of(7000, 7000)), "IMG107")


def test_img107_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG107", images="exists") == "images-not-opened"


# IMG108 image-mode-mishandled


def _turned(seed: int = 0) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(seed=seed, exif=exif)


def test_img108_positive(tmp_path: Path) -> None:
    project = filled(
        tmp_path,
        changes={f"{DECODE}.backend": "pil"},
        deep_png=encoded("PNG", mode="I;16"),
        turned_jpg=_turned(),
        clear_png=encoded("PNG", mode="RGBA"),
    )
    findings = project.findings("IMG108", shows=("bad/turned.jpg",))
    assert [f.severity for f in findings] == ["warning", "warning", "info"]
    assert {f.location.line for f in findings} >= {14}


def test_img108_negative(tmp_path: Path) -> None:
    assert passes(filled(tmp_path), "IMG108")


def test_img108_near_miss_cv2_turns_and_scales(tmp_path: Path) -> None:
    assert passes(filled(tmp_path, deep_png=encoded("PNG", mode="I;16"), turned_jpg=_turned()), "IMG108")


def test_img108_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG108", images="exists") == "images-not-opened"


# IMG109 same-image-other-label


def test_img109_positive(tmp_path: Path) -> None:
    project = filled(tmp_path)
    content = (tmp_path / "data/train/1/2.png").read_bytes()
    project.write("data/val/0/1.png", content)
    project.write("data/train/2/0.png", content)
    within, across = project.findings("IMG109", shows=("val/0/1.png", "train/1/2.png", "train/2/0.png"))
    assert (across.severity, across.entry) == ("warning", "data.leakage")
    assert (across.location.file, across.location.line) == ("./data/val_list.txt", 2)
    assert (across.evidence["label"], across.evidence["other_label"], across.evidence["other_line"]) == (0, 1, 7)
    assert (within.location.file, within.location.line) == ("./data/train_list.txt", 9)


def test_img109_negative(tmp_path: Path) -> None:
    assert passes(filled(tmp_path), "IMG109")


def test_img109_near_miss_same_label_and_placeholders(tmp_path: Path) -> None:
    project = filled(tmp_path / "a")
    project.write("data/val/1/1.png", (tmp_path / "a/data/train/1/2.png").read_bytes())
    assert passes(project, "IMG109")
    assert passes(Project(tmp_path / "b", "modern"), "IMG109")  # every image is one and the same pixel
    linked = filled(tmp_path / "c")
    os.unlink(tmp_path / "c/data/val/0/1.png")
    os.symlink(tmp_path / "c/data/val/0/0.png", tmp_path / "c/data/val/0/1.png")
    assert passes(linked, "IMG109")


def test_img109_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG109", images="exists") == "images-not-opened"


# IMG114 copied-image-leaks


def _same(folder: Path, *pairs: tuple[str, str]) -> None:
    for source, target in pairs:
        (folder / f"data/{target}.png").write_bytes((folder / f"data/{source}.png").read_bytes())


def test_img114_positive(tmp_path: Path) -> None:
    project = filled(tmp_path)
    _same(tmp_path, ("train/1/2", "val/1/1"), ("train/0/1", "val/0/0"))
    finding = project.finding("IMG114", shows=("val/0/0.png", "train/0/1.png", 33))
    assert (finding.severity, finding.entry) == ("warning", "data.leakage")
    assert (finding.location.file, finding.location.line) == ("./data/val_list.txt", 1)
    assert (finding.evidence["count"], finding.evidence["looked"], finding.evidence["train_line"]) == (2, 6, 2)


def test_img114_positive_the_whole_evaluation_is_a_copy_and_a_link(tmp_path: Path) -> None:
    project = filled(tmp_path)
    _same(tmp_path, *((f"train/{n // 2}/{n % 2}", f"val/{n // 2}/{n % 2}") for n in range(6)))
    (tmp_path / "data/val/0/0.png").unlink()
    os.symlink(tmp_path / "data/train/0/0.png", tmp_path / "data/val/0/0.png")
    assert project.finding("IMG114").evidence["count"] == 6
    assert passes(project, "IMG109")


def test_img114_positive_few_in_many(tmp_path: Path) -> None:
    val = [(f"val/0/{n}.png", 0) for n in range(200)]
    project = Project(tmp_path, "modern", val=val)
    for number, (path, _) in enumerate([*TRAIN, *val]):
        project.write(f"data/{path}", encoded("PNG", size=(48 + number // 100, 40 + number % 100)))
    _same(tmp_path, ("train/0/1", "val/0/7"))
    finding = project.finding("IMG114", shows=("val/0/7.png",))
    assert (finding.severity, finding.evidence["share"]) == ("info", 0.5)


def test_img114_positive_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.image_health.SAMPLE_ABOVE", 10)
    monkeypatch.setattr("checks.facts.image_health.SAMPLE", 10)
    project = filled(tmp_path)
    _same(tmp_path, *((f"train/{n // 2}/{n % 2}", f"val/{n // 2}/{n % 2}") for n in range(6)))
    finding = project.finding("IMG114", shows=("95",))
    assert finding.severity == "warning"
    assert 0 < finding.evidence["least"] < finding.evidence["share"]
    assert finding.evidence["train_listed"] == 12


def test_img114_positive_multi_label(tmp_path: Path) -> None:
    names = {f"DataLoader.{split}.dataset.name": "MultiLabelDataset" for split in ("Train", "Eval")}
    train, val = [f"train/0/{n}.png\t0,1,{n % 2}\n" for n in range(4)], [f"val/0/{n}.png\t0,1,0\n" for n in range(2)]
    project = Project(tmp_path, "modern", names, train="".join(train), val="".join(val))
    for number, name in enumerate([*(f"train/0/{n}" for n in range(4)), *(f"val/0/{n}" for n in range(2))]):
        project.write(f"data/{name}.png", encoded("PNG", seed=number))
    _same(tmp_path, ("train/0/2", "val/0/0"), ("train/0/1", "val/0/1"))
    assert project.finding("IMG114").evidence["count"] == 1


def test_img114_negative(tmp_path: Path) -> None:
    assert passes(filled(tmp_path), "IMG114")


def test_img114_near_miss_other_label_one_list_placeholders_and_the_same_name(tmp_path: Path) -> None:
    other = filled(tmp_path / "a")
    _same(tmp_path / "a", ("train/1/2", "val/0/1"), ("train/0/0", "train/0/1"))
    assert passes(other, "IMG114")
    assert passes(Project(tmp_path / "b", "modern"), "IMG114")
    shared = filled(tmp_path / "c")
    shared.write("data/val_list.txt", rows(TRAIN))
    assert passes(shared, "IMG114")
    shared.write("data/val_list.txt", rows([(f"./{path}", label) for path, label in TRAIN]))
    assert passes(shared, "IMG114")


def test_img114_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "IMG114", images="exists") == "images-not-opened"
