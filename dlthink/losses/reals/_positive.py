"""What costs of targets above 0 share: their logarithm is what is standardized, and what the network speaks of."""

import torch
from torch import Tensor
from torch.distributions import Distribution

from dlthink.calibration.calibrate import Calibrate
from dlthink.calibration.conformity import LogResidual
from dlthink.cost_name import cost_name
from dlthink.errors import BadInput
from dlthink.losses.reals._spread import Link, WithSpread


class Positive(WithSpread):
    """A cost of targets y > 0, scaled inside: z = y / std, so `mean` is 0 and a term is in the same nats as all others.

    out: [n, 2 n_targets]: of each target where log z lies, centre + unit out, and its spread, unit times the second
    output through the link `spread`. A cost defines

        moments(z) -> (centre, unit), [n_targets] each: of all training targets, nan where missing
        density(log z, place, width) -> log density of z, elementwise; place and width as the network says them
        distribution(out) -> distribution of z, which has `widened`: so recalibrated it stays above 0

    `scale` and `isotonic` multiply the spread of each member of an ensemble about its own centre; `conformal` intervals
    are those of the logarithm.
    """

    conformity = LogResidual
    trained_for = ("nll",)

    centre: Tensor  # [n_targets], as is unit
    unit: Tensor

    def __init__(
        self,
        n_targets: int,
        spread: Link = "softplus",
        calibrate: Calibrate = "none",
        target_names: list[str] | None = None,
    ):
        super().__init__(n_targets, spread, calibrate)
        self.names = target_names or (["the target"] if n_targets == 1 else [f"target {k}" for k in range(n_targets)])
        self.register_buffer("centre", torch.zeros(n_targets))
        self.register_buffer("unit", torch.ones(n_targets))

    def moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def density(self, log_z: Tensor, place: Tensor, width: Tensor) -> Tensor:
        raise NotImplementedError

    def misfit(self, y: Tensor) -> str | None:
        """One line on targets of 0 or below."""
        for name, column in zip(self.names, y.T, strict=True):
            if wrong := int((column <= 0).sum()):
                least = float(column[column <= 0].min())
                return (
                    f"{name} is 0 or below in {wrong:,} of {len(y):,} rows (the least {least:g}), which have no "
                    f"probability; leave these rows out, or take a cost of any real number, loss=crps"
                )
        return None

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn scale, centre and unit of each target from y: [n, n_targets]. Raises BadInput for 0 and below, too."""
        super().prepare(y)
        if said := self.misfit(y):
            raise BadInput(f"loss={cost_name(self)}: {said}")
        self.mean.zero_()
        centre, unit = self.moments(y / self.std)
        self.centre.copy_(centre)
        self.unit.copy_(torch.where(unit > 0, unit, 1.0))

    def place_and_width(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Of log z, each [n, (members,) n_targets]."""
        place, width = self.mean_and_spread(out)
        return self.centre + self.unit * place, self.unit * width

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        place, width = self.place_and_width(out)
        log_z = (torch.where(y.isnan(), 1.0, y) / self.std).log()  # missing: any number, it has no weight
        log_z = log_z.unsqueeze(-2) if place.ndim > log_z.ndim else log_z
        return {"nll": self.average(-self.density(log_z, place, width), y)}

    def widened(self, distribution: Distribution, factor: Tensor) -> Distribution:
        return distribution.widened(factor)
