"""Small tables, written as people write them."""

import numpy as np
import pandas as pd

from dlthink.data.tables.reals import Reals


def frame(rows=200, seed=0):
    """Two numbers, a category, a boolean, a date; y depends on the first and the category."""
    rng = np.random.default_rng(seed)
    a, kind = rng.normal(5, 2, rows), rng.choice(["red", "green", "blue"], rows)
    return pd.DataFrame(
        {
            "a": a.round(4),
            "b": rng.normal(size=rows).round(4),
            "colour": kind,
            "paid": rng.choice(["yes", "no"], rows),
            "day": (np.datetime64("2023-01-01") + rng.integers(0, 700, rows).astype("timedelta64[D]")).astype(str),
            "y": (2 * a + (kind == "red") + rng.normal(0, 0.5, rows)).round(4),
        }
    )


def written(folder, table, name="table.csv", **how):
    path = folder / name
    table.to_csv(path, index=False, **how)
    return str(path)


def reals(path, target="y", **settings):
    return Reals(path=str(path), target=target, baselines=["constant"], **settings)


def everything(data):
    """All rows of a data set: (numbers, categories, y)."""
    import torch

    parts = [split.take(torch.arange(len(split))) for split in (data.train, data.val, data.test)]
    return (
        torch.cat([x["numbers"] for x, _ in parts]),
        torch.cat([x["categories"] for x, _ in parts]),
        torch.cat([y for _, y in parts]),
    )
