"""The examination of real numbers against slow loops, scipy, uncertainty-toolbox and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Distribution, Laplace, Normal, StudentT

from dlthink.distributions.student_t import StudentT as OwnStudentT
from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.reals.forecast import Forecast
from dlthink.metrics.reals.metrics import Reals
from dlthink.metrics.reals.risk_coverage import risk, spearman

NAMES = ["mae", "median_ae", "rmse", "r2", "nll", "crps", "miscalibration_area"]
NAMES += [f"{name}_{q}" for name in ("coverage", "width") for q in (50, 80, 90, 95)]
NAMES += ["ence", "sharpness", "spearman", "aurc", "mae_top_10", "mae_top_50", "mae_top_80", "mae_top_90"]
NEED_A_DISTRIBUTION = {n for n in NAMES if n.startswith(("coverage", "width"))} | {"nll", "miscalibration_area"}


def sample(n=400, t=1, seed=0, wrong=1.0):
    """y, and a mean and a std that say how y scatters around it, up to a factor."""
    g = torch.Generator().manual_seed(seed)
    mean = 100 + 40 * torch.randn(n, t, generator=g)
    std = torch.exp(0.8 * torch.randn(n, t, generator=g))
    return mean + wrong * std * torch.randn(n, t, generator=g), {"mean": mean, "std": std}


def numbers(predicted, y, truth=None, **knobs):
    return Reals("ppm", **knobs).numbers(predicted, y, truth or {})


def rows(y, predicted):
    """(y, mean, std) of each row in double precision, as Python numbers."""
    return list(zip(*(v.double().flatten().tolist() for v in (y, predicted["mean"], predicted["std"])), strict=True))


def test_names_are_always_these():
    y, predicted = sample()
    made = numbers(predicted, y)
    assert list(made) == NAMES
    assert all(math.isfinite(value) for value in made.values())
    assert Reals.best == ("crps", "min")


def test_every_number_of_a_normal_equals_a_loop():
    y, predicted = sample(397, 2, wrong=1.3)
    table = rows(y, predicted)
    size = sorted(abs(a - m) for a, m, _ in table)
    made = numbers(predicted, y)
    expected = {
        "mae": sum(size) / len(size),
        "median_ae": (size[396] + size[397]) / 2,
        "rmse": (sum(e**2 for e in size) / len(size)) ** 0.5,
        "nll": -sum(stats.norm.logpdf(a, m, s) for a, m, s in table) / len(table),
        "sharpness": (sum(s**2 for *_, s in table) / len(table)) ** 0.5,
        "spearman": stats.spearmanr([abs(a - m) for a, m, _ in table], [s for *_, s in table]).statistic,
    }
    for q in (50, 80, 90, 95):
        k = stats.norm.ppf(0.5 + q / 200)
        expected[f"coverage_{q}"] = sum(abs(a - m) <= k * s for a, m, s in table) / len(table)
        expected[f"width_{q}"] = sum(2 * k * s for *_, s in table) / len(table)
    trusted = [abs(a - m) for a, m, s in sorted(table, key=lambda row: row[2])]
    risks = [sum(trusted[:k]) / k for k in range(1, len(trusted) + 1)]
    expected["aurc"] = sum(risks) / len(risks)
    for q in (10, 50, 80, 90):
        expected[f"mae_top_{q}"] = risks[math.ceil(q * len(risks) / 100) - 1]
    for name, value in expected.items():
        assert made[name] == pytest.approx(value, rel=1e-9), name


def test_ence_equals_a_loop_and_the_number_of_bins_is_a_knob():
    y, predicted = sample(403, wrong=1.7)
    table = sorted(rows(y, predicted), key=lambda row: row[2])
    for bins in (15, 4):
        gaps = []
        for part in np.array_split(np.array(table), bins):
            rmv = np.mean(part[:, 2] ** 2) ** 0.5
            gaps.append(abs(rmv - np.mean((part[:, 0] - part[:, 1]) ** 2) ** 0.5) / rmv)
        assert numbers(predicted, y, bins=bins)["ence"] == pytest.approx(np.mean(gaps), rel=1e-9)


@pytest.mark.parametrize("wrong", [0.3, 1.0, 1.2, 4.0])
@pytest.mark.parametrize("n", [7, 3000])
def test_calibration_equals_uncertainty_toolbox(n, wrong):
    toolbox = pytest.importorskip("uncertainty_toolbox", reason="compares with uncertainty-toolbox: pip install it")
    y, predicted = sample(n, wrong=wrong)
    mean, std, truth = (v.double().flatten().numpy() for v in (predicted["mean"], predicted["std"], y))
    expected = toolbox.metrics_calibration.miscalibration_area(mean, std, truth)
    assert numbers(predicted, y)["miscalibration_area"] == pytest.approx(expected, abs=1e-6)
    crps = toolbox.metrics_scoring_rule.crps_gaussian(mean, std, truth)
    assert numbers(predicted, y)["crps"] == pytest.approx(crps, rel=2e-4)
    given = predicted | {"distribution": Normal(predicted["mean"], predicted["std"])}  # in float32
    assert numbers(given, y)["miscalibration_area"] == pytest.approx(expected, abs=1e-3)


def test_a_lopsided_curve_crosses_the_diagonal_in_two_triangles():
    """Half of y at the very middle, half far out: the curve is 0.5 throughout, the area 2 triangles of 1/8."""
    predicted = {"mean": torch.zeros(10, 1), "std": torch.ones(10, 1)}
    y = torch.tensor([0.0, 50.0] * 5)[:, None]
    assert numbers(predicted, y)["miscalibration_area"] == pytest.approx(0.25, abs=0.006)  # the last level is 1 of 1


@pytest.mark.parametrize("z", [0.0, 0.01, 0.5, -1.0, 2.0, -5.0, 30.0])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_crps_equals_the_closed_form_of_normal_and_laplace(z, scale):
    y = torch.tensor([[z * scale]], dtype=torch.float64)
    mean, std = torch.zeros_like(y), torch.full_like(y, scale)
    normal = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi)
    laplace = abs(z) + math.exp(-abs(z)) - 0.75
    for family, expected in ((Normal, normal), (Laplace, laplace)):
        predicted = {"mean": mean, "std": std, "distribution": family(mean, std)}
        assert numbers(predicted, y)["crps"] == pytest.approx(scale * expected, rel=2e-4)


class Heavy(Distribution):
    """Student's t by scipy: heavy tails, float64."""

    def __init__(self, df):
        super().__init__(validate_args=False)
        self.distribution = stats.t(df)

    def cdf(self, y):
        return torch.as_tensor(self.distribution.cdf(y.numpy()))

    def icdf(self, p):
        return torch.as_tensor(self.distribution.ppf(p.numpy()))

    def log_prob(self, y):
        return torch.as_tensor(self.distribution.logpdf(y.numpy()))


