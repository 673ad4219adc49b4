"""The baseline of any domain: colours moved to another domain's mean and covariance. It knows no texture."""

from __future__ import annotations

import torch
from torch import Tensor

from dlthink.data.photos.pixels import rows_of
from dlthink.data.seasons.domains import swapped

WHITE = (0.95047, 1.0, 1.08883)  # X, Y, Z of the light D65
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
MOST = 1000  # photos of a domain whose colours are measured
SIDE = 32  # pixels a side at which they are


class ColorTransfer:
    """z' = m_to + A (z - m_from) in CIE Lab, A = C_from^(-1/2) (C_from^(1/2) C_to C_from^(1/2))^(1/2) C_from^(-1/2).

    m, C: mean and covariance of the colours of all training photos of a domain: of all maps that move the one Gaussian
    onto the other, the one that moves colours least. moments: {domain: float64 [4, 3], the mean and then C}.

    Source: Pitie & Kokaram 2007, CVMP; in Lab as Reinhard, Ashikhmin, Gooch & Shirley 2001, IEEE CG&A.
    """

    def __init__(self, moments: dict[str, Tensor]) -> None:
        self.moments = moments
        self.source = swapped(moments)
        self.maps = {domain: linear(source[1:], moments[domain][1:]) for domain, source in self.source.items()}

    @classmethod
    def fit(cls, photos: dict[str, Tensor]) -> ColorTransfer:
        """From training photos {domain: uint8 [n, 3, l, l]}."""
        return cls({domain: moments(pictures) for domain, pictures in photos.items()})

    def __call__(self, x: Tensor, domain: str) -> Tensor:
        """Photos [n, 3, s, s] in [-1, 1] of the other domain in the colours of this one."""
        lab = to_lab((x + 1) / 2).movedim(1, -1)
        means = self.source[domain][0], self.moments[domain][0]
        start, end, turn = (tensor.to(lab) for tensor in (*means, self.maps[domain]))
        return to_rgb((end + (lab - start) @ turn.T).movedim(-1, 1)) * 2 - 1


def linear(source: Tensor, target: Tensor) -> Tensor:
    """A of the formula above, [3, 3]."""
    root, inverse = root_of(source), root_of(source, -0.5)
    return inverse @ root_of(root @ target @ root) @ inverse


def root_of(matrix: Tensor, power: float = 0.5) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=1e-4) ** power @ vectors.T


def moments(photos: Tensor) -> Tensor:
    """Mean and covariance of the colours in Lab of uint8 [n, 3, l, l]: float64 [4, 3]."""
    some = torch.linspace(0, len(photos) - 1, min(len(photos), MOST)).long()
    parts = [torch.nn.functional.adaptive_avg_pool2d(rows_of(photos, part) / 255, SIDE) for part in some.split(64)]
    lab = to_lab(torch.cat(parts).double()).movedim(1, -1).reshape(-1, 3)
    return torch.cat([lab.mean(0, keepdim=True), lab.T.cov()])


def to_lab(rgb: Tensor) -> Tensor:
    """CIE Lab of sRGB [n, 3, ...] in 0 .. 1 under D65. Source: CIE 15:2004; IEC 61966-2-1."""
    rgb = rgb.clamp(0, 1)
    light = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,nj...->ni...", light.new_tensor(TO_XYZ) / light.new_tensor(WHITE)[:, None], light)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-9) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def to_rgb(lab: Tensor) -> Tensor:
    """sRGB in 0 .. 1 of CIE Lab [n, 3, ...]; what a screen cannot show is clipped."""
    y = (lab[:, 0] + 16) / 116
    f = torch.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], 1)
    xyz = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    back = torch.linalg.inv((lab.new_tensor(TO_XYZ) / lab.new_tensor(WHITE)[:, None]).double()).to(lab)
    light = torch.einsum("ij,nj...->ni...", back, xyz).clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-9) ** (1 / 2.4) - 0.055)
