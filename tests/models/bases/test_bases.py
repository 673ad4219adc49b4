"""Bases along a window against the formula and scipy; what a filter is made of."""

import math

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from dlthink.errors import BadInput
from dlthink.models.bases.raised_cosine import RaisedCosine
from dlthink.models.bases.spline import Spline
from dlthink.models.glm import GLM


@pytest.mark.parametrize(("stretch", "offset"), [("log", 1.0), ("log", 0.2), ("linear", 1.0)])
def test_raised_cosines_are_those_of_the_paper(stretch, offset):
    basis = RaisedCosine(20, number=6, offset=offset, stretch=stretch)
    s = (lambda t: math.log(t + offset)) if stretch == "log" else float
    centres = np.linspace(s(0), s(19), 6)
    for i, centre in enumerate(centres):
        for bin in range(20):
            phase = (s(19 - bin) - centre) * math.pi / 2 / (centres[1] - centres[0])
            wanted = 0.5 * math.cos(phase) + 0.5 if abs(phase) < math.pi else 0.0
            assert float(basis.functions[i, bin]) == pytest.approx(wanted, abs=1e-6)
    assert basis.functions[0].argmax() == 19 and basis.functions[-1].argmax() == 0


def test_the_newest_bump_is_the_narrowest():
    wide = (RaisedCosine(40, number=5).functions > 0.5).sum(1)
    assert (wide[:-1].diff() > 0).all()  # half of the oldest one lies outside the window


@pytest.mark.parametrize(("window", "number", "degree"), [(20, 8, 3), (9, 4, 3), (15, 6, 2), (12, 5, 0), (5, 5, 1)])
def test_splines_are_scipys_and_sum_to_one(window, number, degree):
    basis = Spline(window, number, degree)
    inner = np.linspace(0, window - 1, number - degree + 1)
    knots = np.r_[[0.0] * degree, inner, [window - 1.0] * degree]
    times = np.minimum(np.arange(window), (window - 1) * (1 - 1e-12))  # scipy's last piece is open at its end
    wanted = np.stack([BSpline(knots, np.eye(number)[i], degree)(times) for i in range(number)])
    assert basis.functions.numpy() == pytest.approx(wanted, abs=1e-5)
    assert basis.functions.sum(0).numpy() == pytest.approx(np.ones(window), abs=1e-6)


@pytest.mark.parametrize("basis", [RaisedCosine, Spline])
def test_a_filter_is_a_sum_of_its_functions(basis):
    torch.manual_seed(0)
    model = GLM(3, 12, 4, basis=lambda: basis(12, number=5)).double()
    torch.nn.init.normal_(model.linear.weight)
    x = torch.randn(7, 12, 3, dtype=torch.float64)
    plain = GLM(3, 12, 4).double()
    plain.linear.weight.data = model.filters().flatten(1)
    torch.testing.assert_close(model(x), plain(x), rtol=1e-6, atol=1e-6)
    assert model.linear.weight.shape == (4, 15)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RaisedCosine(5, number=6), "number=6: from 2 up to the 5 bins"),
        (lambda: RaisedCosine(5, number=1), "number=1"),
        (lambda: RaisedCosine(5, number=3, offset=0.0), "offset=0"),
        (lambda: Spline(5, number=6), "number=6"),
        (lambda: Spline(5, number=3, degree=3), "degree=3"),
        (lambda: Spline(5, number=3, degree=-1), "degree=-1"),
    ],
)
def test_bases_that_cannot_be_made(make, words):
    with pytest.raises(BadInput, match=words):
        make()


def test_from_the_command_line(cli):
    words = ["model=glm", "data.minutes=2", "data.neurons=3", "data.history=9", "trainer=smoke", "trainer.device=cpu"]
    code, out, err = cli("train", *words, "model.basis=raised_cosine", "model.basis.number=4", "hydra.run.dir=run")
    assert code == 0, err
    assert cli("evaluate", "run=run")[0] == 0
    code, out, _ = cli("train", *words, "model.basis=spline", "--cfg", "job")
    assert code == 0 and "dlthink.models.bases.spline.Spline" in out
