"""`data=seasons`: who sees which scene, what is known of it, and what a trained run may not change."""

import pytest
import torch

from dlthink.data.seasons.color_transfer import moments
from dlthink.data.seasons.seasons import Seasons
from dlthink.errors import BadInput

FEW = dict(scenes=5, val_scenes=2, test_scenes=3, size=32, load=32)
ROLES = ("train", "val", "test")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLTHINK_DATA", str(tmp_path_factory.mktemp("drawn")))
        yield Seasons(**FEW)


def test_no_scene_is_seen_in_both_seasons_or_in_two_roles(data):
    photos = [photo for role in ROLES for season in getattr(data, role).photos.values() for photo in season]
    assert len(photos) == 2 * (5 + 2 + 3)
    flat = torch.stack(photos).flatten(1)
    assert len(flat.unique(dim=0)) == len(photos)
    edges = flat.view(-1, 3, 32, 32).float().mean(1).diff(dim=2).flatten(1)
    alike = torch.corrcoef(edges) - torch.eye(len(photos))
    assert alike.max() < 0.8, "the same ridges twice"


def test_the_truth_is_the_same_scene_in_the_other_season(data):
    index = torch.arange(len(data.test))
    x, known = data.test.take(index)[0], data.test.known(index)
    for season, other in (("winter", "summer"), ("summer", "winter")):
        seen, truth = x[other].mean(1), known["truth"][season].float().mean(1)
        edges = [(p.diff(dim=1)[:, :10].flatten(1)) for p in (seen, truth)]  # sky and far ridges
        for i in range(len(index)):
            fit = [float(torch.corrcoef(torch.stack([edges[0][i], e]))[0, 1]) for e in edges[1]]
            assert max(range(len(fit)), key=fit.__getitem__) == i
    assert known["truth"]["winter"].float().mean() > known["truth"]["summer"].float().mean(), "snow is bright"
    assert "truth" not in data.train.known(torch.arange(2)), "nothing to cheat with"


def test_the_same_again_and_another_seed(data, monkeypatch, tmp_path):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path))
    again, other = Seasons(**FEW), Seasons(**FEW, seed=1)
    assert torch.equal(again.test.photos["winter"], data.test.photos["winter"])
    assert not torch.equal(other.test.photos["winter"], data.test.photos["winter"])


def test_colours_are_measured_on_training_photos_alone(data):
    assert data.val.transfer is data.test.transfer
    for season, colours in data.state["colours"].items():
        assert torch.equal(colours, moments(data.train.photos[season]))
        assert torch.equal(colours, data.test.transfer.moments[season])


def test_squares_are_cut_from_larger_drawings(data):
    larger = Seasons(**(FEW | {"load": 48, "crop": 36}))
    x, _ = larger.train.draw(torch.tensor([0, 1]))
    assert larger.train.photos["summer"].shape[-1] == 48 and x["summer"].shape[-1] == 36
    assert larger.test.take(torch.tensor([0]))[0]["winter"].shape[-1] == 32


def test_a_trained_run_keeps_its_scenes(data):
    again = Seasons(**FEW, state=data.state)
    index = torch.arange(3)
    known, before = again.test.known(index), data.test.known(index)
    for name in ("untouched", "color_transfer"):
        assert torch.equal(known["baselines"][name]["winter"], before["baselines"][name]["winter"])
    for name, value in (("test_scenes", 9), ("seed", 1), ("scenes", 4)):
        with pytest.raises(BadInput, match=f"data.{name}={value}"):
            Seasons(**(FEW | {name: value}), state=data.state)


@pytest.mark.parametrize(
    "knobs",
    [
        {"size": 30},
        {"size": 16},
        {"crop": 30},
        {"crop": 36, "load": 32},
        {"load": 16},
        {"load": 200},
        {"flip": 1.5},
        {"scenes": 1},
        {"val_scenes": 0},
        {"seed": -1},
    ],
)
def test_refused_in_one_line(knobs):
    with pytest.raises(BadInput, match=r"data\.") as refused:
        Seasons(**(FEW | knobs))
    assert "\n" not in str(refused.value)
