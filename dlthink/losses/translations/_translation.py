"""What every cost of translated photos shares: cycle consistency, the photo that needs no change, the monitor."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from dlthink.errors import BadInput
from dlthink.losses.translations._monitor import Monitor


def weight(name: str, value: float) -> float:
    """The weight of a term, or BadInput where it is none."""
    if not 0 <= value < math.inf:
        raise BadInput(f"loss.{name}={value}: must be a number from 0")
    return value


class Translation(nn.Module):
    """A cost of what a network makes of photos of two domains, with nothing known of what is right.

    domains: the names of both, as "summer" and "winter". Of each, S, y holds S, real photos [n, 3, s, s] in [-1, 1];
    out holds S, made of photos of the other domain; back_S, made back again; same_S, real ones made into what they are.

        cycle_S     cycle mean |back_S - y_S|
        identity_S  cycle identity mean |same_S - y_S|

    cycle and identity: 10, and 0.5 of it, in the paper. monitor: say when a translation goes astray (`Monitor`).
    Raises BadInput when a weight is negative or not finite.

    Source: Zhu, Park, Isola & Efros 2017, ICCV, equation 2 and section 5.2 (identity); Taigman, Polyak & Wolf 2017.
    """

    targets = {"domains"}
    outputs_per_target = 1
    advice = "Try a lower optim.lr, or trainer.clip=1"

    def __init__(self, domains: list[str], cycle: float = 10.0, identity: float = 0.5, monitor: bool = True) -> None:
        super().__init__()
        a, b = domains
        self.source = {b: a, a: b}  # of what each is made
        self.cycle, self.identity = weight("cycle", cycle), weight("identity", identity)
        self.monitor = Monitor() if monitor else None
        # checkpoints from before they were kept have no figures of the latest photos
        self.register_load_state_dict_pre_hook(lambda _, state, at, *__: state.setdefault(f"{at}_extra_state", {}))

    def get_extra_state(self) -> dict:
        return self.monitor.state() if self.monitor else {}

    def set_extra_state(self, state: dict) -> None:
        if self.monitor and state:
            self.monitor.restore(state)

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = {f"cycle_{domain}": self.cycle * l1_loss(out[f"back_{domain}"], y[domain]) for domain in self.source}
        if self.identity:
            both = self.cycle * self.identity
            if not any(f"same_{domain}" in out for domain in self.source):
                raise BadInput(
                    "loss.identity needs photos translated into what they are: model.same=true, or set it to 0"
                )
            terms |= {f"identity_{domain}": both * l1_loss(out[f"same_{domain}"], y[domain]) for domain in self.source}
        return terms

    def predict(self, out: dict[str, Tensor]) -> dict[str, Tensor]:
        """The photos, by name, in [-1, 1]."""
        return out

    def watch(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Figures of `Monitor` over the latest photos."""
        if self.monitor is None:
            return {}
        seen: dict[str, Tensor] = {}
        for domain, source in self.source.items():
            seen |= self.monitor.watch(domain, y[source], out[domain])
        return seen

    def remark(self, seen: dict[str, float]) -> str | None:
        """One line with what to try when they lie beyond their bounds."""
        return self.monitor.remark(seen) if self.monitor else None
