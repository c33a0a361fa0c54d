"""The picture of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from doctor.picture import GAP, PictureRefused, draw, may_write

RED = np.zeros((8, 10, 3), "uint8") + np.array([200, 10, 10], "uint8")


def arrays(folder: Path, **stored: Any) -> str:
    path = folder / "arrays.npz"
    np.savez(path, **stored)
    return str(path)


def drawn(folder: Path, **stored: Any) -> tuple[Any, float]:
    path = folder / "picture.png"
    scale = draw(arrays(folder, **stored), str(path))
    assert scale is not None
    with Image.open(path) as image:
        image.load()
        return np.asarray(image.convert("RGB")).astype(int), scale


def test_both_sides_and_their_difference_stand_beside_each_other(tmp_path: Path) -> None:
    other = RED.copy()
    other[0, 0] += 10
    pixels, scale = drawn(tmp_path, train_resized=RED, deploy_resized=other)
    assert pixels.shape == (8, 30 + 2 * GAP, 3)
    assert scale == 25
    assert (pixels[1, 1] == (200, 10, 10)).all()
    assert (pixels[0, 10 + GAP] == (210, 20, 20)).all()
    third = pixels[:, 20 + 2 * GAP :]
    assert (third[0, 0] == 250).all()
    assert (third[1:] == 0).all()
    assert (pixels[:, 10 : 10 + GAP] == 255).all()


def test_tensors_are_drawn_where_the_images_are_equal(tmp_path: Path) -> None:
    one = np.linspace(-2, 2, 3 * 8 * 10).reshape(3, 8, 10).astype("float32")
    pixels, _ = drawn(tmp_path, train_resized=RED, deploy_resized=RED, train_tensor=one, deploy_tensor=one[::-1])
    assert pixels.shape == (8, 30 + 2 * GAP, 3)
    assert (pixels[0, 0, 0], pixels[7, 9, 2]) == (0, 255)


def test_sizes_and_layouts_may_differ(tmp_path: Path) -> None:
    pixels, _ = drawn(tmp_path, train_tensor=np.ones((1, 3, 6, 6)), deploy_tensor=np.zeros((8, 8, 3)))
    assert pixels.shape == (8, 24 + 2 * GAP, 3)
    assert (pixels[0, 0] == 255).all()


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    target = str(tmp_path / "p.png")
    assert draw(str(tmp_path / "none.npz"), target) is None
    assert draw(arrays(tmp_path, train_resized=RED), target) is None
    assert draw(arrays(tmp_path, train_resized=np.zeros(3), deploy_resized=np.zeros(3)), target) is None
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    assert draw(str(tmp_path / "broken.npz"), target) is None
    assert not (tmp_path / "p.png").exists()
    with pytest.raises(PictureRefused):
        draw(arrays(tmp_path, train_resized=RED, deploy_resized=RED), str(tmp_path))


def test_nothing_of_the_users_is_written_over(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.png"
    Image.new("RGB", (4, 4)).save(theirs)
    with pytest.raises(PictureRefused):
        may_write(str(theirs), False)
    may_write(str(theirs), True)
    for wrong in (tmp_path, tmp_path / "no" / "a.png"):
        with pytest.raises(PictureRefused):
            may_write(str(wrong), True)
    ours = tmp_path / "picture.png"
    may_write(str(ours), False)
    drawn(tmp_path, train_resized=RED, deploy_resized=RED)
    may_write(str(ours), False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "picture.png", "theirs.png"]
