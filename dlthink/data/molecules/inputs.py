"""A user's own molecules, whose predictions go to a table: read, asked and written a part at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from dlthink.data.molecules.features.applicability_domain import problem, symbol, unseen
from dlthink.data.molecules.features.featurize import ELEMENT, Described, described
from dlthink.data.molecules.features.structures import WRITTEN, chemistry
from dlthink.data.molecules.readers.records import in_smiles_order
from dlthink.data.molecules.readers.structure_file import read_structures
from dlthink.errors import BadInput
from dlthink.files.atomic import atomic

if TYPE_CHECKING:
    from rdkit.Chem import Mol

PART, ATOMS = 1024, 50_000  # molecules, or atoms, that are held at a time
HOPELESS = 10_000  # molecules without one that can be predicted
HYDROGEN = 1
Z90 = 1.6448536269514722  # standard deviations to either end of a normal distribution's central 90 %
EXPLICIT = re.compile(r"\[\d*H")  # a hydrogen of its own (or mercury)
STEREO = re.compile(r"@(?:@|[A-Z]{2}\d+)?|[/\\]")


@dataclass
class Found:
    """One molecule of the file: what is told of it, or why it cannot be predicted."""

    name: str
    problem: str = ""
    told: Described | None = None
    smiles: str = ""
    written: list[int] | None = None  # index in the file of each atom; None: as here
    asked: tuple[int, ...] = ()  # rows: atoms whose value is asked for, or 0 for that of the molecule
    strange: tuple[int, ...] = ()  # atoms of a kind that was not in training
    more: dict[str, Any] = field(default_factory=dict)  # what else a network is told


class Part(Protocol):
    """Some molecules of the file: a split without targets, whose `columns` and `rows` are there once it is written."""

    columns: list[str]
    rows: list[list]


class Inputs:
    """Molecules in a file of the user's; a CSV comes of it, whole or not at all.

    A molecule that cannot be predicted has one row that says why. One with atoms of a kind (element, charge,
    hybridization, unpaired electrons) that was not in training is predicted, but `problem` names them, and where they
    count the spread is at least that of all training values. What a row is, a subclass says, in `part`.
    Raises BadInput, naming the file.
    """

    fixed: tuple[str, ...] = ("molecule",)  # columns before what is predicted
    widened = ""  # where an atom of an unknown kind counts, if not in all of the molecule

    def __init__(self, path: str, state: dict) -> None:
        kinds = {tuple(kind) for kind in state["kinds"]} if "kinds" in state else None
        self.path, self.state = path, state | {"elements": {*state["elements"]}, "kinds": kinds}
        self.structures = read_structures(path, watched="predicting", column=state.get("smiles"))
        self.columns: list[str] = []
        self.count = self.molecules = self.rejected = self.strange = 0

    # ------------------------------------------------------------------------------------------- what a subclass says

    def ask(self, found: Found, deuterated: set[int]) -> str | None:
        """Set `asked` and what `more` the network is told, or say what stands in the way."""
        raise NotImplementedError

    def part(self, every: list[Found], place: int) -> Part:
        """These molecules; place: of the first one, in the file."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------- one pass

    def parts(self, output: str) -> Iterator[Part]:
        """A thousand molecules or so at a time, each part to be written before the next is read."""
        _, BlockLogs = chemistry()
        kept: list[Found] = []
        place = size = 0  # in the file, of the first that is kept; their atoms
        with atomic(output) as file:
            table = csv.writer(file, lineterminator="\n")
            for name, molecule in self.structures:
                with BlockLogs():
                    found = self._found(name, molecule)
                self._count(found)
                kept.append(found)
                size += len(found.told.column(ELEMENT)) if found.told else 0
                if not self.molecules and self.rejected >= HOPELESS:
                    break
                if self.molecules and (len(kept) >= PART or size > ATOMS):
                    yield from self._part(kept, place, table)
                    place, size, kept = place + len(kept), 0, []
            if not self.molecules:
                among = f" among its first {HOPELESS:,}" if self.rejected >= HOPELESS else ""
                raise BadInput(
                    f"input={self.path}: holds no molecule that can be predicted{among}; the first, {kept[0].name}: "
                    f"{kept[0].problem}"
                )
            yield from self._part(kept, place, table)

    def _part(self, kept: list[Found], place: int, table: Any) -> Iterator[Part]:
        """These molecules, if any of them can be predicted; then their rows."""
        if not any(one.asked for one in kept):
            blank = [""] * (len(self.fixed) - 1 + len(self.columns))
            table.writerows([one.name, *blank, one.problem] for one in kept)
            return
        part = self.part(kept, place)
        yield part
        if not self.columns:
            self.columns = part.columns
            table.writerow([*self.fixed, *self.columns, "problem"])
        table.writerows(part.rows)

    def summary(self) -> str:
        """What was predicted, for the terminal."""
        skipped = f"; {self.rejected} have none (see the column problem)" if self.rejected else ""
        strange = f"; {self.strange} hold atoms unlike any in training (see the column problem)" if self.strange else ""
        return f"{self.counted()}{skipped}{strange}"

    def counted(self) -> str:
        """How much was predicted."""
        return f"{self.molecules} molecules"

    def _count(self, found: Found) -> None:
        self.count += len(found.asked)
        self.molecules += bool(found.asked)
        self.rejected += not found.asked
        self.strange += bool(found.strange)

    def _found(self, name: str, molecule: Mol | str) -> Found:
        """What the network is told of it, or what stands in the way."""
        if isinstance(molecule, str):
            return Found(name, molecule)
        try:
            bare, smiles, written, deuterated = _in_order(molecule)
        except (ValueError, RuntimeError) as error:
            return Found(name, str(error))
        told = described(bare)
        if foreign := {*told.column(ELEMENT)} - self.state["elements"]:
            symbols = ", ".join(sorted(map(symbol, foreign)))
            return Found(name, f"{symbols} is not among the elements that the run was trained on")
        found = Found(name, "", told, smiles, written)
        if wrong := self.ask(found, deuterated):
            return Found(name, wrong)
        if (seen := self.state["kinds"]) is not None and (strange := unseen(told, seen)):
            found.strange, found.problem = tuple(strange), problem(strange.values(), self.widened)
        return found


