"""Two sets of photos as one split: who is paired with whom, what is cut, what is known."""

import pytest
import torch

from dlthink.data.seasons.unpaired import Unpaired, bytes_of, cut, floats

SEASONS = ("summer", "winter")


def numbered(n, size=8, start=0):
    """Photo i is of one tone, start + i."""
    return (torch.arange(n) + start).to(torch.uint8)[:, None, None, None].expand(n, 3, size, size).contiguous()


def split(summer=7, winter=5, size=8, **more):
    return Unpaired({"summer": numbered(summer), "winter": numbered(winter, start=100)}, size, **more)


def tones(batch):
    return {season: [int(t) for t in bytes_of(batch[season])[:, 0, 0, 0]] for season in SEASONS}


def test_examination_shows_every_photo_and_says_which_it_repeats():
    data = split()
    index = torch.arange(len(data))
    x, y = data.take(index)
    assert len(data) == 7 and x is y
    assert tones(x) == {"summer": [0, 1, 2, 3, 4, 5, 6], "winter": [100, 101, 102, 103, 104, 100, 101]}
    first = data.known(index)["first"]
    assert first["summer"].all() and first["winter"].tolist() == [True] * 5 + [False] * 2
    example = data.known(index)["example"]
    assert example["summer"].tolist() == [True, True, True, False, True, True, True]
    assert example["winter"].tolist() == [True] * 5 + [False] * 2
    assert x["summer"].min() >= -1 and x["summer"].dtype == torch.float32


@pytest.mark.parametrize("summer, winter", [(7, 5), (5, 7), (6, 6), (1, 3)])
def test_an_epoch_shows_every_photo_with_other_partners_each_time(summer, winter):
    data, g = split(summer, winter), torch.Generator().manual_seed(0)
    pairs = set()
    for _ in range(40):
        index = torch.cat(data.epoch(1, g))
        shown = tones(data.take(index)[0])
        assert {*shown["summer"]} == {*range(summer)} and {*shown["winter"]} == {*range(100, 100 + winter)}
        counts = [shown["winter"].count(t) for t in range(100, 100 + winter)]
        assert max(counts) - min(counts) <= 1
        pairs |= {*zip(shown["summer"], shown["winter"], strict=True)}
    assert len(pairs) == summer * winter, "every partner turns up"


@pytest.mark.parametrize("summer, winter", [(7, 5), (5, 7), (9, 2)])
def test_no_photo_is_shown_more_than_others_in_the_long_run(summer, winter):
    """Who comes once more in an epoch is drawn anew."""
    data, g = split(summer, winter), torch.Generator().manual_seed(1)
    epochs = [tones(data.take(torch.cat(data.epoch(1, g)))[0]) for _ in range(300)]
    for season, n, first in (("summer", summer, 0), ("winter", winter, 100)):
        counts = [sum(shown[season].count(first + i) for shown in epochs) for i in range(n)]
        assert sum(counts) == 300 * data.n and max(counts) < 1.12 * min(counts)


def test_an_epoch_follows_its_generator_and_its_batches_are_full():
    data = split()
    one, other = (data.epoch(3, torch.Generator().manual_seed(4)) for _ in range(2))
    assert [i.tolist() for i in one] == [i.tolist() for i in other]
    assert [len(index) for index in one] == [3, 3]


def test_cut_gives_squares_of_the_photo_and_their_mirror_images():
    photo = torch.arange(3 * 6 * 6).view(1, 3, 6, 6).to(torch.uint8).expand(400, -1, -1, -1)
    squares = [photo[0, :, t : t + 4, l : l + 4] for t in range(3) for l in range(3)]  # noqa: E741
    torch.manual_seed(0)
    found = torch.zeros(2, 9)
    for piece in cut(photo, 4, 0.25):
        for mirrored, pieces in enumerate((squares, [s.flip(2) for s in squares])):
            for place, square in enumerate(pieces):
                found[mirrored, place] += torch.equal(piece, square)
    assert found.sum() == 400 and (found > 0).all()
    assert 0.18 < float(found[1].sum()) / 400 < 0.32


def test_a_photo_of_that_size_is_left_alone_without_chance():
    photo = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    state = torch.get_rng_state()
    assert torch.equal(cut(photo, 4, 0.0), photo)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_steps_draw_from_larger_photos():
    data = Unpaired({season: torch.randint(0, 256, (3, 3, 10, 10), dtype=torch.uint8) for season in SEASONS}, 8, 0.5)
    x, y = data.draw(torch.tensor([0, 2]))
    assert x is y and x["winter"].shape == (2, 3, 8, 8) and x["winter"].is_contiguous()
    seen, _ = data.take(torch.tensor([1]))
    assert torch.equal(bytes_of(seen["summer"]), data.photos["summer"][1:2, :, 1:9, 1:9]), "examined: its middle"


def test_truth_and_baselines_belong_to_the_photo_translated():
    truth = {"winter": numbered(7, start=200), "summer": numbered(5, start=50)}
    data = split(truth=truth, transfer=lambda x, season: x + (2 / 255 if season == "winter" else -2 / 255))
    index = torch.tensor([1, 6])
    known = data.known(index)
    tone = lambda pictures: pictures[:, 0, 0, 0].tolist()  # noqa: E731
    assert tone(known["truth"]["winter"]) == [201, 206] and tone(known["truth"]["summer"]) == [51, 51]
    assert tone(known["baselines"]["untouched"]["winter"]) == [1, 6]
    assert tone(known["baselines"]["color_transfer"]["winter"]) == [2, 7]
    assert tone(known["baselines"]["color_transfer"]["summer"]) == [100, 100]
    assert known["truth"]["winter"].dtype == torch.uint8


def test_bytes_survive():
    photo = torch.arange(256).to(torch.uint8)
    assert torch.equal(bytes_of(floats(photo)), photo)
