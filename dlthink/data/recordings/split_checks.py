"""Splits that no run can use, told before it begins: without bins, without spikes, without units."""

from __future__ import annotations

import numpy as np

from dlthink.data.recordings.bins import totals
from dlthink.data.recordings.reading_report import listed
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput


def check_rows(source: str, rows: dict[str, np.ndarray], window: tuple[int, int], choose: str | None) -> None:
    """Raises BadInput where a split has no bins. choose: what would help; None where all is test. window: bins before
    and after."""
    before, after = window
    empty = [name for name in rows if not len(rows[name])]
    if choose is None and "test" in empty:
        raise BadInput(
            f"{source}: no bin is left to examine the run on: it has seen them all, or none has a whole window of "
            f"{before} bins before and {after} after"
        )
    if empty and choose is not None:
        raise BadInput(
            f"{source}: no bin is left for {empty[0]} between the gaps: choose {choose} or a shorter window than "
            f"{before} bins before and {after} after"
        )


def check_spikes(session: Session, counts: np.ndarray, rows: dict[str, np.ndarray], blocks: int) -> None:
    """Raises BadInput where the bins of a split hold no spike at all. counts [T, units]"""
    if silent := [name for name in rows if len(rows[name]) and not totals(counts, rows[name]).any()]:
        series = "; ".join(
            f"{each.key} from {each.times[0] + session.origin:g} to {each.times[-1] + session.origin:g} s"
            for each in session.series
        )
        raise BadInput(
            f"{session.source}: not one spike falls in the {silent[0]} bins (spikes: {session.spike_range()}; "
            f"{series}): are spikes and covariates on one clock, in seconds? If they are, choose more data.blocks "
            f"than {blocks}, or data.start and data.stop"
        )


def kept_units(session: Session, spikes: np.ndarray, min_spikes: int) -> tuple[list[int], list[str]]:
    """(Units with so many of the `spikes` [units] of training, a note on the others). Raises BadInput."""
    least = max(min_spikes, 1)
    kept = [unit for unit in range(len(spikes)) if spikes[unit] >= least]
    if not kept:
        raise BadInput(
            f"{session.source}: no unit has {least} spikes in the training bins "
            f"(the busiest has {int(spikes.max())}): "
            f"lower data.min_spikes, or check that spikes and covariates are on one clock, in seconds"
        )
    few = [session.units[unit] for unit in range(len(spikes)) if spikes[unit] < least]
    return kept, [f"left out, fewer than {least} spikes in the training bins: unit {listed(few)}"] if few else []
