"""Drawn faces: seeded, cached, and hard for whoever compares pixels."""

import numpy as np
import pytest
import torch

from dlthink.data.faces.drawing import factors, picture
from dlthink.data.faces.faces import Faces
from dlthink.errors import BadInput
from dlthink.false_accept_rate import different_pairs

FEW = {"identities": 40, "photos_each": 4, "size": 24}


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


def drawn(n=3, each=4, size=24, seed=0, hardness=1.0):
    return np.stack(list(picture.draw(n, each, size, seed, hardness)))


def test_a_seed_is_a_people():
    first = drawn()
    assert first.shape == (3, 4, 3, 24, 24) and first.dtype == np.uint8
    assert (drawn() == first).all() and not (drawn(seed=1) == first).all()
    assert (drawn(n=2) == first[:2]).all(), "the first people are the same however many are drawn"
    assert first.std() > 30 and len(np.unique(first.reshape(12, -1), axis=0)) == 12


def test_photos_differ_and_without_chance_only_slightly():
    loud, calm = drawn(hardness=1.0), drawn(hardness=0.0)

    def within(x):
        return x.astype(float).std(1)[:, :, 6:20, 8:16].mean()  # the face; backgrounds are always chance

    assert within(loud) > 2 * within(calm)


def test_groups():
    group = factors.groups_of(5000, 0)
    assert np.allclose(np.bincount(group) / 5000, factors.SHARES, atol=0.03)
    assert (factors.groups_of(10, 0) == group[:10]).all()
    found = Faces(**FEW)
    known = [s.known(torch.arange(len(s))) for s in (found.train, found.val, found.test)]
    for split, said in zip((found.train, found.val, found.test), known, strict=True):
        for person in split.y.unique():
            assert sum(int(member[split.y == person].all()) for member in said["groups"].values()) == 1
    assert [n for n in known[0]["groups"] if any(k["groups"][n].any() for k in known)] == [
        "group_0",
        "group_1",
        "group_2",
    ]


def test_splits_and_facts():
    found = Faces(**FEW, photos=2)
    people = [set(s.y.tolist()) for s in (found.train, found.val, found.test)]
    assert sum(map(len, people)) == len(set.union(*people)) == 40
    facts = {"n_targets": 1, "n_identities": len(people[0]), "channels": 3, "size": 24}
    assert found.facts == facts | {"validation_pairs": different_pairs(found.val.y)}
    again = Faces(**FEW, state=found.state)
    assert again.test.y.equal(found.test.y) and again.facts == found.facts
    other = Faces(**(FEW | {"seed": 5}), state=found.state, elsewhere=True)
    assert len(other.test) == 160 and not len(other.train), "people of another seed are strangers"
    assert Faces(**FEW, grey=True).train.take(torch.arange(2))[0].shape == (2, 1, 24, 24)


def test_they_are_drawn_once(monkeypatch):
    first = Faces(**FEW).train.take(torch.arange(4))[0]

    def never(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(picture, "draw", never)
    assert Faces(**FEW).train.take(torch.arange(4))[0].equal(first)
    with pytest.raises(AssertionError, match="drawn again"):
        Faces(**(FEW | {"seed": 1}))


def one_shot(embedding, y):
    """Share of photos whose nearest gallery photo, one of each person, shows the same person; every photo in turn."""
    people, each = len(y.unique()), int((y == y[0]).sum())
    e = embedding[y.argsort(stable=True)].view(people, each, -1)
    right = []
    for gallery in range(each):
        rest = [i for i in range(each) if i != gallery]
        guess = (e[:, rest] @ e[:, gallery].T).argmax(-1)
        right.append((guess == torch.arange(people)[:, None]).float().mean())
    return float(torch.stack(right).mean())


@pytest.mark.slow
def test_pixels_fail_at_one_shot_where_the_faces_differ():
    """On people without chance, pixels do tell them apart: it is the photos that are hard, not the people."""
    at = {}
    for hardness in (0.0, 1.0):
        found = Faces(identities=100, photos_each=4, size=24, hardness=hardness)
        known = found.test.known(torch.arange(len(found.test)))["baselines"]
        at[hardness] = {name: one_shot(b["embedding"], found.test.y) for name, b in known.items()}
    assert at[1.0]["pixels"] < 0.5 and at[1.0]["pca"] < 0.6
    assert at[0.0]["pixels"] > 2 * at[1.0]["pixels"]


@pytest.mark.parametrize(
    "changed",
    [{"identities": 3}, {"photos_each": 1}, {"seed": -1}, {"hardness": 2.5}, {"hardness": float("nan")}],
    ids=str,
)
def test_what_cannot_be_drawn(changed):
    ((name, _),) = changed.items()
    with pytest.raises(BadInput, match=f"data.{name}="):
        Faces(**(FEW | changed))
