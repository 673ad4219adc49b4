"""The examination of properties of molecules: that of any real numbers, and molecules to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dlthink.metrics.reals.forecast import Forecast, widened
from dlthink.metrics.reals.metrics import Reals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dlthink.metrics.reals.molecule_drawings import Labelled

LEGIBLE = 120  # atoms of a molecule that is drawn at all
SHOWN = 3  # molecules of largest error, and of largest spread


class Properties(Reals):
    """`Reals`, and the figure `molecules`: those of largest error, then those of largest spread, each in units of its
    target's standard deviation.

    known  as for `Reals`, and {"structure": n SMILES}, of the molecule that a row is about
    """

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        made = super().figures(predicted, y, known)
        if "structure" in known and len(y):
            from dlthink.metrics.reals.molecule_drawings import drawn

            chosen = list(self._chosen(Forecast(predicted, y), known["structure"]))
            if chosen:
                made["molecules"] = drawn(chosen, self.unit, self.target, columns=SHOWN)
        return made

    def drawings(self, predicted: dict, known: dict) -> Iterator[tuple[str, Figure]]:
        """(NUMBER_FORMULA, figure) of each molecule of up to 120 atoms, with what is predicted; one at a time.

        known: {"structure"} of each row; {"name", "place"} in the user's file, for title and number; {"least_std"}, see
        `widened`.
        """
        from dlthink.metrics.reals.molecule_drawings import drawn
        from dlthink.metrics.reals.molecule_layout import atoms, formula

        own = Forecast(widened(predicted, known), predicted["mean"])
        structures, n_targets = known["structure"], predicted["mean"].shape[1]
        places = known["place"].tolist() if "place" in known else range(len(structures))
        digits = len(str(max(places, default=0) + 1))
        for row, (structure, place) in enumerate(zip(structures, places, strict=True)):
            if atoms(structure) > LEGIBLE or not (name := formula(structure)):
                continue
            lines = [known["name"][row]] if "name" in known else []
            lines += [self._words(own, row * n_targets + target, False) for target in range(n_targets)]
            yield f"{place + 1:0{digits}d}_{name}", drawn([_molecule(structure, lines)], self.unit)

    def _chosen(self, own: Forecast, structures: list[str]) -> Iterator[Labelled]:
        """Molecules that can be drawn, worst first, each with its value of the target that is meant."""
        from dlthink.metrics.reals.molecule_layout import atoms

        scale = self.target_std.expand(int(own.target.max()) + 1)
        n_targets, taken = len(scale), set()
        for what, size in (("error", own.error.abs()), ("spread", own.std)):
            size = torch.where(own.error.isfinite(), size / scale[own.target], torch.nan).nan_to_num(-1.0)
            if not bool((size > size.min()).any()):
                continue  # one spread for all, or none
            order, found = size.argsort(descending=True, stable=True).tolist(), 0
            for place in order:
                structure = structures[place // n_targets]
                if found == SHOWN or size[place] < 0:
                    break
                if place // n_targets in taken or not 0 < atoms(structure) <= LEGIBLE:
                    continue
                taken.add(place // n_targets)
                found += 1
                yield _molecule(structure, [f"largest {what}, {found}", self._words(own, place, True)])

    def _words(self, own: Forecast, place: int, measured: bool) -> str:
        """logS -3.21 ± 0.40, measured -5.02 mol/l: of one value."""
        target = int(own.target[place])
        name = f"{self.target_names[target]} " if self.target_names else ""
        unit = self.units[target % len(self.units)]
        spread = f" ± {own.std[place]:.2g}" if own.std[place].isfinite() else ""
        truth = f", {self.target} {own.y[place]:.3g}" if measured else ""
        return f"{name}{own.mean[place]:.3g}{spread}{truth} {unit}".rstrip()


def _molecule(structure: str, lines: list[str]) -> Labelled:
    """A molecule without numbers at its atoms."""
    from dlthink.metrics.reals.molecule_drawings import Labelled

    return Labelled(structure, atom=[], mean=[], title="\n".join(lines))
