"""The landscape of costs over their outputs, side by side: where they are smallest, how steep, how curved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class Place:
    """A point of a landscape that is told of: its mark, where it lies, slope and curvature there."""

    name: str
    x: float
    y: float
    slope: float = float("nan")
    curvature: tuple[float, ...] = ()

    def __str__(self) -> str:
        slope = f"{self.name}: slope {_few(self.slope)}"
        if not self.curvature:
            return slope
        low, high = (_few(value) for value in (min(self.curvature), max(self.curvature)))
        return f"{slope}, curvature {low if low == high else f'{low} to {high}'}"


@dataclass
class Landscape:
    """One cost: its value over two axes (or one: y is None), and along a way (a target that goes off, say)."""

    name: str
    x: Tensor
    y: Tensor | None
    cost: Tensor
    along: tuple[Tensor, Tensor, Tensor]  # where, cost there, slope there
    places: list[Place] = field(default_factory=list)
    axes: tuple[str, str] = ("", "")
    way: str = ""


def _few(value: float) -> str:
    """Two digits; what is next to nothing is 0."""
    return f"{value:.2g}" if abs(value) >= 5e-4 else "0"


def draw(landscapes: Sequence[Landscape], title: str) -> Figure:
    """The landscapes in a row, the ways below."""
    from dlthink.style import canvas, quiet

    with quiet():
        figure = canvas(3.5 * len(landscapes), 6.8)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        above, below = figure.subplots(2, len(landscapes), squeeze=False, height_ratios=(1.3, 1))
        for landscape, top, bottom in zip(landscapes, above, below, strict=True):
            _over(top, landscape)
            _way(bottom, landscape)
        _same_limits([top for landscape, top in zip(landscapes, above, strict=True) if landscape.y is not None])
        return figure


def _over(axes: Axes, landscape: Landscape) -> None:
    from dlthink.style import FAINT, INK, PREDICTED, QUIET, TRUE

    cost = landscape.cost
    least, most = float(cost[cost.isfinite()].min()), float(cost[cost.isfinite()].quantile(0.9))
    if landscape.y is None:
        axes.plot(landscape.x, cost, color=PREDICTED)
    else:  # even steps of the root, so that the bottom of the valley shows
        steps = [least + (most - least) * (i / 12) ** 2 for i in range(1, 15)]
        for colour, some in ((FAINT, steps), (PREDICTED, steps[:4])):
            grid = landscape.x.numpy(), landscape.y.numpy(), cost.numpy()  # no older Matplotlib takes tensors here
            axes.contour(*grid, some, colors=colour, linewidths=0.8, linestyles="solid")
    marks = {
        "start": (QUIET, QUIET),
        "constant": (QUIET, QUIET),
        "unchanged": (QUIET, QUIET),
        "optimum": (PREDICTED, PREDICTED),
    }
    for place in landscape.places:
        face, edge = marks.get(place.name, ("none", TRUE))
        if place.name in (*marks, "truth"):
            size = 10 if face == "none" else 5
            axes.plot(place.x, place.y, "o", mfc=face, mec=edge, mew=1.4, ms=size, clip_on=False, label=place.name)
    axes.set_xlabel(landscape.axes[0])
    axes.set_ylabel(landscape.axes[1])
    told = [str(place) for place in landscape.places if place.slope == place.slope]
    axes.set_title("\n".join((landscape.name, *told)), fontsize=7.5, color=INK)
    axes.legend(loc="best", fontsize=7.5, handletextpad=0.3)


def _same_limits(several: Sequence[Axes]) -> None:
    """What has the same axes is seen on the same scale."""
    across, along = [axes.get_xlim() for axes in several], [axes.get_ylim() for axes in several]
    for axes in several:
        axes.set_xlim(min(low for low, _ in across), max(high for _, high in across))
        axes.set_ylim(min(low for low, _ in along), max(high for _, high in along))


def _way(axes: Axes, landscape: Landscape) -> None:
    from dlthink.style import PREDICTED, TRUE

    where, cost, slope = landscape.along
    axes.plot(where, cost - cost[cost.isfinite()].min(), color=PREDICTED, label="its cost, above the least")
    axes.plot(where, slope, color=TRUE, label="how hard it pulls")
    if axes.get_ylim()[1] - axes.get_ylim()[0] < 1e-6:  # flat, but for rounding
        axes.set_ylim(-0.1, 1)
    axes.set_xlabel(landscape.way)
    axes.legend(loc="upper center", fontsize=7.5)


def slope_and_curvature(cost: Callable[[Tensor], Tensor], at: Tensor) -> tuple[float, tuple[float, ...]]:
    """The length of the gradient, and the eigenvalues of the Hessian by differences of gradients."""
    step = 1e-3

    def gradient(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        return torch.autograd.grad(cost(x), x)[0]

    columns = [
        (gradient(at + step * one) - gradient(at - step * one)) / (2 * step) for one in torch.eye(len(at)).to(at)
    ]
    hessian = torch.stack(columns)
    values = torch.linalg.eigvalsh((hessian + hessian.T) / 2)
    return float(gradient(at).norm()), tuple(values.tolist())
