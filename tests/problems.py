"""Every problem that a user can choose: data=NAME, and what a setting of it that is a choice of its own makes of it."""

from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dlthink.config.paths import conf_folder, options


def nested(file: Path) -> list[str]:
    """The settings of a data file that are choices: data/kind."""
    defaults = OmegaConf.load(file).get("defaults", [])
    return [key.lstrip("/") for one in defaults if not isinstance(one, str) for key in one if key.startswith("/data/")]


def problems() -> dict[str, tuple[list[str], list[Path]]]:
    """{name: (words that choose it, the files that say so)}; a data file without such settings by its name alone."""
    found = {}
    for name, file in options("data", conf_folder()).items():
        choices = [(key, word, inner) for key in nested(file) for word, inner in options(key, conf_folder()).items()]
        for key, word, inner in choices:
            found[f"{name}-{word}"] = [f"data={name}", f"{key}={word}"], [file, inner]
        if not choices:
            found[name] = [f"data={name}"], [file]
    return found


@cache
def composed(*words: str):
    """The configuration that these words choose."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return compose("train", list(words))
