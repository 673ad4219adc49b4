"""Drawn molecules: every labelled atom is coloured and told, in its own place, and nothing lies on anything."""

import re
from itertools import combinations

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from matplotlib.patches import Circle

from dlthink.metrics.reals.shifts import Shifts

pytest.importorskip("rdkit", reason="molecules are drawn by rdkit: pip install dlthink[molecules]")

from dlthink.metrics.reals.molecule_drawings import DISC, Labelled, drawn
from dlthink.metrics.reals.molecule_layout import atoms, formula, layout
from dlthink.style import PREDICTED, TRUE

CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
BENZENE = "c1ccccc1"
IBUPROFEN = "CC(C)Cc1ccc(cc1)C(C)C(=O)O"
NAPHTHOL = "Oc1cccc2ccccc12"
DENSE = (CAFFEINE, IBUPROFEN)
MOLECULES = [CAFFEINE, BENZENE, IBUPROFEN, NAPHTHOL, "CCCCCCO", "OC(=O)CCC(N)C(=O)O"]


def carbons(structure):
    from rdkit import Chem

    return [a.GetIdx() for a in Chem.MolFromSmiles(structure).GetAtoms() if a.GetSymbol() == "C"]


def sample(structures=MOLECULES, seed=0):
    """y, read and truth of the carbons of some molecules."""
    g = torch.Generator().manual_seed(seed)
    pairs = [(s, i) for s in structures for i in carbons(s)]
    y = 120 + 40 * torch.randn(len(pairs), 1, generator=g)
    std = torch.exp(torch.randn(len(pairs), 1, generator=g))
    predicted = {"mean": y + std * torch.randn(len(pairs), 1, generator=g), "std": std}
    return y, predicted, {"structure": [s for s, _ in pairs], "atom": torch.tensor([i for _, i in pairs])}


def drawable(figure):
    figure.draw_without_rendering()  # all but the pixels, which take half of the time


def texts(figure, colour=None):
    found = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
    return [t for t in found if colour is None or same_color(t.get_color(), colour)]


def discs(figure):
    return figure.findobj(Circle)


def test_figures_are_those_of_reals_and_four_molecules():
    y, predicted, truth = sample()
    made = Shifts("ppm").figures(predicted, y, truth)
    assert list(made) == ["measured", "calibration", "risk_coverage", "residuals", "molecules"]
    titles = [ax.get_title(loc="left") for ax in made["molecules"].axes]
    assert [t.split(" · ")[0] for t in titles if t] == ["low error", "median error", "high error", "largest spread"]
    low, median, high, _ = (float(re.search(r"MAE (\d+\.\d\d) ppm", t)[1]) for t in titles if t)
    assert low <= median <= high
    drawable(made["molecules"])


def test_without_structures_there_is_nothing_to_draw():
    y, predicted, truth = sample()
    assert "molecules" not in Shifts().figures(predicted, y, {})
    assert "molecules" not in Shifts().figures(predicted, y, truth | {"structure": ["?"] * len(y)})
    assert Shifts().numbers(predicted, y, truth)["mae"] > 0


@pytest.mark.parametrize("structure", DENSE)
def test_each_labelled_atom_has_a_disc_and_its_numbers_in_order(structure):
    y, predicted, truth = sample([structure])
    figure = Shifts("ppm").figures(predicted, y, truth)["molecules"]
    places = layout(structure).xy[truth["atom"]]
    assert np.array([d.center for d in discs(figure)]) == pytest.approx(places)
    fills = [sum(d.get_facecolor()[:3]) for d in discs(figure)]  # the larger the spread, the darker
    assert int(predicted["std"].argmax()) == np.argmin(fills)
    digits = 1 if np.median(predicted["std"].numpy()) >= 0.3 else 2
    expected = [
        f"{float(m):.{digits}f} ± {float(s):.{digits}f}"
        for m, s in zip(predicted["mean"], predicted["std"], strict=True)
    ]
    assert [t.get_text() for t in texts(figure, PREDICTED)] == expected
    assert [t.get_text() for t in texts(figure, TRUE)] == [f"{v:.{digits}f}" for v in y[:, 0].tolist()]
    for text, place in zip(texts(figure, PREDICTED), places, strict=True):
        assert np.linalg.norm(np.array(text.get_position()) - place) < 1.6  # bonds: beside its own atom


@pytest.mark.parametrize(
    "structure", [*DENSE, *(pytest.param(s, marks=pytest.mark.slow) for s in MOLECULES if s not in DENSE)]
)
def test_nothing_is_written_on_anything_else(structure):
    y, predicted, truth = sample([structure])
    figure = Shifts("ppm").figures(predicted, y, truth)["molecules"]
    drawable(figure)
    written = [t for t in texts(figure) if t.axes is figure.axes[0] and t.get_text() != t.axes.get_title(loc="left")]
    boxes = [matplotlib.text.Text.get_window_extent(t).shrunk(0.98, 0.7) for t in written]
    for (a, one), (b, other) in combinations(zip(written, boxes, strict=True), 2):
        assert not one.overlaps(other), (a.get_text(), b.get_text())
    for disc in discs(figure):
        for text, box in zip(written, boxes, strict=True):
            centre = disc.axes.transData.transform(disc.center)
            assert not box.contains(*centre), text.get_text()


