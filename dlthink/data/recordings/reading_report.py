"""What a run says of the recording that it has read, and where that looks wrong."""

from __future__ import annotations

import numpy as np

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.series import Series, clock
from dlthink.data.recordings.session import Session

FAR = 20.0  # spreads beyond the training values: nothing that was learned holds there
APART, SELDOM = 10.0, 0.05  # ranges of all other values, and the share of rows, of a value that looks like a code
SLOW, MANY = 1.5, 5.0  # bins from one covariate sample to the next: worth a note; a wrong unit of time perhaps
RARE, RAREST, QUICKEST = 0.1, 0.02, 1000.0  # Hz, of the median unit
COARSE = 0.02  # of a bin: times stored in larger steps than that
COPY = 0.95  # correlation of a covariate with a unit's counts
MISSING = 200.0  # spikes of all units together, whose absence is no chance
GAP = "data.gap=1 leaves gaps longer than 1 s out"
LEVELS = 10  # values of a covariate that may be a state


def read(session: Session, bins: Bins, counts: np.ndarray, rows: dict[str, np.ndarray], used: int) -> str:
    """Units, spikes, seconds, bins, samples in each, splits: to be compared with what one knows of the recording."""
    seconds, stretches = len(bins) * bins.width, len(bins.edges)
    where = f" in {stretches:,} stretches" if stretches > 1 else ""
    units = f"{counts.shape[1]:,} unit{'s' * (counts.shape[1] > 1)}"
    splits = ", ".join(f"{name} {len(some):,}" for name, some in rows.items())
    splits = splits if used == len(bins) else f"{used:,} bins as data.where asks, {splits}"
    return (
        f"read {units} with {int(counts.sum()):,} spikes in {seconds:,.6g} s{where}: {len(bins):,} bins of "
        f"{bins.width:g} s; {'; '.join(_sampled(series, bins) for series in session.series)}; {splits}"
    )


def _sampled(series: Series, bins: Bins) -> str:
    number = f"{len(series.names)} covariate{'s' * (len(series.names) > 1)}"
    if series.held:
        return f"{number} of {series.key}"
    samples = int((bins.of(series.times) >= 0).sum()) / len(bins)
    named = "" if series.key == "covariates" else f" of {series.key}"
    return f"{number}{named}, {samples:.3g} samples a bin"


def pace(session: Session, bins: Bins, counts: np.ndarray, hold: list[str]) -> list[str]:
    """Times that are centres of bins or no seconds, covariates that come more slowly than bins, and their pauses."""
    rate = float(np.median(counts.sum(axis=0))) / (len(bins) * bins.width)
    sampled = [series for series in session.series if not series.held]
    step = max((series.step for series in sampled), default=0.0)
    every = step / bins.width
    notes = []
    if session.reach:
        notes.append(
            f"covariate_times lie one bin apart: taken as centres of bins, the first of which begins at "
            f"{clock(session.origin)} s; if bins begin elsewhere, say so with the key intervals"
        )
    if rate < RAREST or (rate < RARE and every >= MANY):
        notes.append(
            f"covariates come every {step:.4g} s, {every:.4g} bins a sample, and the median unit fires at "
            f"{rate:.2g} Hz: are times in milliseconds or sample numbers? They must be in seconds"
        )
    if session.rounding > COARSE * bins.width:
        notes.append(
            f"times are stored in steps of {session.rounding:.2g} s, bins are {bins.width:g} s wide: spikes near an "
            f"edge may fall into the next bin: save times as float64, counted from the recording's beginning"
        )
    if rate > QUICKEST:
        notes.append(f"the median unit fires at {rate:,.0f} Hz: are times in minutes or hours? They must be in seconds")
    return notes + [note for series in sampled for note in _between_rows(series, session, bins, hold)]


