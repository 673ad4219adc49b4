"""Small random recordings for the tests of this folder."""

import numpy as np

from dlthink.data.recordings.binned import Binned
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
        "covariates": rng.normal(size=(len(times), 2)) * [1.0, 5.0] + [0.0, 3.0],
        "times": times,
        "names": ["a", "b"],
    }
    return Session(**(parts | changes))


def binned(given=None, **knobs):
    given = session() if given is None else given

    class Given(Binned):
        def read(self):
            return given

    return Given(**knobs)
