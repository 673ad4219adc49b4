"""Terms of a cost, asked for on a copy: each one number by name; and what a question is made of and told by."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.nested_tensors import each
from dlthink.training.module_copy import deep_copy
from dlthink.user_errors import own_code, written

Terms = dict[str, Tensor]


def terms_of(loss: nn.Module, out: Any, y: Any) -> Terms:
    """The terms of a cost, each one number in a tensor; BadInput otherwise."""
    return terms_by(loss, type(loss).forward, out, y)


def terms_by(ask: Callable[[Any, Any], Any], method: Callable, out: Any, y: Any) -> Terms:
    """The same of `ask`, which the user has written as `method`."""
    with own_code(f"in {method.__name__}, out {shapes(out)}, y {shapes(y)}"):
        terms = ask(out, y)
    name = f"{written(method)}(out, y)"
    if not isinstance(terms, dict) or not terms or not all(isinstance(term, str) for term in terms):
        raise BadInput(f'{name}: must return named terms, such as {{"error": ...}}, not {described(terms)}')
    for term, value in terms.items():
        if not isinstance(value, Tensor) or value.ndim:
            raise BadInput(f"{name}: the term {term} must be one number in a tensor (.mean()), not {described(value)}")
        if not value.is_floating_point():
            raise BadInput(f"{name}: the term {term} must be a real number, not {value.dtype}, which has no gradient")
    return terms


def twin(loss: nn.Module) -> nn.Module:
    """A copy to be asked in its place; itself where it holds what cannot be copied."""
    try:
        return deep_copy(loss)
    except Exception:
        return loss


def leaf_of(out: Any) -> Any:
    """The same answers as numbers of their own, whose gradient can be asked for."""
    return each(lambda tensor: tensor.detach().clone().requires_grad_(tensor.is_floating_point()), out)


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors that gradients pass through."""
    for item in value.values() if isinstance(value, dict) else [value]:
        if isinstance(item, dict):
            yield from tensors(item)
        elif isinstance(item, Tensor) and item.is_floating_point():
            yield item


def equal(a: Any, b: Any) -> bool:
    """Are all tensors in them the same, nan where nan is?"""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if not isinstance(a, Tensor):
        return True
    return isinstance(b, Tensor) and a.shape == b.shape and bool(((a == b) | (a != a) & (b != b)).all())


def shapes(value: Any) -> str:
    """Of a tensor, or of tensors by name, for a message."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shapes(item)}" for name, item in value.items())
    return str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__


def described(value: Any) -> str:
    """What stands in the place of a term, for a message: a tensor of shape [3, 2]."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if isinstance(value, dict) and value:
        return f"a dict with the name {next(key for key in value if not isinstance(key, str))!r}"
    if isinstance(value, dict | list | tuple) and not value:
        return f"an empty {type(value).__name__}"
    return f"a {'numpy ' if type(value).__module__ == 'numpy' else ''}{type(value).__name__}"
