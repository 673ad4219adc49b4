"""Simulated shifts on real structures: deterministic, plausible, and the truth is the truth."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need rdkit")

from dlthink.data.molecules.features.structures import molecule_of_smiles
from dlthink.data.molecules.nci import mean_and_spread, read_nci
from dlthink.errors import BadInput

ELEMENTS = ["H", "C", "N", "O", "F", "S", "P", "Cl"]


def rule(smiles, atom):
    mean, spread = mean_and_spread(molecule_of_smiles(smiles))
    return mean[atom], spread[atom]


@pytest.fixture(scope="module")
def made():
    return read_nci(300, 0, ELEMENTS, 40)


def flat(dicts):
    return np.array([value for found in dicts for value in found.values()])


def test_every_carbon_has_one_shift_and_nothing_is_lost(made):
    reading, means, spreads = made
    assert len(reading.records) == len(means) == len(spreads) == 300
    assert len(reading.records) + sum(map(len, reading.skipped.values())) == reading.total
    for record, mean, spread in zip(reading.records, means, spreads, strict=True):
        carbons = [a.GetIdx() for a in record.molecule.GetAtoms() if a.GetAtomicNum() == 6]
        assert list(record.shifts) == list(mean) == list(spread) == carbons != []
        assert all(len(values) == 1 for values in record.shifts.values())
        assert record.molecule.GetNumAtoms() <= 40
        assert {a.GetSymbol() for a in record.molecule.GetAtoms()} <= set(ELEMENTS)
    assert any("SIMULATED" in note for note in reading.notes)


def test_noise_has_the_true_mean_and_spread(made):
    reading, means, spreads = made
    values = np.array([v[0] for record in reading.records for v in record.shifts.values()])
    z = (values - flat(means)) / flat(spreads)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * len(z))
    for quiet in (flat(spreads) < np.median(flat(spreads)), flat(spreads) >= np.median(flat(spreads))):
        assert 0.9 < z[quiet].std() < 1.1


def test_means_and_spreads_reach_as_far_as_real_ones(made):
    _, means, spreads = made
    assert flat(means).min() >= 5 and flat(means).max() <= 215 and np.ptp(flat(means)) > 180
    assert flat(spreads).min() == pytest.approx(0.3) and 3 < flat(spreads).max() < 4.2


@pytest.mark.slow
def test_the_seed_moves_the_noise_and_not_the_truth(made):
    again, other = read_nci(300, 0, ELEMENTS, 40), read_nci(300, 1, ELEMENTS, 40)
    assert [r.shifts for r in again[0].records] == [r.shifts for r in made[0].records]
    assert [r.shifts for r in other[0].records] != [r.shifts for r in made[0].records]
    assert other[1:] == made[1:]


def test_the_rule_knows_the_graph_and_not_the_order_of_atoms():
    for one, other in [("CCOC(=O)c1ccccc1N", "Nc1ccccc1C(=O)OCC"), ("C1=CC=CC=C1Cl", "Clc1ccccc1")]:
        found = [mean_and_spread(molecule_of_smiles(smiles)) for smiles in (one, other)]
        for here, there in zip(*found, strict=True):
            assert sorted(here.values()) == pytest.approx(sorted(there.values()))


@pytest.mark.parametrize(
    "smiles, atom, low, high",
    [
        ("CCCCCC", 0, 5, 20),
        ("CCCCCC", 2, 20, 40),
        ("CCO", 1, 45, 70),
        ("c1ccccc1", 0, 120, 135),
        ("Oc1ccccc1", 1, 145, 165),
        ("Oc1ccccc1", 2, 110, 122),
        ("CC(C)=O", 1, 195, 215),
        ("CC(=O)O", 1, 165, 185),
        ("CC(N)=O", 1, 165, 185),
        ("CC#N", 1, 110, 128),
        ("CC#C", 1, 65, 90),
        ("CN=C=O", 2, 110, 135),
        ("C1CC1", 0, 5, 10),
    ],
)
def test_means_are_plausible(smiles, atom, low, high):
    assert low <= rule(smiles, atom)[0] <= high


def test_spread_grows_with_what_is_near():
    far, near, conjugated, between = (
        rule("CCCCCO", 0)[1],
        rule("CCO", 1)[1],
        rule("c1ccccc1", 0)[1],
        rule("NC(=O)N", 1)[1],
    )
    assert far == pytest.approx(0.3)
    assert far < conjugated < near < between < 4.2
    assert rule("CC(C)(C)C(C)(C)C", 1)[1] > rule("CCCC", 1)[1]


def test_nothing_beyond_three_bonds_counts():
    assert rule("CCCCCO", 0) == rule("CCCCCF", 0) == rule("CCCCC(F)(F)F", 0)
    assert rule("CCCCO", 1)[0] != rule("CCCCF", 1)[0]


def test_filters_are_the_users():
    reading, _, _ = read_nci(50, 0, ["H", "C", "O"], 20)
    for record in reading.records:
        assert {a.GetSymbol() for a in record.molecule.GetAtoms()} <= {"C", "O", "H"}
    assert set(reading.skipped) >= {"an element outside H C O", "more than 20 atoms"}


@pytest.mark.parametrize("molecules", [0, -1])
def test_at_least_one_molecule(molecules):
    with pytest.raises(BadInput, match=r"data\.molecules="):
        read_nci(molecules, 0, ELEMENTS, 64)


def test_more_molecules_than_there_are():
    with pytest.raises(BadInput, match=r"data\.molecules=6000: rdkit's table has [0-9]+ that pass"):
        read_nci(6000, 0, ["H", "C"], 12)
