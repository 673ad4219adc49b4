"""Which stretches of a recording are used: a part of it, without its gaps, its trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dlthink.data.recordings.series import Series, clock
from dlthink.data.recordings.session import Session, check_intervals
from dlthink.errors import BadInput


def between(session: Session, start: float | None, stop: float | None) -> Session:
    """The part from `start` to `stop` seconds after the beginning. Raises BadInput if nothing is left."""
    if start is None and stop is None:
        return session
    whole = session.whole() if session.intervals is None else session.intervals
    first = min([series.times[0] for series in session.lasting] + [whole[0, 0]])
    low = -np.inf if start is None else first + start
    high = np.inf if stop is None else first + stop
    if low >= high:
        raise BadInput(f"data.start={start} is not before data.stop={stop}: choose start < stop, in seconds")
    cut = np.clip(whole, low, high)
    cut = cut[cut[:, 1] > cut[:, 0]]
    if not len(cut):
        raise session.bad(
            f"nothing lies between data.start={start} and data.stop={stop}; "
            f"the recording is {whole[-1, 1] - first:.6g} s long and they count from its beginning"
        )
    return replace(session, intervals=cut)


def without_gaps(session: Session, longest: float | None) -> Session:
    """Itself without the stretches in which a series has no numbers for longer than `longest` seconds.

    Rows with NaN are dropped first, so that what was lost for a while is left out, and what was lost for a moment lies
    on a line. None: all is bridged. Raises BadInput if nothing is left.
    """
    if longest is None:
        return session
    for series in session.series:
        series.check(session.bad, session.rounding)
    series = [each.only(each.finite()) for each in session.series]
    if lost := [each for each in series if not len(each.times)]:
        raise session.bad(f"{lost[0].key} has no row of finite numbers: check how it was saved")
    session = replace(session, series=series)
    kept = session.whole() if session.intervals is None else np.asarray(session.intervals, dtype=float)
    before = float(np.diff(kept).sum())
    for each in (s for s in series if not s.held):
        pauses = np.flatnonzero(np.diff(each.times) > longest)
        starts = np.append(each.times[0], each.times[pauses + 1]) - session.reach
        stops = np.append(each.times[pauses], each.times[-1]) + session.reach
        kept = common(kept, np.stack([starts, stops], axis=1))
    if not len(kept):
        raise session.bad(f"nothing is left without gaps longer than data.gap={longest:g} s: choose a longer one")
    left_out = before - float(np.diff(kept).sum())
    note = f"left out, no covariates for longer than data.gap={longest:g} s: {left_out:.6g} s of {before:.6g} s"
    notes = (*session.notes, note) if left_out > longest else session.notes
    return replace(session, intervals=kept, notes=notes)


def while_measured(session: Session) -> Session:
    """Itself without the spikes before and after its covariates, where most of them are inside: a note says how many.

    Labs sort spikes of hours of which the behaviour is a part. Where most are outside, times are hardly on one clock:
    `checked` says so.
    """
    if session.intervals is not None or session.trials is not None or not session.series or not session.units:
        return session
    for series in session.series:
        series.check(session.bad, session.rounding)
    (low, high), grace = session.whole()[0], max(series.step for series in session.lasting)
    inside = [~((unit < low - grace) | (unit > high + grace)) for unit in session.spikes]  # what is no number stays
    kept, total = (int(sum(map(count, inside))) for count in (np.count_nonzero, len))
    if kept == total or kept < total / 2:
        return session
    note = (
        f"left out: {total - kept:,} of {total:,} spikes ({session.spike_range()}) before or after the covariates, "
        f"{clock(low)} to {clock(high)} s"
    )
    spikes = [unit[where] for unit, where in zip(session.spikes, inside, strict=True)]
    return replace(session, spikes=spikes, notes=(*session.notes, note))


def of_trials(session: Session, used: bool | None) -> Session:
    """Its trials alone, each with its own values as covariates. Raises BadInput.

    used: False leaves trials aside, None takes them if there are any.
    """
    trials = session.trials
    if trials is None and used:
        raise session.bad("holds no trials, which data.trials=true asks for: leave it out, or add the key trials")
    if trials is None or used is False:
        return session

    def bad(what: str) -> BadInput:
        return session.bad(f"{what}; or do without them, data.trials=false")

    check_intervals(trials.intervals, "trials", bad, session.rounding)
    whole = session.whole() if session.intervals is None else np.asarray(session.intervals, dtype=float)
    kept = common(np.asarray(trials.intervals, dtype=float), whole)
    if not len(kept):
        first, last = trials.intervals[0, 0], trials.intervals[-1, 1]
        raise session.bad(
            f"trials, {clock(first)} to {clock(last)} s, lie outside the recording, {clock(whole[0, 0])} to "
            f"{clock(whole[-1, 1])} s: are both in seconds on one clock? data.trials=false does without them"
        )
    lasting = float(np.median(np.diff(trials.intervals)))
    note = (
        f"{len(trials.intervals)} trials of {lasting:.4g} s (median): only these are used; data.trials=false takes all "
        f"of the time, without their own covariates"
    )
    held = Series(trials.values, trials.intervals[:, 0], trials.names, held=True, key="trials", times_key="trials")
    series = [*session.series, held] if trials.names else session.series
    return replace(session, intervals=kept, series=series, notes=(*session.notes, note))


def without(session: Session, invalid: np.ndarray) -> Session:
    """Itself without the stretches [I, 2], in any order, that are marked as invalid."""
    kept = session.whole() if session.intervals is None else np.asarray(session.intervals, dtype=float)
    starts, stops = invalid[np.argsort(invalid[:, 0])].T
    valid = np.stack([np.append(-np.inf, np.maximum.accumulate(stops)), np.append(starts, np.inf)], axis=1)
    kept = common(kept, valid[valid[:, 0] < valid[:, 1]])
    if not len(kept):
        raise session.bad("is marked as invalid for all of its time: there is nothing to use")
    return replace(session, intervals=kept)


def common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """[I, 2] what two sets of ascending intervals have in common; what either parts stays apart."""
    pieces = [
        (max(a, c), min(b, d))
        for a, b in one
        for c, d in other[max(np.searchsorted(other[:, 1], a, side="right"), 0) : np.searchsorted(other[:, 0], b)]
    ]
    pieces = [(start, stop) for start, stop in pieces if start < stop]
    return np.array(pieces).reshape(-1, 2)
