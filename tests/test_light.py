"""What only talks about configuration never loads torch, whose import alone costs more than a second."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

HEAVY = "torch", "matplotlib", "tensorboard", "scipy", "sklearn", "pooch"


def loaded(words, tmp_path, **environment):
    """Output of a command, and the heavy packages that it imported."""
    program = (
        "import sys, atexit; sys.argv[0] = 'dlthink'\n"
        f"atexit.register(lambda: print('LOADED', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr))\n"
        "from dlthink.__main__ import main\nsys.exit(main())"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words, says",
    [
        ([], "dlthink train loss=poisson data=spikes"),
        (["--help"], "evaluate"),
        (["train", "--help"], "poisson"),
        (["train", "--cfg", "job"], "dlthink.losses.counts.poisson.Poisson"),
        (["train", "data=linear_track", "loss=mse", "--cfg", "job"], "dlthink.losses.reals.mse.MSE"),
        (["evaluate", "--help"], "split"),
        (["predict", "--help"], "input"),
        (["fetch", "--help"], "linear_track"),
        (["compare", "--help"], "standard error"),
        (["train", "-sc", "install=bash"], "complete"),
        (["-sc", "install=bash"], "complete"),
    ],
)
def test_talk_is_cheap(tmp_path, words, says):
    out, heavy = loaded(words, tmp_path)
    assert says in out and heavy == "LOADED []"


def test_figures_are_numbers_drawn_without_pyplot_and_numbers_need_no_matplotlib():
    """In one process, the lightest first. A whole examination of photos of seasons loads no more than its module."""
    program = """
import sys
def absent(*packages):
    assert not set(packages) & set(sys.modules), set(packages) & set(sys.modules)
import dlthink.metrics.counts.metrics, dlthink.metrics.embeddings.metrics, dlthink.metrics.embeddings.audit
import dlthink.metrics.reals.shifts
absent("matplotlib", "scipy", "rdkit", "PIL")
from tests.metrics.translations.made_seasons import DOMAINS, asked, photos
from dlthink.metrics.translations.metrics import Translations
Translations(DOMAINS, "embedded", draws=5).numbers(*asked(photos("summer", 3), photos("winter", 3)))
absent("matplotlib", "PIL")
import dlthink.metrics.counts.figures, dlthink.metrics.reals.molecule_drawings
import dlthink.metrics.embeddings.photo_figures, dlthink.metrics.embeddings.audit_figures
absent("matplotlib.pyplot", "rdkit")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line, offers",
    [
        ("dlthink ", {"train", "evaluate", "predict", "fetch", "compare"}),
        ("dlthink tr", {"train"}),
        ("dlthink train lo", {"loss="}),
        ("dlthink train loss=", {"loss=poisson", "loss=mse"}),
        ("dlthink train loss=mse data=s", {"data=spikes"}),
        ("dlthink train data=spikes trainer.epo", {"trainer.epochs="}),
    ],
)
def test_completion(tmp_path, line, offers):
    out, heavy = loaded(["-sc", "query=bash"], tmp_path, COMP_LINE=line, COMP_POINT=str(len(line)))
    assert offers <= set(out.split()) and heavy == "LOADED []"
