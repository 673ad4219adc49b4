"""What every cost of real numbers shares: its units, its columns, how its answer is read, its recalibration."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from dlthink.distributions.mixture import Mixture
from dlthink.distributions.real import exact
from dlthink.distributions.recalibrated import Recalibrated, identity
from dlthink.errors import BadInput
from dlthink.losses.reals import _calibration as calibration

Calibrate = Literal["none", "scale", "isotonic"]


class Reals(nn.Module):
    """A cost of targets y: [n, n_targets] in their own units, standardized inside: z = (y - mean) / std.

    out: [n, outputs_per_target * n_targets], the numbers of one target side by side; or [n, members, the same] from an
    ensemble, whose cost is the mean over its members and whose distribution is their equal mixture. A cost defines

        forward(out, y) -> {"name": scalar}   in standardized units: a likelihood's term is nats per standardized target
        distribution(out) -> distribution     of z, one for each member

    `mean` and `std` are those of the training targets (`prepare`). `fit_on_validation` fits first
    whatever the cost itself lacks (`fit`), then the recalibration:

        none      the distribution as the network says it
        scale     its width times one factor for each target, by maximum likelihood
        isotonic  that factor, then predicted probabilities mapped to their observed frequencies (Kuleshov, Fenner &
                  Ermon 2018); by the factor first, what is left to the map lies where it has knots

    All that is fitted lies in buffers of fixed shape. Neither recalibration moves the mean that is read out.
    """

    targets = {"reals"}
    outputs_per_target = 1

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__()
        self.n_targets, self.calibrate = n_targets, calibrate
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("std", torch.ones(n_targets))
        self.register_buffer("factor", torch.ones(n_targets))
        self.register_buffer("mass", identity())

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn mean and std of each target from y: [n, n_targets]. A target that never changes gets std = 1.

        Raises BadInput when there is no sample, or a target is not finite.
        """
        name = type(self).__module__.rpartition(".")[2]
        if len(y) == 0:
            raise BadInput(f"loss={name}: the training split has no sample: give it more data")
        if not bool(y.isfinite().all()):
            raise BadInput(f"loss={name}: a training target is infinite or not a number: remove it from the data")
        std, mean = torch.std_mean(y, 0, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where((y == y[0]).all(0), 1.0, std))

    def columns(self, out: Tensor) -> tuple[Tensor, ...]:
        """The `outputs_per_target` numbers of each target, each [n, (members,) n_targets], in float32 or wider."""
        out = out.to(torch.promote_types(out.dtype, self.mean.dtype))
        return out.unflatten(-1, (self.n_targets, self.outputs_per_target)).unbind(-1)

    def standardize(self, y: Tensor, like: Tensor) -> Tensor:
        """z = (y - mean) / std: [n, n_targets], or [n, 1, n_targets] where `like` has members."""
        z = (y - self.mean) / self.std
        return z.unsqueeze(-2) if like.ndim > z.ndim else z

    def over_members(self, out: Tensor) -> Distribution:
        """The distribution of z: [n, n_targets]; of an ensemble, the mixture of its members."""
        each = self.distribution(out)
        return Mixture(each) if out.ndim == 3 else each

    def _wider(self, distribution: Distribution) -> Distribution:
        """The distribution of m + factor (Z - m), m the mean of Z."""
        factor = self.factor.to(distribution.mean)
        return distribution.affine((1 - factor) * distribution.mean, factor)

    def fit(self, out: Tensor, z: Tensor) -> None:
        """Fit on validation what the network does not say. Nothing, unless a cost overrides it."""

    @torch.no_grad()
    def fit_on_validation(self, out: Tensor, y: Tensor) -> None:
        """Fit on all validation answers and targets what `predict` needs."""
        out, z = exact(out), (exact(y) - self.mean) / self.std
        if len(z) == 0:
            return
        self.fit(out, z)
        if self.calibrate != "none":
            standardized = self.over_members(out)
            self.factor.copy_(calibration.factor(standardized, z))
            if self.calibrate == "isotonic":
                self.mass.copy_(calibration.frequencies(self._wider(standardized).cdf(z)))

    def predict(self, out: Tensor) -> dict[str, Tensor | Distribution]:
        """mean, std: [n, n_targets] and the distribution, in the units of y; with members aleatoric and epistemic too.

        The law of total variance: std^2 = aleatoric^2 + epistemic^2, the first the mean variance within members, the
        second the variance of their means. A recalibration widens both parts by the same factor.
        """
        isotonic = self.calibrate == "isotonic"
        standardized = self.over_members(exact(out) if isotonic else out)
        distribution = self._wider(standardized).affine(self.mean, self.std)
        if isotonic:
            distribution = Recalibrated(distribution, self.mass)
        std = distribution.stddev
        predicted = {"mean": self.mean + self.std * standardized.mean, "std": std}
        if isinstance(standardized, Mixture):
            wider = std / standardized.stddev
            predicted |= {"aleatoric": wider * standardized.aleatoric, "epistemic": wider * standardized.epistemic}
        dtype = torch.promote_types(out.dtype, self.mean.dtype)
        return {name: tensor.to(dtype) for name, tensor in predicted.items()} | {"distribution": distribution}
