"""Folders of Kilosort and Phy."""

import numpy as np
import pytest

from dlthink.data.recordings.readers import csv_series, phy
from dlthink.data.recordings.recording import Recording
from dlthink.errors import BadInput
from tests.data.recordings import written


@pytest.mark.parametrize(
    ("labels", "units"),
    [
        (["good", "mua", "good"], ["0", "2"]),
        (["unsorted", "mua", "noise"], ["0", "1"]),
        (None, ["0", "1", "2"]),
        (["good", "noise", "noise", "good"], ["0"]),
        (["Good", "mua", "NOISE"], ["0"]),
    ],
)
def test_clusters_are_used_as_they_were_judged(tmp_path, labels, units):
    folder = written.as_phy(tmp_path, labels)
    data = Recording(str(folder))
    assert data.facts["units"] == units
    notes = " ".join(data.notes)
    assert ("not judged" in notes) == (labels is None)
    assert ("without a spike: cluster 3" in notes) == (labels is not None and len(labels) == 4)
    assert (f"{len(units)} of 3 clusters are judged" in notes) == (labels is not None)


def test_no_cluster_is_left(tmp_path):
    with pytest.raises(BadInput, match="none of its clusters that are to be used has a spike"):
        Recording(str(written.as_phy(tmp_path, ["noise", "noise", "noise", "good"])))
    folder = tmp_path / "sorted"
    (folder / "cluster_group.tsv").write_text("\ufeffcluster_id\tgroup\n0\tnoise\n1\tnoise\n2\tnoise\n", "utf-8")
    with pytest.raises(BadInput, match="all 3 of its clusters are judged noise"):
        Recording(str(folder))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"params\.py: no such file, and nothing else says how many samples"),
        ("dat_path = 'x'\n", "has no line like sample_rate = 30000"),
        ("sample_rate = open('owned', 'w')\n", "sample_rate cannot be read"),
        ("sample_rate = 'fast'\n", "has no line like"),
        ("sample_rate = -1\n", "has no line like"),
        ("sample_rate =\n", "sample_rate cannot be read"),
        ("import os\nos.system('touch owned')\n", "has no line like"),
        ("sample_rate = " + "(" * 5000, "sample_rate cannot be read"),
    ],
)
def test_params_is_read_and_never_run(tmp_path, monkeypatch, text, words):
    folder = written.as_phy(tmp_path)
    monkeypatch.chdir(tmp_path)
    (folder / "params.py").unlink()
    if text is not None:
        (folder / "params.py").write_text(text)
    with pytest.raises(BadInput, match=words) as refused:
        Recording(str(folder))
    assert not (tmp_path / "owned").exists() and "\n" not in str(refused.value)


@pytest.mark.parametrize("rate", ["30000", "30000.", "3e4"])
def test_the_sample_rate(tmp_path, rate):
    (tmp_path / "params.py").write_text(f"# made by phy\nn_channels_dat = 4\nsample_rate = {rate}\n")
    assert phy.sample_rate(tmp_path) == 30_000


def test_no_covariates(tmp_path):
    folder = written.as_phy(tmp_path)
    for name in ("position.csv", "speed.csv"):
        (folder / name).unlink()
    with pytest.raises(BadInput, match=r"holds no covariates: put a CSV.*data\.behaviour"):
        Recording(str(folder))


def test_arrays_that_are_no_spikes(tmp_path):
    folder = written.as_phy(tmp_path)
    np.save(folder / "spike_times.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match=r"spike_times.npy"):
        Recording(str(folder))
    np.save(folder / "spike_times.npy", np.zeros(5))
    with pytest.raises(BadInput, match="whole numbers are needed"):
        Recording(str(folder))
    np.save(folder / "spike_times.npy", np.arange(5))
    with pytest.raises(BadInput, match=r"spike_times.npy has 5 spikes and spike_clusters.npy 1,200"):
        Recording(str(folder))
    (folder / "spike_clusters.npy").unlink()
    with pytest.raises(BadInput, match=r"spike_(times|clusters)\.npy"):
        Recording(str(folder))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "begins with no header"),
        ("1,2,3\n4,5,6\n", "begins with no header"),
        ("time,x\n", "no line below its header"),
        ("time,x\n0,1\n1,left\n", r"line 3: x is 'left', no number: write one \(a state as 0, 1, 2\)"),
        ("time,x\n0,1\n1,NA\n2,left\n", r"line 4: x is 'left'"),
        ('time,x\n0,1\n1,"0,5"\n', r"line 3: x is '0,5', no number"),
        ("time,x\n0,1\n1\n", r"line 3: has 1 cells below 2 names"),
        ("time,x,x\n0,1,2\n", "two columns are called x"),
        ("time\n0\n1\n", "has one column only"),
        ("time,x\n0,1\n0,2\n", "time in a.csv does not ascend"),
        ("time,x\n0,1\x00\n1,2\n", "bytes that are no text"),
        ("time,x\n" + "0" * 70_000 + ",1\n", "a line of more than"),
    ],
)
def test_a_csv_that_cannot_be_used(tmp_path, lines, words):
    folder = written.as_phy(tmp_path)
    (folder / "a.csv").write_text(lines)
    with pytest.raises(BadInput, match=words) as refused:
        Recording(str(folder))
    assert "a.csv" in str(refused.value) and "\n" not in str(refused.value)


def test_a_csv_as_other_countries_write_it_and_gaps_as_others_do(tmp_path):
    """Excel's semicolons and decimal commas, and R's NA."""
    (tmp_path / "a.csv").write_text("\ufefftime;x;y\n0,02;1,5;NA\n0,04;-2;,5\n")
    series = csv_series.series(tmp_path / "a.csv")
    np.testing.assert_array_equal(series.times, [0.02, 0.04])
    np.testing.assert_array_equal(series.values, [[1.5, np.nan], [-2.0, 0.5]])
    (tmp_path / "trials.csv").write_text("start;stop;side;dose\n0,5;1,5;left, far;0,1\n2;3;right;0,2\n")
    trials, _ = csv_series.trials(tmp_path / "trials.csv")
    np.testing.assert_array_equal(trials.intervals, [[0.5, 1.5], [2.0, 3.0]])
    assert trials.names == ["side=left, far", "side=right", "dose"]


@pytest.mark.parametrize(
    "clock, parts", [("time_ms", 1e3), ("t (MS)", 1e3), ("time [\u00b5s]", 1e6), ("frames", 1), ("ms", 1)]
)
def test_a_clock_whose_name_says_parts_of_a_second(tmp_path, clock, parts):
    (tmp_path / "a.csv").write_text(f"{clock},x\n20,1\n40,2\n", encoding="utf-8")
    np.testing.assert_array_equal(csv_series.series(tmp_path / "a.csv").times, np.array([20, 40]) / parts)


def test_a_table_of_trials_without_any(tmp_path):
    folder = written.as_phy(tmp_path)
    (folder / "trials.csv").write_text("start,stop,side\n")
    with pytest.raises(BadInput, match=r"trials\.csv: has no line below its header"):
        Recording(str(folder))
