"""Pickles, which are programs: known by their first bytes, never opened."""

from __future__ import annotations

from pathlib import Path

from dlthink.errors import BadInput

ENDINGS = (".pickle", ".pkl", ".p", ".joblib", ".dill")


def refuse(path: Path, head: bytes) -> None:
    """Raises BadInput where the file is a pickle, by its ending or by its first two bytes; says how to save it anew."""
    if path.suffix.lower() in ENDINGS or (head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")):
        raise BadInput(
            f"{path}: is a pickle, which can run any program when it is opened, and is not read. Open it where you "
            f"trust it, and save its arrays: np.savez('{path.stem}.npz', counts=..., bin=..., covariates=...)"
        )
