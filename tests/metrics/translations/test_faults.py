"""Remarks on translations: a cast of colour, a way back that is lost, too few photos; silence where all is well."""

import pytest
import torch

from dlthink.metrics.translations.faults import FEW
from dlthink.metrics.translations.metrics import Translations
from tests.metrics.translations.made_seasons import DOMAINS, asked, photos

SUMMER, WINTER = photos("summer", 32), photos("winter", 34)
GOOD = {"winter": photos("winter", 32, seed=1), "summer": photos("summer", 34, seed=1)}


def remarks(predicted, y, known):
    return Translations(DOMAINS, "embedded", draws=0).remarks(predicted, y, known)


def red(pictures, by=90):
    """The same with a red sky."""
    pictures = pictures.clone().short()
    pictures[:, 0, : pictures.shape[-1] // 2] += by
    return pictures.clamp(0, 255).byte()


@pytest.mark.parametrize("made", [GOOD, None, {"winter": SUMMER // 2 + GOOD["winter"] // 2, "summer": GOOD["summer"]}])
def test_nothing_is_said_of_a_good_an_idle_or_a_half_translation(made):
    assert remarks(*asked(SUMMER, WINTER, made)) == []


def test_a_red_sky_is_a_cast():
    (said,) = remarks(*asked(SUMMER, WINTER, GOOD | {"winter": red(GOOD["winter"])}))
    sky = WINTER[:, :, :8].float() / 255
    usual = float((sky[:, 0] - sky.mean(1)).mean())
    assert said.startswith("what becomes winter has a cast of colour (red at the top +0.1")
    assert f"from grey, where photos have {usual:+.2f} +- 0.04); raise loss.identity" in said


def test_photos_that_do_not_come_back():
    """Half of what one flat colour is off by is the bound: noise of 0.4 and 0.6 of it; of dark photos none is lost."""
    predicted, y, known = asked(SUMMER, WINTER, GOOD)
    flat = (y["summer"] - y["summer"].mean((2, 3), keepdim=True)).abs().mean()
    signs = torch.where(torch.rand(y["summer"].shape) < 0.5, -1.0, 1.0)
    for share, lines in ((0.4, 0), (0.6, 1)):
        said = remarks(predicted | {"back_summer": y["summer"] + share * flat * signs}, y, known)
        assert len(said) == lines, share
    assert said[0].startswith("summer does not come back from winter: cycle_l1 0.0") and "raise loss.cycle" in said[0]
    for dark in (predicted, y):
        dark |= {name: -1 + 0.4 * (photos + 1) for name, photos in dark.items()}
    near = predicted | {"back_summer": y["summer"] + 0.6 * 0.4 * flat * signs}
    assert remarks(near, y, known) == []
    without = {name: value for name, value in predicted.items() if not name.startswith("back")}
    assert remarks(without, y, known) == []


@pytest.mark.parametrize("n", [FEW - 1, FEW])
def test_few_photos_rank_nothing(n):
    said = Translations(DOMAINS, "embedded", draws=0).suggestions(*asked(SUMMER[:n], WINTER))
    assert [f"{n} photos of summer and 34 photos of winter: too few for kid_embedded" in line for line in said] == [
        True
    ] * (n < FEW)


def test_what_is_not_finite_is_no_cast():
    predicted, y, known = asked(SUMMER, WINTER, GOOD | {"winter": red(GOOD["winter"])})
    predicted["winter"][3, 1, 5, 5] = torch.nan
    assert remarks(predicted, y, known) == []
