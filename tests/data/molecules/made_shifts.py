"""Molecules with made-up shifts as JSON lines: chains and rings, enough of them for every side of a split."""

import json

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.features.structures import molecule_of_smiles  # noqa: E402
from dlthink.data.molecules.nci import mean_and_spread  # noqa: E402


def line(smiles, shifts, kind="c13", **more):
    return json.dumps({"id": smiles, "smiles": smiles, kind: shifts, **more}) + "\n"


def shifts_of(smiles, add=0.0):
    """{atom: [ppm]} of every carbon, by the embedded rule."""
    mean, _ = mean_and_spread(molecule_of_smiles(smiles))
    return {atom: [ppm + add] for atom, ppm in mean.items()}


CHAINS = ["C" * n + end for n in range(1, 9) for end in ("", "O", "N", "F", "Cl", "S", "C=O", "C#N", "OC", "C(=O)O")]
RINGS = [
    ring.replace("X", x)
    for ring in (
        "c1ccccc1X",
        "C1CCCC1X",
        "c1ccncc1X",
        "c1ccoc1X",
        "c1ccc2ccccc2c1X",
        "C1CC1X",
        "C1CCNCC1X",
        "c1ccsc1X",
        "C1CCOC1X",
        "[nH]1cncc1X",
        "C1CCC1X",
        "c1cncnc1X",
    )
    for x in ("", "C", "CC", "O", "N", "F")
]
EVERY = list({Chem.CanonSmiles(text): text for text in CHAINS + RINGS}.values())
