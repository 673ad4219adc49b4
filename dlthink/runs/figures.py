"""Figures as PNG files in a folder."""

from pathlib import Path


def save_figures(figures: dict, folder: Path) -> None:
    """Each figure as NAME.png; the folder is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)
    print(f"{len(figures)} pictures: {folder}")
