"""Molecules are read and featurized once: what is kept of a record, and the cache."""

import os
import resource

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")


from dlthink.data.molecules.environments import environments  # noqa: E402
from dlthink.data.molecules.features.featurize import featurize  # noqa: E402
from dlthink.data.molecules.nmrshiftdb2 import Nmrshiftdb2  # noqa: E402
from dlthink.data.molecules.prepared import Prepared, cached  # noqa: E402
from dlthink.data.molecules.prepared_shifts import PreparedShifts, prepare  # noqa: E402
from dlthink.data.molecules.readers.shift_records import read  # noqa: E402
from dlthink.data.stable_hash import share, tie  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from dlthink.files.cache import cache_folder  # noqa: E402
from tests.data.molecules.made_molecules import save  # noqa: E402
from tests.data.molecules.made_shifts import line  # noqa: E402

pytestmark = pytest.mark.usefixtures("data_folder")  # what is kept is counted here

# ------------------------------------------------------------------------------------------------------ prepared once


def prepared(tmp_path, text, nucleus="13C"):
    return prepare(read(save(tmp_path / "file", text), nucleus, None, None))


def test_several_values_become_median_and_half_range(tmp_path):
    text = line("OCC", {2: [18.0, 17.0, 21.0], 1: [58, 57]}) + line("C", {0: [-2.5]}) + line("CN", {0: [1, 9, 4, 2]})
    found = prepared(tmp_path, text)
    assert found.first_row.tolist() == [0, 2, 3, 4]
    assert found.y.tolist() == [57.5, 18.0, -2.5, 3.0] and found.y.dtype == torch.float32
    assert found.spread.tolist() == [0.5, 2.0, 0.0, 4.0]
    assert found.atom.tolist() == [1, 2, 0, 0], "atoms of a molecule in ascending order"
    assert found.ids == ["OCC", "C", "CN"] and found.keys == ["CCO", "C", "CN"]
    every = environments(featurize(map(Chem.MolFromSmiles, found.smiles)))
    assert found.codes.equal(every[[1, 2, 3, 4]])


def test_hydrogens_on_carbon_are_told_from_others(tmp_path):
    found = prepared(tmp_path, line("CCO", {0: [1.2], 1: [3.6], 2: [2.6]}, "h1"), "1H")
    assert found.on_carbon.tolist() == [True, True, False]


def test_ties_depend_on_the_molecule_alone(tmp_path):
    once = prepared(tmp_path, line("CCO", {0: [1.0]}) + line("C[C@H](F)O", {0: [2.0]}) + line("C", {0: [3.0]}))
    again = prepared(tmp_path, line("C[C@@H](O)F", {0: [9.0]}, id="x") + line("OCC", {1: [5.0]}))
    assert again.ties.tolist() == once.ties[[1, 0]].tolist() == [tie("CC(O)F"), tie("CCO")]
    assert len(once.ties.unique()) == 3 and (once.ties >= 0).all()


def test_shares_are_even_and_of_another_salt_independent():
    """Among keys of one length, too: there a checksum's shares would follow from one another."""
    for length in range(4, 40, 3):
        names = [f"{i:0{length}d}" for i in range(4000)]
        left = [name for name in names if share(name) >= 0.2]
        assert abs(len(left) / 4000 - 0.8) < 0.03
        assert abs(sum(share(name, "validation") < 0.1 for name in left) / len(left) - 0.1) < 0.03
    assert all(0 <= share(name) < 1 for name in names)


def test_what_was_left_out_is_accounted_for(tmp_path):
    text = line("C", {0: [1.0]}) + line("CC", {}) + line("C(", {0: [1.0]}) + line("CCC", {})
    (note,) = prepared(tmp_path, text).notes
    assert note == "3 of 4 records left out: 2 no 13C spectrum (first: CC); 1 unreadable SMILES (first: C()"


# -------------------------------------------------------------------------------------------------------------- cache


@pytest.fixture
def making(tmp_path):
    """`making(settings)`: the molecules of tmp_path/file; making.times counts how often they were made."""
    file = save(tmp_path / "file", line("OCC", {2: [18.0, 17.0, 21.0], 1: [58]}, split="test") + line("C", {0: [1.0]}))

    def making(**settings):
        def make():
            making.times += 1
            return prepare(read(file, "13C", None, None))

        return cached(PreparedShifts, file, settings, make)

    making.times = 0
    return making


def same(one: Prepared, other: Prepared):
    one, other = one.state(), other.state()
    graphs = zip(one.pop("graphs").values(), other.pop("graphs").values(), strict=True)
    for a, b in [*graphs, *zip(one.values(), other.values(), strict=True)]:
        assert a.equal(b) if isinstance(a, torch.Tensor) else a == b


def kept():
    return sorted(cache_folder().glob("molecules/*"))


def test_a_file_is_made_once(making, tmp_path):
    first, second = making(nucleus="13C", largest=4), making(largest=4, nucleus="13C")
    assert making.times == 1 and len(kept()) == 1
    same(first, second)
    assert second.splits == ["test", ""]
    (tmp_path / "file").rename(tmp_path / "elsewhere")  # by content, not by name
    (tmp_path / "elsewhere").rename(tmp_path / "file")
    making(nucleus="13C", largest=4)
    assert making.times == 1


def test_other_settings_or_another_content_are_made_anew(making, tmp_path):
    making(nucleus="13C", largest=4)
    making(nucleus="13C", largest=5)
    making(nucleus="1H", largest=4)
    making(nucleus="13C", largest=None)
    assert making.times == 4
    file = tmp_path / "file"
    file.write_text(file.read_text().replace("17.0", "17.5"))
    assert making(nucleus="13C", largest=4).spread[1] == 1.75
    assert making.times == 5 and len(kept()) == 5


def test_other_code_makes_it_anew(making, monkeypatch):
    for code in ("old", "old", "new"):
        monkeypatch.setattr("dlthink.files.cache.source", lambda *names, code=code: (code, names))
        making()
    assert making.times == 2


@pytest.mark.parametrize("damage", [b"", b"rubbish", None, "other"])
def test_a_damaged_cache_file_is_made_anew(making, damage):
    first = making()
    (file,) = kept()
    if damage == "other":
        torch.save({"of another": torch.zeros(3)}, file)
    else:
        file.write_bytes(file.read_bytes()[:2000] if damage is None else damage)
    same(making(), first)
    same(making(), first)
    assert making.times == 2, "and put right"


def test_a_cache_that_cannot_be_written_stops_nothing(making, data_folder):
    data_folder.mkdir()
    (data_folder / "cache").write_text("in the way")
    same(making(), making())
    assert making.times == 2


def test_a_full_disk_stops_nothing_and_leaves_nothing(making):
    cache_folder().mkdir(parents=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        making()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert making.times == 1 and not kept()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_stops_nothing(making):
    (cache_folder() / "molecules").mkdir(parents=True, mode=0o500)
    same(making(), making())
    assert making.times == 2


def test_the_cache_knows_what_the_readers_are_asked(many):
    for settings in ({}, {"nucleus": "1H"}, {"elements": ["C", "H"]}, {"largest": 5}):
        try:
            Nmrshiftdb2(str(many), **settings)
        except BadInput:
            assert settings == {"nucleus": "1H"}
    assert len(kept()) == 3
