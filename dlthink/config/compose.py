"""Compose: words -> the configuration of an experiment, as `dlthink train WORDS` would have it, from Python too."""

from collections.abc import Callable

from omegaconf import DictConfig, OmegaConf

from dlthink.config.override import chosen, quoted
from dlthink.config.paths import choices_by_group, conf_folder
from dlthink.config.refusals import REFUSED, in_one_line
from dlthink.config.user_files import node_of, register


def composed(
    words: list[str], classes: dict[str, type | None], settled: Callable[[DictConfig], None] | None = None
) -> tuple[DictConfig, list[str], dict[str, str]]:
    """(configuration, words as Hydra reads them, choices by group). classes: of the user's own, by group.

    settled: sets what is known already, before settings that follow others (`load: ${.size}`) are looked up.
    Raises BadInput, in one line, for what Hydra refuses.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra

    given = [quoted(chosen(word)) for word in words]
    for group, own in classes.items():
        if own is not None:
            ConfigStore.instance().store(group=group, name=own.__name__, node=node_of(own))
            given.append(f"{group}={own.__name__}")
    register(given)
    GlobalHydra.instance().clear()  # a notebook composes again and again
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            config = compose("train", given, return_hydra_config=True)
    except REFUSED as error:
        raise in_one_line(error) from error
    choices = choices_by_group(config.hydra.runtime.choices)
    config = OmegaConf.create({key: value for key, value in config.items() if key != "hydra"})
    if settled is not None:
        settled(config)
    OmegaConf.resolve(config)
    return config, given, choices
