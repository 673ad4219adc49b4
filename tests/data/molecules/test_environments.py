"""Environments against nested tuples and rdkit's own; the look-up against a dictionary filled atom by atom."""

import io
import random
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from rdkit import RDConfig  # noqa: E402

from dlthink.data.molecules.environments import PLAIN, RADIUS, Lookup, environments  # noqa: E402
from dlthink.data.molecules.features.featurize import featurize  # noqa: E402

TABLE = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"


def some(count, first=0):
    read = (Chem.MolFromSmiles(line.split()[0]) for line in TABLE.read_text().splitlines()[first:])
    return [molecule for molecule, _ in zip((m for m in read if m is not None), range(count), strict=False)]


def surroundings(graphs):
    """For each molecule [radius][atom]: nested tuples of what lies within so many bonds. Slow and without any hash."""
    found = []
    for i in range(len(graphs)):
        batch, _ = graphs.take(torch.tensor([i]))
        arcs = list(zip(*(batch[name].tolist() for name in ("source", "target", "bonds")), strict=True))
        column = [tuple(atom[:PLAIN]) for atom in batch["atoms"].tolist()]
        columns = [column]
        for _ in range(RADIUS):
            near = [sorted((kind, column[a]) for a, b, kind in arcs if b == i) for i in range(len(column))]
            column = [(own, tuple(around)) for own, around in zip(column, near, strict=True)]
            columns.append(column)
        found.append(columns)
    return found


@pytest.fixture(scope="module")
def small():
    odd = [
        "C",
        "[Na+].[Cl-]",
        "CC",
        "CCC",
        "CC(C)C",
        "C1CC12CC2",
        "c1ccccc1",
        "C1CCCCC1",
        "C1CCC1",
        "C=CC=CC=C",
        "CC=C=CC",
    ]
    return [*map(Chem.MolFromSmiles, odd), *some(60)]


def test_numbers_agree_exactly_where_the_surroundings_do(small):
    graphs = featurize(small)
    codes, slow = environments(graphs), surroundings(graphs)
    assert codes.shape == (len(graphs.atoms), RADIUS + 1) and codes.dtype == torch.int64
    for radius in range(RADIUS + 1):
        fast = codes[:, radius].tolist()
        tuples = [one for columns in slow for one in columns[radius]]
        pairs = len(set(zip(fast, tuples, strict=True)))
        assert pairs == len(set(fast)) == len(set(tuples)), radius


def test_the_order_of_atoms_does_not_matter(small):
    generator = random.Random(0)
    for molecule in small:
        order = generator.sample(range(molecule.GetNumAtoms()), molecule.GetNumAtoms())
        codes = environments(featurize([molecule]))
        assert environments(featurize([Chem.RenumberAtoms(molecule, order)])).equal(codes[order])


def test_nor_do_the_other_molecules_of_the_file(small):
    alone = torch.cat([environments(featurize([molecule])) for molecule in small])
    assert environments(featurize(small)).equal(alone)


def test_a_change_is_seen_as_far_as_it_is_near():
    """A chain whose end differs: the atom d bonds away tells from radius d on."""
    one, other = environments(featurize(map(Chem.MolFromSmiles, ["CCCCCCCC", "CCCCCCCO"]))).view(2, 8, -1)
    for atom in range(7):
        assert (one[atom] != other[atom]).tolist() == [radius >= 7 - atom for radius in range(RADIUS + 1)]


def test_equivalent_atoms_of_rdkit_share_every_number(small):
    """Symmetric atoms (by rdkit's canonical ranking, ties kept) look alike at every radius."""
    for molecule in small:
        codes = environments(featurize([molecule])).tolist()
        seen = {}
        for rank, code in zip(
            Chem.CanonicalRankAtoms(molecule, breakTies=False, includeChirality=False), codes, strict=True
        ):
            assert seen.setdefault(rank, code) == code


@pytest.mark.slow
def test_no_two_kinds_of_atom_in_the_table_share_a_number():
    graphs = featurize(some(5000))
    kinds, group = graphs.atoms[:, :PLAIN].unique(dim=0, return_inverse=True)
    codes = environments(graphs)
    pairs = torch.stack([group, codes[:, 0]], 1).unique(dim=0)
    assert len(pairs) == len(kinds) == len(codes[:, 0].unique()) > 60
    # wider ones only ever part what was together, and every bit of a number is used
    counts = [len(column.unique()) for column in codes.unbind(1)]
    assert counts == sorted(counts) and counts[-1] > 5 * counts[1]
    for narrow, wide in zip(codes.T[:-1], codes.T[1:], strict=True):
        assert len(torch.stack([narrow, wide], 1).unique(dim=0)) == len(wide.unique())
    bits = (codes[:, -1].unique()[:, None] >> torch.arange(64)) & 1
    assert ((bits.float().mean(0) - 0.5).abs() < 0.02).all()


