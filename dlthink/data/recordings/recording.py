"""The user's own recording."""

from __future__ import annotations

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.npz import read_recording
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput


class Recording(Binned):
    """An .npz (no pickle) with spikes and whatever was measured beside them.

    spike_times     [S] seconds, ascending for each unit
    spike_units     [S] the unit of each spike: whole numbers or names
    covariates      [T, F] behaviour or stimulus
    covariate_times [T] seconds, ascending, on the spikes' clock
    optional: covariate_names [F]; unit_names, unit_names[i] names unit i; intervals [I, 2] to use, seconds

    Raises BadInput, naming the file, the key and what to do.
    """

    def __init__(self, path: str | None = None, **binning) -> None:
        self.path = path
        super().__init__(**binning)

    def read(self) -> Session:
        if not self.path:
            raise BadInput("data.path: say which file: dlthink train data=recording data.path=FILE.npz")
        return read_recording(self.path)
