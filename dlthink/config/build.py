"""The one place where a configuration becomes objects, and where it is checked before anything is loaded."""

import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dlthink.config.cost_contract import check_cost, check_made, kinds
from dlthink.config.paths import page
from dlthink.config.types import fits, meant, parameters, typed, words
from dlthink.cost_name import choice_name, cost_name
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput
from dlthink.nested_tensors import join
from dlthink.protocols import Data, Loss, Metrics, lacks
from dlthink.training import rng
from dlthink.training.checkpoint import Checkpoint
from dlthink.training.experiment_parts import Parts
from dlthink.user_errors import own_code, written

PARTS = ("data", "metrics", "loss", "model", "optim", "trainer")
STATED = {"fraction": 1.0}  # in train.yaml for every data set; one of the user's own may lack it while it says this
COMPUTED = {"n_out"}  # what a network gets that no data states: data's n_targets times the cost's width
GIVEN = {"data": {"state", "elsewhere"}, "model": COMPUTED}  # arguments of constructors that are no settings


def check(config: DictConfig, losses=(), models=(), chosen: Mapping[str, str] | None = None) -> None:
    """Check keys, types and pairings of the configuration. Its classes are imported; nothing is loaded. What is meant
    as a whole number is one in it from then on.

    losses, models: (name, node) of all choices, to say which would fit. chosen: the user's, by group. Raises BadInput.
    A configuration that is not the user's own is for `config/trust.py` first.
    """
    for key in config:
        if key not in (*PARTS, "seed"):
            raise BadInput(f"{key}: no such part of an experiment{hint(str(key), (*PARTS, 'seed'))}")
    config.seed = meant(config.seed, int)
    if not fits(config.seed, int) or not 0 <= config.seed < 2**63:
        raise BadInput(f"seed={typed(config.seed)}: must be a whole number from 0, below 2^63")
    targets = {part: find(config[part], part) for part in PARTS}
    for part, target in targets.items():
        _check_arguments(config[part], target, part)
    _check_pairs(config, targets, losses, models, chosen or {})


def check_loss(config: DictConfig) -> type:
    """The class of a cost whose settings and methods are as they must be, whatever data it will meet."""
    loss = find(config.loss, "loss")
    _check_arguments(config.loss, loss, "loss")
    kinds(loss)
    check_cost(loss, Metrics.needs.of(find(config.metrics, "metrics")))
    return loss


def answers(config: DictConfig) -> tuple[str, tuple[str, ...]]:
    """The kind of target, and the names of the facts, of the data with these settings."""
    return _answers(config.data, find(config.data, "data"))


def assemble(config: DictConfig, saved: Checkpoint | None = None) -> Parts:
    """The objects of a checked configuration; of a run that was saved, its data's own state is used, no new one."""
    trainer, optim = build(config.trainer), build(config.optim)
    data = build(config.data) if saved is None else build(config.data, state=saved["data"])
    loss, model = networks(config, data.facts, saved)
    check_targets(loss, data)
    return Parts(data, build(config.metrics, **data.facts), loss, model, optim, trainer, fitted_by(config))


def misfit(loss: Any, data: Any) -> str | None:
    """What a cost finds wrong with the targets of all splits; None: nothing, or it does not ask."""
    if not Loss.misfit.given(loss):
        return None
    return loss.misfit(join([split.targets() for split in (data.train, data.val, data.test)]))


def check_targets(loss: Any, data: Any) -> None:
    """BadInput where a cost finds something wrong with them."""
    if said := misfit(loss, data):
        raise BadInput(f"loss={cost_name(loss)}: {said}")


def networks(config: DictConfig, facts: dict[str, Any], saved: Checkpoint | None = None) -> tuple[Any, Any]:
    """Cost and network for data with these facts; the same first weights for every cost of the same width.

    saved: what they will hold, if it is there already; none of their tensors is much larger. Raises BadInput.
    """
    with saved.weight_limit() if saved else nullcontext():
        rng.seed(config.seed)
        loss = build(config.loss, **facts)
        check_made(loss)
        rng.seed(config.seed)
        model = build(config.model, **facts, n_out=facts["n_targets"] * loss.outputs_per_target)
    return loss, model


def build(node: DictConfig, **facts: Any) -> Any:
    """The object that `node` describes, given those of `facts` that its constructor asks for.

    A node inside it (the network that an ensemble is made `of`) is handed over as a maker, to be called without
    arguments as often as is wanted.
    """
    maker = hydra.utils.instantiate(node, _partial_=True, _convert_="all", _recursive_=False)
    if node.get("_partial_"):
        return maker
    asked = parameters(maker.func)
    maker = partial(maker.func, **{name: value for name, value in maker.keywords.items() if _heard(name, value, asked)})
    given = {name: value for name, value in facts.items() if name in asked}
    nested = {name: partial(build, inner, **facts) for name, inner in _inner(node)}
    try:
        return maker(**given, **nested)
    except TypeError as error:  # a metaclass or a decorator may take less than the class says
        if error.__traceback__.tb_next is not None:  # in the class's own code
            raise
        raise BadInput(f"{node['_target_']}: cannot be made with {', '.join(given)} by name: {error}") from error


def _heard(name: str, value: Any, asked: Iterable[str]) -> bool:
    """Not so a setting of every data set that a class of the user's does not ask for, while it changes nothing."""
    return name in asked or name not in STATED or value != STATED[name]


def _inner(node: DictConfig) -> list[tuple[str, DictConfig]]:
    """The nodes inside this one that describe an object themselves."""
    return [(str(k), v) for k, v in node.items() if isinstance(v, DictConfig) and "_target_" in v]


# --------------------------------------------------------------------------------------------------------- checks


