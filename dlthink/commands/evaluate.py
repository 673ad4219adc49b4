"""The metrics of a run again, from its best checkpoint; on other data too.

dlthink evaluate run=FOLDER [split=test] [audit=true] [output=FILE.json] [data.path=FILE]
                 [allow=NAME]
dlthink evaluate run=FOLDER on=DATA [name=NAME] [data.path=FILE] [audit=true] [output=FILE.json]

  run     the folder of a run, or latest: the newest in outputs
  split   train, val or test
  on      another data set of the same kind, with its settings (data.path=FILE), prepared as the
          run's own was. All of it is test, but what the run has seen, which is left out and told.
          The numbers go to RUN/metrics_NAME.json and TensorBoard, the figures to RUN/figures
  name    what it is called there; the word of on= if nothing is said
  audit   ask more, where the data's metrics know what: groups, disguise, attacks; figures in
          RUN/audit
  output  write the figures as JSON, too
  allow   module of your own that the run's configuration uses, or file that it reads, where it was
          not made here
"""

import re
from pathlib import Path
from typing import Any


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    given, settings, output = _asked(words)
    on, name, title = given["on"], given["name"] or given["on"], given["name"] or given["on"] or given["split"]
    import torch

    from dlthink.advice import apt
    from dlthink.config import build
    from dlthink.errors import BadInput, plain
    from dlthink.files.atomic import write_json
    from dlthink.files.written_files import remember
    from dlthink.protocols import Metrics
    from dlthink.runs.folder import install, open_run
    from dlthink.runs.other_data import elsewhere, keep
    from dlthink.runs.summary import explained
    from dlthink.training import evaluation
    from dlthink.training.validation_fit import check_unchanged, validation_fit

    theirs = [word for word in settings if on and word.startswith(("data.", "metrics."))]
    read = ("loss", "model", "trainer") if on else build.PARTS
    run = open_run(given["run"], [word for word in settings if word not in theirs], given["allow"], read)
    saved = run.best()
    if on:
        check_unchanged(saved, build.fitted_by(run.config), "on=")
        parts = elsewhere(run, saved, on, theirs)
    else:
        with saved.fitting():
            parts = build.assemble(run.config, saved)
    for note in parts.data.notes:
        print(plain(f"note: {apt(note, parts.loss)}"))
    audit = given["audit"] == "true"
    if audit and not Metrics.audit.given(parts.metrics):
        raise BadInput(f"audit=true: there is no audit of {type(parts.data).__name__}; leave the word out")
    install(saved, parts.loss, parts.model, parts.trainer.precision)
    fitted, anew = (saved.fitted, None) if on else validation_fit(saved, parts)
    if anew:
        print(plain(f"note: {anew}"))
    device = parts.trainer.precision.device
    split = parts.split(given["split"]).to(device)
    batches = evaluation.batches_of(split, parts.trainer.examine_batch, device)
    answers = evaluation.examine(parts.model, parts.loss, parts.metrics, split, batches, fitted).answers
    with torch.no_grad():
        numbers = parts.metrics.numbers(*answers)
        other = bool(on) or any(word.startswith("data.path=") for word in settings)
        lines = evaluation.lines(parts.metrics, parts.loss, *answers, elsewhere=other)
    if audit:
        numbers |= _audited(parts, split, batches, run.folder / (f"audit_{name}" if on else "audit"))
    for line in lines:
        print(plain(f"note: {title}: {line}"))
    scores, glossary = Metrics.scores.of(parts.metrics), Metrics.glossary.of(parts.metrics)
    print(plain(explained(title, numbers, scores, glossary)))
    if on:
        figures = evaluation.all_figures(parts.metrics, *answers)
        kept = keep(run.folder, name, [f"data={on}", *theirs], numbers, figures, int(saved["step"]))
        print(plain(f"kept: {kept}"))
    if output:
        write_json(output, numbers)
        remember(output)
    return 0


def _audited(parts: Any, split: Any, batches: list, folder: Path) -> dict[str, float]:
    """Numbers of an audit; its figures go to the folder."""
    from dlthink.errors import plain
    from dlthink.runs.figure_files import save_figures
    from dlthink.training import evaluation

    with evaluation.evaluating(parts.model, parts.loss):
        answer = evaluation.answer_of(parts.model, parts.loss)
        numbers, figures = parts.metrics.audit(answer, split, batches)
    print(plain(f"{save_figures(figures.items(), folder)} pictures: {folder}"))
    return numbers


def _asked(words: list[str]) -> tuple[dict[str, str | None], list[str], Path | None]:
    """What is asked for by name, settings, and the file to write. BadInput for what cannot be meant."""
    from dlthink.config.arguments import file_to_write, one_of, parse
    from dlthink.errors import BadInput

    names = {"run": None, "split": "test", "audit": "false", "output": None, "allow": None, "on": None, "name": None}
    given, settings = parse(words, names)
    on, name = given["on"], given["name"]
    one_of("split", given["split"], "train", "val", "test")
    one_of("audit", given["audit"], "true", "false")
    if on is None and name is not None:
        raise BadInput(f"name={name}: is what another data set is called; say which, on=DATA")
    if on is not None and given["split"] != "test":
        raise BadInput(f"split={given['split']}: of another data set all is test; leave the word out")
    if name is not None and (not re.fullmatch(r"[A-Za-z0-9][\w-]{0,99}", name) or name in ("train", "val", "test")):
        raise BadInput(f"name={name}: at most 100 letters, digits, _ and -, and none of train, val and test")
    output = None if given["output"] is None else file_to_write("output", given["output"], ".json")
    return given, settings, output
