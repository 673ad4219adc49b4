"""Figures as PNG files in a folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figures(figures: Iterable[tuple[str, "Figure"]], folder: Path) -> int:
    """Each figure as NAME.png; how many. The folder is made if it is not there; an iterator need not hold them all."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, figure in figures:
        figure.savefig(folder / f"{name}.png", dpi=150)
        count += 1
    return count
