"""From a legacy file to rows, one at a time: memory does not grow with the file. Blocks: run in a thread."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.importing.columns import HEADER_WITHIN_ROWS, Columns, Header, RowError
from shared.sheets import DELIMITERS, FileRefused, last_line, scan, to_csv

ROWS_AT_MOST = 200_000
XLSX_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Format(StrEnum):
    """What files are read."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {"text/csv": Format.CSV, "application/csv": Format.CSV, XLSX_MEDIA: Format.XLSX}


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedRow:
    """A row as a spreadsheet counts it: its values by column, and what is wrong with it."""

    number: int
    values: dict[str, str]
    errors: list[RowError]

    @property
    def taken(self) -> bool:
        return not any(error.severity == "rejected" for error in self.errors)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A file whose header was found."""

    path: Path
    encoding: str
    delimiter: str
    header: Header
    header_row: int


def opened(path: Path, *, format_: Format, columns: Columns) -> Sheet:
    """Find the header of a file.

    Raises:
        FileRefused: EmptyFile, EncodingNotRead, NotASpreadsheet, ZipBomb, HeaderNotFound, LineTooLong, NulByte …
    """
    if path.stat().st_size == 0:
        raise FileRefused("EmptyFile", "The file is empty.")
    if format_ is Format.XLSX:
        table = path.with_suffix(".csv")
        to_csv(path, table, fill_merged=True)
        path = table
        if path.stat().st_size == 0:
            raise FileRefused("NoRows", "The first sheet is empty.")
    facts = scan(path)
    encoding = "utf-8-sig" if facts.encoding.startswith("utf-8") else facts.encoding
    with path.open(encoding=encoding, newline="") as text:
        head = text.read(64 * 1024)
    delimiter = max(DELIMITERS, key=head.count)
    for number, cells in _records(path, encoding, delimiter):
        if (header := columns.header_of(cells)) is not None:
            return Sheet(path=path, encoding=encoding, delimiter=delimiter, header=header, header_row=number)
        if number >= HEADER_WITHIN_ROWS:
            break
    told = f"None of the first {HEADER_WITHIN_ROWS} rows names the columns {', '.join(columns.required)}."
    raise FileRefused("HeaderNotFound", told)


def rows_of(sheet: Sheet, columns: Columns) -> Iterator[ParsedRow]:
    """The rows behind the header; blank ones are left out and keep their numbers.

    Raises:
        FileRefused: MalformedCsv, FileTruncated, TooManyRows, NoRows.
    """
    found, number = 0, sheet.header_row
    cells: list[str] = []
    for number, cells in _records(sheet.path, sheet.encoding, sheet.delimiter):
        if number <= sheet.header_row or not any(cell.strip() for cell in cells):
            continue
        found += 1
        if found > ROWS_AT_MOST:
            raise FileRefused("TooManyRows", f"A file has at most {ROWS_AT_MOST} rows; send it in parts.", row=number)
        values, errors = columns.read(cells, sheet.header)
        yield ParsedRow(number=number, values=values, errors=errors)
    if not found:
        raise FileRefused("NoRows", "There is a header and no row.", row=sheet.header_row)
    needed = max(sheet.header.places[name] for name in columns.required)
    if last_line(sheet.path).strip() and len(cells) <= needed:
        raise FileRefused("FileTruncated", f"The file ends in the middle of row {number}.", row=number)


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    with path.open(encoding=encoding, newline="") as text:
        try:
            for number, cells in enumerate(csv.reader(text, delimiter=delimiter, strict=True), 1):
                yield number, cells
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                told = f"The quote opened in row {number + 1} is never closed."
                raise FileRefused("FileTruncated", told, row=number + 1) from error
            told = f"Row {number + 1} is not readable as CSV: {error}."
            raise FileRefused("MalformedCsv", told, row=number + 1) from error
