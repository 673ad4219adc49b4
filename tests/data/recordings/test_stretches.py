"""Which stretches are used: gaps, trials, what is marked as invalid; blocks by trial and by condition."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dlthink.data.recordings import blocks
from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.session import Trials
from dlthink.data.recordings.stretches import between, common, of_trials, without, without_gaps
from dlthink.errors import BadInput
from tests.data.recordings.made import binned, changed, known_of, rows, session


def inside(times, intervals):
    return ((times[:, None] >= intervals[:, 0]) & (times[:, None] < intervals[:, 1])).any(axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_what_two_sets_of_intervals_have_in_common(seed):
    rng = np.random.default_rng(seed)
    one, other = (np.sort(rng.uniform(0, 100, 20)).reshape(-1, 2) for _ in range(2))
    both, fine = common(one, other), np.linspace(0, 100, 20_001)
    assert inside(fine, both).tolist() == (inside(fine, one) & inside(fine, other)).tolist()
    assert (both[1:, 0] >= both[:-1, 1]).all()
    assert common(one, np.array([[200.0, 300.0]])).shape == (0, 2)


def test_trials_that_follow_each_other_stay_apart():
    assert common(np.array([[0.0, 1.0], [1.0, 2.0]]), np.array([[0.5, 9.0]])).tolist() == [[0.5, 1.0], [1.0, 2.0]]


# --------------------------------------------------------------------------------------------------------------- gaps


def pausing(lost=False):
    given = session()
    gone = (given.series[0].times > 20) & (given.series[0].times < 25)
    if not lost:
        return rows(given, ~gone)
    values = given.series[0].values.copy()
    values[gone, 1] = np.nan
    values[100] = np.nan  # a single row
    return changed(given, covariates=values)


@pytest.mark.parametrize("lost", [False, True])
def test_gaps_are_left_out(lost):
    data = binned(pausing(lost), gap=1.0, history=2)
    time = torch.cat([known_of(getattr(data, name))["time"] for name in ("train", "val", "test")])
    assert not ((time > 20.01) & (time < 24.99)).any() and len(data.train.features) == 1099
    assert [n for n in data.notes if n.startswith("left out, no covariates for longer than data.gap=1 s: 5 s of 59.")]
    assert not [n for n in data.notes if "bridged" in n]
    bridged = binned(pausing(), history=2)
    assert [n for n in bridged.notes if "pause for up to 5 s" in n and "data.gap=1" in n]


def test_values_that_are_lost_are_refused_with_the_way_out():
    with pytest.raises(BadInput, match=r"b is nan at 20\.0\d* s \(149 such rows\).*data\.gap=1") as refused:
        binned(
            changed(
                pausing(True),
                covariates=np.delete(pausing(True).series[0].values, 100, 0),
                times=np.delete(pausing(True).series[0].times, 100),
            )
        )
    assert "\n" not in str(refused.value)


def test_a_gap_that_leaves_nothing():
    with pytest.raises(BadInput, match=r"longer than data\.gap=0\.001 s: choose a longer one"):
        binned(gap=0.001)
    with pytest.raises(BadInput, match=r"data\.gap=0"):
        binned(gap=0.0)
    empty = changed(session(), covariates=np.full((1800, 2), np.nan))
    with pytest.raises(BadInput, match="no row of finite numbers"):
        binned(empty, gap=1.0)


def test_predict_leaves_gaps_out_as_training_did(tmp_path):
    from dlthink.data.recordings.recording import Recording

    given = pausing(True)
    state = binned(given, gap=1.0, history=2).state
    np.savez(tmp_path / "x.npz", covariates=given.series[0].values, covariate_times=given.series[0].times)
    inputs = Recording.inputs(str(tmp_path / "x.npz"), state | {"covariates": ["0", "1"]})
    assert not ((inputs.times > 20.01) & (inputs.times < 24.99)).any() and len(inputs) == 1099 - 4


def test_invalid_times_in_any_order():
    cut = without(session(), np.array([[30.0, 31.0], [5.0, 8.0], [7.0, 9.0], [-5.0, 1.0]])).intervals
    assert cut == pytest.approx(np.array([[1.0, 5.0], [9.0, 30.0], [31.0, 1799 / 30]]))
    with pytest.raises(BadInput, match="marked as invalid for all of its time"):
        without(session(), np.array([[-1.0, 100.0]]))
    assert between(session(), 2.0, 3.0).intervals.tolist() == [[2.0, 3.0]]
    assert without_gaps(session(), None).intervals is None


# ------------------------------------------------------------------------------------------------------------- trials


STARTS = np.arange(1.0, 58.0, 2.0)
KIND = np.arange(len(STARTS)) % 7


def tried(starts=STARTS, lasting=1.5, values=KIND[:, None], names=("kind",)):
    ends = np.stack([starts, starts + lasting], axis=1)
    return replace(session(), trials=Trials(ends, np.asarray(values, dtype=float), list(names)))


def test_a_trial_has_its_own_values_all_through():
    data = binned(of_trials(tried(), None), history=3)
    kind = data.train.features[:, 2].double() * data.state["std"][2] + data.state["mean"][2]
    time = known_of(data.train)["time"]
    rows = data.train.rows
    assert kind[rows].numpy() == pytest.approx(KIND[((time - 1) // 2).long().numpy()], abs=1e-5)
    assert len(data.train.features) == len(STARTS) * 30
    assert [
        n for n in data.notes if n.startswith("29 trials of 1.5 s (median): only these are used; data.trials=false")
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (tried(lasting=2.5), r"trials, row 1 starts before the one above ends"),
        (tried(lasting=-1.0), r"trials, row 0: the start is not before the stop"),
        (tried(starts=STARTS[::-1]), r"trials, row 1 starts before"),
        (tried(starts=STARTS * 1000), r"trials, 1000 to 57001.5 s, lie outside the recording, 0 to 59.\d+ s"),
        (
            tried(starts=np.where(STARTS == 9, np.nan, STARTS)),
            r"trials, row 4: nan to nan are no seconds.*data\.trials=false",
        ),
        (tried(values=np.where(KIND == 3, np.nan, KIND)[:, None]), r"trials: kind is nan at 7 s"),
        (tried(names=("a",)), "covariate_names has 'a' twice"),
    ],
)
def test_trials_that_cannot_be_used(given, words):
    with pytest.raises(BadInput, match=words) as refused:
        binned(of_trials(given, None))
    assert "ride.npz" in str(refused.value) and "\n" not in str(refused.value)


def test_trials_are_asked_for_or_left_aside():
    assert of_trials(tried(), False) is not None and of_trials(tried(), False).intervals is None
    with pytest.raises(BadInput, match=r"holds no trials, which data\.trials=true asks for"):
        of_trials(session(), True)


# ------------------------------------------------------------------------------------------------------------- blocks


@pytest.mark.parametrize("folds", [3, 5, 10])
def test_of_so_many_blocks_one_is_test_and_one_validation(folds):
    roles = blocks.pattern(folds).tolist()
    assert roles.count("test") == roles.count("val") == 1 and roles.count("train") == folds - 2
    if folds == 5:
        assert roles == ["train", "train", "test", "train", "val"]


def test_ten_folds_of_ten_blocks_and_every_block_is_test_once():
    tests = [row for fold in range(10) for row in binned(history=2, folds=10, blocks=10, fold=fold).test.rows.tolist()]
    assert len(tests) == len(set(tests)) == 1199 - 2 * 10
    with pytest.raises(BadInput, match=r"data\.fold=10: there are 10 folds"):
        binned(folds=10, fold=10)
    with pytest.raises(BadInput, match=r"data\.folds=2: 3 folds at least"):
        binned(folds=2)


def trial_of(split):
    return set(((known_of(split)["time"] - 1) // 2).long().tolist())


def test_trials_stay_whole_in_one_split():
    data = binned(of_trials(tried(), None), history=3, block_by="trial")
    train, val, test = (trial_of(getattr(data, name)) for name in ("train", "val", "test"))
    assert not train & val and not train & test and not val & test and len(train | val | test) == len(STARTS)
    assert test == set(range(2, len(STARTS), 5))
    with pytest.raises(BadInput, match=r"block_by=trial needs 5 trials or intervals at least.*there are 1"):
        binned(block_by="trial")


def test_conditions_stay_whole_in_one_split():
    data = binned(of_trials(tried(), None), history=3, block_by="kind")
    kinds = {name: {int(KIND[trial]) for trial in trial_of(getattr(data, name))} for name in ("train", "val", "test")}
    assert kinds == {"train": {0, 1, 3, 5, 6}, "test": {2}, "val": {4}}
    three = binned(of_trials(tried(values=(KIND % 3)[:, None]), None), history=3, block_by="kind", folds=3)
    assert {int(KIND[trial]) % 3 for trial in trial_of(three.test)} == {1}
    with pytest.raises(BadInput, match=r"block_by=kind puts all bins with the same value into one block, and it has 3"):
        binned(of_trials(tried(values=(KIND % 3)[:, None]), None), block_by="kind")
    with pytest.raises(
        BadInput, match=r"no bin is left for train.*: choose another data\.block_by than kind or a short"
    ):
        binned(of_trials(tried(), None), history=40, block_by="kind")
    with pytest.raises(BadInput, match=r"block_by=a puts all bins .* 870 values"):
        binned(of_trials(tried(), None), block_by="a")
    with pytest.raises(BadInput, match=r"data\.block_by=\[mood\]: ride.npz has no covariate 'mood'"):
        binned(block_by="mood")


def test_bins_before_and_after_in_the_same_block():
    bins = Bins(np.array([[0.0, 5.0], [6.0, 10.0]]), 1.0)
    before, after = blocks.reach(bins, np.array([0, 0, 1, 1, 0, 0, 0, 0, 2]))
    assert before.tolist() == [0, 1, 0, 1, 0, 0, 1, 2, 0] and after.tolist() == [1, 0, 1, 0, 0, 2, 1, 0, 0]
    scattered = blocks.items(np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0]))
    assert scattered.tolist() == [5, 0, 6, 1, 7, 2, 8, 3, 9, 4]
