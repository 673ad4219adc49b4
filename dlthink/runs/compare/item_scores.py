"""The scores of a run's single items, `scores.npz`, read as a stranger may have left it."""

import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlthink.errors import BadInput
from dlthink.files.zip_directory import check_directory

MOST = 1 << 28  # bytes of all arrays together; a million items have some 50 MB
LISTED = 1 << 16  # bytes of its list of arrays: a thousand
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OF_AN_ITEM = ("item", "weight", "target")


@dataclass
class ItemScores:
    """[items] each: their numbers, what each counts in the mean, the sum of their targets; and scores by name."""

    item: np.ndarray
    weight: np.ndarray
    target: np.ndarray
    scores: dict[str, np.ndarray]

    def shared(self, other: "ItemScores") -> tuple["ItemScores", "ItemScores"]:
        """Of both the items that both were examined on."""
        _, mine, its = np.intersect1d(self.item, other.item, return_indices=True)
        same = (self.weight[mine] == other.weight[its]) & _close(self.target[mine], other.target[its])
        return self._of(mine[same]), other._of(its[same])

    def _of(self, rows: np.ndarray) -> "ItemScores":
        scores = {name: values[rows] for name, values in self.scores.items()}
        return ItemScores(self.item[rows], self.weight[rows], self.target[rows], scores)

    def same_items(self, other: "ItemScores") -> bool:
        """Were they examined on the same things? By number, by weight and by what was measured there."""
        return (
            np.array_equal(self.item, other.item)
            and np.array_equal(self.weight, other.weight)
            and bool(_close(self.target, other.target).all())
        )


def _close(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.isclose(one, other, rtol=1e-4, atol=1e-6)


def read(folder: Path) -> ItemScores | None:
    """Those of the run in `folder`; None where it keeps none. Raises BadInput for a file that is damaged."""
    file = folder / "scores.npz"
    if file.is_symlink() or not file.is_file():
        return None
    try:
        check_directory(file, LISTED)
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST:
                raise BadInput(f"{file}: is larger than {MOST >> 20} MB")
            if any(entry.compress_type not in PACKED for entry in archive.infolist()):
                raise zipfile.BadZipFile("packed in another way than numpy does")
            held = {entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in archive.infolist()}
    except BadInput:
        raise
    except Exception as error:  # zipfile, zlib, numpy and its parser of headers each fail in their own ways
        raise BadInput(
            f"{file}: damaged ({type(error).__name__}); remove it to compare without single items"
        ) from error
    sizes = {values.shape for values in held.values()}
    if not {*OF_AN_ITEM} <= held.keys() or len(sizes) != 1 or len(next(iter(sizes))) != 1:
        raise BadInput(f"{file}: damaged ({', '.join(OF_AN_ITEM)} and scores should be there, a number an item)")
    if not (held["weight"] > 0).all():
        raise BadInput(f"{file}: damaged (weights should be above 0)")
    return ItemScores(*(held.pop(name) for name in OF_AN_ITEM), held)


def _array(content: bytes) -> np.ndarray:
    """An array of numbers from the content of an .npy file; its kind is read once of all that are alike, which is what
    takes numpy its time. Raises ValueError for anything else."""
    if content[:8] != np.lib.format.magic(1, 0):
        raise ValueError("no array")
    begins = 10 + int.from_bytes(content[8:10], "little")
    shape, dtype = _kind(content[8:begins])
    return np.frombuffer(content, dtype, offset=begins).reshape(shape)


@lru_cache(maxsize=256)
def _kind(header: bytes) -> tuple[tuple[int, ...], np.dtype]:
    shape, _, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(header))
    if dtype.kind not in "iuf":
        raise ValueError("no numbers")
    return shape, dtype
