"""The metrics of a run again, from its best checkpoint; on other data too.

dlthink evaluate run=FOLDER [split=test] [audit=true] [output=FILE.json] [data.path=FILE] [allow=NAME]

  run     the folder of a run, or latest: the newest in outputs
  split   train, val or test
  audit   ask more, where the data's metrics know what: groups, disguise, attacks; figures in RUN/audit
  output  write the figures as JSON, too
  allow   module of your own that the run's configuration uses, or file that it reads, where it was not made here
"""


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config.words import file_to_write, parse
    from dlthink.errors import BadInput, plain

    given, settings = parse(words, {"run": None, "split": "test", "audit": "false", "output": None, "allow": None})
    if given["split"] not in ("train", "val", "test"):
        raise BadInput(f"split={given['split']}: must be train, val or test")
    if given["audit"] not in ("true", "false"):
        raise BadInput(f"audit={given['audit']}: must be true or false")
    output = None if given["output"] is None else file_to_write("output", given["output"], ".json")
    import torch

    from dlthink.config import build
    from dlthink.files.atomic import write_json
    from dlthink.protocols import Metrics
    from dlthink.runs.figures import save_figures
    from dlthink.runs.folder import fitting, open_run
    from dlthink.runs.summary import table
    from dlthink.training import evaluation

    run = open_run(given["run"], settings, given["allow"])
    saved, path = run.best()
    with fitting(saved, path):
        parts = build.assemble(run.config, state=saved["data"])
    for note in parts.data.notes:
        print(plain(f"note: {note}"))
    audit = given["audit"] == "true"
    if audit and not Metrics.audit.given(parts.metrics):
        raise BadInput(f"audit=true: there is no audit of {type(parts.data).__name__}; leave the word out")
    run.install(saved, path, parts.loss, parts.model, parts.trainer.precision)
    device = parts.trainer.precision.device
    split = getattr(parts.data, given["split"]).to(device)
    batches = evaluation.batches_of(split, parts.trainer.examine_batch, device)
    fitted = evaluation.fitted_before(saved)
    answers = evaluation.examine(parts.model, parts.loss, parts.metrics, split, batches, fitted).answers
    with torch.no_grad():
        numbers = parts.metrics.numbers(*answers)
        remarks = evaluation.remarks(parts.metrics, *answers)
    if audit:
        with evaluation.evaluating(parts.model, parts.loss):
            answer = evaluation.answer_of(parts.model, parts.loss)
            more, figures = parts.metrics.audit(answer, split, batches)
        numbers |= more
        folder = run.folder / "audit"
        print(f"{save_figures(figures.items(), folder)} pictures: {folder}")
    for remark in remarks:
        print(plain(f"note: {given['split']}: {remark}"))
    print(plain(table(given["split"], numbers)))
    if output:
        write_json(output, numbers)
    return 0
