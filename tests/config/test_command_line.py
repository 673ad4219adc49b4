"""What is typed after `dlthink train` is judged before Hydra reads it: one line in our words."""

import pytest
from omegaconf import OmegaConf

from dlthink.config import command_line
from dlthink.config.compose import composed
from dlthink.config.override import as_typed, chosen
from dlthink.errors import BadInput
from tests.conftest import refused

REFUSED = {
    "several seeds": ("seed=0,1", "several values", "add -m"),
    "several costs": ("loss=mse,poisson", "several values", "dlthink train -m loss=mse,poisson"),
    "a range": ("seed=range(0,3)", "several values", "train -m 'seed=range(0,3)'"),
    "a choice of values": ("seed=choice(0,1)", "several values", "-m"),
    "a list of costs": ("loss=[mse,poisson]", "one choice", "-m loss=mse,poisson"),
    "a sweep that is shown": ("-m --cfg job", "--cfg", "-m"),
    "a sweep that is shown, spelled out": ("--multirun --cfg=job seed=0,1", "--cfg", "-m"),
    "nothing to show": ("--cfg", "--cfg job"),
    "what cannot be shown": ("--cfg run", "--cfg job"),
    "resolved, but not shown": ("--resolve", "--cfg job --resolve"),
    "no such flag": ("--multi seed=0,1", "--multi", "did you mean --multirun"),
    "a flag of Hydra's that runs a pickle": ("--experimental-rerun x.pickle", "no such flag"),
    "a value for a flag": ("-m=2 seed=0,1", "-m=2", "no value"),
    "a lone hyphen": ("-", "-: there is no such flag"),
    "two hyphens": ("--", "--: there is no such flag"),
    "a dash": ("–m seed=0,1", "–m", "dash"),
    "a minus sign": ("−−help", "−−help", "dash"),
    "no folder of choices": ("--config-dir nowhere", "nowhere", "no such folder"),
    "no value for the folder of choices": ("--config-dir", "--config-dir DIR"),
    "left out": ("~data", "~data", "data=..."),
    "left out, a value": ("~trainer.epochs", "~trainer.epochs", "another value"),
    "left out, a choice": ("~loss=mse", "~loss=mse", "loss=..."),
    "added": ("+data=spikes", "write data=spikes"),
    "forced": ("++data=spikes", "write data=spikes"),
    "another package": ("loss@model=mse", "write loss=mse"),
    "a number for a choice": ("data=5", "data=5", "no such data", "spikes"),
    "null for a choice": ("loss=null", "every run needs one"),
    "null among choices": ("-m experiment=null,exact_glm", "experiment=null", "leave the word out"),
    "nothing for a choice": ("loss=", "loss=: there is no such loss"),
    "a folder for a choice": ("loss=.", "loss=.: there is no such loss"),
    "a value twice": ("seed=0,1,0 -m", "seed=0,1,0: 0 is there twice"),
    "a choice twice": ("-m loss=mse,poisson,mse", "mse is there twice"),
    "a path for a choice": ("loss=../loss/mse", "no such loss"),
    "a node for a choice": ("loss={_target_:os.system}", "choose by a name, loss=NAME"),
    "only a name": ("seed", "seed", "name=value"),
    "only a value": ("=5", "=5", "no name"),
    "a choice without its group": ("spikes", "spikes", "data=spikes"),
    "a file of words": ("@words.txt", "@words.txt", "name=value"),
    "a comma too many": ("loss=mse,", "loss=mse,", "beside a comma"),
    "a comma too soon": ("-m seed=,1", "seed=,1", "beside a comma"),
    "an open quote": ("loss='mse", "loss='mse", "quotes"),
    "an open brace": ("seed=${", "seed=${", "quotes"),
    "no folder for a run": ("hydra.run.dir=", "hydra.run.dir=", "folder"),
    "null for a run's folder": ("hydra.run.dir=null", "hydra.run.dir=null", "folder"),
    "no folder for a sweep": ("-m hydra.sweep.dir= seed=0,1", "hydra.sweep.dir=", "folder"),
    "no folder for runs in a sweep": ("-m hydra.sweep.subdir= seed=0,1", "hydra.sweep.subdir=", "folder"),
    "a sweep's folder for a run": ("hydra.sweep.dir=x", "hydra.sweep.dir=x", "-m", "into=FOLDER"),
    "a run's folder for a sweep": ("-m hydra.run.dir=x seed=0,1", "hydra.run.dir=x", "into=FOLDER"),
    "into no folder": ("into=", "into=", "folder"),
    "into null": ("-m into=null seed=0,1", "into=null", "folder"),
    "into two folders": ("into=x,y", "into=x,y", "several values"),
    "a folder said twice": ("into=x hydra.run.dir=y", "hydra.run.dir=y: hydra.run.dir= is there already"),
    "a word twice": ("loss=mse loss=poisson", "loss=poisson: loss= is there already, loss=mse", "-m loss=mse,poisson"),
    "a word twice, once added": ("+data.x=1 data.x=2", "data.x= is there already"),
    "a sweep by its mode": ("hydra.mode=MULTIRUN", "hydra.mode=MULTIRUN", "-m"),
}


