"""The small language of data.where: names, numbers, comparisons; nothing that runs."""

import numpy as np
import pytest
import torch

from dlthink.data.recordings.bin_filter import where
from dlthink.errors import BadInput
from tests.data.recordings.made import binned

SPEED, LIGHT, TURN = (np.random.default_rng(i).normal(size=200) for i in range(3))
VALUES = {"speed": SPEED, "light": LIGHT, "head turn": TURN, "if": TURN}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("speed > 0.5", SPEED > 0.5),
        ("speed > -1e-1", SPEED > -0.1),
        ("0 < speed <= 1.5", (SPEED > 0) & (SPEED <= 1.5)),
        ("speed > 0 and light < 0 or speed < -1", ((SPEED > 0) & (LIGHT < 0)) | (SPEED < -1)),
        ("not (speed >= light)", SPEED < LIGHT),
        ("speed != 3 and not light == 0", np.ones(200, bool)),
        (" 'head turn' > 1 ", TURN > 1),
        ("(1 < 2) and speed > 0", SPEED > 0),
        ("1 > 2", np.zeros(200, bool)),
    ],
)
def test_it_holds_where_it_says(text, wanted):
    assert where(text, VALUES).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sped > 1", "no covariate sped; did you mean speed"),
        ("speed", "speed is neither true nor false"),
        ("speed + 1 > 2", "speed \\+ 1 is neither a number nor"),
        ("speed >", "cannot be read"),
        ("", "cannot be read"),
        ("speed is 1", "neither true nor false"),
        ("speed in (1, 2)", "neither true nor false"),
        ("abs(speed) > 1", r"abs\(speed\) is neither a number nor"),
        ("speed.__class__ == 1", r"speed\.__class__ is neither a number nor"),
        ("__import__('os').system('touch owned')", "neither true nor false"),
        ("speed > True", "True is neither a number nor"),
        ("(lambda: 1)() > 0", "is neither a number nor"),
        ("speed > 0; light > 0", "cannot be read"),
        ("x := 1", "cannot be read"),
        ("(" * 300 + "speed" + ")" * 300, "cannot be read|neither"),
        ("not " * 240 + "speed > 1", None),
        ("speed > 1 and " * 100 + "speed > 1", "more than 1,000 letters"),
        ("speed > 1\x00", "cannot be read"),
        ("speed > " + "9" * 400, "cannot be read"),
    ],
)
def test_nothing_else_is_understood(text, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if words is None:
        assert where(text, VALUES).tolist() == (SPEED > 1).tolist()
        return
    with pytest.raises(BadInput, match=words) as refused:
        where(text, VALUES)
    assert str(refused.value).startswith("data.where") and not list(tmp_path.iterdir())


def test_only_bins_of_which_it_holds_are_samples_but_windows_see_all():
    whole, some = binned(history=4), binned(history=4, where="a > 0.3 and b < 5")
    a, b = (whole.train.features[:, i] * whole.state["std"][i] + whole.state["mean"][i] for i in (0, 1))
    holds = (a > 0.3) & (b < 5)
    rows = torch.cat([getattr(some, name).rows for name in ("train", "val", "test")])
    assert holds[rows].all() and 0.5 * holds.sum() < len(rows) <= holds.sum()
    assert torch.allclose(some.train.features.mean(), whole.train.features.mean(), atol=0.1)
    sizes = [len(getattr(some, name)) for name in ("train", "val", "test")]
    assert sizes[0] == pytest.approx(3 * sizes[1], rel=0.4) and "bins as data.where asks, train" in some.notes[0]


def test_nothing_is_left():
    with pytest.raises(BadInput, match=r"data\.where holds in 0 of 1,199 bins, fewer than data\.blocks=20"):
        binned(where="a > 1e9")
