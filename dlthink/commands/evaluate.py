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
    from dlthink.folds import FOLD, members
    from dlthink.nested import each, join
    from dlthink.run import Run
    from dlthink.table import table

    given, settings = parse(words, {"run": None, "split": "test", "audit": "false", "output": None, "allow": None})
    if given["split"] not in ("train", "val", "test"):
        raise BadInput(f"split={given['split']}: must be train, val or test")
    if given["audit"] not in ("true", "false"):
        raise BadInput(f"audit={given['audit']}: must be true or false")
    if given["output"] and (Path(given["output"]).is_dir() or not Path(given["output"]).parent.is_dir()):
        raise BadInput(f"output={given['output']}: must be a file in a folder that is there")
    folds = members(given["run"])
    pooled, audit = len(folds) > 1, given["audit"] == "true"
    if pooled and (audit or given["split"] != "test"):
        word = "audit=true" if audit else f"split={given['split']}"
        raise BadInput(f"{word}: of several runs only the tests are examined together: run=FOLDER of one of them")
    register([])
    readings = []
    for folder in folds.values():
        run = Run(folder, settings, given["allow"])
        if pooled and not getattr(build.find(run.config.metrics, "metrics"), "pools", False):
            raise BadInput(
                f"run={given['run']}: what several networks say of these data cannot be examined together: give one "
                f"run, or see mean and error over folds: dlthink compare {given['run']}"
            )
        saved, path = run.best()
        parts = build.assemble(run.config, state=saved["data"])
        if audit and not hasattr(parts.metrics, "audit"):
            raise BadInput(f"audit=true: there is no audit of {type(parts.data).__name__}; leave the word out")
        run.install(saved, path, parts.loss, parts.model, parts.trainer.precision)
        device = parts.trainer.precision.device
        split = getattr(parts.data, given["split"]).to(device)
        batches = examine.batches_of(len(split), parts.trainer.examine_batch, device)
        answers = examine.ask(parts.model, split, batches, parts.loss)
        readings.append(examine.reading(answers, parts.loss))
        if pooled:  # five of them may be too much for a device
            readings[-1] = each(torch.Tensor.cpu, dict(enumerate(readings[-1])))
    reading = join(readings).values() if pooled else readings[0]
    with torch.no_grad():
        numbers = parts.metrics.numbers(*reading)
    if audit:
        parts.model.eval()
        parts.loss.eval()
        more, figures = parts.metrics.audit(lambda x: parts.loss.read(parts.model(x)), split, batches)
        numbers |= more
        pictures.save(figures, run.folder / "audit")
    print(table(given["split"] if "" in folds else f"test of {FOLD}={','.join(folds)}", numbers))
    if given["output"]:
        write_json(Path(given["output"]), numbers)
    return 0
