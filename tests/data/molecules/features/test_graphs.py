"""Graphs without padding, against loops over molecules; what is told of atoms and bonds, against known molecules."""

from pathlib import Path

import pytest
import torch

from dlthink.data.molecules.features.graphs import Graphs, spread, starts


def molecule(atoms, arcs):
    """(atoms [a, 3], source, target, bonds [arcs]) at random."""
    ends = torch.randint(atoms, (2, arcs))
    return torch.randint(9, (atoms, 3), dtype=torch.int32), *ends, torch.randint(9, (arcs,))


SIZES = [(3, 4), (1, 0), (5, 8), (1, 0), (2, 2), (7, 0), (4, 12)]  # atoms, arcs; two single atoms, one without a bond


@pytest.fixture
def molecules():
    torch.manual_seed(0)
    return [molecule(*size) for size in SIZES]


@pytest.fixture
def graphs(molecules):
    atoms, source, target, bonds = (torch.cat(parts) for parts in zip(*molecules, strict=True))
    sizes, arcs = torch.tensor(SIZES).unbind(1)
    return Graphs(atoms, starts(sizes), source, target, bonds, starts(arcs))


def slowly(molecules, index):
    """One after the other, by hand."""
    atoms, source, target, bonds, owner, first = [], [], [], [], [], []
    for place, i in enumerate(index):
        first.append(len(atoms))
        own, begin, end, kind = molecules[i]
        source += [int(a) + first[-1] for a in begin]
        target += [int(a) + first[-1] for a in end]
        bonds += kind.tolist()
        atoms += own.tolist()
        owner += [place] * len(own)
    sizes = [len(molecules[i][0]) for i in index]
    batch = dict(source=source, target=target, bonds=bonds, molecule=owner, size=sizes)
    return {name: torch.tensor(v, dtype=torch.long) for name, v in batch.items()} | {
        "atoms": torch.tensor(atoms, dtype=torch.int32).view(-1, 3)
    }, torch.tensor(first, dtype=torch.long)


INDICES = [[0, 1, 2, 3, 4, 5, 6], [6, 0, 3], [1], [5], [1, 3, 1], [2, 2, 0, 2], []]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_batch_is_what_a_loop_puts_together(graphs, molecules, index):
    batch, first = graphs.take(torch.tensor(index, dtype=torch.long))
    expected, begins = slowly(molecules, index)
    assert batch.keys() == expected.keys() and first.equal(begins)
    for name, tensor in expected.items():
        assert batch[name].equal(tensor) and batch[name].dtype == tensor.dtype, name
    assert len(batch["atoms"]) == sum(SIZES[i][0] for i in index), "no padding"
    assert len(batch["bonds"]) == sum(SIZES[i][1] for i in index), "no padding"


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_selected_molecules_are_the_same_molecules(graphs, index):
    index = torch.tensor(index, dtype=torch.long)
    chosen = graphs.select(index)
    assert len(chosen) == len(index)
    again = torch.arange(len(index)).flip(0)
    for one, other in zip(chosen.take(again)[0].values(), graphs.take(index.flip(0))[0].values(), strict=True):
        assert one.equal(other)


def test_to_and_tensors_keep_everything(graphs):
    for copy in (graphs.to("cpu"), Graphs(**graphs.tensors())):
        assert len(copy) == len(graphs)
        assert all(getattr(copy, name).equal(tensor) for name, tensor in graphs.tensors().items())
    elsewhere = graphs.to("meta").tensors()
    assert all(tensor.device.type == "meta" for tensor in elsewhere.values())


def test_starts_and_spread():
    first = starts(torch.tensor([2, 0, 3]))
    assert first.tolist() == [0, 2, 2, 5]
    rows, owner, size = spread(first, torch.tensor([2, 1, 0, 2]))
    assert (rows.tolist(), owner.tolist(), size.tolist()) == (
        [2, 3, 4, 0, 1, 2, 3, 4],
        [0] * 3 + [2] * 2 + [3] * 3,
        [3, 0, 2, 3],
    )
    assert starts(torch.tensor([], dtype=torch.long)).tolist() == [0]


# --------------------------------------------------------------------------------------- what is told of a molecule

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from rdkit import RDConfig  # noqa: E402

from dlthink.data.molecules.features.featurize import ATOM_FEATURES, BOND_KINDS, featurize  # noqa: E402
from dlthink.data.molecules.features.structures import molecule_of_smiles  # noqa: E402


def told(smiles):
    """(atoms, [(begin, end, bond)]) of one molecule."""
    graphs = featurize([molecule_of_smiles(smiles)])
    arcs = torch.stack([graphs.source, graphs.target, graphs.bonds], 1).tolist()
    return graphs.atoms.tolist(), [tuple(arc) for arc in arcs]


def bond(order, conjugated=0, size=0):
    """The number of a bond; order: 0 single, 1 double, 2 triple, 3 aromatic, 4 another; size: 1 for a ring of 3."""
    return order * 24 + conjugated * 12 + (size > 0) * 6 + size


