"""CycleGAN: made photos that a discriminator takes for real, and that lead back to the photo they came from."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from dlthink.losses.translations._adversarial import Adversarial
from dlthink.losses.translations._gan import Game


class CycleGAN(Adversarial):
    """Sum over both domains S of
    generator_loss(D_S(out_S)) + cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|.

    Elicits a translation: photos that pass for the other domain's, with a way back.

    D_S: a discriminator of each domain, made by `discriminator`, see `Adversarial`.

    Raises BadInput. Source: Zhu, Park, Isola & Efros 2017, ICCV, equations 1 to 3 and section 4.
    """

    def __init__(
        self,
        domains: list[str],
        discriminator: Callable[[], nn.Module],
        gan: Game = "lsgan",
        cycle: float = 10.0,
        identity: float = 0.5,
        pool: int = 50,
        monitor: bool = True,
    ) -> None:
        super().__init__(domains, discriminator, gan, cycle, identity, pool, monitor)
