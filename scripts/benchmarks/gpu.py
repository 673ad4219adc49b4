"""Each scenario in each precision on one device: steps a second and peak memory.

    python scripts/benchmarks/gpu.py [REPEATS] [--scenario NAME] [--device cuda] [--steps N]

Rows are seconds of a step against fp32's. CycleGAN is the published one, 256 pixels, 9 blocks of width 64: its bf16 in
channels_last, compiled, should need 0.4 of fp32's seconds or less. Without CUDA nothing is measured, and it says so;
`--device cpu` shows that it would run, in those precisions that a CPU has.
"""

import argparse
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from clock import report
from ours import Timed, Unexamined, train, windows
from seasons import photos

from dlthink.errors import BadInput

KINDS = {
    "fp32": ["trainer.precision=fp32"],
    "tf32": ["trainer.precision=tf32"],
    "bf16": ["trainer.precision=bf16"],
    "fp16": ["trainer.precision=fp16"],
    "bf16 channels_last": ["trainer.precision=bf16", "trainer.channels_last=true"],
    "bf16 channels_last compile": ["trainer.precision=bf16", "trainer.channels_last=true", "trainer.compile=true"],
}


def recording() -> SimpleNamespace:
    """Counts of 50 units over 20 covariates."""
    g = torch.Generator().manual_seed(0)
    signals = torch.randn(20_010, 20, generator=g)
    return windows(signals, torch.poisson(torch.rand(20_000, 50, generator=g), generator=g), 10, examined=256)


def molecules() -> Any:
    from dlthink.data.molecules.simulated import Molecules

    return Molecules(molecules=500)


def faces() -> Any:
    from dlthink.data.faces.faces import Faces

    return Faces(identities=120, photos_each=8, size=48)


CYCLEGAN = ["data=seasons", "loss=cyclegan", "model.width=64", "model.blocks=9", "loss.monitor=false"]
# What is trained, on what, by how many samples a step, and how many steps
SCENARIOS: dict[str, tuple[list[str], Callable[[], Any], int, int]] = {
    "spikes": (["data=spikes", "loss=poisson", "model=gru", "model.width=256"], recording, 256, 400),
    "molecules": (["data=molecules", "loss=laplace_nll", "model=mpnn"], molecules, 32, 200),
    "faces": (["data=faces", "loss=triplet", "model=facenet"], faces, 120, 100),
    "seasons": (CYCLEGAN, lambda: photos(256), 1, 30),
    "seasons by 8": (CYCLEGAN, lambda: photos(256), 8, 16),
}


def measured(words: list[str], data: Any, device: str, batch: int, steps: int) -> tuple[float, float]:
    """Seconds of a step, without the first half of them, which warm up; peak memory in GB, 0 on a CPU."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    words = [*words, f"trainer.device={device}", f"trainer.batch={batch}", f"trainer.steps={steps}"]
    words += [f"trainer.log_every={steps // 2}", f"trainer.validate_every={steps}", "trainer.schedule=constant"]
    run: Timed = train(words, data, metrics=Unexamined())
    return 1 / run.per_second, torch.cuda.max_memory_allocated() / 1e9 if cuda else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repeats", type=int, nargs="?", default=2)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, help="of each measurement; if not given, as each scenario needs")
    asked = parser.parse_args()
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA here: not measured", file=sys.stderr)
        return
    for scenario in asked.scenario or SCENARIOS:
        words, made, batch, steps = SCENARIOS[scenario]
        try:
            data = made()
        except BadInput as error:  # a package is missing
            print(f"{scenario}: not measured, {error}", file=sys.stderr)
            continue
        wide: list = []
        for kind, more in KINDS.items():
            try:
                found = [
                    measured([*words, *more], data, asked.device, batch, asked.steps or steps)
                    for _ in range(asked.repeats)
                ]
            except (BadInput, RuntimeError) as error:  # one precision that cannot be had does not end the others
                print(f"{scenario}, {kind}: not measured, {str(error).splitlines()[0]}", file=sys.stderr)
                continue
            times = [[seconds, seconds] for seconds, _ in found]
            wide = wide or times
            step = float(np.median([seconds for seconds, _ in found]))
            more = dict(steps_per_second=1 / step, samples_per_second=batch / step, peak_gb=max(gb for _, gb in found))
            goal = 0.4 if scenario.startswith("seasons") and kind.endswith("compile") else None
            report(f"{scenario}, {kind} / fp32", goal, times, wide, scenario=scenario, kind=kind, **more)


if __name__ == "__main__":
    main()
