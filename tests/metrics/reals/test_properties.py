"""Molecules to look at: those of largest error and spread come first, with what was predicted and measured."""

import math

import pytest
import torch

pytest.importorskip("rdkit", reason="molecules need rdkit")

from dlthink.metrics.reals.properties import LEGIBLE, SHOWN, Properties

SMILES = ["C" * n for n in range(1, 11)]


def example(n_targets=1):
    """Ten chains; the error of a chain of n is n / 10, its spread (11 - n) / 10, alternating."""
    size = torch.arange(1.0, 11.0)[:, None].repeat(1, n_targets)
    mean = torch.zeros(10, n_targets)
    read = {"mean": mean, "std": (11 - size) / 10}
    return read, size / 10 * torch.tensor([1.0, -1.0] * 5)[:, None], {"structure": list(SMILES)}


def titles(figure):
    return [title for ax in figure.axes if (title := ax.get_title(loc="left"))]


def test_the_worst_come_first_then_the_least_certain():
    read, y, known = example()
    figure = Properties("mol/l", target_names=["logS"]).figures(read, y, known)["molecules"]
    found = titles(figure)
    assert len(found) == 2 * SHOWN
    assert found[0] == "largest error, 1\nlogS 0 ± 0.1, measured -1 mol/l"
    assert [title.split("\n")[0] for title in found[:3]] == [f"largest error, {k}" for k in (1, 2, 3)]
    assert found[3] == "largest spread, 1\nlogS 0 ± 1, measured 0.1 mol/l"


def test_of_several_targets_the_one_is_named_that_is_meant():
    read, y, known = example(2)
    y[:, 1] *= 30
    y[9, 1] = math.nan  # the worst of all is not known
    examination = Properties(["", ""], target_names=["a", "b"], target_std=[1.0, 100.0])
    found = titles(examination.figures(read, y, known)["molecules"])
    assert found[0].split("\n")[1].startswith("a 0 ± 0.1, measured -1")  # 1 spread of a, where b has 0.27 at most
    assert len(found) == 2 * SHOWN


def test_one_spread_for_all_ranks_nobody():
    read, y, known = example()
    read["std"] = torch.ones(10, 1)
    assert len(titles(Properties().figures(read, y, known)["molecules"])) == SHOWN
    alone = titles(Properties().figures({"mean": read["mean"]}, y, known)["molecules"])
    assert len(alone) == SHOWN and "±" not in "".join(alone)


def test_what_cannot_be_drawn_is_passed_over():
    read, y, known = example()
    known["structure"][9], known["structure"][8] = "C" * (LEGIBLE + 1), "not a SMILES"
    found = titles(Properties().figures(read, y, known)["molecules"])
    assert found[0].startswith("largest error, 1\n0 ± 0.3, measured -0.8")
    known["structure"] = ["?"] * 10
    assert "molecules" not in Properties().figures(read, y, known)


def test_a_picture_for_each_of_the_users_molecules():
    read, _, known = example()
    known |= {"name": [f"m{i}" for i in range(10)], "place": torch.arange(10) * 2}
    made = list(Properties("mol/l", target_names=["logS"]).drawings(read, known))
    assert [name for name, _ in made[:2]] == ["01_CH4", "03_C2H6"] and len(made) == 10
    assert titles(made[0][1]) == ["m0\nlogS 0 ± 1 mol/l"]
    known["least_std"] = torch.tensor([[3.0], *[[0.0]] * 9])  # the first is unlike training
    made = list(Properties("mol/l", target_names=["logS"]).drawings(read, known))
    assert titles(made[0][1]) == ["m0\nlogS 0 ± 3 mol/l"] and titles(made[1][1]) == ["m1\nlogS 0 ± 0.9 mol/l"]
