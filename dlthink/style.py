"""The one quiet style of every figure: few lines, little ink, colours that any eye can tell apart."""

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator

INK = "#2b2f36"  # words
QUIET = "#8b919a"  # axes, reference lines
FAINT = "#d5d9df"  # what was measured, in the background
PREDICTED = "#0f6fb5"  # blue: what the network says
TRUE = "#d9661f"  # orange: what only a simulation knows
GROUPS = (PREDICTED, TRUE, "#2a9d78", "#b0568f", "#c79a00", "#5b6bc0")  # categories, in this order

RC = {
    "font.size": 9,
    "font.sans-serif": ["Inter", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlepad": 6,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=GROUPS),
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.4,
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "figure.constrained_layout.w_pad": 0.1,  # inches
    "figure.constrained_layout.h_pad": 0.05,
}


@contextmanager
def quiet() -> Iterator[None]:
    """Draw inside it: `with quiet(): ...`, or `@quiet()` above a function that returns a figure."""
    with matplotlib.rc_context(RC):
        yield


class Plain(Figure):
    """A figure whose words stand as they are: names come from users' files, and one with `$` in it is no formula.

    Powers of ten along a logarithmic axis are formulas of matplotlib's own. Letters that no font has are boxes.
    """

    def draw(self, renderer) -> None:
        axes = [axis for panel in self.axes for axis in (panel.xaxis, panel.yaxis) if axis.get_scale() == "log"]
        powers = {id(label) for axis in axes for label in axis.get_ticklabels(which="both")}
        for text in self.findobj(Text):
            if id(text) not in powers:
                text.set_parse_math(False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        """What a notebook shows of it: IPython draws figures that pyplot knows, and this is none."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def canvas(width: float, height: float) -> Figure:
    """An empty figure of so many inches, unknown to pyplot, so that it is freed with its last reference."""
    return Plain(figsize=(width, height), layout="constrained")


def written_out(axis: Axis, low: float, high: float) -> None:
    """A logarithmic axis whose ticks are few and written out, as 0.2 0.5 1 2: all that lie in a decade are too many."""
    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1, 3) if decades < 3 else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
