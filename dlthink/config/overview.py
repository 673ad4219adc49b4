"""`dlthink train --help`: every group and choice with a line each, read from the configuration itself."""

from pathlib import Path

from dlthink.config.paths import GROUPS, conf_folder, first_comment, options

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
        lines += [f"  {name:<{wide}} {first_comment(file)}" for name, file in found.items()]
        lines.append("")
    lines += [
        "Any value of the composed configuration can be set: data.bin=0.1 optim.lr=3e-4 trainer.minutes=10 seed=1",
        "Flags: -m (sweep over comma lists)  --cfg job  --config-dir DIR (your own choices)  hydra.run.dir=DIR",
        "",
        EXAMPLES,
    ]
    return "\n".join(lines)
