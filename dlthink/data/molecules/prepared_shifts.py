"""Molecules with measured shifts, featurized: a row for each atom that has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dlthink.data.molecules.environments import environments
from dlthink.data.molecules.features.graphs import starts
from dlthink.data.molecules.prepared import Prepared, described_by

if TYPE_CHECKING:
    from dlthink.data.molecules.readers.records import Reading


@dataclass
class PreparedShifts(Prepared):
    """n molecules with R measured atoms.

    y [R] the median of an atom's measured values, spread [R] half their range; atom [R], within its molecule;
    first_row [n + 1]; codes [R, radius + 1], the atom's environments; on_carbon [R].
    """

    first_row: Tensor
    atom: Tensor
    y: Tensor
    spread: Tensor
    on_carbon: Tensor
    codes: Tensor


def prepare(reading: Reading) -> PreparedShifts:
    """Featurize the records of a file with shifts."""
    every, records = described_by(reading), reading.records
    graphs = every["graphs"]
    first_row = starts(torch.tensor([len(record.shifts) for record in records], dtype=torch.long))
    atom = torch.tensor([index for record in records for index in sorted(record.shifts)], dtype=torch.long)
    values = [torch.tensor(record.shifts[i]).sort().values for record in records for i in sorted(record.shifts)]
    owner = torch.repeat_interleave(first_row.diff())
    at = graphs.first_atom.index_select(0, owner) + atom
    return PreparedShifts(
        **every,
        first_row=first_row,
        atom=atom,
        y=torch.stack([(v[(len(v) - 1) // 2] + v[len(v) // 2]) / 2 for v in values]),
        spread=torch.stack([(v[-1] - v[0]) / 2 for v in values]),
        on_carbon=graphs.atoms[at, 0] == 6,
        codes=environments(graphs)[at],
    )
