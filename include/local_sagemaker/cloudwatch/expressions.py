"""Metric math: expressions over time series (CloudWatch guide, Using math expressions with metrics).

The syntax is close to Python's, whose parser reads it; only what metric math knows is evaluated.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.cloudwatch.math_functions import FUNCTIONS, Array, Frame, Series, Value, lifted

_TOKENS = re.compile(r"""("[^"]*"|'[^']*')|(&&|\bAND\b)|(\|\||\bOR\b)|(\^)""")
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
    ast.And: lambda left, right: float(bool(left) and bool(right)),
    ast.Or: lambda left, right: float(bool(left) or bool(right)),
}


class ExpressionError(ValueError):
    """The expression is none of metric math; the message says why."""


def parsed(expression: str) -> ast.expr:
    """The expression's tree; raises ExpressionError where it cannot be read."""

    def python(found: re.Match[str]) -> str:
        quoted, conjunction, disjunction, _ = found.groups()
        return quoted or (" and " if conjunction else " or " if disjunction else "**")

    try:
        return ast.parse(_TOKENS.sub(python, expression).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"the expression cannot be read: {expression}") from error


def names_in(tree: ast.expr) -> set[str]:
    """The ids that an expression refers to."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in ("REPEAT", "LINEAR")
    }


class Evaluator:
    """Evaluates trees: `look_up` gives an id's value, `metrics` are all that METRICS() stands for."""

    def __init__(self, frame: Frame, look_up: Callable[[str], Value], metrics: Mapping[str, Series]) -> None:
        self._frame = frame
        self._look_up = look_up
        self._metrics = metrics

    def value(self, node: ast.expr) -> Any:
        """The tree's value; raises ExpressionError for what metric math does not know."""
        visit = getattr(self, f"_{type(node).__name__.lower()}", None)
        if visit is None:
            raise ExpressionError(f"{ast.unparse(node)} is not part of metric math")
        return visit(node)

    def _constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float, str)):
            raise ExpressionError(f"{node.value!r} is not part of metric math")
        return node.value if isinstance(node.value, str) else float(node.value)

    def _name(self, node: ast.Name) -> Any:
        return node.id if node.id in ("REPEAT", "LINEAR") else self._look_up(node.id)

    def _list(self, node: ast.List) -> Array:
        array: Array = []
        for element in node.elts:
            value = self.value(element)
            if isinstance(value, list):
                array += value
            elif isinstance(value, dict):
                array.append((ast.unparse(element), value))
            else:
                raise ExpressionError("an array is of time series")
        return array

    def _binop(self, node: ast.BinOp) -> Value:
        return self._combined(type(node.op), self.value(node.left), self.value(node.right))

    def _compare(self, node: ast.Compare) -> Value:
        if len(node.ops) != 1:
            raise ExpressionError("comparisons cannot be chained")
        return self._combined(type(node.ops[0]), self.value(node.left), self.value(node.comparators[0]))

    def _boolop(self, node: ast.BoolOp) -> Value:
        value: Value = self.value(node.values[0])
        for operand in node.values[1:]:
            value = self._combined(type(node.op), value, self.value(operand))
        return value

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if not isinstance(node.op, ast.USub):
            raise ExpressionError(f"{ast.unparse(node)} is not part of metric math")
        return lifted(operator.neg, self.value(node.operand))

    def _combined(self, kind: type[ast.AST], left: Any, right: Any) -> Value:
        if kind not in _OPERATORS or isinstance(left, str) or isinstance(right, str):
            raise ExpressionError(f"{kind.__name__} is not part of metric math, or not of its operands")
        return lifted(_safe(_OPERATORS[kind]), left, right)

    def _call(self, node: ast.Call) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise ExpressionError(f"{ast.unparse(node)} is not part of metric math")
        arguments = [self.value(argument) for argument in node.args]
        if name == "METRICS":
            wanted = arguments[0] if arguments else ""
            return [(key, series) for key, series in self._metrics.items() if str(wanted) in key]
        if name not in FUNCTIONS:
            raise ExpressionError(f"the function {name} is not served by the local SageMaker")
        try:
            return FUNCTIONS[name](self._frame, *arguments)
        except (TypeError, AttributeError, IndexError, ValueError) as error:
            raise ExpressionError(f"{ast.unparse(node)}: these are not the arguments of {name}") from error


def _safe(operation: Callable[[float, float], float]) -> Callable[[float, float], float]:
    """Division by zero and overflow give no data point."""

    def operate(left: float, right: float) -> float:
        try:
            value = operation(left, right)
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan
        return value if isinstance(value, float) else math.nan

    return operate
