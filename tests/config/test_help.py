"""`dlthink train --help`: costs below what they are for; with words, the settings of a choice and what goes with it."""

import ast
import re

import pytest
from omegaconf import OmegaConf

from dlthink.__main__ import commands
from dlthink.config.data_choices import problems
from dlthink.config.help_choices import data_by_kind, overview
from dlthink.config.help_settings import _comments, explained
from dlthink.config.help_width import fitted
from dlthink.config.paths import conf_folder, options


def test_every_cost_stands_once_below_its_kind():
    text = overview()
    part = text[text.index("\nloss=") : text.index("\nmodel=")]
    names = [line.split()[0] for line in part.splitlines() if line.startswith("  ")]
    assert sorted(names) == sorted(options("loss", conf_folder()))
    headings = [line.split(":")[0].strip() for line in part.splitlines() if line[:1] == " " and line[1:2] != " "]
    assert headings == ["counts", "domains", "identities", "reals"]
    counts = part[part.index(" counts:") : part.index(" domains:")]
    assert "\n  poisson " in counts and "table (data.kind=counts)" in counts and "\n  crps " not in counts


def test_data_stand_with_the_kind_that_their_class_says():
    from dlthink.config.build import answers

    stated = data_by_kind()
    for name, config in problems().items():
        assert name in stated[answers(config)[0]]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            ["data=table", "data.kind=counts"],
            ["data.exposure=null  ", "identities  ", "fit: categorical", "log_score ↑"],
        ),
        (["data=recording", "data/direction=decode"], ["data.target=null  ", "encode  ", "costs that fit: beta_nll"]),
        (["loss=crps_scaled"], ["loss.calibrate=scale  none | scale", "fits reals: data=", "molecules"]),
        (["model=glm"], ["raised_cosine  ", "model.l1=0.0  penalty"]),
        (["loss=triplet,arcface"], ["loss=triplet  ", "fits identities: data="]),
        (["trainer=table"], ["trainer.steps=4000  ", "trainer.ema=0.99  decay of"]),
        (["experiment=uci"], ["override /data: table"]),
    ],
)
def test_help_of_a_choice(words, shown):
    text = explained(words)
    squeezed = re.sub("  +", "  ", text)
    assert [one for one in shown if one not in squeezed] == [], text


def test_every_setting_of_a_cost_says_what_it_is():
    """Its name and value, and behind them what it means: here and of what it builds upon."""
    folder = options("loss", conf_folder())
    for name, file in folder.items():
        said = _comments("loss", file)
        keys = OmegaConf.load(file).keys() - {"_target_", "defaults", "discriminator"}
        assert keys <= said.keys(), (name, keys - said.keys())


def test_help_fits_a_terminal(monkeypatch):
    for file in commands().values():
        said = ast.get_docstring(ast.parse(file.read_text()))
        assert [line for line in said.splitlines() if len(line) > 100] == [], file.stem
    for columns, widest in (("90", 90), ("300", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        text = fitted(overview())
        assert max(map(len, text.splitlines())) <= widest and text.split() == overview().split()
    row = fitted("  name  " + 40 * "word ").splitlines()
    assert row == [f"  name  {18 * 'word '}".strip("\n")[:-1], *(8 * " " + (n * "word ")[:-1] for n in (18, 4))]
