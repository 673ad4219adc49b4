"""What every adversarial cost shares: a discriminator of each domain, their game with the network, their pools."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.losses.translations._gan import Game, discriminator_loss, generator_loss, gradient_penalty
from dlthink.losses.translations._pool import Pool
from dlthink.losses.translations._translation import Translation


class Adversarial(Translation):
    """Sum over both domains S of generator_loss(D_S(out_S)), and what `Translation` adds to it.

    D_S: the discriminator (judge) of each domain, `discriminator()`, photos [n, c, s, s] -> verdicts [n, k, h, w]: the
    cost's adversary. It descends `adversary_loss`: discriminator_loss(D_S(y_S), D_S(pool_S(out_S))), on photos that
    the network has made, or made before (`Pool`). gan: the game that they play (`_gan.py`). pool: photos kept of each
    domain, 0: none. Raises BadInput.

    Source: Zhu, Park, Isola & Efros 2017, ICCV, equation 1 and section 4.
    """

    def __init__(
        self,
        domains: list[str],
        discriminator: Callable[[], nn.Module],
        gan: Game,
        cycle: float,
        identity: float,
        pool: int,
        monitor: bool,
    ) -> None:
        super().__init__(domains, cycle, identity, monitor)
        if pool < 0:
            raise BadInput(f"loss.pool={pool}: must be 0 or more")
        self.gan = gan
        self.adversary = nn.ModuleDict({domain: discriminator() for domain in self.source})
        self.pool = nn.ModuleDict({domain: Pool(pool) for domain in self.source})

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = {f"gan_{d}": generator_loss(self.gan, judge(out[d])) for d, judge in self.adversary.items()}
        return terms | super().forward(out, y)

    def adversary_loss(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """What each discriminator descends."""
        terms = {}
        for domain, discriminator in self.adversary.items():
            made = self.pool[domain].exchange(out[domain])
            terms[domain] = discriminator_loss(self.gan, discriminator(y[domain]), discriminator(made))
            if self.gan == "wgan_gp":
                terms[f"{domain}_gradient_penalty"] = gradient_penalty(discriminator, y[domain], made)
        return terms

    def watch(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        seen = super().watch(out, y)
        if self.monitor is not None:
            training = self.adversary.training
            self.adversary.eval()  # a look changes nothing: no power iteration, no chance
            for domain, discriminator in self.adversary.items():
                seen |= self.monitor.watch_discriminator(domain, discriminator(y[domain]), discriminator(out[domain]))
            self.adversary.train(training)
        return seen
