"""What the figures of counts show is what was predicted and counted, and nothing breaks at the edges."""

import math

import matplotlib
import pytest
import torch

from dlthink.metrics.counts import figures as draw
from dlthink.metrics.counts.metrics import Counts

BIN = 0.05


def sample(n=900, units=7, seed=0):
    g = torch.Generator().manual_seed(seed)
    true = torch.exp(torch.linspace(0.2, 1.0, units) * torch.randn(n, units, generator=g))
    return true, torch.poisson(true, generator=g), true * torch.exp(0.2 * torch.randn(n, units, generator=g))


def figures(y, predicted, truth, bin=BIN):
    return Counts([f"n{unit}" for unit in range(y.shape[1])], bin).figures({"rate": predicted}, y, truth)


def drawable(figure):
    figure.draw_without_rendering()  # all but the pixels, which take half of the time


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


@pytest.mark.parametrize("known", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_three_figures_that_can_be_drawn(known):
    true, y, predicted = sample()
    made = figures(y, predicted, {"rate": true} if known else {})
    assert list(made) == ["rate", "calibration", "bits_per_spike"]
    for figure in made.values():
        drawable(figure)


def test_rate_shows_the_best_the_median_and_the_worst_unit_in_spikes_per_second():
    true, y, predicted = sample()
    bits = Counts([""] * 7, BIN).per_unit({"rate": predicted}, y)["bits_per_spike"]
    order = bits.argsort(descending=True).tolist()
    figure = figures(y, predicted, {"rate": true})["rate"]
    chosen = [order[0], order[3], order[6]]
    for title, word, unit in zip(titles(figure), ("best", "median", "worst"), chosen, strict=True):
        assert word in title
        assert f"n{unit} " in title
        assert f"{float(bits[unit]):.2f}" in title
    for ax, unit in zip(figure.axes, chosen, strict=True):
        truth, prediction = (line.get_ydata() for line in ax.lines)
        bars = ax.patches[0].get_data()
        assert len(prediction) == round(draw.SECONDS / BIN)
        start = round(bars.edges[0] / BIN)
        stretch = slice(start, start + len(prediction))
        torch.testing.assert_close(torch.as_tensor(prediction), predicted[stretch, unit].double() / BIN)
        torch.testing.assert_close(torch.as_tensor(truth), true[stretch, unit].double() / BIN)
        torch.testing.assert_close(torch.as_tensor(bars.values), y[stretch, unit].double() / BIN)


def test_a_lone_spike_leaves_the_picture_and_a_burst_stays_in_it():
    y, predicted = torch.zeros(100, 2), torch.full((100, 2), 0.05)
    y[50, 0] = 1
    y[40:60, 1] = 6  # far above the prediction, which must show
    axes = {ax.get_title(loc="left"): ax for ax in figures(y, predicted, {})["rate"].axes}
    lone, burst = (next(ax for title, ax in axes.items() if f"n{unit} " in title) for unit in (0, 1))
    assert lone.get_ylim()[1] < 1 / BIN
    assert burst.get_ylim()[1] > 6 / BIN


def test_rate_never_crosses_a_gap_in_time():
    _, y, predicted = sample()
    time = torch.arange(900, dtype=torch.float64) * BIN
    time[300:] += 40
    time[750:] += 40
    y[290:310] += 50  # the liveliest stretch of all lies across the gap
    ax = figures(y, predicted, {"time": time})["rate"].axes[0]
    shown = torch.as_tensor(ax.lines[0].get_xdata())
    assert len(shown) == 400
    torch.testing.assert_close(shown.diff(), torch.full((399,), BIN, dtype=torch.float64))
    assert shown[0] >= time[300]


def test_blocks_shorter_than_a_stretch_are_shown_in_part():
    _, y, predicted = sample()
    time = torch.arange(900, dtype=torch.float64) * BIN
    time += torch.arange(900).div(110, rounding_mode="floor") * 5
    shown = torch.as_tensor(figures(y, predicted, {"time": time})["rate"].axes[0].lines[0].get_xdata())
    assert len(shown) == 100
    assert shown.diff().max() < 1.01 * BIN


def test_short_bins_show_fewer_seconds():
    _, y, predicted = sample()
    assert len(figures(y, predicted, {}, bin=0.001)["rate"].axes[0].lines[0].get_xdata()) == draw.MOST_BINS


def test_calibration_points_are_group_means():
    _, y, predicted = sample()
    figure = figures(y, predicted, {})["calibration"]
    pairs = sorted(zip(predicted.flatten().tolist(), y.flatten().tolist(), strict=True))
    size = len(pairs) // draw.GROUPS
    points = figure.axes[0].containers[0].lines[0]
    for group, (x, height) in enumerate(zip(points.get_xdata(), points.get_ydata(), strict=True)):
        mine = pairs[group * size : (group + 1) * size]
        assert x == pytest.approx(sum(p for p, _ in mine) / size / BIN)
        assert height == pytest.approx(sum(k for _, k in mine) / size / BIN)


def test_bits_per_spike_is_a_sorted_bar_for_each_unit_that_fires():
    true, y, predicted = sample()
    y[:, 4] = 0
    figure = figures(y, predicted, {"rate": true})["bits_per_spike"]
    ax = figure.axes[0]
    heights = [bar.get_height() for bar in ax.patches]
    bits = Counts([""] * 7, BIN).per_unit({"rate": predicted}, y)["bits_per_spike"]
    assert heights == pytest.approx(sorted(bits[bits.isfinite()].tolist(), reverse=True))
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == [f"n{unit}" for unit in bits.nan_to_num(-9).argsort(descending=True)[:-1].tolist()]
    assert "1 silent" in titles(figure)[0]
    marks = ax.collections[0].get_segments()
    oracle = Counts([""] * 7, BIN).per_unit({"rate": true}, y)["bits_per_spike"]
    assert [m[0][1] for m in marks] == pytest.approx([float(oracle[int(name[1:])]) for name in names])


@pytest.mark.parametrize(
    "units", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow), 70]
)
def test_any_number_of_units(units):
    true, y, predicted = sample(units=units)
    made = figures(y, predicted, {"rate": true})
    assert len(made["rate"].axes) == min(units, 3)
    for figure in made.values():
        drawable(figure)


