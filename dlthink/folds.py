"""A sweep over the folds of one data set: its runs' tests together are all of it, none asked of who has seen it."""

from __future__ import annotations

import sys
from pathlib import Path

from dlthink import comparison
from dlthink.errors import BadInput

FOLD = "data.fold"


def members(folder: str | None) -> dict[str, str | None]:
    """{fold: folder} of the runs below this folder, which differ in data.fold alone; of a run, {"": its own}.

    Raises BadInput where they differ in anything else, where two test the same, or none is finished.
    """
    place = Path(folder or "")
    if not folder or (place / "config.yaml").exists() or not any(place.glob("*/config.yaml")):
        return {"": folder}
    runs, unfinished = comparison.find([place], "test")
    if not runs:
        raise BadInput(f"{place}: no finished run in it ({unfinished} not finished)")
    if unfinished:
        print(f"dlthink: runs left out: {unfinished} not finished", file=sys.stderr)
    first, settings = runs[0], comparison.every_setting(runs)
    folds: dict[str, str | None] = {}
    for run in runs:
        for key in settings:
            if key != FOLD and run.settings.get(key) != first.settings.get(key):
                raise BadInput(
                    f"{run.folder}: differs from {first.folder} in {key}; runs are examined together that differ in "
                    f"{FOLD} alone: sweep it for each {key} into a folder of its own (hydra.sweep.dir=FOLDER), or "
                    f"compare all of them: dlthink compare {place}"
                )
        fold = run.settings.get(FOLD, "null")
        if fold in folds or (fold == "null" and len(runs) > 1):
            raise BadInput(
                f"{run.folder}: what it tests ({FOLD}={fold}) is tested by others below {place}: move it away"
            )
        folds[fold] = str(run.folder)
    return dict(sorted(folds.items()))
