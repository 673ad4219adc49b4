"""A rat running on a linear track: 31 units of its hippocampus and its position (nelpy example data, MIT)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.readers.npz import arrays, fields
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput
from dlthink.files.cache import data_folder

CLOCK = 30_000  # ticks of the recording system in a second
LOOK_BACK = 0.25  # s over which velocity is taken: the camera sees whole pixels
NATIVE = ("spikes.mat", "trajectory.videoPositionTracking")
COMPACT = "compact.npz"
TRACK = np.array([[137.0, 140.0], [474.0, 401.0]])  # its two ends, pixels
PLACES = 16
BRIDGE, SHORTEST = 0.5, 1.0  # s, a pause too short to end a run; a run too short to count


class LinearTrack(Binned):
    """The running half: from 35 s to 975 s the animal is on the track, before and after it rests beside it.

    path  a folder with spikes.mat and trajectory.videoPositionTracking (needs scipy) or with compact.npz,
          or one of these files; None: where `dlthink fetch linear_track` puts them

    x holds position x, y (pixels), velocity over the last 0.25 s (pixels/s), speed, and 16 Gaussian bumps
    along the track, which make place fields nearly linear. Units are numbered in file order.

    min_speed  0: all of the time. Else only stretches of at least 1 s in which the animal moves faster than
               this (pixels/s; 20: a slow walk), bridging pauses below 0.5 s: at rest the hippocampus replays
               places where the animal is not
    Source: github.com/nelpy/example-data, linear-track. Raises BadInput.
    """

    fixed = (*Binned.fixed, "min_speed")

    def __init__(
        self,
        path: str | None = None,
        min_speed: float = 20.0,
        bin: float = 0.1,
        history: int = 5,
        min_spikes: int = 50,
        start: float | None = 35.0,
        stop: float | None = 975.0,
        **binning,
    ) -> None:
        self.path, self.min_speed = path, min_speed
        super().__init__(bin=bin, history=history, min_spikes=min_spikes, start=start, stop=stop, **binning)

    def read(self) -> Session:
        folder = Path(self.path) if self.path else data_folder() / "linear_track"
        if not self.path and not folder.exists():
            raise BadInput(
                "data=linear_track is not on this machine: run `dlthink fetch linear_track`, "
                "or say where it is: data.path=FOLDER"
            )
        session = self.open(folder)
        return session if self.min_speed <= 0 else replace(session, intervals=_runs(session, self.min_speed))

    @classmethod
    def open(cls, path: str | Path, state: dict | None = None, **needs) -> Session:
        """Any of the recording's formats, by name and keys; else a file as for `data=recording`."""
        path = Path(path)
        if path.is_dir():
            native = [path / name for name in NATIVE]
            if (path / COMPACT).exists():  # the same numbers, and no scipy needed
                return _compact(path / COMPACT, arrays(path / COMPACT))
            if all(file.exists() for file in native):
                return _native(*native)
            raise BadInput(
                f"{path}: holds neither {NATIVE[0]} with {NATIVE[1]} nor {COMPACT}: "
                f"run `dlthink fetch linear_track`, or name another data.path"
            )
        if path.suffix in (".mat", ".videoPositionTracking"):
            native = [path.with_name(name) for name in NATIVE]
            native[0 if path.suffix == ".mat" else 1] = path
            return _native(*native)
        if path.suffix == ".npz" and path.is_file():
            found = fields(path)
            if "pos_tick" in found or "spike_tick" in found:
                return _compact(path, arrays(path))
        return super().open(path, state or {}, **needs)


def _session(source: Path, ticks: list[np.ndarray], position_ticks: np.ndarray, position: np.ndarray) -> Session:
    """The session from whole ticks of the clock, so that either format gives the same numbers."""
    position_ticks, first = np.unique(position_ticks, return_index=True)  # the camera gave one time twice
    times, xy = position_ticks / CLOCK, position[first].astype(np.float64)
    earlier = np.stack([np.interp(times - LOOK_BACK, times, xy[:, axis]) for axis in (0, 1)], axis=1)
    velocity = (xy - earlier) / LOOK_BACK
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    along = (TRACK[1] - TRACK[0]) / np.sum((TRACK[1] - TRACK[0]) ** 2)
    bumps = np.exp(-0.5 * ((PLACES - 1) * (xy - TRACK[0]) @ along[:, None] - np.arange(PLACES)) ** 2)
    names = ["x", "y", "velocity_x", "velocity_y", "speed", *(f"place_{place}" for place in range(PLACES))]
    return Session(
        source=str(source),
        spikes=[unit / CLOCK for unit in ticks],
        units=[str(unit) for unit in range(len(ticks))],
        series=[Series(np.concatenate([xy, velocity, speed, bumps], axis=1), times, names)],
        intervals=np.array([[times[0], times[-1]]]),
    )