def _between_rows(series: Series, session: Session, bins: Bins, hold: list[str]) -> list[str]:
    """What lies in bins without a row of it: between two rows as they usually come, and in pauses."""
    lines = [name for name in series.names if name not in hold]
    if not lines:
        return []
    begins, lasts = _pauses(series, session.intervals)
    where, notes = bins.of(series.times), []
    bridged = int(_inside(bins.centres, begins, lasts).sum())
    usual = max(len(bins) - bridged, 1)
    every, empty = series.step / bins.width, max(0.0, 1 - len(np.unique(where[where >= 0])) / usual)
    slow = every > SLOW or empty > 0.1
    states = [name for name in lines if _is_state(series, name)] if slow else []
    if slow:
        advice = (
            f"if {listed(states)} is a state, coded by its changes" if states else "if a value stays until the next"
        )
        notes.append(
            f"{series.key} come every {series.step:.4g} s, {every:.4g} bins a sample; {empty:.0%} of bins have none "
            f"and lie on a straight line between two: {advice}, data.hold=[{','.join(states or lines[:1])}] keeps it"
        )
    if len(lasts) and lasts.max() > bins.width and not states:  # changes of a state come at any time
        share = f"{bridged / len(bins):.0%} of bins in all"
        notes.append(f"{pause(series, session)}, {share}: bridged by a straight line; {GAP}")
    return notes


def pause(series: Series, session: Session, share: float = 0.0) -> str:
    """The longest pause of its rows and when it begins; nothing where it is none, or less than that share of all."""
    begins, lasts = _pauses(series, session.intervals)
    if not len(lasts) or lasts.max() < share * np.diff(session.intervals).sum():
        return ""
    return f"{series.key} pause for up to {lasts.max():.3g} s, from {clock(begins[lasts.argmax()] + session.origin)} s"


