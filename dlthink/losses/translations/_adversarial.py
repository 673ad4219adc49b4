"""What every adversarial cost shares: a discriminator of each season, their game with the network, their pools."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.losses.translations._gan import Game, discriminator_loss, generator_loss, gradient_penalty
from dlthink.losses.translations._pool import Pool
from dlthink.losses.translations._translation import OTHER, Translation


class Adversarial(Translation):
    """Sum over both seasons S of generator_loss(D_S(out_S)), and what `Translation` adds to it.

    D_S: the judge or discriminator of each season, `discriminator()`, photos [n, c, s, s] -> verdicts [n, k, h, w]: the
    cost's adversary. It descends `adversary_loss`: discriminator_loss(D_S(y_S), D_S(pool_S(out_S))), on photos that
    the network has made, or made before (`Pool`). gan: the game that they play (`_gan.py`). pool: photos kept of each
    season, 0: none. Raises BadInput.

    Source: Zhu, Park, Isola & Efros 2017, ICCV, equation 1 and section 4.
    """

    def __init__(
        self, discriminator: Callable[[], nn.Module], gan: Game, cycle: float, identity: float, pool: int, monitor: bool
    ) -> None:
        super().__init__(cycle, identity, monitor)
        if pool < 0:
            raise BadInput(f"loss.pool={pool}: must be 0 or more")
        self.gan = gan
        self.adversary = nn.ModuleDict({season: discriminator() for season in OTHER})
        self.pool = nn.ModuleDict({season: Pool(pool) for season in OTHER})

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = {f"gan_{season}": generator_loss(self.gan, self.adversary[season](out[season])) for season in OTHER}
        return terms | super().forward(out, y)

    def adversary_loss(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """What each discriminator descends."""
        terms = {}
        for season, discriminator in self.adversary.items():
            made = self.pool[season].exchange(out[season])
            terms[season] = discriminator_loss(self.gan, discriminator(y[season]), discriminator(made))
            if self.gan == "wgan_gp":
                terms[f"{season}_gradient_penalty"] = gradient_penalty(discriminator, y[season], made)
        return terms

    def watch(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        seen = super().watch(out, y)
        if self.monitor is not None:
            training = self.adversary.training
            self.adversary.eval()  # a look changes nothing: no power iteration, no chance
            for season, discriminator in self.adversary.items():
                seen |= self.monitor.watch_discriminator(season, discriminator(y[season]), discriminator(out[season]))
            self.adversary.train(training)
        return seen
