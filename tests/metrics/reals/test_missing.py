"""Values that nobody has measured, nan in y: they count nowhere."""

import math

import numpy as np
import pytest
import torch

from dlthink.metrics.reals.metrics import Reals
from tests.losses.reals.made_outputs import COSTS, build
from tests.losses.reals.made_outputs import sample as outputs
from tests.metrics.reals.test_several_targets import APART, EACH, NAMES, cut, sample


def with_gaps(y):
    y = y.clone()
    y[::3, 0] = y[1::4, 1] = y[5] = math.nan
    return y


def rows_of(predicted, on):
    return {name: value[on] for name, value in predicted.items()}


def test_each_target_has_the_numbers_of_its_known_rows():
    y, predicted = sample()
    y = with_gaps(y)
    baselines = {"other": {"mean": predicted["mean"] + 1, "std": predicted["std"]}}
    made = Reals(**APART).numbers(predicted, y, {"baselines": baselines})
    for place, name in enumerate(NAMES):
        on = ~y[:, place].isnan()
        alone = Reals().numbers(cut(rows_of(predicted, on), place), y[on, place : place + 1], {})
        assert {k: made[f"{k}_{name}"] for k in EACH} == pytest.approx({k: alone[k] for k in EACH}, rel=1e-9)
        other = Reals().numbers(cut(rows_of(baselines["other"], on), place), y[on, place : place + 1], {})
        assert made[f"mae_{name}_other"] == pytest.approx(other["mae"], rel=1e-9)
    assert all(map(math.isfinite, made.values()))


def test_the_whole_is_the_mean_over_all_known_values():
    y, predicted = sample()
    y, unit = with_gaps(y), Reals("cm", target_names=NAMES)
    made = unit.numbers(predicted, y, {"groups": {"first": torch.arange(len(y)) < 100}})
    error = (y - predicted["mean"]).abs().double().numpy()
    assert made["mae"] == pytest.approx(np.nanmean(error), rel=1e-6)
    assert made["mae_first"] == pytest.approx(np.nanmean(error[:100]), rel=1e-6)
    items = unit.item_scores(predicted, y, {})
    assert len(items["item"]) == int((~y.isnan()).any(1).sum()) < len(y)
    assert np.average(items["mae"], weights=items["weight"]) == pytest.approx(made["mae"], rel=1e-9)


@pytest.mark.parametrize("name", list(COSTS))
@pytest.mark.parametrize("members", [None, pytest.param(3, marks=pytest.mark.slow)])
def test_whatever_a_cost_reads_out(name, members):
    loss = build(name, dtype=torch.float32, calibrate="isotonic")
    out, y = outputs(loss, 60, members)
    gaps = with_gaps(y)
    loss.fit_on_validation(0.1 * out, gaps)
    predicted, examination = loss.predict(0.1 * out), Reals("ppm", target_names=NAMES)
    made, complete = examination.numbers(predicted, gaps, {}), examination.numbers(predicted, y, {})
    assert made.keys() == complete.keys()
    assert {k for k, v in made.items() if math.isnan(v)} == {k for k, v in complete.items() if math.isnan(v)}
    assert made["crps"] != complete["crps"]


def test_remarks_are_on_what_is_known():
    y, predicted = sample()
    assert not Reals(**APART).remarks(predicted, with_gaps(y), {})
    predicted["mean"] = predicted["mean"] + torch.tensor([0.0, 50.0])
    (line,) = Reals(**APART).remarks(predicted, with_gaps(y), {})
    assert "target speed is far worse than a guess" in line


def test_a_target_of_which_this_split_knows_nothing():
    y, predicted = sample()
    y[:, 1] = math.nan
    made = Reals(**APART).numbers(predicted, y, {})
    assert math.isfinite(made["mae_place"]) and math.isnan(made["mae_speed"])
    assert math.isfinite(made["crps_standardized"])
    assert set(Reals(**APART).figures(predicted, y, {})) == {"measured", "calibration", "risk_coverage", "residuals"}


def test_figures_say_nothing_of_what_is_missing():
    y, predicted = sample()
    figures = Reals("cm", target_names=NAMES).figures(predicted, with_gaps(y), {})
    assert not [
        text.get_text()
        for text in figures["measured"].findobj(lambda o: hasattr(o, "get_text"))
        if "not finite" in text.get_text()
    ]
