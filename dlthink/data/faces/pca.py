"""What needs no training: photos compared as pixels, and by whitened principal components. Unit vectors both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from dlthink.data.photos.pixels import rows_of

SIDE = 32  # pixels
MOST = 128  # components
CHUNK = 1 << 22  # numbers of photos at a time: 16 MB


def small_grey(pixels: Tensor, rows: Tensor) -> Tensor:
    """Photos pixels[rows] as grey values [n, SIDE^2] in 0 .. 1."""
    found = [
        adaptive_avg_pool2d(rows_of(pixels, some).float().mean(1, keepdim=True), SIDE).flatten(1) / 255
        for some in rows.split(max(1, CHUNK // pixels[0].numel()) if len(pixels) else 1)
    ]
    return torch.cat(found) if found else torch.zeros(0, SIDE**2)


def pixel_embedding(grey: Tensor) -> Tensor:
    """(g - mean g) / |g - mean g|: what brightness and contrast do not change."""
    return normalize(grey - grey.mean(1, keepdim=True), dim=1)


@dataclass
class WhitenedPCA:
    """W (g - mean) / |W (g - mean)|, W the leading principal directions over their standard deviations.

    mean [d], components [d, k] float32.
    """

    mean: Tensor
    components: Tensor

    @classmethod
    def fit(cls, grey: Tensor) -> WhitenedPCA:
        """From training photos [n, d]; k is at most 128 and at most the rank. The same numbers every time."""
        mean = grey.double().mean(0)
        centred = grey.double() - mean
        few = len(centred) < centred.shape[1]  # then the smaller matrix, of photos by photos, says the same
        square = centred @ centred.T if few else centred.T @ centred
        values, vectors = torch.linalg.eigh(square / max(len(grey) - 1, 1))
        if few:
            vectors = torch.nn.functional.normalize(centred.T @ vectors, dim=0)
        k = max(1, min(MOST, len(grey) - 1, int((values > values[-1].clamp(min=1e-12) * 1e-6).sum())))
        values, vectors = values[-k:].flip(0).clamp(min=1e-12), vectors[:, -k:].flip(1)
        vectors = vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()  # a sign is arbitrary
        return cls(mean.float(), (vectors / values.sqrt()).float())

    def embedding(self, grey: Tensor) -> Tensor:
        return normalize((grey - self.mean) @ self.components, dim=1)

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "components": self.components}
