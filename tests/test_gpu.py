"""On a GPU: half precision, resume, and no wait for the device inside a step."""

from functools import partial

import pytest
import torch

from dlthink.data.recordings.spikes import Spikes
from dlthink.data.seasons.seasons import Seasons
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
from dlthink.training import checkpoint, rng
from dlthink.training.interrupt import Interrupted
from dlthink.training.loop import Loop
from dlthink.training.parts import Parts
from dlthink.training.trainer import Trainer
from tests.conftest import needs_lite1
from tests.losses.translations.made_translations import SEASONS as DOMAINS
from tests.training.test_resume import start
from tests.training.toy import fit, network, weights

features = partial(FeatureDiscriminator, width=8)
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]


def test_auto_takes_the_gpu_and_the_best_format(tmp_path):
    run, model, _, _ = fit(tmp_path, device="auto", precision="auto")
    assert run.precision.device.type == "cuda"
    assert run.precision.name == ("bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16")
    assert next(model.parameters()).device.type == "cuda"
    assert next(model.parameters()).dtype == torch.float32


@pytest.mark.parametrize("precision", ["tf32", "bf16", "fp16"])
def test_every_format_learns_what_float32_learns(tmp_path, precision):
    _, _, _, wide = fit(tmp_path / "wide", device="cuda", precision="fp32", steps=300)
    run, _, _, results = fit(tmp_path / precision, device="cuda", precision=precision, steps=300)
    assert run.precision.scaler.is_enabled() == (precision == "fp16")
    assert results["test"]["rmse"] == pytest.approx(wide["test"]["rmse"], rel=0.15)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_resumed_on_the_gpu(tmp_path, precision):
    spec = dict(device="cuda", precision=precision, deterministic=True, model=lambda: network(dropout=0.3))
    _, model, _, _ = start(tmp_path / "whole", dict(spec))
    with pytest.raises(Interrupted):
        start(tmp_path / "parts", dict(spec), stop_at=23)
    saved, _ = checkpoint.load_last(tmp_path / "parts" / "checkpoints")
    _, resumed, _, _ = start(tmp_path / "parts", dict(spec), saved)
    torch.testing.assert_close(weights(model), weights(resumed), rtol=1e-5, atol=1e-6)


class Watched(Loop):
    """torch raises at any synchronizing call between two log lines."""

    def advance(self, measure):
        if measure:
            return super().advance(measure)
        torch.cuda.set_sync_debug_mode("error")
        try:
            return super().advance(measure)
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("network_of", [MLP, GRU])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_step_never_waits_for_the_device(tmp_path, network_of, precision):
    data = Spikes(minutes=2, neurons=4)
    facts = data.facts
    rng.seed(0)
    parts = Parts(
        data=data,
        metrics=Counts(facts["units"], facts["bin"]),
        loss=Poisson(facts["n_targets"]),
        model=network_of(facts["n_in"], facts["window"], facts["n_targets"]),
        optim=partial(torch.optim.Adam, lr=1e-3, fused=True),
        trainer=Trainer(steps=200, batch=64, log_every=10, precision=precision, clip=1.0),
    )
    Watched(parts, tmp_path).run()


def test_molecules_are_assembled_on_the_gpu(tmp_path, monkeypatch):
    pytest.importorskip("rdkit", reason="molecules need rdkit")
    from dlthink.data.molecules.simulated import Molecules
    from dlthink.losses.reals.crps import CRPS
    from dlthink.metrics.reals.shifts import Shifts
    from dlthink.models.mpnn import MPNN

    data, folders = Molecules(molecules=300), {}
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        model = MPNN(data.facts["atom_features"], data.facts["bond_kinds"], 2, width=32, depth=3)
        trainer = Trainer(steps=60, batch=32, validate_every=30, device=device, precision="fp32")
        optim = partial(torch.optim.Adam, lr=1e-3)
        parts = Parts(data, Shifts("ppm"), CRPS(1), model, optim, trainer)
        folders[device] = Loop(parts, tmp_path / device).run()
    assert folders["cuda"]["test"]["mae"] == pytest.approx(folders["cpu"]["test"]["mae"], rel=0.05)


@pytest.mark.parametrize("knobs", [{}, {"channels_last": True}], ids=["as it is", "channels last"])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize(
    "cost",
    [
        partial(CycleGANLoss, DOMAINS, partial(PatchDiscriminator, 3, 8)),
        pytest.param(partial(ProjectedGAN, DOMAINS, features), marks=needs_lite1),
        pytest.param(partial(ProjectedGAN, DOMAINS, features, mmd=1.0), marks=needs_lite1),
    ],
    ids=["cyclegan", "projected", "projected, mmd"],
)
def test_a_step_of_two_players_never_waits_either(tmp_path, monkeypatch, cost, precision, knobs):
    """Generators, judges, and pools whose chance lies on the CPU, as that of what judges are shown does."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path))
    data = Seasons(scenes=8, val_scenes=2, test_scenes=2, size=64)
    rng.seed(0)
    trainer = Trainer(steps=24, batch=2, log_every=8, validate_every=24, precision=precision, **knobs)
    model, cost = CycleGAN(3, DOMAINS, 3, width=8, blocks=2, guided_filter=8), cost(pool=4)
    optim = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999), fused=True)
    run = Watched(trainer, model, cost, data, Translations(DOMAINS, "embedded"), optim, tmp_path / "run")
    found = run.run()["test"]
    assert found["cycle_l1_to_winter"] < 0.1 and found["psnr_to_winter"] > 5
