"""Photos that are almost one picture are found, whatever was done to them; others are none."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.photos.near_copies import near_copies, squares
from tests.data.photos.made_photos import Image, decode, packed, picture

REAL = Path(__file__).parents[4] / "shared" / "data" / "seasons" / "yosemite128"


def landscape(seed, side=160):
    """Broad shapes and fine texture, as photos have them."""
    chance = np.random.default_rng(seed)
    made = sum(
        np.asarray(Image.fromarray(chance.integers(0, 256, (k, k, 3)).astype(np.uint8)).resize((side, side), 3)) * w
        for k, w in ((4, 0.5), (12, 0.3), (50, 0.2))
    )
    return Image.fromarray(made.astype(np.uint8))


def cut(image, share):
    edge = round(share * image.width)
    return image.crop((edge, edge, image.width - edge, image.height - edge))


CHANGES = {
    "saved again": lambda image: packed(image, "JPEG", quality=80),
    "saved badly": lambda image: packed(image, "JPEG", quality=30),
    "halved": lambda image: packed(image.resize((80, 80))),
    "mirrored": lambda image: packed(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG", quality=60),
    "cut": lambda image: packed(cut(image, 0.04), "JPEG", quality=80),
    "darker": lambda image: packed(image.point(lambda v: 0.7 * v + 10)),
    "grey": lambda image: packed(image.convert("L")),
}


def found(*files):
    return near_copies(
        squares(torch.from_numpy(np.stack([decode(f, 64, False) for f in files])), torch.arange(len(files)))
    )


HARDEST = {"saved badly", "mirrored", "cut"}


@pytest.mark.parametrize(
    "change", [one if one in HARDEST else pytest.param(one, marks=pytest.mark.slow) for one in CHANGES]
)
def test_what_was_done_to_a_photo_does_not_hide_it(change):
    images = [landscape(i) for i in range(20)]
    files = [packed(image) for image in images] + [CHANGES[change](image) for image in images]
    assert found(*files) == [(i, i + 20) for i in range(20)]


def test_photos_that_are_alike_are_no_copies(monkeypatch):
    files = [packed(landscape(i)) for i in range(40)] + [packed(picture(i)) for i in range(100)]
    files += [packed(Image.new("L", (64, 64), tone)) for tone in (0, 90, 255)]  # of one tone: nothing is known
    assert found(*files) == []
    twice = [*files, files[3], files[77]]
    monkeypatch.setattr("dlthink.data.photos.near_copies.CHUNK", 17)
    assert found(*twice) == [(3, 143), (77, 144)], "a few at a time"
    assert near_copies(squares(torch.zeros(0, 3, 64, 64, dtype=torch.uint8), torch.arange(0))) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared")
def test_real_photos_saved_again_are_found_and_nothing_else():
    """Of 200 winter photos; among all 2,739 photos of Yosemite every one of the 200 pairs found is a copy."""
    paths = sorted((REAL / "trainB").glob("*.jpg"))[::5][:200]
    files = [path.read_bytes() for path in paths]
    before = found(*files)
    again = [packed(Image.open(path), "JPEG", quality=80) for path in paths]
    pairs = found(*files, *again)
    assert {(i, i + len(files)) for i in range(len(files))} <= {*pairs}
    assert len(pairs) == len(files) + 4 * len(before), "and what was alike before"
