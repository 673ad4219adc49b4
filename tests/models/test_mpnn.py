"""Message passing against a slow loop, and what a network over graphs must not care about: dlthink.models.mpnn."""

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.models.mpnn import MPNN

FEATURES, KINDS, N_OUT = [5, 3, 2], 4, 2


def network(**knobs):
    torch.manual_seed(0)
    model = MPNN(FEATURES, KINDS, N_OUT, **({"width": 12, "depth": 3} | knobs)).eval()
    with torch.no_grad():
        model.readout.bias.uniform_(-1, 1)
    return model


def molecule(atoms, bonds, seed):
    """A random molecule: features of its atoms, and bonds as both arcs."""
    g = torch.Generator().manual_seed(seed)
    features = torch.stack([torch.randint(0, n, (atoms,), generator=g) for n in FEATURES], 1).int()
    kinds = torch.randint(0, KINDS, (len(bonds),), generator=g).tolist()
    arcs = [arc for (a, b), kind in zip(bonds, kinds, strict=True) for arc in ((a, b, kind), (b, a, kind))]
    return features, arcs


SOME = [
    molecule(4, [(0, 1), (1, 2), (2, 3), (3, 0)], 1),
    molecule(1, [], 2),
    molecule(5, [(0, 1), (0, 2), (0, 3), (3, 4)], 3),
]


def batch(molecules, asked=None):
    """x of these molecules; every atom is asked for, if nothing else is said."""
    atoms, arcs, owner, first = [], [], [], 0
    for i, (features, bonds) in enumerate(molecules):
        atoms.append(features)
        arcs += [(a + first, b + first, kind) for a, b, kind in bonds]
        owner += [i] * len(features)
        first += len(features)
    source, target, bonds = torch.tensor(arcs, dtype=torch.long).view(-1, 3).unbind(1)
    return {
        "atoms": torch.cat(atoms),
        "source": source,
        "target": target,
        "bonds": bonds,
        "molecule": torch.tensor(owner),
        "size": torch.tensor([len(features) for features, _ in molecules]),
        "asked": torch.arange(first) if asked is None else torch.tensor(asked),
    }


def slowly(model, features, arcs):
    """The formula of the docstring, atom by atom."""
    first = [0, *torch.tensor(FEATURES).cumsum(0).tolist()]
    began = h = [sum(model.atoms.weight[first[i] + f] for i, f in enumerate(row.tolist())) for row in features]
    for each in model.rounds:
        z = [each.norm(one) for one in h]
        around = [torch.zeros_like(one) for one in h]
        for a, b, kind in arcs:
            around[b] = around[b] + torch.relu(z[a] + each.bonds.weight[kind])
        h = [one + each.update(torch.cat([z[i], around[i]])) for i, one in enumerate(h)]
        if each.summary is not None:
            mean = sum(h) / len(h)
            h = [one + each.summary(mean) for one in h]
    return torch.stack(
        [model.readout(model.hidden(model.norm(torch.cat(pair)))) for pair in zip(h, began, strict=True)]
    )


@pytest.mark.parametrize("summary", [True, False])
def test_equals_a_loop_over_atoms_and_bonds(summary):
    model = network(summary=summary).double()
    out = model(batch(SOME))
    torch.testing.assert_close(out, torch.cat([slowly(model, *one) for one in SOME]))


def test_a_molecule_does_not_see_its_neighbours_in_the_batch():
    model = network().double()
    together = model(batch(SOME))
    alone = torch.cat([model(batch([one])) for one in SOME])
    torch.testing.assert_close(together, alone)
    other_order = model(batch(SOME[::-1]))
    torch.testing.assert_close(other_order, torch.cat([model(batch([one])) for one in SOME[::-1]]))


def test_the_numbering_of_atoms_is_nothing_it_sees():
    model = network().double()
    features, arcs = SOME[2]
    order = torch.tensor([3, 0, 4, 2, 1])  # new -> old
    new = order.argsort().tolist()
    renumbered = (features[order], [(new[a], new[b], kind) for a, b, kind in reversed(arcs)])
    torch.testing.assert_close(model(batch([renumbered])), model(batch([SOME[2]]))[order])


def test_only_what_is_asked_is_answered():
    model = network()
    torch.testing.assert_close(model(batch(SOME, asked=[7, 2])), model(batch(SOME))[[7, 2]])


def test_an_atom_sees_as_far_as_there_are_rounds():
    chain = molecule(7, [(i, i + 1) for i in range(6)], 5)
    changed = (chain[0].clone(), chain[1])
    changed[0][0, 0] = (changed[0][0, 0] + 1) % FEATURES[0]
    model = network(summary=False, depth=3)
    apart = (model(batch([chain])) - model(batch([changed]))).abs().sum(1)
    assert (apart[:4] > 0).all() and (apart[4:] == 0).all()
    summary = network(depth=3)
    assert (summary(batch([chain])) != summary(batch([changed]))).any(1).all()


