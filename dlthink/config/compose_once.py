"""Compose once: the runs of a sweep with the same choices differ by values, which are laid over one composition.

Each is checked before the first one begins.
"""

import copy
from collections.abc import Callable

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from dlthink.config import typed_experiment
from dlthink.config.override import parsed, swept
from dlthink.config.paths import choices_by_group
from dlthink.config.refusals import REFUSED, of_run
from dlthink.errors import BadInput

MOST = 100  # compositions that are kept at a time


class ComposeOnce(Callback):
    """What train.yaml names among Hydra's callbacks: sweeps are composed by `SweepLoader`."""

    def on_multirun_start(self, config: DictConfig, **_) -> None:
        hydra = GlobalHydra.instance().hydra
        loader = SweepLoader(hydra.config_loader.get_search_path(), typed_experiment.check)
        several = [parsed(word) for word in config.hydra.overrides.task if swept(word)]
        loader.apart = {override.get_key_element() for override in several if loader.chooses(override)}
        hydra.config_loader = loader


class SweepLoader(ConfigLoaderImpl):
    """Hydra's loader of configurations. It composes every run twice, to see whether it can and to start it, from the
    first file on; here what runs have in common is composed once. The configurations are the same.

    accept: raises BadInput for a run that cannot be trained; Hydra asks for all before it starts the first.
    apart: of the words of a run, the keys of those that name it where it is refused.
    """

    def __init__(self, search_path, accept: Callable[[DictConfig, dict[str, str]], object] = lambda *_: None):
        super().__init__(search_path)
        self.accept, self.apart = accept, set[str]()
        self._accepted: set[tuple[str, ...]] = set()
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        try:
            config = self._laid_over(master_config, sweep_overrides)
            if (run := tuple(sweep_overrides)) not in self._accepted:
                chosen = choices_by_group(config.hydra.runtime.choices)
                self.accept(OmegaConf.create({key: value for key, value in config.items() if key != "hydra"}), chosen)
                self._accepted.add(run)
        except (BadInput, *REFUSED) as error:
            apart = [word for word in sweep_overrides if parsed(word).get_key_element() in self.apart]
            raise of_run(apart, error) from error
        return config

    def _laid_over(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """A composition of the same choices, with the values of this run."""
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

    def chooses(self, override: Override) -> bool:
        """Does the word choose a file of a group, `loss=mse`?"""
        return override.package is not None or self.repository.group_exists(override.key_or_group)

    def _is_value(self, override: Override) -> bool:
        """Does the word set one value of the experiment (`seed=1`), rather than choose or tell Hydra something?"""
        return not (self.chooses(override) or override.is_hydra_override())
