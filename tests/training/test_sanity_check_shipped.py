"""The sanity check finds nothing wrong with what dlthink ships: every cost, with the data and networks it fits."""

import warnings

import pytest
import torch
from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from dlthink.training import rng
from dlthink.training.players import networks_of
from dlthink.training.precision import Precision
from dlthink.training.sampler import Sampler
from dlthink.training.sanity_check import sanity_check
from dlthink.training.stop_gradient import stop_gradient

CPU = torch.device("cpu")
SMALL = {
    "spikes": ["data.minutes=2", "data.neurons=4"],
    "molecules": ["data.molecules=150"],
    "faces": ["data.identities=30", "data.photos_each=4", "data.size=24"],
    "seasons": ["data.scenes=6", "data.val_scenes=3", "data.test_scenes=3", "data.size=32"],
}
MODELS = {
    "spikes": ["mlp", "gru", "glm"],
    "molecules": ["mpnn", "ensemble"],
    "faces": ["facenet"],
    "seasons": ["cyclegan"],
}
QUICK = {  # one cost of each family; all others are trained once elsewhere, and asked here by `make test-slow`
    ("spikes", "poisson", "mlp"),
    ("molecules", "quantile", "ensemble"),
    ("faces", "triplet", "facenet"),
}
SETTINGS = {  # beside each cost as it is typed
    "negative_binomial": [["loss.dispersion=shared"], ["loss.dispersion=network"]],
    "com_poisson": [["loss.dispersion=network"]],
    "zero_inflated_negative_binomial": [["loss.dispersion=network"]],
    "quantile": [["loss.levels=[0.1,0.5,0.9]"]],
    "gaussian_nll": [["loss.spread=exp"], ["loss.spread=square"], ["loss.calibrate=isotonic"]],
    "crps": [["loss.family=laplace"], ["loss.spread=raw"]],
    "student_t": [["loss.df=3"]],
    "triplet": [[f"loss.mining={mine}"] for mine in ("batch_hard", "batch_all", "random")] + [["loss.margin=null"]],
    "cyclegan": [[f"loss.gan={gan}"] for gan in ("hinge", "nonsaturating", "wgan_gp")],
    "projected_gan": [["loss.mmd=1"]],
}


def pairings():
    for problem, models in MODELS.items():
        node = OmegaConf.load(conf_folder() / "data" / f"{problem}.yaml").data
        kind = build.find(node, "data").targets(dict(node))
        for name, file in options("loss", conf_folder()).items():
            if kind in build.find(OmegaConf.load(file), "loss").targets:
                for i, model in enumerate(models):
                    for words in [[], *SETTINGS.get(name, [])][: None if i == 0 else 1]:
                        marks = () if not words and (problem, name, model) in QUICK else pytest.mark.slow
                        yield pytest.param(problem, name, model, words, marks=marks)


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    """The small data of each problem, made once."""
    return {}


@pytest.mark.parametrize(
    "problem, name, model, words",
    list(pairings()),
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_no_false_alarm(cli, monkeypatch, problems, problem, name, model, words):
    if problem == "molecules":
        pytest.importorskip("rdkit")
    typed = ["train", f"data={problem}", f"loss={name}", f"model={model}", *SMALL[problem], *words]
    code, text, err = cli(*typed, "--cfg", "job")
    assert code == 0, err
    config = OmegaConf.create(text)
    if problem not in problems:
        problems[problem] = build.build(config.data)
    data = problems[problem]
    metrics = build.build(config.metrics, **data.facts)
    loss, network = build.networks(config, data.facts)
    if hasattr(loss, "prepare"):
        loss.prepare(data.train.targets())
    stop_gradient(network, loss)
    order = Sampler(data.train, config.trainer.batch, 0, CPU)
    before, modes = rng.state()["torch"], network.training
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cost = sanity_check(network, loss, data.train, data.val, metrics, order.next())
    assert torch.isfinite(torch.tensor(cost))
    assert torch.equal(before, rng.state()["torch"]) and network.training == modes
    # once more in half precision, which wraps the networks
    if model not in ("gru", "ensemble") and not words:
        precision = Precision("bf16", "cpu")
        for one in (network, *networks_of(loss)):
            precision.network(one)
        sanity_check(network, loss, data.train, data.val, metrics, order.next())
