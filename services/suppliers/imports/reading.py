"""From a body of any accepted format to chunks of rows that PostgreSQL can COPY.

A clean UTF-8 CSV is handed to the database as it is, chunk by chunk. Everything else is rendered first: NDJSON
chunk by chunk, the formats whose end must be seen before anything is applied (CSV with quotes or in GB18030, a
JSON array, a spreadsheet) into a file beside the body. Memory holds one chunk, whatever the size of the body.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

from services.suppliers.imports.rendering import COPY_COLUMNS, clean_line, dirty, rendered_cells, rendered_line
from services.suppliers.imports.rules import ColumnsRefused, VariantText, columns_of
from shared.sheets import DELIMITERS, FileRefused, TextFacts, blocks, last_line, scan

CHUNK_BYTES_AT_MOST = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """Where the rows stand. `csv`: the body itself; `ndjson`: the same; `rows`: rendered for COPY."""

    file: str
    kind: Literal["csv", "ndjson", "rows"]
    columns: tuple[str, ...]
    delimiter: str
    start: int
    """Byte at which the first row begins."""
    first_row: int
    encoding: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{**stored, "columns": tuple(stored["columns"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Some rows in the form COPY takes: CSV with a delimiter, or (None) its text format."""

    columns: tuple[str, ...]
    delimiter: str | None
    data: bytes
    rows: int
    first_row: int
    position: int
    """Byte behind the last row, where the next chunk begins."""


def prepare_csv(path: Path, *, scratch: Path, declared: str | None = None) -> Prepared:
    """Find the columns of a CSV file, and render it when the database cannot read it as it is.

    Raises:
        FileRefused: as `scan`, and UnknownColumn, MalformedCsv, FileTruncated, NoRows …
    """
    facts = scan(path, declared=declared)
    if facts.quoted or facts.encoding == "gb18030":
        return _rendered_csv(path, facts, scratch)
    start, row = 0, 0
    with path.open("rb") as handle:
        while line := handle.readline():
            start, row = handle.tell(), row + 1
            if line.strip(b" \t\r\n,;" + codecs.BOM_UTF8):
                break
    text = line.decode(facts.encoding)
    text = text.removeprefix("\ufeff")
    delimiter = _delimiter(text)
    columns = _columns(text.rstrip("\r\n").split(delimiter))
    _check_end(path, start=start, delimiter=delimiter, fields=len(columns))
    return Prepared(
        file=path.name,
        kind="csv",
        columns=columns,
        delimiter=delimiter,
        start=start,
        first_row=row + 1,
        encoding=facts.encoding,
    )


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _columns(header: list[str]) -> tuple[str, ...]:
    try:
        return tuple(columns_of(header))
    except ColumnsRefused as refused:
        raise FileRefused(refused.code, refused.detail, row=1) from refused


def _check_end(path: Path, *, start: int, delimiter: str, fields: int) -> None:
    if path.stat().st_size == start:
        raise FileRefused("NoRows", "There is a header and no row.")
    last = last_line(path)
    if last.strip() and last.count(delimiter.encode()) < fields - 1:
        row = sum(block.count(b"\n") for block in blocks(path)) + 1
        raise FileRefused("FileTruncated", f"The file ends in the middle of row {row}.", row=row)


def _rendered_csv(path: Path, facts: TextFacts, scratch: Path) -> Prepared:
    row = 0
    encoding = "utf-8-sig" if facts.encoding.startswith("utf-8") else facts.encoding
    with path.open(encoding=encoding, newline="") as text, scratch.open("wb") as out:
        delimiter = _delimiter(text.readline())
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        columns: tuple[str, ...] = ()
        header_row = 0
        cells: list[str] = []
        try:
            for row, cells in enumerate(reader, 1):
                if columns:
                    out.write(rendered_cells(cells, columns))
                elif any(cell.strip() for cell in cells):
                    columns, header_row = _columns(cells), row
        except csv.Error as error:
            raise _malformed(error, row + 1) from error
    if not columns or row == header_row:
        raise FileRefused("NoRows", "There is no row.")
    if last_line(path).strip() and 0 < len(cells) < len(columns):
        raise FileRefused("FileTruncated", f"The file ends in the middle of row {row}.", row=row)
    return rendered(scratch, columns, first_row=header_row + 1, encoding=facts.encoding)