@pytest.mark.parametrize("n", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_few_bins_and_no_spike_at_all(n):
    for figure in figures(torch.zeros(n, 3), torch.zeros(n, 3), {"rate": torch.zeros(n, 3)}).values():
        drawable(figure)


def test_the_style_stays_inside():
    before = dict(matplotlib.rcParams)
    figures(*sample()[1:], {})
    assert dict(matplotlib.rcParams) == before


def test_a_unit_that_blows_up_does_not_hide_the_others():
    _, y, predicted = sample()
    predicted[5, 2] = 1e6
    ax = figures(y, predicted, {})["bits_per_spike"].axes[0]
    low, high = ax.get_ylim()
    assert -10 < low < 0 < high < 2


@pytest.mark.slow
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e38])
@pytest.mark.parametrize("where", ["one bin", "one unit", "all"])
def test_predictions_that_are_not_finite_are_no_end_of_a_run(value, where):
    _, y, predicted = sample(units=3)
    y[:, 2] = 0
    rows, units = {"one bin": (slice(7, 8), 0), "one unit": (slice(None), 0), "all": (slice(None), slice(None))}[where]
    predicted[rows, units] = value
    made = figures(y, predicted, {})
    for figure in made.values():
        drawable(figure)
    if value == math.inf or math.isnan(value):
        words = {title.split(" · ")[0]: title for title in titles(made["rate"])}
        assert "-inf bits/spike" in words["worst"] and (where == "all" or "unit n0 " in words["worst"])
        assert "1 silent" in titles(made["bits_per_spike"])[0]  # and not the one that has no finite rate
        lost = predicted.numel() - int(predicted.isfinite().sum())
        assert f"{lost:,} not finite left out" in made["calibration"].axes[0].texts[0].get_text()
