"""`cyclegan`: its games, its discriminators, its pools, and the published order of updates."""

import copy
import math
import random
from functools import partial

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.losses.translations._gan import discriminator_loss, generator_loss, gradient_penalty
from dlthink.losses.translations._pool import Pool
from dlthink.losses.translations.cyclegan import CycleGAN
from dlthink.models.discriminators.patch import PatchDiscriminator
from dlthink.training import checkpoint, rng
from dlthink.training.sampler import Sampler
from tests.losses.translations.made_translations import SEASONS, answer, photos
from tests.training import toy
from tests.training.test_resume import same

GAMES = ("lsgan", "hinge", "nonsaturating", "wgan_gp")
patches = partial(PatchDiscriminator, 3, width=4)


def slow(game, real, made):
    """(network's cost, discriminator's cost) by a loop over patches."""
    r, f = real.flatten().tolist(), made.flatten().tolist()
    net, judge_r, judge_f, half = {
        "lsgan": (lambda v: (v - 1) ** 2, lambda v: (v - 1) ** 2, lambda v: v**2, 0.5),
        "hinge": (lambda v: -v, lambda v: max(0, 1 - v), lambda v: max(0, 1 + v), 0.5),
        "nonsaturating": (
            lambda v: -math.log(1 / (1 + math.exp(-v))),
            lambda v: -math.log(1 / (1 + math.exp(-v))),
            lambda v: -math.log(1 - 1 / (1 + math.exp(-v))),
            0.5,
        ),
        "wgan_gp": (lambda v: -v, lambda v: -v, lambda v: v, 1.0),
    }[game]
    mean = lambda g, values: sum(map(g, values)) / len(values)  # noqa: E731
    return mean(net, f), half * (mean(judge_r, r) + mean(judge_f, f))


@pytest.mark.parametrize("game", GAMES)
def test_games_against_a_loop(game):
    g = torch.Generator().manual_seed(0)
    real, made = 2 * torch.randn(2, 3, 1, 5, 5, generator=g, dtype=torch.float64)
    expected = slow(game, real, made)
    assert float(generator_loss(game, made)) == pytest.approx(expected[0], rel=1e-12)
    assert float(discriminator_loss(game, real, made)) == pytest.approx(expected[1], rel=1e-12)


def test_steepness_of_a_plane_and_of_a_parabola():
    real, made = torch.rand(2, 4, 1, 2, 2, dtype=torch.float64)
    w = torch.tensor([3.0, 0.0, 4.0, 0.0], dtype=torch.float64)
    plane = lambda x: (x.flatten(1) @ w)[:, None, None, None]  # noqa: E731
    assert gradient_penalty(plane, real, made).item() == pytest.approx(10 * (5 - 1) ** 2)
    torch.manual_seed(3)
    got = gradient_penalty(lambda x: x.square().sum((1, 2, 3), keepdim=True) / 2, real, made).item()
    torch.manual_seed(3)
    part = torch.rand(4, 1, 1, 1, dtype=torch.float64)
    mixed = part * real + (1 - part) * made
    assert got == pytest.approx(float(10 * (mixed.flatten(1).norm(dim=1) - 1).square().mean()))


def test_steepness_moves_the_judge():
    discriminator = PatchDiscriminator(3, width=4)
    gradient_penalty(discriminator, *torch.rand(2, 2, 3, 32, 32)).backward()
    assert all(p.grad.abs().sum() > 0 for p in discriminator.parameters() if p.ndim > 1)


def test_a_verdict_sees_70_pixels():
    discriminator = PatchDiscriminator(1, width=2).double()
    x = torch.zeros(1, 1, 140, 140, dtype=torch.float64, requires_grad=True)
    for module in discriminator:  # without its norms, which look at the whole photo
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    plain = nn.Sequential(*(m for m in discriminator if not isinstance(m, nn.GroupNorm)))
    verdict = plain(x)
    (seen,) = torch.autograd.grad(verdict[0, 0, 8, 8], x)
    rows = seen[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70
    assert verdict.shape == (1, 1, 15, 15)


def test_a_spectral_judge_sees_tone_and_its_slope_is_bounded():
    torch.manual_seed(0)
    dark, light = torch.full((2, 1, 3, 64, 64), 0.2).mul_(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1, 1))
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 0.5
    apart = {}
    for norm in ("instance", "spectral"):
        discriminator = PatchDiscriminator(3, width=8, norm=norm)
        for _ in range(30):  # its power iteration goes on with every pass in training
            discriminator(x)
        discriminator.eval()
        verdicts = [discriminator(x + tone)[..., 2:-2, 2:-2] for tone in (dark, light)]
        apart[norm] = ((verdicts[0] - verdicts[1]).abs().mean() / verdicts[0].std()).item()
    assert apart["spectral"] > 2 * apart["instance"]
    tops = [torch.linalg.matrix_norm(m.weight.flatten(1), 2).item() for m in discriminator if isinstance(m, nn.Conv2d)]
    assert tops == pytest.approx([1.0] * 5, rel=0.1)


