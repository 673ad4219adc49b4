"""Small random recordings for the tests of this folder."""

from dataclasses import replace

import numpy as np
import torch

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session

SECONDS, UNITS = 60.0, 3


def session(seed=0, seconds=SECONDS, number=UNITS, **changes):
    """A random recording: covariates at 30 Hz, about 10 spikes a second and unit."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / 30)
    parts = {
        "source": "ride.npz",
        "spikes": [np.sort(rng.uniform(0, seconds - 0.1, round(10 * seconds))) for _ in range(number)],
        "units": [f"u{unit}" for unit in range(number)],
    }
    measured = Series(rng.normal(size=(len(times), 2)) * [1.0, 5.0] + [0.0, 3.0], times, ["a", "b"])
    return changed(Session(**parts, series=[measured]), **changes)


def known_of(split):
    """What the examination knows of all samples of a split."""
    return split.known(torch.arange(len(split)))


def changed(given, **changes):
    """Another session: covariates, times and names are those of its one series."""
    words = {"covariates": "values", "times": "times", "names": "names"}
    series = {words[key]: value for key, value in changes.items() if key in words}
    others = {key: value for key, value in changes.items() if key not in words}
    return replace(given, series=[replace(given.series[0], **series)] if series else given.series, **others)


def rows(given, keep):
    """Only those rows of its covariates."""
    measured = given.series[0]
    return changed(given, times=measured.times[keep], covariates=measured.values[keep])


def binned(given=None, **knobs):
    given = session() if given is None else given

    class Given(Binned):
        def read(self):
            return given

    return Given(**knobs)
