"""What every cost of embeddings shares: the sphere, how its answer is read, its threshold, its collapse detector."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from dlthink.errors import BadInput
from dlthink.losses.embeddings._collapse import effective_rank, mean_cosine
from dlthink.losses.embeddings._threshold import most_accurate, threshold

SHORT = 1e-6  # outputs shorter than this stay shorter than 1, so that the slope at 0 is finite
POINT = 0.95  # mean cosine above which an embedding counts as one point
LINE = 1.2  # effective rank below which it counts as two opposite points


class Embedding(nn.Module):
    """A cost of photos and who is on them: the same person near, others far.

    out: [n, dim], y: [n] identities. The embedding is e = out / |out|, a point on the unit sphere, and a distance is
    d(a, b) = |e_a - e_b|^2, from 0 to 4. A cost defines forward(out, y) -> {"name": scalar}. A batch in which it
    finds nothing to compare costs 0, attached to the graph. No cost waits for the device or needs memory beyond
    O(n^2).

    dim: length of the embedding. false_accept_rate: what `threshold` keeps on validation (`fit_on_validation`).
    Raises BadInput when dim < 2 or far is not between 0 and 1.
    """

    threshold: Tensor  # scalars
    accuracy_threshold: Tensor
    targets = {"identities"}
    cure = "try loss=triplet loss.mining=semi_hard"  # what helps when it has collapsed

    def __init__(self, dim: int = 128, false_accept_rate: float = 1e-3):
        super().__init__()
        if dim < 2:
            raise BadInput(f"loss.dim={dim}: an embedding needs 2 numbers or more")
        if not 0 < false_accept_rate < 1:
            raise BadInput(
                f"loss.false_accept_rate={false_accept_rate}: a false accept rate lies between 0 and 1, e.g. 1e-3"
            )
        self.outputs_per_target, self.false_accept_rate = dim, false_accept_rate
        self.register_buffer("threshold", torch.zeros(()))
        self.register_buffer("accuracy_threshold", torch.zeros(()))

    def unit(self, out: Tensor) -> Tensor:
        """e = out / max(|out|, 1e-6): [n, dim], in float32 or wider. The slope at out = 0 is finite."""
        return normalize(out.to(torch.promote_types(out.dtype, torch.float32)), dim=1, eps=SHORT)

    def embed(self, out: Tensor) -> Tensor:
        """The embedding that is read out: [n, dim] unit vectors."""
        return self.unit(out)

    def predict(self, out: Tensor) -> dict[str, Tensor]:
        """embedding: [n, dim] unit vectors; threshold: the squared distance up to which two photos show one person.

        accuracy_threshold: the same where a false reject is as bad as a false accept.
        """
        thresholds = {"threshold": self.threshold, "accuracy_threshold": self.accuracy_threshold}
        return {"embedding": self.embed(out)} | thresholds

    @torch.no_grad()
    def fit_on_validation(self, out: Tensor, y: Tensor) -> None:
        """Choose the thresholds: the largest d with a false accept rate <= far over pairs of different identities, and
        the d with the fewest mistakes.

        Of people who were not trained on, since those are nearer to themselves than strangers ever are. It stays as
        it is when y has no two identities. Source: Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 4.
        """
        e = self.embed(out)
        for buffer, chosen in (
            (self.threshold, threshold(e, y, self.false_accept_rate)),
            (self.accuracy_threshold, most_accurate(e, y)),
        ):
            if chosen is not None:
                buffer.copy_(chosen)

    @torch.no_grad()
    def watch(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Scalars that show a collapse: mean cosine of different photos, effective rank."""
        e = self.embed(out)
        return {"mean_cosine": mean_cosine(e), "effective_rank": effective_rank(e)}

    def remark(self, values: dict[str, float]) -> str | None:
        """One line with what to do, if by what `watch` saw the embedding has collapsed; the same each time."""
        if values["mean_cosine"] > POINT:
            return f"the embedding has collapsed to a point: {self.cure}"
        if values["effective_rank"] < LINE:
            return f"the embedding has collapsed to a line: {self.cure}"
        return None
