"""An experiment as its user typed it, judged before anything is loaded: its classes may lie in the working folder."""

from collections.abc import Iterator, Mapping

from omegaconf import DictConfig, OmegaConf

from dlthink.config import build
from dlthink.config.paths import conf_folder, options
from dlthink.config.trust import nodes
from dlthink.config.user_files import reach


def check(config: DictConfig, chosen: Mapping[str, str]) -> list[str]:
    """Keys, types and pairings of a configuration, which is resolved. chosen: its choices by group. Returns the names
    of its classes. Raises BadInput."""
    OmegaConf.resolve(config)
    classes = [name for _, node in nodes(config, "") if isinstance(name := node["_target_"], str)]
    reach(classes)
    build.check(config, **choices(), chosen=chosen)
    return classes


def choices() -> dict[str, Iterator]:
    """The costs and networks that come with dlthink, to name those that fit; read when a pairing is refused."""

    def shipped(group: str) -> Iterator[tuple[str, DictConfig]]:
        return ((name, OmegaConf.load(file)) for name, file in options(group, conf_folder()).items())

    return {"losses": shipped("loss"), "models": shipped("model")}
