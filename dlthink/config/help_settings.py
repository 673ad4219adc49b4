"""`dlthink train WORDS --help`: of each choice among the words, what it is, its settings, and what goes with it."""

import re
from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from dlthink.config.compose import composed
from dlthink.config.help_choices import data_by_kind
from dlthink.config.override import as_typed, first
from dlthink.config.paths import GROUPS, conf_folder, first_comment, options
from dlthink.errors import BadInput
from dlthink.metric_direction import arrow

SETTING = re.compile(r"( *)([\w-]+):(?: ([^#]*?))?(?: *# ?(.*))?")


def explained(overrides: list[str]) -> str:
    """The help text; overrides: words as Hydra reads them. Empty where none of them is about a group of choices."""
    overrides = [first(word) for word in overrides]  # of a sweep
    config, _, choices = composed(overrides, {})
    typed = [as_typed(word).partition("=")[0] for word in overrides]
    asked = [group for group in GROUPS if any(re.split(r"[.@]", key)[0] == group for key in typed)]
    parts = [_part(group, choices[group], config, overrides) for group in asked if choices.get(group)]
    return "\n\n".join("\n".join(part) for part in parts)


def _part(group: str, choice: str, config: DictConfig, overrides: list[str]) -> Iterator[str]:
    file = options(group, conf_folder()).get(choice)
    yield f"{group}={choice}  {first_comment(file) if file else 'your own'}"
    if group == "experiment" and file:
        yield from (f"  {line}" for line in file.read_text().splitlines() if line and not line.startswith("#"))
        return
    comments = _comments(group, file)
    nested = {name: folder for name, folder in _folders(group, file) if name not in GROUPS}
    for name, folder in nested.items():
        yield f"  {group}.{name}=  one of"
        yield from _aligned([(key, first_comment(path)) for key, path in _choices(folder)], "    ")
    values = [*_settings(config[group], f"{group}.")]
    yield from _aligned([(f"{key}={value}", comments.get(key.split(".")[-1], "")) for key, value in values], "  ")
    yield from _goes_with(group, config, overrides)


def _goes_with(group: str, config: DictConfig, overrides: list[str]) -> Iterator[str]:
    """What fits to data, and which data fit to a cost."""
    from dlthink.config import build
    from dlthink.config.sweep import every_cost
    from dlthink.protocols import Metrics

    if group == "data":
        others = [word for word in overrides if not word.startswith("loss")]
        try:
            costs = every_cost([*others, "loss=all"])[-1].partition("=")[2].replace(",", " ")
        except BadInput:
            costs = "none with this network"
        yield f"  costs that fit: {costs}"
        examination = build.find(config.metrics, "metrics")
        scores = Metrics.scores.of(examination) if Metrics.scores.given(examination) else None
        if isinstance(scores, dict):  # no property, which an object alone can answer
            names = ", ".join(f"{name} {arrow(way)}" for name, way in scores.items())
            yield f"  compared by: {names}; the first says most"
    if group == "loss":
        kinds = sorted(build.kinds(build.find(config.loss, "loss")))
        known = data_by_kind()
        yield from (
            f"  fits {kind}: data={', '.join(known[kind])}" if kind in known else f"  fits {kind}" for kind in kinds
        )


def _settings(node: DictConfig, prefix: str) -> Iterator[tuple[str, str]]:
    """(key, value) of all that can be set, as they are typed; of a part within, with its own prefix."""
    for key, value in node.items():
        if isinstance(value, DictConfig):
            yield from _settings(value, f"{prefix}{key}.")
        elif key not in ("_target_", "_partial_"):
            plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
            text = "null" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)
            yield f"{prefix}{key}", text.replace("'", "").replace(", ", ",")


def _comments(group: str, file: Path | None) -> dict[str, str]:
    """What the files of the choice say of their settings: its own, those that it builds upon, those within it."""
    within = [path for _, folder in _folders(group, file) for _, path in _choices(folder)]
    chain = []
    while file is not None:
        chain.append(file)
        below = [one for one in _defaults(file) if isinstance(one, str) and one != "_self_"]
        name = below[0].partition("@")[0].rpartition("/")[2] if below else ""  # default, /trainer/default@trainer
        file = options(group, conf_folder()).get(name)
    found: dict[str, str] = {}
    for path in (*chain, *within, conf_folder() / "train.yaml"):
        for line in path.read_text().splitlines():
            match = SETTING.fullmatch(line)
            if match and match[4] and not line.startswith("#"):
                found.setdefault(match[2], match[4])
    return found


def _folders(group: str, file: Path | None) -> Iterator[tuple[str, Path]]:
    """(name, folder) of choices within a choice: direction of data=spikes, basis of model=glm."""
    for one in _defaults(file) if file else []:
        for key in [] if isinstance(one, str) else one:
            name = key.removeprefix(f"/{group}/")
            folder = conf_folder() / group / name
            if " " not in key and folder.is_dir():
                yield name, folder


def _choices(folder: Path) -> list[tuple[str, Path]]:
    return [(path.stem, path) for path in sorted(folder.glob("*.yaml"))]


def _defaults(file: Path) -> list:
    """The list of what a file builds upon."""
    return OmegaConf.to_container(OmegaConf.load(file)).get("defaults", [])


def _aligned(pairs: list[tuple[str, str]], indent: str) -> Iterator[str]:
    wide = min(36, max((len(left) for left, _ in pairs), default=0))
    return (f"{indent}{left:<{wide}}  {right}".rstrip() for left, right in pairs)
