"""Several targets, each by its name; different units are never put into one mean. R2 as scikit-learn has it."""

import math

import pytest
import torch
from scipy import stats
from sklearn.metrics import r2_score

from dlthink.errors import BadInput
from dlthink.metrics.reals.metrics import Reals

EACH = ("mae", "rmse", "r2", "nll", "crps", "coverage_90", "width_90")
WHOLE = ["crps_standardized", "nll_standardized", "r2", "miscalibration_area"]
WHOLE += ["coverage_50", "coverage_80", "coverage_90", "coverage_95", "ence", "spearman"]
NAMES, UNITS, STD = ["place", "speed"], ["cm", "cm/s"], [40.0, 3.0]
APART = {"unit": UNITS, "target_names": NAMES, "target_std": STD}


def sample(n=211, seed=0):
    """A place of large numbers, known well, and a speed of small ones, known badly and said to be known well."""
    g = torch.Generator().manual_seed(seed)
    mean = torch.tensor([100.0, 5.0]) + torch.tensor(STD) * torch.randn(n, 2, generator=g)
    std = torch.tensor([4.0, 2.0]) * torch.exp(0.3 * torch.randn(n, 2, generator=g))
    y = mean + torch.tensor([1.0, 2.5]) * std * torch.randn(n, 2, generator=g)
    return y, {"mean": mean, "std": std}


def cut(predicted, target):
    return {name: value[:, target : target + 1] for name, value in predicted.items()}


def test_r2_equals_sklearn_for_one_and_for_many():
    y, predicted = sample()
    expected = r2_score(y.double(), predicted["mean"].double(), multioutput="raw_values")
    assert Reals().numbers(predicted, y, {})["r2"] == pytest.approx(expected.mean(), rel=1e-9)
    assert Reals().numbers(cut(predicted, 1), y[:, 1:], {})["r2"] == pytest.approx(expected[1], rel=1e-9)
    made = Reals(**APART).numbers(predicted, y, {})
    assert [made["r2_place"], made["r2_speed"], made["r2"]] == pytest.approx([*expected, expected.mean()], rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 7.0])
def test_r2_of_a_target_that_never_changes_is_nan(value):
    y, predicted = sample()
    y[:, 0] = value
    made = Reals(**APART).numbers(predicted, y, {})
    assert math.isnan(made["r2"]) and math.isnan(made["r2_place"]) and math.isfinite(made["r2_speed"])


def test_each_target_has_the_numbers_that_it_would_have_alone():
    y, predicted = sample()
    for examination in (Reals(**APART), Reals("cm", target_names=NAMES)):
        made = examination.numbers(predicted, y, {})
        for place, name in enumerate(NAMES):
            alone = Reals().numbers(cut(predicted, place), y[:, place : place + 1], {})
            assert {k: made[f"{k}_{name}"] for k in EACH} == pytest.approx({k: alone[k] for k in EACH}, rel=1e-9)


def test_names_add_numbers_and_change_none():
    y, predicted = sample()
    plain, named = (Reals("cm", target_names=names).numbers(predicted, y, {}) for names in (None, NAMES))
    assert {name: named[name] for name in plain} == plain
    assert set(named) - set(plain) == {f"{number}_{name}" for number in EACH for name in NAMES}
    one = Reals("cm", target_names=["place"]).numbers(cut(predicted, 0), y[:, :1], {})
    assert one == Reals("cm").numbers(cut(predicted, 0), y[:, :1], {})


def test_of_different_units_all_together_have_only_numbers_without_a_unit():
    y, predicted = sample()
    examination = Reals(**APART)
    made = examination.numbers(predicted, y, {})
    assert list(made) == [*WHOLE, *(f"{number}_{name}" for name in NAMES for number in EACH)]
    assert examination.best == ("crps_standardized", "min") and Reals.best == ("crps", "min")
    rows = [
        (float(y[i, k]), float(predicted["mean"][i, k]), float(predicted["std"][i, k]), STD[k])
        for i in range(len(y))
        for k in range(2)
    ]
    z = [(a - m) / s for a, m, s, _ in rows]
    unit_crps = [w * math.erf(w / 2**0.5) + 2 * stats.norm.pdf(w) - math.pi**-0.5 for w in z]
    expected = {
        "crps_standardized": sum(c * s / u for c, (_, _, s, u) in zip(unit_crps, rows, strict=True)) / len(rows),
        "nll_standardized": -sum(stats.norm.logpdf(a / u, m / u, s / u) for a, m, s, u in rows) / len(rows),
        "coverage_90": sum(abs(w) <= stats.norm.ppf(0.95) for w in z) / len(rows),
        "spearman": stats.spearmanr([abs(a - m) / u for a, m, _, u in rows], [s / u for _, _, s, u in rows]).statistic,
    }
    for name, value in expected.items():
        assert made[name] == pytest.approx(value, rel=2e-4), name


@pytest.mark.parametrize("scale", [1e-3, 2.54, 1e4])
def test_the_whole_does_not_depend_on_the_units(scale):
    """Speed in other units, all of it: no number of the whole moves."""
    y, predicted = sample()
    units = torch.tensor([1.0, scale])
    moved = {name: units * value for name, value in predicted.items()}
    other = Reals(**APART | {"target_std": [STD[0], scale * STD[1]]})
    one, two = Reals(**APART).numbers(predicted, y, {}), other.numbers(moved, units * y, {})
    assert {name: two[name] for name in WHOLE} == pytest.approx({name: one[name] for name in WHOLE}, rel=1e-4)
    assert two["mae_speed"] == pytest.approx(scale * one["mae_speed"], rel=1e-4)


