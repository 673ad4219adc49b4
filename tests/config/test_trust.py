"""What a foreign configuration may name: one list of classes a part, and no files unasked."""

import os
import sys

import pytest
import yaml
from omegaconf import OmegaConf

from dlthink.config import build, trust
from dlthink.config.paths import conf_folder, options
from dlthink.errors import BadInput


@pytest.fixture
def config(finished):
    """The configuration of a run on the ride, to be spoilt."""
    return OmegaConf.load(finished / "config.yaml")


POISSON = "dlthink.losses.counts.poisson.Poisson"
EVIL = {
    # dlthink's own classes, where they do not belong
    "optim": [
        "dlthink.training.logger.Logger",
        "dlthink.data.photos.photo_files.Album",
        "dlthink.runs.folder.Run",
        "dlthink.config.build.Experiment",
        "dlthink.commands.fetch.Resuming",
        "dlthink.training.trainer.Trainer",
        "torch.optim.Optimizer",
        "torch.optim.lr_scheduler.StepLR",
        "torch.optim.adam.Adam",
        "torch.optim.os.system",
        "torch.optim.Adam.__init__",
        "torch.optim",
        "torch.optim.",
        "torch.nn.Linear",
    ],
    "model": [
        POISSON,
        "torch.jit.ScriptModule",
        "torch.nn.Module",
        "torch.nn.parallel.DistributedDataParallel",
        "torch.utils.tensorboard.SummaryWriter",
        "torch.hub.load",
        "dlthink.models.ensemble.nn.Linear",
        "dlthink.metrics.translations.features.Features",
    ],
    "loss": [
        "dlthink.models.mlp.MLP",
        "dlthink.losses.reals._reals.Reals",
        "dlthink.losses.counts.poisson.nn.Module",
        "dlthink.losses.counts.poisson.torch.load",
        "builtins.open",
        "builtins.eval",
        "os.system",
        "subprocess.Popen",
        "pathlib.Path.write_text",
        "evil.Cost",
        "__main__.Cost",
        "..Cost",
        "Cost",
        "",
    ],
    "data": [
        "dlthink.files.cache.os.system",
        "dlthink.files.cache.Path",
        "dlthink.data.recordings.session.Session",
        "numpy.load",
        "pickle.loads",
        "hydra._internal.instantiate._instantiate2.instantiate",
        "hydra.utils.get_object",
        "omegaconf.OmegaConf.load",
    ],
    "metrics": [
        "dlthink.training.checkpoint.save",
        "dlthink.commands.train.main",
        "dlthink.data.recordings.spikes.Spikes",
    ],
    "trainer": [
        "dlthink.training.interrupt.Interrupt",
        "dlthink.training.precision.Precision",
        "torch.utils.data.DataLoader",
        "multiprocessing.Process",
        "torch.optim.SGD",
    ],
}


@pytest.mark.parametrize("part, target", [(part, target) for part, targets in EVIL.items() for target in targets])
def test_a_class_that_is_not_on_the_list_of_its_part(config, part, target):
    config[part] = {"_target_": target}
    loaded = set(sys.modules)
    with pytest.raises(BadInput, match=rf"^{part}\._target_="):
        trust.check_classes(config)
    assert set(sys.modules) == loaded


@pytest.mark.parametrize("target", [None, 3, ["os.system"], {"_target_": "os.system"}])
def test_a_target_that_is_no_name(config, target):
    config.loss._target_ = target
    with pytest.raises(BadInput, match=r"^loss\._target_"):
        trust.check_classes(config)


DEEPER = {
    "in a list": ("optim.betas", [{"_target_": "builtins.open", "file": "owned", "mode": "w"}, 0.9]),
    "in a list of lists": ("loss.levels", [[[{"_target_": "os.system"}]]]),
    "in a setting": ("trainer.device", {"_target_": "os.getcwd"}),
    "in a dictionary": ("data.state", {"a": {"b": {"_target_": "os.system"}}}),
    "where another network stands": ("model.of", {"_target_": POISSON}),
    "in a part of its own": ("more", {"_target_": "os.system"}),
    "a data set in a cost": ("loss.of", {"_target_": "dlthink.data.recordings.spikes.Spikes"}),
    "at the top": ("_target_", "os.system"),
}


@pytest.mark.parametrize("key, value", DEEPER.values(), ids=DEEPER)
def test_a_class_hidden_deeper(config, key, value):
    OmegaConf.update(config, key, value, force_add=True)
    with pytest.raises(BadInput, match=r"_target_"):
        trust.check_classes(config)


