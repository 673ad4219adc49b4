"""The folder of a run by a shorter name: `latest`, or its number in a sweep. Loads no torch."""

import os
from pathlib import Path

from dlthink.errors import BadInput, in_shell, plain

OUTPUTS = Path("outputs")
FEW = 3  # runs that a line names


def run_folder(name: str) -> Path:
    """The folder of a run that is named: as it is, or for `latest` the run that was begun or resumed last; which one
    that is, and beside which others of its sweep, is said.

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
    newest = Path(max(begun)[1])
    print(plain(f"latest: {newest}{_others(newest)}"), flush=True)
    return newest


def _others(run: Path) -> str:
    """Which runs of a sweep `latest` does not mean, and how to find the best of them; of no sweep nothing."""
    others = sorted(file.parent for file in run.parent.glob("*/config.yaml") if file.parent != run)
    if not others or not (run.parent / "multirun.yaml").is_file():
        return ""
    numbered = sorted(others, key=lambda place: (len(place.name.partition("-")[0]), place.name))
    named = ", ".join(place.name for place in numbered[:FEW])
    more = f" and {len(others) - FEW} more" if len(others) > FEW else ""
    return (
        f"; of the same sweep: {named}{more}; which is best, and how to predict with it: "
        f"dlthink compare {in_shell(run.parent)}"
    )
