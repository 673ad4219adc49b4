"""CycleGAN on one GPU, 256 pixels, 9 blocks of width 64, batches of 1 and 8: speed and memory in each precision.

Rows are seconds of a step against fp32's; bf16 in channels_last, compiled, should need 0.4 of them or less. Steps
a second and peak memory go to stderr. Without CUDA nothing is measured, and it says so.
"""

import sys

import numpy as np
import torch
from clock import repeats, report
from ours import Timed, Unexamined, train
from seasons import photos

STEPS = 30
WORDS = [
    "data=seasons",
    "loss=cyclegan",
    "model.width=64",
    "model.blocks=9",
    "loss.monitor=false",
    "trainer.schedule=constant",
]
WORDS += [f"trainer.steps={STEPS}", f"trainer.log_every={STEPS // 2}", f"trainer.validate_every={STEPS}"]
KINDS = {
    "fp32": ["trainer.precision=fp32"],
    "tf32": ["trainer.precision=tf32"],
    "bf16": ["trainer.precision=bf16"],
    "fp16": ["trainer.precision=fp16"],
    "bf16 channels_last": ["trainer.precision=bf16", "trainer.channels_last=true"],
    "bf16 channels_last compile": ["trainer.precision=bf16", "trainer.channels_last=true", "trainer.compile=true"],
}


def measured(words: list[str], data, batch: int) -> tuple[np.ndarray, float]:
    """(wall, wall) seconds of a step without the first half of them, which warm up; peak memory in GB."""
    torch.cuda.reset_peak_memory_stats()
    trainer: Timed = train([*WORDS, f"trainer.batch={batch}", *words], data, metrics=Unexamined())
    return np.full(2, 1 / trainer.per_second), torch.cuda.max_memory_allocated() / 1e9


def main() -> None:
    if not torch.cuda.is_available():
        print("no CUDA here: not measured", file=sys.stderr)
        return
    data = photos(256)
    for batch in (1, 8):
        wide: list = []
        for kind, words in KINDS.items():
            found = [measured(words, data, batch) for _ in range(repeats(3))]
            times, held = [seconds for seconds, _ in found], max(memory for _, memory in found)
            wide = wide or times
            per_second = 1 / float(np.median([seconds[1] for seconds in times]))
            print(f"batch {batch}, {kind}: {per_second:.2f} steps a second, {held:.2f} GB", file=sys.stderr)
            goal = 0.4 if kind.endswith("compile") else None
            report(f"CycleGAN 256 px, batch {batch}, {kind} / fp32", goal, times, wide)


if __name__ == "__main__":
    main()
