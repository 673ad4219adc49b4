"""The figures of translations show the photos that were asked for, and what was measured; edges don't break."""

import math

import matplotlib
import numpy as np
import pytest
import torch

from dlthink.metrics.translations.batch_summary import columns, translated
from dlthink.metrics.translations.metrics import Translations
from tests.metrics.translations.made_seasons import DOMAINS, OTHER, asked, photos

SUMMER, WINTER = photos("summer", 12), photos("winter", 9)


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def drawable(figure):
    figure.draw_without_rendering()  # all but the pixels, which take half of the time


def test_columns_are_there_back_again_and_the_truth_where_it_is_known():
    predicted, y, known = asked(SUMMER, WINTER)
    both = {one.target: columns(one) for one in translated(OTHER, predicted, y, known)}
    assert list(both["winter"]) == ["summer", "made winter", "back again"]
    assert list(both["summer"]) == ["winter", "made summer", "back again"]
    known["truth"] = {"winter": 255 - SUMMER, "summer": known["baselines"]["untouched"]["summer"]}
    one = translated(OTHER, predicted, y, known)[0]
    block = columns(one)
    assert list(block) == ["summer", "made winter", "back again", "true winter"]
    rows = [0, 2, 4, 7, 9, 11]
    for title, expected in (("summer", SUMMER), ("back again", SUMMER), ("true winter", 255 - SUMMER)):
        assert np.array_equal(np.stack(block[title]), expected[rows].permute(0, 2, 3, 1).numpy()), title


def test_photos_shown_again_are_not_shown_twice():
    one = translated(OTHER, *asked(SUMMER, WINTER[:2]))[1]
    assert one.target == "summer"
    assert [len(photos) for photos in columns(one).values()] == [2, 2, 2]


def test_the_sheet_holds_every_photo_at_its_place():
    predicted, y, known = asked(SUMMER, WINTER)
    figure = Translations(DOMAINS, "embedded", draws=5).figures(predicted, y, known)["pictures"]
    left, right = (ax.images[0].get_array() for ax in figure.axes)
    assert left.shape == right.shape == (6 * 33 - 1, 3 * 33 - 1, 3)
    assert np.array_equal(left[:32, :32], SUMMER[0].permute(1, 2, 0).numpy())
    assert np.array_equal(right[-32:, -32:], WINTER[8].permute(1, 2, 0).numpy())
    assert (left[32] == 255).all() and (left[:, 32] == 255).all()
    for title in ("summer", "made winter", "winter", "made summer", "back again"):
        assert title in words(figure)


def test_features_show_what_was_measured():
    predicted, y, known = asked(SUMMER, WINTER)
    examination = Translations(DOMAINS, "embedded", draws=20)
    made = examination.numbers(predicted, y, known)
    figure = examination.figures(predicted, y, known)["features"]
    left, right = figure.axes
    lines = [line.get_xdata() for line in left.lines]
    names = [f"kid_embedded_to_{season}{name}" for season in ("winter", "summer") for name in ("", "_untouched")]
    for name in names:
        assert any(len(x) == 1 and x[0] == made[name] for x in lines), name
        assert any(tuple(x) == (made[f"{name}_low"], made[f"{name}_high"]) for x in lines), name
    widths = [bar.get_width() for bar in right.patches]
    assert widths[0] == pytest.approx(100 * made["probe_share_embedded_to_winter"])
    assert len(widths) == 6
    text = words(figure)
    for expected in ("this network, to winter", "color transfer, to summer", "embedded features", "real photos"):
        assert expected in text


@pytest.mark.parametrize("change", ["one of each", "nan", "no way back"])
def test_edges_are_drawn(change):
    some = (SUMMER[:1], WINTER[:1]) if change == "one of each" else (SUMMER, WINTER)
    predicted, y, known = asked(*some)
    if change == "nan":
        for tensor in predicted.values():
            tensor.fill_(math.nan)
    if change == "no way back":
        predicted, known = {season: predicted[season] for season in y}, {"first": known["first"]}
    for figure in Translations(DOMAINS, "embedded", draws=5).figures(predicted, y, known).values():
        drawable(figure)


def test_photos_of_nobody_are_an_empty_figure():
    predicted, y, known = asked(SUMMER, WINTER)
    known["first"] = {season: torch.zeros(12, dtype=torch.bool) for season in y}
    figures = Translations(DOMAINS, "embedded", draws=5).figures(predicted, y, known)
    for figure in figures.values():
        drawable(figure)
