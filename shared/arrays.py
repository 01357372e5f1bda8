"""PostgreSQL array literals, written as text.

psycopg adapts a list element by element in Python. The hot paths send thousands of elements a statement as one
text a column, which costs a tenth of that; the statement casts it (`CAST(:ids AS uuid[])`).
"""

from collections.abc import Iterable


def array(elements: Iterable[str]) -> str:
    """An array literal of elements that need no quotes (numbers, ids, dates, `NULL`) or that `quoted` made."""
    return "{" + ",".join(elements) + "}"


def quoted(element: str | None) -> str:
    """Any text as an element of an array literal; None is `NULL`."""
    if element is None:
        return "NULL"
    if '"' in element or "\\" in element:
        element = element.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{element}"'
