"""Operators' CSV files for the registers: decoding, columns, and how people write days. Nothing is evaluated."""

import csv
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO

from shared.errors import FieldError, Unprocessable

FILE_BYTES_AT_MOST = 4 * 1024 * 1024
ROWS_AT_MOST = 5_000
PROBLEMS_AT_MOST = 200
_CELL_AT_MOST = 2_000
_DAY = re.compile(r"^(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})\s*[-/.月]\s*(?P<day>[0-9]{1,2})\s*日?$")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class RegisterFileRefused(Unprocessable):
    """The file cannot be read at all: nothing of it was taken. `errors` says where it breaks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The cells of a row that are not empty, by column."""

    number: int
    cells: Mapping[str, str]


class CellRefused(ValueError):  # noqa: N818 - its text is the sentence the operator reads
    """A cell that cannot be read as what its column holds."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


def rows_of(body: bytes, *, columns: Collection[str], aliases: Mapping[str, str], needed: str) -> list[Row]:
    """The rows of a CSV in UTF-8 or GB18030, each cell with full-width characters folded.

    Raises:
        RegisterFileRefused.
    """
    reader = csv.reader(StringIO(_text(body), newline=""), strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    try:
        for number, cells in enumerate(reader, 1):
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, columns=columns, aliases=aliases, needed=needed)
                continue
            if len(rows) >= ROWS_AT_MOST:
                raise _refused("TooManyRows", f"A file has at most {ROWS_AT_MOST} rows; send several.", number)
            if len(cells) != len(header):
                message = f"Row {number} has {len(cells)} fields; the header has {len(header)}."
                raise _refused("WrongFieldCount", message, number)
            rows.append(Row(number=number, cells=_cells(header, cells, number)))
    except csv.Error as error:
        raise _refused("MalformedCsv", f"Not readable as CSV near row {reader.line_num}: {error}.") from error
    if not rows:
        raise _refused("NoRows", "There is no row.")
    return rows


def _text(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("EncodingNotRead", "The file is neither UTF-8 nor GB18030.")


def _header(cells: list[str], *, columns: Collection[str], aliases: Mapping[str, str], needed: str) -> list[str]:
    header = []
    for cell in cells:
        name = unicodedata.normalize("NFKC", cell).strip()
        column = aliases.get(name, re.sub(r"[\s\-]+", "_", name.lower()))
        if column not in columns or column in header:
            message = f"Column {name[:60]!r} is unknown or stands twice. Known columns: {', '.join(columns)}."
            raise _refused("UnknownColumn", message, 1)
        header.append(column)
    if needed not in header:
        raise _refused("ColumnMissing", f"There is no column {needed}.", 1)
    return header


def _cells(header: list[str], cells: list[str], number: int) -> dict[str, str]:
    found = {}
    for column, cell in zip(header, cells, strict=True):
        text = " ".join(unicodedata.normalize("NFKC", cell).split())
        if len(text) > _CELL_AT_MOST or _CONTROLS.search(text):
            message = (
                f"{column} in row {number} is longer than {_CELL_AT_MOST} characters, or holds control characters."
            )
            raise _refused("CellNotRead", message, number)
        if text:
            found[column] = text
    return found


def _refused(code: str, message: str, row: int | None = None) -> RegisterFileRefused:
    where = "file" if row is None else f"rows.{row}"
    return RegisterFileRefused(message, errors=[FieldError(field=where, rule=code, message=message)])


def day_of(text: str | None, *, field: str) -> date | None:
    """A day as people write it: 2026-11-22, 2026/11/22, 2026.11.22, 2026年11月22日.

    Raises:
        CellRefused.
    """
    if text is None:
        return None
    found = _DAY.match(text)
    refused = CellRefused(field, "NotADate", f"{field} {text[:40]!r} is no day like 2026-11-22.")
    if found is None:
        raise refused
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        raise refused from None
    if not 1949 <= day.year <= 2199:
        raise CellRefused(field, "OutOfRange", f"{field} {day} lies outside the years 1949 to 2199.")
    return day


def one_of(text: str, *, field: str, words: Mapping[str, str]) -> str:
    """One of the words of a column, or what people say for it.

    Raises:
        CellRefused.
    """
    value = words.get(text.lower())
    if value is None:
        message = f"{field} {text[:40]!r} is none of {', '.join(sorted(set(words.values())))}."
        raise CellRefused(field, "NotAllowed", message)
    return value
