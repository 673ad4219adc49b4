"""Molecules read and featurized once: flat tensors and plain lists, kept in a cache by the content they came from."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from dlthink.data import stable_hash
from dlthink.data.molecules.features.featurize import featurize
from dlthink.data.molecules.features.graphs import Graphs
from dlthink.files.atomic import renamed
from dlthink.files.cache import blocks, cache_folder, cache_key

if TYPE_CHECKING:
    from typing import Self

    from dlthink.data.molecules.readers.records import Reading

P = TypeVar("P", bound="Prepared")


@dataclass
class Prepared:
    """n molecules; what was measured of them stands in subclasses.

    ids, smiles, keys (what duplicates share, see `key`), splits ("train", "val", "test" or ""); ties [n], from the key.
    """

    graphs: Graphs
    ties: Tensor
    ids: list[str]
    smiles: list[str]
    keys: list[str]
    splits: list[str]
    notes: list[str]

    def state(self) -> dict[str, Any]:
        return vars(self) | {"graphs": self.graphs.tensors()}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        return cls(**(state | {"graphs": Graphs(**state["graphs"])}))


def described_by(reading: Reading) -> dict[str, Any]:
    """The fields of `Prepared` from the records of a file: their structures are featurized."""
    records = reading.records
    keys = [record.key for record in records]
    return {
        "graphs": featurize(record.molecule for record in records),
        "ties": torch.tensor([stable_hash.tie(key) for key in keys], dtype=torch.long),
        "ids": [record.id for record in records],
        "smiles": [record.smiles for record in records],
        "keys": keys,
        "splits": [record.split or "" for record in records],
        "notes": [*reading.notes, *_skipped(reading.skipped, reading.total)],
    }


def cached(kind: type[P], path: Path, settings: dict[str, Any], make: Callable[[], P]) -> P:
    """`make()`, of this kind, or what it made of a file with this content and these settings before."""
    try:
        key = cache_key((__package__, stable_hash.__name__), (kind.__name__, *sorted(settings.items())), blocks(path))
    except OSError:
        return make()  # which says what is wrong with the file
    kept = cache_folder() / "molecules" / f"{key}.pt"
    try:
        return kind.of(torch.load(kept, weights_only=True))
    except Exception:  # not there, or cut short
        prepared = make()
    buffer = io.BytesIO()
    torch.save(prepared.state(), buffer)  # which itself would answer a full disk with a RuntimeError
    with suppress(OSError):  # a full or read-only disk: it is made anew next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        with renamed(kept) as new:
            new.write_bytes(buffer.getbuffer())
    return prepared


def _skipped(skipped: dict[str, list[str]], total: int) -> list[str]:
    """One line that accounts for every record left out."""
    count = sum(map(len, skipped.values()))
    if not count:
        return []
    reasons = "; ".join(f"{len(ids)} {reason} (first: {ids[0]})" for reason, ids in skipped.items() if ids)
    return [f"{count} of {total} records left out: {reasons}"]
