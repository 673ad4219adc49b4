"""Photos of two seasons, and answers to them, for the tests of costs of translations."""

import torch

SEASONS = ["summer", "winter"]


def photos(n, size, seed=0, dtype=torch.float32):
    g = torch.Generator().manual_seed(seed)
    return {season: torch.rand(n, 3, size, size, generator=g, dtype=dtype) * 2 - 1 for season in SEASONS}


def answer(y, seed=9):
    """A network's answer: a little of noise over what is right."""
    g = torch.Generator().manual_seed(seed)
    noisy = lambda x: (x + 0.1 * torch.randn(x.shape, generator=g, dtype=x.dtype)).clamp(-1, 1)  # noqa: E731
    other = {"winter": "summer", "summer": "winter"}
    out = {season: noisy(y[source]) for season, source in other.items()}
    return out | {f"{kind}_{season}": noisy(y[season]) for kind in ("back", "same") for season in SEASONS}
