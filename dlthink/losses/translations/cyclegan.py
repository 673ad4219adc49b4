"""CycleGAN: made photos that a judge takes for real, and that lead back to the photo they came from."""

from __future__ import annotations

from functools import partial

from dlthink.losses.translations._adversarial import Adversarial
from dlthink.losses.translations._gan import Game
from dlthink.losses.translations._patch_discriminator import JudgeNorm, PatchJudge


class CycleGAN(Adversarial):
    """Sum over both seasons S of fooled(J_S(out_S)) + cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|.

    J_S: a `PatchJudge`, see `Adversarial`. judge_width: channels of its first layer; judge_norm: instance or spectral.

    Raises BadInput. Source: Zhu, Park, Isola & Efros 2017, ICCV, equations 1 to 3 and section 4.
    """

    def __init__(
        self,
        colors: int,
        gan: Game = "lsgan",
        cycle: float = 10.0,
        identity: float = 0.5,
        pool: int = 50,
        judge_width: int = 64,
        judge_norm: JudgeNorm = "instance",
        monitor: bool = True,
    ) -> None:
        super().__init__(partial(PatchJudge, colors, judge_width, judge_norm), gan, cycle, identity, pool, monitor)