def columns_of(read: dict[str, Any], near: Tensor, widest: Tensor) -> dict[str, Tensor]:
    """mean, std and the ends of the central 90 % interval, nan where the cost is silent; the parts of an ensemble.

    Where a row is `near` something that was not in training, bool [n, 1], the spread is `widest` [n_targets] or more.
    """
    mean = read["mean"]
    nothing = torch.full_like(mean, torch.nan)
    columns = {"mean": mean, "std": read.get("std", nothing)}
    for name, p in (("low_90", 0.05), ("high_90", 0.95)):
        columns[name] = read["distribution"].icdf(torch.full_like(mean, p)) if "distribution" in read else nothing
    near, widest = near.to(mean.device), widest.to(mean)
    wide = {"std": widest.expand_as(mean), "low_90": mean - Z90 * widest, "high_90": mean + Z90 * widest}
    for name, wider in (("std", torch.maximum), ("low_90", torch.minimum), ("high_90", torch.maximum)):
        columns[name] = torch.where(near, wider(columns[name], wide[name]), columns[name])
    return columns | {name: read[name] for name in ("aleatoric", "epistemic") if name in read}


def _in_order(molecule: Mol) -> tuple[Mol, str, list[int] | None, set[int]]:
    """(molecule without explicit hydrogens, SMILES in its order, index in the file of each atom, atoms that bear heavy
    hydrogens alone, which show no 1H).
    """
    if molecule.HasProp(WRITTEN) and not EXPLICIT.search(text := molecule.GetProp(WRITTEN)):
        return molecule, STEREO.sub("", text), None, set()
    bare, smiles, place = in_smiles_order(molecule)
    atoms = list(molecule.GetAtoms())
    deuterated = set()
    for atom in atoms:
        heavier = sum(one.GetAtomicNum() == HYDROGEN and one.GetIsotope() > 1 for one in atom.GetNeighbors())
        if heavier and heavier == atom.GetTotalNumHs(includeNeighbors=True):
            deuterated.add(place[atom.GetIdx()])
    written = [0] * bare.GetNumAtoms()
    for atom in sorted(atoms, key=lambda atom: atom.GetAtomicNum() != HYDROGEN):  # who bears a hydrogen comes last
        written[place[atom.GetIdx()]] = atom.GetIdx()
    return bare, smiles, written, deuterated
