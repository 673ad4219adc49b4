"""Made-up people on the sphere, for tests of what is said about embeddings."""

import torch
from torch.nn.functional import normalize


def people(n=120, number=25, width=8, noise=0.5, seed=0):
    """embedding [n, width], y [n] in no order; some people have one photo, others many."""
    g = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.arange(number), (number * torch.rand(n - number, generator=g) ** 2).long()])
    y = 7 + 3 * y[torch.randperm(n, generator=g)]
    centre = torch.randn(100 + 3 * number, width, generator=g)
    return normalize(normalize(centre, dim=1)[y] + noise * torch.randn(n, width, generator=g), dim=1), y


def collapsed(n=120, number=25, width=8):
    embedding, y = people(n, number, width)
    return embedding[:1].expand(n, width).clone(), y


def perfect(n=120, number=25, width=32):
    _, y = people(n, number)
    return torch.eye(width)[y.unique(return_inverse=True)[1]], y


def tied(n=90, number=12, seed=1):
    """Few places, so that many distances are equal: corners of a cube."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, number, (n,), generator=g)
    corner = torch.randint(0, 2, (number, 3), generator=g)
    flip = (torch.rand(n, 3, generator=g) < 0.2).long()
    return (2.0 * (corner[y] ^ flip) - 1) / 3**0.5, y


def loop(embedding, y):
    """Squared distances [n][n] in float64 rounded like the examination's, and (d, same) of each pair."""
    e = embedding.double()
    d = (((e[:, None] - e[None]) ** 2).sum(-1) * 2**22).round() / 2**22
    n, who = len(y), y.tolist()
    return d.tolist(), [(float(d[i, j]), who[i] == who[j]) for i in range(n) for j in range(i)]
