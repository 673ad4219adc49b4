"""A cost is asked everything once before anything is trained: a mistake in it is one line, and not a lost hour."""

import dis
import math
import warnings
from collections.abc import Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from functools import partial, reduce
from operator import add
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput, Diverged, out_of_memory
from dlthink.nested_tensors import each
from dlthink.protocols import Loss, Metrics, Split
from dlthink.training import rng
from dlthink.training.operation_trace import Operations, spans
from dlthink.training.sanity_sample_order import FEW, check_alone, check_sample_order
from dlthink.training.sanity_saved_state import check_saved_state
from dlthink.training.terms import described, equal, leaf_of, shapes, tensors, terms_by, terms_of, twin
from dlthink.user_errors import own_code, said, written

DRAWS = 16  # of chance, after which an adversary that never sees made photos does so by none
MOST = 500  # operations of a graph that are counted
EXAMINED = 16  # samples of validation
OF_TARGETS = "take torch.xlogy(y, y) for y log y, or torch.log1p(y), or another cost"
IN_PLACE = "write a = a + b where it says a += b, log() where it says log_()"


def sanity_check(
    model: nn.Module, loss: nn.Module, train: Any, val: Any, metrics: Any, first: Tensor, step: int = 0
) -> float:
    """Ask the cost on the batch `first` as a step does, on samples of validation as an examination does.

    Copies of the cost are asked; the network's buffers and every source of chance are as before. Raises BadInput where
    a cost does not do what every cost must, with file and line of the user's own code; Diverged where it is not finite,
    with the operation that leaves its range. step: how many were taken already. Returns the cost of that batch.
    """
    asked = questions(model, loss, train, val, metrics, first, step)
    try:
        while True:
            next(asked)
    except StopIteration as answered:
        return answered.value


