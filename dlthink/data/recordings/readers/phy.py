"""A folder of Kilosort and Phy: spikes in samples, clusters and what they were judged to be; covariates as CSV."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlthink.data.recordings.readers import csv_series
from dlthink.data.recordings.readers.array_listing import MOST, whole
from dlthink.data.recordings.session import Session
from dlthink.data.recordings.units import by_owner
from dlthink.errors import BadInput

SPIKES, CLUSTERS, PARAMETERS = "spike_times.npy", "spike_clusters.npy", "params.py"
LABELS = ("cluster_group.tsv", "cluster_info.tsv", "cluster_KSLabel.tsv", "cluster_groups.csv")
LONGEST = 1 << 20  # bytes of params.py and of the tables of clusters


def is_one(folder: Path) -> bool:
    return (folder / SPIKES).exists()


def session(folder: Path, need_spikes: bool = True, need_covariates: bool = True) -> Session:
    """The session in such a folder: clusters that were judged `good` (none judged: all), CSV files as series.

    intervals.csv and trials.csv, with columns start and stop, are what they are called; every other CSV has a column of
    times in seconds from the first sample. The sample rate is read from params.py as text. Raises BadInput.
    """
    notes: list[str] = []
    spikes, units = _spikes(folder, notes) if need_spikes else ([], [])
    tables = {file.stem: file for file in sorted(folder.glob("*.csv")) if file.name not in LABELS}
    trials, cut = tables.pop("trials", None), tables.pop("intervals", None)
    found, left_out = csv_series.trials(trials) if trials else (None, [])
    series = [csv_series.series(file) for file in tables.values()] if need_covariates else []
    if need_covariates and not series:
        raise BadInput(
            f"{folder}: holds no covariates",
            "put a CSV with a column time (seconds) beside the spikes, or name one, data.behaviour=FILE.csv",
        )
    return Session(
        source=str(folder),
        spikes=spikes,
        units=units,
        series=series,
        intervals=csv_series.intervals(cut) if cut else None,
        trials=found,
        notes=(*notes, *left_out),
    )


def contents(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, what is in it) of all that is read of such a folder."""
    samples, owner = (_array(folder / name) for name in (SPIKES, CLUSTERS))
    yield SPIKES, f"{len(samples):,} spikes, in samples"
    yield CLUSTERS, f"{len(np.unique(owner))} clusters"
    labels = list(_labels(folder).values())
    if labels:
        yield "judged", ", ".join(f"{labels.count(label)} {label or 'not'}" for label in sorted(set(labels)))
    if (folder / PARAMETERS).is_file():
        yield PARAMETERS, f"{sample_rate(folder):g} samples per second"
    for file in sorted(folder.glob("*.csv")):
        if file.name not in LABELS:
            yield file.name, ", ".join(csv_series.columns(file))


def _spikes(folder: Path, notes: list[str]) -> tuple[list[np.ndarray], list[str]]:
    samples, owner = (_array(folder / name) for name in (SPIKES, CLUSTERS))
    if len(samples) != len(owner):
        raise BadInput(
            f"{folder}: {SPIKES} has {len(samples):,} spikes and {CLUSTERS} {len(owner):,}: export both again"
        )
    times = samples / sample_rate(folder)
    labels = _labels(folder)
    good = {cluster for cluster, label in labels.items() if label == "good"}
    wanted = good or {cluster for cluster, label in labels.items() if label != "noise"} or None
    if labels and wanted is None:
        raise BadInput(f"{folder}: all {len(labels)} of its clusters are judged noise: judge some good")
    order = np.argsort(times, kind="stable")  # of a merged cluster, spikes may come in two runs
    spikes, units = by_owner(folder, times[order], owner[order], [])
    if wanted is None:
        notes.append(
            f"clusters are not judged (no {LABELS[0]} with cluster_id and group): all of them are used, noise too"
        )
        return spikes, units
    if silent := sorted(cluster for cluster in wanted if str(cluster) not in units):
        notes.append(f"left out, without a spike: cluster {', '.join(map(str, silent[:8]))}")
    kept = [i for i, unit in enumerate(units) if int(unit) in wanted]
    if not kept:
        raise BadInput(f"{folder}: none of its clusters that are to be used has a spike: check {CLUSTERS}")
    if len(kept) < len(units):
        judged = "good" if good else "anything but noise"
        notes.append(f"{len(kept)} of {len(units)} clusters are judged {judged}: the others are left out")
    return [spikes[i] for i in kept], [units[i] for i in kept]


def _array(path: Path) -> np.ndarray:
    """[S] whole numbers from an .npy, without pickle."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file: a folder of Phy has {SPIKES} and {CLUSTERS}: export it again")
    with whole(path):
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.dtype.kind not in "iu" or mapped.size > MOST or mapped.size != len(mapped):
            raise BadInput(
                f"{path}: holds {list(mapped.shape)} of {mapped.dtype}: whole numbers are needed, one a spike"
            )
        return np.array(mapped).ravel()


def sample_rate(folder: Path) -> float:
    """Samples per second, from the line `sample_rate = 30000.` of params.py, which is never run. Raises BadInput."""
    path = folder / PARAMETERS
    if not path.is_file():
        raise BadInput(
            f"{path}: no such file, and nothing else says how many samples a second has: copy it from where the spikes "
            f"were sorted, or write one with the line sample_rate = 30000."
        )
    try:
        found = [
            ast.literal_eval(node.value)
            for node in ast.parse(_text(path)).body
            if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "sample_rate" for name in node.targets)
        ]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"{path}: its line sample_rate cannot be read: write sample_rate = 30000.") from error
    if len(found) != 1 or not isinstance(found[0], int | float) or not 0 < found[0] < 1e9:
        raise BadInput(f"{path}: has no line like sample_rate = 30000.: add it")
    return float(found[0])


def _text(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise BadInput(f"{path}: is larger than {LONGEST >> 20} MB: it is none of Phy's")
    return text


def _labels(folder: Path) -> dict[int, str]:
    """What each cluster was judged to be: good, mua, noise, unsorted; the first table that says so."""
    for name in LABELS:
        path = folder / name
        if not path.is_file():
            continue
        lines = _text(path).splitlines()
        rows = list(csv.DictReader(lines, delimiter="\t" if lines and "\t" in lines[0] else ","))
        column = next((c for c in ("group", "KSLabel") if rows and c in rows[0]), None)
        number = next((c for c in ("cluster_id", "id") if rows and c in rows[0]), None)
        if column and number:
            try:
                return {int(row[number]): (row[column] or "").strip().lower() for row in rows}
            except (TypeError, ValueError) as error:
                raise BadInput(f"{path}: a {number} is no whole number: export it again") from error
    return {}
