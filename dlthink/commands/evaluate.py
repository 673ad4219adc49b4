"""The metrics of a run again, from its best checkpoint; on other data too.

dlthink evaluate run=FOLDER [split=test] [output=FILE.json] [data.path=FILE] [trainer.device=cpu] [allow=MODULE]

  run     the folder of a run
  split   train, val or test
  output  write the figures as JSON, too
  allow   module of your own that the run's configuration uses
"""

from pathlib import Path


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    import torch

    from dlthink import examine
    from dlthink.board import write_json
    from dlthink.config import build
    from dlthink.config.own import register
    from dlthink.config.words import parse
    from dlthink.errors import BadInput
    from dlthink.run import Run
    from dlthink.table import table

    given, settings = parse(words, {"run": None, "split": "test", "output": None, "allow": None})
    if given["split"] not in ("train", "val", "test"):
        raise BadInput(f"split={given['split']}: must be train, val or test")
    if given["output"] and (Path(given["output"]).is_dir() or not Path(given["output"]).parent.is_dir()):
        raise BadInput(f"output={given['output']}: must be a file in a folder that is there")
    register([])
    run = Run(given["run"], settings, given["allow"])
    saved, path = run.best()
    parts = build.assemble(run.config, state=saved["data"])
    run.install(saved, path, parts.loss, parts.model, parts.trainer.precision)
    device = parts.trainer.precision.device
    split = getattr(parts.data, given["split"]).to(device)
    batches = examine.batches_of(len(split), parts.trainer.examine_batch, device)
    answers = examine.ask(parts.model, split, batches, parts.loss)
    with torch.no_grad():
        numbers = parts.metrics.numbers(*examine.reading(answers, parts.loss))
    print(table(given["split"], numbers))
    if given["output"]:
        write_json(Path(given["output"]), numbers)
    return 0
