"""A user's own molecules, whose predictions go to a table: read, asked and written a part at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlthink.data.molecules.atoms import Atoms
from dlthink.data.molecules.featurize import (
    ELEMENT,
    HYBRIDIZATIONS,
    HYDROGENS,
    KIND,
    NEUTRAL,
    Described,
    described,
    gathered,
)
from dlthink.data.molecules.graphs import starts
from dlthink.data.molecules.records import in_smiles_order
from dlthink.data.molecules.structure_file import read_structures
from dlthink.data.molecules.structures import WRITTEN, chemistry
from dlthink.errors import BadInput
from dlthink.files.atomic import atomic

if TYPE_CHECKING:
    from rdkit.Chem import Mol

PART, ATOMS = 1024, 50_000  # molecules, or atoms, that are held at a time
HOPELESS = 10_000  # molecules without one that can be predicted
NEAR = 2  # bonds around an atom of an unknown kind
HYDROGEN, CARBON = 1, 6
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
    asked: tuple[int, ...] = ()  # atoms whose value is asked for
    strange: tuple[int, ...] = ()  # atoms of a kind that was not in training


class Inputs:
    """Every atom of the run's nucleus in a file of the user's; a CSV comes of it, whole or not at all.

    Its columns: molecule, atom (as the file counts them, from 0), element, mean, std, low_90, high_90, of an ensemble
    aleatoric and epistemic, problem. A molecule that cannot be predicted has one row that says why. One with atoms of
    a kind (element, charge, hybridization, unpaired electrons) that was not in training is predicted, but `problem`
    names them, and within two bonds of them the spread is at least that of all training shifts.
    Raises BadInput, naming the file.
    """

    def __init__(self, path: str, state: dict) -> None:
        kinds = {tuple(kind) for kind in state["kinds"]} if "kinds" in state else None
        self.path, self.state = path, state | {"elements": {*state["elements"]}, "kinds": kinds}
        self.structures = read_structures(path, watched="predicting")
        self.columns: list[str] = []
        self.atoms = self.molecules = self.rejected = self.strange = 0

    def parts(self, output: str) -> Iterator[Part]:
        """A thousand molecules or so at a time, each part to be written before the next is read."""
        _, BlockLogs = chemistry()
        kept: list[Found] = []
        place = size = 0  # in the file, of the first that is kept; their atoms
        with atomic(output) as file:
            table = csv.writer(file, lineterminator="\n")
            for name, molecule in self.structures:
                with BlockLogs():
                    found = _found(name, molecule, self.state)
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
            table.writerows([one.name, "", "", *[""] * len(self.columns), one.problem] for one in kept)
            return
        part = Part(kept, place, self.state)
        yield part
        if not self.columns:
            self.columns = part.columns
            table.writerow(["molecule", "atom", "element", *self.columns, "problem"])
        table.writerows(part.rows)

    def summary(self) -> str:
        """What was predicted, for the terminal."""
        skipped = f"; {self.rejected} have none (see the column problem)" if self.rejected else ""
        strange = f"; {self.strange} hold atoms unlike any in training (see the column problem)" if self.strange else ""
        simulated = self.state.get("target") == "simulated"
        warning = "; the run has learned SIMULATED shifts, do not take these for chemistry" if simulated else ""
        return f"{self.atoms} atoms of {self.molecules} molecules{skipped}{strange}{warning}"

    def _count(self, found: Found) -> None:
        self.atoms += len(found.asked)
        self.molecules += bool(found.asked)
        self.rejected += not found.asked
        self.strange += bool(found.strange)


class Part(Atoms):
    """Some molecules of the file, one after the other; place: of the first one, in the file."""

    def __init__(self, every: list[Found], place: int, state: dict) -> None:
        usable = [one for one in every if one.asked]
        super().__init__(
            gathered([one.told for one in usable]),
            starts(torch.tensor([len(one.asked) for one in usable], dtype=torch.long)),
            torch.tensor([index for one in usable for index in one.asked], dtype=torch.long),
            [one.smiles for one in usable],
        )
        self.every, self.columns, self.rows = every, [], []
        self.places = [place + i for i, one in enumerate(every) if one.asked]
        self.names = [one.name for one in usable]
        self.widest = state["lookup"]["overall"][1] if "lookup" in state else 0.0
        self.near = self._near([one.strange for one in usable])

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return self.take_x(index)[0], None

    def more(self, row: Tensor, molecule: list[int]) -> dict[str, Any]:
        return {"place": torch.tensor([self.places[i] for i in molecule]), "name": [self.names[i] for i in molecule]}

    def write(self, read: dict[str, Any], path: str) -> None:
        """The rows of a table, which `parts` puts behind those of the parts before."""
        columns = {name: column.flatten().tolist() for name, column in _columns(read, self.near, self.widest).items()}
        self.columns[:] = columns  # which a copy on another device shares
        values = iter(zip(*columns.values(), strict=True))
        for one in self.every:
            if not one.asked:
                self.rows.append([one.name, "", "", *[""] * len(columns), one.problem])
                continue
            elements = one.told.column(ELEMENT)
            for index in one.asked:
                numbers = [f"{value:.6g}" for value in next(values)]
                written = index if one.written is None else one.written[index]
                self.rows.append([one.name, written, _symbol(elements[index]), *numbers, one.problem])

    def _near(self, strange: list[tuple[int, ...]]) -> Tensor:
        """Rows within two bonds of an atom of an unknown kind: bool [R, 1]."""
        first = self.graphs.first_atom
        near = torch.zeros(len(self.graphs.atoms), dtype=torch.bool)
        near[[int(first[i]) + atom for i, atoms in enumerate(strange) for atom in atoms]] = True
        shift = first[:-1].repeat_interleave(self.graphs.first_arc.diff())
        source, target = self.graphs.source + shift, self.graphs.target + shift
        for _ in range(NEAR):
            near[target[near[source]]] = True
        return near[first[:-1].repeat_interleave(self.first_row.diff()) + self.atom][:, None]


def _columns(read: dict[str, Any], near: Tensor, widest: float) -> dict[str, Tensor]:
    """mean, std and the ends of the central 90 % interval, nan where the cost is silent; the parts of an ensemble."""
    mean = read["mean"]
    nothing = torch.full_like(mean, torch.nan)
    columns = {"mean": mean, "std": read.get("std", nothing)}
    for name, p in (("low_90", 0.05), ("high_90", 0.95)):
        columns[name] = read["distribution"].icdf(torch.full_like(mean, p)) if "distribution" in read else nothing
    near = near.to(mean.device)
    wide = {"std": torch.full_like(mean, widest), "low_90": mean - Z90 * widest, "high_90": mean + Z90 * widest}
    for name, wider in (("std", torch.maximum), ("low_90", torch.minimum), ("high_90", torch.maximum)):
        columns[name] = torch.where(near, wider(columns[name], wide[name]), columns[name])
    return columns | {name: read[name] for name in ("aleatoric", "epistemic") if name in read}


def _found(name: str, molecule: Mol | str, state: dict) -> Found:
    """What the network is told of it, or what stands in the way."""
    if isinstance(molecule, str):
        return Found(name, molecule)
    try:
        bare, smiles, written, deuterated = _in_order(molecule)
    except (ValueError, RuntimeError) as error:
        return Found(name, str(error))
    told = described(bare)
    elements = told.column(ELEMENT)
    if foreign := {*elements} - state["elements"]:
        symbols = ", ".join(sorted(map(_symbol, foreign)))
        return Found(name, f"{symbols} is not among the elements that the run was trained on")
    if state["nucleus"] == "1H":
        bearers = enumerate(zip(elements, told.column(HYDROGENS), strict=True))
        asked = [i for i, (element, hs) in bearers if hs and element != HYDROGEN and i not in deuterated]
    else:
        asked = [i for i, element in enumerate(elements) if element == CARBON]
    if not asked:
        return Found(name, "no hydrogen in it" if state["nucleus"] == "1H" else "no carbon in it")
    if written:
        asked.sort(key=lambda i: written[i])
    found = Found(name, "", told, smiles, written, tuple(asked))
    if (seen := state["kinds"]) is not None:
        kinds = list(zip(*map(told.column, KIND), strict=True))
        found.strange = tuple(i for i, kind in enumerate(kinds) if kind not in seen)
        if found.strange:
            names = dict.fromkeys(_named(*kinds[i]) for i in found.strange)
            found.problem = f"unlike any atom in training: {', '.join(names)}"
    return found


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


def _named(element: int, charge: int, hybridization: int, radical: int) -> str:
    """Such as C+ (sp2) or C (sp3, radical)."""
    names = {code: name.lower() for name, code in HYBRIDIZATIONS.items()}
    words = [names.get(hybridization, "no hybridization"), *["radical"] * bool(radical)]
    sign = ("+" if charge > NEUTRAL else "-") * abs(charge - NEUTRAL)
    return f"{_symbol(element)}{sign} ({', '.join(words)})"


@cache
def _symbol(number: int) -> str:
    from rdkit.Chem import GetPeriodicTable

    return GetPeriodicTable().GetElementSymbol(number)
