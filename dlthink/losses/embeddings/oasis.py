"""A similarity learned by ranking: one's own more similar than others, on any features."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from dlthink.losses.embeddings._embedding import Embedding
from dlthink.losses.embeddings._mining import drawn, partners, relations


class Oasis(Embedding):
    """Mean over triplets of [1 - S(a,p) + S(a,n)]_+, S(a,b) = e_a' W e_b, e = out / |out|.

    Elicits a ranking: the same person more similar than others.

    W: [dim, dim] learns together with the network, from the identity. For each pair (a, p) one negative is drawn by
    torch's global generator. The paper takes W alone, one triplet at a time: `passive_aggressive`.

    What is read out must be points whose distance follows S, but W need be neither symmetric nor positive. Ranking by
    S(a,b) + S(b,a) sees only its symmetric part; of that the nearest matrix that has a root, by Frobenius norm, is
    its positive part L'L (eigenvalues below 0 set to 0). The embedding is L e, normalized as every embedding is.

    Source: Chechik, Sharma, Shalit & Bengio 2010, JMLR 11; Higham 1988 (nearest positive semidefinite matrix).
    """

    def __init__(self, dim: int = 128, false_accept_rate: float = 1e-3):
        super().__init__(dim, false_accept_rate)
        self.similarity = nn.Parameter(torch.eye(dim))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        e, (same, different) = self.unit(out), relations(y)
        s, (partner, valid) = e @ self.similarity.to(e.dtype) @ e.T, partners(same)
        negative = drawn(different.to(e.dtype), partner.shape[1])
        valid = valid & different.any(1, keepdim=True)
        hinge = relu(1 - s.gather(1, partner) + s.gather(1, negative))
        return {"hinge": (hinge * valid).sum() / valid.sum().clamp(min=1)}

    @torch.no_grad()
    def passive_aggressive(self, a: Tensor, p: Tensor, n: Tensor, aggressiveness: float = 0.1) -> float:
        """One step of the paper's algorithm: W + t V, V = a (p - n)', t = min(aggressiveness, cost / |V|^2).

        The nearest W that ranks this triplet by a margin of 1, or as far towards it as aggressiveness (the paper's C)
        allows: passive-aggressive, variant I. a, p, n: [dim] features as they are. Returns the cost
        [1 - a'Wp + a'Wn]_+ before the step.
        """
        w = self.similarity
        cost = relu(1 - a @ w @ (p - n))
        v = torch.outer(a, p - n)
        w += (cost / v.square().sum()).clamp(max=aggressiveness) * v
        return float(cost)

    def embed(self, out: Tensor) -> Tensor:
        """L e / |L e|, L'L the positive part of (W + W') / 2: [n, dim]."""
        e, w = self.unit(out), self.similarity
        values, vectors = torch.linalg.eigh(((w + w.T) / 2).to(e.dtype))
        return self.unit(e @ vectors * values.clamp(min=0).sqrt())
