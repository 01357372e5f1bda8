"""Rows as lines of PostgreSQL's COPY text format, a row that cannot be read with the reason in place of its values."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from services.suppliers.imports.declared import cell_of_json, cell_of_text
from services.suppliers.imports.rules import COLUMNS, DECLARED_COLUMNS, NOTATIONS, OFFER_COLUMNS, column_of

BROKEN_COLUMNS = ("broken_field", "broken_code", "broken_message")
COPY_COLUMNS = (*COLUMNS, *BROKEN_COLUMNS)

BLANK = "blank"
"""The code of a row without content: it keeps its number and is left out."""

VALUE_LENGTH_AT_MOST = 4000
"""In characters; 500 regions of six digits fit."""

_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_WRITTEN = {
    column: re.compile(notation.pattern + (".*" if notation.rest else "")) for column, notation in NOTATIONS.items()
}


@dataclass(frozen=True, slots=True)
class NamedTwice:
    """A JSON object that gives one name two values, which might be two different ones."""

    name: str


def dirty(data: bytes, delimiter: bytes) -> bool:
    """Whether CSV lines hold what COPY would read otherwise than we mean: controls, backslashes, lone returns."""
    unwanted = _CONTROLS + b"\\\r" + (b"" if delimiter == b"\t" else b"\t")
    return len(data.translate(None, unwanted)) != len(data)


@cache
def clean_line(columns: tuple[str, ...], delimiter: str) -> re.Pattern[bytes]:
    """What a whole CSV line looks like that the database may read as it is: each cell in its column's notation."""
    end = re.escape(delimiter)
    other = f"[^{end}\\r\\n]"
    cells = []
    for column in columns:
        if column in DECLARED_COLUMNS:
            cells.append(" *")
        elif (notation := NOTATIONS.get(column)) is None:
            cells.append(f"{other}{{0,{VALUE_LENGTH_AT_MOST}}}")
        else:
            rest = f"{other}{{0,100}}" if notation.rest else " *"
            cells.append(f"(?: *{notation.pattern}{rest})?")
    return re.compile((end.join(cells) + "\\r?\\n?").encode())


def rendered_cells(cells: Sequence[str], columns: Sequence[str]) -> bytes:
    """A row of a table."""
    if not any(cell.strip() for cell in cells):
        return _broken(columns, "row", BLANK, "")
    if len(cells) != len(columns):
        message = f"The row has {len(cells)} fields; the header has {len(columns)}."
        return _broken(columns, "row", "WrongFieldCount", message)
    values = []
    for column, written in zip(columns, cells, strict=True):
        value = written.strip()
        reason = _reason_against(column, value)
        if reason is None and value and column in DECLARED_COLUMNS:
            value, reason = cell_of_text(column, value)
        if reason is not None:
            return _broken(columns, column, *reason)
        values.append(value.translate(_ESCAPES) if value else _NULL)
    return ("\t".join(values) + f"\t{_NULL}\t{_NULL}\t{_NULL}\n").encode()


def rendered_line(line: bytes, *, may_price: bool) -> bytes:
    """A line that should be a JSON object; in the columns COPY_COLUMNS."""
    if not line.strip():
        return _broken(COLUMNS, "row", BLANK, "")
    try:
        found = loads(line.decode())
    except (ValueError, RecursionError) as error:
        return _broken(COLUMNS, "row", "MalformedJson", f"The line is not JSON: {error}."[:300])
    return rendered_element(found, may_price=may_price)


def rendered_element(found: Any, *, may_price: bool) -> bytes:
    """A JSON value that should be a row; in the columns COPY_COLUMNS."""
    if isinstance(found, NamedTwice):
        return _broken(COLUMNS, found.name[:60], "ColumnTwice", "The row has two members of this name.")
    if not isinstance(found, dict):
        return _broken(COLUMNS, "row", "NotAnObject", "A row is a JSON object.")
    values = dict.fromkeys(COLUMNS, _NULL)
    named = set()
    for name, value in found.items():
        column = column_of(name)
        if column is None:
            return _broken(COLUMNS, name[:60], "UnknownColumn", f"Known members: {', '.join(COLUMNS)}.")
        if column in named or isinstance(value, NamedTwice):
            twice = value.name if isinstance(value, NamedTwice) else name
            return _broken(COLUMNS, column, "ColumnTwice", f"{twice[:60]!r} names what is named already.")
        named.add(column)
        if column in OFFER_COLUMNS and value is not None and not may_price:
            return _broken(COLUMNS, column, "PricesNotAllowed", "Prices need an API client with prices:write.")
        text, reason = _member(column, value)
        if reason is not None:
            return _broken(COLUMNS, column, *reason)
        if text:
            values[column] = text.translate(_ESCAPES)
    return ("\t".join(values.values()) + f"\t{_NULL}\t{_NULL}\t{_NULL}\n").encode()


def _member(column: str, value: Any) -> tuple[str, tuple[str, str] | None]:
    """A member of a JSON row as a cell, and what is against it."""
    if column in DECLARED_COLUMNS and value is not None:
        return cell_of_json(column, value)
    text = _plain(value)
    if text is None:
        return "", ("WrongKind", f"{column} is neither text nor a number.")
    return text, _reason_against(column, text)


def loads(text: str) -> Any:
    """JSON with its numbers digit by digit, as they were sent. Raises ValueError."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=object_of)


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any] | NamedTwice:
    """A JSON object, unless a name stands in it twice."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    return NamedTwice(next(name for name in names if names.count(name) > 1))


def _no_constant(name: str) -> Any:
    message = f"{name} is no number"
    raise ValueError(message)


def _plain(value: Any) -> str | None:
    """A JSON value as a cell; a list joins by `;`, an object is `k=v; …`. None: cannot be one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ";".join(each.strip() for each in value)
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return "; ".join(f"{name}={each}" for name, each in value.items())
    return None


def _reason_against(column: str, value: str) -> tuple[str, str] | None:
    if len(value) > VALUE_LENGTH_AT_MOST:
        return "TooLong", f"At most {VALUE_LENGTH_AT_MOST} characters; this has {len(value)}."
    if not value.isprintable() and any(character < " " or "\ud800" <= character <= "\udfff" for character in value):
        return "ControlCharacter", "The value holds a control character or half a character."
    if value and column in _WRITTEN and not _WRITTEN[column].fullmatch(value):
        return NOTATIONS[column].code, f"{column} {value[:60]!r} is not written as {NOTATIONS[column].detail}."
    return None


def _broken(columns: Sequence[str], field: str, code: str, message: str) -> bytes:
    reason = "\t".join(
        part.encode("utf-8", "replace").decode().translate(_ESCAPES).replace("\0", "")
        for part in (field, code, message)
    )
    return (f"{_NULL}\t" * len(columns) + reason + "\n").encode()
