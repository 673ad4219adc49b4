"""The figure of docs/course/spikes.md: counts that scatter more than Poisson, under two costs and a third.

dlthink train -m experiment=bursting_ride loss=poisson,negative_binomial,mse seed=0,1 into=RUNS
python scripts/course/spikes.py RUNS docs/course/spikes.png
"""

import sys
from pathlib import Path

import numpy as np
import torch
from finished import finished
from matplotlib.figure import Figure

from dlthink.api import Run
from dlthink.style import GROUPS, PREDICTED, QUIET, TRUE, canvas, quiet

BARS = 10  # of a histogram
BUSIEST = 10  # neurons, whose counts say most of their law


def pit(run: Run, seed: int = 0) -> np.ndarray:
    """The randomised PIT of the busiest neurons' test counts: a random number between F(k - 1) and F(k)."""
    law, k = run.distribution(), torch.as_tensor(run.targets())
    u = torch.rand(k.shape, generator=torch.Generator().manual_seed(seed))
    busiest = k.sum(0).argsort(descending=True)[:BUSIEST]
    return (law.cdf(k) - (1 - u) * law.log_prob(k).exp())[:, busiest].numpy().ravel()


@quiet()
def draw(runs: dict[str, list[Run]]) -> Figure:
    """PIT of the ten busiest neurons in the first run of each likelihood; log scores of all."""
    figure = canvas(7.6, 2.5)
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    shown = (("poisson", TRUE), ("negative_binomial", PREDICTED))
    for ax, (loss, colour) in zip(axes, shown, strict=False):
        ax.hist(pit(runs[loss][0]), BARS, range=(0, 1), density=True, color=colour, alpha=0.85)
        ax.axhline(1, color=QUIET, lw=0.7)
        ax.set(
            title=f"{loss}: PIT", xlim=(0, 1), ylim=(0, 1.6), xticks=(0, 0.5, 1), xlabel="place in the predicted law"
        )
    axes[0].set_ylabel("density")
    scores = {loss: [run.metrics()["log_score"] for run in some] for loss, some in runs.items()}
    for row, loss in enumerate(sorted(scores, key=lambda loss: np.mean(scores[loss]))):
        colour = dict(shown).get(loss, GROUPS[2])
        axes[2].plot(scores[loss], [row] * len(scores[loss]), "o", color=colour, ms=5)
        axes[2].annotate(f"{loss}  {np.mean(scores[loss]):.3f}", (np.mean(scores[loss]), row + 0.18), ha="center")
    axes[2].set(title="log score, nats; right is better", yticks=(), ylim=(-0.4, len(scores) - 0.3))
    axes[2].margins(x=0.35)
    return figure


def main() -> None:
    folder, output = map(Path, sys.argv[1:])
    runs: dict[str, list[Run]] = {}
    for loss, run in finished(folder, "loss"):
        runs.setdefault(loss, []).append(run)
    draw(runs).savefig(output, dpi=150)


if __name__ == "__main__":
    main()
