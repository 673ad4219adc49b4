"""The folder of a run by a shorter name: `latest`, or its number in a sweep. Loads no torch."""

import os
from pathlib import Path

from dlthink.errors import BadInput

OUTPUTS = Path("outputs")


def run_folder(name: str) -> Path:
    """The folder of a run that is named: as it is, or for `latest` the run that was begun or resumed last.

    Of a run in a sweep its number is enough: `SWEEP/3` is `SWEEP/3-loss=mse,seed=1`.
    """
    folder = Path(name).expanduser()
    if name != "latest" or folder.exists():
        numbered = folder.name.isdecimal() and not folder.exists() and folder.parent.is_dir()
        longer = (
            [place for place in folder.parent.iterdir() if place.name.startswith(f"{folder.name}-")] if numbered else []
        )
        return longer[0] if len(longer) == 1 else folder
    begun = []
    for place, inside, files in os.walk(OUTPUTS):
        inside[:] = [name for name in inside if not name.startswith(".") and name not in ("checkpoints", "figures")]
        if {"config.yaml", "provenance.json"} <= set(files):
            begun.append(((Path(place) / "config.yaml").stat().st_mtime_ns, place))
    if not begun:
        raise BadInput(f"latest: there is no run in {OUTPUTS} of this folder; give the folder of one")
    return Path(max(begun)[1])