def test_the_pool_is_the_published_one(monkeypatch):
    """Against a loop, drawn by one source of chance."""
    chance = random.Random(0)
    monkeypatch.setattr("dlthink.losses.translations._pool.torch.rand", lambda _: torch.tensor(chance.random()))
    monkeypatch.setattr(
        "dlthink.losses.translations._pool.torch.randint", lambda n, _: torch.tensor(int(chance.random() * n))
    )
    made = [torch.full((2, 1, 1, 1), 2.0 * i) + torch.tensor([0.0, 1.0])[:, None, None, None] for i in range(40)]
    pool = Pool(5)
    got = [pool.exchange(batch).flatten().tolist() for batch in made]

    chance, images, expected = random.Random(0), [], []
    for batch in made:
        back = []
        for image in batch.flatten().tolist():
            if len(images) < 5:
                images.append(image)
                back.append(image)
            elif chance.random() < 0.5:
                place = int(chance.random() * 5)
                back.append(images[place])
                images[place] = image
            else:
                back.append(image)
        expected.append(back)
    assert got == expected
    assert any(x < 2 * i for i, back in enumerate(got) for x in back), "no old photo ever came back"


def test_a_pool_is_resumed_and_may_be_empty():
    pool, other = Pool(3), Pool(3)
    pool.exchange(torch.rand(3, 1, 2, 2))
    other.load_state_dict(pool.state_dict())
    x = torch.rand(8, 1, 2, 2)
    torch.manual_seed(1)
    first = pool.exchange(x)
    torch.manual_seed(1)
    assert torch.equal(other.exchange(x), first)
    assert torch.equal(Pool(0).exchange(x), x)


def test_what_is_kept_is_not_changed_later():
    pool, x = Pool(2), torch.zeros(2, 1, 1, 1)
    pool.exchange(x)
    x += 1
    assert all(float(kept) == 0 for kept in pool.kept)


@pytest.mark.parametrize("game", GAMES)
def test_terms_by_name(game):
    torch.manual_seed(0)
    cost = CycleGAN(SEASONS, patches, gan=game)
    y = photos(2, 32)
    out = answer(y)
    terms = cost(out, y)
    assert set(terms) == {f"{t}_{s}" for t in ("gan", "cycle", "identity") for s in ("summer", "winter")}
    assert terms["gan_winter"].item() == pytest.approx(
        generator_loss(game, cost.adversary["winter"](out["winter"])).item()
    )
    judged = cost.adversary_loss(out, y)
    names = {"summer", "winter"}
    assert set(judged) == names | ({f"{n}_gradient_penalty" for n in names} if game == "wgan_gp" else set())
    assert float(judged["summer"]) == pytest.approx(
        float(discriminator_loss(game, cost.adversary["summer"](y["summer"]), cost.adversary["summer"](out["summer"])))
    )


def test_a_judge_that_is_never_fooled_is_told():
    cost = CycleGAN(SEASONS, patches)
    cost.adversary = nn.ModuleDict({s: Bright() for s in ("summer", "winter")})
    y = photos(2, 32, seed=1)
    out = answer(y)
    y = {season: photo.abs() for season, photo in y.items()}
    out |= {season: -photo.abs() for season, photo in y.items()}
    for _ in range(10):
        seen = {name: float(value) for name, value in cost.watch(out, y).items()}
    assert seen["judged_winter"] == 1
    remarks = {cost.remark({name: value}) for name, value in seen.items() if name.startswith("judged")}
    assert all("never fooled" in remark for remark in remarks)


class Bright(nn.Module):
    def forward(self, x):
        return x.mean((1, 2, 3), keepdim=True)


@pytest.mark.parametrize("knobs", [{"pool": -1}, {"cycle": -1.0}, {"identity": math.nan}])
def test_refused_in_one_line(knobs):
    with pytest.raises(BadInput, match="loss"):
        CycleGAN(SEASONS, patches, **knobs)


# ------------------------------------------------------------------------------------------ the order of updates


class Pairs:
    """Double-precision photos of two seasons; a batch is a pair."""

    def __init__(self, n, seed):
        self.x = photos(n, 32, seed, torch.float64)

    def __len__(self):
        return len(self.x["summer"])

    def take(self, index):
        x = {season: photo[index] for season, photo in self.x.items()}
        return x, x

    def known(self, index):
        return {}

    def targets(self):
        return self.x

    def to(self, device):
        return self


class Seasons:
    def __init__(self):
        self.train, self.val, self.test = Pairs(12, 0), Pairs(2, 1), Pairs(2, 2)
        self.facts, self.state, self.notes = {}, {}, []


class Nothing:
    best = ("zero", "min")

    def numbers(self, predicted, y, known):
        return {"zero": 0.0}

    def figures(self, predicted, y, known):
        return {}


