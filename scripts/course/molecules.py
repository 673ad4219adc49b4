"""The figure of docs/course/molecules.md: four links for one spread, and what the network learns with them.

dlthink train -m experiment=negative_sigma loss.spread=raw,softplus,exp,square into=RUNS
python scripts/course/molecules.py RUNS docs/course/molecules.png
"""

import sys
from pathlib import Path

import torch
from finished import finished
from matplotlib.figure import Figure

from dlthink.api import Run
from dlthink.losses.reals.gaussian_nll import GaussianNLL
from dlthink.style import FAINT, GROUPS, PREDICTED, QUIET, TRUE, canvas, quiet

TICKS = (0.5, 1, 2, 5, 10)
LINKS = ("raw", "softplus", "exp", "square")


def over_outputs(link: str, out: torch.Tensor) -> torch.Tensor:
    """What one target one standard deviation off costs, over the output that stands for its spread."""
    loss = GaussianNLL(1, spread=link)
    with torch.no_grad():
        return torch.stack([loss(torch.stack([torch.zeros(()), one])[None], torch.ones(1, 1))["nll"] for one in out])


@quiet()
def draw(runs: dict[str, Run]) -> Figure:
    """Cost over output, spread against truth, CRPS by link."""
    figure = canvas(8.4, 2.7)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 0.9))
    out, colours = torch.linspace(-4, 4, 801), dict(zip(LINKS, (TRUE, PREDICTED, *GROUPS[2:]), strict=False))
    left.axvspan(-4, 0, color=FAINT, alpha=0.5, lw=0)
    for link in LINKS:
        left.plot(out, over_outputs(link, out), color=colours[link])
    left.text(-3.9, 0.7, "raw: no cost here", color=QUIET)
    left.set(title="cost of a target one std off", xlabel="what the network says", xlim=(-4, 4), ylim=(0.5, 6))
    for link, at in zip(LINKS, ((0.35, 5.6), (2.1, 1.55), (3.1, 4.75), (-3.6, 3.15)), strict=True):
        left.text(*at, link, color=colours[link])
    run = runs["softplus"]
    test = run.data.test
    true = test.known(torch.arange(len(test)))["std"][:, 0]
    said = run.predict()["std"][:, 0]
    middle.plot(true, said, ".", color=PREDICTED, ms=2, alpha=0.35, mew=0)
    ends = [0.4, 10]
    middle.plot(ends, ends, color=QUIET, lw=0.7)
    middle.set(title="spread, ppm (softplus)", xlabel="true", ylabel="learned", xscale="log", yscale="log")
    middle.set(xlim=ends, ylim=ends, xticks=TICKS, yticks=TICKS, xticklabels=TICKS, yticklabels=TICKS)
    middle.minorticks_off()
    for row, link in enumerate(link for link in reversed(LINKS) if link in runs):
        crps = runs[link].metrics()["crps"]
        right.plot(crps, row, "o", color=colours[link], ms=6)
        right.annotate(f"{link}  {crps:.2f}", (crps, row + 0.18), ha="center")
    right.set(title="test CRPS, ppm; left is better", yticks=(), ylim=(-0.5, len(runs) - 0.2))
    right.margins(x=0.6)
    return figure


def main() -> None:
    folder, output = map(Path, sys.argv[1:])
    draw(dict(finished(folder, "loss.spread"))).savefig(output, dpi=150)


if __name__ == "__main__":
    main()