@pytest.mark.parametrize("y", [0.0, 1.0, -6.0])
def test_crps_of_heavy_tails_equals_its_definition(y):
    distribution = stats.t(3)
    low = integrate.quad(lambda z: distribution.cdf(z) ** 2, -math.inf, y)[0]
    high = integrate.quad(lambda z: distribution.sf(z) ** 2, y, math.inf)[0]
    y = torch.tensor([[y]], dtype=torch.float64)
    predicted = {"mean": torch.zeros_like(y), "std": torch.full_like(y, 3**0.5), "distribution": Heavy(3)}
    assert numbers(predicted, y)["crps"] == pytest.approx(low + high, rel=1e-3)


def test_crps_is_the_same_in_chunks_and_the_distribution_s_own_is_preferred(monkeypatch):
    y, predicted = sample()
    whole = numbers(predicted, y)["crps"]
    monkeypatch.setattr("dlthink.metrics.reals.forecast.CHUNK", 1000)
    assert numbers(predicted, y)["crps"] == pytest.approx(whole, rel=1e-12)

    class Own(Normal):
        def crps(self, value):
            return torch.full_like(value, 7.0)

    assert numbers(predicted | {"distribution": Own(predicted["mean"], predicted["std"])}, y)["crps"] == 7


def test_the_given_distribution_is_the_one_that_is_scored():
    y, predicted = sample()
    scale = predicted["std"] / 2**0.5
    made = numbers(predicted | {"distribution": Laplace(predicted["mean"], scale)}, y)
    distribution = stats.laplace(predicted["mean"].double().numpy(), scale.double().numpy())
    assert made["nll"] == pytest.approx(-distribution.logpdf(y.double().numpy()).mean(), rel=1e-5)
    low, high = distribution.ppf(0.05), distribution.ppf(0.95)
    assert made["coverage_90"] == pytest.approx(((low <= y.numpy()) & (y.numpy() <= high)).mean(), abs=1e-9)
    assert made["width_90"] == pytest.approx((high - low).mean(), rel=1e-5)
    plain = numbers(predicted, y)
    for name in set(NAMES) - NEED_A_DISTRIBUTION - {"crps"}:  # they ask for mean and std alone
        assert made[name] == plain[name]


