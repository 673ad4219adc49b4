"""Tables that say what each row is: who is test is not in training; batches of some rows of some identities."""

import numpy as np
import pandas as pd
import pytest
import torch

from dlthink.data.tables.identities import Identities
from dlthink.errors import BadInput
from tests.data.tables.made import written


def table(people=40, rows=6, seed=0):
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), rows)
    measures = 10 + 100 * (rng.normal(size=(people, 3))[who] + 0.1 * rng.normal(size=(len(who), 3)))
    return pd.DataFrame(measures.round(3), columns=list("abc")).assign(who=[f"p{i}" for i in who])


def identities(path, **settings):
    return Identities(path=path, target="who", **settings)


def people(split):
    return set(split.y.tolist())


def test_nobody_is_on_two_sides(tmp_path):
    data = identities(written(tmp_path, table()), validation=0.3)
    roles = [people(split) for split in (data.train, data.val, data.test)]
    assert all(roles) and sum(map(len, roles)) == len(set.union(*roles)) == 40
    assert roles[0] == set(range(data.facts["n_identities"]))
    assert set(data.facts) == set(Identities.fact_names({}))


def test_a_column_says_who_is_test_and_validation_is_of_others_that_nobody_trains_on(tmp_path):
    made = table(10, 30).assign(s=lambda t: np.where(t["who"].isin(["p0", "p1", "p2"]), "test", "train"))
    data = identities(written(tmp_path, made), split="s")
    assert people(data.train) == set(range(5)) and people(data.val) | people(data.test) == set(range(5, 10))
    assert len(people(data.val)) == 2 and any(note.startswith("validation is p") for note in data.notes)


def test_batches_hold_rows_of_some_identities(tmp_path):
    data = identities(written(tmp_path, table()), identities=5, each=3)
    for index in data.train.epoch(256, torch.Generator().manual_seed(0)):
        assert data.train.y[index].view(5, 3).eq(data.train.y[index].view(5, 3)[:, :1]).all()
    with pytest.raises(BadInput, match=r"data.each=7: none of the identities in training has so many rows"):
        identities(written(tmp_path, table()), each=7)
    single = table()
    single["who"] = [f"p{row}" for row in range(len(single))]
    with pytest.raises(BadInput, match=r"^data.target=who: data.path=.*: none of the identities in training has two"):
        identities(written(tmp_path, single))


def test_numbers_stay_and_another_table_counts_on(tmp_path):
    data = identities(written(tmp_path, table()))
    again = identities(written(tmp_path, table(), "same.csv"), state=data.state)
    for role in ("train", "val", "test"):
        assert torch.equal(getattr(again, role).y, getattr(data, role).y)
    other = identities(written(tmp_path, table(seed=5), "other.csv"), state=data.state)
    assert len(other.train) == 0 and len(other.test) == 240


def test_baselines_are_the_features_as_they_are(tmp_path):
    made = table()
    data = identities(written(tmp_path, made))
    known = data.test.known(torch.arange(len(data.test)))["baselines"]
    assert set(known) == {"raw", "features"}
    for embedding in (known[name]["embedding"] for name in known):
        assert torch.allclose(embedding.norm(dim=1), torch.ones(len(data.test)))
    raw = torch.tensor(made[list("abc")].to_numpy()).float()
    raw = raw / raw.norm(dim=1, keepdim=True)
    assert all((one - raw).abs().sum(1).min() < 1e-4 for one in known["raw"]["embedding"])


def test_one_column_and_names_that_are_missing(tmp_path):
    made = table()
    made.loc[:4, "who"] = None
    data = identities(written(tmp_path, made))
    assert sum(len(split) for split in (data.train, data.val, data.test)) == 235
    with pytest.raises(BadInput, match="asks for one column"):
        Identities(path=written(tmp_path, made), target=["who", "a"])


def test_the_drawn_table_needs_to_be_learned():
    data = Identities(rows=2000)
    known = data.test.known(torch.arange(len(data.test)))["baselines"]["features"]["embedding"]
    d = torch.cdist(known, known).fill_diagonal_(9)
    assert (data.test.y[d.argmin(1)] == data.test.y).float().mean() < 0.5
