"""Every source of chance in a run: seeded once, kept in each checkpoint, restored on resume."""

import random

import numpy as np
import torch


def seed(value: int) -> None:
    """Seed Python, numpy and torch (CPU and every GPU)."""
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)


def state() -> dict:
    """The state of all global generators, in types that `torch.load(weights_only=True)` accepts."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, keys.tolist(), int(position), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore(saved: dict) -> None:
    """Put back what `state` returned. GPU generators are restored where the same number of GPUs is present.

    Raises ValueError, or what the generators do, for anything else.
    """
    version, words, gauss = saved["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, position, *rest = saved["numpy"]
    if position not in range(len(keys) + 1):  # numpy does not ask, and would read beyond its numbers
        raise ValueError(f"numpy's generator has no position {position}")
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, *rest))
    torch.set_rng_state(saved["torch"].cpu())
    if torch.cuda.is_available() and len(saved["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([s.cpu() for s in saved["cuda"]])
