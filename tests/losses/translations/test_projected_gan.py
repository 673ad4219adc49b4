"""`dlthink.losses.translations.projected_gan`: discriminators that look at pixels, and through a frozen network."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from dlthink import efficientnet_lite
from dlthink.data.seasons.seasons import Seasons
from dlthink.errors import BadInput
from dlthink.losses.translations._gan import discriminator_loss, generator_loss
from dlthink.losses.translations._mmd import MMD
from dlthink.losses.translations.projected_gan import ProjectedGAN
from dlthink.models.discriminators.features import FeatureDiscriminator, shifted
from dlthink.training import checkpoint, rng
from tests.conftest import needs_lite1
from tests.losses.translations import test_cyclegan as plain
from tests.losses.translations.made_translations import SEASONS, answer, photos
from tests.training import toy
from tests.training.test_resume import same

pytestmark = needs_lite1
narrow = partial(FeatureDiscriminator, width=4)


@pytest.fixture(scope="module")
def eye():
    return efficientnet_lite.load(1)


def test_terms_by_name():
    torch.manual_seed(0)
    cost, y = ProjectedGAN(SEASONS, narrow), photos(2, 32)
    out = answer(y)
    for _ in range(99):  # until its power iteration stands still
        cost(out, y)
    torch.manual_seed(1)
    terms, judged = cost(out, y), cost.adversary_loss(out, y)
    assert set(terms) == {f"{t}_{s}" for t in ("gan", "cycle", "identity") for s in ("summer", "winter")}
    torch.manual_seed(1)
    for season in ("winter", "summer"):
        assert torch.allclose(
            terms[f"gan_{season}"], generator_loss("hinge", cost.adversary[season](out[season])), rtol=1e-3
        )
    for season in ("winter", "summer"):
        discriminator = cost.adversary[season]
        again = discriminator_loss("hinge", discriminator(y[season]), discriminator(out[season]))
        assert torch.allclose(judged[season], again, rtol=1e-3)


def test_mmd_by_the_features_of_the_network(eye):
    cost, y = ProjectedGAN(SEASONS, narrow, mmd=3.0), photos(2, 32)
    out = answer(y)
    assert cost(out, y)["mmd_winter"] == 0
    assert not {"mmd_winter", "mmd_summer"} & set(cost.eval()(out, y)), "of training alone"
    cost.train()
    later, new = photos(2, 32, seed=1), photos(2, 32, seed=2)
    grown = {name: photo.requires_grad_() for name, photo in answer(new).items()}
    terms = cost(grown, later)
    assert set(terms) == {f"{t}_{s}" for t in ("gan", "cycle", "identity", "mmd") for s in ("summer", "winter")}
    for season in ("winter", "summer"):
        looks = lambda x: eye(interpolate((x + 1) / 2, size=(64, 64), mode="bilinear"))  # noqa: E731
        alone = MMD()
        alone(looks(out[season]), looks(y[season]))
        expected = 3 * alone(looks(grown[season]), looks(later[season]))
        assert expected != 0 and torch.allclose(terms[f"mmd_{season}"], expected, rtol=1e-3)
        terms[f"mmd_{season}"].backward()
        assert (grown[season].grad != 0).float().mean() > 0.9


@pytest.mark.parametrize("side, seen", [(32, 64), (36, 72), (64, 128), (128, 224), (256, 256)])
def test_verdicts_of_pixels_and_of_four_scales_count_alike(eye, side, seen):
    discriminator, views = FeatureDiscriminator(eye, width=4).eval(), []
    for head in discriminator.heads:
        head.register_forward_hook(lambda _, view, out: views.append((view[0].shape[-1], out.mean())))
    verdicts = discriminator(photos(2, side)["summer"])
    assert [view for view, _ in views] == [side] + [-(-seen // k) for k in (4, 8, 16, 32)]
    assert verdicts.shape == (2, 5, -(-seen // 8), -(-seen // 8))
    if seen % 32 == 0 and seen % side == 0:  # else a verdict of a coarse map, or of pixels, is repeated unevenly
        assert verdicts.mean().item() == pytest.approx(sum(mean.item() for _, mean in views) / 5, rel=1e-4)


def test_one_judges_the_pixels_of_patches_of_22(eye):
    discriminator = FeatureDiscriminator(eye, width=4).eval()
    photo = photos(1, 64)["summer"].requires_grad_()
    pixels = discriminator.heads[0](photo)
    pixels[0, 0, 4, 4].backward()
    seen = (photo.grad != 0).any(1)[0]
    assert pixels.shape[-2:] == (8, 8) and seen.any(0).sum() == seen.any(1).sum() == 22


def test_only_its_heads_learn_and_are_saved(eye):
    discriminator = FeatureDiscriminator(eye, width=4)
    assert {name.split(".")[0] for name in discriminator.state_dict()} == {"heads"}
    photo = photos(1, 32)["summer"].requires_grad_()
    discriminator(photo).mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in discriminator.parameters() if p.ndim > 1)
    assert (photo.grad != 0).float().mean() > 0.7, "the network is told about most pixels"


def test_the_slope_of_its_heads_is_bounded(eye):
    torch.manual_seed(0)
    discriminator = FeatureDiscriminator(eye, width=8)
    for _ in range(30):  # its power iteration goes on with every pass in training
        discriminator(photos(1, 32)["summer"])
    discriminator.eval()
    tops = [
        torch.linalg.matrix_norm(m.weight.flatten(1), 2).item()
        for m in discriminator.heads.modules()
        if isinstance(m, nn.Conv2d)
    ]
    assert len(tops) == 16 and tops == pytest.approx([1.0] * 16, rel=0.1)


def test_photos_are_moved_by_whole_pixels_all_alike():
    torch.manual_seed(0)
    x = torch.rand(3, 2, 25, 25)
    most, seen = int(0.12 * 25), set()
    for _ in range(200):
        got = shifted(x)
        mirrored = lambda d: [abs(i + d) if i + d < 25 else 48 - i - d for i in range(25)]  # noqa: E731
        places = [(d, r) for d in range(-most, most + 1) for r in range(-most, most + 1)]
        found = [p for p in places if torch.equal(got, x[:, :, mirrored(p[0])][..., mirrored(p[1])])]
        assert len(found) == 1
        seen |= set(found)
    assert len(seen) > 0.9 * (2 * most + 1) ** 2


def test_a_grey_photo_is_seen_as_three_equal_colours(eye):
    discriminator, grey = FeatureDiscriminator(eye, width=4).eval(), photos(1, 32)["summer"][:, :1]
    assert torch.equal(discriminator(grey.repeat(1, 3, 1, 1)), discriminator(grey))


@pytest.mark.slow
def test_it_tells_seasons_apart_that_it_has_not_seen_after_30_steps(eye):
    torch.manual_seed(0)
    drawn, discriminator = Seasons(scenes=32, val_scenes=32, test_scenes=2), FeatureDiscriminator(eye)
    optim = torch.optim.Adam(discriminator.parameters(), 3e-4, betas=(0.5, 0.999))
    for step in range(30):
        x, _ = drawn.train.draw(torch.arange(step % 8 * 4, step % 8 * 4 + 4))
        optim.zero_grad()
        discriminator_loss("hinge", discriminator(x["winter"]), discriminator(x["summer"])).backward()
        optim.step()
    x, _ = drawn.val.take(torch.arange(32))
    discriminator.eval()
    with torch.no_grad():
        winter, summer = (discriminator(x[season]).mean((1, 2, 3)) for season in ("winter", "summer"))
    assert (winter[:, None] > summer[None]).float().mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("mmd", [0.0, 2.0])
def test_interrupted_and_resumed_it_ends_in_the_same_bits(tmp_path, mmd):
    def run(name, steps, saved=None):
        rng.seed(5)
        model, cost = plain.Generators(), ProjectedGAN(SEASONS, narrow, pool=3, mmd=mmd)
        optim = lambda parameters: torch.optim.Adam(parameters, 1e-3, betas=(0.5, 0.999))  # noqa: E731
        knobs = dict(steps=steps, batch=2, validate_every=4, ema=0.9, saved=saved)
        toy.fit(tmp_path / name, model, cost, Single(), optim, plain.Nothing(), **knobs)
        saved = checkpoint.load(tmp_path / name / "checkpoints" / "last.pt")
        del saved["loss"]["_extra_state"]  # figures of the latest photos: a run that ends looks once more
        return saved

    whole = run("whole", 7)
    again = run("parts", 7, saved=run("parts", 4))
    keys = ("model", "loss", "optimizers", "ema", "sampler", "generators", "step")
    assert [key for key in keys if not same(whole[key], again[key])] == []


class Single(plain.Seasons):
    def __init__(self):
        super().__init__()
        for split in (self.train, self.val, self.test):
            split.x = {season: photo.float() for season, photo in split.x.items()}


@pytest.mark.parametrize("knobs", [{"pool": -1}, {"cycle": -1.0}, {"mmd": -1.0}, {"mmd": math.inf}])
def test_refused_in_one_line(knobs):
    with pytest.raises(BadInput, match="loss"):
        ProjectedGAN(SEASONS, narrow, **knobs)
