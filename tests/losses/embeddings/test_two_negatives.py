"""dlthink.losses.embeddings.two_negatives: its closed form against a loop over all triplets."""

import pytest

from tests.losses.embeddings.triplet_loops import apart, build, check, mean, points, sample, total, triplets


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_loop(seed):
    out, y = sample(seed)
    e = points(out)
    slow = mean([apart(e[a], e[p]) - apart(e[a], e[n]) - apart(e[p], e[n]) for a, p, n in triplets(y)])
    check(total(build("two_negatives"), out, y), slow, out)
