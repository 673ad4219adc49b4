"""Predictions of a run's best checkpoint on a file of your own, written as a table or as photos.

dlthink predict run=FOLDER input=FILE output=FILE.csv [figures=DIR] [trainer.device=cpu]
                [allow=NAME]
dlthink predict run=FOLDER input=PHOTOS output=FOLDER direction=to_DOMAIN [long=PIXELS]

  run      the folder of a run, or latest: the newest in outputs
  input    what to predict from, in the layout that the run's data reads; what that is, says
           dlthink train data=NAME --help
  output   the table to write; where predictions are photos, the folder for them
  figures  a folder for pictures of the predictions, where the data's metrics draw any
  allow    module of your own that the run's configuration uses

Some data ask for more: faces for gallery=FOLDER, translations for direction=to_winter or
to_summer, or what else the run's data call their two domains.
"""

import os
from pathlib import Path
from typing import Any

NAMES = ("run", "input", "output", "figures", "allow")


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    given, settings, more = _asked(words)
    import torch

    from dlthink.config import build
    from dlthink.errors import BadInput, plain
    from dlthink.protocols import Inputs, Metrics
    from dlthink.runs.figure_files import save_figures
    from dlthink.runs.folder import install, open_run
    from dlthink.training import evaluation
    from dlthink.training.validation_fit import check_unchanged

    used = ("loss", "model", "trainer", *(["metrics"] if given["figures"] else []))
    run = open_run(given["run"], settings, given["allow"], used)
    data = build.find(run.config.data, "data")
    _check_words(more, data)
    output = _output(given, data)
    _keep_training_data(output, run.config.data)
    saved = run.best()
    check_unchanged(saved, build.fitted_by(run.config), "predict")
    trainer = build.build(run.config.trainer)
    with saved.fitting():
        loss, model = build.networks(run.config, saved["facts"], saved)
        metrics = build.build(run.config.metrics, **saved["facts"]) if given["figures"] else None
    if metrics is not None and not Metrics.drawings.given(metrics):
        raise BadInput(
            f"figures={given['figures']}: {data.__name__} has no pictures of predictions; leave the word out"
        )
    install(saved, loss, model, trainer.precision)
    device = trainer.precision.device
    fitted, drawn = saved.fitted, 0
    with torch.no_grad(), saved.fitting(f"input={given['input']}"):
        inputs = data.inputs(given["input"], saved["data"], **more)
        del saved  # optimizers and averages take several times the network's memory
        for part in Inputs.parts.of(inputs)(str(output)):
            asked = part.to(device)
            outputs = evaluation.run_split(model, asked, evaluation.batches_of(asked, trainer.examine_batch, device))
            predicted = fitted | loss.predict(outputs.out)
            asked.write(predicted, str(output))
            if metrics is not None:
                drawn += save_figures(metrics.drawings(predicted, outputs.known), Path(given["figures"]))
    print(plain(f"{inputs.summary()}: {output}"))
    if metrics is not None:
        print(plain(f"{drawn} pictures: {given['figures']}"))
    return 0


def _asked(words: list[str]) -> tuple[dict[str, str | None], list[str], dict[str, str]]:
    """What is asked for by name, settings, and words that the run's own data may ask for. Raises BadInput."""
    from dlthink.config.arguments import folder_to_write, parse
    from dlthink.errors import BadInput

    more: dict[str, str] = {}
    given, settings = parse(words, dict.fromkeys(NAMES), more)
    for name in ("run", "input", "output"):
        if not (given[name] or "").strip():
            raise BadInput(f"{name}=: is missing; see `dlthink predict --help`")
    if given["figures"] is not None:
        folder_to_write("figures", given["figures"])
    return given, settings, more


def _output(given: dict[str, str | None], data: type) -> Path:
    """The file or folder to write. BadInput where it cannot be written, or something of the input would be lost."""
    from dlthink.config.arguments import file_to_write, folder_to_write
    from dlthink.errors import BadInput
    from dlthink.protocols import Data

    first, output = Path(given["input"]).expanduser().resolve(), Path(given["output"]).expanduser()
    second, folder = output.resolve(), Data.predicts.of(data) == "folder"
    if folder and (first.is_relative_to(second) or second.is_relative_to(first)):
        raise BadInput(f"output={output}: lies in the input, or the input in it: choose another folder")
    if first == second:
        raise BadInput(f"output={output}: is the input itself; it would be lost, choose another name")
    return folder_to_write("output", given["output"]) if folder else file_to_write("output", given["output"], ".csv")


def _keep_training_data(output: Path, data: Any) -> None:
    """BadInput where the output would lie among what the run was trained with."""
    from omegaconf import OmegaConf

    from dlthink.errors import BadInput

    place = output.resolve()
    for name, value in OmegaConf.to_container(data).items():
        # a path that is not there any more can lose nothing; what is no path at all is not there either
        trained = Path(value).expanduser() if isinstance(value, str) and value else None
        if trained is not None and os.path.exists(trained):
            trained = trained.resolve()
            if place.is_relative_to(trained) or (output.is_dir() and trained.is_relative_to(place)):
                raise BadInput(
                    f"output={output}: lies in data.{name}={value}, what the run was trained with, or "
                    f"that in it: choose another place"
                )


def _check_words(more: dict[str, str], data: type) -> None:
    """Only the words that this data's `inputs` asks for, and all that it cannot do without."""
    from dlthink.config.paths import page
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput
    from dlthink.runs.predict_words import asked, needed

    for name in more:
        if name not in asked(data):
            raise BadInput(f"{name}: there is no such word here{hint(name, [*NAMES, *asked(data)])}")
    for name in needed(data):
        if name not in more:
            raise BadInput(f"{name}=: predictions of {data.__name__} need this word, too; see {page('scenarios.md')}")
