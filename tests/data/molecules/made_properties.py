"""Molecules with made-up properties in a table: as many as every side of a split needs."""

import csv
import io

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from tests.data.molecules.made_shifts import EVERY  # noqa: E402


def rows():
    """Two properties each: the atoms, and how many of these are no carbon; every third lacks the second."""
    for number, smiles in enumerate(EVERY):
        molecule = Chem.MolFromSmiles(smiles)
        atoms = molecule.GetNumHeavyAtoms()
        others = sum(atom.GetSymbol() != "C" for atom in molecule.GetAtoms())
        yield {
            "name": f"m{number}",
            "smiles": smiles,
            "atoms": f"{atoms + 0.1 * (number % 3):.1f}",
            "others": "" if number % 3 == 0 else str(others),
            "side": ("train", "Train", "valid", "TEST", "train")[number % 5],
            "batch": f"b{number // 4}",
        }


def table(mark=",", **change):
    """A CSV of them; change: {column: function of the row} in place of what stands there."""
    made = [row | {name: of(row) for name, of in change.items()} for row in rows()]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(made[0]), delimiter=mark, lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue()
