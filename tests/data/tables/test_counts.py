"""Tables of counts: whole numbers, an exposure as an offset, baselines by Poisson's likelihood."""

import numpy as np
import pytest
import torch

from dlthink.data.tables.counts import Counts
from dlthink.errors import BadInput
from tests.data.tables.made import frame, written


def table(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    made = frame(rows, seed).drop(columns="y")
    made["days"] = rng.integers(1, 30, rows)
    return made.assign(visits=rng.poisson(made["days"] * np.exp(0.2 * (made["a"] - 5)) / 5))


def counts(path, **settings):
    return Counts(path=path, target="visits", baselines=["constant"], **settings)


def test_counts_are_read(tmp_path):
    made = table()
    made.loc[3, "visits"] = np.nan
    data = counts(written(tmp_path, made))
    y = torch.cat([split.y for split in (data.train, data.val, data.test)])
    assert len(y) == 299 and y.shape[1] == 1 and sorted(y[:, 0].tolist()) == sorted(made["visits"].dropna())
    assert set(data.facts) == set(Counts.fact_names({})) and Counts.targets({}) == "counts"
    assert data.facts["largest_count"] == data.train.y.max()
    assert set(data.test.take(torch.arange(3))[0]) == {"numbers", "categories"}


def test_an_exposure_is_an_offset_and_no_feature(tmp_path):
    made = table()
    path = written(tmp_path, made)
    data = counts(path, exposure="days")
    assert Counts.targets({"exposure": "days"}) == "counts with exposure"
    assert "days" not in [column["name"] for column in data.state["columns"]]
    x, _ = data.train.take(torch.arange(len(data.train)))
    days = x["offset"].exp() * data.state["mean_exposure"]
    assert days.mean() == pytest.approx(data.state["mean_exposure"], rel=1e-5)
    assert set(days.round().int().flatten().tolist()) <= set(made["days"])
    known = data.test.known(torch.arange(len(data.test)))["baselines"]["constant"]["rate"]
    of_test = data.test.x["offset"].exp() * data.state["mean_exposure"]
    assert torch.allclose(known, of_test * float(data.train.y.sum() / days.sum()), rtol=1e-4)
    again = counts(path, exposure="days", state=data.state)
    assert torch.equal(again.test.x["offset"], data.test.x["offset"])
    with pytest.raises(BadInput, match=r"data.exposure=null"):
        counts(path, state=data.state)


@pytest.mark.parametrize(
    "value, said",
    [
        (2.5, "2.5 is no count"),
        (-1, "-1 is no count"),
        ("many", "'many' is no number"),
        (2**24 + 1, "16777217 is more than .* 16,777,216 at most"),
    ],
)
def test_what_is_no_count(tmp_path, value, said):
    made = table().astype({"visits": object})
    made.loc[7, "visits"] = value
    with pytest.raises(BadInput, match=rf"data.target=visits: .*line 9.*{said}"):
        counts(written(tmp_path, made))


@pytest.mark.parametrize("value, said", [(0, "is 0;"), (-2, "is -2;"), (np.nan, "is missing;")])
def test_what_is_no_exposure(tmp_path, value, said):
    made = table().astype({"days": float})
    made.loc[7, "days"] = value
    with pytest.raises(BadInput, match=rf"data.exposure=days: .*line 9: {said}.*above 0"):
        counts(written(tmp_path, made), exposure="days")


def test_the_drawn_table_knows_its_rates():
    data = Counts(rows=4000, baselines=[])
    known = data.test.known(torch.arange(len(data.test)))
    assert set(known["baselines"]) == {"truth"}
    ratio = float(data.test.y.sum() / known["rate"].sum())
    assert ratio == pytest.approx(1, abs=0.05)
