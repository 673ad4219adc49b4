"""Settings that are changed when a run is resumed."""

import pytest
from omegaconf import OmegaConf

from dlthink.errors import BadInput
from dlthink.runs.resumed_settings import check_kept, is_other

FACTS = {"n_targets": 1, "n_in": 4, "window": 2, "units": ["a"], "bin": 0.1}
RUN = OmegaConf.create(
    {
        "seed": 0,
        "data": {"path": "a"},
        "optim": {"lr": 1e-3},
        "trainer": {"l2": 0.0, "steps": 5},
        "loss": {"_target_": "dlthink.losses.reals.student_t.StudentTNLL", "df": 4.0, "calibrate": "none"},
        "model": {"_target_": "dlthink.models.mlp.MLP", "width": 8, "dropout": 0.1},
    }
)


def changed(**settings):
    config = RUN.copy()
    for key, value in settings.items():
        OmegaConf.update(config, key.replace("__", "."), value)
    return config


def test_a_value_that_the_checkpoint_puts_back_is_refused():
    with pytest.raises(BadInput, match=r"loss\.df: decides about fixed, which the checkpoint holds"):
        check_kept(RUN, changed(loss__df=9.0), FACTS)


@pytest.mark.parametrize(
    "settings", [{}, {"loss__calibrate": "scale"}, {"model__dropout": 0.3}, {"optim__lr": 1.0}, {"model__width": 9}]
)
def test_what_is_used_as_it_is_now_is_not(settings):
    check_kept(RUN, changed(**settings), FACTS)


@pytest.mark.parametrize(
    "settings, other",
    [
        ({}, False),
        ({"trainer__steps": 9}, False),
        ({"trainer__l2": 0.1}, True),
        ({"optim__lr": 1.0}, True),
        ({"loss__calibrate": "scale"}, True),
        ({"data__path": "b"}, True),
    ],
)
def test_is_it_still_the_same_that_is_descended(settings, other):
    assert is_other(RUN, changed(**settings)) == other