# ----------------------------------------------------------------------------------------------------- the look-up


def slow_lookup(codes, y, asked, few):
    """Median and root mean square around it, atom by atom."""
    tables = [defaultdict(list) for _ in range(codes.shape[1])]
    for row, value in zip(codes.tolist(), y.tolist(), strict=True):
        for table, code in zip(tables, row, strict=True):
            table[code].append(value)
    every = sorted(y.tolist())
    mean = every[(len(every) - 1) // 2]
    std = float(y.double().std(correction=0))
    found = []
    for row in asked.tolist():
        own, wide = mean, std
        for table, code in zip(tables, row, strict=True):
            values = table.get(code, [])
            if values:
                own = median(values)
            if len(values) >= few:
                wide = (sum((v - median(values)) ** 2 for v in values) / len(values)) ** 0.5
        found.append((own, max(wide, 0.002 * std, 1e-3)))
    return torch.tensor(found)


@pytest.fixture
def nested():
    """Environments, each of which is within a narrower one: (codes [n, 6], y [n])."""
    torch.manual_seed(1)
    wide = torch.randint(600, (900,))
    codes = torch.stack([wide // 200, wide // 60, wide // 12, wide // 4, wide // 2, wide], 1)
    return codes * 2**55 - 2**58 + torch.arange(6), 100 + 30 * torch.randn(900)  # negative numbers, too


def test_lookup_against_a_slow_one(nested):
    codes, y = nested
    known, asked = codes[:600], codes[600:].clone()
    asked[::7, 3:] = 5  # wide environments that nobody has seen
    asked[::11] = 7  # nothing known at all
    found = Lookup.fit(known, y[:600]).predict(asked)
    expected = slow_lookup(known, y[:600], asked, Lookup.few)
    assert found["mean"].shape == found["std"].shape == (300, 1)
    assert found["mean"].dtype == found["std"].dtype == torch.float32
    torch.testing.assert_close(found["mean"][:, 0], expected[:, 0])
    torch.testing.assert_close(found["std"][:, 0], expected[:, 1], rtol=1e-4, atol=1e-4)
    assert len(found["std"].unique()) > 10 and len(found["mean"].unique()) > 50, "more than the fall-back is tried"


def test_lookup_by_hand():
    codes = torch.tensor([[1, 1]] * 4 + [[1, 2]] + [[3, 9]])
    y = torch.tensor([10.0, 14.0, 12.0, 30.0, 50.0, -5.0])
    found = Lookup.fit(codes, y).predict(torch.tensor([[1, 1], [1, 2], [1, 5], [8, 8]]))
    # four share [1, 1]: their median, but the five of [1] say how wide; the single [1, 2] is taken at its word
    torch.testing.assert_close(found["mean"][:, 0], torch.tensor([13.0, 50.0, 14.0, 12.0]))
    five = ((16 + 0 + 4 + 16**2 + 36**2) / 5) ** 0.5
    torch.testing.assert_close(found["std"][:, 0], torch.tensor([five, five, five, float(y.std(correction=0))]))


def test_a_spread_is_never_zero():
    found = Lookup.fit(torch.ones(5, 2, dtype=torch.long), torch.full((5,), 7.0)).predict(
        torch.tensor([[1, 1], [2, 2]])
    )
    torch.testing.assert_close(found, {"mean": torch.full((2, 1), 7.0), "std": torch.full((2, 1), 1e-3)})


def test_lookup_of_nothing(nested):
    found = Lookup.fit(*nested).predict(torch.zeros(0, 6, dtype=torch.long))
    assert found["mean"].shape == found["std"].shape == (0, 1)


def test_lookup_comes_back_from_a_checkpoint(nested):
    lookup, buffer = Lookup.fit(*nested), io.BytesIO()
    torch.save(lookup.state(), buffer)
    buffer.seek(0)
    again = Lookup(**torch.load(buffer, weights_only=True))
    asked = torch.cat([nested[0][:50], torch.zeros(3, 6, dtype=torch.long)])
    for one, other in zip(again.predict(asked).values(), lookup.predict(asked).values(), strict=True):
        assert one.equal(other)
