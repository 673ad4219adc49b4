"""A configuration becomes objects; what is none is told in one line."""

import pytest
from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.errors import BadInput
from tests.problems import composed


class Sealed(type):
    def __call__(cls):
        return super().__call__()


class Cost(metaclass=Sealed):
    def __init__(self, n_targets=1):
        self.n_targets = n_targets


class Broken:
    def __init__(self, n_targets):
        raise TypeError("of its own")


@pytest.mark.parametrize("node, said", [(None, "metrics=null"), ("mse", "metrics=mse"), (3, "metrics=3")])
def test_a_part_that_is_no_node_is_told(node, said):
    with pytest.raises(BadInput, match=f"^{said}: names no class"):
        build.find(node, "metrics")


def test_a_class_that_takes_less_than_it_says_is_told():
    with pytest.raises(BadInput, match=r"Cost: cannot be made with n_targets by name: .*unexpected keyword"):
        build.build(OmegaConf.create({"_target_": f"{__name__}.Cost"}), n_targets=2)
    with pytest.raises(Exception, match="of its own") as error:
        build.build(OmegaConf.create({"_target_": f"{__name__}.Broken"}), n_targets=2)
    assert not isinstance(error.value, BadInput)


def test_a_whole_number_written_with_an_exponent_is_one_in_the_configuration():
    config = composed("data=spikes", "trainer.steps=1e3", "seed=1e1", "model.width=1e2").copy()
    build.check(config)
    assert str([config.trainer.steps, config.seed, config.model.width]) == "[1000, 10, 100]"
    config.trainer.steps = 0.5
    with pytest.raises(BadInput, match=r"trainer\.steps=0\.5: must be a whole number"):
        build.check(config)