def test_the_ends_of_an_interval_are_in_it():
    y = torch.arange(6.0)[:, None]
    made = numbers({"mean": y, "std": torch.zeros_like(y)}, y)
    assert all(made[f"coverage_{q}"] == 1 for q in (50, 80, 90, 95))


def test_a_true_normal_is_calibrated():
    made = numbers(*reversed(sample(20000)))
    assert made["miscalibration_area"] < 0.01
    for q in (50, 80, 90, 95):
        assert made[f"coverage_{q}"] == pytest.approx(q / 100, abs=0.01)


def test_a_formula_that_a_family_does_not_have_is_integrated_and_without_a_variance_nan():
    y, predicted = sample()
    made = numbers(predicted | {"distribution": StudentT(5.0, predicted["mean"], predicted["std"])}, y)
    own_law = OwnStudentT(torch.tensor(5.0), predicted["mean"], predicted["std"])
    own = numbers(predicted | {"distribution": own_law}, y)
    for name in NEED_A_DISTRIBUTION | {"crps"}:
        assert made[name] == pytest.approx(own[name], rel=2e-3, abs=5e-3), name
    made = numbers(predicted | {"distribution": StudentT(1.5, predicted["mean"], predicted["std"])}, y)
    assert {n for n in NAMES if math.isnan(made[n])} == NEED_A_DISTRIBUTION - {"nll"} | {"crps"}


def test_targets_that_are_never_below_zero_and_predicted_there_are_told():
    y = torch.rand(200, 2) + 0.01
    wide = {"mean": y, "std": torch.full_like(y, 1.0)}
    first, second = Reals("s", target_names=["a", "b"]).suggestions(wide, y, {})
    assert "target a is never below 0, and as predicted 6" in first and "target b" in second
    assert first.endswith("try loss=lognormal, loss=gamma, loss=quantile")
    zero = torch.cat((y[1:], torch.zeros(1, 2)))
    assert Reals("s", target_names=["a", "b"]).suggestions(wide, zero, {})[0].endswith("would be; try loss=quantile")
    narrow, mean = {"mean": y, "std": torch.full_like(y, 0.01)}, {"mean": y - 5}
    assert Reals().suggestions(narrow, y, {}) == Reals().suggestions(mean, y, {}) == []
    assert Reals().suggestions(wide, torch.cat((y[1:], y[:1] - 5)), {}) == []


def test_a_mean_alone_has_its_errors_and_nothing_of_a_spread():
    y, predicted = sample()
    made = numbers({"mean": predicted["mean"]}, y)
    assert list(made) == NAMES
    assert {n for n in NAMES if math.isnan(made[n])} == NEED_A_DISTRIBUTION | {"ence", "sharpness", "spearman"}
    for name in ("crps", "aurc", "mae_top_10", "mae_top_90"):
        assert made[name] == pytest.approx(made["mae"], rel=1e-12)


def test_one_spread_for_all_ranks_nothing():
    y, predicted = sample()
    made = numbers(predicted | {"std": torch.full_like(y, 2.0)}, y)
    assert math.isnan(made["spearman"])
    for name in ("aurc", "mae_top_10", "mae_top_50", "mae_top_80", "mae_top_90"):
        assert made[name] == pytest.approx(made["mae"], rel=1e-12)


def test_the_order_of_rows_does_not_matter_even_where_spreads_are_equal():
    y, predicted = sample(1000)
    predicted["std"] = predicted["std"].round(decimals=0).clamp(min=0.5)  # a few values, many ties
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(1))
    mixed = numbers({name: value[order] for name, value in predicted.items()}, y[order])
    assert mixed == pytest.approx(numbers(predicted, y), rel=1e-10)


def test_ties_take_the_mean_of_all_their_orders():
    error, std = torch.tensor([1.0, 5.0, 3.0, 7.0]).double(), torch.tensor([2.0, 1.0, 2.0, 2.0]).double()
    orders = [(5, a, b, c) for a, b, c in ((1, 3, 7), (1, 7, 3), (3, 1, 7), (3, 7, 1), (7, 1, 3), (7, 3, 1))]
    expected = [np.mean([np.mean(order[:k]) for order in orders]) for k in range(1, 5)]
    assert risk(error, std).tolist() == pytest.approx(expected)


def test_a_row_without_a_spread_is_trusted_least():
    error, std = torch.tensor([1.0, 5.0, 3.0]).double(), torch.tensor([2.0, math.nan, 7.0]).double()
    assert risk(error, std).tolist() == pytest.approx([1, 2, 3])


