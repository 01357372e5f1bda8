"""Which columns a kind of file has, and what a cell of them says. Pure.

Cells are folded (NFKC: full-width digits and brackets become plain ones) and formulas are never worked out.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

HEADER_WITHIN_ROWS = 20
"""Titles, dates and the maker's name may stand above the header."""
TENANT = "tenant"
"""The column by which a file may say whose record a row is; a file may hold its sender's own records only."""
TENANT_NAMES = "tenant_id owner owner_id company_id group_id 租户 租户编码 所属单位 所属集团 归属单位"
_NUMBER_LIMIT = Decimal(10) ** 12
_NOTE = re.compile(r"[(\[【].*?[)\]】]|[*:\s]")
_FORMULA = re.compile(r"=\s*[A-Za-z@(+\-]")
_ERRORS = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})
_UNSHOWN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DATE = re.compile(r"([12][0-9]{3})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?: [0-9:.]+)?")
_DATE_DIGITS = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})")
_YES = frozenset(["是", "y", "yes", "true", "1", "含税", "含", "有"])
_NO = frozenset(["否", "n", "no", "false", "0", "不含税", "不含", "未税", "无"])


class Cell(StrEnum):
    """How a cell is read; what cannot be read so is refused by the code beside it."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    """NotANumber. Thousands separators and currency signs go."""
    RATE = "RATE"
    """NotARate. `13%`, `13` and `0.13` are all 0.13."""
    DATE = "DATE"
    """NotADate. Becomes ISO; a text such as 2026年3月1日 is a date too."""
    FLAG = "FLAG"
    """NotAFlag. Becomes true or false."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a file. A `confidential` cell is never repeated in a remark (prices)."""

    name: str
    names: str
    """What legacy platforms call it, apart by blanks."""
    cell: Cell = Cell.TEXT
    length: int = 200
    required: bool = False
    confidential: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Where the columns stand, and which names were not known."""

    places: Mapping[str, int]
    unknown: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowError:
    """Why a row is not taken, or (severity `warning`) what about it should be known."""

    column: str
    code: str
    text: str
    severity: str = "rejected"


class Columns:
    """The columns of one kind of file."""

    def __init__(self, *columns: Column) -> None:
        self.columns = {column.name: column for column in columns}
        self.required = tuple(column.name for column in columns if column.required)
        self._by_name = {
            name.lower(): column.name for column in columns for name in (column.name, *column.names.split())
        }

    def header_of(self, cells: Sequence[str]) -> Header | None:
        """The header in a row of cells; None when it is none. A name that stands twice counts where it stands first."""
        places: dict[str, int] = {}
        unknown = []
        for place, cell in enumerate(cells):
            folded = unicodedata.normalize("NFKC", cell).lower()
            name = _NOTE.sub("", folded)
            column = self._by_name.get(name) or self._by_name.get(folded.strip().replace(" ", "_").replace("-", "_"))
            if column is not None and column not in places:
                places[column] = place
            elif name:
                unknown.append(cell.strip()[:60])
        if not all(column in places for column in self.required):
            return None
        return Header(places=places, unknown=unknown)

    def read(self, cells: Sequence[str], header: Header) -> tuple[dict[str, str], list[RowError]]:
        """The values of a row by column, and all that is wrong with it. A row with a rejected cell is not taken."""
        values: dict[str, str] = {}
        errors: list[RowError] = []
        for name, place in header.places.items():
            column = self.columns[name]
            raw = cells[place] if place < len(cells) else ""
            error = _against(column, raw)
            if error is None:
                value, error = _read(column, plain(raw))
                if value:
                    values[name] = value
            errors += [error] if error else []
        for name in self.required:
            if name not in values and not any(error.column == name for error in errors):
                errors.append(RowError(column=name, code="Missing", text=f"{name} is empty."))
        return values, errors


def plain(cell: str) -> str:
    """A cell with full-width forms folded and blanks collapsed."""
    return " ".join((cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).split())


def _against(column: Column, raw: str) -> RowError | None:
    text = raw.strip()
    if _FORMULA.match(text):
        told = "The cell holds a formula; formulas are never worked out."
        return RowError(column=column.name, code="Formula", text=told)
    if text.upper() in _ERRORS:
        return RowError(column=column.name, code="SpreadsheetError", text=f"The cell shows {text}.")
    if len(text) > column.length:
        told = f"At most {column.length} characters; this has {len(text)}."
        return RowError(column=column.name, code="TooLong", text=told)
    if "\ufffd" in text or (not text.isprintable() and _UNSHOWN.search(text)):
        told = "The cell holds a character that cannot be shown."
        return RowError(column=column.name, code="ControlCharacter", text=told)
    return None


def _read(column: Column, value: str) -> tuple[str, RowError | None]:
    if not value or column.cell is Cell.TEXT:
        return value, None
    readers = {Cell.NUMBER: _number, Cell.RATE: _rate, Cell.DATE: _date, Cell.FLAG: _flag}
    read = readers[column.cell](value)
    if read is not None:
        return read, None
    code = {Cell.NUMBER: "NotANumber", Cell.RATE: "NotARate", Cell.DATE: "NotADate", Cell.FLAG: "NotAFlag"}[column.cell]
    shown = "The cell" if column.confidential else repr(value[:40])
    return "", RowError(column=column.name, code=code, text=f"{shown} cannot be read as {column.cell.lower()}.")


def _decimal(text: str) -> Decimal | None:
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _NUMBER_LIMIT else None


def _number(value: str) -> str | None:
    number = _decimal(value.strip("¥￥$元 ").removeprefix("CNY").strip())
    return None if number is None else format(number, "f")


def _rate(value: str) -> str | None:
    number = _decimal(value.rstrip("% ").strip())
    if number is None or number < 0:
        return None
    share = number / 100 if "%" in value or number >= 1 else number
    return format(share.normalize(), "f") if share < 1 else None


def _date(value: str) -> str | None:
    found = _DATE.fullmatch(value) or _DATE_DIGITS.fullmatch(value)
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return None


def _flag(value: str) -> str | None:
    text = value.lower()
    return "true" if text in _YES else "false" if text in _NO else None
