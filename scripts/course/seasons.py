"""The figure of docs/course/seasons.md: summers, what each cost makes of them, and the true winters there.

dlthink train -m experiment=seasons_costs loss=cycle,cyclegan,look_alike into=RUNS  # the last: the page's
python scripts/course/seasons.py RUNS docs/course/seasons.png    # beside look_alike.py
"""

import json
import sys
from pathlib import Path

import torch
from finished import finished
from matplotlib.figure import Figure
from torch import Tensor

from dlthink.api import Run
from dlthink.style import canvas, quiet

SHOWN = 7  # scenes, evenly over the test


def pixels(photos: Tensor) -> Tensor:
    """[n, 3, s, s] in [-1, 1], or bytes -> [n, s, s, 3] in [0, 1]."""
    shown = photos / 255 if photos.dtype == torch.uint8 else (photos + 1) / 2
    return shown.clamp(0, 1).permute(0, 2, 3, 1)


def ssim(run: Run) -> float:
    """To the true winter, of all test photos."""
    return json.loads((run.folder / "metrics.json").read_text())["test"]["ssim_to_winter"]


@torch.no_grad()
@quiet()
def draw(runs: dict[str, Run]) -> Figure:
    """A row a cost, between the summer and the true winter."""
    test = next(iter(runs.values())).data.test
    at = torch.linspace(0, len(test) - 1, SHOWN).long()
    x, y = test.take(at)
    rows = {"summer": y["summer"]}
    for name, run in runs.items():
        made = run.loss.eval().predict(run.model.eval()(x))["winter"]
        rows[f"{name}\nSSIM {ssim(run):.2f}"] = made
    rows["true winter"] = test.known(at)["truth"]["winter"]
    figure = canvas(1.05 * SHOWN + 1.1, 1.08 * len(rows))
    for line, (name, photos) in zip(figure.subplots(len(rows), SHOWN), rows.items(), strict=True):
        for ax, photo in zip(line, pixels(photos), strict=True):
            ax.imshow(photo, interpolation="nearest")
            ax.set(xticks=(), yticks=())
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def main() -> None:
    folder, output = map(Path, sys.argv[1:])
    draw(dict(finished(folder, "loss", allow="look_alike"))).savefig(output, dpi=130)


if __name__ == "__main__":
    main()
