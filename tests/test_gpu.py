"""On a GPU: every cost, half precision, resume, and no wait for the device inside a step.

What does not ask for CUDA itself also runs on a CPU (slow), so that it is not forgotten between two GPUs.
"""

import copy
from functools import partial

import pytest
import torch

from dlthink.data.recordings.spikes import Spikes
from dlthink.data.seasons.seasons import Seasons
from dlthink.losses.counts.categorical import Categorical
from dlthink.losses.counts.poisson import Poisson
from dlthink.losses.translations.cyclegan import CycleGAN as CycleGANLoss
from dlthink.losses.translations.projected_gan import ProjectedGAN
from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.translations.metrics import Translations
from dlthink.models.cyclegan import CycleGAN
from dlthink.models.discriminators.features import FeatureDiscriminator
from dlthink.models.discriminators.patch import PatchDiscriminator
from dlthink.models.gru import GRU
from dlthink.models.mlp import MLP
from dlthink.protocols import Loss
from dlthink.training import checkpoint, rng
from dlthink.training.experiment_parts import Parts
from dlthink.training.interrupt import Interrupted
from dlthink.training.loop import Loop
from dlthink.training.trainer import Trainer
from tests.conftest import needs_lite1
from tests.losses.counts import made_counts
from tests.losses.embeddings import triplet_loops
from tests.losses.embeddings.test_embeddings import DRAWING
from tests.losses.reals import made_outputs
from tests.losses.translations.made_translations import SEASONS as DOMAINS
from tests.training.test_resume import start
from tests.training.toy import fit, network, weights

features = partial(FeatureDiscriminator, width=8)
CUDA = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")]
DEVICES = [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("cuda", marks=CUDA)]
HALVES = [
    pytest.param("cpu", "bf16", marks=pytest.mark.slow),
    *(pytest.param("cuda", name, marks=CUDA) for name in ("tf32", "bf16", "fp16")),
]
WHOLE = [
    pytest.param("cpu", "fp32", marks=pytest.mark.slow),
    *(pytest.param("cuda", name, marks=CUDA) for name in ("fp32", "bf16", "fp16")),
]


def everything(value):
    """Tensors of a nested answer, and what its distribution says, by name."""
    found = {name: tensor for name, tensor in value.items() if isinstance(tensor, torch.Tensor)}
    if (distribution := value.get("distribution")) is not None:
        found |= {"distribution mean": distribution.mean, "distribution variance": distribution.variance}
    return found


def asked(loss, out, y, device):
    """What it costs on that device, with all slopes, and what it reads out after a fit on validation."""
    loss, y = copy.deepcopy(loss).to(device), y.to(device)
    out = out.detach().to(device).requires_grad_()
    torch.manual_seed(0)
    terms = loss(out, y)
    sum(terms.values()).backward()
    found = {f"term {name}": value for name, value in terms.items()} | {"slope": out.grad}
    found |= {f"slope of {name}": p.grad for name, p in loss.named_parameters() if p.grad is not None}
    loss.eval()
    Loss.fit_on_validation.of(loss)(out.detach(), y)
    with torch.no_grad():
        read = everything(loss.predict(out.detach()))
        if (distribution := loss.predict(out.detach()).get("distribution")) is not None:
            read["log_prob"] = distribution.log_prob(y)
    assert all(value.device.type == device for value in (*found.values(), *read.values()))
    return {name: value.detach().cpu() for name, value in (found | read).items()}


def counts(name, where):
    loss = made_counts.build(name, dtype=torch.float32, dispersion=where)
    return loss, *made_counts.sample(loss)


def poisson():
    k = made_counts.counts(dtype=torch.float32)
    loss = Poisson(3)
    loss.prepare(k)
    return loss, 0.3 * torch.randn(40, 3, generator=torch.Generator().manual_seed(1)), k


def categorical():
    k = made_counts.counts(dtype=torch.float32)
    loss = Categorical(3, largest_count=int(k.max()))
    loss.prepare(k)
    return loss, torch.randn(40, 3 * loss.outputs_per_target, generator=torch.Generator().manual_seed(1)), k


def reals(name, calibrate):
    loss = made_outputs.build(name, dtype=torch.float32, calibrate=calibrate)
    return loss, *made_outputs.sample(loss, n=200)


def embeddings(name):
    return triplet_loops.build(name), *triplet_loops.sample()


