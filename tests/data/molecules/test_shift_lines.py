"""JSON lines, understood without rdkit."""

import json
import sys

import pytest

from dlthink.data.molecules.records import read
from dlthink.data.molecules.shift_lines import BROKEN, atoms_in, entries
from dlthink.errors import BadInput

LINE = {"id": "5", "smiles": "CCO", "c13": {"0": [18.0, 18.2], "1": 57.0}, "h1": {"1": [3.6]}, "split": "test"}


def only(line, nucleus="13C"):
    (entry,) = entries(line if isinstance(line, str) else json.dumps(line), nucleus)
    return entry


def test_a_line_is_a_molecule():
    entry = only(LINE)
    assert (entry.id, entry.text, entry.atoms, entry.split, entry.refused) == ("5", "CCO", 3, "test", None)
    assert entry.values == [(18.0, 0), (18.2, 0), (57.0, 1)]
    assert only(LINE, "1H").values == [(3.6, 1)]


@pytest.mark.parametrize("missing", [{}, None, []])
def test_no_shifts_of_the_nucleus(missing):
    assert only({**LINE, "c13": missing}).refused == "no 13C spectrum"
    assert only({key: value for key, value in LINE.items() if key != "c13"}).refused == "no 13C spectrum"


@pytest.mark.parametrize(
    "line", ["{", "[1, 2]", '{"id": "3"}', '{"smiles": 3}', '{"smiles": "C", "c13": [1]}', "[" * 9999]
)
def test_a_broken_line_is_refused(line):
    assert only(line).refused == BROKEN


def test_a_broken_line_is_named_by_its_number():
    assert [e.id for e in entries(json.dumps(LINE) + "\n\n{broken\n", "13C")] == ["5", "line 3"]


def test_labels_that_are_no_numbers_are_counted():
    entry = only({**LINE, "c13": {"0": [18.0, "x", None], "first": [3.0], "1": [[1.0]]}})
    assert (entry.values, entry.unreadable) == ([(18.0, 0)], 4)


def test_without_an_id_the_line_is_the_name():
    assert only({**LINE, "id": None}).id == "line 1"
    assert only({**LINE, "id": 7}).id == "7"


@pytest.mark.parametrize(
    "smiles, atoms", [("[H]C([2H])Cl", 4), ("c1cc[nH]c1Br", 6), ("[Na+].[Cl-]", 2), ("C%12CC%12*", 4)]
)
def test_atoms_are_counted_in_the_text(smiles, atoms):
    assert atoms_in(smiles) == atoms


def test_without_rdkit_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    (tmp_path / "a.jsonl").write_text(json.dumps(LINE))
    with pytest.raises(BadInput, match=r"needs rdkit: pip install 'dlthink\[molecules\]'"):
        read(tmp_path / "a.jsonl", "13C", ["H", "C", "O"], 64)
