"""Finished runs as `dlthink train` leaves them, without training."""

import json

import numpy as np
import pytest

SCORES = {"log_score": "max", "mae": "min"}


@pytest.fixture
def runs(tmp_path):
    """`runs(loss, seed, items, mae=..., trained_for=...)` writes a finished run whose log score is the items' mean.

    val: its log score on validation; beside: that of baselines on test, by name; said: more of its provenance.
    """

    def make(loss, seed, items, mae=1.0, trained_for=(), fold=0, target=None, val=None, beside=None, **said):
        folder = tmp_path / f"{loss}{seed}{fold}"
        folder.mkdir()
        (folder / "config.yaml").write_text(f"seed: {seed}\nloss:\n  name: {loss}\ndata:\n  fold: {fold}\n")
        story = {"choices": {"data": "d", "loss": loss}, "command": [f"loss={loss}"], "best": ["log_score", "max"]}
        story |= {"scores": SCORES, "trained_for": [*trained_for], "baselines": [*(beside or ())], **said}
        (folder / "provenance.json").write_text(json.dumps(story))
        numbers = {"log_score": float(np.mean(items)), "mae": mae}
        numbers |= {f"log_score_{name}": score for name, score in (beside or {}).items()}
        (folder / "metrics.json").write_text(json.dumps({"val": {"log_score": val}, "test": numbers}))
        n = len(items)
        target = np.arange(n) + fold if target is None else target
        np.savez(folder / "scores.npz", item=np.arange(n), weight=np.ones(n), target=target, log_score=items)
        return folder

    return make
