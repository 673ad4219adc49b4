"""The audit: rates of groups against a loop, masks, and attacks that stay in their ball and do what they say."""

import io
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from dlthink.metrics.embeddings import audit
from dlthink.metrics.embeddings.attacks import pgd, templates
from dlthink.metrics.embeddings.bootstrap import Resampled
from dlthink.metrics.embeddings.metrics import Embeddings
from dlthink.metrics.embeddings.pair_distances import Pairs
from dlthink.metrics.embeddings.verification import Rates

SIZE = 6


class Photos:
    """Noisy copies of a picture for each person; group 1 is noisier, and some photos are of no known group."""

    def __init__(self, n=150, people=24, noise=0.25, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.cat([torch.arange(people), torch.randint(0, people, (n - people,), generator=g)])
        self.group = self.y % 3 - 1
        face = torch.randn(people, 1, SIZE, SIZE, generator=g) * 0.4
        spread = torch.where(self.group == 1, 1.5 * noise, noise)[:, None, None, None]
        self.x = (face[self.y] + spread * torch.randn(n, 1, SIZE, SIZE, generator=g)).clamp(-1, 1)

    def __len__(self):
        return len(self.y)

    def take(self, index):
        return self.x[index], self.y[index]

    def known(self, index):
        return {"photo": index, "groups": {f"group_{g}": self.group[index] == g for g in (0, 1)}}


class Masked(Photos):
    def masked(self, x):
        x = x.clone()
        x[:, :, SIZE // 2 :] = 0.5
        return x


def answer(x):
    return {"embedding": normalize(x.flatten(1), dim=1)}


def network(seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 32), nn.Tanh(), nn.Linear(32, 8))
    return lambda x: {"embedding": normalize(model(x), dim=1)}


def audited(split, answer=answer, batch=40):
    return Embeddings().audit(answer, split, list(torch.arange(len(split)).split(batch)))


def test_group_rates_equal_a_loop():
    split = Photos()
    numbers, _ = audited(split)
    e = answer(split.x)["embedding"].double()
    d = ((e[:, None] - e[None]) ** 2).sum(-1)
    y, group, n = split.y.tolist(), split.group.tolist(), len(split)
    table = [(float(d[i, j]), y[i] == y[j], group[i], group[j]) for i in range(n) for j in range(i)]
    different = sorted(v for v, same, *_ in table if not same)
    limit = different[int(0.01 * len(different))]
    assert numbers["threshold_at_far_1e-2"] == pytest.approx(limit, abs=1e-6)
    for name, kind in (("val", True), ("far", False)):
        rates = []
        for g in (0, 1):
            inside = [v < limit - 1e-6 for v, same, a, b in table if same == kind and a == b == g]
            rates.append(sum(inside) / len(inside))
            assert numbers[f"{name}_group_{g}"] == pytest.approx(rates[-1])
            assert numbers[f"{name}_group_{g}_low"] <= rates[-1] <= numbers[f"{name}_group_{g}_high"]
        expected = max(rates) / min(rates) if min(rates) else math.nan
        assert numbers[f"{name}_ratio"] == pytest.approx(expected, nan_ok=True)
    assert "val_group_-1" not in numbers
    assert numbers["val_group_1"] < numbers["val_group_0"]  # noisier


def test_group_rates_of_drawn_people_equal_a_loop():
    """Person k counts w_k times: a pair of one person w_k, one of two people w_k w_l."""
    data = Photos(n=90, people=12)
    pairs = Pairs(data.x.flatten(1), data.y)
    group, person, n = data.group.numpy()[pairs.rows], pairs.person, len(pairs.rows)
    weight = np.random.default_rng(1).integers(0, 4, pairs.people).astype(float)
    both = [(i, j) for i in range(n) for j in range(i + 1, n)]
    of_two = [(i, j) for i, j in both if person[i] != person[j]]
    different = sorted((pairs.d[i, j], weight[person[i]] * weight[person[j]], i, j) for i, j in of_two)
    total = np.cumsum([times for _, times, _, _ in different])
    threshold = different[int((total <= math.floor(0.3 * total[-1])).sum())][0]

    made = Resampled(pairs, group).by_group(0.3, weight, [0, 1])
    for g in (0, 1):
        same = [(pairs.d[i, j], weight[person[i]]) for i, j in both if person[i] == person[j] and group[i] == g]
        others = [(d, times) for d, times, i, j in different if group[i] == group[j] == g]
        for rate, found in zip(made[:, g], (same, others), strict=True):
            accepted = sum(times for d, times in found if d < threshold)
            assert accepted > 0 and rate == pytest.approx(accepted / sum(times for _, times in found))


def test_the_ratio_of_groups():
    assert audit._ratio(np.array([[0.2, 0.1, 0.4], [0.0, 0.1, 0.2], [math.nan, 0.1, 0.2]])).tolist() == pytest.approx(
        [4, math.nan, 2], nan_ok=True
    )


def test_masked_probes_against_a_loop():
    split = Masked()
    numbers, figures = audited(split)
    e, m = answer(split.x)["embedding"].double(), answer(split.masked(split.x))["embedding"].double()
    d = ((m[:, None] - e[None]) ** 2).sum(-1)
    same = split.y[:, None] == split.y[None]
    mine = Rates(d[same & ~torch.eye(150, dtype=torch.bool)].numpy(), d[~same].numpy())
    plain = Pairs(e, split.y)
    plain = Rates(plain.same, plain.different)
    masked, unmasked = numbers["val_at_far_1e-2_masked"], numbers["val_at_far_1e-2_unmasked"]
    assert masked == pytest.approx(mine.val_at(1e-2), abs=2e-3)
    assert unmasked == plain.val_at(1e-2)
    assert numbers["val_at_far_1e-2_difference"] == pytest.approx(masked - unmasked)
    assert numbers["val_at_far_1e-2_difference_high"] < 0
    assert numbers["val_at_far_1e-2_difference_low"] <= masked - unmasked <= numbers["val_at_far_1e-2_difference_high"]
    limit = numbers["threshold_at_far_1e-2"]
    assert numbers["val_masked"] == pytest.approx((mine.same < limit).mean(), abs=2e-3)
    assert numbers["far_masked"] == pytest.approx((mine.different < limit).mean(), abs=1e-3)
    assert "masked" in figures


def test_masks_that_hide_nothing_cost_nothing():
    split = Masked()
    split.masked = lambda x: x
    numbers, _ = audited(split)
    for name in ("val_at_far_1e-2_difference", "val_at_far_1e-2_difference_low", "val_at_far_1e-2_difference_high"):
        assert numbers[name] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("away", [True, False])
def test_an_attack_stays_in_its_ball_and_is_worth_it(away):
    split, model = Photos(), network()
    target = model(split.x[:1])["embedding"].detach().expand(150, -1)
    before = ((model(split.x)["embedding"] - target) ** 2).sum(1).detach()
    last = before
    for epsilon in (1 / 255, 4 / 255, 16 / 255):
        found, d = pgd(model, split.x, target, epsilon, away)
        assert float((found - split.x).abs().max()) <= 2 * epsilon + 1e-6
        assert float((found - split.x).abs().max()) >= 1.9 * epsilon  # and uses it
        assert found.abs().max() <= 1
        torch.testing.assert_close(d, ((model(found)["embedding"] - target) ** 2).sum(1).detach())
        gain = (d - before) if away else (before - d)
        assert float(gain.min()) >= 0
        assert float(((d - last) if away else (last - d)).mean()) > 0  # more room, more harm
        last = d
    again, _ = pgd(model, split.x, target, 16 / 255, away)
    assert torch.equal(found, again)


def test_an_attack_finds_the_corner_of_a_linear_embedding():
    weight = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)).sign() * 0.3
    linear = lambda x: {"embedding": x.flatten(1) @ weight.T}  # noqa: E731
    x = torch.zeros(1, 1, 2, 2)
    found, d = pgd(linear, x, torch.full((1, 1), -5.0), 8 / 255, away=True)
    torch.testing.assert_close(found.flatten(), (16 / 255 * weight.sign()).flatten())
    assert float(d) == pytest.approx((5 + 16 / 255 * 1.2) ** 2, rel=1e-5)


