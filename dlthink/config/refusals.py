"""What Hydra and OmegaConf refuse, said in one line that names the word and the nearest right one."""

from difflib import get_close_matches

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from dlthink.config.paths import conf_folder, options
from dlthink.config.user_files import beside
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput

LAUNCHERS = {"joblib": "sweep", "submitit_slurm": "slurm", "submitit_local": "slurm"}  # and the extra of each
OWN = ("loss", "model", "data")  # of which a file of the working folder may be one
MOST = 3  # choices that are named
REFUSED = (HydraException, OmegaConfBaseException)


def no_such_choice(group: str, name: str, options: list[str]) -> BadInput:
    """The refusal of `group=name`; a cost or network may also lie in a file of the working folder."""
    if name in LAUNCHERS:
        return BadInput(f"hydra/launcher={name}: is not installed; pip install 'dlthink[{LAUNCHERS[name]}]'")
    own = beside(group)
    bare = name.removesuffix(".py")
    module, _, inside = bare.rpartition(".")
    for file, classes in own.items():
        if bare in classes or (file == module and inside in classes):
            return BadInput(f"{group}={name}: that class lies in {file}.py: write {group}={file}")
    if bare in own:
        return BadInput(f"{group}={name}: a file of your own is named without its ending, {group}={bare}")
    near = get_close_matches(bare, own, n=1, cutoff=0.6)
    shipped = get_close_matches(name.lower(), options, n=1, cutoff=0.9)
    alike = near or get_close_matches(bare.lower(), options, n=1, cutoff=0.6)
    if group in OWN and bare.isidentifier() and not alike:
        return BadInput(
            f"{group}={name}: there is no such {group}, and no {bare}.py in the folder that you work in; begin one, "
            f"dlthink new {group} {bare}, or see those that there are, dlthink train --help"
        )
    return BadInput(f"{group}={name}: there is no such {group}{hint(bare, shipped or near or options, f'{group}=')}")


def in_one_line(error: Exception) -> BadInput:
    """The same refusal as BadInput."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        known = list(error.options or [])
        return no_such_choice(group if group.startswith("hydra/") else group.replace("/", "."), name, known)
    if isinstance(cause, MissingMandatoryValue):
        return BadInput(f"{cause.full_key}: needs a value; give {cause.full_key}=...")
    if isinstance(cause, OmegaConfBaseException) and isinstance(cause.parent_node, DictConfig):
        path = str(cause.full_key or cause.key)
        before = path.rpartition(".")[0]
        known = [str(key) for key in cause.parent_node]
        where = f"{before}." if before else ""
        if str(cause.key) not in known:
            near = hint(str(cause.key), known, where)
            return BadInput(f"{path}: there is no such key{near if '?' in near else _that_have(path) or near}")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        lines += [line.strip() for line in str(error.__cause__).splitlines() if line.strip()]
    return BadInput(" ".join(dict.fromkeys(lines[:2])))


def _that_have(key: str) -> str:
    """`; data.kind=counts has it`: the choices of its group whose file has a key, data.exposure say; else nothing."""
    group, _, name = key.partition(".")
    places = [group, *(f"{group}.{place.name}" for place in (conf_folder() / group).glob("[!_]*") if place.is_dir())]
    owners = [
        f"{place}={choice}"
        for place in places
        for choice, file in options(place.replace(".", "/"), conf_folder()).items()
        if (node := OmegaConf.load(file)) and name in (node.get(group) or node)
    ]
    more = f" and {len(owners) - MOST} more" if len(owners) > MOST else ""
    return f"; {', '.join(owners[:MOST])}{more} {'has' if len(owners) == 1 else 'have'} it" if owners else ""


def of_run(words: list[str], error: Exception) -> BadInput:
    """The refusal of one run among several, named by the words that tell it apart."""
    why, name = str(in_one_line(error) if isinstance(error, REFUSED) else error), " ".join(words)
    return BadInput(f"{name}: {why}" if words and not why.startswith(name) else why)
