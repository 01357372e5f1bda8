"""Rows as lines of PostgreSQL's COPY text format, a row that cannot be read with the reason in place of its values."""

import json
from collections.abc import Sequence
from typing import Any

from services.suppliers.imports.rules import COLUMNS, OFFER_COLUMNS, column_of

BROKEN_COLUMNS = ("broken_field", "broken_code", "broken_message")
COPY_COLUMNS = (*COLUMNS, *BROKEN_COLUMNS)

BLANK = "blank"
"""The code of a row without content: it keeps its number and is left out."""

VALUE_LENGTH_AT_MOST = 2000

_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"


def dirty(data: bytes, delimiter: bytes) -> bool:
    """Whether CSV lines hold what COPY would read otherwise than we mean: controls, backslashes, lone returns."""
    unwanted = _CONTROLS + b"\\\r" + (b"" if delimiter == b"\t" else b"\t")
    return len(data.translate(None, unwanted)) != len(data)


def rendered_cells(cells: Sequence[str], columns: Sequence[str]) -> bytes:
    """A row of a table."""
    if not any(cell.strip() for cell in cells):
        return _broken(columns, "row", BLANK, "")
    if len(cells) != len(columns):
        message = f"The row has {len(cells)} fields; the header has {len(columns)}."
        return _broken(columns, "row", "WrongFieldCount", message)
    values = []
    for column, cell in zip(columns, cells, strict=True):
        value = cell.strip()
        if (reason := _reason_against(value)) is not None:
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
    if not isinstance(found, dict):
        return _broken(COLUMNS, "row", "NotAnObject", "A row is a JSON object.")
    values = dict.fromkeys(COLUMNS, _NULL)
    for name, value in found.items():
        column = column_of(name)
        if column is None:
            return _broken(COLUMNS, name[:60], "UnknownColumn", f"Known members: {', '.join(COLUMNS)}.")
        if column in OFFER_COLUMNS and value is not None and not may_price:
            return _broken(COLUMNS, column, "PricesNotAllowed", "Prices need an API client with prices:write.")
        text = _plain(value)
        if text is None:
            return _broken(COLUMNS, column, "WrongKind", f"{column} is neither text nor a number.")
        if (reason := _reason_against(text)) is not None:
            return _broken(COLUMNS, column, *reason)
        if text:
            values[column] = text.translate(_ESCAPES)
    return ("\t".join(values.values()) + f"\t{_NULL}\t{_NULL}\t{_NULL}\n").encode()


def loads(text: str) -> Any:
    """JSON with its numbers digit by digit, as they were sent. Raises ValueError."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant)


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


def _reason_against(value: str) -> tuple[str, str] | None:
    if len(value) > VALUE_LENGTH_AT_MOST:
        return "TooLong", f"At most {VALUE_LENGTH_AT_MOST} characters; this has {len(value)}."
    if not value.isprintable() and any(character < " " or "\ud800" <= character <= "\udfff" for character in value):
        return "ControlCharacter", "The value holds a control character or half a character."
    return None


def _broken(columns: Sequence[str], field: str, code: str, message: str) -> bytes:
    reason = "\t".join(
        part.encode("utf-8", "replace").decode().translate(_ESCAPES).replace("\0", "")
        for part in (field, code, message)
    )
    return (f"{_NULL}\t" * len(columns) + reason + "\n").encode()
