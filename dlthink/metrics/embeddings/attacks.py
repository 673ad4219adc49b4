"""Photos changed on purpose, by less than an eye notices, to be taken for nobody or for somebody else."""

from collections.abc import Callable

import torch
from torch import Tensor

STEPS = 10
STRIDE = 2.5  # the steps together could cross the ball so many times


def pgd(
    answer: Callable[[Tensor], dict],
    x: Tensor,
    target: Tensor,
    epsilon: float,
    away: bool,
    start: Tensor | None = None,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """x <- clip(x +- stride sign(grad_x d)), d = |embedding(x) - target|^2; the best x on the way and its d: [n].

    x        [n, c, s, s] in [-1, 1]; what is returned stays there and within `epsilon` pixel ranges of it (a pixel
             range is 2 here), in every pixel of every channel
    target   [n, width] on the sphere
    away     d is made large (the photo is no longer taken for the target: dodging), else small (impersonation)

    start    another candidate, such as what a smaller epsilon found: so a larger one is never the weaker attack

    Begins at a random place of the ball. The untouched photo counts among the candidates, so no attack makes d worse.
    Source: Madry et al. 2018, ICLR (arXiv:1706.06083), section 2.1.
    """
    radius, sign = 2 * epsilon, 1.0 if away else -1.0
    low, high = (x - radius).clamp(min=-1.0), (x + radius).clamp(max=1.0)
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
    found = x.clone() if start is None else start.clone()
    best = _distance(answer, found, target)
    tried = low + (high - low) * noise
    for step in range(STEPS + 1):
        tried = tried.detach().requires_grad_()
        with torch.enable_grad():
            d = _distance(answer, tried, target)
            (slope,) = torch.autograd.grad(d.sum(), tried)
        d, tried = d.detach(), tried.detach()
        better = sign * d > sign * best
        found[better], best = tried[better], torch.where(better, d, best)
        if step < STEPS:
            tried = tried + sign * STRIDE * radius / STEPS * slope.sign()
            tried = torch.minimum(torch.maximum(tried, low), high)
    return found, best.detach()


def templates(embedding: Tensor, person: Tensor) -> Tensor:
    """The direction of the mean of each photo's partners, without the photo itself: [n, width]; nan without a partner.

    embedding: [n, width], person: [n] numbers 0, 1, ...
    """
    people = int(person.max()) + 1 if len(person) else 0
    size = torch.bincount(person, minlength=people)[person]
    total = embedding.new_zeros(people, embedding.shape[1]).index_add(0, person, embedding)[person]
    mean = torch.nn.functional.normalize(total - embedding, dim=1)
    return torch.where((size > 1)[:, None], mean, torch.nan)


def _distance(answer: Callable[[Tensor], dict], x: Tensor, target: Tensor) -> Tensor:
    return ((answer(x)["embedding"].flatten(1) - target) ** 2).sum(1)
