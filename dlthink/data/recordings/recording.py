"""The user's own recording."""

from __future__ import annotations

from pathlib import Path

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.readers import file_contents, formats
from dlthink.data.recordings.session import Session
from dlthink.data.recordings.stretches import of_trials, while_measured
from dlthink.errors import BadInput


class Recording(Binned):
    """Spikes and whatever was measured beside them, as labs store it (docs/recordings.md).

    path       an .npz, .mat, .h5, .nwb, or a folder of Kilosort and Phy; which, its content says
    keys       {role: its name in the file}, where it is another one: {spike_times: units/spk, covariates: pos}
    series     names of covariates, or of series of them, to use; null: all (of an NWB file, those of `behavior`)
    behaviour  a CSV with a column `time` in seconds, where covariates lie in a file of their own
    trials     true: use the file's trials alone, with what was so during each as covariates; false: all of the time;
               null: trials, where it has any

    Raises BadInput, naming the file, the key and what to do; `dlthink show FILE` says what is in it.
    """

    prepares = (*Binned.prepares, "series")
    fixed = (*Binned.fixed, "series", "trials")

    def __init__(
        self,
        path: str | None = None,
        keys: dict[str, str] | None = None,
        series: list[str | int] | None = None,
        behaviour: str | None = None,
        trials: bool | None = None,
        **binning,
    ) -> None:
        self.path, self.behaviour, self.trials = path, behaviour, trials
        self.keys = keys or (binning.get("state") or {}).get("keys")
        self.series = [str(name) for name in series] if series else None
        super().__init__(**binning)
        self.state.setdefault("keys", keys)

    def read(self) -> Session:
        if not self.path:
            raise BadInput(
                "data.path: say which file: dlthink train data=recording data.path=FILE; dlthink show FILE says what "
                "is in it"
            )
        session = formats.read(self.path, self.keys, self.series, self.behaviour)
        return of_trials(while_measured(session), self.trials)

    @classmethod
    def contents(cls, path: str) -> list[str]:
        """What is in a file, for `dlthink show`."""
        return file_contents.lines(path)

    @classmethod
    def open(cls, path: str | Path, state: dict, **needs) -> Session:
        session = formats.read(path, state.get("keys"), state.get("series"), **needs)
        return of_trials(session, state.get("trials", False))
