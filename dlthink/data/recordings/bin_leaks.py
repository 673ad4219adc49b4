"""What a run has seen of a recording, so that the same one again, cut or shifted, examines it on nothing of that."""

from __future__ import annotations

import numpy as np
import torch

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.reading_report import listed
from dlthink.data.recordings.session import Session

IN_A_ROW = 8  # intervals between spikes of one unit by which a moment is known again
STEP = 1e-5  # s, how exactly
MOST = 4096  # moments of a recording that are kept ...
SPARE = 8  # ... of so many times as many that are looked at
ALIKE = 8  # moments that must come again, equally late, for a recording to be the same
LATE = 1e-3  # s, what counts as equally late


def seen(session: Session, bins: Bins, trained: np.ndarray) -> dict[str, torch.Tensor]:
    """Moments of the recording, by what they are known, and the stretches [K, 2] (s) of the bins `trained`, bool [T].

    Plain values for the state; times are those of the recording's own clock.
    """
    known, times = _moments(session, min(1.0, SPARE * MOST / max(1, sum(map(len, session.spikes)))))
    chosen = np.unique(np.linspace(0, len(known) - 1, MOST).astype(int)) if len(known) else []
    stretches = bins.centres[_ends(trained, bins)] + [-bins.width / 2, bins.width / 2] + session.origin
    kept = {"moments": known[chosen], "times": times[chosen], "stretches": stretches}
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in kept.items()}


def seen_before(session: Session, bins: Bins, state: dict) -> tuple[np.ndarray, list[str]]:
    """[T] the bins that overlap what the run was trained on or chosen by, where this is the same recording; notes."""
    before = state.get("seen")
    if before is None:
        return np.zeros(len(bins), bool), ["the run does not know what it has seen: take no part of its own recording"]
    largest = float(before["moments"].max()) if len(before["moments"]) else 0.0
    known, times = _moments(session, min(1.0, largest / 2.0**64 + 0.5 + 1e-9))
    _, theirs, ours = np.intersect1d(before["moments"].numpy(), known, assume_unique=True, return_indices=True)
    late = times[ours] - before["times"].numpy()[theirs]
    steps, number = np.unique(np.rint(late / LATE), return_counts=True)
    found = np.zeros(len(bins), bool)
    if number.max(initial=0) < ALIKE:
        return found, []
    shift = float(np.median(late[np.abs(late - steps[number.argmax()] * LATE) <= LATE]))
    centres, tolerance = bins.centres + session.origin, bins.width * (0.5 - 1e-6)
    for start, stop in before["stretches"].numpy() + shift:
        found |= (centres + tolerance > start) & (centres - tolerance < stop)
    later = f", {abs(shift):.6g} s {'later' if shift > 0 else 'earlier'}" if abs(shift) > LATE else ""
    return found, [
        f"this is the recording that the run was trained with{later}: left out, the run has seen them: "
        f"{int(found.sum()):,} of {len(bins):,} bins"
    ]


def unseen(session: Session, bins: Bins, state: dict) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """([T] block, [T] role) where all is test but what the run has seen; notes on that, and on units it never knew."""
    found, said = seen_before(session, bins, state)
    block = np.cumsum(np.append(False, np.diff(found)))
    new = [unit for unit in session.units if unit not in state["units"]]
    said += [f"left out, unknown to the run: unit {listed(new)}"] if new else []
    return block, np.where(found, "seen", "test"), said


def _moments(session: Session, share: float) -> tuple[np.ndarray, np.ndarray]:
    """([S] int64, [S] s): what `IN_A_ROW` intervals between spikes of a unit are, each alone of its kind, and when.

    share: only the so small among these numbers, which are as good as random; the same ones in every recording.
    """
    largest = np.iinfo(np.int64).max if share >= 1 else int((share - 0.5) * 2.0**64)
    weights = np.random.default_rng(0).integers(-(2**62), 2**62, IN_A_ROW)
    hashes, times = [np.empty(0, np.int64)], [np.empty(0)]
    for unit in session.spikes:
        steps = np.rint(np.diff(unit) / STEP).astype(np.int64)
        if len(steps) >= IN_A_ROW:
            found = np.lib.stride_tricks.sliding_window_view(steps, IN_A_ROW) @ weights  # wraps around
            small = found <= largest
            hashes.append(found[small])
            times.append(unit[: len(found)][small] + session.origin)
    known, first, number = np.unique(np.concatenate(hashes), return_index=True, return_counts=True)
    return known[number == 1], np.concatenate(times)[first[number == 1]]


def _ends(trained: np.ndarray, bins: Bins) -> np.ndarray:
    """[K, 2] first and last bin of each run of bins that are `trained`, without a break in time."""
    place = np.flatnonzero(trained)
    breaks = (np.diff(place) > 1) | (np.diff(bins.origin[place]) != 0)
    return np.stack([place[np.append(True, breaks)], place[np.append(breaks, True)]], axis=1)
