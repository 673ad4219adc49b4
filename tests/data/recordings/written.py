"""One small session on the disk, in every format that labs store recordings in."""

import csv
from datetime import datetime, timezone

import numpy as np
import pytest

SECONDS = 60.0
TRIALS = np.stack([np.arange(1.0, 55.0, 9.0), np.arange(1.0, 55.0, 9.0) + 8.0], axis=1)
SIDE, REWARD = ["left", "right", "left", "left", "right", "right"], [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]


def parts(seed=0):
    """spikes of three units, position [T, 2] at 50 Hz, speed [N, 1] at 20 Hz."""
    rng = np.random.default_rng(seed)
    times, slower = np.arange(0, SECONDS, 0.02), np.arange(0, SECONDS, 0.05)
    return {
        "spikes": [np.round(np.sort(rng.uniform(0, SECONDS - 0.1, n)) * 30_000) / 30_000 for n in (300, 500, 400)],
        "position": np.cumsum(rng.normal(size=(len(times), 2)), axis=0),
        "position_times": times,
        "speed": np.abs(rng.normal(size=(len(slower), 1))),
        "speed_times": slower,
    }


def as_npz(folder, trials=False):
    p = parts()
    keys = {name: p[name] for name in ("position", "position_times", "speed", "speed_times")}
    order = np.argsort(np.concatenate(p["spikes"]), kind="stable")
    keys["spike_times"] = np.concatenate(p["spikes"])[order]
    keys["spike_units"] = np.repeat(np.arange(3), list(map(len, p["spikes"])))[order]
    if trials:
        side = [[float(s == "left"), float(s == "right")] for s in SIDE]
        keys |= {"trials": TRIALS, "trial_covariates": np.column_stack([side, REWARD])}
        keys["trial_covariate_names"] = np.array(["side=left", "side=right", "reward"])
    np.savez(folder / "mine.npz", **keys)
    return folder / "mine.npz"


def as_mat(folder):
    """Version 5, as MATLAB writes it: cells of columns, rows of times."""
    io = pytest.importorskip("scipy.io", reason="scipy writes the .mat file")
    p = parts()
    cells = np.empty((3, 1), dtype=object)
    for unit, spikes in enumerate(p["spikes"]):
        cells[unit, 0] = spikes[:, None]
    stored = {"spike_times": cells, "pos": p["position"], "pos_times": p["position_times"][None]}
    stored |= {"speeds": p["speed"].T, "speed_times": p["speed_times"][:, None]}
    io.savemat(folder / "mine.mat", stored, do_compression=True)
    return folder / "mine.mat"


def as_mat73(folder):
    """Version 7.3: HDF5 with a head of its own, arrays turned, cells as references."""
    h5py = pytest.importorskip("h5py", reason="h5py writes the .mat file of version 7.3")
    p, path = parts(), folder / "new.mat"
    with h5py.File(path, "w", userblock_size=512) as file:

        def put(name, array, group=file):
            stored = group.create_dataset(name, data=np.asarray(array, dtype=float).T)
            stored.attrs["MATLAB_class"] = np.bytes_("double")
            return stored

        hidden = file.create_group("#refs#")
        references = [put(f"u{unit}", spikes[:, None], hidden).ref for unit, spikes in enumerate(p["spikes"])]
        cells = file.create_dataset("spike_times", data=np.array(references, dtype=h5py.ref_dtype)[None])
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        put("pos", p["position"])
        put("pos_times", p["position_times"][None])
        put("speeds", p["speed"])
        put("speed_times", p["speed_times"][:, None])
    with path.open("r+b") as file:
        file.write(
            b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan 01 00:00:00 2024 HDF5 schema 1.00 .".ljust(
                124
            )
        )
        file.write(b"\x00\x02IM")
    return path


def as_h5(folder):
    h5py = pytest.importorskip("h5py", reason="h5py writes the .h5 file")
    p = parts()
    with h5py.File(folder / "mine.h5", "w") as file:
        for unit, spikes in enumerate(p["spikes"]):
            file[f"spike_times/{unit}"] = spikes
        for name in ("position", "position_times", "speed", "speed_times"):
            file[name] = p[name]
    return folder / "mine.h5"


def as_nwb(folder, trials=False, **changes):
    pynwb = pytest.importorskip("pynwb", reason="pynwb writes the NWB file")
    p = parts()
    began = datetime(2024, 1, 1, tzinfo=timezone.utc)
    file = pynwb.NWBFile(session_description="made here", identifier="x", session_start_time=began)
    if changes.get("units", True):
        for unit, spikes in enumerate(p["spikes"]):
            file.add_unit(spike_times=spikes, id=unit)
    module = file.create_processing_module("behavior", "what it did")
    place = pynwb.behavior.Position(name="Position")
    place.create_spatial_series(
        name="position",
        data=p["position"] * 100,
        conversion=0.01,
        timestamps=p["position_times"],
        reference_frame="corner",
        unit="m",
    )
    module.add(place)
    running = pynwb.TimeSeries(name="speed", data=p["speed"][:, 0], rate=20.0, starting_time=0.0, unit="m/s")
    module.add(running)
    lfp = pynwb.TimeSeries(name="breath", data=np.sin(np.arange(600)), rate=10.0, unit="V")
    file.add_acquisition(lfp)
    if trials:
        file.add_trial_column("side", "where to")
        file.add_trial_column("reward", "was there one")
        file.add_trial_column("cue_time", "when")
        for (start, stop), side, reward in zip(TRIALS, SIDE, REWARD, strict=True):
            file.add_trial(start_time=start, stop_time=stop, side=side, reward=reward, cue_time=start + 1)
    for start, stop in changes.get("epochs", ()):
        file.add_epoch(start_time=start, stop_time=stop)
    for start, stop in changes.get("invalid", ()):
        file.add_invalid_time_interval(start_time=start, stop_time=stop)
    with pynwb.NWBHDF5IO(str(folder / "mine.nwb"), "w") as io:
        io.write(file)
    return folder / "mine.nwb"


def as_phy(folder, labels=("good", "good", "good"), trials=False):
    p, place = parts(), folder / "sorted"
    place.mkdir()
    times, owner = np.concatenate(p["spikes"]), np.repeat(np.arange(3), list(map(len, p["spikes"])))
    order = np.argsort(times, kind="stable")
    np.save(place / "spike_times.npy", np.round(times[order] * 30_000).astype(np.uint64)[:, None])
    np.save(place / "spike_clusters.npy", owner[order].astype(np.int32))
    (place / "params.py").write_text("dat_path = 'raw.dat'\nn_channels_dat = 32\nsample_rate = 30000.\n")
    if labels:
        lines = [f"{cluster}\t{label}" for cluster, label in enumerate(labels)]
        (place / "cluster_group.tsv").write_text("\n".join(["cluster_id\tgroup", *lines]) + "\n")
    table(place / "position.csv", ["time", "position_x", "position_y"], p["position_times"], p["position"])
    table(place / "speed.csv", ["time", "speed"], p["speed_times"], p["speed"])
    if trials:
        rows = [[*map(float, ends), side, reward] for ends, side, reward in zip(TRIALS, SIDE, REWARD, strict=True)]
        with (place / "trials.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["start", "stop", "side", "reward"], *rows])
    return place


def table(path, names, times, values):
    np.savetxt(path, np.column_stack([times, values]), delimiter=",", header=",".join(names), comments="", fmt="%.12g")
    return path


FORMATS = {"npz": as_npz, "mat": as_mat, "mat73": as_mat73, "h5": as_h5, "nwb": as_nwb, "phy": as_phy}
