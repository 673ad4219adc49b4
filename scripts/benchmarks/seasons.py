"""A step of CycleGAN, one photo of each season, fp32 and bf16: dlthink's loop against one written by hand.

model=cyclegan (width 32, 6 blocks), discriminators of width 64, pools of 50, Adam, averaged weights, a log
line every 5 steps.
Both train the same networks from the same weights on the same batches in the published order of updates (checked at
the end). Then bf16 against fp32 at 128 pixels, both ours. What the last step needs at its peak goes to stderr, in MB:
medians, since it varies from run to run.
"""

import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from clock import now, peak, repeats, report
from ours import Timed, Unexamined, train
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from dlthink.data.seasons.unpaired import Unpaired
from dlthink.losses.translations._pool import Pool
from dlthink.models.cyclegan import CycleGAN
from dlthink.models.discriminators.patch import PatchDiscriminator
from dlthink.training import rng
from dlthink.training.sampler import Sampler

STEPS, SEASONS = 10, ("winter", "summer")
WORDS = [
    "data=seasons",
    "loss=cyclegan",
    "loss.cycle=10",
    "trainer.schedule=constant",
    "trainer.log_every=5",
    "loss.monitor=false",
]


def photos(size: int) -> SimpleNamespace:
    g = torch.Generator().manual_seed(0)
    some = {s: torch.randint(0, 256, (24, 3, size, size), generator=g, dtype=torch.uint8) for s in ("summer", "winter")}
    train, few = Unpaired(some, size), Unpaired({s: x[:1] for s, x in some.items()}, size)
    facts = {"n_targets": 3, "colors": 3, "domains": list(some)}
    return SimpleNamespace(train=train, val=few, test=few, state={}, facts=facts, notes=[])


def by_loop(data: SimpleNamespace, precision: str, measured: bool = False) -> Timed:
    words = [*WORDS, f"trainer.precision={precision}", f"trainer.steps={STEPS}", f"trainer.validate_every={STEPS}"]
    return train(words, data, metrics=Unexamined(), measured=measured)


def by_hand(data: SimpleNamespace, precision: str, measured: bool = False) -> tuple[np.ndarray, nn.Module, float]:
    """Seconds, the rng, and the peak of the last step where it is measured."""
    rng.seed(0)
    discriminators = nn.ModuleDict({season: PatchDiscriminator(3, 64) for season in SEASONS})
    pools = {season: Pool(50) for season in SEASONS}
    rng.seed(0)
    net = CycleGAN(3, list(data.train.photos), 3)
    averaged = [p.detach().clone() for p in net.parameters()]
    adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999), fused=True)
    network, critic = adam(net.parameters()), adam(discriminators.parameters())
    half = partial(torch.autocast, "cpu", torch.bfloat16, enabled=precision == "bf16")

    def judged(season: str, x: Tensor) -> Tensor:
        with half():
            verdict = discriminators[season](x)
        return verdict.float()

    stream, recent = iter(Sampler(data.train, 1, 0, torch.device("cpu"))), []

    def one(step: int) -> None:
        real, _ = data.train.take(next(stream))
        with half():
            made = net(real)
        made = {name: x.float() for name, x in made.items()}
        discriminators.requires_grad_(False)
        network.zero_grad()
        gan = [(judged(season, made[season]) - 1).square().mean() for season in SEASONS]
        cycle = [10 * l1_loss(made[f"back_{season}"], real[season]) for season in SEASONS]
        same = [5 * l1_loss(made[f"same_{season}"], real[season]) for season in SEASONS]
        sum([*gan, *cycle, *same]).backward()
        network.step()
        discriminators.requires_grad_(True)
        critic.zero_grad()
        lost = []
        for season in SEASONS:
            fake = pools[season].exchange(made[season])
            right, wrong = judged(season, real[season]), judged(season, fake)
            lost.append(((right - 1).square().mean() + wrong.square().mean()) / 2)
        sum(lost).backward()
        critic.step()
        torch._foreach_lerp_(averaged, [p.detach() for p in net.parameters()], 1 - min(0.999, step / (step + 9)))
        recent.append(torch.stack([*gan, *cycle, *same, *lost]).detach())
        if step % 5 == 0:
            torch.stack(recent).mean(0).tolist()
            recent.clear()

    began, held = now(), 0.0
    for step in range(1, STEPS):
        one(step)
    if measured:
        held = peak(partial(one, STEPS))
    else:
        one(STEPS)
    return now() - began, net, held


def main() -> None:
    data, n = photos(64), repeats(5)
    for precision in ("fp32", "bf16"):
        ours, hand = [], []
        for _ in range(1 + n):
            trainer = by_loop(data, precision)
            seconds, net, _ = by_hand(data, precision)
            ours.append(trainer.seconds / STEPS)
            hand.append(seconds / STEPS)
            weights, same = (nn.utils.parameters_to_vector(each.parameters()) for each in (trainer.model, net))
            apart = ((weights - same).norm() / same.norm()).item()
            assert apart < 0.05, f"dlthink and the hand end {apart:.2g} apart: not the same training"
        report(f"a step of CycleGAN, 64 px, {precision} / by hand", 1.03, ours[1:], hand[1:])  # the first warmed up
        loop = np.median([by_loop(data, precision, measured=True).held for _ in range(n)])
        by = np.median([by_hand(data, precision, measured=True)[2] for _ in range(n)])
        print(f"{precision}: a step's peak {loop:.0f} MB, by hand {by:.0f} MB: {loop / by:.2f} x", file=sys.stderr)
    large = photos(128)
    half, full = ([by_loop(large, p).seconds / STEPS for _ in range(1 + n)] for p in ("bf16", "fp32"))
    report("a step at 128 px, bf16 / fp32", 0.7, half[1:], full[1:])


if __name__ == "__main__":
    main()
