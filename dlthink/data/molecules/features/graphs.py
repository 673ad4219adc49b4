"""Graphs of any size as flat tensors and offsets: a batch is put together by index arithmetic, without padding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Graphs:
    """Molecules one after the other.

    atoms      [A, features]  small whole numbers that describe an atom
    first_atom [n + 1]        molecule i has atoms first_atom[i] .. first_atom[i + 1] - 1
    source, target, bonds [E] an arc leads from atom to atom (counted within the molecule); the kind of its bond
    first_arc  [n + 1]
    """

    atoms: Tensor
    first_atom: Tensor
    source: Tensor
    target: Tensor
    bonds: Tensor
    first_arc: Tensor

    def __len__(self) -> int:
        return len(self.first_atom) - 1

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The batch of molecules `index` as one graph, and where each of them begins in it: [len(index)].

        atoms [A, features]; source, target, bonds [E], atoms counted within the batch; molecule [A], which of the
        batch an atom belongs to; size [len(index)], atoms of each.
        """
        atom, molecule, size = spread(self.first_atom, index)
        arc, owner, _ = spread(self.first_arc, index)
        first = size.cumsum(0) - size
        shift = first.index_select(0, owner)
        batch = {
            "atoms": self.atoms.index_select(0, atom),
            "source": self.source.index_select(0, arc) + shift,
            "target": self.target.index_select(0, arc) + shift,
            "bonds": self.bonds.index_select(0, arc),
            "molecule": molecule,
            "size": size,
        }
        return batch, first

    def select(self, index: Tensor) -> Graphs:
        """Only these molecules, in this order."""
        atom, _, size = spread(self.first_atom, index)
        arc, _, arcs = spread(self.first_arc, index)
        return Graphs(self.atoms[atom], starts(size), self.source[arc], self.target[arc], self.bonds[arc], starts(arcs))

    def to(self, device: torch.device | str) -> Graphs:
        return Graphs(**{name: tensor.to(device) for name, tensor in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """By name; `Graphs(**tensors)` is the same again."""
        return dict(vars(self))


def starts(sizes: Tensor) -> Tensor:
    """Where each of consecutive stretches begins, and where the last one ends: [n + 1]."""
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])


def spread(first: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of the stretches `index`, one after the other; which of `index` each belongs to; the stretches' sizes.

    first: [n + 1], stretch i has rows first[i] .. first[i + 1] - 1.
    """
    begin = first.index_select(0, index)
    size = first.index_select(0, index + 1) - begin
    owner = torch.repeat_interleave(size)
    shift = begin - (size.cumsum(0) - size)
    return shift.index_select(0, owner) + torch.arange(len(owner), device=owner.device), owner, size
