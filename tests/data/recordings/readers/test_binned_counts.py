"""Counts in bins, in place of spike times."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings.readers.binned_counts import on_grid
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.7, (1200, 3))
VALUES = RNG.normal(size=(1200, 2))


@pytest.fixture
def save(tmp_path):
    def save(**changes):
        keys = {"counts": COUNTS, "bin": 0.05, "covariates": VALUES} | changes
        np.savez(tmp_path / "mine.npz", **{name: value for name, value in keys.items() if value is not None})
        return str(tmp_path / "mine.npz")

    return save


def every(data):
    splits = [data.train, data.val, data.test]
    rows = torch.cat([split.rows for split in splits])
    return torch.cat([split.targets() for split in splits])[rows.argsort()].numpy()


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_counts_are_counts(save, kind):
    counts = COUNTS.clip(max=1) if kind is bool else COUNTS
    data = Recording(save(counts=counts.astype(kind)), history=0, blocks=5)
    assert every(data).tolist() == counts.astype(float).tolist()
    values = data.train.features.double() * data.state["std"] + data.state["mean"]
    assert values.numpy() == pytest.approx(VALUES, abs=1e-5)  # a row of covariates for each bin


@pytest.mark.parametrize("first", [0.0, 17.3, 1.7e9, -4.0])
def test_edges_say_when(save, first):
    edges = first + 0.05 * np.arange(1201)
    data = Recording(save(bin_edges=edges, bin=None), history=0, blocks=5)
    assert every(data).tolist() == COUNTS.tolist()
    timed = Recording(save(bin_edges=edges, bin=None, covariate_times=edges[:-1] + 0.025), history=0, blocks=5)
    assert torch.allclose(timed.train.features, data.train.features) and every(timed).tolist() == COUNTS.tolist()


def test_wider_bins_are_sums_and_narrower_ones_are_refused(save):
    data = Recording(save(), bin=0.1, history=0, blocks=5)
    assert every(data).tolist() == COUNTS.reshape(-1, 2, 3).sum(axis=1).tolist()
    for width in (0.025, 0.07, 0.125):
        with pytest.raises(BadInput, match=rf"counted in bins of 0\.05 s, of which data.bin={width} is no multiple"):
            Recording(save(), bin=width)
    with pytest.raises(BadInput, match=r"in bins of 50 s.* or are these milliseconds\?"):
        Recording(save(bin=50.0))


def test_intervals_take_whole_bins_alone(save):
    data = Recording(save(intervals=[[1.02, 20.03], [30.0, 59.99]]), history=0, blocks=5)
    rows = np.r_[21:400, 600:1199]
    assert every(data).tolist() == COUNTS[rows].tolist()
    parts = Recording(save(), history=0, blocks=5, start=0.51, stop=30.0)
    assert every(parts).tolist() == COUNTS[11:600].tolist()
    assert on_grid(np.array([[0.1, 0.14], [0.2, 0.4]]), (0.0, 0.1)).tolist() == pytest.approx(np.array([[0.2, 0.4]]))


def test_units_may_go_down_where_edges_tell(save):
    edges = 0.05 * np.arange(1201)
    data = Recording(save(counts=COUNTS.T, bin_edges=edges, bin=None), history=0, blocks=5)
    assert every(data).tolist() == COUNTS.tolist()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"counts": COUNTS + 0.25}, r"counts is \d\.25 in row 0, unit 0: counts are whole numbers"),
        ({"counts": -COUNTS}, r"counts is -1 in row"),
        ({"counts": np.where(COUNTS > 2, np.nan, COUNTS)}, "counts is nan in row"),
        ({"counts": COUNTS.astype(float) * 1e9}, "more than are read"),
        ({"counts": np.zeros((4, 3, 2))}, r"counts has shape \(4, 3, 2\)"),
        ({"bin": None}, "neither bin, their width in seconds, nor bin_edges"),
        ({"bin": 0.0}, "bin=0"),
        ({"bin": np.nan}, "bin=nan"),
        ({"bin": np.empty(0)}, "bin holds 0 different numbers"),
        ({"bin": [0.05, 0.06]}, "bin holds 2 different numbers"),
        ({"bin_edges": np.arange(7.0)}, "give one edge more"),
        ({"bin_edges": np.where(np.arange(1201) == 5, np.nan, 0.05 * np.arange(1201))}, "not evenly spaced"),
        ({"bin_edges": np.cumsum(np.r_[0, 0.05 + 0.01 * (np.arange(1200) % 2)])}, "not evenly spaced"),
        ({"covariates": VALUES[:-1]}, r"covariates has 1199 rows for 1200 bins"),
    ],
)
def test_counts_that_are_none(save, changes, words):
    with pytest.raises(BadInput, match=words) as refused:
        Recording(save(**changes))
    assert "mine.npz" in str(refused.value) and "\n" not in str(refused.value)
