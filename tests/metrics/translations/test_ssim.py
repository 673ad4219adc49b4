"""PSNR, SSIM and edges against slow loops and closed forms."""

import math

import numpy as np
import pytest
import torch

from dlthink.metrics.translations.ssim import edges, luminance, psnr, ssim


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loop(a, b):
    """Wang 2004, window by window."""
    at = np.arange(11) - 5
    window = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    found = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            p, q = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            m, n = (window * p).sum(), (window * q).sum()
            pp, qq, pq = (
                (window * (p - m) ** 2).sum(),
                (window * (q - n) ** 2).sum(),
                (window * (p - m) * (q - n)).sum(),
            )
            top = (2 * m * n + 1e-4) * (2 * pq + 9e-4)
            found.append(top / ((m**2 + n**2 + 1e-4) * (pp + qq + 9e-4)))
    return np.mean(found)


def test_ssim_is_the_loop():
    a = noise(3, 1, 17, 14)
    b = (a + 0.3 * noise(3, 1, 17, 14, seed=1)).clamp(0, 1)
    expected = [loop(p[0].numpy(), q[0].numpy()) for p, q in zip(a, b, strict=True)]
    assert ssim(a, b).tolist() == pytest.approx(expected, rel=1e-9)


def test_ssim_of_itself_of_its_negative_and_of_too_few_pixels():
    a = noise(2, 1, 20, 20)
    assert ssim(a, a).tolist() == pytest.approx([1, 1])
    assert (ssim(a, 1 - a) < 0).all()
    assert ssim(a[..., :10], a[..., :10]).isnan().all()
    assert ssim(a[..., :11], a[..., :11]).tolist() == pytest.approx([1, 1])


def test_psnr_by_its_formula():
    a = torch.zeros(2, 3, 4, 4)
    b = a.clone()
    b[0] += 0.1
    assert psnr(a, b).tolist() == pytest.approx([20, 100], rel=1e-5)


def test_luminance_and_the_edge_of_a_step():
    photo = torch.zeros(1, 3, 12, 12)
    photo[:, :, :, 6:] = 1
    assert luminance(photo)[0, 0, 0].tolist() == pytest.approx([0.0] * 6 + [1.0] * 6, abs=1e-6)
    found = edges(photo)
    assert found.shape == (1, 1, 10, 10)
    assert found[0, 0, 3].tolist() == pytest.approx([0, 0, 0, 0, 1, 1, 0, 0, 0, 0], abs=1e-6)
    assert torch.allclose(edges(photo.transpose(2, 3)), found.transpose(2, 3))
    green = torch.zeros(1, 3, 2, 2)
    green[:, 1] = 1
    assert float(luminance(green).mean()) == pytest.approx(0.587)


def test_nan_is_nan():
    a = noise(2, 3, 16, 16)
    b = a.clone()
    b[1, 0, 3, 3] = math.nan
    for found in (psnr(a, b), ssim(luminance(a), luminance(b)), ssim(edges(a), edges(b))):
        assert found.isnan().tolist() == [False, True]
