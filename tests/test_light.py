"""What only talks about configuration never loads torch, whose import alone costs more than a second."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

HEAVY = "torch", "matplotlib", "tensorboard", "scipy", "sklearn", "pooch"


PROGRAM = f"""
import contextlib, io, json, os, sys
sys.argv[0] = "dlthink"
from dlthink.__main__ import main
for words, environment in json.loads(sys.stdin.read()):
    os.environ.update(environment)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main(words)
    print(json.dumps([said.getvalue(), [name for name in {HEAVY} if name in sys.modules]]))
"""


def loaded(asked, tmp_path):
    """(output, the heavy packages that are imported by then) of each of these commands, in one process."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(asked),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


TALK = [
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
]
SIGNED = """
import sys
from dlthink.runs.signature import signed
assert not signed("seed: 0\\n# signed: nobody")
assert not {"pooch", "requests", "tqdm.auto"} & set(sys.modules)
"""


def test_talk_is_cheap(tmp_path):
    found = loaded([(words, {}) for words, _ in TALK], tmp_path)
    for (words, says), (out, heavy) in zip(TALK, found, strict=True):
        assert says in out and not heavy, words


def test_a_signature_is_looked_at_without_what_downloads():
    """Whose import warns in notebooks without ipywidgets."""
    assert subprocess.run([sys.executable, "-c", SIGNED], cwd=REPOSITORY).returncode == 0


@pytest.mark.slow
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


OFFERS = {
    "dlthink ": {"train", "evaluate", "predict", "fetch", "compare"},
    "dlthink tr": {"train"},
    "dlthink train lo": {"loss="},
    "dlthink train loss=": {"loss=poisson", "loss=mse"},
    "dlthink train loss=mse data=s": {"data=spikes"},
    "dlthink train data=spikes trainer.epo": {"trainer.epochs="},
}


def test_completion(tmp_path):
    typed = [(["-sc", "query=bash"], {"COMP_LINE": line, "COMP_POINT": str(len(line))}) for line in OFFERS]
    for (line, offers), (out, heavy) in zip(OFFERS.items(), loaded(typed, tmp_path), strict=True):
        assert offers <= set(out.split()) and not heavy, line
