"""Scores of single photos: their mean is the number, their spread that of draws of photos, a photo is known again."""

import numpy as np
import pytest

from dlthink.metrics.translations.kid import kids
from dlthink.metrics.translations.metrics import Translations
from dlthink.metrics.translations.per_photo import influences
from dlthink.runs.compare.paired_difference import over_both
from tests.metrics.translations.made_seasons import DOMAINS, asked, photos


def examined(made=None, seed=0):
    summer, winter = photos("summer", 9, seed=seed), photos("winter", 6, seed=seed)
    metrics = Translations(DOMAINS, "embedded", draws=5)
    answers = asked(summer, winter, made)
    return metrics.numbers(*answers), metrics.item_scores(*answers)


def test_the_mean_over_photos_is_the_number_of_that_name():
    numbers, items = examined()
    named = set(items) - {"item", "weight", "target"}
    assert {"kid_embedded", "kid_embedded_to_winter", "edge_ssim_to_summer", "cycle_l1_to_winter"} <= named
    assert "identity_l1_to_summer" in named and not [name for name in named if "untouched" in name]
    for name in named:
        assert len(items[name]) == 15 and items[name].mean() == pytest.approx(numbers[name], rel=1e-5, abs=1e-6), name


def test_a_photo_is_known_again_whatever_was_made_of_it():
    one, other = (
        examined()[1],
        examined({"summer": photos("summer", 6, seed=3), "winter": photos("winter", 9, seed=3)})[1],
    )
    assert one["target"] == pytest.approx(other["target"]) and not np.allclose(
        one["target"], examined(seed=1)[1]["target"]
    )
    assert not np.allclose(one["kid_embedded"], other["kid_embedded"])


def test_photos_move_kid_as_they_do_when_one_is_taken_away():
    """The influence of a photo, times 1/n, is what leaving it out changes, to first order."""
    chance = np.random.default_rng(0)
    made, real = chance.normal(0.3, 1, (80, 4)), chance.normal(0, 1, (70, 4))
    value, of_made, of_real = influences(made, real)
    without = [kids(np.delete(made, i, 0), real, 0)[0] for i in range(80)]
    assert np.corrcoef(value - np.array(without), of_made)[0, 1] > 0.999
    assert np.polyfit(of_made, 79 * (value - np.array(without)), 1)[0] == pytest.approx(1, abs=0.05)
    without = [kids(made, np.delete(real, j, 0), 0)[0] for j in range(70)]
    assert np.corrcoef(value - np.array(without), of_real)[0, 1] > 0.999


def test_the_interval_of_a_difference_is_that_of_draws_of_photos():
    chance = np.random.default_rng(0)
    real, before = chance.normal(0, 1, (150, 3)), chance.normal(0, 1, (150, 3))
    one, other = before + 0.1, before * 1.1 + 0.2
    draws = kids(one, real, 1000) - kids(other, real, 1000)
    (a, made_a, real_a), (b, made_b, real_b) = influences(one, real), influences(other, real)
    moved = 2 * np.concatenate([made_a - made_b, real_a - real_b])
    found = over_both((a - b + moved)[None], np.ones(300))
    assert found.mean == pytest.approx(draws[0])
    low, high = np.percentile(draws[1:], [2.5, 97.5])
    assert 2 * found.half_width() == pytest.approx(high - low, rel=0.15)
