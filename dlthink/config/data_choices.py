"""Choices of data, `data=NAME`: each problem with its samples and their examination, as its file has them at first."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dlthink.config.paths import conf_folder, options
from dlthink.errors import BadInput


def problems() -> dict[str, DictConfig]:
    """{name of a data set: what its file sets, with the choices that it begins with}."""
    return {name: begun(file) for name, file in options("data", conf_folder()).items()}


def begun(file: Path) -> DictConfig:
    """What a data file sets, laid over the files of its settings that are choices (`/data/kind: reals`)."""
    own = OmegaConf.load(file)
    nested = [one for one in own.get("defaults", []) if not isinstance(one, str)]
    chosen = [f"{group}/{word}.yaml" for one in nested for group, word in one.items() if group.startswith("/data/")]
    below = [OmegaConf.load(conf_folder() / path.lstrip("/")) for path in chosen]
    return OmegaConf.merge(*below, own)


def of_rows(kind: str) -> dict[str, Any]:
    """What suits rows of numbers with targets of this kind, as a table has them: choices, and their examination.

    Raises BadInput for a kind that tables do not have.
    """
    files = options("data/kind", conf_folder())
    if kind not in files:
        raise BadInput(f"{kind}: no kind of target that data of one's own can have; those are {', '.join(files)}")
    both = [OmegaConf.load(file) for file in (files[kind], options("data", conf_folder())["table"])]
    chosen = {}
    for one in both:
        chosen |= {k: v for choice in one.defaults if not isinstance(choice, str) for k, v in choice.items()}
    overrides = [{key: value} for key, value in chosen.items() if key.startswith("override ")]
    return {"defaults": [*overrides, "_self_"], "metrics": OmegaConf.to_container(both[0].metrics)}