def test_units_that_nobody_knows_are_different_ones_and_equal_ones_are_one():
    y, predicted = sample()
    unknown = Reals(**APART | {"unit": ["", ""]}).numbers(predicted, y, {})
    assert "mae" not in unknown and "mae_place" in unknown
    equal = Reals(unit=["cm", "cm"], target_names=NAMES)
    assert equal.numbers(predicted, y, {})["mae"] == Reals("cm").numbers(predicted, y, {})["mae"]
    assert equal.best == ("crps", "min")


def test_baselines_groups_and_truth_follow():
    y, predicted = sample()
    _, other = sample(seed=3)
    on = torch.arange(len(y)) % 3 == 0
    known = {"baselines": {"linear": other}, "groups": {"at_rest": on}, "mean": y + torch.tensor([2.0, 3.0])}
    known["std"] = predicted["std"] ** 2
    parts = {"aleatoric": predicted["std"], "epistemic": predicted["std"]}
    made = Reals(**APART).numbers(predicted | parts, y, known)
    alone = Reals(**APART).numbers(other, y, {})
    assert {name: made[f"{name}_linear"] for name in alone} == alone
    part = Reals(**APART).numbers({name: value[on] for name, value in predicted.items()}, y[on], {})
    assert {name: made[f"{name}_at_rest"] for name in WHOLE} == pytest.approx({name: part[name] for name in WHOLE})
    apart = Reals(**APART).numbers({name: value[on] for name, value in other.items()}, y[on], {})
    assert made["crps_standardized_at_rest_linear"] == pytest.approx(apart["crps_standardized"])
    away = (predicted["mean"] - known["mean"]).double().square().mean(0).sqrt()
    assert [made["mean_rmse_to_truth_place"], made["mean_rmse_to_truth_speed"]] == pytest.approx(
        away.tolist(), rel=1e-6
    )
    assert made["aleatoric_speed"] == pytest.approx(
        float(predicted["std"][:, 1].double().square().mean().sqrt()), rel=1e-6
    )
    assert not {"mae", "rmse", "crps", "aleatoric", "epistemic", "mean_rmse_to_truth"} & set(made)
    assert not [name for name in made if name.startswith(("mae_at_rest", "width_90_at_rest"))]


def test_a_mean_alone_and_no_rows():
    y, predicted = sample()
    made = Reals(**APART).numbers({"mean": predicted["mean"]}, y, {})
    error = (y - predicted["mean"]).abs().double() / torch.tensor(STD)
    assert made["crps_standardized"] == pytest.approx(float(error.mean()), rel=1e-6)
    assert math.isnan(made["nll_standardized"]) and math.isfinite(made["r2"])
    empty = Reals(**APART).numbers({name: value[:0] for name, value in predicted.items()}, y[:0], {})
    assert set(made) == set(empty) and all(math.isnan(value) for value in empty.values())


def test_a_target_called_like_a_number_of_the_whole_does_not_hide_it():
    y, predicted = sample()
    made = Reals(**APART | {"target_names": ["standardized", "speed"]}).numbers(predicted, y, {})
    assert made["crps_standardized"] == Reals(**APART).numbers(predicted, y, {})["crps_standardized"]


@pytest.mark.parametrize("lacking", ["target_names", "target_std"])
def test_different_units_need_names_and_spreads(lacking):
    with pytest.raises(BadInput, match="target_names and target_std"):
        Reals(**{name: value for name, value in APART.items() if name != lacking})
    with pytest.raises(BadInput, match="one for each"):
        Reals(**APART | {lacking: APART[lacking][:1]})


def test_a_wrong_number_of_names_is_told_before_training():
    y, predicted = sample()
    line = Reals("cm", target_names=["a", "b", "c"]).misfit(predicted, y)
    assert "2 targets" in line and "3 target_names" in line
    assert Reals(**APART).misfit(predicted, y) is None


def test_what_is_far_worse_is_called_by_name():
    y, predicted = sample()
    predicted["mean"][7, 1] += 1e4
    (line,) = Reals(**APART).remarks(predicted, y, {})
    assert line.startswith("target speed is far worse")


def test_figures_call_targets_by_name_and_give_each_its_unit():
    y, predicted = sample()
    made = Reals(**APART).figures(predicted, y, {"baselines": {"linear": predicted}})
    panels = [ax for ax in made["measured"].axes if ax.get_xlabel()]
    assert [ax.get_xlabel() for ax in panels] == ["place, measured (cm)", "speed, measured (cm/s)"]
    mae = float((y - predicted["mean"])[:, 1].abs().mean())
    assert panels[1].get_title(loc="left") == f"speed: is it right? · MAE {mae:.3g} cm/s"
    assert len(panels[0].collections[0].get_offsets()) == len(y)
    labels = made["calibration"].axes[0].get_legend_handles_labels()[1]
    assert [label.partition(" ")[0] for label in labels] == ["predicted", "linear", "place", "speed"]
    assert "training std" in made["risk_coverage"].axes[0].get_ylabel()
    for figure in made.values():
        figure.draw_without_rendering()


def test_of_many_targets_some_are_shown_and_the_figure_says_so():
    names = [f"unit {k}" for k in range(9)]
    y, predicted = torch.randn(20, 9), {"mean": torch.zeros(20, 9), "std": torch.ones(20, 9)}
    figure = Reals("mV", target_names=names).figures(predicted, y, {})["measured"]
    assert len([ax for ax in figure.axes if ax.get_xlabel()]) == 6
    assert "6 of 9 targets shown" in figure.get_supxlabel()
