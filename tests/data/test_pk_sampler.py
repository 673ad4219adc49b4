"""Batches of P people x K photos: every photo with a partner once an epoch, nobody twice in a batch."""

import pytest
import torch

from dlthink.data.pk_sampler import PKSampler
from dlthink.errors import BadInput

UNEVEN = [1, 2, 2, 3, 4, 5, 7, 8, 9, 30, 1, 6]


def labels(counts, seed=0):
    y = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]


def epoch(batches, batch, seed=0):
    return batches.epoch(batch, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("counts", [UNEVEN, [4] * 20, [2, 3], [3, 50, 2], [5] * 7])
@pytest.mark.parametrize("people, photos", [(2, 2), (2, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_every_photo_with_a_partner_is_seen(counts, people, photos, seed):
    y = labels(counts)
    drawn = epoch(PKSampler(y, people, photos), 999, seed)
    partnered = {i for i in range(len(y)) if (y == y[i]).sum() > 1}
    assert set(torch.cat(drawn).tolist()) == partnered
    for index in drawn:
        assert index.shape == (people * photos,)
        rows = y[index].view(people, photos)
        assert (rows == rows[:, :1]).all() and len(rows[:, 0].unique()) == people
        for group in index.view(people, photos):
            assert len(group.unique()) == min(photos, int((y == y[group[0]]).sum()))


def test_the_batch_of_the_trainer_says_how_many_people():
    y = labels([4] * 40)
    assert {len(i) for i in epoch(PKSampler(y, None, 4), 120)} == {120}
    assert {len(i) for i in epoch(PKSampler(y, None, 4), 35)} == {32}
    assert {len(i) for i in epoch(PKSampler(y, 5, 4), 120)} == {20}
    assert {len(i) for i in epoch(PKSampler(y, None, 4), 400)} == {160}  # all that there are


def test_an_epoch_has_the_same_length_each_time_and_is_no_longer_than_it_must():
    batches = PKSampler(labels(UNEVEN), 3, 4)
    assert {len(epoch(batches, 12, seed)) for seed in range(20)} == {8}  # 30 photos of one person, 4 a batch
    even = PKSampler(labels([4] * 30), 10, 4)
    drawn = epoch(even, 40)
    assert len(drawn) == 3 and len(torch.cat(drawn).unique()) == 120


def test_the_generator_alone_decides():
    batches = PKSampler(labels(UNEVEN), 3, 4)
    torch.manual_seed(1)
    first = torch.stack(epoch(batches, 12, 5))
    torch.manual_seed(2)
    assert torch.stack(epoch(batches, 12, 5)).equal(first) and not torch.stack(epoch(batches, 12, 6)).equal(first)
    generator = torch.Generator().manual_seed(5)
    assert torch.stack(batches.epoch(12, generator)).equal(first)
    assert not torch.stack(batches.epoch(12, generator)).equal(first), "the next epoch is another"


def test_who_has_many_photos_comes_oftener_and_what_is_left_over_is_shared():
    y = labels([40, *[2] * 19])
    seen = torch.zeros(20)
    for seed in range(30):
        seen += torch.bincount(y[torch.cat(epoch(PKSampler(y, 4, 4), 16, seed))], minlength=20) / 4
    assert seen[0] == 30 * 10, "in each of the ten batches"
    assert seen[1:].min() > 0.85 * seen[1:].mean() and seen[1:].sum() == 30 * 30


def test_who_meets_whom_changes():
    """Two people of many are in one batch about as often as chance has it."""
    y, together = labels([4] * 20), 0
    for seed in range(200):
        together += sum({0, 1} <= set(y[index].tolist()) for index in epoch(PKSampler(y, 5, 4), 20, seed))
    assert 20 < together < 70  # 200 x 4/19 = 42


@pytest.mark.parametrize(
    "people, photos, batch, says",
    [
        (None, 31, 310, "data.photos=31: none of the people in training has so many photos, the most is 30"),
        (None, 1, 10, "data.photos=1: a pair needs 2"),
        (11, 2, 10, "data.people=11: only 10 people in training have two photos or more: give data.people=10"),
        (None, 4, 4, r"data.people=1 \(trainer.batch // data.photos\): telling people apart needs 2"),
        (1, 4, 8, "data.people=1: telling people apart needs 2"),
    ],
)
def test_more_than_there_is(people, photos, batch, says):
    with pytest.raises(BadInput, match=says) as error:
        epoch(PKSampler(labels(UNEVEN), people, photos), batch)
    assert "\n" not in str(error.value)


def test_nobody_has_two():
    for rows, says in (([1] * 9, "none of the people"), ([1, 5], "one of the people")):
        with pytest.raises(BadInput, match=f"{says} in training has two photos: telling them apart needs two with two"):
            epoch(PKSampler(labels(rows), None, 2), 4)


def test_places_left_over_are_given_without_a_number_for_each_person_and_batch(monkeypatch):
    """3001 people of 8 photos: 6002 groups and 14 places more; people x batches would be a million numbers."""
    drawn, rand = [], torch.rand
    monkeypatch.setattr(torch, "rand", lambda n, **how: drawn.append(n) or rand(n, **how))
    y = torch.arange(3001).repeat_interleave(8)
    batches = PKSampler(y, 16, 4).epoch(64, torch.Generator().manual_seed(0))
    assert max(drawn) == len(y) and len(batches) == 376
    seen = torch.bincount(y[torch.cat(batches)], minlength=3001) // 4
    assert seen.min() == 2 and (seen == 3).sum() == 14
