"""What every covariate was in every bin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dlthink.data.recordings.bins import Bins
from dlthink.data.recordings.bumps import Bumps
from dlthink.data.recordings.reading_report import listed
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput


@dataclass
class Covariates:
    """values [T, F] in float64, by name; notes: what was left out.

    groups  {name of a series: names of its covariates}
    steps   [F] how far apart two stored values must be to be told apart
    units   [F] of measurement, "" where the file does not say
    """

    source: str
    names: list[str]
    values: np.ndarray
    units: list[str]
    steps: np.ndarray
    groups: dict[str, list[str]]
    notes: list[str] = field(default_factory=list)

    def by_name(self) -> dict[str, np.ndarray]:
        return dict(zip(self.names, self.values.T, strict=True))

    def chosen(self, wanted: list[str] | None, key: str) -> list[int]:
        """The places of what is wanted by its own name, or that of its series; None: all. Raises BadInput."""
        if wanted is None:
            return list(range(len(self.names)))
        found: list[int] = []
        for name in wanted:
            members = [name, f"{name}_sin", f"{name}_cos", *self.groups.get(name, [])]
            places = [place for place, own in enumerate(self.names) if own in members]
            if not places:
                raise BadInput(
                    f"{key}=[{','.join(wanted)}]: {self.source} has no covariate {name!r}: choose of "
                    f"{listed(self.names)}"
                )
            found += places
        return list(dict.fromkeys(found))

    def varying(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """[F] which of them change in the training bins; what does not, or was stored with too few digits, is noted."""
        varies = std > 1e-14 * np.abs(mean)
        if left_out := [name for name, good in zip(self.names, varies, strict=True) if not good]:
            self.notes.append(f"left out, constant in the training bins: covariate {listed(left_out)}")
        if (coarse := varies & (self.steps > 0.1 * std)).any():
            column = int(np.flatnonzero(coarse)[0])
            self.notes.append(
                f"covariate {self.names[column]} is stored with too few digits: in steps of "
                f"{self.steps[column]:.2g} beside a spread of {std[column]:.2g}: save it as float64"
            )
        return varies

    def with_bumps(self, bumps: Bumps, ends: dict[str, list[float]]) -> Covariates:
        """Itself with bumps along some of them beside them."""
        made = bumps.columns(self.by_name(), ends)
        if not made:
            return self
        return Covariates(
            self.source,
            [*self.names, *made],
            np.concatenate([self.values, np.stack(list(made.values()), axis=1)], axis=1),
            [*self.units, *[""] * len(made)],
            np.concatenate([self.steps, np.zeros(len(made))]),
            self.groups,
            self.notes,
        )


def in_bins(session: Session, bins: Bins, hold: list[str] | None) -> Covariates:
    """The mean of the rows inside each bin, or a line between two; of what is held, its mean over the bin's time."""
    for name in hold or []:
        if name not in session.names:
            raise BadInput(
                f"data.hold=[{','.join(hold)}]: {session.source} has no covariate {name!r}: "
                f"choose of {listed(session.names)}"
            )
    parts = [np.empty((len(bins), 0))]
    for series in session.series:
        held = [series.held or name in (hold or []) for name in series.names]
        part = np.empty((len(bins), len(held))) if all(held) else bins.means(series.times, series.values)
        for column in np.flatnonzero(held):
            part[:, column] = bins.held(series.times, series.values[:, column])
        parts.append(part)
    steps = [np.zeros(len(s.names)) if s.steps is None else s.steps for s in session.series]
    units = [unit for s in session.series for unit in (s.units or [""] * len(s.names))]
    values = parts[1] if len(parts) == 2 else np.concatenate(parts, axis=1)
    groups = {series.key: series.names for series in session.series}
    return Covariates(session.source, session.names, values, units, np.concatenate([np.zeros(0), *steps]), groups)


def positions(source: str, kind: str, names: list[str], wanted: list[str]) -> list[int]:
    """Where those that a network was trained on stand among these names. Raises BadInput."""
    where = {name: position for position, name in enumerate(names)}
    if missing := [name for name in wanted if name not in where]:
        raise BadInput(
            f"{source}: has no {kind} {missing[0]!r}, which the network was trained on "
            f"(it has {listed(names) if names else 'none'}): add it under that name in {kind}_names"
        )
    return [where[name] for name in wanted]
