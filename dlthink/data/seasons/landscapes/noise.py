"""Noise that landscapes are made of: three periodic pictures, computed once, read anywhere and at any scale."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SIDE = 512
FINEST = SIDE / 6  # waves across a table: what bilinear reading still shows smoothly


def at(table: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A table of `waves`, `crests` or `specks` read between its points; it repeats at every integer of u and v."""
    u, v = u * np.float32(SIDE), v * np.float32(SIDE)
    i, j = np.floor(u), np.floor(v)
    u, v = u - i, v - j
    first = (j.astype(np.intp) & (SIDE - 1)) * (SIDE + 1) + (i.astype(np.intp) & (SIDE - 1))
    flat = table.ravel()  # the four neighbours of a point are read with the same places of four shifted views
    top, low = flat[:-1].take(first), flat[SIDE + 1 :].take(first)
    top += u * (flat[1:].take(first) - top)
    low += u * (flat[SIDE + 2 :].take(first) - low)
    low -= top
    low *= v
    low += top
    return low


@lru_cache(maxsize=1)
def waves() -> np.ndarray:
    """Hills and clouds: fractal noise of mean 0 and standard deviation 1."""
    k = _frequency()
    return _padded(_normal(_filtered(0, np.where((k >= 2) & (k < FINEST), np.maximum(k, 2) ** -1.9, 0))))


@lru_cache(maxsize=1)
def crests() -> np.ndarray:
    """Mountains, 0 (valleys) to 1 (sharp crests): ridged multifractal noise (Musgrave 1994)."""
    k = _frequency()
    total, weight = np.zeros((SIDE, SIDE)), np.ones((SIDE, SIDE))
    for octave in range(5):
        middle = 2.5 * 2**octave
        noise = _normal(_filtered(1 + octave, np.exp(-((np.log2(np.maximum(k, 1e-3) / middle) / 0.6) ** 2))))
        ridge = (1 - np.minimum(np.abs(noise) / 1.8, 1)) ** 2
        total += 0.44**octave * ridge * weight
        weight = np.clip(ridge * 1.6, 0, 1)
    low, high = np.quantile(total, (0.002, 0.998))
    return _padded(np.clip((total - low) / (high - low), 0, 1))


@lru_cache(maxsize=1)
def specks() -> np.ndarray:
    """Grass, leaves, flowers: noise without large waves, mean 0 and standard deviation 1."""
    k = _frequency()
    return _padded(_normal(_filtered(9, ((k > 40) & (k < 120)).astype(float))))


def _frequency() -> np.ndarray:
    across, down = np.fft.rfftfreq(SIDE, 1 / SIDE), np.fft.fftfreq(SIDE, 1 / SIDE)
    return np.hypot(across, down[:, None])


def _filtered(seed: int, gain: np.ndarray) -> np.ndarray:
    white = np.random.default_rng((5, seed)).standard_normal((SIDE, SIDE))
    return np.fft.irfft2(np.fft.rfft2(white) * gain, s=(SIDE, SIDE))


def _normal(noise: np.ndarray) -> np.ndarray:
    return (noise - noise.mean()) / noise.std()


def _padded(table: np.ndarray) -> np.ndarray:
    """With its first row and column once more at the end, so that reading between points needs no wrapping."""
    return np.pad(table, (0, 1), mode="wrap").astype(np.float32)