def _runs(session: Session, least: float) -> np.ndarray:
    """[I, 2] the stretches in which the animal moves faster than `least`."""
    measured = next((series for series in session.series if "speed" in series.names), None)
    if measured is None:
        raise BadInput(f"{session.source}: has no covariate 'speed': add it, or set data.min_speed=0")
    moves = np.concatenate([[False], measured.values[:, measured.names.index("speed")] > least, [False]])
    turns = np.flatnonzero(np.diff(moves.astype(int)))
    starts, stops = measured.times[turns[::2]], measured.times[turns[1::2] - 1]
    pause = starts[1:] - stops[:-1] >= BRIDGE
    starts = np.concatenate([starts[:1], starts[1:][pause]])
    stops = np.concatenate([stops[:-1][pause], stops[-1:]])
    runs = np.stack([starts, stops], axis=1)[stops - starts >= SHORTEST]
    if not len(runs):
        raise BadInput(f"{session.source}: the animal never moves at data.min_speed={least} for {SHORTEST} s: lower it")
    return runs


def _compact(path: Path, found: dict[str, np.ndarray]) -> Session:
    for key in ("spike_tick", "spike_unit", "pos_tick", "pos_xy"):
        if key not in found:
            raise BadInput(f"{path}: the key {key} is missing (the file has {', '.join(sorted(found))}): copy it again")
    unit, tick = found["spike_unit"], found["spike_tick"].astype(np.int64)
    ticks = [tick[unit == number] for number in range(int(unit.max()) + 1)]
    return _session(path, ticks, found["pos_tick"].astype(np.int64), found["pos_xy"])


def _native(spikes: Path, trajectory: Path) -> Session:
    for file in (spikes, trajectory):
        if not file.exists():
            raise BadInput(f"{file}: no such file: run `dlthink fetch linear_track`, or name another data.path")
    position = _trajectory(trajectory)
    return _session(
        spikes,
        _units(spikes),
        position["t"].astype(np.int64),
        np.stack([position["x"], position["y"]], axis=1),
    )


def _trajectory(path: Path) -> np.ndarray:
    """A text header up to <End settings>, then packed records, little-endian."""
    raw = path.read_bytes()
    mark = b"<End settings>\n"
    end = raw.find(mark)
    if end < 0:
        raise BadInput(f"{path}: has no line <End settings>: it is not a videoPositionTracking file, fetch it again")
    header = dict(line.split(": ", 1) for line in raw[:end].decode("latin-1").splitlines() if ": " in line)
    if header.get("clockrate") != str(CLOCK):
        raise BadInput(f"{path}: clockrate is {header.get('clockrate')}, not {CLOCK}: fetch it again")
    record = np.dtype([("t", "<u4"), ("x", "<u2"), ("y", "<u2"), ("x2", "<u2"), ("y2", "<u2")])
    body = raw[end + len(mark) :]
    if not body or len(body) % record.itemsize:
        raise BadInput(
            f"{path}: is cut short ({len(body)} bytes are not whole records of {record.itemsize}): fetch it again"
        )
    return np.frombuffer(body, dtype=record)


def _units(path: Path) -> list[np.ndarray]:
    """Ticks of each unit that ever fired, in file order.

    The file: two 1 x 1 cells around the tetrodes, each a cell of units with a field `time` in seconds.
    """
    from scipy.io import loadmat

    try:
        tetrodes = loadmat(path)["spikes"][0, 0][0, 0][0]
        cells = [cell for tetrode in tetrodes for cell in tetrode[0] if cell.size]
        times = [np.asarray(cell["time"][0, 0], dtype=np.float64).ravel() for cell in cells]
    except Exception as error:  # scipy has no one exception for a file that is not what it seems
        raise BadInput(f"{path}: cannot be read as spikes.mat ({type(error).__name__}): fetch it again") from error
    return [np.round(unit * CLOCK).astype(np.int64) for unit in times if unit.size]
