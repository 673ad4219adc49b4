"""The folder of a run that a stranger made: it executes nothing, reads and writes nothing outside, and comes to an end.

What its configuration may name is in tests/config/test_trust.py, what its files may hold in tests/runs/test_stored.py.
"""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from tests.conftest import REPOSITORY, SMALL, refused


@pytest.fixture
def gift(finished, tmp_path):
    """A copy of a finished run that may be spoilt."""
    return shutil.copytree(finished, tmp_path / "gift")


@pytest.fixture
def verbs(cli, gift):
    """All the ways to open it: calls of `cli`, each ended in one line with these words in it."""

    def ask(*words, setting=()):
        refused(cli("evaluate", f"run={gift}", *setting), *words)
        refused(cli("predict", f"run={gift}", "input=a", "output=b", *setting), *words)
        refused(cli("train", f"resume={gift}", *setting), *words)

    return ask


def edit(folder, **parts):
    """Other settings in some parts of its configuration; None takes one out."""
    file = folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    for part, settings in parts.items():
        config[part] = {k: v for k, v in (config[part] | settings).items() if v is not None}
    file.write_text(yaml.safe_dump(config))


def test_a_class_of_dlthink_in_the_wrong_place(verbs, gift, tmp_path):
    inner = shutil.copytree(gift, gift / "inner")
    edit(inner, loss={"_target_": "gift.evil.Cost"})
    (gift / "evil.py").write_text("open('owned', 'w')\nclass Cost: pass\n")
    edit(gift, optim={"_target_": "dlthink.runs.folder.open_run", "folder": str(inner), "allow": "gift"})
    verbs("optim", "dlthink.runs.folder.open_run", "nothing else of dlthink")
    assert not (tmp_path / "owned").exists()


def test_a_run_from_before_the_tree_moved_says_so(verbs, gift):
    edit(gift, loss={"_target_": "dlthink.losses.poisson.Poisson"})
    verbs("dlthink.losses.poisson.Poisson", "dlthink 0.1", "trained again")


@pytest.mark.parametrize(
    "setting, says",
    [
        ("accumulate", "trainer.accumulate=1099511627776: an epoch has"),
        ("log_every", "trainer.log_every=1099511627776: must be 100,000 or less"),
    ],
)
def test_numbers_by_which_memory_would_grow(cli, gift, setting, says):
    edit(gift, trainer={setting: 2**40})
    refused(cli("train", f"resume={gift}", "trainer.steps=9"), says)


# ---------------------------------------------------------------------------------------------------------- files


def test_a_file_that_a_foreign_configuration_names(cli, gift, tmp_path):
    np.savez(tmp_path / "own.npz", a=1)
    edit(gift, data={"_target_": "dlthink.data.recordings.recording.Recording", "path": "own.npz"})
    drawn = ("neurons", "minutes", "rate", "dispersion", "zero_inflation", "refractory", "seed")
    edit(gift, data=dict.fromkeys(drawn))
    says = ("data.path=own.npz", "not made here", "say so")
    refused(cli("evaluate", f"run={gift}"), *says)
    refused(cli("train", f"resume={gift}"), *says)
    said = "the key spike_times is missing"  # read, then
    refused(cli("evaluate", f"run={gift}", "data.path=own.npz"), said)
    refused(cli("evaluate", f"run={gift}", "allow=own.npz"), said)
    # predicting reads another file, and no file of the training data's
    np.savez(tmp_path / "new.npz", covariates=np.zeros((9, 3)), covariate_times=np.arange(9))
    refused(cli("predict", f"run={gift}", "input=new.npz", "output=o.csv"), "new.npz", "covariate")


def test_a_run_of_ones_own_reads_its_data_again_unasked(cli, tmp_path):
    rng = np.random.default_rng(0)
    spikes = dict(spike_times=np.sort(rng.uniform(0, 60, 900)), spike_units=np.zeros(900, int))
    np.savez(tmp_path / "mine.npz", covariates=rng.normal(size=(600, 2)), covariate_times=np.arange(600) / 10, **spikes)
    small = [word for word in SMALL if not word.startswith("data.")]
    train = ["train", "data=recording", "data.path=mine.npz", "data.history=2", "hydra.run.dir=run", *small]
    assert cli(*train)[0] == 0
    assert cli("evaluate", "run=run")[0] == 0
    assert cli("train", "resume=run", "trainer.steps=8")[0] == 0
    shutil.move("run", "elsewhere")
    assert cli("evaluate", "run=elsewhere")[0] == 0
    edit(tmp_path / "elsewhere", data={"path": "./mine.npz"})  # somebody else's word now
    refused(cli("evaluate", "run=elsewhere"), "data.path=./mine.npz", "configuration was changed")
    assert cli("evaluate", "run=elsewhere", "data.path=mine.npz")[0] == 0


