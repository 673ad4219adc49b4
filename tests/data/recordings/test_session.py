"""Every knob and recording that cannot be used, and what is said about it."""

import numpy as np
import pytest
import torch

from dlthink.errors import BadInput
from tests.data.recordings.made import binned, changed, session


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"bin": 0.0}, "data.bin=0"),
        ({"bin": -0.05}, "data.bin=-0.05"),
        ({"bin": float("nan")}, "data.bin"),
        ({"bin": 1e-8}, "data.bin"),
        ({"bin": 5.0}, "smaller bins"),
        ({"blocks": 20, "folds": 50}, "data.blocks=20: 50 blocks at least.*for example 50"),
        ({"history": -1}, "data.history=-1"),
        ({"history": 60}, "shorter data.history"),
        ({"history": 59, "spike_history": True}, "shorter data.history"),
        ({"blocks": 4}, "data.blocks=4"),
        ({"fold": 5}, "data.fold=5"),
        ({"fold": -1}, "data.fold=-1"),
        ({"min_spikes": -1}, "data.min_spikes"),
        ({"start": 30.0, "stop": 20.0}, "start"),
        ({"start": 90.0}, "data.start=90"),
    ],
)
def test_knobs_out_of_range(knobs, words):
    with pytest.raises(BadInput, match=words) as caught:
        binned(**knobs)
    assert "\n" not in str(caught.value)


def broken(key, where, value):
    array = getattr(session().series[0], {"covariates": "values"}.get(key, key)).copy()
    array[where] = value
    return {key: array}


def spikes_with(*extra):
    return {"spikes": [session().spikes[0], np.array(extra), session().spikes[2]]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (spikes_with(1.0, np.nan, 2.0), "spike_times of unit u1"),
        (spikes_with(1.0, np.inf), "spike_times of unit u1"),
        (spikes_with(3.0, 2.0), "spike_times of unit u1 are not sorted"),
        (spikes_with(-5.0, 2.0), "lie outside covariate_times"),
        (spikes_with(2.0, 61.0), "lie outside covariate_times"),
        (broken("times", 7, np.nan), "covariate_times is nan in row 7"),
        (broken("times", 7, 0.0), "covariate_times does not ascend"),
        (broken("times", 7, session().series[0].times[6]), "leave out repeated times"),
        (broken("covariates", (40, 1), np.nan), "covariates: b is nan at 1.33"),
        ({"covariates": np.zeros((1800, 2, 2))}, "covariates has shape"),
        ({"covariates": np.zeros((17, 2))}, "covariate_times has shape"),
        ({"covariates": np.zeros((1800, 0)), "names": []}, "at least"),
        ({"names": ["a"]}, "covariate_names has 1"),
        ({"names": ["a", "a"]}, "'a' twice"),
        ({"names": ["a", "b\nc"]}, r"covariate_names has 'b\\nc': a name is one line"),
        ({"units": ["u0", "", "u2"]}, "unit_names has '': a name is one line"),
        ({"units": ["u0", "u1"]}, "unit_names has 2"),
        ({"intervals": np.array([[5.0, 3.0]])}, "start is not before the stop"),
        ({"intervals": np.array([[5.0, 30.0], [20.0, 40.0]])}, "before the one above ends"),
        ({"intervals": np.array([[0.0, 90.0]])}, "intervals reach from"),
        ({"intervals": np.array([0.0, 50.0])}, "intervals has shape"),
        ({"intervals": np.array([[0.0, np.nan]])}, r"intervals, row 0: 0 to nan are no seconds"),
    ],
)
def test_recordings_that_cannot_be_used(changes, words):
    with pytest.raises(BadInput, match=words) as caught:
        binned(session(**changes))
    assert "ride.npz" in str(caught.value) and "\n" not in str(caught.value)


def test_what_lies_outside_the_intervals_may_be_anything():
    given = session()
    hole = given.series[0].values.copy()
    hole[(given.series[0].times > 21) & (given.series[0].times < 24)] = np.nan
    data = binned(session(covariates=hole, intervals=np.array([[1.0, 20.0], [25.0, 58.0]])))
    assert torch.isfinite(data.train.features).all()
    binned(session(spikes=[np.concatenate([[-9.0], s]) for s in given.spikes]), start=0.0)


def test_another_recording_without_a_unit_or_covariate():
    first = binned()
    with pytest.raises(BadInput, match="no unit 'u2'"):
        binned(session(number=2), state=first.state)
    with pytest.raises(BadInput, match="no covariate 'b'"):
        binned(session(names=["a", "c"]), state=first.state)


def test_a_covariate_whose_square_overflows_is_told():
    """Its spread would be infinite, and what the network sees of it 0."""
    given = session()
    values = given.series[0].values.copy()
    values[100, 1] = -1e300
    with pytest.raises(BadInput, match=r"b is -1e\+300 at 3.333\d* s \(1 such rows\), more than can be squared"):
        changed(given, covariates=values).checked()


def test_a_covariate_without_any_number_is_named_beside_those_that_have_some():
    given = session()
    values = given.series[0].values.copy()
    values[:, 0] = np.nan
    with pytest.raises(BadInput, match=r"covariates: a has no finite number in any row: use others, data.series=\[b\]"):
        changed(given, covariates=values).checked()
    with pytest.raises(BadInput, match=r"a has no finite number in any row: check how it was saved"):
        changed(given, covariates=np.full_like(values, np.nan)).checked()
