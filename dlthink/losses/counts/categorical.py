"""Counts as classes 0 to K: a probability for each, the most that any cost of counts can say."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dlthink.distributions.categorical_counts import CategoricalCounts, log_share_of_last
from dlthink.distributions.data_dependent_branch import may_hold
from dlthink.errors import BadInput
from dlthink.losses.counts._counts import Counts

LARGEST = 20  # where neither the data nor the user say more
MOST = 1000  # beyond that nobody can learn a probability for each


class Categorical(Counts):
    """NLL = logsumexp(logits) - logits_k, mean over samples and targets, k up to K.

    Elicits the whole distribution of any counts up to K.

    out: [n, (K + 1) n_targets], the logits of a target's counts 0 .. K side by side, less the log of their shares among
    the training counts (`prepare`, half a count more for each), so that an output of 0 predicts these shares. It knows
    nothing of the order of counts, needs data for each, and is the upper bound of what a distribution of counts up to K
    can say.

    largest  K is a bound: a larger count has no probability, its log score is minus infinity. None: K is
             `largest_count`, the largest training count, which data state; validation and test are not asked. What was
             not seen can still come, so the last class is K or more, and of it k has the share (1 - q) q^(k - K), with
             q = 1 / (2 n + 2), n training counts of K: half a count more, again

    Raises BadInput where a training count is larger than K, no whole number, negative or not finite.
    """

    log_share: Tensor  # [n_targets, largest + 1]
    tail: Tensor  # [n_targets]
    targets = {"counts"}  # no log mean that an offset could be added to

    def __init__(self, n_targets: int, largest: int | None = None, largest_count: int = LARGEST):
        super().__init__(n_targets)
        self.open = largest is None
        if largest is not None and not 1 <= largest <= MOST:
            raise BadInput(f"loss.largest={largest}: the largest count that has a probability: 1 to {MOST}")
        if self.open and largest_count > MOST:
            raise BadInput(
                f"{self.word}: the largest training count is {largest_count:,}; a probability for each is for counts "
                f"up to {MOST:,}: use loss=negative_binomial"
            )
        largest = max(largest_count, 1) if largest is None else largest
        self.n_targets, self.largest, self.outputs_per_target = n_targets, largest, largest + 1
        self.register_buffer("log_share", torch.zeros(n_targets, largest + 1))
        self.register_buffer("tail", torch.full((n_targets,), 0.5 * self.open))  # q

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
        seen = torch.stack([(y == k).sum(0) for k in range(self.largest + 1)], -1)
        if self.open:
            self.tail.copy_(0.5 / (seen[:, -1] + 1))
        self.log_share.copy_(((seen + 0.5) / (seen + 0.5).sum(-1, keepdim=True)).log())

    def logits(self, out: Tensor) -> Tensor:
        """[n, n_targets, largest + 1] in float32 or wider."""
        return out.unflatten(-1, (self.n_targets, self.outputs_per_target)) + self.log_share

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        logits = self.logits(out).transpose(1, 2)
        if not may_hold(y >= self.largest):
            return {"nll": cross_entropy(logits, y.long())}
        nll = cross_entropy(logits, y.clamp(max=self.largest).long(), reduction="none")
        beyond = y - self.largest
        return {"nll": torch.where(beyond < 0, nll, nll - log_share_of_last(beyond, self.tail)).mean()}

    def predict(self, out: Tensor) -> dict[str, Tensor | CategoricalCounts]:
        """rate: [n, n_targets], expected count per bin; distribution: of the counts."""
        distribution = CategoricalCounts(self.logits(out), self.tail)
        return {"rate": distribution.mean, "distribution": distribution}
