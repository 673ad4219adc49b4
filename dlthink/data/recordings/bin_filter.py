"""Bins that are kept by what covariates were in them: data.where="speed > 20 and not (light == 1)"."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from functools import reduce

import numpy as np

from dlthink.did_you_mean import hint
from dlthink.errors import BadInput

COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
LONG = 1000  # letters


def where(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """[T] where the text holds. values: {name of a covariate: [T]}.

    Names and numbers, compared by < <= > >= == !=, joined by and, or, not and brackets; nothing else is understood, and
    nothing is run. A name that is no Python name stands in quotes: "'head direction' > 1". Raises BadInput.
    """
    if len(text) > LONG:
        raise BadInput(f"data.where: has more than {LONG:,} letters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        kept = _truth(tree, values, text)
    except (SyntaxError, RecursionError, MemoryError, OverflowError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"data.where={text}: cannot be read; write for example speed > 20 and light == 1") from error
    return np.broadcast_to(kept, next(iter(values.values())).shape) if values else kept


def _truth(node: ast.expr, values: Mapping[str, np.ndarray], text: str) -> np.ndarray:
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return reduce(join, [_truth(part, values, text) for part in node.values])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return np.logical_not(_truth(node.operand, values, text))
    if isinstance(node, ast.Compare) and all(type(op) in COMPARE for op in node.ops):
        sides = [_number(side, values, text) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return reduce(np.logical_and, [COMPARE[type(op)](low, high) for op, low, high in pairs])
    raise BadInput(
        f"data.where={text}: {ast.unparse(node)} is neither true nor false; only comparisons are, < <= > >= == !=, "
        f"joined by and, or, not"
    )


def _number(node: ast.expr, values: Mapping[str, np.ndarray], text: str) -> np.ndarray | float:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, values, text)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    name = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
    if not isinstance(name, str):
        raise BadInput(f"data.where={text}: {ast.unparse(node)} is neither a number nor the name of a covariate")
    if name not in values:
        raise BadInput(f"data.where={text}: there is no covariate {name}{hint(name, values)}")
    return values[name]
