"""Molecules with measured properties, featurized: a row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dlthink.data.molecules.features import descriptors
from dlthink.data.molecules.features.fingerprints import fingerprints
from dlthink.data.molecules.prepared import Prepared, described_by
from dlthink.progress_bar import progress_bar

if TYPE_CHECKING:
    from dlthink.data.molecules.readers.records import Reading


@dataclass
class PreparedProperties(Prepared):
    """n molecules with measured properties.

    y [n, n_targets], nan where nothing was measured; groups [n], "" where there is none; prints [n, bytes], Morgan
    fingerprints; descriptors [n, descriptors], called `descriptor_names`, no columns where they are not wanted.
    """

    y: Tensor
    groups: list[str]
    prints: Tensor
    descriptors: Tensor
    descriptor_names: list[str]


def prepare(reading: Reading, with_descriptors: bool) -> PreparedProperties:
    """Featurize the records of a file with properties."""
    records, names = reading.records, descriptors.names() if with_descriptors else []
    molecules = [record.molecule for record in records]
    with progress_bar(molecules if names else [], desc="describing", unit="molecule") as watched:
        described = descriptors.described(watched, names) if names else torch.zeros(len(molecules), 0)
    return PreparedProperties(
        **described_by(reading),
        y=torch.tensor([record.values for record in records], dtype=torch.float64).float(),
        groups=[record.group for record in records],
        prints=fingerprints(molecules),
        descriptors=described,
        descriptor_names=names,
    )
