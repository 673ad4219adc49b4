"""CycleGAN whose judges look at photos through a network that has seen a million others."""

from __future__ import annotations

from functools import partial

from dlthink import efficientnet_lite
from dlthink.losses._adversarial import Adversarial
from dlthink.losses._feature_judge import FeatureJudge
from dlthink.losses._gan import Game


class Projected(Adversarial):
    """Sum over both seasons S of fooled(J_S(out_S)) + cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|.

    J_S: a `FeatureJudge`, see `Adversarial`: it learns from few photos and few steps what sets seasons apart, since
    it need not learn to see. Both look through one EfficientNet-Lite1, frozen; the examination uses Lite0, other
    weights, so that KID is not measured by the features that were trained on. It may flatter all the same: both
    networks come from ImageNet. judge_width: channels of a judge's layers.

    Raises BadInput. Source: Sauer, Chitta, Mueller & Geiger 2021, NeurIPS (Projected GANs), without their random mixing
    of channels and scales; photos are moved instead, and pixels judged, too.
    """

    def __init__(
        self,
        gan: Game = "hinge",
        cycle: float = 5.0,
        identity: float = 0.5,
        pool: int = 50,
        judge_width: int = 64,
        monitor: bool = True,
    ) -> None:
        eye = efficientnet_lite.load(1, "loss=projected", ", or choose loss=cyclegan, which needs none")
        super().__init__(partial(FeatureJudge, eye, judge_width), gan, cycle, identity, pool, monitor)