def _malformed(error: csv.Error, row: int) -> FileRefused:
    if "unexpected end of data" in str(error):
        return FileRefused("FileTruncated", f"The quote opened in row {row} is never closed.", row=row)
    return FileRefused("MalformedCsv", f"Row {row} is not readable as CSV: {error}.", row=row)


def rendered(scratch: Path, columns: tuple[str, ...], *, first_row: int, encoding: str) -> Prepared:
    """Rows that were written to `scratch` by `rendering`."""
    return Prepared(
        file=scratch.name,
        kind="rows",
        columns=columns,
        delimiter=",",
        start=0,
        first_row=first_row,
        encoding=encoding,
    )


def chunks(path: Path, prepared: Prepared, *, position: int, row: int, size: int, may_price: bool) -> Iterator[Chunk]:
    """The rows from a byte position on (`row` is the number of the first), at most `size` at a time."""
    with path.open("rb") as handle:
        handle.seek(position)
        while lines := _next_lines(handle, size):
            position = handle.tell()
            if prepared.kind == "csv":
                yield _csv_chunk(lines, prepared, first_row=row, position=position)
            elif prepared.kind == "ndjson":
                data = b"".join(rendered_line(line, may_price=may_price) for line in lines)
                yield _text_chunk(data, COPY_COLUMNS, lines, first_row=row, position=position)
            else:
                columns = (*prepared.columns, *COPY_COLUMNS[-3:])
                yield _text_chunk(b"".join(lines), columns, lines, first_row=row, position=position)
            row += len(lines)


def _next_lines(handle: BinaryIO, size: int) -> list[bytes]:
    lines, held = [], 0
    for line in handle:
        lines.append(line)
        held += len(line)
        if len(lines) == size or held >= CHUNK_BYTES_AT_MOST:
            break
    return lines


def variants_named(chunk: Chunk) -> set[VariantText]:
    """How the rows of a chunk name their variants."""
    places = [
        chunk.columns.index(name) if name in chunk.columns else None for name in ("variant", "type", "properties")
    ]
    if places[0] is None and places[1] is None:
        return set()
    escaped = chunk.delimiter is None
    found = set()
    for line in chunk.data.decode().split("\n"):
        if not line:
            continue
        cells = line.split(chunk.delimiter or "\t")
        values = (None if place is None else _value(cells[place], escaped=escaped) for place in places)
        variant, type_, properties = values
        if variant or type_:
            found.add(VariantText(variant=variant, type=type_, properties=properties))
    return found


def _value(cell: str, *, escaped: bool) -> str | None:
    if escaped:
        return None if cell == "\\N" else cell.replace("\\\\", "\\")
    return cell.strip() or None


def _text_chunk(data: bytes, columns: tuple[str, ...], lines: list[bytes], *, first_row: int, position: int) -> Chunk:
    return Chunk(columns=columns, delimiter=None, data=data, rows=len(lines), first_row=first_row, position=position)


def _csv_chunk(lines: list[bytes], prepared: Prepared, *, first_row: int, position: int) -> Chunk:
    data = b"".join(lines)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    delimiter = prepared.delimiter.encode()
    if not dirty(data, delimiter) and all(map(clean_line(prepared.columns, prepared.delimiter).fullmatch, lines)):
        return Chunk(
            columns=prepared.columns,
            delimiter=prepared.delimiter,
            data=data,
            rows=len(lines),
            first_row=first_row,
            position=position,
        )
    data = b"".join(
        rendered_cells(line.decode().rstrip("\r\n").split(prepared.delimiter), prepared.columns) for line in lines
    )
    columns = (*prepared.columns, *COPY_COLUMNS[-3:])
    return _text_chunk(data, columns, lines, first_row=first_row, position=position)
