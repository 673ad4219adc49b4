"""The examination of counts in the rows of a table: that of any counts, in its own words, beside baselines."""

import math

import pytest
import torch
from scipy import stats

from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.counts.table import TableCounts

RATE = torch.rand(300, 2, generator=torch.Generator().manual_seed(0)) * 5 + 0.2
Y = torch.poisson(RATE, generator=torch.Generator().manual_seed(1))


def test_it_is_that_of_any_counts_in_other_words():
    own = TableCounts(["visits", "claims"]).numbers({"rate": RATE}, Y, {"rate": RATE})
    counts = Counts(["visits", "claims"], 1.0).numbers({"rate": RATE}, Y, {"rate": RATE})
    assert own["bits_per_event"] == counts["bits_per_spike"] and own["d2"] == counts["d2"]
    assert own["log_score"] == pytest.approx(float(stats.poisson.logpmf(Y, RATE).mean()), abs=1e-6)
    assert own["mae"] == pytest.approx(float((Y - RATE).abs().mean())) and own["oracle_share"] == pytest.approx(1)
    assert own["rmse"] == pytest.approx(math.sqrt(float((Y - RATE).square().mean())))
    assert not any("spike" in name or name.endswith(("_median", "_min")) for name in own) and set(
        TableCounts.scores
    ) <= set(own)


def test_baselines_beside_it():
    constant = {"rate": Y.mean(0).expand_as(Y)}
    numbers = TableCounts(["a", "b"]).numbers({"rate": RATE}, Y, {"baselines": {"constant": constant}})
    assert numbers["bits_per_event_constant"] == pytest.approx(0, abs=1e-6) and numbers["bits_per_event"] > 0.1
    silent = TableCounts(["a", "b"]).numbers({"rate": RATE}, 0 * Y, {"baselines": {"constant": {"rate": RATE}}})
    assert "log_score_constant" in silent and "d2" in silent and "d2_constant" not in silent  # not defined
    distribution = NegativeBinomial(RATE, torch.tensor(0.5))
    scored = TableCounts(["a", "b"]).numbers({"rate": RATE, "distribution": distribution}, Y, {})
    assert scored["log_score"] == pytest.approx(float(distribution.log_prob(Y).mean()))


def test_remarks_are_in_the_words_of_tables():
    far = {"rate": 50 * torch.ones_like(Y)}
    (line,) = TableCounts(["visits", "claims"]).remarks(far, Y, {})
    assert "target visits" in line and "bits/event" in line and "covariates" not in line
    assert TableCounts(["visits", "claims"]).remarks({"rate": RATE}, Y, {}) == []


def test_figures_and_drawings():
    distribution = NegativeBinomial(RATE, torch.tensor(0.1))
    made = TableCounts(["visits", "claims"]).figures({"rate": RATE, "distribution": distribution}, Y, {})
    assert made["calibration"].axes[0].get_xlabel() == "predicted (mean count)"
    made = dict(
        TableCounts(["visits", "claims"]).drawings(
            {"rate": RATE, "distribution": distribution}, {"row": torch.arange(300) + 7}
        )
    )
    assert list(made) == ["predictions_1", "predictions_2"]
    (axes,) = made["predictions_2"].axes
    assert axes.get_ylabel() == "claims"
    lowest = int(RATE[:, 1].argmin())
    assert axes.get_xticklabels()[0].get_text() == str(lowest + 7)
    drawn = axes.collections[0].get_segments()[0][:, 1]
    for end, level in zip(drawn, (0.05, 0.95), strict=True):
        shape = stats.nbinom(1 / 0.1, 1 / (1 + 0.1 * float(RATE[lowest, 1])))
        assert end == shape.ppf(level)
    alone = dict(TableCounts(["visits", "claims"]).drawings({"rate": RATE}, {}))["predictions_1"].axes[0]
    assert not alone.collections and alone.texts[0].get_text() == "no spread was predicted"
