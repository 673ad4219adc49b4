"""One auditory receptor of a grasshopper and the sound that drove it, from the package nitime (BSD-3)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput

MICRO = 1e-6  # the files count in microseconds


class Grasshopper(Binned):
    """Ten seconds of one receptor: spike times, and the sound's amplitude at 20 kHz.

    file  1: amplitude changes up to 200 Hz; 2: up to 800 Hz

    x holds, every bin, the mean of: amplitude, its logarithm, and its slope (per ms).
    Spikes come more regularly than Poisson (Fano factor 0.35 at 20 ms): short bins and `spike_history` pay.
    Source: nitime/data/grasshopper_*.txt, from nitime's examples. Raises BadInput without nitime.
    """

    def __init__(self, file: Literal[1, 2] = 1, bin: float = 0.001, history: int = 20, **binning) -> None:
        self.file = file
        super().__init__(bin=bin, history=history, **binning)

    def read(self) -> Session:
        if self.file not in (1, 2):
            raise BadInput(f"data.file={self.file}: nitime ships two recordings: choose 1 or 2")
        # Looked up, not imported: nitime pulls in scipy and matplotlib, and only its folder is wanted.
        package = find_spec("nitime")
        if package is None or not package.submodule_search_locations:
            raise BadInput('data=grasshopper reads files of the package nitime: pip install "dlthink[spikes]"')
        folder = Path(next(iter(package.submodule_search_locations))) / "data"
        spikes = _table(folder / f"grasshopper_spike_times{self.file}.txt") * MICRO
        sound = _table(folder / f"grasshopper_stimulus{self.file}.txt").reshape(-1, 2)
        times, amplitude = sound[:, 0] * MICRO, sound[:, 1]
        step = times[1] - times[0]
        slope = np.diff(amplitude, prepend=amplitude[0]) / step / 1000
        values = np.stack([amplitude, np.log(np.maximum(amplitude, 1e-4)), slope], axis=1)
        return Session(
            source=f"grasshopper {self.file}",
            spikes=[spikes],
            units=["receptor"],
            series=[Series(values, times, ["amplitude", "log_amplitude", "slope"])],
            intervals=np.array([[0.0, times[-1] + step]]),
        )


def _table(path: Path) -> np.ndarray:
    """All numbers of a text file; lines that begin with # are remarks."""
    if not path.exists():
        raise BadInput(f"{path}: no such file: nitime is not whole: pip install --force-reinstall nitime")
    lines = (line for line in path.read_text(encoding="latin-1").splitlines() if not line.startswith("#"))
    return np.array(" ".join(lines).split(), dtype=np.float64)
