"""Two photos compared pixel by pixel: PSNR, structural similarity, and that of their edges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW, SIGMA = 11, 1.5  # pixels
LUMINANCE = (0.299, 0.587, 0.114)
SMALLEST = 1e-10  # mean square difference that still counts: 100 dB


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """-10 log10 mean((a - b)^2) of photos [n, 3, s, s] in [0, 1], in dB, at most 100: [n]."""
    return -10 * ((a - b) ** 2).flatten(1).mean(1).clamp(min=SMALLEST).log10()


def luminance(photo: Tensor) -> Tensor:
    """0.299 R + 0.587 G + 0.114 B: [n, 1, s, s]. Source: ITU-R BT.601."""
    return torch.einsum("c,nchw->nhw", photo.new_tensor(LUMINANCE), photo)[:, None]


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean structural similarity of maps [n, 1, h, w] whose range is 1: [n]; nan below 11 pixels a side.

    (2 m_a m_b + C1) (2 s_ab + C2) / ((m_a^2 + m_b^2 + C1) (s_a^2 + s_b^2 + C2)), moments under a Gaussian window of
    11 x 11 pixels and sigma 1.5 wherever it lies inside the photo, C1 = 0.01^2, C2 = 0.03^2.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, IEEE Trans. Image Processing 13.
    """
    if min(a.shape[-2:]) < WINDOW:
        return torch.full((len(a),), torch.nan)
    mean_a, mean_b, aa, bb, ab = (_blurred(x) for x in (a, b, a * a, b * b, a * b))
    c1, c2 = 0.01**2, 0.03**2
    made = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
    made = made / ((mean_a**2 + mean_b**2 + c1) * (aa - mean_a**2 + bb - mean_b**2 + c2))
    return made.flatten(1).mean(1)


def edges(photo: Tensor) -> Tensor:
    """Length of the gradient of luminance, Sobel's filters / 4, so that a step of 1 has 1: [n, 1, s - 2, s - 2]."""
    across = photo.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    made = F.conv2d(luminance(photo), torch.stack([across, across.T])[:, None])
    return (made**2).sum(1, keepdim=True).sqrt()


def _blurred(x: Tensor) -> Tensor:
    at = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    window = torch.exp(-(at**2) / (2 * SIGMA**2))
    window = window / window.sum()
    return F.conv2d(F.conv2d(x, window[None, None, :, None]), window[None, None, None, :])
