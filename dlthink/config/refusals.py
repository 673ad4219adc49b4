"""What Hydra and OmegaConf refuse, said in one line that names the word and the nearest right one."""

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from dlthink.config.closest import hint
from dlthink.errors import BadInput

REFUSED = (HydraException, OmegaConfBaseException)


def in_one_line(error: Exception) -> BadInput:
    """The same refusal as BadInput."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        options = list(error.options or [])
        return BadInput(f"{group}={name}: there is no such {group or 'config'}{hint(name, options, f'{group}=')}")
    if isinstance(cause, MissingMandatoryValue):
        return BadInput(f"{cause.full_key}: needs a value; give {cause.full_key}=...")
    if isinstance(cause, OmegaConfBaseException) and isinstance(cause.parent_node, DictConfig):
        path = str(cause.full_key or cause.key)
        before = path.rpartition(".")[0]
        known = [str(key) for key in cause.parent_node]
        where = f"{before}." if before else ""
        if str(cause.key) not in known:
            return BadInput(f"{path}: there is no such key{hint(str(cause.key), known, where)}")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        lines += [line.strip() for line in str(error.__cause__).splitlines() if line.strip()]
    return BadInput(" ".join(dict.fromkeys(lines[:2])))