def test_weights_that_are_a_program(cli, gift, tmp_path):
    class Evil(torch.nn.Module):
        def forward(self, x):
            return x.flatten(1)

    torch.jit.script(Evil()).save(str(gift / "inception.pt"))
    edit(gift, metrics={"_target_": "dlthink.metrics.translations.metrics.Translations"})
    edit(gift, metrics={"inception": str(gift / "inception.pt"), "floor": None})
    refused(cli("evaluate", f"run={gift}"), "metrics.inception=", "not made here")
    refused(cli("predict", f"run={gift}", "input=a", "output=b", "figures=c"), "metrics.inception=")
    refused(cli("train", f"resume={gift}"), "metrics.inception=")


def test_a_secret_of_the_environment_stays_there(verbs, gift, monkeypatch):
    monkeypatch.setenv("SECRET", "hush")
    edit(gift, data={"seed": "${oc.env:SECRET}"})
    before = (gift / "config.yaml").read_text()
    verbs("config.yaml", "still to be looked up")
    assert (gift / "config.yaml").read_text() == before and "hush" not in before


# ----------------------------------------------------------------------------------------------------------- links


@pytest.mark.parametrize(
    "name",
    [
        "metrics.json",
        "provenance.json",
        "config.yaml",
        "metrics.csv",
        ".metrics.csv.new",
        "checkpoints/last.pt",
        "checkpoints/best.pt",
        "checkpoints/.last.pt.new",
        "figures/x.png",
        "units.csv",
    ],
)
def test_a_file_that_is_a_link(verbs, gift, tmp_path, name):
    outside = tmp_path / "outside"
    outside.write_bytes((gift / name).read_bytes() if (gift / name).exists() else b"precious")
    before = outside.read_bytes()
    (gift / name).unlink(missing_ok=True)
    (gift / name).symlink_to(outside)
    verbs(name, "is a link")
    assert outside.read_bytes() == before


@pytest.mark.parametrize("name", ["figures", "checkpoints", "audit", "00100", "a/b/c"])
def test_a_folder_that_is_a_link(verbs, gift, tmp_path, name):
    outside = tmp_path / "outside"
    if (gift / name).is_dir():
        shutil.move(gift / name, outside)
    outside.mkdir(exist_ok=True)
    before = sorted(outside.iterdir())
    (gift / name).parent.mkdir(parents=True, exist_ok=True)
    (gift / name).symlink_to(outside)
    verbs(name, "is a link")
    assert sorted(outside.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(verbs, gift, cli):
    os.mkfifo(gift / "pipe")
    verbs("pipe", "no plain file")
    (gift / "pipe").unlink()
    (gift / "metrics.json").unlink()
    os.mkfifo(gift / "metrics.json")
    refused(cli("compare", gift), "no finished run")
    (gift / "metrics.json").unlink()
    (gift / "metrics.json").symlink_to("/dev/zero")
    refused(cli("compare", gift), "no finished run")
    shutil.copy(gift / "config.yaml", gift / "real")
    (gift / "metrics.json").unlink()
    (gift / "metrics.json").symlink_to(gift / "real")
    refused(cli("compare", gift), "metrics.json", "is a link")


@pytest.mark.parametrize("name", ["config.yaml", "metrics.csv", ".metrics.csv.new", ".lock"])
def test_a_new_run_writes_through_no_link_that_lay_there(cli, tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "run" / name).symlink_to(tmp_path / "precious")
    refused(cli("train", "hydra.run.dir=run", *SMALL), f"run/{name}")
    assert (tmp_path / "precious").read_text() == "precious"


# --------------------------------------------------------------------------------------------------- modules, names

SHADOWS = [
    "yaml",
    "numpy",
    "torch",
    "json",
    "hydra",
    "tensorflow",
    "rdkit",
    "PIL",
    "notes",
    "sitecustomize",
    "hydra_plugins.evil",
]


@pytest.mark.parametrize(
    "way, words",
    [
        ("module", ["train", "--cfg", "job"]),
        pytest.param(
            "script", ["train", "--cfg", "job"], marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="-P")
        ),
        pytest.param("module", ["evaluate", "run=."], marks=pytest.mark.slow),
    ],
    ids=["module", "script", "module evaluates"],
)
def test_what_lies_in_the_working_folder_is_not_imported(gift, way, words):
    """`cd gift`, and a command: packages there are called as what dlthink imports, or looks for and does without."""
    for name in SHADOWS:
        file = gift / (name.replace(".", "/") + ".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text("open('owned', 'w')\nraise SystemExit('owned')\n")
    (gift / "start.py").write_text("import sys; from dlthink.__main__ import main; sys.exit(main())")
    start = ["-m", "dlthink"] if way == "module" else ["-P", "start.py"]  # -P: as an installed command does
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *start, *words], cwd=gift, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (gift / "owned").exists()


def test_a_name_that_would_command_the_terminal(cli, gift):
    escape = "\x1b[2J\x1b]0;owned\x07"
    edit(gift, loss={"_target_": f"evil{escape}.Cost"})
    code, out, err = cli("evaluate", f"run={gift}")
    assert code == 2 and "\\x1b[2J" in err and not {"\x1b", "\x07"} & set(out + err)
