"""The taxonomy's conversion formulas, read as arithmetic and nothing else.

A formula is text like `kg_per_m[diameter] * length_m / 1000`. It is parsed once into a syntax tree in which only
names, numbers, + - * / and a table looked up by a name may stand; everything else is text for people and says so.
The arithmetic is exact (`Fraction`), rounded by nobody here.
"""

import ast
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

_LONGEST = 200
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}

ReadInput = Callable[[str], Fraction]
"""The value of a variable, in the unit its name asks for."""
ReadTable = Callable[[str, str], Fraction]
"""The entry of a table (first argument) for the value of a property (second)."""


class FormulaError(ValueError):
    """The text is an explanation for people, not arithmetic."""


class InputMissingError(LookupError):
    """The formula needs a value that the variant does not have; it is supplier data."""


@lru_cache(maxsize=1000)
def parsed(formula: str) -> ast.expr:
    """The formula's tree.

    Raises:
        FormulaError: it holds anything but names, numbers, + - * / and tables.
    """
    if len(formula) > _LONGEST:
        raise FormulaError(f"longer than {_LONGEST} characters")
    try:
        tree = ast.parse(formula, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as problem:
        raise FormulaError(formula) from problem
    _check(tree)
    return tree


def table_indices(formula: str) -> frozenset[tuple[str, str]]:
    """The (table, property) pairs a formula looks up; none when it is no formula."""
    try:
        tree = parsed(formula)
    except FormulaError:
        return frozenset()
    return frozenset(
        (node.value.id, node.slice.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Name)
    )


def evaluated(formula: str, *, read_input: ReadInput, read_table: ReadTable) -> Fraction:
    """The formula's exact value.

    Raises:
        FormulaError: see `parsed`; also a division by zero.
        InputMissingError: from the readers.
    """
    try:
        return _value(parsed(formula), read_input, read_table)
    except ZeroDivisionError as problem:
        raise FormulaError(formula) from problem


def _check(node: ast.expr) -> None:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left)
            _check(right)
        case ast.Subscript(value=ast.Name(), slice=ast.Name()) | ast.Name():
            pass
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) < 10**9:
            pass
        case _:
            raise FormulaError(ast.dump(node)[:80])


def _value(node: ast.expr, read_input: ReadInput, read_table: ReadTable) -> Fraction:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, read_input, read_table), _value(right, read_input, read_table))
        case ast.Subscript(value=ast.Name(id=table), slice=ast.Name(id=name)):
            return read_table(table, name)
        case ast.Name(id=name):
            return read_input(name)
        case ast.Constant(value=number):
            return Fraction(str(number))
    raise FormulaError(ast.dump(node)[:80])
