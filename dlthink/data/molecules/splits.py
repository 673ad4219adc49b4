"""Which molecule is training, validation or test: by the file, by chance, by ring skeleton; groups stay together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from dlthink.data.molecules.features.parent import parent
from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.prepared import Prepared
from dlthink.data.stable_hash import share

ROLES = ("train", "val", "test")
FOLDS = 5  # test is one of them, where the file does not say

Name = tuple[int, str]  # 0 and a key, or the place of a grouping and a word of it


def roles(every: Prepared, by: str, validation: float, fold: int = 0, groups: Sequence[str] = ()) -> list[str]:
    """train, val or test, for every molecule.

    by          random: by a hash of the molecule, the same in every file; scaffold: all molecules with one ring
                skeleton together; anything else: as the file says, `every.splits`, and by that hash where it does not
    validation  share of the molecules that are no test, where the file holds out none itself
    fold        0 .. 4: the fifth of all hashes that is test
    groups      words that molecules on one side share, beside their keys; "" is no group
    """
    said: dict[Name, str] = {}  # of molecules in a split by the file; one that is in several is no training data
    names = _joined(every.keys, _scaffolds(every) if by == "scaffold" else (), groups)
    for role in ROLES if by not in ("random", "scaffold") else ():
        said |= {one: role for one, word in zip(names, every.splits, strict=True) if word == role}
    held_out_by_file = "val" in said.values()
    found = []
    for one in names:
        test = said[one] == "test" if one in said else int(FOLDS * share(one[1])) == fold
        by_file = one in said and held_out_by_file
        held_out = said[one] == "val" if by_file else share(one[1], "validation") < validation
        found.append("test" if test else "val" if held_out else "train")
    return found


def as_seen(every: Prepared, seen: dict[str, Tensor]) -> list[str]:
    """What a run was trained on keeps its role in every file, and all else is a test."""
    known = {one: name for name, ties in seen.items() for one in ties.tolist()}
    return [known.get(one, "test") for one in every.ties.tolist()]


def in_several(every: Prepared) -> int:
    """Molecules that the file puts on several sides."""
    said: dict[str, set[str]] = {}
    for one, word in zip(every.keys, every.splits, strict=True):
        if word:
            said.setdefault(one, set()).add(word)
    return sum(len(words) > 1 for words in said.values())


def _scaffolds(every: Prepared) -> list[str]:
    """The ring skeleton (Bemis & Murcko 1996) of each molecule's parent; "" without rings."""
    Chem, _ = chemistry()
    from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol

    skeletons = (GetScaffoldForMol(parent(Chem.MolFromSmiles(text))) for text in every.smiles)
    return [Chem.MolToSmiles(skeleton, isomericSmiles=False) for skeleton in skeletons]


def _joined(keys: list[str], *groupings: Iterable[str]) -> list[Name]:
    """A name for each molecule, the same for all that share a key or a group, be it through others.

    Without any group it is the key itself; else the first group of all that are one.
    """
    leads: dict[Name, Name] = {}  # from a name to another of the same molecules

    def first(name: Name) -> Name:
        while name in leads:
            name = leads[name]
        return name

    for place, grouping in enumerate(groupings, start=1):
        for key, group in zip(keys, grouping, strict=False):
            one, other = first((0, key)), first((place, group))
            if group and one != other:
                leads |= {one: other} if one[0] == 0 else {other: one}
    return [first((0, key)) for key in keys]
