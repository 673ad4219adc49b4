"""GAN losses: what discriminator and network descend in four games. r, f: verdicts on real and on made photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

Game = Literal["lsgan", "hinge", "nonsaturating", "wgan_gp"]


def generator_loss(game: Game, made: Tensor) -> Tensor:
    """The network's cost of verdicts f on what it has made: a scalar.

    lsgan  mean (f - 1)^2      nonsaturating  mean log(1 + exp(-f))      hinge, wgan_gp  -mean f
    """
    if game == "lsgan":
        return (made - 1).square().mean()
    return softplus(-made).mean() if game == "nonsaturating" else -made.mean()


def discriminator_loss(game: Game, real: Tensor, made: Tensor) -> Tensor:
    """The discriminator's cost: a scalar.

    lsgan          mean [(r - 1)^2] / 2 + mean [f^2] / 2                  Mao et al. 2017, ICCV
    nonsaturating  mean [log(1 + exp(-r))] / 2 + mean [log(1 + exp(f))] / 2     Goodfellow et al. 2014, NeurIPS
    hinge          mean [1 - r]_+ / 2 + mean [1 + f]_+ / 2                Lim & Ye 2017, arXiv:1705.02894
    wgan_gp        mean f - mean r, to which `gradient_penalty` belongs    Gulrajani et al. 2017, NeurIPS, equation 3

    The halves are the paper's of CycleGAN: a discriminator learns at half the network's pace.
    """
    if game == "lsgan":
        return ((real - 1).square().mean() + made.square().mean()) / 2
    if game == "nonsaturating":
        return (softplus(-real).mean() + softplus(made).mean()) / 2
    if game == "hinge":
        return (relu(1 - real).mean() + relu(1 + made).mean()) / 2
    return made.mean() - real.mean()


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, made: Tensor) -> Tensor:
    """10 mean (|gradient of a photo's mean verdict| - 1)^2, at photos mixed of real and made ones at random.

    Source: Gulrajani et al. 2017, NeurIPS, equation 3.
    """
    part = torch.rand(len(real), 1, 1, 1, dtype=real.dtype).to(real.device)
    mixed = (made + part * (real - made)).requires_grad_()
    with torch.enable_grad():
        verdict = discriminator(mixed).mean((1, 2, 3)).sum()
        (slope,) = torch.autograd.grad(verdict, mixed, create_graph=True)
    return 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
