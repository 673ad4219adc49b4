"""A data set of identities to begin from: change drawn, and train on it, `dlthink train data=my_data`."""

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
            csv.writer(file).writerows(predicted["embedding"].tolist())


class MyData:
    """x: three numbers; y: who it is, of forty people."""

    def __init__(self, rows: int = 2000, seed: int = 0, state=None):  # settings, `data.rows=500`; state: a checkpoint's
        x, y, known = self.drawn(rows, torch.Generator().manual_seed(seed))
        if state is None:  # what decided about the splits, and how another file is prepared the same way
            state = {"people": torch.randperm(40, generator=torch.Generator().manual_seed(1))}
        self.state, self.notes = state, [f"drawn: {rows} rows"]  # a note is printed before training
        parts = [torch.isin(y, some) for some in state["people"].split([24, 8, 8])]  # nobody is on two sides
        self.train, self.val, self.test = (Rows(x[i], y[i], {k: v[i] for k, v in known.items()}) for i in parts)
        # what networks, costs and the examination may ask for by name
        self.facts = {"n_in": x.shape[1], "n_targets": 1, "n_identities": 40}

    def drawn(self, rows, chance):
        """x [n, n_in] and y [n], who it is, as whole numbers from 0: read your own here."""
        x = torch.randn(rows, 3, generator=chance)
        y = torch.arange(rows) % 40
        people = torch.randn(40, 3, generator=chance)
        return people[y] + 0.2 * x, y, {"photo": torch.arange(rows)}

    @classmethod
    def targets(cls, settings):
        return "identities"  # which costs fit it

    @classmethod
    def fact_names(cls, settings):
        return ("n_in", "n_targets", "n_identities")

    @classmethod
    def inputs(cls, path, state):  # for `dlthink predict`: a CSV of n_in numbers a row, without a header
        rows = [[float(cell) for cell in line.split(",")] for line in Path(path).read_text().splitlines() if line]
        return Rows(torch.tensor(rows))