class Generators(nn.Module):
    """As `dlthink.models.cyclegan` answers, with two small networks."""

    def __init__(self):
        super().__init__()
        self.winter, self.summer = (
            nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 3, padding=1), nn.Tanh())
            for _ in range(2)
        )

    def forward(self, x):
        winter, summer = self.winter(x["summer"]), self.summer(x["winter"])
        made = {"winter": winter, "summer": summer}
        made |= {"back_summer": self.summer(winter), "back_winter": self.winter(summer)}
        return made | {"same_winter": self.winter(x["winter"]), "same_summer": self.summer(x["summer"])}


def published(model, cost, batches, lr):
    """Zhu et al.'s order: both generators descend; then both discriminators, on pooled fakes of the same pass."""
    discriminators = cost.adversary
    network = torch.optim.Adam(model.parameters(), lr, betas=(0.5, 0.999))
    critic = torch.optim.Adam(discriminators.parameters(), lr, (0.5, 0.999))
    pools = {"winter": [], "summer": []}

    def query(season, image):
        pool = pools[season]
        if len(pool) < 3:
            pool.append(image)
            return image
        if torch.rand(()) < 0.5:
            place = int(torch.randint(3, ()))
            old, pool[place] = pool[place], image
            return old
        return image

    l1, mse = nn.L1Loss(), nn.MSELoss()
    for real in batches:
        fake_winter = model.winter(real["summer"])
        back_summer = model.summer(fake_winter)
        fake_summer = model.summer(real["winter"])
        back_winter = model.winter(fake_summer)
        for p in discriminators.parameters():
            p.requires_grad_(False)
        network.zero_grad()
        total = 5 * l1(model.winter(real["winter"]), real["winter"])
        total = total + 5 * l1(model.summer(real["summer"]), real["summer"])
        for season, fake in (("winter", fake_winter), ("summer", fake_summer)):
            verdict = discriminators[season](fake)
            total = total + mse(verdict, torch.ones_like(verdict))
        total = total + 10 * l1(back_summer, real["summer"]) + 10 * l1(back_winter, real["winter"])
        total.backward()
        network.step()
        for p in discriminators.parameters():
            p.requires_grad_(True)
        critic.zero_grad()
        for season, fake in (("winter", fake_winter), ("summer", fake_summer)):
            fake = query(season, fake.detach())
            right, wrong = discriminators[season](real[season]), discriminators[season](fake)
            ((mse(right, torch.ones_like(right)) + mse(wrong, torch.zeros_like(wrong))) * 0.5).backward()
        critic.step()


def test_twenty_steps_equal_the_published_order(tmp_path):
    torch.manual_seed(0)
    model, cost = Generators().double(), CycleGAN(SEASONS, patches, pool=3).double()
    other, judged = copy.deepcopy(model), copy.deepcopy(cost)
    optim = lambda parameters: torch.optim.Adam(parameters, 1e-3, betas=(0.5, 0.999))  # noqa: E731
    torch.manual_seed(5)
    toy.fit(tmp_path, model, cost, Seasons(), optim, Nothing(), steps=20, batch=1, validate_every=20)
    data = Seasons().train
    stream = iter(Sampler(data, 1, 0, torch.device("cpu")))
    torch.manual_seed(5)
    published(other, judged, [data.take(next(stream))[0] for _ in range(20)], 1e-3)
    saved = checkpoint.load(tmp_path / "checkpoints" / "last.pt")
    for name, weight in other.state_dict().items():
        assert (saved["model"][name] - weight).abs().max() < 1e-12, name
    for name, weight in judged.adversary.state_dict().items():
        assert (saved["loss"][f"adversary.{name}"] - weight).abs().max() < 1e-12, name


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        pytest.param({"gan": "wgan_gp"}, marks=pytest.mark.slow),
        pytest.param({"discriminator": partial(patches, norm="spectral")}, marks=pytest.mark.slow),
    ],
)
def test_interrupted_and_resumed_it_ends_in_the_same_bits(tmp_path, knobs):
    """Generators, discriminators, pools, both optimizers, averaged weights; a look of the monitors changes none, and
    their figures, means over the latest photos, go on, too."""

    def run(name, steps, saved=None):
        rng.seed(5)
        model, cost = Generators().double(), CycleGAN(SEASONS, **{"discriminator": patches, "pool": 3} | knobs).double()
        optim = lambda parameters: torch.optim.Adam(parameters, 1e-3, betas=(0.5, 0.999))  # noqa: E731
        fit = dict(steps=steps, batch=2, log_every=2, validate_every=4, ema=0.9, saved=saved)
        toy.fit(tmp_path / name, model, cost, Seasons(), optim, Nothing(), **fit)
        return checkpoint.load(tmp_path / name / "checkpoints" / "last.pt")

    whole = run("whole", 11)
    again = run("parts", 11, saved=run("parts", 6))
    assert len(whole["loss"]["pool.winter._extra_state"]) == 3
    keys = ("model", "loss", "optimizers", "ema", "sampler", "generators", "step")
    assert [key for key in keys if not same(whole[key], again[key])] == []
    curves = [(tmp_path / name / "metrics.csv").read_text().splitlines() for name in ("whole", "parts")]
    watched, resumed = ([line for line in lines if ",watch," in line] for lines in curves)
    assert watched == resumed and any("contrast_winter" in line for line in watched)
