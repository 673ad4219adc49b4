"""Samples come in a seeded order that can be taken up at any batch."""

from itertools import chain, islice

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.training.sampler import Sampler, batch_size
from tests.training.toy import Line, fit

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "wanted, samples, batch",
    [(256, 1000, 256), (256, 100, 100), (None, 1000, 1000)]
    # the power of two nearest to a 16th, its logarithm halfway between 128 and 256 at 16 x 181
    + [("auto", n, size) for n, size in ((50, 50), (1_400, 64), (2_850, 128), (2_950, 256), (20_000, 1024))]
    + [("auto", 10**7, 1024)],
)
def test_samples_in_a_batch(wanted, samples, batch):
    assert batch_size(wanted, samples) == batch == Sampler(range(samples), wanted, seed=0, device=CPU).batch


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
        return Sampler(split, 2, seed=3, device=CPU)

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
    stream = iter(Sampler(range(10), 4, seed=0, device=CPU))
    epochs = [set(torch.cat([next(stream), next(stream)]).tolist()) for _ in range(5)]
    assert all(len(seen) == 8 for seen in epochs) and len({frozenset(seen) for seen in epochs}) > 1


CHANGES = [(2, 3, 3), (3, 1, 2), (4, 2, 1), (2, 5, 4), (10, 1, 2), (3, 1, 10)]


@pytest.mark.parametrize("before, position, after", CHANGES)
def test_batches_of_another_size_go_on_with_what_did_not_come_yet(before, position, after):
    first = Sampler(range(10), before, seed=3, device=CPU)
    came = torch.cat(list(islice(first, position))).tolist()
    second = Sampler(range(10), after, seed=0, device=CPU)
    assert "did not come yet" in second.restore(first.state())
    stream, rest = iter(second), []
    while len(rest) < (10 - len(came)) // after:
        rest.append(next(stream).tolist())
    assert second.epoch == 0 and all(len(batch) == after for batch in rest)
    assert len({*came, *chain(*rest)}) == len(came) + after * len(rest)  # none twice
    following = torch.cat([next(stream) for _ in range(10 // after)]).tolist()
    assert second.epoch == 1 and len(set(following)) == len(following)


def test_a_changed_size_is_taken_up_at_any_batch_too():
    first = Sampler(range(20), 4, seed=3, device=CPU)
    list(islice(first, 2))

    def changed():
        second = Sampler(range(20), 3, seed=0, device=CPU)
        second.restore(first.state())
        return second

    whole = [index.tolist() for index in islice(changed(), 12)]
    for stop in (1, 3, 4, 5, 9):
        stopped = changed()
        head = [index.tolist() for index in islice(stopped, stop)]
        again = Sampler(range(20), 3, seed=7, device=CPU)
        assert again.restore(stopped.state()) is None
        assert head + [index.tolist() for index in islice(again, 12 - stop)] == whole


def test_epochs_of_a_splits_own_begin_again_in_batches_of_another_size():
    first = Sampler(Paired(), 2, seed=3, device=CPU)
    list(islice(first, 3))
    second = Sampler(Paired(), 4, seed=3, device=CPU)
    assert "begins again" in second.restore(first.state())
    assert torch.cat(list(islice(second, 5))).sort()[0].tolist() == list(range(10)) and second.epoch == 0


def test_a_state_of_other_data_is_refused():
    with pytest.raises(BadInput, match="11 training samples, and had 10"):
        Sampler(range(11), 2, seed=3, device=CPU).restore(Sampler(range(10), 2, seed=3, device=CPU).state())


def test_epochs_behind_us():
    order = Sampler(range(10), 2, seed=3, device=CPU)
    seen = [order.epochs for _ in islice(order, 7)]
    assert seen == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])


def test_what_came_in_batches_of_another_size_is_behind_us_too():
    first, second = Sampler(range(20), 4, seed=3, device=CPU), Sampler(range(20), 3, seed=3, device=CPU)
    list(islice(first, 2))
    second.restore(first.state())
    assert second.epochs == pytest.approx(8 / 18)  # an epoch is six batches of three from here on
    assert [second.epochs for _ in islice(second, 2)] == pytest.approx([11 / 18, 14 / 18])