def _pauses(series: Series, intervals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([k], [k]): when rows inside an interval stop for ten times as long as usual, a second or more, and how long."""
    steps = np.diff(series.times)
    inside = np.zeros(len(steps), dtype=bool)
    for low, high in intervals:
        inside |= (series.times[1:] > low) & (series.times[:-1] < high)
    long = inside & (steps > max(10 * series.step, 1.0))
    return series.times[:-1][long], steps[long]


def _inside(times: np.ndarray, begins: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """Which times lie in one of these ascending stretches."""
    if not len(begins):
        return np.zeros(len(times), dtype=bool)
    latest = np.searchsorted(begins, times) - 1
    return (latest >= 0) & (times < (begins + lasts)[latest])


def _is_state(series: Series, name: str) -> bool:
    values = np.unique(series.values[:, series.names.index(name)])
    return len(values) <= LEVELS


def limits(train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([F], [F]): the values of each covariate, [T, F] in training bins, beyond which nothing that was learned holds.

    `FAR` spreads beyond the smallest and the largest of them.
    """
    room = FAR * train.std(axis=0)
    return train.min(axis=0) - room, train.max(axis=0) + room


def beyond(values: np.ndarray, state: dict) -> np.ndarray:
    """[T, F] which covariates lie beyond their `limits`. values [T, F]: those of `state`, in every bin."""
    return (values < state["low"].numpy()) | (values > state["high"].numpy())


def strange(
    session: Session, bins: Bins, far: np.ndarray, state: dict, role: np.ndarray | None = None, fewer: int = 0
) -> list[str]:
    """Covariates that are `beyond`, far [T, F]: which, when, in which rows of the file, counted from 0.

    role [T], the split of each bin; fewer: how many bins of validation are left out for that
    """
    notes = []
    for series in session.series if far.any() else ():
        columns = [c for c, name in enumerate(state["covariates"]) if name in series.names and far[:, c].any()]
        if columns:
            notes += _strange_rows(series, session.origin, bins, far, columns, state, role, fewer)
    return notes


def _strange_rows(
    series: Series,
    origin: float,
    bins: Bins,
    far: np.ndarray,
    columns: list[int],
    state: dict,
    role: np.ndarray | None,
    fewer: int,
) -> list[str]:
    low, high, mean, std = (state[name].numpy()[columns] for name in ("low", "high", "mean", "std"))
    when = np.flatnonzero(far[:, columns].any(axis=1))
    names = [state["covariates"][column] for column in columns]
    given = series.values[:, [series.names.index(name) for name in names]]
    places = np.flatnonzero(((given < low) | (given > high)).any(axis=1))
    near = places[_near(series.times[places], bins.centres[when], bins.width + series.step)]
    places = near if len(near) else places  # a value that was held, or a line over a long pause
    if not len(places):
        return []
    away = np.abs(given[places] - mean) / std
    row, column = np.unravel_index(np.argmax(away), away.shape)
    rows = places if series.rows is None else series.rows[places]
    several = f"{len(rows)} rows: {_ranges(rows)}" if len(rows) > 1 else f"row {rows[0]}"
    first, last = (clock(series.times[places[end]] + origin) for end in (0, -1))
    span = f"at {first} s" if first == last else f"from {first} to {last} s"
    split = "" if role is None else f" in {', '.join(dict.fromkeys(role[when]))}"
    left_out = f"; {fewer} bins are left out of validation" if fewer else ""
    return [
        f"covariate {listed(names)} is out of range {span}{split} ({several}), up to {away.max():,.0f} standard "
        f"deviations from training ({names[column]} = {given[places[row], column]:.10g}): a code for lost data? "
        f"Fill it in, or leave the stretch out with the key intervals{left_out}"
    ]


def codes(session: Session) -> list[str]:
    """A value that few rows have exactly, far from all others of its covariate: like `strange`, in training."""
    return [
        note
        for series in session.series
        if not series.held
        for name, values in zip(series.names, series.values.T, strict=True)
        for code in (values.min(), values.max())
        for note in _code(series, name, values, code, session.origin)
    ]


def _code(series: Series, name: str, values: np.ndarray, code: float, origin: float) -> list[str]:
    rest, places = values[values != code], np.flatnonzero(values == code)
    if not len(places) <= SELDOM * len(values):
        return []
    apart = APART if len(places) > 1 else 10 * APART
    if not np.abs(rest - code).min() > apart * np.ptp(rest) > 0:
        return []
    rows, when = places if series.rows is None else series.rows[places], clock(series.times[places[0]] + origin)
    several = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
    return [
        f"covariate {name} is exactly {code:.10g} in {several} ({_ranges(rows)}; first at {when} s), far from all its "
        f"other values: a code for lost data? Fill it in, or leave the stretch out with the key intervals"
    ]


def _near(times: np.ndarray, centres: np.ndarray, reach: float) -> np.ndarray:
    """Which times lie within reach of any of the ascending centres."""
    after = np.searchsorted(centres, times)
    nearest = np.minimum(
        np.abs(centres[np.minimum(after, len(centres) - 1)] - times), np.abs(times - centres[np.maximum(after - 1, 0)])
    )
    return nearest <= reach


def _ranges(rows: np.ndarray, most: int = 4) -> str:
    """0-based rows of the file as 17-21, 40."""
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    shown = [f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts[:most]]
    return ", ".join(shown) + (f" and {len(parts) - most} more" if len(parts) > most else "")


def copies(covariates, counts: np.ndarray, units: list[str], train: np.ndarray) -> list[str]:
    """Covariates that say how many spikes a unit has in the same bin: no behaviour does."""
    values = covariates.values[train]
    spread = values.std(axis=0)
    varies = np.flatnonzero(spread > 0)
    values = (values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies]
    found = []
    for unit, name in enumerate(units):
        spikes = counts[train, unit].astype(np.float64)
        if spikes.std() > 0 and len(varies):
            r = values.T @ ((spikes - spikes.mean()) / spikes.std()) / len(spikes)
            found += [f"{covariates.names[varies[c]]} (unit {name})" for c in np.flatnonzero(np.abs(r) > COPY)]
    if not found:
        return []
    return [
        f"covariate {listed(found)} goes with the spikes of the same bin (|r| > {COPY}): was it made from them? Then "
        f"the network is told what it is to predict: leave it out with data.series"
    ]


def silence(session: Session, bins: Bins, counts: np.ndarray) -> list[str]:
    """The longest stretch in which no unit fires, where so many spikes are missing that it is no chance."""
    total = counts.sum(axis=1)
    turns = np.flatnonzero(np.diff(np.concatenate([[False], total == 0, [False]]).astype(int)))
    if not len(turns):
        return []
    starts, lengths = turns[::2], np.diff(turns)[::2]
    first, number = int(starts[lengths.argmax()]), int(lengths.max())
    usual = number * float(total.mean())
    if usual < MISSING:
        return []
    return [
        f"no unit fires for {number * bins.width:.4g} s from {clock(bins.centres[first] + session.origin)} s on "
        f"({number:,} bins), where {usual:,.0f} spikes would be usual: was anything recorded? Leave it out with "
        f"the key intervals, or data.start and data.stop"
    ]


def listed(names: list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