def test_spearman_equals_scipy_with_ties():
    g = torch.Generator().manual_seed(0)
    a = torch.randint(0, 6, (300,), generator=g).double()
    b = (a + torch.randint(0, 9, (300,), generator=g)).double()
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, rel=1e-12)
    assert spearman(a, -a) == pytest.approx(-1)
    assert spearman(a.exp(), a) == pytest.approx(1)


def test_a_simulation_is_compared_with_its_truth():
    y, predicted = sample()
    truth = {"mean": predicted["mean"] + 3, "std": predicted["std"] ** 2}
    made = numbers(predicted, y, truth)
    assert list(made) == [*NAMES, "spread_spearman", "mean_rmse_to_truth"]
    assert made["spread_spearman"] == pytest.approx(1)
    assert made["mean_rmse_to_truth"] == pytest.approx(3, rel=1e-6)
    assert math.isnan(numbers({"mean": y}, y, truth)["spread_spearman"])


def test_parts_of_the_spread_are_told():
    y, predicted = sample()
    parts = {"aleatoric": torch.full_like(y, 3.0), "epistemic": torch.tensor([0.0, 2.0]).repeat(200)[:, None]}
    made = numbers(predicted | parts, y)
    assert made["aleatoric"] == pytest.approx(3)
    assert made["epistemic"] == pytest.approx(2**0.5)


def test_baselines_and_groups_get_the_same_numbers():
    y, predicted = sample(300, 2)
    _, other = sample(300, 2, seed=5)
    on = torch.arange(300) % 3 == 0
    truth = {
        "baselines": {"lookup": other, "flat": {"mean": other["mean"]}},
        "groups": {"on_carbon": on, "on_hetero": ~on, "on_nothing": torch.zeros(300, dtype=torch.bool)},
    }
    made = numbers(predicted, y, truth)
    assert {n: made[n] for n in NAMES} == numbers(predicted, y)
    assert {n: made[f"{n}_lookup"] for n in NAMES} == numbers(other, y)
    assert made["mae_flat"] == numbers(other, y)["mae"]
    assert "nll_flat" not in made
    for name, part in (("on_carbon", on), ("on_hetero", ~on)):
        cut = numbers({k: v[part] for k, v in predicted.items()}, y[part])
        assert {n: made[f"{n}_{name}"] for n in NAMES} == pytest.approx(cut, rel=1e-12)
        assert made[f"mae_{name}_lookup"] == pytest.approx(float((y - other["mean"])[part].abs().mean()), rel=1e-5)
    assert not [n for n in made if n.endswith("on_nothing") or n.startswith("rmse_on_carbon_")]


@pytest.mark.parametrize("predicted", [{"mean"}, {"mean", "std"}, {"mean", "std", "distribution"}])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows(n, predicted):
    y = torch.ones(n, 1)
    full = {"mean": 0 * y, "std": 2 * y, "distribution": Normal(0 * y, 2 * y) if n else Normal(0 * y, 2 * y + 1)}
    truth = {"mean": y, "std": y, "baselines": {"lookup": full}, "groups": {"all": torch.ones(n, dtype=torch.bool)}}
    made = numbers({name: full[name] for name in predicted}, y, truth)
    assert set(NAMES) <= set(made)
    if n:
        assert made["mae"] == made["mae_lookup"] == made["mae_all"] == 1
        assert math.isnan(made["spearman"])
    else:
        assert all(math.isnan(value) for value in made.values())


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, 1e-30, 1e30])
@pytest.mark.parametrize("name", ["mean", "std"])
def test_wild_predictions_are_never_an_exception(name, value):
    y, predicted = sample(30)
    predicted[name][3] = value
    predicted["distribution"] = Normal(predicted["mean"], predicted["std"], validate_args=False)
    assert set(numbers(predicted, y)) == set(NAMES)
    predicted.pop("distribution")
    assert set(numbers(predicted, y)) == set(NAMES)


def test_a_lost_prediction_is_not_averaged_away():
    y, predicted = sample(30)
    predicted["mean"][3] = math.nan
    made = numbers(predicted, y)
    for name in ("mae", "median_ae", "nll", "crps", "miscalibration_area", "coverage_90", "spearman", "aurc"):
        assert math.isnan(made[name]), name


def test_what_needs_a_gradient_is_read_all_the_same():
    y, predicted = sample(50)
    assert numbers({k: v.clone().requires_grad_() for k, v in predicted.items()}, y) == numbers(predicted, y)


