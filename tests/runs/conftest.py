"""Finished runs as `dlthink train` leaves them, without training."""

import json

import numpy as np
import pytest

SCORES = {"log_score": "max", "mae": "min"}


@pytest.fixture
def runs(tmp_path):
    """`runs(loss, seed, items, mae=..., trained_for=...)` writes a finished run whose log score is the items' mean."""

    def make(loss, seed, items, mae=1.0, trained_for=(), fold=0, target=None):
        folder = tmp_path / f"{loss}{seed}{fold}"
        folder.mkdir()
        (folder / "config.yaml").write_text(f"seed: {seed}\nloss:\n  name: {loss}\ndata:\n  fold: {fold}\n")
        story = {"choices": {"data": "d", "loss": loss}, "command": [f"loss={loss}"], "best": ["log_score", "max"]}
        story |= {"scores": SCORES, "trained_for": [*trained_for]}
        (folder / "provenance.json").write_text(json.dumps(story))
        numbers = {"log_score": float(np.mean(items)), "mae": mae}
        (folder / "metrics.json").write_text(json.dumps({"test": numbers}))
        n = len(items)
        target = np.arange(n) + fold if target is None else target
        np.savez(folder / "scores.npz", item=np.arange(n), weight=np.ones(n), target=target, log_score=items)
        return folder

    return make