def test_a_drawing_has_no_measured_values_and_a_name_for_a_file():
    few = [BENZENE, "CCCCCCO"]
    _, predicted, truth = sample(few)
    made = dict(Shifts("ppm").drawings(predicted, truth))
    assert list(made) == [f"{k}_{formula(s)}" for k, s in enumerate(few, 1)]
    for name, figure in made.items():
        assert re.fullmatch(r"[A-Za-z0-9_+-]+", name)
        assert not [t for t in texts(figure, TRUE)]
        assert "std (ppm)" in [ax.get_ylabel() for ax in figure.axes]
        drawable(figure)


def test_molecules_that_cannot_be_read_or_repeat_are_told_apart():
    structures, atom = ["CO", "CO", "not one", "CC", "CC"], torch.tensor([0, 0, 0, 0, 1])
    predicted = {"mean": torch.arange(5.0)[:, None], "std": torch.ones(5, 1)}
    made = dict(Shifts().drawings(predicted, {"structure": structures, "atom": atom}))
    assert list(made) == ["1_CH4O", "2_CH4O", "4_C2H6"]
    assert [len(discs(figure)) for figure in made.values()] == [1, 1, 2]


def test_a_mean_alone_and_hydrogens_and_one_atom_can_be_drawn():
    drawable(drawn([Labelled("C", [0], [-2.3])], "ppm"))
    drawable(drawn([Labelled("[H]C([H])([H])O", [0, 2, 3], [3.3, 3.4, 3.5], [0.1] * 3)], "ppm"))
    drawable(drawn([], "ppm"))
    drawable(drawn([Labelled("CO", [0, 7], [1.0, 2.0], [0.1, 0.2])], ""))  # there is no atom 7
    drawable(drawn([Labelled("C" * 200, [0, 199], [1.0, 2.0], [float("nan"), 0.1])], ""))


def test_letters_carry_hydrogens_and_charge_and_the_order_of_atoms_stays():
    plan = layout("C[N+](C)(C)CC(=O)[O-].N")
    assert plan.symbol == ["", "N", "", "", "", "", "O", "O", "N"]
    assert [plan.hydrogens[i] + plan.charge[i] for i in (1, 6, 7, 8)] == ["⁺", "", "⁻", "H₃"]
    assert layout("[H]C").symbol == ["H", ""]
    assert [order for *_, order, _ in layout("C#CC=C").bonds] == [3, 1, 2]
    assert sorted(order for *_, order, _ in layout(BENZENE).bonds) == [1, 1, 1, 2, 2, 2]


def test_a_ring_s_second_lines_lie_inside():
    plan = layout(BENZENE)
    for a, b, order, side in plan.bonds:
        along, inward = plan.xy[b] - plan.xy[a], plan.xy.mean(0) - plan.xy[a]
        if order == 2:
            assert side == np.sign(along[0] * inward[1] - along[1] * inward[0])


def test_bonds_are_one_long_and_discs_lie_apart():
    for structure in MOLECULES:
        xy = layout(structure).xy
        apart = np.linalg.norm(xy[:, None] - xy, axis=-1)[np.triu_indices(len(xy), 1)]
        assert apart.min() > 2 * DISC
        assert np.median([np.linalg.norm(xy[a] - xy[b]) for a, b, *_ in layout(structure).bonds]) == pytest.approx(1)


def test_what_rdkit_cannot_read_is_nothing(capfd):
    for structure in ("", "not one", "C(C)(C)(C)(C)C"):
        assert (layout(structure), formula(structure), atoms(structure)) == (None, "", 0)
    assert capfd.readouterr().err == ""
    assert (formula(CAFFEINE), atoms(CAFFEINE)) == ("C8H10N4O2", 14)


def test_a_cage_that_paper_cannot_hold_is_not_chosen_where_there_are_others():
    cage = "CC1CCC2C(C)C(=O)OC3OC4(C)CCC1C23OO4"
    assert not layout(cage).flat
    assert all(layout(structure).flat for structure in MOLECULES)
    for structures, shown in ((["CCCCO", cage], "CCCCO"), ([cage], cage)):
        y, predicted, truth = sample(structures)
        figure = Shifts().figures(predicted, y, truth)["molecules"]
        assert len([d for d in discs(figure) if d.axes is figure.axes[0]]) == len(carbons(shown))


@pytest.mark.parametrize("carbons_, shown", [(2, 5), (3, 5), (4, 4)])
def test_a_molecule_with_few_labels_is_not_chosen_where_there_are_others(carbons_, shown):
    y, predicted, truth = sample(["C" * carbons_, "OCCCCC"])
    predicted["mean"][:carbons_] = y[:carbons_]  # it would be the one of low error
    figure = Shifts().figures(predicted, y, truth)["molecules"]
    assert len([d for d in discs(figure) if d.axes is figure.axes[0]]) == shown
