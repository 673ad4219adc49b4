"""Projected GAN: CycleGAN whose discriminators look at photos through a network that has seen a million others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from dlthink import efficientnet_lite
from dlthink.losses.translations._adversarial import Adversarial
from dlthink.losses.translations._gan import Game
from dlthink.losses.translations._mmd import MMD
from dlthink.losses.translations._translation import weight


class ProjectedGAN(Adversarial):
    """Sum over both domains S of
    generator_loss(D_S(out_S)) + cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|
    + mmd 100 MMD^2(out_S, y_S).

    Elicits a translation: photos that pass for the other domain's, with a way back.

    D_S: made by `discriminator(backbone=...)`, see `Adversarial`: it learns from few photos and few steps what sets
    domains apart, since it need not learn to see. Both look through one EfficientNet-Lite1, frozen; the examination
    uses Lite0, other weights, so that KID is not measured by the features that were trained on. It may flatter all the
    same: both networks come from ImageNet, and mmd descends KID's own kernel.

    mmd: weight of an `MMD` by the 1,280 features in which that network ends, of photos as they are: what
    discriminators tell of one photo, it tells of all together, in training. 0: none.

    Raises BadInput. Source: Sauer, Chitta, Mueller & Geiger 2021, NeurIPS (Projected GANs), without their random mixing
    of channels and scales; photos are moved instead, and pixels judged, too.
    """

    def __init__(
        self,
        domains: list[str],
        discriminator: Callable[..., nn.Module],
        gan: Game = "hinge",
        cycle: float = 5.0,
        identity: float = 0.5,
        pool: int = 50,
        mmd: float = 0.0,
        monitor: bool = True,
    ) -> None:
        weight("mmd", mmd)  # before anything is read
        backbone = efficientnet_lite.load(1, "loss=projected_gan", ", or choose loss=cyclegan, which needs none")
        super().__init__(domains, partial(discriminator, backbone=backbone), gan, cycle, identity, pool, monitor)
        self.backbone, self.mmd = backbone, mmd
        self.apart = nn.ModuleDict({domain: MMD() for domain in self.source} if mmd else {})

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = super().forward(out, y)
        if self.training:  # what was made in training says nothing of other photos
            for domain, apart in self.apart.items():
                looks = [self.backbone(efficientnet_lite.preprocess(x[domain].expand(-1, 3, -1, -1))) for x in (out, y)]
                terms[f"mmd_{domain}"] = self.mmd * apart(*looks)
        return terms
