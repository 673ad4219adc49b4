"""Hydra composes anew for every command of every test: in tests, what is shipped and the same is read and put together
once. Values typed are laid over it as ever; what a user's own file, folder or class brings along is never kept."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from dlthink.config.paths import conf_folder


@contextmanager
def composed_once() -> Iterator[None]:
    """For as long as the block lasts."""
    from hydra._internal import config_loader_impl
    from hydra._internal.defaults_list import DefaultsList
    from hydra.core.plugins import Plugins

    Plugins.instance()  # which imports its sources itself, and anew
    from hydra._internal.core_plugins.file_config_source import FileConfigSource
    from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource

    parsed, lists, configs = {}, {}, {}
    loader = config_loader_impl.ConfigLoaderImpl
    create, compose = config_loader_impl.create_defaults_list, loader._compose_config_from_defaults_list

    def once(load):
        def load_config(self, config_path):
            file = Path(self.path, self._normalize_file_name(config_path))
            key = (self.full_path(), config_path, file.stat().st_mtime_ns if file.exists() else None)
            if key not in parsed:
                parsed[key] = load(self, config_path)
            return copy.deepcopy(parsed[key])

        return load_config

    def create_once(repo, config_name, overrides_list, prepend_hydra, skip_missing):
        rest = dict(prepend_hydra=prepend_hydra, skip_missing=skip_missing)
        kinds = [one.is_sweep_override() or repo.group_exists(one.key_or_group) for one in overrides_list]
        values = [one for one, chooses in zip(overrides_list, kinds, strict=True) if not chooses]
        words = tuple(one.input_line for one, chooses in zip(overrides_list, kinds, strict=True) if chooses)
        key = (sources(repo), config_name, words, *rest.values())
        if key in lists and not any(isinstance(one.value(), dict) for one in overrides_list):
            kept = lists[key]
            return DefaultsList(kept.defaults, kept.defaults_tree, values, kept.overrides)
        found = create(repo, config_name, overrides_list, **rest)
        if is_shipped(repo, found.defaults):
            lists[key] = found
        return found

    def compose_once(self, defaults, repo):
        key = (sources(repo), tuple((one.config_path, one.package, one.is_self) for one in defaults))
        if not is_shipped(repo, defaults):
            return compose(self, defaults, repo)
        if key not in configs:
            configs[key] = compose(self, defaults, repo)
        return copy.deepcopy(configs[key])

    with pytest.MonkeyPatch.context() as patch:
        for source in (FileConfigSource, ImportlibResourcesConfigSource):
            patch.setattr(source, "load_config", once(source.load_config))
        patch.setattr(config_loader_impl, "create_defaults_list", create_once)
        patch.setattr(loader, "_compose_config_from_defaults_list", compose_once)
        yield


def sources(repo) -> tuple[str, ...]:
    return tuple(source.full_path() for source in repo.get_sources())


def is_shipped(repo, defaults) -> bool:
    """Are all of these files that lie in conf/, or Hydra's own?"""
    own = [source.path for source in repo.get_sources() if source.scheme() == "file"]
    if any(Path(path).resolve() != conf_folder().resolve() for path in own):
        return False
    return all(one.config_path is None or lies_there(one.config_path) for one in defaults)


@cache
def lies_there(config_path: str) -> bool:
    return (
        config_path.split("/")[0] in ("hydra", "_dummy_empty_config_")
        or Path(conf_folder(), f"{config_path}.yaml").is_file()
    )
