"""Counts as classes 0 to K: a probability for each, the most that any cost of counts can say."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dlthink.distributions.categorical_counts import CategoricalCounts
from dlthink.errors import BadInput
from dlthink.losses.counts._counts import Counts

LARGEST = 20  # where neither the data nor the user say more


class Categorical(Counts):
    """NLL = logsumexp(logits) - logits_k, mean over samples and targets.

    Elicits the whole distribution of any counts up to `largest`; None: up to `largest_count`, which data that know it
    state.

    out: [n, (largest + 1) n_targets], the logits of a target's counts 0 .. largest side by side, less the log of their
    shares among the training counts (`prepare`, half a count more for each), so that an output of 0 predicts these
    shares. It knows nothing of the order of counts, needs data for each, and is the upper bound of what a law of counts
    up to `largest` can say. A larger count has no probability: its log score is minus infinity.

    Raises BadInput where a training count is larger than `largest`, no whole number, negative or not finite.
    """

    def __init__(self, n_targets: int, largest: int | None = None, largest_count: int = LARGEST):
        super().__init__(n_targets)
        largest = largest_count if largest is None else largest
        if largest < 1:
            raise BadInput(f"loss.largest={largest}: the largest count that has a probability: 1 at least")
        self.n_targets, self.largest, self.outputs_per_target = n_targets, largest, largest + 1
        self.register_buffer("log_share", torch.zeros(n_targets, largest + 1))

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn the share of each count among all training counts y: [n, n_targets]."""
        super().prepare(y)
        if not bool((y == y.floor()).all()):
            raise BadInput(f"{self.word}: a training count is no whole number: use loss=poisson or loss=mse")
        if bool((y > self.largest).any()):
            raise BadInput(
                f"loss.largest={self.largest}: the largest training count is {int(y.max())}, to which it must give a "
                f"probability: choose loss.largest={int(y.max())} or more"
            )
        seen = torch.stack([(y == k).sum(0) for k in range(self.largest + 1)], -1) + 0.5
        self.log_share.copy_((seen / seen.sum(-1, keepdim=True)).log())

    def logits(self, out: Tensor) -> Tensor:
        """[n, n_targets, largest + 1] in float32 or wider."""
        return out.unflatten(-1, (self.n_targets, self.outputs_per_target)) + self.log_share

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        k = y.clamp(max=self.largest).long()
        nll = cross_entropy(self.logits(out).transpose(1, 2), k, reduction="none")
        return {"nll": torch.where(y > self.largest, torch.inf, nll).mean()}

    def predict(self, out: Tensor) -> dict[str, Tensor | CategoricalCounts]:
        """rate: [n, n_targets], expected count per bin; distribution: of the counts."""
        law = CategoricalCounts(self.logits(out))
        return {"rate": law.mean, "distribution": law}
