"""Samples come in a seeded order that can be taken up at any batch."""

from itertools import islice

import pytest
import torch

from dlthink.training.sampler import Order
from tests.training.toy import Line, fit

CPU = torch.device("cpu")


class Paired:
    """Ten samples whose epochs are their own: pairs that must stay together."""

    def __len__(self):
        return 10

    def epoch(self, batch, generator):
        first = 2 * torch.randperm(5, generator=generator)
        return [torch.stack([i, i + 1]) for i in first]


@pytest.mark.parametrize("split", [range(10), Paired()], ids=["shuffled", "its own epochs"])
@pytest.mark.parametrize("stop", [1, 4, 5, 6, 13])
def test_taken_up_at_any_batch(split, stop):
    def order():
        return Order(split, 2, seed=3, device=CPU)

    whole = [index.tolist() for index in islice(order(), 20)]
    before, after = order(), order()
    begun = [index.tolist() for index in islice(before, stop)]
    after.restore(before.state())
    assert begun + [index.tolist() for index in islice(after, 20 - stop)] == whole
    assert whole[:5] != whole[5:10] and sorted(i for batch in whole[:5] for i in batch) == list(range(10))


def test_a_split_may_bring_its_own_epochs(tmp_path):
    data, taken = Line(n=64), []
    data.train.epoch = lambda batch, generator: list(torch.randperm(64, generator=generator).view(4, 16))
    take = data.train.take
    data.train.take = lambda index: (taken.append(index), take(index))[1]
    run, *_ = fit(tmp_path, data=data, steps=None, epochs=3, validate_every=100)
    assert run.step == 12 and [len(index) for index in taken[:12]] == [16] * 12


def test_what_fills_no_batch_is_another_remainder_each_epoch():
    stream = iter(Order(range(10), 4, seed=0, device=CPU))
    epochs = [set(torch.cat([next(stream), next(stream)]).tolist()) for _ in range(5)]
    assert all(len(seen) == 8 for seen in epochs) and len({frozenset(seen) for seen in epochs}) > 1