def settings(node: DictConfig) -> dict[str, Any]:
    """The values of a node by name, as plain Python; what refers to others (`${...}`) is looked up."""
    return {str(name): value for name, value in OmegaConf.to_container(node, resolve=True).items()}


def fitted_by(config: DictConfig) -> dict[str, dict[str, Any]]:
    """The settings of cost and examination, of those that fit something on validation."""
    hooks = {"loss": Loss.fit_on_validation, "metrics": Metrics.fit_on_validation}
    return {part: settings(config[part]) for part, hook in hooks.items() if hook.given(find(config[part], part))}


def find(node: DictConfig, part: str) -> type:
    """The class named by `_target_`: exactly `module.Class`, never an attribute of an attribute."""
    if not isinstance(node, DictConfig):
        raise BadInput(f"{part}={typed(node)}: names no class and its settings; leave the word out")
    name = node.get("_target_")
    if not isinstance(name, str) or not re.fullmatch(r"\w+(\.\w+)+", name):
        raise BadInput(f"{part}: its file needs a line like `_target_: module.Class`")
    module, _, attribute = name.rpartition(".")
    try:
        with own_code():
            home = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # what that module itself imports
        raise BadInput(
            f"{part}._target_={name}: no module named {error.name}; a file of your own must lie in the working folder"
        ) from error
    target = getattr(home, attribute, None)
    if target is None:
        if module == "__main__":
            raise BadInput(
                f"{part}._target_={name}: was defined in a notebook or script; define it there again, "
                f"or save it as a file of your own and say {part}={attribute}"
            )
        known = [n for n in dir(home) if n[0].isupper()]
        raise BadInput(f"{part}._target_={name}: {module} has no {attribute}{hint(attribute, known)}")
    if not isinstance(target, type):
        raise BadInput(f"{part}._target_={name}: must be a class")
    return target


def _check_arguments(node: DictConfig, target: type, part: str) -> None:
    given = GIVEN.get(part.partition(".")[0], set())
    known = {name: p for name, p in parameters(target).items() if name not in given}
    if part == "optim" and node.get("_partial_") is not True:
        raise BadInput("optim._partial_: must be true, since an optimizer gets its weights later")
    for key, value in settings(node).items():
        if key == "_target_" or (part == "optim" and key == "_partial_") or not _heard(key, value, known):
            continue
        if key not in known:
            raise BadInput(f"{part}.{key}: {target.__name__} has no such setting{hint(str(key), known, f'{part}.')}")
        taken = meant(value, known[key].annotation)
        if not fits(taken, known[key].annotation):
            raise BadInput(f"{part}.{key}={typed(value)}: must be {words(known[key].annotation)}")
        if taken is not value:
            node[key] = taken
    for key, inner in _inner(node):
        _check_arguments(inner, find(inner, f"{part}.{key}"), f"{part}.{key}")


def _check_pairs(config: DictConfig, targets: dict[str, type], losses, models, chosen: Mapping[str, str]) -> None:
    """Does the cost fit the data's kind of targets, and can the network be built from the data's facts?"""
    data, loss, model = targets["data"], targets["loss"], targets["model"]
    kind, facts = _answers(config.data, data)
    fits_to = kinds(loss)
    if kind not in fits_to:
        fitting = [name for name, node in losses if (cost := _class(node)) and kind in kinds(cost)]
        raise BadInput(
            f"loss={chosen.get('loss') or choice_name(loss)} is for {' or '.join(sorted(fits_to)) or 'nothing'}, the "
            f"data has {kind}; costs that fit: {', '.join(fitting) or 'none yet'}"
        )
    check_cost(loss, Metrics.needs.of(targets["metrics"]))
    lacking = unstated(loss, config.loss, facts)
    if lacking:
        raise BadInput(
            f"{written(loss.__init__)} asks for {', '.join(lacking)}, which {data.__name__} does not state: "
            f"give it a default, {lacking[0]}=..."
        )
    stated = {*facts, *COMPUTED}
    lacking = _lacking(model, config.model, stated)
    if lacking:
        fitting = [name for name, node in models if _class(node) and not _lacking(_class(node), node, stated)]
        raise BadInput(
            f"model={chosen.get('model') or choice_name(model)} needs {', '.join(lacking)}, which the data does not "
            f"have; networks that fit: {', '.join(fitting) or 'none yet'}"
        )


def _answers(node: DictConfig, data: type[Data]) -> tuple[str, tuple[str, ...]]:
    """The kind of targets and the names of the facts of data with the settings of this node."""
    given = {name: p.default for name, p in parameters(data).items() if p.default is not p.empty} | settings(node)
    lacking = lacks(data, Data) & {"targets", "fact_names"}
    if not lacking:
        said = {"targets": data.targets, "fact_names": data.fact_names}
        lacking = {name for name, method in said.items() if not inspect.ismethod(method)}
    if lacking:
        where = page("architecture.md")
        raise BadInput(f"data: {data.__name__} needs a class method {max(lacking)}(settings); see {where}")
    return data.targets(given), data.fact_names(given)


def unstated(target: type, node: Any, stated: Iterable[str]) -> list[str]:
    """What its constructor asks for and nobody gives: neither the configuration, nor the data, nor a default."""
    needed = [name for name, p in parameters(target).items() if p.default is p.empty and name not in node]
    return [name for name in needed if name not in stated]


def _lacking(target: type, node: Any, stated: Iterable[str]) -> list[str]:
    """The same of a network and those that it is made of."""
    lacking = unstated(target, node, stated)
    return lacking + [name for key, inner in _inner(node) for name in _lacking(find(inner, key), inner, stated)]


def _class(node: Any) -> type | None:
    """The class of another choice, if it can be imported here."""
    try:
        return find(node, "")
    except (BadInput, ImportError):
        return None
