"""A data set of counts to begin from: change drawn, and train on it, `dlthink train data=my_data`."""

import csv
from pathlib import Path

import torch


class Rows:
    """Samples: x [n, n_in], what the network may see; y, what the cost may see; known, what the examination may."""

    def __init__(self, x, y=None, known=None):
        self.x, self.y, self.about = x, y, known or {}

    def __len__(self):
        return len(self.x)

    def take(self, index):
        return self.x[index], None if self.y is None else self.y[index]

    def known(self, index):
        return {name: value[index.cpu()] for name, value in self.about.items()}

    def targets(self):
        return self.y

    def to(self, device):
        return Rows(self.x.to(device), None if self.y is None else self.y.to(device), self.about)

    def summary(self):  # this and `write`: of samples to predict
        return f"{len(self)} rows"

    def write(self, predicted, path):
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows(predicted["rate" if "rate" in predicted else "mean"].tolist())


class MyData:
    """x: three numbers; y: one count, whose true rate is known."""

    def __init__(self, rows: int = 2000, seed: int = 0, state=None):  # settings, `data.rows=500`; state: a checkpoint's
        x, y, known = self.drawn(rows, torch.Generator().manual_seed(seed))
        if state is None:  # what decided about the splits, and how another file is prepared the same way
            state = {"order": torch.randperm(rows, generator=torch.Generator().manual_seed(1))}
        self.state, self.notes = state, [f"drawn: {rows} rows"]  # a note is printed before training
        parts = state["order"].split([rows * 6 // 10, rows * 2 // 10, rows - rows * 6 // 10 - rows * 2 // 10])
        self.train, self.val, self.test = (Rows(x[i], y[i], {k: v[i] for k, v in known.items()}) for i in parts)
        # what networks, costs and the examination may ask for by name
        self.facts = {"n_in": x.shape[1], "n_targets": 1, "target_names": ["count"]}

    def drawn(self, rows, chance):
        """x [n, n_in] and y [n, n_targets]: read your own here."""
        x = torch.randn(rows, 3, generator=chance)
        rate = (0.8 * x[:, :1].sin() + 0.5 * x[:, 1:2]).exp()
        return x, torch.poisson(rate, generator=chance), {"rate": rate}

    @classmethod
    def targets(cls, settings):
        return "counts"  # which costs fit it

    @classmethod
    def fact_names(cls, settings):
        return ("n_in", "n_targets", "target_names")

    @classmethod
    def inputs(cls, path, state):  # for `dlthink predict`: a CSV of n_in numbers a row, without a header
        rows = [[float(cell) for cell in line.split(",")] for line in Path(path).read_text().splitlines() if line]
        return Rows(torch.tensor(rows))
