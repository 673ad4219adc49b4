"""Discriminators refuse a width that is none; what else they do is tested with the costs that play against them."""

import pytest

from dlthink.errors import BadInput
from dlthink.models.discriminators.features import FeatureDiscriminator
from dlthink.models.discriminators.patch import PatchDiscriminator


@pytest.mark.parametrize("made", [lambda: PatchDiscriminator(3, width=0), lambda: FeatureDiscriminator(None, width=0)])
def test_a_width_that_is_none_is_refused(made):
    with pytest.raises(BadInput, match=r"loss\.discriminator\.width=0"):
        made()
