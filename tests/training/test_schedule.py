"""The learning rate over a run."""

import math
from functools import partial

import pytest
import torch

from dlthink.training.schedule import factor
from tests.training.toy import fit, rows


@pytest.mark.parametrize(
    "shape, warmup, expected",
    [
        ("constant", 0, [1, 1, 1, 1]),
        ("constant", 2, [0.5, 1, 1, 1]),
        ("constant", 0.5, [0.5, 1, 1, 1]),
        ("cosine", 0, [0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]),
        ("linear", 0, [1, 1, 1, 0.5]),
    ],
)
def test_schedule(tmp_path, shape, warmup, expected):
    assert [factor(shape, i, 4, warmup) for i in range(4)] == pytest.approx(expected)
    fit(tmp_path, schedule=shape, warmup=warmup, steps=4, log_every=1, optim=partial(torch.optim.SGD, lr=0.2))
    assert [v for _, v in rows(tmp_path, "optim", "learning_rate")] == pytest.approx([0.2 * e for e in expected])