def test_an_attack_leaves_weights_and_their_gradients_alone():
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 8))
    with torch.no_grad():
        pgd(lambda x: {"embedding": model(x)}, Photos().x, torch.zeros(150, 8), 4 / 255, away=True)
    assert all(p.grad is None for p in model.parameters())


def test_templates_leave_out_the_photo_itself():
    split = Photos()
    e = answer(split.x)["embedding"]
    made = templates(e, split.y)
    for i in range(0, 150, 7):
        others = [j for j in range(150) if split.y[j] == split.y[i] and j != i]
        torch.testing.assert_close(made[i], normalize(e[others].mean(0), dim=0))
    assert templates(e[:1], split.y[:1]).isnan().all()


def test_success_rates_of_attacks():
    split = Photos()
    numbers, figures = audited(split, network())
    for goal in ("dodging", "impersonation"):
        rates = [numbers[f"{goal}_{epsilon}"] for epsilon in (1, 2, 4, 8)]
        assert rates == sorted(rates)
        assert 0 <= rates[0] <= rates[-1] <= 1 and rates[-1] > 0
        assert numbers[f"{goal}_8_low"] <= rates[-1] <= numbers[f"{goal}_8_high"]
    assert set(figures) == {"groups", "robustness"}


def test_what_no_pixel_moves_cannot_be_attacked():
    split = Photos()
    rank = lambda x: {"embedding": normalize(x.flatten(1).detach(), dim=1) + 0 * x.flatten(1)}  # noqa: E731
    numbers, _ = audited(split, rank)
    assert all(numbers[f"{goal}_1"] <= 0.2 for goal in ("dodging", "impersonation"))  # the random start alone