COSTS = {
    **{f"{name} {where}": partial(counts, name, where) for name in made_counts.COSTS for where in made_counts.WHERE},
    **{
        f"{name} {how}": partial(reals, name, how)
        for name in made_outputs.COSTS
        for how in ("none", "isotonic", "conformal")
    },
    **{name: partial(embeddings, name) for name in triplet_loops.COSTS if name not in DRAWING},
    "poisson": poisson,
    "categorical": categorical,
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", list(COSTS))
def test_every_cost_is_there_what_it_is_on_a_cpu(name, device):
    """Sums in another order differ by some 1e-6; what lies on the wrong device does not end at all."""
    loss, out, y = COSTS[name]()
    here, there = (asked(loss, out, y, where) for where in ("cpu", device))
    for what, value in here.items():
        torch.testing.assert_close(there[what], value, rtol=2e-3, atol=2e-4, msg=f"{what} differs")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_auto_takes_the_gpu_and_the_best_format(tmp_path):
    run, model, _, _ = fit(tmp_path, device="auto", precision="auto")
    assert run.precision.device.type == "cuda"
    assert run.precision.name == ("bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16")
    assert next(model.parameters()).device.type == "cuda"
    assert next(model.parameters()).dtype == torch.float32


@pytest.mark.parametrize("device, precision", HALVES)
def test_every_format_learns_what_float32_learns(tmp_path, device, precision):
    _, _, _, wide = fit(tmp_path / "wide", device=device, precision="fp32", steps=300)
    run, _, _, results = fit(tmp_path / precision, device=device, precision=precision, steps=300)
    assert run.precision.scaler.is_enabled() == (precision == "fp16")
    assert results["test"]["rmse"] == pytest.approx(wide["test"]["rmse"], rel=0.15)


@pytest.mark.parametrize("device, precision", WHOLE)
def test_resumed_there(tmp_path, device, precision):
    spec = dict(device=device, precision=precision, deterministic=True, model=lambda: network(dropout=0.3))
    _, model, _, _ = start(tmp_path / "whole", dict(spec))
    with pytest.raises(Interrupted):
        start(tmp_path / "parts", dict(spec), stop_at=23)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    _, resumed, _, _ = start(tmp_path / "parts", dict(spec), saved)
    torch.testing.assert_close(weights(model), weights(resumed), rtol=1e-5, atol=1e-6)


class Watched(Loop):
    """On a GPU torch raises at any synchronizing call between two log lines."""

    def advance(self, measure):
        if measure or self.precision.device.type != "cuda":
            return super().advance(measure)
        torch.cuda.set_sync_debug_mode("error")
        try:
            return super().advance(measure)
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("network_of", [MLP, GRU])
@pytest.mark.parametrize("device, precision", WHOLE)
def test_a_step_never_waits_for_the_device(tmp_path, network_of, device, precision):
    data = Spikes(minutes=2, neurons=4)
    facts = data.facts
    rng.seed(0)
    parts = Parts(
        data=data,
        metrics=Counts(facts["units"], facts["bin"]),
        loss=Poisson(facts["n_targets"]),
        model=network_of(n_in=facts["n_in"], window=facts["window"], n_out=facts["n_targets"]),
        optim=partial(torch.optim.Adam, lr=1e-3, fused=True),
        trainer=Trainer(steps=200, batch=64, log_every=10, device=device, precision=precision, clip=1.0),
    )
    Watched(parts, tmp_path).run()


@pytest.mark.parametrize("device", DEVICES)
def test_molecules_are_assembled_there(tmp_path, device):
    pytest.importorskip("rdkit", reason="molecules need rdkit")
    from dlthink.data.molecules.simulated import Molecules
    from dlthink.losses.reals.crps import CRPS
    from dlthink.metrics.reals.shifts import Shifts
    from dlthink.models.mpnn import MPNN

    data, maes = Molecules(molecules=300), []
    for where in ("cpu", device):
        torch.manual_seed(0)
        model = MPNN(data.facts["atom_features"], data.facts["bond_kinds"], 2, width=32, depth=3)
        trainer = Trainer(steps=60, batch=32, validate_every=30, device=where, precision="fp32")
        optim = partial(torch.optim.Adam, lr=1e-3)
        parts = Parts(data, Shifts("ppm"), CRPS(1), model, optim, trainer)
        maes.append(Loop(parts, tmp_path / str(len(maes))).run()["test"]["mae"])
    assert maes[1] == pytest.approx(maes[0], rel=0.05)


@pytest.mark.parametrize("channels_last", [False, pytest.param(True, marks=CUDA)], ids=["as it is", "channels last"])
@pytest.mark.parametrize("device, precision", WHOLE)
@pytest.mark.parametrize(
    "cost",
    [
        partial(CycleGANLoss, DOMAINS, partial(PatchDiscriminator, 3, 8)),
        pytest.param(partial(ProjectedGAN, DOMAINS, features), marks=needs_lite1),
        pytest.param(partial(ProjectedGAN, DOMAINS, features, mmd=1.0), marks=needs_lite1),
    ],
    ids=["cyclegan", "projected", "projected, mmd"],
)
def test_a_step_of_two_players_never_waits_either(tmp_path, monkeypatch, cost, device, precision, channels_last):
    """Generators, judges, and pools whose chance lies on the CPU, as that of what judges are shown does."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path))
    data = Seasons(scenes=8, val_scenes=2, test_scenes=2, size=64)
    rng.seed(0)
    kind = {"device": device, "precision": precision, "channels_last": channels_last}
    trainer = Trainer(steps=24, batch=2, log_every=8, validate_every=24, **kind)
    model, cost = CycleGAN(3, DOMAINS, 3, width=8, blocks=2, guided_filter=8), cost(pool=4)
    optim = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999), fused=True)
    parts = Parts(data, Translations(DOMAINS, "embedded"), cost, model, optim, trainer)
    found = Watched(parts, tmp_path / "run").run()["test"]
    assert found["cycle_l1_to_winter"] < 0.2 and found["psnr_to_winter"] > 5
