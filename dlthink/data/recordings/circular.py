"""Covariates that go around: an angle as its sine and cosine, so that 359 degrees lie beside 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput

TURNS = {"radians": 2 * np.pi, "degrees": 360.0}
ROOM = 1.02  # a turn may be this much too long, by noise


def periods(circular: Sequence[str | int] | Mapping[str, float | None] | None) -> dict[str, float | None] | None:
    """{NAME: its period, or None where it is not said}, as `turns` wants it, of a list of names too. BadInput."""
    if not circular:
        return None
    given = circular if isinstance(circular, Mapping) else dict.fromkeys(circular)
    for name, period in given.items():
        if period is not None and not (np.isfinite(period) and period > 0):
            raise BadInput(f"data.circular={{{name}:{period:g}}}: a turn is longer than 0: choose for example 360")
    return {str(name): None if period is None else float(period) for name, period in given.items()}


def turns(session: Session, circular: Mapping[str, float | None]) -> tuple[dict[str, float], list[str]]:
    """({NAME: its period in its own units}, a note on each that was guessed). Raises BadInput.

    circular: as of `periods`; None: 2 pi or 360, by how far its values reach in this recording.
    """
    found, notes = {}, []
    if missing := set(circular) - set(session.names):
        raise BadInput(
            f"data.circular: {session.source} has no covariate {min(missing)!r}: it has {', '.join(session.names)}"
        )
    for name, period in circular.items():
        if period is None:
            _, values = _column(session, name)
            word, period = _turn(session, name, values)
            notes.append(f"{name} goes around, in {word}: x has its sine and cosine")
        found[name] = period
    return found, notes


def turned(session: Session, periods: Mapping[str, float]) -> Session:
    """Itself with NAME_sin and NAME_cos in place of each NAME, before anything is averaged: means go wrong around 0."""
    for name, period in periods.items():
        place, values = _column(session, name)
        parts = list(session.series)
        with np.errstate(invalid="ignore"):  # what is infinite is refused later, with its time
            parts[place] = _as_sine_and_cosine(parts[place], name, 2 * np.pi * values / period)
        session = replace(session, series=parts)
    return session


def _column(session: Session, name: str) -> tuple[int, np.ndarray]:
    """(the place of the series that holds a covariate, its values)."""
    place = next((i for i, series in enumerate(session.series) if name in series.names), None)
    if place is None:
        raise BadInput(f"{session.source}: has no covariate {name!r}: it has {', '.join(session.names)}")
    series = session.series[place]
    return place, series.values[:, series.names.index(name)]


def angle(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The angle in radians, -pi to pi, of a mean sine and cosine."""
    return np.arctan2(sine, cosine)


def _turn(session: Session, name: str, values: np.ndarray) -> tuple[str, float]:
    span = float(np.nanmax(values) - np.nanmin(values))
    for word, turn in TURNS.items():
        if span <= ROOM * turn and float(np.nanmax(np.abs(values))) <= ROOM * turn:
            return word, turn
    raise BadInput(
        f"data.circular=[{name}]: {session.source} has it from {np.nanmin(values):.4g} to {np.nanmax(values):.4g}, "
        f"which is more than a turn of 360: wrap it, or say how long a turn is, data.circular={{{name}:24}}"
    )


def _as_sine_and_cosine(series: Series, name: str, angles: np.ndarray) -> Series:
    column = series.names.index(name)

    def spliced(row: list, new: list) -> list:
        return [*row[:column], *new, *row[column + 1 :]]

    columns = spliced(list(series.values.T), [np.sin(angles), np.cos(angles)])
    return replace(
        series,
        values=np.stack(columns, axis=1),
        names=spliced(series.names, [f"{name}_sin", f"{name}_cos"]),
        units=spliced(series.units, ["", ""]) if series.units else [],
        steps=None if series.steps is None else np.array(spliced(list(series.steps), [0.0, 0.0])),
    )
