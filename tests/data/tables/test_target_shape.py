"""What is said of the shape of a target, and of which shapes nothing is."""

import numpy as np
import pytest

from dlthink.data.tables.target_shape import notes

CHANCE = np.random.default_rng(0)
NORMAL = CHANCE.normal(20, 5, 1000)


@pytest.mark.parametrize(
    "y, said",
    [
        (NORMAL.clip(max=27), ["% of the rows have the largest price, 27: were values above it cut off?"]),
        (NORMAL.clip(min=12), ["% of the rows have the smallest price, 12: were values below"]),
        (np.exp(CHANCE.normal(0, 1, 1000)), ["price is positive and has a long tail"]),
        (
            np.exp(CHANCE.normal(0, 1, 1000)),
            ["try loss=quantile, or where its spread grows with it loss=lognormal, loss=gamma"],
        ),
        (NORMAL, []),
        (NORMAL.round(), []),
        (CHANCE.exponential(1, 1000), ["price is positive and has a long tail"]),
        (CHANCE.gamma(2, 1, 1000), []),
        (CHANCE.integers(1, 6, 1000).astype(float), []),
        (NORMAL[:50].clip(max=22), []),
        (CHANCE.normal(0, 1, 1000) ** 3, []),
    ],
)
def test_an_end_that_many_reach_and_a_long_tail_are_told(y, said):
    found = notes(np.append(y, np.nan)[:, None], ["price"])
    assert len(found) == len(said) and all(words in line for words, line in zip(said, found, strict=True)), found
