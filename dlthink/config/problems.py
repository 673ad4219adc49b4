"""Every problem that can be chosen, data=NAME: its samples and their examination, as its file has them at first."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from dlthink.config.paths import conf_folder, options


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
