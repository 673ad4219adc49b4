"""A step of message passing over molecules: dlthink's loop against one written by hand; and predictions per second.

The embedded molecules, batches of 32, Laplace's cost, Adam, clipping and averaged weights as in
trainer=graphs, a log line every 100 steps. Both train the same network from the same weights on the same batches
(checked at the end); a batch is assembled by the same index arithmetic.
"""

import math

import numpy as np
import torch
from clock import now, repeats, report
from ours import train
from torch import nn

from dlthink.data.molecules.shift_data import ShiftData
from dlthink.data.molecules.simulated import Molecules
from dlthink.losses.reals.laplace_nll import LaplaceNLL
from dlthink.models.mpnn import MPNN

STEPS, BATCH = 200, 32
WORDS = ["data=molecules", "loss=laplace_nll", f"trainer.steps={STEPS}", "trainer.schedule=constant"]
WORDS += ["trainer.warmup=0", f"trainer.batch={BATCH}", f"trainer.validate_every={STEPS}", "trainer.log_every=100"]
WORDS += ["optim=adam", "optim.lr=1e-3"]


def by_hand(data: ShiftData) -> tuple[np.ndarray, nn.Module]:
    """Seconds, and the network."""
    split = data.train
    mean, std = split.y.mean(), split.y.std(correction=0)
    torch.manual_seed(0)
    net = MPNN(data.facts["atom_features"], data.facts["bond_kinds"], 2)
    averaged = [p.detach().clone() for p in net.parameters()]
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    generator, whole, step, recent = torch.Generator().manual_seed(0), len(split) // BATCH * BATCH, 0, []
    one = math.log(math.e - 1)
    began = now()
    while step < STEPS:
        for index in torch.randperm(len(split), generator=generator)[:whole].view(-1, BATCH):
            x, y = split.take(index)
            centre, raw = net(x).unbind(1)
            scale = 1e-7 + (1 - 1e-7) * nn.functional.softplus(raw + one)
            cost = (((y[:, 0] - mean) / std - centre).abs() / scale + (2 * scale).log()).mean()
            optimizer.zero_grad()
            cost.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step += 1
            torch._foreach_lerp_(averaged, [p.detach() for p in net.parameters()], 1 - min(0.999, step / (step + 9)))
            recent.append(cost.detach())
            if step % 100 == 0:
                torch.stack(recent).mean().item()
                recent = []
            if step == STEPS:
                break
    return now() - began, net


def prediction(data: ShiftData, molecules: int = 1000) -> np.ndarray:
    """Seconds for so many molecules of the training split, in batches of 256, network and cost as they are used."""
    torch.manual_seed(0)
    net, loss = MPNN(data.facts["atom_features"], data.facts["bond_kinds"], 2).eval(), LaplaceNLL(1)
    began = now()
    with torch.no_grad():
        for index in torch.arange(molecules).split(256):
            loss.predict(net(data.train.take(index)[0]))["distribution"].icdf(torch.tensor(0.95))
    return now() - began


if __name__ == "__main__":
    data = Molecules(molecules=2000)
    ours, hand = [], []
    for _ in range(1 + repeats(5)):
        trainer = train(WORDS, data)
        seconds, net = by_hand(data)
        ours.append(trainer.seconds / STEPS)
        hand.append(seconds / STEPS)
        weights, same = (nn.utils.parameters_to_vector(each.parameters()) for each in (trainer.model, net))
        apart = ((weights - same).norm() / same.norm()).item()
        assert apart < 0.05, f"dlthink and the hand end {apart:.2g} apart: not the same training"
    report("a step over 32 molecules / by hand", 1.05, ours[1:], hand[1:])  # the first warmed up
    report("predictions for 1,000 molecules", 2.0, [prediction(data) for _ in range(repeats(5))])
