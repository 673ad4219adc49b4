"""The look-up that every network must beat: the shifts of atoms in the same environment, as wide as it is known."""

from __future__ import annotations

import torch
from torch import Tensor

from dlthink.data.molecules.features.graphs import Graphs

RADIUS = 5  # bonds
PLAIN = 6  # of the features of an atom; its rings are for the network, wider environments find them out
MULTIPLIER, ARC = -7046029254386353131, 6364136223846793005  # odd, so that multiplication mixes and loses nothing


def environments(graphs: Graphs) -> Tensor:
    """[A, RADIUS + 1] int64: a number for each atom's surroundings within 0, 1, ... RADIUS bonds.

    Two atoms share column r when what lies within r bonds is alike (but for a chance of 2^-64 a pair): Morgan's
    algorithm, a neighbourhood hashed as the sum over its arcs of mix(bond, neighbour), for all molecules at once.
    """
    offset = graphs.first_atom.index_select(0, torch.repeat_interleave(graphs.first_arc.diff()))
    source, target = graphs.source + offset, graphs.target + offset
    code = torch.zeros(len(graphs.atoms), dtype=torch.long)
    for column in graphs.atoms[:, :PLAIN].unbind(1):
        code = _mix(code + column + 1)
    codes = [code]
    for _ in range(RADIUS):
        around = torch.zeros_like(code).index_add_(0, target, _mix(code[source] + ARC * (graphs.bonds + 1)))
        code = _mix(_mix(code) + around)
        codes.append(code)
    return torch.stack(codes, 1)


def _mix(x: Tensor) -> Tensor:
    """A bijection of 64-bit integers that leaves no pattern (the finalizer of splitmix64; overflow is meant)."""
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * MULTIPLIER
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * ARC
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


class Lookup:
    """mean = median shift of the training atoms that share the widest environment known; std = their spread.

    Like a table of HOSE codes (Bremser 1978). The spread is that of the widest environment with `few` atoms or more,
    their root mean square around its median, `least` of all shifts' spread or more: equal values may be rounded.
    """

    few = 5
    least = 0.002

    def __init__(self, tables: list[dict[str, Tensor]], overall: tuple[float, float]):
        self.tables, self.overall = tables, overall  # radius by radius: code (sorted), median, spread, count

    @classmethod
    def fit(cls, codes: Tensor, y: Tensor) -> Lookup:
        """codes: [n, RADIUS + 1]; y: [n] training shifts."""
        tables = []
        for column in codes.unbind(1):
            order = y.argsort()
            order = order[column[order].argsort(stable=True)]
            code, count = torch.unique_consecutive(column[order], return_counts=True)
            first = count.cumsum(0) - count
            ranked = y[order]
            median = (ranked[first + (count - 1) // 2] + ranked[first + count // 2]) / 2
            owner = torch.repeat_interleave(count)
            square = (ranked - median[owner]).square()
            spread = (torch.zeros_like(median).index_add_(0, owner, square) / count).sqrt()
            tables.append({"code": code, "median": median, "spread": spread, "count": count.to(torch.int32)})
        return cls(tables, (float(y.median()), float(y.std(correction=0))))

    def predict(self, codes: Tensor) -> dict[str, Tensor]:
        """mean and std [n, 1] for atoms of these environments."""
        mean = torch.full((len(codes),), self.overall[0])
        std = torch.full((len(codes),), self.overall[1])
        for column, table in zip(codes.unbind(1), self.tables, strict=True):  # wider and wider
            place = torch.searchsorted(table["code"], column.contiguous()).clamp(max=len(table["code"]) - 1)
            known = table["code"][place] == column
            mean = torch.where(known, table["median"][place], mean)
            several = known & (table["count"][place] >= self.few)
            std = torch.where(several, table["spread"][place], std)
        return {"mean": mean[:, None], "std": std.clamp(min=max(self.least * self.overall[1], 1e-3))[:, None]}

    def state(self) -> dict:
        return {"tables": self.tables, "overall": list(self.overall)}
