"""nmrshiftdb2's SD layout, cut and understood without rdkit."""

import pytest

from dlthink.data.molecules.readers.sd_file import atoms_of, block_and_properties, cut, entries
from tests.data.molecules.made_molecules import ETHANOL, block, peaks, record


def only(text, nucleus="13C"):
    (entry,) = entries(text.split("\n"), nucleus)
    return entry


def test_a_record_keeps_atoms_as_written_and_collects_several_spectra():
    text = record(
        ETHANOL,
        [
            ("nmrshiftdb2 ID", "77"),
            ("Spectrum 13C 0", peaks((57.1, 2), (18.0, 4))),
            ("Spectrum 1H 1", peaks((3.6, 2))),
            ("Spectrum 13C 12", peaks((57.5, 2))),
            ("Spectrum H,C-HSQC 3", peaks((1.0, 1))),
        ],
    )
    entry = only(text)
    assert (entry.id, entry.atoms, entry.refused, entry.computed) == ("77", 5, None, 0)
    assert entry.values == [(57.1, 2), (18.0, 4), (57.5, 2)]
    assert entry.text == ETHANOL
    assert only(text, "1H").values == [(3.6, 2)]


@pytest.mark.parametrize("header", [">  <{}>  (1) ", "> <{}>", "><{}>", ">< {} >(7)", "> 25 <{}>"])
@pytest.mark.parametrize("name", ["Spectrum 13C 0", "Spectrum13C0", "Spectrum  13C  104", "Spectrum 13C"])
def test_headers_come_with_and_without_spaces(header, name):
    assert only(record(ETHANOL, {name: peaks((18.0, 4))}, header)).values == [(18.0, 4)]


@pytest.mark.parametrize("name", ["Program", "NMRMethod", "NMRProgram", "GeomMethod", "NMRBasisSet"])
def test_computed_spectra_are_told_by_any_of_five_properties(name):
    spectra = {f"Spectrum 13C {i}": peaks((i + 0.5, 2)) for i in (0, 1, 11)}
    entry = only(record(ETHANOL, {**spectra, name: "1:Gaussian 03 11:6-31G*"}))
    assert (entry.values, entry.computed, entry.refused) == ([(0.5, 2)], 2, None)
    entry = only(record(ETHANOL, {**spectra, name: "0:a 1:b 11:c"}))
    assert (entry.values, entry.refused) == ([], "only computed 13C spectra")


def test_a_record_without_the_nucleus_says_so():
    assert only(record(ETHANOL, {"Spectrum 1H 0": peaks((1.2, 4))})).refused == "no 13C spectrum"


def test_peaks_that_cannot_be_read_are_counted_and_the_others_kept():
    entry = only(record(ETHANOL, {"Spectrum 13C 0": "18.0;0.0Q;4|x;0.0;2|57.1;0.0|1;2;|57.3;0.0d(7.1);2|"}))
    assert entry.values == [(18.0, 4), (57.3, 2)]
    assert entry.unreadable == ["'x;0.0;2'", "'57.1;0.0'", "'1;2;'"]


def test_values_may_run_over_several_lines():
    assert only(record(ETHANOL, {"Spectrum 13C 0": "18.0;0.0Q;4|57.\n1;0.0T;2|"})).values == [(18.0, 4), (57.1, 2)]


def test_records_are_cut_at_the_dollars_and_the_last_needs_none():
    one, two = record(ETHANOL, {"a": "b"}), record(ETHANOL, {"a": "$$$$ inside"}, end="")
    assert len(list(cut((one + two).split("\n")))) == 2
    assert len(list(cut((one + "\n\n").split("\n")))) == 1
    assert list(cut((one + two).split("\n")))[1] == two


def test_a_blank_title_keeps_its_line():
    mol, properties = block_and_properties(record(block(["C"], title=""), {"a": "b\nc"}, end=""))
    assert mol.startswith("\n  by hand\n") and properties == [("a", "b\nc")]
    assert [e.id for e in entries((record(block(["C"], title=""), {}) * 2).split("\n"), "13C")] == ["#1", "#2"]


def test_the_size_is_known_from_the_counts_line():
    assert atoms_of(block(["C"] * 999)) == 999
    assert (
        atoms_of("\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\nM  V30 COUNTS 1500 2 0 0 0\n")
        == 1500
    )
    assert atoms_of("no\nblock") == 0