def test_training_starts_close_to_zero_and_every_weight_learns():
    torch.manual_seed(0)
    model = MPNN(FEATURES, KINDS, N_OUT, width=64, dropout=0.1)
    out = model(batch(SOME))
    assert out.abs().max() < 0.3
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_half_precision_stays_close():
    model = network(width=64)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(batch(SOME))
    torch.testing.assert_close(half.float(), model(batch(SOME)), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("knobs", [{"width": 0}, {"depth": 0}, {"dropout": 1.0}])
def test_sizes_that_make_no_sense(knobs):
    with pytest.raises(BadInput, match="mpnn"):
        MPNN(FEATURES, KINDS, N_OUT, **knobs)


# ------------------------------------------------------------------------------------------------- molecule by molecule

POOLS = ("mean", "sum", "attention")


def of_molecules(molecules, descriptors=None):
    x = batch(molecules)
    del x["asked"]
    return x if descriptors is None else x | {"descriptors": descriptors}


def pooled_slowly(model, features, arcs, descriptors):
    """The same formula as far as the atoms, which are then put together."""
    first = torch.nn.Identity()
    readout, model.readout = model.readout, first
    z = slowly(model, features, arcs)
    model.readout = readout
    if model.pool.kind == "mean":
        weights = [1 / len(z)] * len(z)
    elif model.pool.kind == "sum":
        weights = [1 / 16] * len(z)
    else:
        weights = torch.stack([model.pool.score(one) for one in z]).softmax(0)
    row = sum(w * one for w, one in zip(weights, z, strict=True))
    return model.readout(model.pool.after(torch.cat([row, descriptors])))


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("n_descriptors", [0, 3])
def test_a_row_for_each_molecule_equals_a_loop(pool, n_descriptors):
    model = network(rows="molecules", pool=pool, n_descriptors=n_descriptors).double()
    descriptors = torch.randn(len(SOME), n_descriptors, dtype=torch.float64)
    x = of_molecules(SOME, descriptors if n_descriptors else None)
    slow = [pooled_slowly(model, *one, d) for one, d in zip(SOME, descriptors, strict=True)]
    torch.testing.assert_close(model(x), torch.stack(slow), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pool", POOLS)
def test_a_molecule_is_the_same_in_any_batch_and_numbering(pool):
    model = network(rows="molecules", pool=pool).double()
    together = model(of_molecules(SOME))
    torch.testing.assert_close(together, torch.cat([model(of_molecules([one])) for one in SOME]))
    features, arcs = SOME[2]
    order = torch.tensor([3, 0, 4, 2, 1])
    new = order.argsort().tolist()
    renumbered = (features[order], [(new[a], new[b], kind) for a, b, kind in arcs])
    torch.testing.assert_close(model(of_molecules([renumbered])), together[2:3])


def test_a_sum_grows_with_the_molecule_and_a_mean_does_not():
    """Of twice the same molecule, without bonds between: what a salt of two equal parts looks like."""
    features, arcs = SOME[0]
    twice = (torch.cat([features, features]), arcs + [(a + 4, b + 4, kind) for a, b, kind in arcs])
    rows = {}
    for pool in POOLS:
        model = network(rows="molecules", pool=pool, summary=False)
        rows[pool] = [model.pool(model_hidden(model, one), of_molecules([one])) for one in (SOME[0], twice)]
    for pool in ("mean", "attention"):
        torch.testing.assert_close(*rows[pool])
    assert not torch.allclose(*rows["sum"])


def model_hidden(model, one):
    """What the atoms of a molecule say before they are put together."""
    pool, readout = model.pool, model.readout
    model.pool, model.readout = None, torch.nn.Identity()
    try:
        return model(batch([one]))
    finally:
        model.pool, model.readout = pool, readout


@pytest.mark.parametrize("pool", POOLS)
def test_training_by_molecules_starts_close_to_zero_and_every_weight_learns(pool):
    torch.manual_seed(0)
    model = MPNN(FEATURES, KINDS, N_OUT, width=64, dropout=0.1, rows="molecules", pool=pool, n_descriptors=2)
    out = model(of_molecules(SOME, torch.randn(3, 2)))
    assert out.shape == (3, N_OUT) and out.abs().max() < 0.3
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("pool", POOLS)
def test_half_precision_stays_close_by_molecules(pool):
    model = network(width=64, rows="molecules", pool=pool, n_descriptors=2)
    x = of_molecules(SOME, torch.randn(3, 2))
    with torch.autocast("cpu", torch.bfloat16):
        half = model(x)
    torch.testing.assert_close(half.float(), model(x), rtol=0.05, atol=0.05)
