"""`cycle`: the way back, the photo that needs no change, and when a translation goes astray."""

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.losses.translations._monitor import FEW
from dlthink.losses.translations.cycle import Cycle
from tests.losses.translations.made_translations import SEASONS, answer, photos


def test_terms_against_a_loop_and_their_gradient():
    y = photos(2, 4, dtype=torch.float64)
    out = {name: x.requires_grad_() for name, x in answer(y).items()}
    terms = Cycle(SEASONS, cycle=7.0, identity=0.3)(out, y)
    assert list(terms) == ["cycle_winter", "cycle_summer", "identity_winter", "identity_summer"]
    for season in SEASONS:
        for kind, part, weight in (("cycle", "back", 7.0), ("identity", "same", 2.1)):
            pairs = list(zip(out[f"{part}_{season}"].detach().flatten(), y[season].flatten(), strict=True))
            expected = weight * sum(abs(float(a) - float(b)) for a, b in pairs) / len(pairs)
            assert terms[f"{kind}_{season}"].item() == pytest.approx(expected, rel=1e-12)
    sum(terms.values()).backward()
    sign = (out["back_winter"] - y["winter"]).sign().detach()
    assert torch.allclose(out["back_winter"].grad, 7.0 * sign / sign.numel(), atol=1e-15)
    assert out["winter"].grad is None, "without a discriminator nobody looks at what is made"


def test_without_identity_it_does_without_those_photos():
    y = photos(1, 4)
    out = {name: x for name, x in answer(y).items() if not name.startswith("same")}
    assert set(Cycle(SEASONS, identity=0.0)(out, y)) == {"cycle_winter", "cycle_summer"}
    with pytest.raises(BadInput, match=r"model\.same=true"):
        Cycle(SEASONS)(out, y)


@pytest.mark.parametrize("knobs", [{"cycle": -1.0}, {"identity": -0.1}, {"cycle": float("nan")}])
def test_weights_below_zero_are_refused(knobs):
    with pytest.raises(BadInput, match=r"loss\.(cycle|identity)=.*from 0"):
        Cycle(SEASONS, **knobs)


def smooth(n, seed):
    """Photos with light and dark regions, each another."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 4, 4, generator=g) * 1.6 - 0.8
    return torch.nn.functional.interpolate(coarse, 32, mode="bilinear")


ASTRAY = {
    "inverted": lambda x: -x,
    "the same": lambda x: smooth(1, 99).expand_as(x) + 0.01 * x,
    "flat": lambda x: x.mean((2, 3), keepdim=True) + 0.01 * x,
    None: lambda x: (0.8 * x + 0.1).clamp(-1, 1),
}


@pytest.mark.parametrize("word", ASTRAY)
def test_it_says_when_a_translation_goes_astray_and_only_then(word):
    cost, said = Cycle(SEASONS), []
    for step in range(FEW + 4):
        y = {"summer": smooth(1, 2 * step), "winter": smooth(1, 2 * step + 1)}
        out = answer(y) | {"winter": ASTRAY[word](y["summer"]), "summer": ASTRAY[None](y["winter"])}
        seen = {name: float(value) for name, value in cost.watch(out, y).items()}
        said.append(cost.remark(seen))
    assert set(seen) == {f"{kind}_{s}" for kind in ("luminance", "contrast", "variety") for s in SEASONS}
    assert set(said[: FEW - 1]) == {None}
    if word is None:
        assert set(said) == {None}
        assert seen["luminance_winter"] > 0.99 and seen["variety_winter"] == pytest.approx(0.8, abs=0.05)
    else:
        assert word in said[-1] and "winter" in said[-1] and "loss." in said[-1]
        assert said[-1] == said[-2], "the same words, so that they are said once"


def test_monitors_are_off_by_a_word():
    cost, y = Cycle(SEASONS, monitor=False), photos(1, 8)
    assert cost.watch(answer(y), y) == {} and cost.remark({}) is None


def test_watching_changes_nothing():
    cost, y = Cycle(SEASONS), photos(2, 8)
    before = torch.get_rng_state()
    cost.watch(answer(y), y)
    assert torch.equal(torch.get_rng_state(), before) and [*cost.state_dict()] == ["_extra_state"]


def test_a_checkpoint_without_figures_of_the_latest_photos_is_read():
    Cycle(SEASONS).load_state_dict({})
    watched, y = Cycle(SEASONS), photos(2, 8)
    watched.watch(answer(y), y)
    Cycle(SEASONS, monitor=False).load_state_dict(watched.state_dict())  # they may be left out from now on
