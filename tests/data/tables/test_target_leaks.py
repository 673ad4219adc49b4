"""What gives the target away is told: sums, products, order; and nothing is where there is only noise."""

import numpy as np
import pytest

from tests.data.tables.made import frame, reals, written

LEAKS = {
    "a sum": (lambda t: t.assign(y=2 * t["a"] + t["b"] + 3), "a sum of a, b"),
    "a rounded sum": (lambda t: t.assign(y=(t["a"] + t["b"]).round(3)), "a sum of a, b"),
    "a product": (
        lambda t: t.assign(c=2 + t["b"].abs(), y=lambda t: (t["a"].abs() + 1) * t["c"], a=lambda t: t["a"].abs() + 1),
        "powers of a, c",
    ),
    "its logarithm": (
        lambda t: t.assign(y=t["y"] + 99, log=lambda t: np.log(t["y"])),
        "in the order of the target in all training rows: log",
    ),
    "its place from above": (lambda t: t.assign(place=(-t["y"]).rank() * 1.5), "in the order of the target"),
}


@pytest.mark.parametrize("made, says", LEAKS.values(), ids=LEAKS)
def test_what_gives_the_target_away(tmp_path, made, says):
    notes = reals(written(tmp_path, made(frame()))).notes
    (told,) = [note for note in notes if "known beforehand" in note]
    assert says in told and "data.ignore=[" in told


def test_noise_gives_nothing_away(tmp_path):
    for made in (frame(), frame().assign(y=lambda t: t["a"] + t["b"] + np.random.default_rng(1).normal(0, 0.01, 200))):
        assert not any("known beforehand" in note for note in reals(written(tmp_path, made)).notes)


SUMS = {"the sum": sum, "the mean": np.mean}


@pytest.mark.parametrize("how", SUMS.values(), ids=SUMS)
def test_a_last_row_of_sums_is_none_to_learn_from(tmp_path, how):
    table = frame(120)
    table.loc[119] = {"colour": "Summe", "y": how(table["y"][:119])}
    data = reals(written(tmp_path, table))
    assert sum(len(split) for split in (data.train, data.val, data.test)) == 119
    assert any("left out, a row of sums: line 121, Summe" in note for note in data.notes)
