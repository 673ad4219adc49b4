"""Fraction of the training samples that a run is given, for learning curves: more data, or a better idea?

`data.fraction` is a setting of every data set that comes with dlthink, stated in conf/train.yaml. Training samples come
in units that stay together (a molecule, a person, a group of rows, a stretch of time). A hash of its name gives each
unit a place in a row, and the first ones are trained on until they are that fraction of all units. So a smaller
fraction lies within a larger one, it is the same one for every seed and every cost, and validation and test stay whole.
What is learned of the training samples (mean and spread of inputs, baselines) is learned of the fraction alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlthink.data.stable_hash import tie
from dlthink.errors import BadInput

SPARE = "spare"  # the role of a training sample that is left out; it is no test either
SALT = "fraction "  # so that who stays has nothing to do with who is test


def thinned(
    roles: Sequence[str] | np.ndarray, units: Sequence[str] | Sequence[int] | np.ndarray, fraction: float
) -> np.ndarray:
    """Roles of all samples, words [n]: of those of training, whose `units` come late are `SPARE`. Raises BadInput."""
    found, units = np.asarray(roles, dtype="<U5"), np.asarray(units)
    if not 0 < fraction <= 1:
        raise BadInput(
            f"data.fraction={fraction:g}: a share of the training samples lies above 0, and 1 is all of them"
        )
    train = found == "train"
    if fraction < 1 and train.any():
        names, unit = np.unique(units[train], return_inverse=True)
        place = np.argsort(np.argsort([tie(f"{SALT}{name}") for name in names.tolist()], kind="stable"))
        stay = place < max(1, int(fraction * len(names) + 0.5))
        found[np.flatnonzero(train)[~stay[unit]]] = SPARE
    return found
