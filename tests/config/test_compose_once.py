"""A sweep's runs, composed once and laid over: the configurations are Hydra's own."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from dlthink.config.compose_once import SweepLoader
from dlthink.config.paths import conf_folder
from dlthink.errors import BadInput

RUNS = [
    ["loss=mse", "seed=0", "data.bin=0.1"],
    ["loss=mse", "seed=1", "data.bin=0.05"],
    ["seed=2", "data/direction=decode", "loss=crps"],
    ["data=molecules", "seed=1", "loss=gaussian_nll", "optim.betas=[0.8,0.9]", "+loss.more={a:1}"],
]


@pytest.fixture(scope="module")
def hydra():
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        whole = compose("train", ["loss=mse", "trainer.epochs=2", "hydra.job.name=x"], return_hydra_config=True)
        yield GlobalHydra.instance().config_loader(), whole


def test_runs_are_composed_as_hydra_does(hydra):
    loader, whole = hydra
    once = SweepLoader(loader.get_search_path())
    for words in RUNS + RUNS[:1]:
        ours, its = once.load_sweep_config(whole, words), loader.load_sweep_config(whole, words)
        assert OmegaConf.to_yaml(ours) == OmegaConf.to_yaml(its)
    assert len(once._composed) == 3


def test_runs_that_are_composed_together_do_not_share_their_values(hydra):
    """A launcher may compose all of them before it starts the first."""
    loader, whole = hydra
    once = SweepLoader(loader.get_search_path())
    first, second = (once.load_sweep_config(whole, ["loss=mse", f"seed={seed}"]) for seed in (5, 6))
    assert (first.seed, second.seed) == (5, 6)


def test_a_value_that_is_not_there_is_refused(hydra):
    loader, whole = hydra
    once = SweepLoader(loader.get_search_path())
    with pytest.raises(BadInput, match=r"^loss\.no_such: there is no such key"):
        once.load_sweep_config(whole, ["loss=mse", "loss.no_such=1"])


def test_a_run_is_judged_once_and_named_by_its_choices(hydra):
    """Hydra asks for all of them before it starts the first, and again for each as it starts."""
    loader, whole = hydra
    judged = []

    def accept(config, chosen):
        assert chosen["loss"] == "mse"
        judged.append(config.seed)
        if config.seed == 9:
            raise BadInput("seed=9: is no good")

    once = SweepLoader(loader.get_search_path(), accept)
    once.apart = {"loss"}
    for seed in 0, 1, 0:
        once.load_sweep_config(whole, ["loss=mse", f"seed={seed}"])
    assert judged == [0, 1]
    with pytest.raises(BadInput, match=r"^loss=mse: seed=9: is no good"):
        once.load_sweep_config(whole, ["seed=9", "loss=mse"])
    with pytest.raises(BadInput, match=r"^loss=mse: loss.no_such: there is no such key"):
        once.load_sweep_config(whole, ["loss=mse", "loss.no_such=1"])