def test_sums_are_in_double_precision():
    y, predicted = sample(200_000)
    error = y.double().numpy() - predicted["mean"].double().numpy()
    assert numbers({"mean": predicted["mean"]}, y)["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-12)
    assert Forecast(predicted, y).log_prob.dtype == torch.float64


# ------------------------------------------------------------------------------------------ what is far worse


def test_a_target_that_is_far_worse_than_its_mean_is_named():
    y, predicted = sample(t=3)
    predicted["mean"][7, 1] += 1e4
    (line,) = Reals("ppm").remarks(predicted, y, {})
    assert "target 1" in line and "RMSE 500" in line and "trainer.l2" in line and "\n" not in line
    (line,) = Reals("ppm").remarks({"mean": predicted["mean"][:, 1:2]}, y[:, 1:2], {})
    assert "the estimate" in line


def test_a_mean_of_the_wrong_sign_is_far_worse_and_a_poor_one_is_not():
    """A read of the wrong sign has errors of up to twice the spread, never more: sqrt(1 + 3 R^2) of it."""
    y = torch.linspace(-3, 3, 200)[:, None]
    assert "far worse" in Reals().remarks({"mean": -y}, y, {})[0]
    for share, told in ((0.55, True), (0.45, False)):  # an RMSE of 1.55 and 1.45 spreads
        assert bool(Reals().remarks({"mean": -share * y}, y, {})) == told


def test_a_spread_far_too_small_is_named_and_a_good_one_is_not():
    y, predicted = sample()
    assert Reals("ppm").remarks(predicted, y, {}) == Reals("ppm").remarks({"mean": predicted["mean"]}, y, {}) == []
    (line,) = Reals("ppm").remarks(predicted | {"std": 1e-2 * predicted["std"]}, y, {})
    assert "spread" in line and "calibrate" in line


def test_what_cannot_be_examined_is_told_and_a_spread_that_is_not_finite_yet_is_none_of_it():
    y, predicted = torch.zeros(4, 2), {"mean": torch.zeros(4, 2), "std": torch.full((4, 2), math.inf)}
    assert Reals().misfit(predicted, y) is None
    assert "mean is not finite in 8 of 8" in Reals().misfit({"mean": predicted["std"]}, y)
    for shape in ((2, 4), (4, 1)):
        assert f"mean has the shape {list(shape)}" in Reals().misfit({"mean": torch.zeros(shape)}, y)

    class Turned(Normal):
        def log_prob(self, value):
            return super().log_prob(value).T

    turned = predicted | {"distribution": Turned(torch.zeros(4, 2), 1.0)}
    assert "log_prob(y) has the shape [2, 4] where [4, 2]" in Reals().misfit(turned, y)


def test_far_worse_begins_where_it_is_said_and_of_ten_rows_on():
    y = torch.tensor([1.0, -1.0] * 5)[:, None]  # a standard deviation of 1, over n; by itself 1.42 nats
    assert "far worse" in Reals().remarks({"mean": y - 1.55}, y, {})[0]
    assert Reals().remarks({"mean": y - 1.45}, y, {}) == Reals().remarks({"mean": y[:9] - 1.55}, y[:9], {}) == []
    for spread, told in ((0.37, True), (0.39, False)):  # 3.58 and 3.27 nats
        assert bool(Reals().remarks({"mean": 0 * y, "std": spread + 0 * y}, y, {})) == told


def test_a_constant_guess_is_never_far_worse():
    y, _ = sample(t=2)
    constant = {"mean": y.mean(0).expand_as(y), "std": y.std(0).expand_as(y)}
    assert Reals("ppm").remarks(constant, y, {}) == []
    assert Reals("ppm").remarks({"mean": torch.zeros(3, 1)}, torch.ones(3, 1), {}) == []
    assert Reals("ppm").remarks({"mean": torch.zeros(30, 1)}, torch.ones(30, 1), {}) == []


def test_no_row_is_one_too_many(monkeypatch):
    """torch's quantile ends at 16.7 million values: neither numbers nor figures may ask for it."""

    def ends(*_, **__):
        raise RuntimeError("quantile() input tensor is too large")

    for place, name in ((torch, "quantile"), (torch, "nanquantile"), (torch.Tensor, "quantile")):
        monkeypatch.setattr(place, name, ends)
    y, predicted = sample()
    distance = (y - predicted["mean"]).abs().double().numpy()
    assert numbers(predicted, y)["median_ae"] == pytest.approx(np.median(distance))
    assert set(Reals("ppm").figures(predicted, y, {})) == {"measured", "calibration", "risk_coverage", "residuals"}
    counts = torch.poisson(torch.full((50, 3), 2.0))
    assert math.isfinite(
        Counts(["a", "b", "c"], bin=0.05).numbers({"rate": counts + 0.5}, counts, {})["bits_per_spike_median"]
    )
