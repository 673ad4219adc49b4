"""The rising factorial, exact also where a difference of two lgamma has lost its digits."""

from __future__ import annotations

import torch
from torch import Tensor

STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
SLOPES = tuple(-(2 * i + 1) * c for i, c in enumerate(STIRLING))
KINDS = {torch.float32: (4, 3, 1e-9), torch.float64: (8, 8, 1e-14)}  # shift, terms, least a: then r^shift is a number
NUMBERS = {number: float(number) for number in (0.5, 1, 2, 3, 4, 6, 8, *STIRLING, *SLOPES)}
# On a CPU an operation of two tensors takes half the time of one of a tensor and a number.
ON_CPU = {kind: {n: torch.tensor(n, dtype=kind, device="cpu") for n in NUMBERS.values()} for kind in KINDS}


def log_rising_factorial(a: Tensor, k: Tensor) -> Tensor:
    """sum over j < k of log(1 + a j), as below, without its derivative: in half the time."""
    return _log_rising_factorial(a, k, slopes=False)[0]


def rising_factorial_slopes(a: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """sum over j < k of log(1 + a j) = lgamma(k + r) - lgamma(r) - k log r, r = 1 / a, and its derivative by log a.

    The log of r (r + 1) ... (r + k - 1) / r^k. a >= 0 and k >= 0, which need not be whole, broadcast. By Stirling's
    series at y = k + r + 4 (in float32; + 8 in float64) and the steps down from there, so that nothing large is
    subtracted: to rounding in k for every a, where lgamma has no digit left in float32 from r = 1e6 on. An a below 1e-9
    (1e-14 in float64) counts as that.
    """
    return _log_rising_factorial(a, k, slopes=True)


def rising_factorial_table(a: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """The same for all counts from 0 on, k: [counts, 1] = 0, 1, 2, ..., by adding up, which is quick for few."""
    step = a * k
    value, slope = step.log1p(), step / (step + 1)
    return value.cumsum(0) - value, slope.cumsum(0) - slope


def _log_rising_factorial(a: Tensor, k: Tensor, slopes: bool) -> tuple[Tensor, Tensor | None]:
    kind = torch.promote_types(a.dtype, k.dtype)
    shift, terms, least = KINDS[kind]
    c = ON_CPU[kind] if k.device.type == "cpu" else NUMBERS
    r = a.clamp(min=least).reciprocal()
    x, z = k + r, r + c[shift]
    up = torch.log1p(k / z)  # log(y / z)
    n = x.numel()
    both = _tail(torch.cat((x.flatten(), r.flatten())), c, shift, terms, slopes)  # together: half the calls
    (tail, tail_r), (slope, slope_r), (steps, steps_r) = ((each[:n].view_as(x), each[n:].view_as(r)) for each in both)
    value = torch.addcmul(tail - tail_r, k, torch.log1p(shift / r) - c[1])
    value = torch.addcmul(value, x + (c[shift] - c[0.5]), up) - (steps / steps_r).log()
    return value, torch.addcmul(k, r, up + (slope - slope_r), value=-1) if slopes else None


def _tail(x: Tensor, c: dict, shift: int, terms: int, slopes: bool) -> tuple[Tensor, Tensor, Tensor]:
    """lgamma(y) - (y - 1/2) log y + y - log(2 pi) / 2, y = x + shift; digamma(x) - log y; x (x + 1) ... (y - 1).

    Without slopes the second is of no use.
    """
    inverse = (x + c[shift]).reciprocal()
    square = inverse * inverse
    value = _series(square, [c[number] for number in STIRLING[:terms]]) * inverse
    slope, product = inverse, None
    if slopes:
        slope = torch.add(_series(square, [c[number] for number in SLOPES[:terms]]) * square, inverse, alpha=-0.5)
    for first in range(0, shift, 4):  # x (x + 1) (x + 2) (x + 3) = q (q + 2), with q = x (x + 3)
        x = x + c[4] if first else x
        q = x * (x + c[3])
        four = q * (q + c[2])
        product = four if product is None else product * four
        if slopes:
            slope = slope - (c[4] * x + c[6]) * (q + c[1]) / four
    return value, slope, product


def _series(square: Tensor, coefficients: list) -> Tensor:
    """The polynomial in `square`."""
    total = coefficients[-1] * square
    for coefficient in coefficients[-2:0:-1]:
        total = (total + coefficient) * square
    return total + coefficients[0]