def test_what_failed_untouched_is_no_success_of_an_attack(monkeypatch):
    def untouched(answer, x, target, epsilon, away, start=None):
        return x, ((answer(x)["embedding"] - target) ** 2).sum(1).detach()

    def perfect(answer, x, target, epsilon, away, start=None):
        return x, torch.full((len(x),), 4.0 if away else 0.0)

    for attack, rate in ((untouched, 0), (perfect, 1)):
        monkeypatch.setattr(audit, "pgd", attack)
        numbers, _ = audited(Photos(noise=0.6))
        assert 0 < numbers["val_group_0"] < 1
        assert {numbers[f"{goal}_{e}"] for goal in ("dodging", "impersonation") for e in (1, 2, 4, 8)} == {rate}


def test_intervals_of_attacks_draw_people_and_not_photos(monkeypatch):
    split = Photos(people=6)
    whose = {x.numpy().tobytes(): int(y) for x, y in zip(split.x, split.y, strict=True)}

    def some(answer, x, target, epsilon, away, start=None):
        taken = torch.tensor([whose[one.numpy().tobytes()] % 2 for one in x])
        return x, torch.where((taken == 0) == away, 4.0, 0.0)

    monkeypatch.setattr(audit, "pgd", some)
    numbers, _ = audited(split)
    assert numbers["dodging_1_high"] - numbers["dodging_1_low"] > 0.5  # three people of six, not 75 photos of 150


def test_victims_are_other_people():
    person = torch.tensor([0, 0, 1, 1, 2, 2])
    victim = audit._somebody_else(torch.arange(6), person, torch.arange(6).repeat(20))
    assert (person[victim] != person.repeat(20)).all()
    assert len(victim.unique()) == 6


@pytest.mark.slow
def test_figures_can_be_drawn():
    _, figures = audited(Masked(), network())
    assert list(figures) == ["groups", "masked", "robustness"]
    for figure in figures.values():
        figure.savefig(buffer := io.BytesIO(), format="png")
        assert buffer.tell() > 1000


@pytest.mark.slow
@pytest.mark.parametrize("n, people", [(1, 1), (5, 1), (4, 4), (4, 2), (40, 3), (2, 2)])
def test_few_photos(n, people):
    numbers, figures = audited(Masked(n, people))
    assert "threshold_at_far_1e-2" in numbers
    for figure in figures.values():
        figure.savefig(io.BytesIO(), format="png")


def test_without_groups_and_masks_only_attacks_are_made():
    split = Photos()
    split.known = lambda index: {"photo": index}
    numbers, figures = audited(split)
    assert not [name for name in numbers if "group" in name or "masked" in name]
    assert list(figures) == ["robustness"]


def test_lost_embeddings_end_the_audit():
    broken = lambda x: {"embedding": answer(x)["embedding"] * math.nan}  # noqa: E731
    numbers, figures = audited(Masked(), broken)
    assert list(numbers) == ["threshold_at_far_1e-2"] and math.isnan(numbers["threshold_at_far_1e-2"])
    assert not figures


def test_many_photos_are_audited_on_some_people(monkeypatch):
    monkeypatch.setattr(audit, "MOST", 60)
    split = Photos()
    asked = audit._Asked(answer, split, list(torch.arange(150).split(40)))
    assert 40 < len(asked.y) <= 60
    torch.testing.assert_close(asked.embedding, answer(split.x[asked.index])["embedding"])
    assert (split.y[asked.index] == asked.y).all() and (split.group[asked.index] == asked.group).all()


def test_a_larger_attack_is_never_the_weaker_one():
    split = Photos()
    numbers, _ = audited(split)
    for goal in ("dodging", "impersonation"):
        shares = [numbers[f"{goal}_{epsilon}"] for epsilon in audit.EPSILONS]
        assert shares == sorted(shares)
    start = split.x[:5] + 0.01
    target = answer(split.x[5:10])["embedding"]
    held = ((answer(start)["embedding"] - target) ** 2).sum(1)
    _, d = pgd(answer, split.x[:5], target, 0.004, away=False, start=start)
    assert (d <= held).all()