@pytest.mark.parametrize("line, says", [(line, says) for line, *says in REFUSED.values()], ids=REFUSED)
def test_refused_in_one_line(line, says):
    with pytest.raises(BadInput) as error:
        command_line.read(line.split(" "))
    assert "\n" not in str(error.value) and all(words in str(error.value) for words in says), error.value


def test_a_place_within_a_choice_may_be_chosen_for():
    assert command_line.read(["model=ensemble", "model@model.of=mlp"])[1] == ["model=ensemble", "model@model.of=mlp"]


@pytest.mark.parametrize("word", ["", " ", "\t"])
def test_an_empty_word(word):
    with pytest.raises(BadInput, match="an empty word"):
        command_line.read(["seed=0", word])


def test_flags_go_on_by_their_long_names_and_values_in_quotes(tmp_path):
    read = command_line.read(["-m", "-cd", str(tmp_path), "seed=0,1", "data.path=my file.npz", "+model.width=3"])
    assert read == (
        {"--multirun": "", "--config-dir": str(tmp_path)},
        ["seed=0,1", "data.path='my file.npz'", "+model.width=3"],
    )
    assert command_line.read(["-c", "job", "--resolve"])[0] == {"--cfg": "job", "--resolve": ""}
    words = ["-m", "loss=mse", "hydra.sweep.dir=x", "seed=range(3)", "trainer.minutes=null", "optim.betas=[0.8,0.9]"]
    assert command_line.read(words)[1] == words[1:]


def test_into_is_the_folder_of_a_run_or_of_a_sweep():
    assert command_line.read(["into=my runs", "seed=1"])[1] == ["hydra.run.dir='my runs'", "seed=1"]
    assert command_line.read(["-m", "into=x", "seed=1,2"])[1] == ["hydra.sweep.dir=x", "seed=1,2"]


# ------------------------------------------------------------------------------------- a setting that brings others

WAYS = {  # what is measured decides about the cost, the network and the examination
    "there": ("poisson", "mlp", "dlthink.metrics.counts.metrics.Counts"),
    "back": ("gaussian_nll", "glm", "dlthink.metrics.reals.metrics.Reals"),
}


@pytest.fixture
def own(tmp_path):
    """A folder of choices: data=mine, whose data.way is a choice of its own."""
    (tmp_path / "own" / "data" / "way").mkdir(parents=True)
    mine = "# @package _global_\n# mine\ndefaults: [/data/way: there, override /trainer: smoke, _self_]\ndata: {}\n"
    (tmp_path / "own" / "data" / "mine.yaml").write_text(mine)
    for way, (loss, model, metrics) in WAYS.items():
        (tmp_path / "own" / "data" / "way" / f"{way}.yaml").write_text(
            f"# @package _global_\n# {way}\ndefaults: [override /loss: {loss}, override /model: {model}, _self_]\n"
            f"data: {{way: {way}}}\nmetrics: {{_target_: {metrics}}}\n"
        )
    return str(tmp_path / "own")


def test_a_setting_can_be_a_choice_that_brings_others_along(cli, own):
    def composed(*words):
        code, out, err = cli("train", "--config-dir", own, "data=mine", *words, "--cfg", "job")
        assert code == 0, err
        return OmegaConf.create(out)

    costs = {"poisson": "poisson.Poisson", "gaussian_nll": "gaussian_nll.GaussianNLL"}
    for way, (loss, model, metrics) in WAYS.items():
        config = composed(f"data.way={way}")
        assert config.data.way == way and config.metrics._target_ == metrics
        assert config.loss._target_.endswith(costs[loss]) and f".{model}." in config.model._target_
    assert composed().data.way == "there"
    assert composed("data.way=back", "loss=mse").loss._target_.endswith("MSE")  # the command line has the last word
    refused(cli("train", "--config-dir", own, "data=mine", "data.way=bakc"), "data.way=bakc", "did you mean", "back")
    refused(cli("train", "--config-dir", own, "data=mine", "data.way=null"), "data.way=null")


def test_such_a_setting_is_told_as_it_is_typed():
    assert as_typed("data/way=back") == "data.way=back"
    for word in ("data.path=a/b", "hydra/launcher=joblib", "loss=mse", "data=spikes"):
        assert as_typed(word) == word and chosen(word) == word


@pytest.mark.parametrize(
    "typed, wanted",
    [
        ("[Preis (CHF),b]", ["Preis (CHF)", "b"]),
        ("[Temp (°C)]", ["Temp (°C)"]),
        ("[größe,b c,2]", ["größe", "b c", 2]),
        ("'Preis, netto'", "Preis, netto"),
        ("[a,b]", ["a", "b"]),
    ],
)
def test_names_of_columns_as_they_are_typed(typed, wanted):
    config, _, _ = composed(["data=table", "data.path=t.csv", f"data.target={typed}"], {})
    assert config.data.target == wanted
