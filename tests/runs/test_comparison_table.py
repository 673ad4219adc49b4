"""Table of groups: which metrics stand in its picture."""

import numpy as np
import pytest

from dlthink.errors import BadInput
from dlthink.runs.comparison import Comparison, find
from dlthink.runs.comparison_table import Table
from tests.runs.conftest import SCORES


@pytest.mark.parametrize("asked, labels", [(True, ["log_score", "mae"]), (False, ["log_score"])])
def test_a_picture_has_what_was_asked_for_or_else_the_first_metric(runs, tmp_path, asked, labels):
    for seed in range(2):
        runs("a", seed, np.full(3, 1.0 + seed))
        runs("b", seed, np.full(3, 2.0 + seed))
    compared = Comparison(find([tmp_path], "test")[0], ["seed"])
    table = Table(compared, "test", ["log_score", "mae"], asked, SCORES, None, [])
    *panels, differences = table.figure().axes
    assert [panel.get_xlabel().split()[0].strip("←") or "mae" for panel in panels] == labels
    assert "minus that of loss=b" in differences.get_xlabel()
    with pytest.raises(BadInput, match=r"differ in data\.path"):
        Table(compared, "test", ["log_score"], asked, SCORES, None, ["data.path"]).figure()
