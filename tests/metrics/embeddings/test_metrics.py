"""The examination of embeddings as a whole: names, closed forms, intervals by person, order, baselines, edges."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from dlthink.metrics.embeddings import bootstrap, metrics
from dlthink.metrics.embeddings.bootstrap import Resampled, interval, people_drawn, share
from dlthink.metrics.embeddings.metrics import Embeddings, effective_rank, mean_cosine
from dlthink.metrics.embeddings.pair_distances import Pairs
from dlthink.metrics.embeddings.verification import Rates
from tests.metrics.embeddings.made_people import collapsed, loop, people, perfect, tied

POINTS = ["recall_at_1", "recall_at_5", "map_at_r", "one_shot_accuracy", "auc", "eer", "val_at_far_1e-3"]
POINTS += ["val_at_far_1e-2", "effective_rank", "mean_cosine"]
WITH_INTERVAL = ["recall_at_1", "one_shot_accuracy", "auc", "val_at_far_1e-2"]
NAMES = {*POINTS, *(f"{name}_{end}" for name in WITH_INTERVAL for end in ("low", "high"))}


def numbers(embedding, y, known=None, pairs=None, draws=20, **predicted):
    return Embeddings(pairs, draws).numbers({"embedding": embedding} | predicted, y, known or {})


def test_names_are_always_these():
    made = numbers(*people())
    assert set(made) == NAMES
    assert all(isinstance(value, float) and math.isfinite(value) for value in made.values())
    assert Embeddings.best == ("val_at_far_1e-2", "max")
    for name in WITH_INTERVAL:
        assert made[f"{name}_low"] < made[name] < made[f"{name}_high"]


@pytest.mark.parametrize(
    "pairs, best", [(None, "val_at_far_1e-2"), (1000, "val_at_far_1e-2"), (999, "auc"), (0, "auc")]
)
def test_where_validation_hardly_defines_a_rate_the_auc_picks_the_weights_and_says_so(pairs, best):
    embedding, y = people()
    examination = Embeddings(validation_pairs=pairs)
    assert examination.best == (best, "max")
    told = examination.suggestions({"embedding": embedding}, y, {})
    assert [f"validation has {pairs} pairs of two people" in line for line in told] == [True] * (best == "auc")


def test_a_network_that_is_no_better_than_what_nobody_trained_is_told():
    embedding, y = people()
    noisy = torch.nn.functional.normalize(embedding + torch.randn(embedding.shape), dim=1)

    def told(mine, other):
        return Embeddings().suggestions({"embedding": mine}, y, {"baselines": {"pca": {"embedding": other}}})

    (line,) = told(noisy, embedding)
    assert line.startswith("no better than pca, which nobody trained (AUC 0.") and "give more people" in line
    assert told(embedding, noisy) == [] and len(told(noisy, noisy)) == 1
    few = {"embedding": noisy[:3]}
    assert Embeddings().suggestions(few, y[:3], {"baselines": {"pca": few}}) == []


def test_a_perfect_and_a_collapsed_embedding():
    made = numbers(*perfect())
    for name in ("recall_at_1", "recall_at_5", "map_at_r", "one_shot_accuracy", "auc", "val_at_far_1e-2"):
        assert made[name] == 1, name
    for name in WITH_INTERVAL:
        assert made[f"{name}_low"] == made[f"{name}_high"] == 1
    made = numbers(*collapsed())
    for name in ("recall_at_1", "recall_at_5", "map_at_r", "one_shot_accuracy", "val_at_far_1e-2"):
        assert made[name] == 0, name
    assert (made["auc"], made["eer"]) == (0.5, 0.5)
    assert made["effective_rank"] == pytest.approx(1, abs=1e-4)
    assert made["mean_cosine"] == pytest.approx(1)


def test_rank_and_cosine_by_their_formulas():
    embedding, _ = people()
    s = np.linalg.svd(embedding.double().numpy(), compute_uv=False)
    p = s / s.sum()
    assert effective_rank(embedding) == pytest.approx(math.exp(-(p * np.log(p)).sum()), rel=1e-6)
    assert effective_rank(torch.eye(5).repeat(3, 1)) == pytest.approx(5)
    assert effective_rank(embedding[:3]) <= 3
    cosine = embedding.double() @ embedding.double().T
    off = cosine[~torch.eye(120, dtype=torch.bool)]
    assert mean_cosine(embedding) == pytest.approx(float(off.mean()), rel=1e-6)


def test_the_order_of_photos_never_matters():
    embedding, y = people(300, 40)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(5))
    one, other = numbers(embedding, y), numbers(embedding[order], y[order])
    for name in NAMES:
        tolerance = 0.02 if name.startswith("one_shot") else 1e-9  # another gallery is drawn
        assert one[name] == pytest.approx(other[name], abs=tolerance), name
    again = numbers(embedding, y)
    assert one == again


@pytest.mark.parametrize("made", [people(60, 8), tied(60, 8)], ids=["people", "tied"])
def test_draws_of_people_equal_copies_of_their_photos(made):
    embedding, y = made
    pairs = Pairs(embedding, y)
    weight = people_drawn(8, draws=1, seed=2)[0]
    copies = [
        (row, who, copy) for row, who in zip(pairs.rows, pairs.person, strict=True) for copy in range(int(weight[who]))
    ]
    d, _ = loop(embedding, y)
    same, different = [], []
    for a, (i, p, c) in enumerate(copies):
        for j, q, e in copies[:a]:
            if p != q:
                different.append(d[i][j])
            elif c == e:
                same.append(d[i][j])
    made = Rates(np.array(same, np.float32), np.array(different, np.float32))
    resampled = Resampled(pairs)
    assert resampled.auc(weight) == pytest.approx(made.auc, abs=1e-6)
    for far in (0.3, 0.03, 1e-2):
        assert resampled.val_at(far, weight) == pytest.approx(made.val_at(far), abs=1e-6)
    assert math.isnan(resampled.val_at(1e-5, weight))


def test_a_sample_of_far_pairs_stands_for_all(monkeypatch):
    embedding, y = people(500, 60)
    pairs = Pairs(embedding, y)
    rates = Rates(pairs.same, pairs.different)
    monkeypatch.setattr(bootstrap, "OTHERS", 20_000)
    resampled = Resampled(pairs)
    assert len(resampled.d) < 0.3 * len(pairs.different)
    assert resampled.times.sum() == pytest.approx(len(pairs.different))
    assert resampled.val_at(1e-2, np.ones(60)) == rates.val_at(1e-2)  # near pairs are all there
    assert resampled.auc(np.ones(60)) == pytest.approx(rates.auc, abs=6e-3)


@pytest.mark.slow
def test_intervals_cover_what_they_should():
    truth = numbers(*people(3000, 1000, noise=0.8, seed=99), draws=1)
    inside = {name: 0 for name in ("recall_of_people", "auc", "val_at_far_1e-2")}
    for seed in range(30):
        made = numbers(*people(180, 60, noise=0.8, seed=seed), draws=1)
        for name in ("auc", "val_at_far_1e-2"):
            inside[name] += made[f"{name}_low"] <= truth[name] <= made[f"{name}_high"]
        chance = np.random.default_rng(seed)
        asked = chance.integers(1, 9, 60)
        right = chance.binomial(asked, chance.beta(2, 1, 60))  # photos of a person depend on each other
        low, high = interval(share(right, asked, people_drawn(60)))
        inside["recall_of_people"] += low <= 2 / 3 <= high
    assert all(count >= 23 for count in inside.values()), inside  # of 30; 28.5 expected


def test_photos_of_one_person_count_as_one_draw():
    right, asked = np.array([50, 0] * 5), np.full(10, 50)
    low, high = interval(share(right, asked, people_drawn(10)))
    assert high - low > 0.5  # as wide as for ten coins, not five hundred


def test_an_interval_needs_more_than_half_of_its_draws():
    drawn = np.where(np.arange(200) < 101, np.linspace(0, 1, 200), math.nan)
    assert all(math.isfinite(end) for end in interval(drawn))
    drawn[0] = math.nan
    assert all(math.isnan(end) for end in interval(drawn))


def test_the_interval_of_a_sample_of_pairs_lies_about_the_auc_of_all(monkeypatch):
    monkeypatch.setattr(Resampled, "auc", lambda self, weight: 0.7)
    made = numbers(*people())
    assert made["auc_low"] == made["auc_high"] == pytest.approx(made["auc"]) != 0.7


def test_baselines_get_the_same_numbers_without_intervals():
    embedding, y = people()
    other, _ = people(noise=2.0)
    made = numbers(embedding, y, {"baselines": {"pixels": {"embedding": other}}})
    alone = numbers(other, y)
    for name in POINTS:
        assert made[f"{name}_pixels"] == alone[name], name
    assert {name: made[name] for name in NAMES} == numbers(embedding, y)
    assert len(made) == len(NAMES) + len(POINTS)


def test_rates_at_the_stored_threshold():
    embedding, y = people()
    made = numbers(embedding, y, threshold=torch.tensor(0.8))
    _, table = loop(embedding, y)
    assert made["val_at_threshold"] == np.mean([d <= 0.8 for d, s in table if s])
    assert made["far_at_threshold"] == np.mean([d <= 0.8 for d, s in table if not s])


def given(y, seed=0):
    """Pairs of photo numbers (1000 + row), half of one person, and one pair with a photo that is not here."""
    g = torch.Generator().manual_seed(seed)
    both = torch.randint(0, len(y), (4000, 2), generator=g).tolist()
    same = [[i, j] for i, j in both if i != j and y[i] == y[j]][:60]
    different = [[i, j] for i, j in both if y[i] != y[j]][:60]
    return [[1000 + i, 1000 + j, int(k < 60)] for k, (i, j) in enumerate(same + different)] + [[1000, 5, 1]]


def test_lfw_numbers_are_those_of_the_given_pairs():
    embedding, y = people(noise=0.8)
    pairs = given(y)
    known = {"photo": 1000 + torch.arange(len(y)), "baselines": {"pixels": {"embedding": embedding}}}
    made = numbers(embedding, y, known, pairs, threshold=torch.tensor(0.1), accuracy_threshold=torch.tensor(0.9))
    rows = [(i - 1000, j - 1000, bool(s)) for i, j, s in pairs if j >= 1000]
    d = [float(((embedding[i] - embedding[j]) ** 2).sum()) for i, j, _ in rows]
    same = [s for *_, s in rows]
    accuracy = sum((v <= 0.9) == s for v, s in zip(d, same, strict=True)) / 120
    assert made["lfw_accuracy"] == pytest.approx(accuracy)
    assert made["lfw_auc"] == pytest.approx(roc_auc_score(same, [-v for v in d]), abs=1e-6)
    assert made["lfw_accuracy_low"] < accuracy < made["lfw_accuracy_high"]
    people_, person = np.unique(y.numpy(), return_inverse=True)
    drawn = []
    for weight in people_drawn(len(people_)):  # a pair of two people counts as often as both were drawn
        times = [weight[person[i]] * (1 if s else weight[person[j]]) for i, j, s in rows]
        drawn.append(sum(w * ((v <= 0.9) == s) for w, v, s in zip(times, d, same, strict=True)) / sum(times))
    ends = [made["lfw_accuracy_low"], made["lfw_accuracy_high"]]
    assert ends == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
    second = numbers(embedding, y, known, pairs, threshold=torch.tensor(0.9))
    assert second["lfw_accuracy"] == pytest.approx(accuracy)
    best = max(sum((v <= t) == s for v, s in zip(d, same, strict=True)) / 120 for t in d)
    assert best - 0.1 <= made["lfw_accuracy_pixels"] <= best
    assert "lfw_accuracy_low_pixels" not in made
    unsettled = numbers(embedding, y, known, pairs, threshold=torch.tensor(math.nan))
    assert math.isnan(unsettled["lfw_accuracy"])


def test_lfw_numbers_are_left_out_without_their_photos():
    embedding, y = people()
    for known, pairs in (
        ({}, given(y)),
        ({"photo": torch.arange(120)}, given(y)),
        ({"photo": torch.arange(120)}, None),
    ):
        assert set(numbers(embedding, y, known, pairs)) == NAMES


@pytest.mark.parametrize("y", [[], [3], [3, 3], [3, 4, 5], [3, 3, 3]])
def test_what_is_not_defined_is_nan(y):
    made = numbers(torch.eye(6)[: len(y)], torch.tensor(y, dtype=torch.long), threshold=torch.tensor(1.0))
    assert set(made) == NAMES | {"val_at_threshold", "far_at_threshold"}
    assert all(math.isnan(made[name]) for name in made if name not in ("effective_rank", "mean_cosine"))


def test_a_far_finer_than_one_pair_is_nan():
    made = numbers(*people(20, 6))
    assert math.isnan(made["val_at_far_1e-3"])
    assert math.isfinite(made["val_at_far_1e-2"])


def test_a_lost_embedding_is_not_averaged_away():
    embedding, y = people()
    embedding[5, 2] = math.nan
    made = numbers(embedding, y)
    assert set(made) == NAMES
    assert all(math.isnan(value) for value in made.values())


def test_many_photos_are_examined_on_some_people(monkeypatch):
    monkeypatch.setattr(metrics, "MOST", 150)
    whole = people(600, 150)
    made = numbers(*whole)
    pairs = Pairs(*whole, most=150)
    assert 100 < len(pairs) <= 150
    assert made["auc"] == Rates(pairs.same, pairs.different).auc


@pytest.mark.parametrize("n, told", [(12, True), (9, False)])
def test_people_who_lie_farther_from_themselves_are_told_of_ten_pairs_on(n, told):
    near = people(n, n, noise=0.0)[0]
    embedding, y = torch.cat([near, -near]), torch.arange(n).repeat(2)
    assert [("wrong sign" in line) for line in Embeddings().remarks({"embedding": embedding}, y, {})] == [True] * told
    assert Embeddings().remarks({"embedding": torch.cat([near, near])}, y, {}) == []


def test_what_needs_a_gradient_is_read_all_the_same():
    embedding, y = people()
    assert numbers(embedding.clone().requires_grad_(), y) == numbers(embedding, y)


@pytest.mark.parametrize("who, said", [(2, 1), (3, 0)])
def test_two_people_are_too_few_for_an_interval_and_that_is_said(who, said):
    y = torch.arange(24) % who
    embedding = torch.nn.functional.normalize(torch.randn(24, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    made = Embeddings(draws=1)
    assert math.isnan(made.numbers({"embedding": embedding}, y, {})["auc_low"]) == bool(said)
    lines = [line for line in made.suggestions({"embedding": embedding}, y, {}) if "too few to draw from" in line]
    assert len(lines) == said
