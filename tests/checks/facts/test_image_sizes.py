"""Width and height from the first bytes of an image, and the sample of a list."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.image_look import image_size
from checks.facts.image_sizes import MAX_IMAGES, ImageSizes
from doctor.run import Run
from tests.checks.test_pipeline_rules import DECODE, NORMAL, png
from tests.projects import Project, rows


def jpeg(height: int, width: int, *, orientation: int | None = None, big: bool = False) -> bytes:
    """The markers of a JPEG up to its frame header, with EXIF data where an orientation is given."""
    exif = b""
    if orientation is not None:
        order = ">" if big else "<"
        ifd = struct.pack(order + "HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
        body = b"Exif\0\0" + (b"MM" if big else b"II") + struct.pack(order + "HI", 42, 8) + ifd
        exif = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 4) + b"JF" + exif + b"\xff\xc0" + frame


@pytest.mark.parametrize(
    "data",
    [
        png(40, 30),
        jpeg(40, 30),
        jpeg(40, 30, orientation=1),
        b"GIF89a" + struct.pack("<HH", 30, 40),
        b"BM" + b"\0" * 12 + b"\x28\0\0\0" + struct.pack("<ii", 30, -40),
        b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + (29).to_bytes(3, "little") + (39).to_bytes(3, "little"),
        b"RIFF\0\0\0\0WEBPVP8L" + b"\0" * 4 + b"\x2f" + (29 | 39 << 14).to_bytes(4, "little"),
        b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 10 + struct.pack("<HH", 30, 40),
    ],
)
def test_the_size_is_found(data: bytes) -> None:
    assert image_size(data) == (40, 30)


@pytest.mark.parametrize("big", [False, True])
def test_a_jpeg_that_asks_to_be_turned_is_left_out(big: bool) -> None:
    assert image_size(jpeg(40, 30, orientation=6, big=big)) is None


@given(
    st.binary(max_size=80),
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xe1\0\x20Exif\0\0II", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBPVP8 "]
    ),
)
def test_no_bytes_are_too_odd(data: bytes, head: bytes) -> None:
    size = image_size(head + data)
    assert size is None or (size[0] > 0 and size[1] > 0)


@given(st.integers(0, 60))
def test_half_a_header(length: int) -> None:
    assert image_size(jpeg(40, 30, orientation=6)[:length]) in (None, (30, 40), (40, 30))


def sizes(run: Run) -> ImageSizes:
    fact = run.diagnosis.facts[ImageSizes]
    assert isinstance(fact, ImageSizes)
    return fact


SHORT = {"DataLoader.Train.dataset.transform_ops": [DECODE, {"ResizeImage": {"resize_short": 72}}, NORMAL]}


def test_a_long_list_is_sampled(tmp_path: Path) -> None:
    lines = rows([(f"train/0/{n % 4}.png", 0) for n in range(40_000)])
    project = Project(tmp_path, "modern", SHORT, train=lines)
    for number in range(4):
        project.write(f"data/train/0/{number}.png", png(4, 4))
    (split,) = sizes(project.check(select=("CFG309",))).splits
    assert MAX_IMAGES // 2 < split.sampled <= MAX_IMAGES


def test_no_image_is_looked_at_where_the_size_is_fixed(tmp_path: Path) -> None:
    assert sizes(Project(tmp_path, "modern").check(select=("CFG309",))) == ImageSizes(())
