"""`dlthink.data.seasons.contact_sheet`: before and after stand side by side."""

import numpy as np
import pytest

from dlthink.data.seasons.contact_sheet import APART, GAP, MOST, THUMBNAIL, ContactSheet

Image = pytest.importorskip("PIL.Image", reason="photos need pillow")


def sheet_of(sizes, name="a.jpg"):
    sheet = ContactSheet(len(sizes))
    for i, size in enumerate(sizes):
        sheet.add(i, name, Image.new("RGB", size, (200, 0, 0)), Image.new("RGB", size, (0, 0, 200)))
    return sheet


def test_a_pair_stands_left_and_right():
    sheet = np.asarray(sheet_of([(64, 64)]).picture())
    assert sheet.shape == (THUMBNAIL + 2 * APART, 2 * THUMBNAIL + GAP + 2 * APART, 3)
    before, after = (
        sheet[APART:-APART, APART : APART + THUMBNAIL],
        sheet[APART:-APART, APART + THUMBNAIL + GAP : -APART],
    )
    assert (before == (200, 0, 0)).all() and (after == (0, 0, 200)).all()
    assert (sheet[:-APART, APART + THUMBNAIL : APART + THUMBNAIL + GAP] == 255).all()


@pytest.mark.parametrize("name", ["a.jpg", "Größe/Ж 1.png", "long/" * 60 + "end.png"])
def test_its_name_stands_below_and_nowhere_else(name):
    named, bare = (np.asarray(sheet_of([(64, 64)], n).picture()) for n in (name, ""))
    rows, columns = (named != bare).any(2).nonzero()
    assert len(rows) and rows.min() > APART + THUMBNAIL and rows.max() < THUMBNAIL + 2 * APART - 3
    assert columns.min() >= APART and columns.max() < 2 * THUMBNAIL + GAP + APART


def test_a_name_finds_no_room_under_a_strip():
    assert sheet_of([(8, 600)]).picture().width == 2 * APART + GAP + 6


@pytest.mark.parametrize("n", [2, 7, 40])
def test_every_photo_of_every_shape_is_on_it(n):
    sizes = [(300, 200), (200, 300), (1000, 8), (8, 8)]
    sheet = np.asarray(sheet_of([sizes[i % 4] for i in range(n)]).picture()).astype(int)
    expected = sum(
        thumb[0] * thumb[1] for thumb in [[(224, 149), (149, 224), (224, 2), (224, 224)][i % 4] for i in range(n)]
    )
    assert (sheet == (200, 0, 0)).all(2).sum() == (sheet == (0, 0, 200)).all(2).sum() == expected
    assert sheet.shape[1] < 3 * sheet.shape[0], "no ribbon"


def test_of_many_photos_every_few_are_shown():
    sheet = sheet_of([(16, 16)] * 1000)
    assert len(sheet.pairs) == MOST
    assert {0, 25, 975} <= sheet.shown
