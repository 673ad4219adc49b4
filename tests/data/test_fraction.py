"""Fraction of the training samples: smaller ones within larger ones, validation and test whole, for every family."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.data.fraction import SPARE, thinned
from dlthink.errors import BadInput
from tests.conftest import SMALL, refused
from tests.problems import composed


def test_a_fraction_of_the_units_stays_with_all_of_its_samples():
    units = np.repeat(np.arange(100), 3)
    roles = np.where(units < 80, "train", "test")
    found = thinned(roles, units, 0.25)
    assert {*np.unique(found)} == {"train", "test", SPARE} and (found == "train").sum() == 3 * 20
    assert all(len({*found[units == unit]}) == 1 for unit in range(100))
    assert (thinned(roles, units, 1.0) == roles).all() and (found[units >= 80] == "test").all()


def test_smaller_fractions_lie_within_larger_ones_and_one_unit_is_left_at_least():
    names = [f"molecule {i}" for i in range(57)]
    stay = [{*np.flatnonzero(thinned(["train"] * 57, names, f) == "train")} for f in (0.001, 0.1, 0.3, 0.9, 1)]
    assert [len(some) for some in stay] == [1, 6, 17, 51, 57]
    assert all(less < more for less, more in pairwise(stay))
    order = np.random.default_rng(0).permutation(57)  # of another file of the same molecules
    other = np.flatnonzero(thinned(["train"] * 57, [names[i] for i in order], 0.3) == "train")
    assert {*order[other]} == stay[2]


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, float("nan")])
def test_what_is_no_share_is_refused(fraction):
    with pytest.raises(BadInput, match=r"data\.fraction=.*above 0, and 1 is all"):
        thinned(["train"], [0], fraction)


FAMILIES = {  # words, what tells its samples apart, and the file it needs
    "recordings": (["data=spikes", "data.minutes=3", "data.neurons=4"], lambda split: split.rows),
    "tables": (["data=table", "data.rows=400", "data.baselines=[constant]"], lambda split: split.y[:, 0]),
    "molecules": (["data=molecules", "data.molecules=150"], lambda split: split.y.flatten()),
    "faces": (["data=faces", "data.identities=40", "data.size=24", "data.photos_each=4"], lambda split: split.rows),
    "seasons": (
        ["data=seasons", "data.scenes=12", "data.val_scenes=2", "data.test_scenes=2", "data.size=32"],
        lambda split: split.take(torch.arange(len(split)))[1]["winter"].flatten(1).sum(1),
    ),
}


def data_of(words, fraction, **state):
    config = OmegaConf.create(OmegaConf.to_container(composed(*words), resolve=True))
    config.data.fraction = fraction
    return build.build(config.data, **state)


@pytest.mark.parametrize("words, samples", FAMILIES.values(), ids=FAMILIES)
def test_every_family_of_data(words, samples):
    if "data=molecules" in words:
        pytest.importorskip("rdkit")
    made = {fraction: data_of(words, fraction) for fraction in (0.3, 0.6, 1.0)}
    few, some, every = ({*samples(data.train).tolist()} for data in made.values())
    assert few < some < every and 0.2 < len(few) / len(every) < 0.45
    for role in ("val", "test"):
        one, *others = ({*samples(getattr(data, role)).tolist()} for data in made.values())
        assert one and all(one == other for other in others)
    again = data_of(words, 0.3, state=made[0.3].state)  # opened again, what was spared is no test
    assert {*samples(again.test).tolist()} == one and {*samples(again.train).tolist()} == few


def test_a_run_keeps_its_fraction(cli, finished):
    refused(cli("evaluate", f"run={finished}", "data.fraction=0.25"), "data.fraction=0.25", "was trained with 1.0")
    refused(cli("train", "data.fraction=1.5", *SMALL), "data.fraction=1.5", "1 is all of them")
