"""JSON lines, understood without rdkit."""

import json
import sys

import pytest

from dlthink.data.molecules.readers.shift_lines import BROKEN, LAYOUT, NO_SMILES, atoms_in, entries
from dlthink.data.molecules.readers.shift_records import read
from dlthink.errors import BadInput

LINE = {"id": "5", "smiles": "CCO", "c13": {"0": [18.0, 18.2], "1": 57.0}, "h1": {"1": [3.6]}, "split": "test"}


def only(line, nucleus="13C"):
    (entry,) = every(line if isinstance(line, str) else json.dumps(line), nucleus)
    return entry


def every(text, nucleus="13C"):
    return list(entries(text.split("\n"), nucleus))


def test_a_line_is_a_molecule():
    entry = only(LINE)
    assert (entry.id, entry.text, entry.atoms, entry.split, entry.refused) == ("5", "CCO", 3, "test", None)
    assert entry.values == [(18.0, 0), (18.2, 0), (57.0, 1)]
    assert only(LINE, "1H").values == [(3.6, 1)]


@pytest.mark.parametrize("missing", [{}, None, []])
def test_no_shifts_of_the_nucleus(missing):
    assert only({**LINE, "c13": missing}).refused == "no 13C spectrum"
    assert only({key: value for key, value in LINE.items() if key != "c13"}).refused == "no 13C spectrum"


@pytest.mark.parametrize("line", ["{", '{"smiles": "C"', "C,1", "[" * 9999, "]" * 9999 + "x", '{"smiles": "C"}}'])
def test_a_broken_line_is_refused(line):
    assert only(line).refused == BROKEN


@pytest.mark.parametrize("line", ["[1, 2]", '{"id": "3"}', '{"smiles": 3}', '{"smiles": null}', "7", '"CCO"'])
def test_an_object_without_smiles_says_what_is_expected(line):
    assert only(line).refused == NO_SMILES


@pytest.mark.parametrize("shifts", [[18.1, 57.8], [{"atom": 0, "ppm": 18.1}], 18.1, "18.1", [1, 2, 3, 4]])
def test_another_layout_of_the_shifts_says_what_is_expected(shifts):
    assert only({**LINE, "c13": shifts}).refused == LAYOUT.format('"c13"')


def test_a_list_has_one_entry_for_each_atom():
    entry = only({**LINE, "c13": [18.1, [57.8, 57.9], None]})
    assert (entry.values, entry.unreadable, entry.refused) == ([(18.1, 0), (57.8, 1), (57.9, 1)], [], None)
    assert only({"smiles": "C", "c13": [1]}).values == [(1.0, 0)]


@pytest.mark.parametrize("indent", [0, 1, 4, "\t"])
def test_objects_may_be_spread_over_lines_and_stand_in_a_list(indent):
    two = [LINE, {**LINE, "id": "6", "c13": [{"x": {}}], "name": "of } and ]"}]
    alone = "\n".join(json.dumps(one, indent=indent) for one in two)
    for text in (alone, json.dumps(two, indent=indent), json.dumps(two)):
        assert [(e.id, e.refused) for e in every(text)] == [("5", None), ("6", LAYOUT.format('"c13"'))]
    one_a_line = f"[{json.dumps(two[0])},\n{json.dumps(two[1])}]"
    assert [e.id for e in every(one_a_line)] == ["5", "6"]


def test_an_object_that_is_not_closed_takes_no_other_with_it():
    text = json.dumps(LINE, indent=1)[:-1] + "\n" + json.dumps(LINE) + "\n" + json.dumps({**LINE, "id": 6}, indent=1)
    assert [(e.id, e.refused) for e in every(text)] == [("line 1", BROKEN), ("5", None), ("6", None)]


def test_an_object_without_an_end_costs_a_bounded_time_and_memory():
    text = "{\n" + '"a": {},\n' * 100_000 + json.dumps(LINE)
    found = every(text)
    assert found[0].refused == BROKEN and found[-1].id == "5"


def test_a_broken_line_is_named_by_its_number():
    assert [e.id for e in every(json.dumps(LINE) + "\n\n{broken\n")] == ["5", "line 3"]


def test_labels_that_are_no_numbers_are_counted():
    entry = only({**LINE, "c13": {"0": [18.0, "77,91", None, True], "first": [3.0], "1": [[1.0]], "2": False}})
    assert entry.values == [(18.0, 0)]
    assert entry.unreadable == ["{'0': '77,91'}", "{'0': True}", "{'first': 3.0}", "{'1': [1.0]}", "{'2': False}"]


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
