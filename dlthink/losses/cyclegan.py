"""CycleGAN: made photos that a judge takes for real, and that lead back to the photo they came from."""

from __future__ import annotations

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.losses._gan import Game, fooled, steepness, told_apart
from dlthink.losses._judge import JudgeNorm, PatchJudge
from dlthink.losses._pool import Pool
from dlthink.losses._translation import OTHER, Translation


class CycleGAN(Translation):
    """Sum over both seasons S of fooled(J_S(out_S)) + cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|.

    J_S: a judge of each season (`PatchJudge`), the cost's adversary; it descends `critic`: told_apart(J_S(y_S),
    J_S(pool_S(out_S))), on photos that the network has made, or made before (`Pool`). gan: the game that they play
    (`_gan.py`). pool: photos kept of each season, 0: none. judge_width, judge_norm: channels of a judge's first
    layer; instance or spectral, see `PatchJudge`.

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
        super().__init__(cycle, identity, monitor)
        for name, value, least in (("pool", pool, 0), ("judge_width", judge_width, 1)):
            if value < least:
                raise BadInput(f"loss.{name}={value}: must be {least} or more")
        self.gan = gan
        self.adversary = nn.ModuleDict({season: PatchJudge(colors, judge_width, judge_norm) for season in OTHER})
        self.pool = nn.ModuleDict({season: Pool(pool) for season in OTHER})

    def forward(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = {f"gan_{season}": fooled(self.gan, self.adversary[season](out[season])) for season in OTHER}
        return terms | super().forward(out, y)

    def critic(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """What each judge descends."""
        terms = {}
        for season, judge in self.adversary.items():
            made = self.pool[season].exchange(out[season])
            terms[season] = told_apart(self.gan, judge(y[season]), judge(made))
            if self.gan == "wgan_gp":
                terms[f"{season}_steepness"] = steepness(judge, y[season], made)
        return terms

    def watch(self, out: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        seen = super().watch(out, y)
        if self.astray is not None:
            for season, judge in self.adversary.items():
                seen |= self.astray.watch_judge(season, judge(y[season]), judge(out[season]))
        return seen
