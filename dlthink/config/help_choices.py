"""`dlthink train --help`: every group and choice with a line each, read from the configuration itself."""

import re
from pathlib import Path

from dlthink.config.paths import GROUPS, conf_folder, first_comment, options

KIND_OF_LOSS = re.compile(r"dlthink\.losses\.(\w+)\.")
TARGETS = {"embeddings": "identities", "translations": "domains"}  # what a room is about, as data call their targets
KIND_OF_METRICS = re.compile(r"dlthink\.metrics\.(\w+)\.")
EXAMPLES = """\
Examples:
  dlthink train                                          poisson on the embedded motorcycle ride
  dlthink train loss=mse model=gru trainer.epochs=10     another cost, another network, another length
  dlthink train -m loss=poisson,mse seed=0,1,2           a sweep: six runs, compared in TensorBoard
  dlthink train model=glm trainer=lbfgs                  the exact fit of a GLM
  dlthink train data=recording data.path=mine.npz        your own recording
  dlthink train data=molecules loss=laplace_nll          an uncertainty for every estimate
  dlthink train loss=my_cost                             your own cost, in my_cost.py in this folder
  dlthink train resume=outputs/DATE/TIME                 go on where a run stopped; resume=latest: the newest
  dlthink train data=linear_track --cfg job              show the whole configuration, run nothing
  eval "$(dlthink train -sc install=bash)"               completion by tab; zsh and fish too
"""


def overview(extra: Path | None = None) -> str:
    """The help text. `extra`: the user's own --config-dir."""
    folders = [conf_folder(), *([extra] if extra else [])]
    lines = ["dlthink train [GROUP=CHOICE ...] [KEY=VALUE ...]   compose an experiment, train it, examine it", ""]
    for group, meaning in GROUPS.items():
        lines.append(f"{group}=  {meaning}")
        found = options(group, *folders)
        wide = max(14, *map(len, found))
        for heading, names in _by_kind(found) if group == "loss" else [("", [*found])]:
            lines += [heading] if heading else []
            lines += [f"  {name:<{wide}}  {first_comment(found[name])}" for name in names]
        lines.append("")
    lines += [
        "More of a choice, its settings and what fits it: dlthink train data=table --help, loss=triplet --help, ...",
        "Any value of the composed configuration can be set: data.bin=0.1 optim.lr=3e-4 trainer.minutes=10 seed=1",
        "into=FOLDER: of the run or the sweep; without, outputs/DATE/TIME or outputs/multirun/DATE/TIME",
        "Flags: -m (sweep over comma lists)  --cfg job  --config-dir DIR (your own choices)",
        "",
        EXAMPLES,
    ]
    return "\n".join(lines)


def data_by_kind() -> dict[str, list[str]]:
    """{kind of target: the data that have it}, with the word that makes them so; from the files of choices alone."""
    folder, found = conf_folder(), {}
    for name, file in options("data", folder).items():
        begun = re.findall(r"^  - /data/(\w+): (\w+)$", file.read_text(), re.MULTILINE)
        nested = {f"data.{group}={key}": path for group, _ in begun for key, path in _within(group).items()}
        plain = {f"data.{group}={key}" for group, key in begun}
        for word, path in {"": file, **nested}.items():
            for kind in KIND_OF_METRICS.findall(path.read_text()):
                found.setdefault(TARGETS.get(kind, kind), []).append(
                    f"{name} ({word})" if word and word not in plain else name
                )
    return found


def _within(group: str) -> dict[str, Path]:
    return options(f"data/{group}", conf_folder())


def _by_kind(costs: dict[str, Path]) -> list[tuple[str, list[str]]]:
    """Costs below the kind of target that they are for, and the data that have it; a user's own last."""
    names: dict[str, list[str]] = {}
    for name, file in costs.items():
        names.setdefault(_kind(file, costs), []).append(name)
    data = data_by_kind()
    headings = {kind: f" {kind}: data={', '.join(data[kind])}" for kind in names.keys() & data.keys()}
    return [
        (headings.get(kind, " of your own"), names[kind]) for kind in sorted(names, key=lambda kind: (not kind, kind))
    ]


def _kind(file: Path, costs: dict[str, Path]) -> str:
    """The kind of target of a cost, by where its class lies; of one that builds upon another, that one's."""
    text = file.read_text()
    if match := KIND_OF_LOSS.search(text):
        return TARGETS.get(match[1], match[1])
    below = re.findall(r"^  - (\w+)$", text, re.MULTILINE)
    return next((_kind(costs[name], costs) for name in below if name in costs), "")