# element, neighbours, hydrogens, charge + 2, hybridization (3: sp2, 4: sp3), aromatic, rings, smallest and largest,
# unpaired electrons
KNOWN = {
    "C": [[6, 0, 4, 2, 4, 0, 0, 0, 0, 0]],
    "[Na+].[Cl-]": [[11, 0, 0, 3, 1, 0, 0, 0, 0, 0], [17, 0, 0, 1, 4, 0, 0, 0, 0, 0]],
    "c1ccccc1": [[6, 2, 1, 2, 3, 1, 1, 4, 4, 0]] * 6,
    "[CH3]": [[6, 0, 3, 2, 4, 0, 0, 0, 0, 1]],
    "C[N+](C)(C)C": [[6, 1, 3, 2, 4, 0, 0, 0, 0, 0], [7, 4, 0, 3, 4, 0, 0, 0, 0, 0]]
    + [[6, 1, 3, 2, 4, 0, 0, 0, 0, 0]] * 3,
    "[Al+3]": [[13, 0, 0, 4, 1, 0, 0, 0, 0, 0]],  # three positive charges count as two
    "[C]": [[6, 0, 0, 2, 4, 0, 0, 0, 0, 2]],  # four unpaired electrons, too
    "C1CC12CCC2": [[6, 2, 2, 2, 4, 0, 1, 1, 1, 0]] * 2
    + [[6, 4, 0, 2, 4, 0, 2, 1, 2, 0]]  # in both rings
    + [[6, 2, 2, 2, 4, 0, 1, 2, 2, 0]] * 3,
    "C1CCCCCCCC1": [[6, 2, 2, 2, 4, 0, 1, 7, 7, 0]] * 9,
    "[H]O[H]": [[1, 1, 0, 2, 1, 0, 0, 0, 0, 0], [8, 2, 0, 2, 4, 0, 0, 0, 0, 0], [1, 1, 0, 2, 1, 0, 0, 0, 0, 0]],
}


@pytest.mark.parametrize("smiles, atoms", KNOWN.items())
def test_atoms(smiles, atoms):
    assert told(smiles)[0] == atoms


@pytest.mark.parametrize(
    "smiles, expected",
    [
        ("C", []),
        ("[Na+].[Cl-]", []),
        ("CC", [(0, 1, bond(0)), (1, 0, bond(0))]),
        ("C=O.C#N", [(0, 1, bond(1)), (1, 0, bond(1)), (2, 3, bond(2)), (3, 2, bond(2))]),
        (
            "C=CC=C",
            [
                (0, 1, bond(1, 1)),
                (1, 0, bond(1, 1)),
                (1, 2, bond(0, 1)),
                (2, 1, bond(0, 1)),
                (2, 3, bond(1, 1)),
                (3, 2, bond(1, 1)),
            ],
        ),
    ],
)
def test_every_bond_is_two_arcs_side_by_side(smiles, expected):
    assert told(smiles)[1] == expected


@pytest.mark.parametrize(
    "smiles, kinds",
    [
        ("c1ccccc1", {bond(3, 1, 4)}),
        ("C1CC12CCC2", {bond(0, 0, 1), bond(0, 0, 2)}),
        ("C1CCCCCC1", {bond(0, 0, 5)}),
        ("C1CCCCCCCCCC1", {bond(0, 0, 5)}),  # seven and more are one
        ("CN->[Cu]", {bond(0), bond(4)}),
    ],
)
def test_bonds(smiles, kinds):
    assert {kind for *_, kind in told(smiles)[1]} == kinds


def test_no_molecule_at_all():
    graphs = featurize([])
    assert len(graphs) == 0 and graphs.atoms.shape == (0, len(ATOM_FEATURES)) and not len(graphs.source)


@pytest.mark.slow
def test_the_whole_table_stays_within_the_vocabulary():
    read = []
    for line in (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").read_text().splitlines():
        try:
            read.append(molecule_of_smiles(line.split()[0]))
        except ValueError:
            continue
    graphs = featurize(read)
    assert len(graphs) > 4500
    assert (graphs.atoms >= 0).all() and (graphs.atoms < torch.tensor(ATOM_FEATURES)).all()
    assert (graphs.bonds >= 0).all() and (graphs.bonds < BOND_KINDS).all()
    assert graphs.first_atom[-1] == len(graphs.atoms) and graphs.first_arc[-1] == len(graphs.source)
    there, back = (torch.stack([graphs.source[i::2], graphs.target[i::2], graphs.bonds[i::2]]) for i in (0, 1))
    assert there.equal(back[[1, 0, 2]]), "both arcs of a bond are neighbours in the list"
    assert (graphs.atoms.amax(0)[[1, 2, 6, 7, 8]] == torch.tensor([6, 3, 3, 7, 7])).all(), "and the ends are reached"
