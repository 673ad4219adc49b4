"""The line after `dlthink evaluate`, `predict`, ... : `name=value`, plus settings of the run like `data.path=FILE`."""

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlthink.config.closest import hint
from dlthink.errors import BadInput


def parse(
    words: list[str], names: dict[str, str | None], others: dict[str, str] | None = None
) -> tuple[dict[str, str | None], list[str]]:
    """The named words (`names`: their defaults) and the rest, which are settings of a run (`group.key=value`).

    Words of another name are put into `others`, to be judged once the run is known. Raises BadInput for a word without
    `=`, and without `others` for a name that is neither.
    """
    given, settings = dict(names), []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadInput(f"{word}: write name=value; names here are {', '.join(names)}")
        if key in names:
            given[key] = value
        elif "." in key:
            settings.append(word)
        elif others is not None:
            others[key] = value
        else:
            raise BadInput(f"{key}: there is no such word here{hint(key, names)}")
    return given, settings


def change(config: DictConfig, settings: list[str]) -> None:
    """Put `group.key=value` settings into a run's configuration; only keys that are there."""
    for setting in settings:
        key, _, value = setting.partition("=")
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent)
        if not isinstance(node, DictConfig) or name not in node:
            known = list(node) if isinstance(node, DictConfig) else list(config)
            where = f"{parent}." if isinstance(node, DictConfig) else ""
            raise BadInput(f"{key}: there is no such key{hint(name, known, where)}")
        try:
            node[name] = OmegaConf.from_dotlist([f"x={value}"])["x"]
        except OmegaConfBaseException as error:
            raise BadInput(f"{key}={value}: {str(error).splitlines()[0]}") from error


def described(config: DictConfig, choices: dict[str, str], words: list[str]) -> dict[str, str | int | float | bool]:
    """A run in a few words, for TensorBoard's HPARAMS tab: its choices, its seed, and every setting typed for it."""
    few: dict = choices | {"seed": config.seed}
    for word in words:
        key, equals, _ = word.lstrip("+").partition("=")
        value = OmegaConf.select(config, key) if equals else None
        if isinstance(value, str | int | float | bool):
            few[key] = value
    return few
