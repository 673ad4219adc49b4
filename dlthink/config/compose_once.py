"""Compose once: the runs of a sweep with the same choices differ by values, which are laid over one composition."""

import copy

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from dlthink.config.override import parsed

MOST = 100  # compositions that are kept at a time


class ComposeOnce(Callback):
    """What train.yaml names among Hydra's callbacks: sweeps are composed by `SweepLoader`."""

    def on_multirun_start(self, config: DictConfig, **_) -> None:
        hydra = GlobalHydra.instance().hydra
        hydra.config_loader = SweepLoader(hydra.config_loader.get_search_path())


class SweepLoader(ConfigLoaderImpl):
    """Hydra's loader of configurations. It composes every run twice, to see whether it can and to start it, from the
    first file on; here what runs have in common is composed once. The configurations are the same."""

    def __init__(self, search_path):
        super().__init__(search_path)
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        overrides = [parsed(word) for word in sweep_overrides]
        values = [override for override in overrides if self._is_value(override)]
        common = tuple(override.input_line for override in overrides if override not in values)
        if common not in self._composed:
            if len(self._composed) == MOST:
                self._composed.clear()
            self._composed[common] = super().load_sweep_config(master_config, list(common))
        config = copy.deepcopy(self._composed[common])
        self._apply_overrides_to_config(values, config)
        tasks = [override for override in overrides if not override.is_hydra_override()]
        config.hydra.overrides.task = [override.input_line for override in tasks]
        ways = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = get_overrides_dirname(
            tasks, kv_sep=ways.kv_sep, item_sep=ways.item_sep, exclude_keys=ways.exclude_keys
        )
        return config

    def _is_value(self, override: Override) -> bool:
        """Does the word set one value of the experiment (`seed=1`), rather than choose or tell Hydra something?"""
        key = override.key_or_group
        chooses = override.package is not None or self.repository.group_exists(key)
        return not (chooses or override.is_hydra_override())
