"""The scores of a run's single items, `scores.npz`, read as a stranger may have left it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlthink.errors import BadInput

MOST = 1 << 28  # bytes of all arrays together; a million items have some 50 MB
OF_AN_ITEM = ("item", "weight", "target")


@dataclass
class ItemScores:
    """[items] each: their numbers, what each counts in the mean, the sum of their targets; and scores by name."""

    item: np.ndarray
    weight: np.ndarray
    target: np.ndarray
    scores: dict[str, np.ndarray]

    def same_items(self, other: "ItemScores") -> bool:
        """Were they examined on the same things? By number, by weight and by what was measured there."""
        return (
            np.array_equal(self.item, other.item)
            and np.array_equal(self.weight, other.weight)
            and np.allclose(self.target, other.target, rtol=1e-4, atol=1e-6)
        )


def read(folder: Path) -> ItemScores | None:
    """Those of the run in `folder`; None where it keeps none. Raises BadInput for a file that is damaged."""
    file = folder / "scores.npz"
    if file.is_symlink() or not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if sum(entry.file_size for entry in arrays.zip.infolist()) > MOST:
                raise BadInput(f"{file}: is larger than {MOST >> 20} MB")
            held = {name: arrays[name] for name in arrays.files}
    except BadInput:
        raise
    except Exception as error:  # zipfile, zlib, numpy and its parser of headers each fail in their own ways
        raise BadInput(
            f"{file}: damaged ({type(error).__name__}); remove it to compare without single items"
        ) from error
    sizes = {values.shape for values in held.values()}
    numeric = all(values.dtype.kind in "iuf" for values in held.values())
    if not {*OF_AN_ITEM} <= held.keys() or len(sizes) != 1 or len(next(iter(sizes))) != 1 or not numeric:
        raise BadInput(f"{file}: damaged ({', '.join(OF_AN_ITEM)} and scores should be there, a number an item)")
    if not (held["weight"] > 0).all():
        raise BadInput(f"{file}: damaged (weights should be above 0)")
    return ItemScores(*(held.pop(name) for name in OF_AN_ITEM), held)
