"""dlthink.losses.embeddings.no_margin: its closed form against a loop over all triplets."""

import pytest

from tests.losses.embeddings.triplet_loops import apart, build, check, mean, points, sample, total, triplets


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(seed):
    out, y = sample(seed)
    e = points(out)
    slow = mean([apart(e[a], e[p]) - apart(e[a], e[n]) for a, p, n in triplets(y)])
    check(total(build("no_margin"), out, y), slow, out)
