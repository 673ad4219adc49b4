"""One key for all forms of a molecule, another for other molecules."""

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.features.parent import key  # noqa: E402
from dlthink.data.molecules.features.structures import molecule_of_smiles  # noqa: E402

FORMS = """
CC(=O)O CC(=O)[O-].[Na+] CC(=O)[O-] CC(=O)O[Na] CC(=O)[O-].[NH4+] CC(=O)[O-].[Na+].O CC(=O)[O-].[Ca+2].[O-]C(C)=O
NCC(=O)O [NH3+]CC(=O)[O-] NCC(=O)O.Cl [NH3+]CC(=O)O.[Cl-] NCC(=O)[O-].[Na+] [2H]NCC(=O)O
CN C[NH3+] CN.Cl C[NH3+].[Cl-] CN.OS(=O)(=O)O
c1ccncc1 c1cc[nH+]cc1.[Cl-]
CCCCC[N+](C)(C)C CCCCC[N+](C)(C)C.[Br-] CCCCC[N+](C)(C)C.[I-]
C[N+](C)(C)CC(=O)[O-] C[N+](C)(C)CC(=O)O.[Cl-]
CS(C)=O C[S+](C)[O-]
CP(C)(C)=O C[P+](C)(C)[O-]
CP(C)(C)=C C[P+](C)(C)[CH2-]
C[Se](C)=O C[Se+](C)[O-]
C[N+](=O)[O-] CN(=O)=O
c1cc[n+]([O-])cc1 c1ccn(=O)cc1 O[n+]1ccccc1.[Cl-]
CN=[N+]=[N-] C[N-][N+]#N
CS(=O)(=O)O CS(=O)(=O)[O-].[Na+] CS(=O)(=O)O[Na]
COP(=O)(O)O COP(=O)([O-])[O-].[Na+].[Na+] COP(=O)(O)[O-].[K+]
Oc1ccccc1 [O-]c1ccccc1.[Na+]
O=C1NC(=O)c2ccccc12 O=C1[N-]C(=O)c2ccccc12.[K+]
""".strip().splitlines()
TAUTOMERS = [
    "Oc1ccccn1 O=c1cccc[nH]1 O=c1ccccn1[Na]",
    "CC(=O)CC(C)=O CC(O)=CC(C)=O",
    "Cc1c[nH]cn1 Cc1cnc[nH]1",
    "NC(=O)C N=C(O)C",
    "CCn1cc[n+](C)c1 CC[n+]1ccn(C)c1.[Cl-]",
]
NEUTRAL = ["CCO", "CC=O", "C[N+](=O)[O-]", "c1ccc2c(c1)cccc2", "CS(C)=O", "C[Si](C)(C)C", "OB(O)c1ccccc1"]


def keys(text, tautomers=False):
    return {key(molecule_of_smiles(smiles), tautomers) for smiles in text.split()}


@pytest.mark.parametrize("forms", FORMS)
def test_forms_of_a_molecule_share_a_key(forms):
    assert len(keys(forms)) == 1 and len(keys(forms, True)) == 1


def test_other_molecules_have_other_keys():
    assert len({key for forms in FORMS for key in keys(forms)}) == len(FORMS)
    assert len({key for forms in FORMS for key in keys(forms, True)}) == len(FORMS)


@pytest.mark.parametrize("smiles", NEUTRAL)
def test_a_neutral_molecule_in_one_part_keeps_its_canonical_smiles(smiles):
    assert keys(smiles) == {Chem.CanonSmiles(smiles)}


@pytest.mark.parametrize("forms", TAUTOMERS)
def test_tautomers_share_a_key_where_that_is_asked(forms):
    assert len(keys(forms)) > 1 and len(keys(forms, True)) == 1


def test_what_cannot_be_standardized_is_known_by_itself(capfd):
    for odd in ("[Na+].[Cl-]", "[H+]", "[Fe]", "*C", "[C-]#[O+]", "[2H][2H]", "O=[Mn](=O)(=O)[O-].[K+]"):
        assert len(keys(odd)) == 1
    assert capfd.readouterr() == ("", "")
