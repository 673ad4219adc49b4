"""What every cost of translated photos shares: the way back, the photo that needs no change, the monitors."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from dlthink.errors import BadInput
from dlthink.losses.translations._monitor import Monitor

OTHER = {"winter": "summer", "summer": "winter"}


def weight(name: str, value: float) -> float:
    """The weight of a term, or BadInput where it is none."""
    if not 0 <= value < math.inf:
        raise BadInput(f"loss.{name}={value}: must be a number from 0")
    return value


class Translation(nn.Module):
    """A cost of what a network makes of photos of two seasons, with nothing known of what is right.

    out: {"winter", "summer"}, [n, 3, s, s] in [-1, 1]: made of the other season; {"back_winter", "back_summer"}: made
    back again; {"same_winter", "same_summer"}: real photos, translated into what they are. y: {"winter", "summer"}.

        cycle_S     cycle mean |back_S - y_S|
        identity_S  cycle identity mean |same_S - y_S|

    cycle and identity: 10, and 0.5 of it, in the paper. monitor: say when a translation goes astray (`Monitor`).
    Raises BadInput when a weight is negative or not finite.

    Source: Zhu, Park, Isola & Efros 2017, ICCV, equation 2 and section 5.2 (identity); Taigman, Polyak & Wolf 2017.
    """

    targets = {"seasons"}
    outputs_per_target = 1
    advice = "Try a lower optim.lr, or trainer.clip=1"

    def __init__(self, cycle: float = 10.0, identity: float = 0.5, monitor: bool = True) -> None:
        super().__init__()
        self.cycle, self.identity = weight("cycle", cycle), weight("identity", identity)
        self.monitor = Monitor() if monitor else None

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = {f"cycle_{season}": self.cycle * l1_loss(out[f"back_{season}"], y[season]) for season in OTHER}
        if self.identity:
            both = self.cycle * self.identity
            if "same_winter" not in out:
                raise BadInput(
                    "loss.identity needs photos translated into what they are: model.same=true, or set it to 0"
                )
            terms |= {f"identity_{season}": both * l1_loss(out[f"same_{season}"], y[season]) for season in OTHER}
        return terms

    def predict(self, out: dict[str, Tensor]) -> dict[str, Tensor]:
        """The photos, by name, in [-1, 1]."""
        return out

    def watch(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Figures of `Monitor` over the latest photos."""
        if self.monitor is None:
            return {}
        seen: dict[str, Tensor] = {}
        for season, other in OTHER.items():
            seen |= self.monitor.watch(season, y[other], out[season])
        return seen

    def remark(self, seen: dict[str, float]) -> str | None:
        """One line with what to try when they lie beyond their bounds."""
        return self.monitor.remark(seen) if self.monitor else None
