"""Places for what is cached, and a file with many molecules."""

import pytest


@pytest.fixture(autouse=True)
def kept_once(tmp_path_factory, monkeypatch):
    """Molecules that several tests read are featurized once: the cache knows them by what they were made from."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "kept"))


@pytest.fixture
def data_folder(kept_once, tmp_path, monkeypatch):
    """A place of its own, empty at first."""
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def many(tmp_path):
    from tests.data.molecules.made_molecules import save
    from tests.data.molecules.made_shifts import EVERY, line, shifts_of  # which skips without rdkit

    return save(tmp_path / "many.jsonl", "".join(line(smiles, shifts_of(smiles)) for smiles in EVERY))
