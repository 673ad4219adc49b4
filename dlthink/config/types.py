"""Does a value of the configuration fit the annotation of the argument it is meant for?"""

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", type(None): "null"}


def fits(value: Any, annotation: Any) -> bool:
    """True when `value` (None, bool, int, float, str, list or dict) can stand for `annotation`.

    A whole number is a number; true and false are neither, and what is not finite is none. A callable is what another
    node makes. Annotations that a configuration cannot spell (classes) are not judged.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in (Any, inspect.Parameter.empty):
        return True
    if origin in (Union, types.UnionType):
        # of what a configuration cannot spell, a tensor or a class, only a node of its own can stand for one
        return any(fits(value, a) for a in arguments if _judged(a)) or (
            isinstance(value, dict) and any(not _judged(a) for a in arguments)
        )
    if origin is Literal:
        return any(value == a and isinstance(value, bool) == isinstance(a, bool) for a in arguments)  # True == 1
    if origin in (list, tuple, Sequence):
        inner = [a for a in arguments if a is not Ellipsis] or [Any]
        if not isinstance(value, list):
            return False
        fixed = origin is tuple and Ellipsis not in arguments
        if fixed and len(inner) != len(value):
            return False
        expected = inner if fixed else inner[:1] * len(value)
        return all(fits(item, a) for item, a in zip(value, expected, strict=True))
    if origin in (dict, Mapping):  # by names, which may look like numbers
        return isinstance(value, dict) and all(fits(inner, arguments[1]) for inner in value.values())
    if origin is Callable:  # what is made by a node of the configuration
        return isinstance(value, dict) and "_target_" in value
    if annotation in (None, type(None)):
        return value is None
    if annotation is bool:
        return isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if annotation is str:
        return isinstance(value, str)
    return True


def meant(value: Any, annotation: Any) -> Any:
    """`value` as the annotation takes it: a whole number may be written 1e3, which is read as 1000.0."""
    if fits(value, annotation):
        return value
    whole = _whole(value)
    return whole if fits(whole, annotation) else value


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _judged(annotation: Any) -> bool:
    return annotation in WORDS or annotation is None or get_origin(annotation) is not None


def words(annotation: Any) -> str:
    """The annotation as a user would say it: `a whole number or null`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(a) for a in arguments if _judged(a)))
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is tuple and arguments and Ellipsis not in arguments:
        return f"a list of {len(arguments)}, [...]"
    if origin in (list, tuple, Sequence):
        return "a list, [...]"
    if origin in (dict, Mapping):
        return f"{{NAME: {words(arguments[1])}}}"
    if origin is Callable:
        return "a choice of its own, with a _target_"
    return WORDS.get(type(None) if annotation is None else annotation, getattr(annotation, "__name__", "another value"))


def typed(value: Any) -> str:
    """A value as it is typed: null, true, [0.9,0.99], {a:1}."""
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{typed(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{','.join(map(typed, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def parameters(target: Callable) -> dict[str, inspect.Parameter]:
    """The arguments of a class by name, annotations resolved; `**rest` stands for those of its parent class."""
    lineage = [c for c in target.__mro__ if "__init__" in c.__dict__] if isinstance(target, type) else [target]
    found: dict[str, inspect.Parameter] = {}
    for owner in lineage:
        function = owner.__dict__["__init__"] if isinstance(target, type) else owner
        if not isinstance(function, types.FunctionType):
            break
        try:
            hints = typing.get_type_hints(function)
        except (NameError, TypeError):
            hints = {}
        signature = list(inspect.signature(function).parameters.values())[isinstance(target, type) :]
        for p in signature:
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                found.setdefault(p.name, p.replace(annotation=hints.get(p.name, Any)))
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
    return found
