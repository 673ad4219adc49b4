"""Predictions of a run's best checkpoint on a file of your own, by name, as CSV.

dlthink predict run=FOLDER input=FILE output=FILE.csv [trainer.device=cpu] [allow=MODULE]

  run     the folder of a run
  input   what to predict from, in the layout that the run's data reads (`docs/scenarios.md`)
  output  the table to write
  allow   module of your own that the run's configuration uses
"""

from pathlib import Path


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    import torch

    from dlthink import examine
    from dlthink.config import build
    from dlthink.config.own import register
    from dlthink.config.words import parse
    from dlthink.errors import BadInput
    from dlthink.run import Run

    given, settings = parse(words, {"run": None, "input": None, "output": None, "allow": None})
    for name in ("input", "output"):
        if not given[name]:
            raise BadInput(f"{name}=: give a file; see `dlthink predict --help`")
    if Path(given["input"]).resolve() == Path(given["output"]).resolve():
        raise BadInput(f"output={given['output']}: is the input itself; it would be lost, choose another name")
    register([])
    run = Run(given["run"], settings, given["allow"])
    saved, path = run.best()
    loss, model = build.networks(run.config, saved["facts"])
    trainer = build.build(run.config.trainer)
    run.install(saved, path, loss, model, trainer.precision)
    device = trainer.precision.device
    inputs = build.find(run.config.data, "data").inputs(given["input"], saved["data"]).to(device)
    answers = examine.ask(model, inputs, examine.batches_of(len(inputs), trainer.examine_batch, device))
    with torch.no_grad():
        inputs.write(loss.read(answers.out), given["output"])
    print(f"{len(inputs)} predictions: {given['output']}")
    return 0
