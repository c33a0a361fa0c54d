"""Image files by their first and last bytes: nothing crashes them, whole files are whole, and cut ones are told where the format allows it."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from checks.facts.image_look import HEAD, TAIL, Look, look_at, orientation_of
from checks.facts.image_odds import percent, upper_bound
from checks.facts.image_readers import fate_of, numbers_of

WRITERS: list[tuple[str, str, dict[str, Any]]] = [
    *[("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")],
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "RGB", {"quality": 100, "subsampling": 0, "icc_profile": b"x" * 70_000}),
    ("JPEG", "RGB", {"restart_marker_blocks": 1, "comment": b"\xff\xd9 no end"}),
    *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
    *[("BMP", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")],
    *[("GIF", mode, {}) for mode in ("L", "P")],
    *[("WEBP", mode, {"lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (False, True)],
    *[("TIFF", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F")],
    *[("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")],
    ("TIFF", "1", {"compression": "group4"}),
    ("JPEG2000", "RGB", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    *([("AVIF", "RGB", {})] if features.check("avif") else []),
]
CUT_IS_SEEN = {"JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "AVIF"}


def look(data: bytes) -> Look:
    return look_at(data[:HEAD], data[-TAIL:], len(data), lambda offset, count: data[offset : offset + count])


def picture(width: int, height: int, mode: str, seed: int) -> Image.Image:
    noise = random.Random(seed).randbytes(width * height)
    grey = Image.frombytes("L", (width, height), noise)
    if mode in ("LA", "RGBA"):
        colour = grey.convert(mode)
        colour.putalpha(grey)
        return colour
    return grey.convert(mode)


def written(kind: str, mode: str, how: dict[str, Any], width: int = 40, height: int = 30, seed: int = 0) -> bytes:
    stream = io.BytesIO()
    picture(width, height, mode, seed).save(stream, kind, **how)
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "mode", "how"), WRITERS)
@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(1, 150),
    height=st.integers(1, 150),
    seed=st.integers(0, 10),
    behind=st.sampled_from([b"", b"\0" * 9000, b"junk\xff\xd8"]),
)
def test_what_pillow_writes_is_whole(kind: str, mode: str, how: dict[str, Any], width: int, height: int, seed: int, behind: bytes) -> None:
    data = written(kind, mode, how, width, height, seed)
    found = look(data + behind)
    assert found.fault == "", found
    if found.width:
        assert (found.width, found.height) == (width, height)
    if kind in ("JPEG", "PNG", "BMP", "GIF", "WEBP") or (kind == "TIFF" and mode != "F"):
        assert found.width and found.mode
        assert fate_of(found, "pil", (4, 6), (13,)) == "read"
        if kind != "GIF":
            assert fate_of(found, "cv2", (4, 6), ()) == "read"


@pytest.mark.parametrize(("kind", "mode", "how"), [row for row in WRITERS if row[0] in CUT_IS_SEEN])
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.3, 0.97), seed=st.integers(0, 5))
def test_what_is_cut_off_is_told(kind: str, mode: str, how: dict[str, Any], share: float, seed: int) -> None:
    data = written(kind, mode, how, 90, 70, seed)
    cut = data[: int(len(data) * share)]
    assume(not (kind == "GIF" and cut.endswith(b"\0;")))  # it looks like the end, and only decoding tells
    assert look(cut).fault == "cut"


def test_a_gif_cut_at_a_byte_like_its_last_one_is_told() -> None:
    data = written("GIF", "P", {}, 90, 70, 0)
    place = data.index(b";", 3000) + 1
    assert not data[:place].endswith(b"\0;")
    assert look(data[:place]).fault == "cut"


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0", b"MM\0*", b"\0\0\0\x1cftypavif"]
    ),
    rest=st.binary(max_size=400),
)
def test_no_bytes_crash_it(start: bytes, rest: bytes) -> None:
    found = look(start + rest)
    assert isinstance(found, Look)
    assert fate_of(found, "cv2", (4, 6), ()) in ("read", "replaced", "partly", "unknown")


@settings(max_examples=200, deadline=None)
@given(
    row=st.sampled_from(WRITERS),
    cuts=st.integers(0, 4000),
    flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8),
)
def test_no_damage_crashes_it(row: tuple[str, str, dict[str, Any]], cuts: int, flips: list[tuple[int, int]]) -> None:
    data = bytearray(written(*row))
    for place, value in flips:
        data[place % len(data)] = value
    assert isinstance(look(bytes(data[: max(0, len(data) - cuts)])), Look)


@given(st.binary(max_size=200))
def test_orientation_is_one_of_eight(data: bytes) -> None:
    assert 1 <= orientation_of(data) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_as_pillow_writes_it(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "TIFF"):
        assert look(written(kind, "RGB", {"exif": exif})).orientation == orientation


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<html>", "html"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><html>", "html"),
        (b"<?xml version='1.0'?><svg xmlns=''/>", "svg"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        ("图片在别处".encode() * 300, "text"),
        (b"PK\x03\x04rest", "zip"),
        (b"%PDF-1.4", "pdf"),
        (bytes(100), "zeros"),
        (b"\0\0\0\x18ftypisom" + bytes(20), "video"),
        (b"BM, as a text begins", "text"),
        (bytes(range(1, 255)), "unknown"),
    ],
)
def test_what_is_no_image(data: bytes, kind: str) -> None:
    assert look(data) == Look("not-image", kind)


def test_bounds_of_a_sample() -> None:
    assert round(100 * upper_bound(0, 10_000), 4) == 0.03
    assert upper_bound(0, 100) == pytest.approx(0.0295, abs=1e-4)
    assert upper_bound(3, 100) == pytest.approx(0.0757, abs=1e-4)  # Clopper and Pearson, one-sided 95 %
    assert upper_bound(100, 100) == upper_bound(0, 0) == 1
    assert [percent(1, 1_000_000), percent(999_999, 1_000_000), percent(1, 3), percent(2, 2)] == [0.0001, 99.9, 33, 100]


def test_versions() -> None:
    assert numbers_of("4.6.0.66") == (4, 6, 0, 66)
    assert numbers_of(None) == ()
