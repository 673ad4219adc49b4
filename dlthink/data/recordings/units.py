"""Spikes by unit: from one list of times and one of whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlthink.errors import BadInput

SPIKES = 2**19  # handed to their units at a time


def by_owner(path: Path, times: np.ndarray, owner: np.ndarray, names: list[str]) -> tuple[list[np.ndarray], list[str]]:
    """The times of each unit, and its name. times, owner: [S]; names: of units by number, or those among `owner`.

    Units come in sorted order, or in that of names. Raises BadInput.
    """
    if times.ndim != 1 or owner.shape != times.shape:
        raise BadInput(
            f"{path}: spike_times has shape {times.shape} and spike_units {owner.shape}: "
            f"give one unit for every spike, [S] each"
        )
    if not len(times):
        raise BadInput(f"{path}: spike_times is empty: there is nothing to learn from")
    if owner.dtype.kind in "US":
        order = np.array(names) if names else _distinct(_text(owner))
        owner, present = _text(owner), set(order.tolist())
        if strange := sorted(set(_distinct(owner).tolist()) - present):
            raise BadInput(f"{path}: spike_units has {strange[0]!r}, which unit_names lacks: add it there")
        return _split(times, owner, order), [str(name) for name in order]
    if owner.dtype.kind == "f":
        if not (np.abs(owner) < 2**53).all() or not np.equal(np.mod(owner, 1), 0).all():
            raise BadInput(f"{path}: spike_units holds fractions or NaN: give whole numbers or names")
        owner = owner.astype(np.int64)
    if owner.dtype.kind not in "iu":
        raise BadInput(f"{path}: spike_units holds {owner.dtype}: give whole numbers or names")
    if not names:
        order = _distinct(owner)
        return _split(times, owner, order), [str(unit) for unit in order]
    if owner.min() < 0 or owner.max() >= len(names):
        raise BadInput(
            f"{path}: spike_units reaches from {owner.min()} to {owner.max()} "
            f"but unit_names has {len(names)} names: "
            f"count units from 0, unit_names[i] names unit i"
        )
    return _split(times, owner, np.arange(len(names))), names


def name_of(entry: object) -> str:
    """A name as text, however it is stored: a whole number without its .0."""
    if isinstance(entry, bytes):
        return entry.decode("utf-8", "replace")
    return str(int(entry)) if isinstance(entry, np.floating) and float(entry).is_integer() else str(entry)


def _text(owner: np.ndarray) -> np.ndarray:
    return np.char.decode(owner, "utf-8") if owner.dtype.kind == "S" else owner


def _distinct(owner: np.ndarray) -> np.ndarray:
    """np.unique, without a sorted copy of everything."""
    return np.unique(np.concatenate([np.unique(owner[i : i + SPIKES]) for i in range(0, len(owner), SPIKES)]))


def _split(times: np.ndarray, owner: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    """The times of each unit, in the order given: a unit whose times go backwards must stay visible."""
    parts: list[list[np.ndarray]] = [[] for _ in order]
    for first in range(0, len(times), SPIKES):
        some, whose = times[first : first + SPIKES], owner[first : first + SPIKES]
        by_unit = np.argsort(whose, kind="stable")
        some, whose = some[by_unit], whose[by_unit]
        low, high = (np.searchsorted(whose, order, side=side) for side in ("left", "right"))
        for part, a, b in zip(parts, low, high, strict=True):
            part.append(some[a:b].copy())
    return [np.concatenate(part) for part in parts]
