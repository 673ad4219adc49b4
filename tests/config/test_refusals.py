"""Hydra's refusals in our words: dlthink.config.refusals."""

import pytest

from dlthink.config.compose import composed
from dlthink.errors import BadInput


def test_a_key_of_other_choices_names_them():
    said = {
        "data.exposure=years": "data.exposure: there is no such key; data.kind=counts has it",
        "model.members=3": "model.members: there is no such key; model=ensemble, model=tabm have it",
        "data.colour=3": "data.colour: there is no such key; there is baselines, blocks",
        "data.split_by=day": "data.split_by: there is no such key; did you mean data.split?",
    }
    for word, line in said.items():
        with pytest.raises(BadInput) as refused:
            composed(["data=table", word], {})
        assert str(refused.value).startswith(line), word