@pytest.mark.parametrize(
    "key, value",
    {
        "loss._args_": [1],
        "model._args_": ["x"],
        "model._recursive_": True,
        "model._convert_": "none",
        "model._partial_": True,
        "data._partial_": True,
        "optim._partial_": False,
        "optim._args_": [[]],
        "data.state": {"units": []},
        "model.n_out": 3,
        "seed": "0",
        "allow": "evil",
        "data.allow": "evil",
        "model.width": 1e30,
        "model.depth": 10**30,
        "data.minutes": float("inf"),
        "data.rate": float("nan"),
    }.items(),
)
def test_a_setting_that_is_none(config, key, value):
    """hydra's own keys, what a constructor gets from elsewhere, trust itself, numbers that are none."""
    OmegaConf.update(config, key, value, force_add=True)
    trust.check_classes(config)
    with pytest.raises(BadInput, match=key.replace(".", r"\.").removesuffix("evil")):
        build.check(config)


def test_a_network_that_is_no_node(config):
    config.model = {"_target_": "dlthink.models.ensemble.Ensemble", "of": "os.system"}
    with pytest.raises(BadInput, match=r"model\.of=os\.system: must be a choice of its own"):
        build.check(config)


@pytest.mark.parametrize("group", ["data", "loss", "model", "optim", "trainer"])
def test_all_that_is_shipped_may_be_named(config, group):
    for file in options(group, conf_folder()).values():
        shipped = yaml.safe_load(file.read_text())
        node = shipped.get("data") if group == "data" else shipped
        if "_target_" in node:
            config[group] = {"_target_": node["_target_"]}
            trust.check_classes(config)
    config.optim = {"_target_": "torch.optim.RMSprop"}
    trust.check_classes(config)


def test_what_the_user_allows(config):
    config.loss = {"_target_": "my.cost.Cost"}
    for allow in ([], ["m"], ["mycost"], ["cost"]):
        with pytest.raises(BadInput, match="add allow=my"):
            trust.check_classes(config, allow)
    trust.check_classes(config, ["my"])
    config.loss = {"_target_": "dlthink.runs.folder.Run"}  # a name that is ours already is no module of the user's
    with pytest.raises(BadInput, match="nothing else of dlthink"):
        trust.check_classes(config, ["dlthink"])


# ----------------------------------------------------------------------------------------------------------- files

RECORDING = "dlthink.data.recordings.recording.Recording"
LFW = "dlthink.data.faces.lfw.Lfw"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "~",
        "~root/x",
        "../x",
        "a/b.npz",
        "here.npz",
        "here",
        ".",
        "..",
        "/dev/zero",
        "C:\\x",
        "\\\\server\\share",
        "\x00",
        "broken",
    ],
)
def test_a_path_is_what_looks_like_one_or_is_there(config, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.npz").touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "broken").symlink_to("nowhere")
    config.data = {"_target_": RECORDING, "path": path}
    with pytest.raises(BadInput, match=r"^data\.path="):
        trust.check_files(config, build.PARTS, typed=())
    trust.check_files(config, ("loss", "model", "metrics", "trainer"), typed=())  # nobody will read it
    trust.check_files(config, build.PARTS, typed=("data.path",))
    trust.check_files(config, build.PARTS, typed=(), allow=(path,))


def test_every_setting_may_hide_a_path(config):
    for node in (
        {"data": {"_target_": LFW, "lists": "/etc"}},
        {"data": {"_target_": "dlthink.data.seasons.two_folders.TwoFolders", "a": "/etc"}},
        {"data": {"_target_": "dlthink.data.molecules.nmrshiftdb2.Nmrshiftdb2", "elements": ["C", "/etc/passwd"]}},
        {"metrics": {"_target_": "dlthink.metrics.translations.metrics.Translations", "inception": "/x.pt"}},
        {"trainer": {"_target_": "dlthink.training.trainer.Trainer", "device": "/dev/null"}},
    ):
        with pytest.raises(BadInput, match="names a file"):
            trust.check_files(OmegaConf.merge(config, node), build.PARTS, typed=("data.path", "loss.x"))


def test_a_word_of_a_list_is_no_file(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / config.trainer.schedule).touch()
    (tmp_path / config.loss._target_).touch()  # nor is a class
    os.mkfifo(tmp_path / config.trainer.precision)
    trust.check_files(config, build.PARTS, typed=())
