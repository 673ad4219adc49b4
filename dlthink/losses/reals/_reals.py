"""What every cost of real numbers shares: its units, its columns, how its answer is read, its recalibration."""

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from dlthink.calibration.calibrate import Calibrate, recalibration
from dlthink.calibration.conformity import NormalizedResidual
from dlthink.cost_name import cost_name
from dlthink.distributions.mixture import Mixture
from dlthink.distributions.real import exact
from dlthink.errors import BadInput


class Reals(nn.Module):
    """A cost of targets y: [n, n_targets] in their own units, standardized inside: z = (y - mean) / std.

    out: [n, outputs_per_target * n_targets], the numbers of one target side by side; or [n, members, the same] from an
    ensemble, whose cost is the mean over its members and whose distribution is their equal mixture. A cost defines

        forward(out, y) -> {"name": scalar}   in standardized units: a likelihood's term is nats per standardized target
        distribution(out) -> distribution     of z, one for each member

    A nan in y is a value that nobody has measured: a cost is the `average` over those that are known, and so is all
    that is learned or fitted.

    `mean` and `std` are those of the training targets (`prepare`). `fit_on_validation` fits first whatever the cost
    itself lacks (`fit`), then the `recalibration` that `calibrate` names (the room `calibration`). None moves the mean
    that is read out, but where a family `widened` about its median has another mean.
    """

    targets = {"reals"}
    outputs_per_target = 1
    members = True
    conformity = NormalizedResidual  # the score of its conformal intervals
    gaps = True  # may training targets be missing? `prepare` finds out

    mean: Tensor  # [n_targets], as is std
    std: Tensor

    def __init__(self, n_targets: int, calibrate: Calibrate = "none"):
        super().__init__()
        self.n_targets = n_targets
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("std", torch.ones(n_targets))
        self.calibrate = calibrate  # as advice asks it
        self.recalibration = recalibration(calibrate, n_targets, self.conformity)

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn mean and std of each target from y: [n, n_targets]. A target that never changes gets std = 1.

        Raises BadInput when there is no sample, a target is infinite, or one is missing everywhere.
        """
        name = cost_name(self)
        if len(y) == 0:
            raise BadInput(f"loss={name}: the training split has no sample: give it more data")
        if bool(y.isinf().any()):
            raise BadInput(f"loss={name}: a training target is infinite: remove it from the data")
        missing = y.isnan()
        if bool(missing.all(0).any()):
            nowhere = int(missing.all(0).nonzero()[0])
            raise BadInput(f"loss={name}: target {nowhere} has no value in training: leave it out, or give more data")
        self.gaps = bool(missing.any())
        mean = y.nanmean(0)
        square = (y - mean).square().nanmean(0)
        first = y.gather(0, (~missing).to(torch.uint8).argmax(0, keepdim=True))
        self.mean.copy_(mean)
        self.std.copy_(torch.where(((y == first) | missing).all(0), 1.0, square.sqrt()))

    def columns(self, out: Tensor) -> tuple[Tensor, ...]:
        """The `outputs_per_target` numbers of each target, each [n, (members,) n_targets], in float32 or wider."""
        out = out.to(torch.promote_types(out.dtype, self.mean.dtype))
        return out.unflatten(-1, (self.n_targets, self.outputs_per_target)).unbind(-1)

    def standardize(self, y: Tensor, like: Tensor) -> Tensor:
        """z = (y - mean) / std: [n, n_targets], or [n, 1, n_targets] where `like` has members; 0 where y is missing."""
        z = (y - self.mean) / self.std
        if self._may_miss:
            z = torch.where(z.isnan(), 0.0, z)  # any number: it has no weight in the average, and no gradient
        return z.unsqueeze(-2) if like.ndim > z.ndim else z

    def average(self, values: Tensor, y: Tensor) -> Tensor:
        """The mean of values [n, (members,) n_targets] over all that are known of y [n, n_targets]; 0 if none is."""
        if not self._may_miss:
            return values.mean()
        known = ~y.isnan()
        known = (known.unsqueeze(-2) if values.ndim > known.ndim else known).expand_as(values)
        return torch.where(known, values, 0.0).sum() / known.sum().clamp(min=1)

    @property
    def _may_miss(self) -> bool:
        """Is a missing target to be reckoned with? In training `prepare` has seen them all."""
        return self.gaps or not self.training

    def over_members(self, out: Tensor) -> Distribution:
        """The distribution of z: [n, n_targets]; of an ensemble, the mixture of its members."""
        each = self.distribution(out)
        return Mixture(each) if out.ndim == 3 else each

    def widened(self, distribution: Distribution, factor: Tensor) -> Distribution:
        """The distribution of m + factor (Z - m), m the mean of Z; factor: [n_targets]."""
        return distribution.affine((1 - factor) * distribution.mean, factor)

    def fit(self, out: Tensor, z: Tensor) -> None:
        """Fit on validation what the network does not say, z nan where missing. Nothing, unless a cost overrides it."""

    @torch.no_grad()
    def fit_on_validation(self, out: Tensor, y: Tensor) -> None:
        """Fit on all validation answers and targets what `predict` needs."""
        out, z = exact(out), (exact(y) - self.mean) / self.std
        if len(z) == 0:
            return
        self.fit(out, z)
        self.recalibration.fit(self.over_members(out), z, self.widened)

    def predict(self, out: Tensor) -> dict[str, Tensor | Distribution]:
        """mean, std: [n, n_targets] and the distribution, in the units of y; with members aleatoric and epistemic too.

        The distribution of total variance: std^2 = aleatoric^2 + epistemic^2, the first the mean variance within
        members, the second the variance of their means. A recalibration widens both parts by the same factor.
        """
        standardized = self.over_members(exact(out) if self.recalibration.digits else out)
        mean, recalibrated = self.recalibration(standardized, self.widened)
        distribution = recalibrated.affine(self.mean, self.std)
        std = distribution.stddev
        predicted = {"mean": self.mean + self.std * mean, "std": std}
        if isinstance(standardized, Mixture):
            share = std / standardized.stddev
            predicted |= {"aleatoric": share * standardized.aleatoric, "epistemic": share * standardized.epistemic}
        dtype = torch.promote_types(out.dtype, self.mean.dtype)
        return {name: tensor.to(dtype) for name, tensor in predicted.items()} | {"distribution": distribution}
