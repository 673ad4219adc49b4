"""The examination of a chemical shift for each atom: that of any real number, and molecules to look at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import Tensor

from dlthink.metrics.reals.forecast import Forecast, widened
from dlthink.metrics.reals.metrics import Reals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dlthink.metrics.reals.molecule_drawings import Labelled

LEGIBLE = 120  # atoms of a molecule that is drawn at all
MOST_ATOMS = 25  # of a molecule in the figure, which is to be read at one glance
FEWEST = 4  # labelled atoms


class Shifts(Reals):
    """`Reals`, and the figure `molecules`: four of them with predicted and measured shifts.

    known  as for `Reals`, and {"structure": n SMILES, "atom": int [n]}: which atom of which molecule a row is
           about; rows of a molecule follow each other, and atoms count in the order of the SMILES
    """

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        made = super().figures(predicted, y, known)
        if "structure" in known and "atom" in known and len(y):
            from dlthink.metrics.reals.molecule_drawings import drawn

            own = Forecast(predicted, y)
            chosen = _four(own, _molecules(known["structure"], known["atom"]), known["structure"])
            if chosen:
                labelled = [self._labelled(own, rows, known, title) for title, rows in chosen]
                made["molecules"] = drawn(labelled, self.unit, self.target)
        return made

    def drawings(self, predicted: dict, known: dict) -> Iterator[tuple[str, Figure]]:
        """(NUMBER_FORMULA, figure) for each molecule of up to 120 atoms, without measured values; one at a time.

        known: {"structure", "atom"} as in truth; {"name", "place"} in the user's file, for title and number;
        {"least_std"}, see `widened`.
        """
        from dlthink.metrics.reals.molecule_drawings import drawn
        from dlthink.metrics.reals.molecule_layout import atoms, formula

        own = Forecast(widened(predicted, known), predicted["mean"])
        molecules = _molecules(known["structure"], known["atom"])
        last = int(known["place"].max()) + 1 if "place" in known else len(molecules)
        digits = len(str(last))
        for number, rows in enumerate(molecules, 1):
            structure = known["structure"][rows.start]
            if atoms(structure) > LEGIBLE or not (name := formula(structure)):
                continue
            if "place" in known:
                number = int(known["place"][rows.start]) + 1
            labelled = self._labelled(own, rows, known)
            labelled.title = known["name"][rows.start] if "name" in known else ""
            yield f"{number:0{digits}d}_{name}", drawn([labelled], self.unit)

    def _labelled(self, own: Forecast, rows: slice, known: dict, title: str = "") -> Labelled:
        """What is drawn of a molecule; with a title also what was measured."""
        from dlthink.metrics.reals.molecule_drawings import Labelled

        mae = float(own.error[rows].abs().mean())
        return Labelled(
            structure=known["structure"][rows.start],
            atom=known["atom"][rows].tolist(),
            mean=own.mean[rows].tolist(),
            std=None if own.std[rows].isnan().any() else own.std[rows].tolist(),
            measured=own.y[rows].tolist() if title else None,
            title=f"{title} · MAE {mae:.2f} {self.unit}".rstrip() if title else "",
        )


def _molecules(structure: list[str], atom: Tensor) -> list[slice]:
    """The rows of each molecule: a new one begins where the SMILES changes, or an atom comes again."""
    starts, seen = [], set()
    for row, index in enumerate(atom.tolist()):
        if not row or structure[row] != structure[row - 1] or index in seen:
            starts.append(row)
            seen = set()
        seen.add(index)
    return [slice(*ends) for ends in pairwise([*starts, len(structure)])]


def _four(own: Forecast, molecules: list[slice], structure: list[str]) -> list[tuple[str, slice]]:
    """Molecules of low, median and high error and of large spread: fewer where there are fewer.

    Each is the nearest to its place in the order that is of moderate size, or that can be drawn at all.
    """
    from dlthink.metrics.reals.molecule_layout import atoms, layout

    molecules = [rows for rows in molecules if own.error[rows].isfinite().all()]
    by_error = sorted(molecules, key=lambda rows: float(own.error[rows].abs().mean()))
    by_spread = sorted(molecules, key=lambda rows: float(own.std[rows].nan_to_num(0.0).mean()))
    wanted = [("low error", by_error, 0.1), ("median error", by_error, 0.5), ("high error", by_error, 0.95)]
    chosen = []
    if not own.std.isnan().all():
        wanted.append(("largest spread", by_spread, 1.0))
    for title, order, share in wanted:
        place = round(share * (len(order) - 1))
        nearest = sorted(range(len(order)), key=lambda k: abs(k - place))
        left = [order[k] for k in nearest if order[k] not in [rows for _, rows in chosen]]
        moderate = (r for r in left if r.stop - r.start >= FEWEST and 0 < atoms(structure[r.start]) <= MOST_ATOMS)
        moderate = (r for r in moderate if layout(structure[r.start]).flat)
        drawable = (r for r in left if atoms(structure[r.start]))
        rows = next(moderate, None) or next(drawable, None)
        chosen += [(title, rows)] if rows else []
    return chosen
