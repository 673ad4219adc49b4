"""Figure of a comparison: every point, interval and mark where the numbers say."""

import numpy as np
import pytest
from scipy.stats import t

from dlthink.runs.compare.comparison import Comparison, find
from dlthink.runs.compare.comparison_figure import figure, shortened
from dlthink.runs.compare.ranking import Ranking
from tests.runs.conftest import SCORES

A, B, C = np.array([1.0, 1.2, 1.1]), np.array([0.1, 0.3, 0.2]), np.array([1.0, 1.25, 0.9])


@pytest.fixture
def drawing(runs, tmp_path):
    """Panels of three costs, each run's log score that of its items; a is best, b is far off, c is like a."""
    for seed in range(3):
        for name, values in ("a", A), ("b", B), ("c", C):
            runs(name, seed, values[seed] + np.zeros(5), mae=float(values[seed]))
    found, _ = find([tmp_path], "test")
    compared = Comparison(found, ["seed"])
    ranking = Ranking.of(compared, "log_score", "max")
    return figure(compared, ranking, ["log_score", "mae"], compared.labels(), SCORES), ranking


def lines(panel, row, marker):
    return [line for line in panel.lines if line.get_marker() == marker and line.get_ydata()[0] == row]


def test_best_on_top_with_means_intervals_and_runs(drawing):
    panel = drawing[0].axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["loss=a", "loss=c", "loss=b"]
    assert panel.get_ylim()[0] > panel.get_ylim()[1]  # row 0 is on top
    for row, values in enumerate((A, C, B)):
        (mean,), (runs,) = lines(panel, row, "o"), lines(panel, row, "|")
        (interval,) = [line for line in panel.lines if line.get_marker() == "None" and line.get_ydata()[0] == row]
        assert mean.get_xdata()[0] == pytest.approx(values.mean())
        assert sorted(runs.get_xdata()) == pytest.approx(sorted(values))
        assert interval.get_xdata() == pytest.approx(t.interval(0.95, 2, values.mean(), values.std(ddof=1) / 3**0.5))


def test_an_arrow_says_which_way_is_better(drawing):
    first, second, last = drawing[0].axes
    assert (first.get_xlabel(), second.get_xlabel()) == ("log_score  better →", "← better  mae")
    assert last.get_xlabel() == "log_score  better →\nminus that of loss=a"


def test_differences_are_filled_where_they_are_beyond_doubt(drawing):
    figure, ranking = drawing
    panel = figure.axes[-1]
    (reference,), (like,), (far,) = lines(panel, 0, "D"), lines(panel, 1, "o"), lines(panel, 2, "o")
    assert reference.get_xdata()[0] == 0
    assert far.get_xdata()[0] == pytest.approx((B - A).mean()) and far.get_markerfacecolor() == far.get_color()
    assert like.get_markerfacecolor() == "white" and not ranking.beyond_doubt(ranking.order[1])
    (interval,) = [line for line in panel.lines if line.get_marker() == "None" and line.get_ydata()[0] == 1]
    half = ranking.half_width(ranking.order[1])
    assert np.ptp(interval.get_xdata()) == pytest.approx(2 * half)


def test_one_seed_has_points_alone_and_a_score_that_nobody_has_none(runs, tmp_path):
    runs("a", 0, np.zeros(1))
    runs("b", 0, np.ones(1))
    compared = Comparison(find([tmp_path], "test")[0], ["seed"])
    ranking = Ranking.of(compared, "log_score", "max")
    panels = figure(compared, ranking, ["log_score", "rps"], compared.labels(), SCORES).axes
    assert not [line for panel in panels for line in panel.lines if line.get_marker() == "None"][1:]  # zero alone
    assert np.isnan([*lines(panels[1], 0, "o")[0].get_xdata()]).all()


def test_a_name_stands_as_it_is():
    assert shortened("data.path=a$b") == "data.path=a$b"