def questions(
    model: nn.Module, loss: nn.Module, train: Any, val: Any, metrics: Any, first: Tensor, step: int = 0
) -> Generator[str, None, float]:
    """The questions of `sanity_check` one after the other: the name of each, before it is asked."""
    with _as_it_was(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are said where training meets them
        yield "start"
        model.train()
        x, y = Split.draw.of(train)(first)
        out = _answer(model, loss, x, y)
        cost, slopes = _once(loss, out, y, step)
        _reach_the_network(model, slopes)
        out = each(Tensor.detach, out)
        del slopes
        yield "read-out"
        model.eval()
        _examined(model, loss, val, first.device, metrics)
        if Loss.adversary.of(loss) is not None:
            yield "adversary"
            _against_the_network(loss, out, y)
        few = (out[:FEW], y[:FEW]) if isinstance(out, Tensor) and isinstance(y, Tensor) else (out, y)
        yield "repeatable"
        _repeatedly(loss, *few)
        check_saved_state(loss, partial(twin, loss), lambda cost: terms_of(cost, leaf_of(few[0]), few[1]))
        yield "own target"
        check_sample_order(loss, partial(twin, loss), *few)
        return cost


# ------------------------------------------------------------------------------------------------ as training asks it


def _answer(model: nn.Module, loss: nn.Module, x: Any, y: Any) -> Any:
    """What the network says, as many numbers as it was made for."""
    with own_code(f"in the network, asked about x {shapes(x)}"):
        out = model(x)
    if isinstance(out, Tensor) and isinstance(y, Tensor):
        asked = loss.outputs_per_target * (y.shape[1] if y.ndim > 1 else 1)
        if out.ndim < 2 or len(out) != len(y) or out.shape[-1] != asked:
            raise BadInput(
                f"{written(type(model))} answers {list(out.shape)} where the cost wants {asked} numbers for each of "
                f"{len(y)} rows: its last layer must give n_out numbers"
            )
        if out.ndim > 2 and not Loss.members.of(loss):
            raise BadInput(
                f"{written(type(model))} answers as an ensemble does, {list(out.shape)}, which {written(type(loss))} "
                f"does not take (members = True): choose a network that answers once, such as model=mlp"
            )
    return out


def _once(loss: nn.Module, out: Any, y: Any, step: int) -> tuple[float, list[tuple[Tensor, Tensor]]]:
    """Terms and gradient on the whole batch. Returns the cost, and the answers with the gradients at them."""
    name, start = f"{written(type(loss).forward)}(out, y)", rng.state()
    leaf, given = leaf_of(out), each(Tensor.clone, y)
    seen = each(Tensor.clone, leaf)
    terms = terms_of(twin(loss), seen, given)
    for what, before, after in (("out", leaf, seen), ("y", y, given)):
        if not equal(before, after):
            raise BadInput(f"{name} changes {what} in place: {IN_PLACE}")

    def found(look) -> str | None:
        """The same once more, every operation of it looked at."""
        rng.restore(start)
        with Operations() as operations:
            total = reduce(add, terms_of(twin(loss), each(Tensor.clone, leaf_of(out)), each(Tensor.clone, y)).values())
        return look(operations, total)

    for term, value in terms.items():
        if not value.isfinite():
            where = found(lambda operations, _: operations.out_of_range())
            raise _not_finite(loss, step, f"the term {term} is {value.item()}", where, out, y)
    for term, value in terms.items():
        if not value.requires_grad:
            raise BadInput(
                f"{name}: the term {term} has no gradient and teaches nothing; .detach(), .item(), .data, numpy and "
                f"torch.tensor() lose it, rounding and counting have none; what is only to be seen is for watch(out, y)"
            )
    leaves = list(tensors(leaf))
    total = reduce(add, terms.values())
    slopes = _way_back(name, total, leaves)
    if any(slope is not None and not slope.isfinite().all() for slope in slopes):
        where = found(Operations.steep)
        raise _not_finite(loss, step, "the cost is finite and its gradient is not,", where, out, y)
    if all(slope is None for slope in slopes) and not any(p.requires_grad for p in loss.parameters()):
        raise BadInput(f"{name}: no term depends on out, so the network would learn nothing")
    if not any(slope is not None and slope.any() for slope in slopes):
        _flat_but_changing(loss, out, y, total.item())
    return total.item(), [(o, slope) for o, slope in zip(tensors(out), slopes, strict=True) if slope is not None]


def _way_back(name: str, total: Tensor, leaves: list[Tensor]) -> tuple[Tensor | None, ...]:
    """The gradients at the answers; what ends on the way there is the cost's own."""
    try:
        with own_code("on the way back"), out_of_memory():
            return torch.autograd.grad(total, leaves, allow_unused=True)
    except RuntimeError as error:
        if "a second time" in str(error):
            raise BadInput(f"{name}: goes back through its own graph; leave .backward() to training") from error
        raise BadInput(f"{name}: {said(error)} (on the way back)") from error


def _flat_but_changing(loss: nn.Module, out: Any, y: Any, cost: float) -> None:
    """Of a cost without slope where the network stands: is it as flat elsewhere though it is another cost there?"""
    leaf = leaf_of(
        each(lambda tensor: tensor + 0.5 * torch.randn_like(tensor) if tensor.is_floating_point() else tensor, out)
    )
    elsewhere = reduce(add, terms_of(twin(loss), each(Tensor.clone, leaf), each(Tensor.clone, y)).values())
    slopes = torch.autograd.grad(elsewhere, list(tensors(leaf)), allow_unused=True)
    if elsewhere.item() != cost and not any(slope is not None and slope.any() for slope in slopes):
        raise BadInput(
            f"{written(type(loss).forward)}(out, y): its gradient is 0 everywhere though the cost changes with out; "
            f"rounding, counting, comparing and .detach() teach nothing"
        )


def _reach_the_network(model: nn.Module, slopes: list[tuple[Tensor, Tensor]]) -> None:
    """Do the gradients at its answers arrive at its weights?"""
    weights = [p for p in model.parameters() if p.requires_grad]
    on = [(o, slope) for o, slope in slopes if o.requires_grad]
    if not weights or not slopes:
        return
    arrived = []
    if on:
        with own_code("on the way back through the network"):
            arrived = torch.autograd.grad([o for o, _ in on], weights, [s for _, s in on], allow_unused=True)
    if all(slope is None for slope in arrived):
        raise BadInput(f"{written(type(model))}: its answer does not depend on its weights; where is it detached?")


def _repeatedly(loss: nn.Module, out: Any, y: Any) -> None:
    """Two steps on one copy, one on another: is a step's graph kept, and does the same cost the same?"""
    start, one, other, values, kept = rng.state(), twin(loss), twin(loss), [], []
    for cost in (one, one, other):
        rng.restore(start)
        total = reduce(add, terms_of(cost, each(Tensor.clone, leaf_of(out)), each(Tensor.clone, y)).values())
        try:
            total.backward()
        except RuntimeError as error:
            if "second time" not in str(error):
                raise
            raise _keeps_a_graph(loss, _graphs(one)) from error
        values.append(total.item())
        kept.append(_graphs(one))
    if growing := {name: n for name, n in kept[1].items() if n > kept[0].get(name, 0)}:
        raise _keeps_a_graph(loss, growing)
    if one is not other and not math.isclose(values[0], values[2], rel_tol=1e-4, abs_tol=1e-6):
        raise BadInput(
            f"{written(type(loss).forward)}(out, y): the same asked twice costs {values[0]:.6g} and {values[2]:.6g}, "
            f"so no run can be repeated or resumed; draw by torch's global generator (torch.rand, ...), which is seeded"
        )


def _against_the_network(loss: nn.Module, out: Any, y: Any) -> None:
    """What an adversary descends."""
    if not Loss.adversary_loss.given(loss):
        raise BadInput(f"{written(type(loss))} has an adversary and needs adversary_loss(out, y): what that descends")
    terms = terms_by(twin(loss).adversary_loss, type(loss).adversary_loss, out, each(Tensor.clone, y))
    if not any(value.requires_grad for value in terms.values()):
        raise BadInput(f"{written(type(loss).adversary_loss)}(out, y): no term depends on the weights of the adversary")
    if not any(_sees(loss, out, y) for _ in range(DRAWS)):
        raise BadInput(
            f"{written(type(loss).adversary_loss)}(out, y): no term depends on out, so that the adversary never sees "
            f"what the network makes; show it out beside the real photos"
        )


def _sees(loss: nn.Module, out: Any, y: Any) -> bool:
    """Does what the adversary descends depend on out? By chance it may not, where old photos stand in for new ones."""
    other = each(lambda made: 0.5 * made + 0.1 if made.is_floating_point() else made, out)
    before, values = rng.state(), []
    for made in (out, other):
        rng.restore(before)
        ask = twin(loss).adversary_loss
        values.append(terms_by(ask, type(loss).adversary_loss, made, each(Tensor.clone, y)))
    return any(not torch.equal(value, values[1][name]) for name, value in values[0].items() if name in values[1])


# --------------------------------------------------------------------------------------------- as examinations ask it


@torch.no_grad()
def _examined(model: nn.Module, loss: nn.Module, val: Any, device: torch.device, metrics: Any) -> None:
    """Terms, what is fitted, what is read, in evaluation mode and without gradients."""
    x, y = val.take(torch.arange(min(EXAMINED, len(val)), device=device))
    cost = twin(loss).eval()
    with own_code(f"in the network outside of training, asked about x {shapes(x)}"):
        out = model(x)
    given = f"out {shapes(out)}, y {shapes(y)}"
    before = each(Tensor.clone, out)
    terms_of(cost, out, each(Tensor.clone, y))
    with own_code(f"in fit_on_validation, {given}"):
        Loss.fit_on_validation.of(cost)(out, y)
    with own_code(f"in predict, out {shapes(out)}"):
        predicted = cost.predict(out)
    name = f"{written(type(loss).predict)}(out)"
    if not isinstance(predicted, dict) or not predicted or not all(isinstance(key, str) for key in predicted):
        raise BadInput(f'{name}: must return named quantities, such as {{"rate": ...}}, not {described(predicted)}')
    if not equal(before, out):
        raise BadInput(f"{name} changes out in place: {IN_PLACE}")
    wanted = Metrics.needs.of(metrics)
    if wanted and not predicted.keys() & set(wanted):
        raise BadInput(
            f"{name}: the examination of this data asks for {' or '.join(wanted)}; it gives {', '.join(predicted)}"
        )
    if why := Metrics.misfit.of(metrics)(predicted, y):
        raise BadInput(f"{name}: {why}")
    check_alone(loss, cost, out, predicted)
    _is_kept(cost, out, predicted)
    with own_code(f"in watch, {given}"):
        seen = Loss.watch.of(cost)(out, y)
    many = next((key for key, value in seen.items() if isinstance(value, Tensor) and value.numel() != 1), None)
    if many is not None:
        raise BadInput(f"{written(type(loss).watch)}(out, y): {many} must be one number, not {described(seen[many])}")
    with own_code("in remark"):
        Loss.remark.of(cost)({key: float(value) for key, value in seen.items()})


def _is_kept(cost: nn.Module, out: Any, predicted: dict) -> None:
    """Is what `prepare` and `fit_on_validation` learn in the checkpoint, so that `evaluate` finds the same?"""
    own = [hook.of(type(cost)) for hook in (Loss.prepare, Loss.fit_on_validation) if hook.given(type(cost))]
    for method in own:
        if not isinstance(method, FunctionType):
            continue
        stored = {i.argval for i in dis.get_instructions(method) if i.opname == "STORE_ATTR"} & vars(cost).keys()
        for name in sorted(stored):
            without = twin(cost)
            delattr(without, name)
            try:
                again = without.predict(out)
            except AttributeError:
                again = {}
            if not all(
                equal(predicted[key], again.get(key)) for key in predicted if isinstance(predicted[key], Tensor)
            ):
                raise BadInput(
                    f"{written(method)}: self.{name} is not kept in checkpoints, predict(out) needs it; in __init__ "
                    f'write self.register_buffer("{name}", torch.zeros(n_targets)), say, of the shape that it will have'
                )


# -------------------------------------------------------------------------------------------------------- asking, once


def _not_finite(loss: nn.Module, step: int, what: str, where: str | None, out: Any, y: Any) -> Diverged:
    when = "nothing was trained yet" if not step else f"nothing was trained since step {step}"
    where = f"; {where}" if where else ""
    advice = f". {loss.advice}" if Loss.advice.given(loss) else ""
    if low := _too_low(loss, out, y):
        advice = f". Not the answers, {low} make it so: {OF_TARGETS}"
    if isinstance(y, Tensor) and y.isnan().any():
        advice += ". What is nan in y is missing: ask only about what is known, known = ~y.isnan(), then y[known]"
    return Diverged(
        f"step {step + 1}: {what} on the first batch, and {when}: out spans {spans(out)}, y {spans(y)}{where}{advice}"
    )


def _too_low(loss: nn.Module, out: Any, y: Any) -> str | None:
    """Which targets leave the range of the cost, if it is finite at the same answers where these are 1."""
    if not isinstance(y, Tensor) or not y.is_floating_point() or bool((y > 0).all()):
        return None
    leaf = leaf_of(out)
    try:
        total = reduce(add, terms_of(twin(loss), each(Tensor.clone, leaf), y.where(~(y <= 0), 1.0)).values())
        slopes = torch.autograd.grad(total, list(tensors(leaf)), allow_unused=True)
    except Exception:  # of a cost that goes on after it has left its range
        return None
    finite = total.isfinite() and all(slope is None or bool(slope.isfinite().all()) for slope in slopes)
    return ("targets below 0" if bool((y < 0).any()) else "targets of 0") if finite else None


def _keeps_a_graph(loss: nn.Module, names: dict[str, int]) -> BadInput:
    where = f" in {', '.join(f'self.{name}' for name in names)}" if names else ""
    return BadInput(
        f"{written(type(loss).forward)}(out, y): keeps the graph of a step for the next{where}; "
        f"detach what is kept, .detach()"
    )


def _graphs(loss: nn.Module) -> dict[str, int]:
    """Of each attribute that holds tensors with a graph, how many operations that graph has."""
    found = {}
    for place, module in loss.named_modules():
        for name, value in {**vars(module), **module._buffers}.items():
            values = value.values() if isinstance(value, dict) else value if _many(value) else [value]
            nodes = [v.grad_fn for v in values if isinstance(v, Tensor) and v.grad_fn is not None]
            if nodes and name not in ("_parameters", "_buffers", "_modules"):
                for node in nodes:  # which grows meanwhile
                    fresh = [f for f, _ in node.next_functions if f is not None and f not in nodes]
                    nodes += fresh[: MOST - len(nodes)]
                found[f"{place}.{name}".strip(".")] = len(nodes)
    return found


def _many(value: Any) -> bool:
    return not isinstance(value, Tensor | str | nn.Module) and isinstance(value, Iterable) and isinstance(value, Sized)


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Afterwards, the network's buffers and mode and all sources of chance are as before."""
    start, training = rng.state(), model.training
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        model.train(training)
        rng.restore(start)
