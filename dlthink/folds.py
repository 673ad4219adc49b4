"""A sweep over the folds of one data set: its runs' tests together are all of it, none asked of who has seen it."""

from __future__ import annotations

import sys
from pathlib import Path

from dlthink import comparison
from dlthink.errors import BadInput

FOLD = "data.fold"


def members(folder: str | None) -> list[str]:
    """The folder of a run; of a sweep, those of its runs, which differ in data.fold alone.

    Raises BadInput where they differ in anything else, or two have one fold.
    """
    place = Path(folder or "")
    if not folder or not place.is_dir() or (place / "config.yaml").exists():
        return [folder]
    runs, unfinished = comparison.find([place], "test")
    if not runs:
        return [folder]
    if unfinished:
        print(f"dlthink: runs left out: {unfinished} not finished", file=sys.stderr)
    folds: dict[str | None, Path] = {}
    for run in runs:
        for key in comparison.every_setting(runs):
            if key != FOLD and run.settings.get(key) != runs[0].settings.get(key):
                raise BadInput(
                    f"{run.folder}: differs from {runs[0].folder} in {key}; runs are pooled that differ in {FOLD} "
                    f"alone: give one of them, or compare all: dlthink compare {place}"
                )
        fold = run.settings.get(FOLD)
        if fold in folds:
            raise BadInput(f"{run.folder}: tests what {folds[fold]} tests ({FOLD}={fold}): give one of them")
        folds[fold] = run.folder
    return [str(run.folder) for run in runs]
