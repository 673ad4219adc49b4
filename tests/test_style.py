"""The style of every figure: words from users' files stand as they are."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dlthink.style import canvas, quiet


def drawn(word, scale="linear"):
    """The pixels of a figure with that word wherever words can stand, and what stands at its lower axis."""
    figure = canvas(4, 3)
    with quiet():
        panel = figure.add_subplot(title=word, xlabel=word, xscale=scale)
        panel.plot([1, 1000], [0, 1], label=word)
        panel.set_yticks([0, 1], labels=[word, word])
        panel.text(1, 0, word)
        panel.legend()
    agg = FigureCanvasAgg(figure)
    agg.draw()
    return np.asarray(agg.buffer_rgba()), panel.get_xticklabels()


@pytest.mark.parametrize("word", ["$\\frac$", "$a_{$", "cost ($ or $)"])
def test_a_name_is_no_formula(word):
    pixels, _ = drawn(word)
    assert (pixels != drawn("x")[0]).any()


def test_powers_of_ten_are_formulas():
    assert all(label.get_parse_math() for label in drawn("x", "log")[1])


def test_letters_that_no_font_has_are_drawn_in_silence(recwarn):
    drawn("\U000104f1")
    assert not len(recwarn)


def test_a_notebook_shows_a_figure():
    figure = canvas(1, 1)
    figure.subplots().plot([0, 1])
    assert figure._repr_png_().startswith(b"\x89PNG")  # IPython asks for it by this name
