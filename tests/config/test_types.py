"""Does a value fit an annotation, and how both are said."""

import math
from typing import Literal

import pytest
import torch

from dlthink.config.types import fits, meant, parameters, typed, words

ADAM = {name: parameter.annotation for name, parameter in parameters(torch.optim.Adam).items()}


@pytest.mark.parametrize(
    "value, annotation, right",
    [
        (0.1, ADAM["lr"], True),
        (None, ADAM["lr"], False),
        ([0.1], ADAM["lr"], False),
        ("0.1", ADAM["lr"], False),
        ([0.9, 0.99], ADAM["betas"], True),
        ([0.9], ADAM["betas"], False),
        ([0.9, 0.99, 0.999], ADAM["betas"], False),
        (0.9, ADAM["betas"], False),
        ([], ADAM["betas"], False),
        (["a", "b"], ADAM["betas"], False),
        (None, ADAM["foreach"], True),
        ([1, 2, 3], tuple[int, ...], True),
        ([], tuple[int, ...], True),
        ([1, 2.5], list[int], False),
        (True, int, False),
        (1, float, True),
        (None, int | None, True),
        (2**63 - 1, int, True),
        (2**63, int, False),
        (math.inf, float, False),
        (10**400, float, False),
        (1, Literal[1, 2], True),
        (True, Literal[1, 2], False),
        (True, Literal["auto", True], True),
        ({"x": 4, 0: 5}, dict[str, int] | None, True),
        ({"x": None}, dict[str, int] | None, False),
        ({"x": [1]}, dict[str, str], False),
        (["x"], dict[str, int], False),
    ],
)
def test_fits(value, annotation, right):
    assert fits(value, annotation) == right


def test_said_as_it_is_typed():
    assert typed([None, True, 0.5, "a", {"b": 1}]) == "[null,true,0.5,a,{b:1}]"
    assert words(ADAM["betas"]) == "a list of 2, [...]" and words(ADAM["lr"]) == "a number"
    assert words(dict[str, int | None]) == "{NAME: a whole number or null}"


@pytest.mark.parametrize(
    "value, annotation, taken",
    [
        (1e3, int, 1000),
        (1e3, int | None, 1000),
        ([1e2, 64], tuple[int, ...], [100, 64]),
        ({"x": 16.0}, dict[str, int] | None, {"x": 16}),
        (1000.0, float, 1000.0),
        (1e3, int | float, 1000.0),
        (1.5, int, 1.5),
        (1e30, int, 1e30),
        (math.inf, int, math.inf),
        (True, int, True),
    ],
)
def test_a_whole_number_may_be_written_with_an_exponent(value, annotation, taken):
    assert meant(value, annotation) == taken and str(meant(value, annotation)) == str(taken)
