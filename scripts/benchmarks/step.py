"""A step of a 12-64-50 network, batches of 64: dlthink's loop, one written by hand, one around a DataLoader.

All train the same network from the same weights on the same data by the same cost and optimizer, and log
every 50 steps. Checked: dlthink and the hand end in the same weights.
"""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from clock import now, repeats, report
from ours import train, windows
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter

STEPS, BATCH = 1000, 64
WORDS = ["model=mlp", "model.depth=1", "model.activation=relu", "loss=poisson", "optim=adam", "optim.lr=1e-3"]
WORDS += [f"trainer.batch={BATCH}", f"trainer.steps={STEPS}", "trainer.schedule=constant"]
WORDS += [f"trainer.validate_every={STEPS}", "trainer.log_every=50"]

torch.manual_seed(0)
X = torch.randn(20_000, 12)
Y = torch.poisson((X @ torch.randn(12, 50) / 8 - 1).exp())
LOG_MEAN = Y.mean(0).log()


def indexed() -> Iterator[tuple[Tensor, Tensor]]:
    generator, whole = torch.Generator().manual_seed(0), len(X) // BATCH * BATCH
    while True:
        for index in torch.randperm(len(X), generator=generator)[:whole].view(-1, BATCH):
            yield X[index], Y[index]


def loaded() -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(TensorDataset(X, Y), BATCH, shuffle=True, drop_last=True)
    while True:
        yield from loader


def by_hand(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[np.ndarray, nn.Module]:
    """Seconds, and the network."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 50))
    net[-1].weight.data.mul_(0.1)
    net[-1].bias.data.zero_()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as logger:
        began, recent = now(), []
        for step, (x, y) in enumerate(islice(batches, STEPS), start=1):
            log_rate = net(x) + LOG_MEAN
            nll = (log_rate.exp() - y * log_rate + torch.lgamma(y + 1)).mean()
            optimizer.zero_grad()
            nll.backward()
            optimizer.step()
            recent.append(nll.detach())
            if step % 50 == 0:
                logger.add_scalar("train/nll", torch.stack(recent).mean().item(), step)
                recent = []
        return now() - began, net


if __name__ == "__main__":
    ours, hand, loader = [], [], []
    for _ in range(1 + repeats(15)):
        trainer = train(WORDS, windows(X, Y, examined=BATCH))
        seconds, net = by_hand(indexed())
        ours.append(trainer.seconds / STEPS)
        hand.append(seconds / STEPS)
        loader.append(by_hand(loaded())[0] / STEPS)
        weights, same = (parameters_to_vector(each.parameters()) for each in (trainer.model, net))
        apart = ((weights - same).norm() / same.norm()).item()  # 2e-8 after 10 steps; then rounding grows
        assert apart < 0.01, f"dlthink and the hand end {apart:.2g} apart: not the same training"
    report("a step / written by hand", 1.1, ours[1:], hand[1:])  # the first warmed up
    report("a step / around a DataLoader", 0.75, ours[1:], loader[1:])
