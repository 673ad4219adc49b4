"""What a run has seen of a table, so that no other table examines it on the same rows."""

from __future__ import annotations

import numpy as np
import torch

from dlthink.data.tables.row_hash import mixed, row_ties, word_ties


def whole_rows(ties: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ties [n] of features and targets y [n, n_targets], or words [n]: who has the same features is another one yet."""
    if y.dtype.kind == "f":
        return row_ties([("", ties.view(np.uint64)), *((f"y{i}", column) for i, column in enumerate(y.T))], len(ties))
    words, codes = np.unique(y, return_inverse=True)
    return row_ties([("", ties.view(np.uint64)), ("y", word_ties(codes, words.tolist()))], len(ties))


def seen(ties: np.ndarray, roles: np.ndarray) -> dict[str, torch.Tensor]:
    """The ties of all rows that were trained on or chose the checkpoint; plain values for the state."""
    return {role: torch.from_numpy(np.unique(ties[roles == role])) for role in ("train", "val")}


def roles_unseen(ties: np.ndarray, before: dict[str, torch.Tensor]) -> tuple[np.ndarray, list[str]]:
    """In another table all rows are test, but for those that were seen, which are left out; notes."""
    if not before:  # features so coarse that no row can be told from another
        return np.full(len(ties), "test", dtype="U5"), []
    known = np.isin(ties, np.concatenate([one.numpy() for one in before.values()]))
    notes = [f"left out, the run has seen them: {int(known.sum()):,} rows"] if known.any() else []
    return np.where(known, "", "test"), notes


def fingerprint(ties: np.ndarray, roles: np.ndarray) -> int:
    """A number that tells this table, split like this, from any other; the order of rows does not matter."""
    each = mixed(ties.view(np.uint64) + np.unique(roles, return_inverse=True)[1].astype(np.uint64))
    return int(each.sum(dtype=np.uint64) >> np.uint64(1))


def twice(ties: np.ndarray, roles: np.ndarray) -> str | None:
    """A note on rows of test whose features stand in training too, all of them alike."""
    test = ties[roles == "test"]
    shared = int(np.isin(test, ties[roles == "train"]).sum())
    if not shared:
        return None
    return f"{shared:,} of {len(test):,} rows of test stand in training too, all features alike"
