"""The metrics of a run again, from its best checkpoint; on other data too.

dlthink evaluate run=FOLDER [split=test] [audit=true] [output=FILE.json] [data.path=FILE] [allow=MODULE]

  run     the folder of a run; or of a sweep over data.fold, whose tests are examined together, each sample as the
          run answers that has not seen it, where the data's metrics can
  split   train, val or test
  audit   ask more, where the data's metrics know what: groups, disguise, attacks; figures in RUN/audit
  output  write the figures as JSON, too
  allow   module of your own that the run's configuration uses
"""

from pathlib import Path


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    import torch

    from dlthink import examine, pictures
    from dlthink.board import write_json
    from dlthink.config import build
    from dlthink.config.own import register
    from dlthink.config.words import parse
    from dlthink.errors import BadInput
    from dlthink.folds import members
    from dlthink.nested import join
    from dlthink.run import Run
    from dlthink.table import table

    given, settings = parse(words, {"run": None, "split": "test", "audit": "false", "output": None, "allow": None})
    if given["split"] not in ("train", "val", "test"):
        raise BadInput(f"split={given['split']}: must be train, val or test")
    if given["audit"] not in ("true", "false"):
        raise BadInput(f"audit={given['audit']}: must be true or false")
    if given["output"] and (Path(given["output"]).is_dir() or not Path(given["output"]).parent.is_dir()):
        raise BadInput(f"output={given['output']}: must be a file in a folder that is there")
    register([])
    runs = [Run(folder, settings, given["allow"]) for folder in members(given["run"])]
    audit = given["audit"] == "true"
    if len(runs) > 1:
        _check_pooled(given["split"], audit, settings)
    readings = []
    for run in runs:
        saved, path = run.best()
        parts = build.assemble(run.config, state=saved["data"])
        if audit and not hasattr(parts.metrics, "audit"):
            raise BadInput(f"audit=true: there is no audit of {type(parts.data).__name__}; leave the word out")
        if len(runs) > 1 and not getattr(parts.metrics, "pools", False):
            raise BadInput(
                f"run={given['run']}: what different networks say of {type(parts.data).__name__} cannot be examined "
                f"together: give one run, or see mean and error over folds: dlthink compare {given['run']}"
            )
        run.install(saved, path, parts.loss, parts.model, parts.trainer.precision)
        device = parts.trainer.precision.device
        split = getattr(parts.data, given["split"]).to(device)
        batches = examine.batches_of(len(split), parts.trainer.examine_batch, device)
        answers = examine.ask(parts.model, split, batches, parts.loss)
        readings.append(examine.reading(answers, parts.loss))
    with torch.no_grad():
        numbers = parts.metrics.numbers(*map(join, zip(*readings, strict=True)))
    if audit:
        parts.model.eval()
        parts.loss.eval()
        more, figures = parts.metrics.audit(lambda x: parts.loss.read(parts.model(x)), split, batches)
        numbers |= more
        pictures.save(figures, run.folder / "audit")
    print(table(given["split"] if len(runs) == 1 else f"test, {len(runs)} folds", numbers))
    if given["output"]:
        write_json(Path(given["output"]), numbers)
    return 0


def _check_pooled(split: str, audit: bool, settings: list[str]) -> None:
    from dlthink.errors import BadInput

    if split != "test":
        raise BadInput(f"split={split}: of several runs, which share it, only the tests can be examined together")
    if audit:
        raise BadInput("audit=true: is asked of one run, not of several together")
    for setting in settings:
        if setting.startswith("data."):
            raise BadInput(f"{setting}: several runs are examined together on the data that they were trained with")
