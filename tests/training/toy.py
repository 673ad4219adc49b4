"""The smallest tenant of the house: real numbers from real numbers. Data, metrics, and a short way to train."""

import csv
from functools import partial

import torch
from torch import nn

from dlthink.training.experiment_parts import Parts
from dlthink.training.loop import Loop
from dlthink.training.trainer import Trainer


class Rows:
    """A split of plain rows."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def take(self, index):
        return self.x[index], self.y[index]

    def known(self, index):
        return {}

    def targets(self):
        return self.y

    def to(self, device):
        self.x, self.y = self.x.to(device), self.y.to(device)
        return self


class Line:
    """y = x w + noise; three splits."""

    targets = "reals"
    fact_names = ("n_in", "n_targets")

    def __init__(self, n=256, n_in=5, n_targets=3, noise=0.1, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.w = torch.randn(n_in, n_targets, generator=g)

        def rows(n):
            x = torch.randn(n, n_in, generator=g)
            return Rows(x, x @ self.w + noise * torch.randn(n, n_targets, generator=g))

        self.train, self.val, self.test = rows(n), rows(64), rows(64)
        self.facts = {"n_in": n_in, "n_targets": n_targets}
        self.state, self.notes = {}, []


class Squared(nn.Module):
    """Mean squared error."""

    targets = {"reals"}
    outputs_per_target = 1

    def forward(self, out, y):
        return {"mse": (out - y).square().mean()}

    def predict(self, out):
        return {"mean": out}


class Error:
    """RMSE: lower is better."""

    best = ("rmse", "min")

    def numbers(self, predicted, y, truth):
        return {"rmse": float((predicted["mean"] - y).square().mean().sqrt())}

    def figures(self, predicted, y, truth):
        return {}


def network(n_in=5, n_out=3, seed=0, dropout=0.0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(n_in, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, n_out))


def fit(folder, model=None, loss=None, data=None, optim=None, metrics=None, saved=None, seed=0, **knobs):
    """Train the toy, on the CPU if nothing else is said; returns (the run, model, loss, results)."""
    knobs = {
        "device": "cpu",
        "precision": "fp32",
        "batch": 32,
        "steps": 40,
        "log_every": 10,
        "validate_every": 20,
    } | knobs
    model = network() if model is None else model
    loss = Squared() if loss is None else loss
    parts = Parts(
        data=Line() if data is None else data,
        metrics=Error() if metrics is None else metrics,
        loss=loss,
        model=model,
        optim=optim or partial(torch.optim.Adam, lr=1e-2),
        trainer=Trainer(**knobs),
    )
    run = Loop(parts, folder, seed, saved)
    results = run.run()
    return run, model, loss, results


def weights(module):
    """All weights and buffers as one vector."""
    return torch.cat([t.detach().double().flatten() for t in module.state_dict().values()])


def rows(folder, split, name):
    """The curve `split/name` of a run: (step, value) for each of its points."""
    with open(folder / "metrics.csv", newline="") as file:
        return [
            (int(r["step"]), float(r["value"]))
            for r in csv.DictReader(file)
            if (r["split"], r["name"]) == (split, name)
        ]
