"""What the figures of real numbers show is what was predicted and measured, and nothing breaks at the edges."""

import math

import matplotlib
import numpy as np
import pytest
import torch
from scipy import stats

from dlthink.metrics.reals import figures as draw
from dlthink.metrics.reals.metrics import Reals

FIGURES = ["measured", "calibration", "risk_coverage", "residuals"]


def sample(n=900, seed=0):
    g = torch.Generator().manual_seed(seed)
    mean = 100 + 40 * torch.randn(n, 1, generator=g)
    std = torch.exp(0.8 * torch.randn(n, 1, generator=g))
    return mean + std * torch.randn(n, 1, generator=g), {"mean": mean, "std": std}


def figures(predicted, y, truth=None):
    made = Reals("ppm").figures(predicted, y, truth or {})
    assert list(made) == FIGURES
    return made


def drawable(made):
    for figure in made.values():
        figure.draw_without_rendering()  # all but the pixels, which take half of the time


def words(figure):
    """All that is written in it."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def line(figure, label):
    return next(line for line in figure.axes[0].lines if line.get_label().startswith(label))


def test_four_figures_that_can_be_drawn_with_and_without_a_baseline():
    y, predicted = sample(90)
    drawable(figures(predicted, y))
    drawable(figures(predicted, y, {"baselines": {"lookup": sample(90, seed=1)[1]}}))


def test_measured_shows_the_least_certain_on_top():
    y, predicted = sample()
    ax = figures(predicted, y)["measured"].axes[0]
    order = predicted["std"][:, 0].argsort()
    expected = torch.stack([y[order, 0], predicted["mean"][order, 0]], 1).double()
    torch.testing.assert_close(torch.as_tensor(np.asarray(ax.collections[0].get_offsets())), expected)
    assert ax.collections[0].get_array().tolist() == pytest.approx(predicted["std"][order, 0].tolist())
    assert "ppm" in ax.get_xlabel()
    assert f"{float((y - predicted['mean']).abs().mean()):.3g} ppm" in ax.get_title(loc="left")


def test_measured_holds_no_more_points_than_can_be_seen():
    y, predicted = sample(9000)
    figure = figures(predicted, y)["measured"]
    assert len(figure.axes[0].collections[0].get_offsets()) == draw.MOST_POINTS
    assert "4,000 of 9,000 shown" in words(figure)


def test_a_wild_prediction_leaves_the_picture_and_is_told():
    y, predicted = sample()
    predicted["mean"][5], predicted["mean"][6], predicted["mean"][7] = 1e30, math.nan, -math.inf
    made = figures(predicted, y)
    drawable(made)
    assert made["measured"].axes[0].get_xlim()[1] < 2 * float(y.max())
    assert "1 predicted beyond this picture" in words(made["measured"])
    assert "2 not finite, left out" in words(made["measured"])
    assert "not finite, left out" in words(made["residuals"])


def test_calibration_is_the_share_inside_each_interval():
    y, predicted = sample()
    _, other = sample(seed=1)
    figure = figures(predicted, y, {"baselines": {"lookup": other}})["calibration"]
    for label, shown in (("predicted", predicted), ("lookup", other)):
        curve = line(figure, label)
        depth = np.abs(2 * stats.norm.cdf(y.double(), shown["mean"].double(), shown["std"].double()) - 1)
        expected = [(depth <= p).mean() for p in np.asarray(curve.get_xdata())]
        assert curve.get_ydata().tolist() == pytest.approx(expected)
    area = Reals().numbers(predicted, y, {})["miscalibration_area"]
    assert f"area {area:.3f}" in line(figure, "predicted").get_label()


def test_risk_coverage_lies_between_the_oracle_and_chance():
    y, predicted = sample()
    figure = figures(predicted, y, {"baselines": {"lookup": sample(seed=1)[1]}})["risk_coverage"]
    size = (y - predicted["mean"]).abs()[:, 0].double().numpy()
    for label, order in (("predicted", np.argsort(predicted["std"][:, 0].numpy())), ("oracle", np.argsort(size))):
        curve = line(figure, label)
        ks = np.round(np.asarray(curve.get_xdata()) * len(y) / 100).astype(int)
        assert curve.get_ydata().tolist() == pytest.approx([size[order[:k]].mean() for k in ks], rel=1e-5)
        assert ks[-1] == len(y)
    assert line(figure, "random").get_ydata().tolist() == pytest.approx([size.mean()] * 300, rel=1e-5)
    assert line(figure, "lookup").get_ydata()[-1] > 10
    assert f"{Reals().numbers(predicted, y, {})['aurc']:.3g}" in line(figure, "predicted").get_label()


def test_a_line_far_above_sets_no_scale():
    y, predicted = sample()
    far = {"mean": predicted["mean"] + 1000, "std": predicted["std"]}
    ax = figures(predicted, y, {"baselines": {"constant": far}})["risk_coverage"].axes[0]
    assert ax.get_ylim()[1] < 100 and line(ax.figure, "constant").get_label().endswith("(above)")
    near = figures(predicted, y)["risk_coverage"].axes[0]
    assert ax.get_ylim() == near.get_ylim()


def test_residuals_are_a_density_and_tails_are_counted():
    y, predicted = sample(2000)
    y[:20] = predicted["mean"][:20] + 7 * predicted["std"][:20]
    figure = figures(predicted, y)["residuals"]
    bars = figure.axes[0].patches[0].get_data()
    assert float((bars.values * np.diff(bars.edges)).sum()) == pytest.approx(1)
    z = ((y - predicted["mean"]) / predicted["std"]).abs()
    assert f"beyond ±3: {100 * float((z > 3).double().mean()):.2g} %" in words(figure)
    assert "beyond ±6: 1 %" in words(figure)


def test_a_mean_alone_says_so():
    y, predicted = sample()
    made = figures({"mean": predicted["mean"]}, y)
    drawable(made)
    assert "no spread was predicted" in words(made["calibration"])
    assert "RMSE" in made["residuals"].axes[0].get_xlabel()
    assert len(made["measured"].axes) == 1  # no colour bar


@pytest.mark.slow
@pytest.mark.parametrize("std", [2.0, 0.0, math.nan, math.inf])
@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_few_rows_and_one_spread_for_all(n, std):
    y = torch.arange(n, dtype=torch.float32)[:, None]
    predicted = {"mean": y + 1, "std": torch.full_like(y, std)}
    drawable(figures(predicted, y, {"baselines": {"lookup": {"mean": y, "std": torch.ones_like(y)}}}))


@pytest.mark.parametrize("n", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 40))])
def test_few_rows_of_a_mean_alone(n):
    y = torch.arange(n, dtype=torch.float32)[:, None]
    drawable(figures({"mean": y}, y))


def test_a_constant_y_and_a_perfect_prediction():
    y = torch.full((30, 1), 7.0)
    drawable(figures({"mean": y, "std": torch.ones_like(y)}, y))


def test_the_style_stays_inside():
    before = dict(matplotlib.rcParams)
    figures(*reversed(sample()))
    assert dict(matplotlib.rcParams) == before
