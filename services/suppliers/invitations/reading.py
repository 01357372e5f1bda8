"""A file of invitations as rows: CSV in UTF-8 or GB18030, or the first sheet of an XLSX."""

import csv
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.suppliers.invitations.rules import COLUMNS, ROWS_AT_MOST, Invitee, RowProblem, invitee_of
from shared.sheets import DELIMITERS, FileRefused, scan, to_csv

MEDIA_TYPES = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsRead:
    """What a file holds: good rows by number, and what is wrong with the others."""

    invitees: Mapping[int, Invitee]
    problems: list[RowProblem]
    rejected: int


def read_rows(body: bytes, *, form: str) -> RowsRead:
    """Read a whole file; blocks. A tax id that stands twice in it is taken once.

    Raises:
        FileRefused: the file cannot be read at all.
    """
    with tempfile.TemporaryDirectory(prefix="dougong-invitations-") as folder:
        path = Path(folder) / "body"
        path.write_bytes(body)
        if form == "xlsx":
            as_csv = Path(folder) / "rows.csv"
            to_csv(path, as_csv)
            path = as_csv
        facts = scan(path)
        with path.open(encoding=facts.encoding, newline="") as handle:
            text = handle.read()
    try:
        return _judged(_records(text))
    except csv.Error as error:
        raise FileRefused("MalformedCsv", f"The file cannot be read as CSV: {error}.") from error


def _records(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    names = [COLUMNS.get(cell.strip().lower()) for cell in next(rows, [])]
    if "name" not in names:
        raise FileRefused(
            "ColumnMissing", "The first row heads the columns; one of them is `name` (供应商名称).", row=1
        )
    for number, row in enumerate(rows, 2):
        if number > ROWS_AT_MOST + 1:
            raise FileRefused("TooManyRows", f"A file has at most {ROWS_AT_MOST} rows.", row=number)
        if any(cell.strip() for cell in row):
            yield number, {name: cell for name, cell in zip(names, row, strict=False) if name is not None}


def _judged(records: Iterator[tuple[int, dict[str, str]]]) -> RowsRead:
    invitees: dict[int, Invitee] = {}
    problems: list[RowProblem] = []
    rejected = 0
    seen: dict[str, int] = {}
    for row, cells in records:
        judged = invitee_of(cells, row=row)
        if isinstance(judged, Invitee) and judged.tax_id in seen:
            text = f"{judged.tax_id} stands in row {seen[judged.tax_id]} already."
            judged = [RowProblem(row=row, column="tax_id", code="Repeated", text=text)]
        if isinstance(judged, Invitee):
            invitees[row] = judged
            if judged.tax_id is not None:
                seen[judged.tax_id] = row
        else:
            problems += judged
            rejected += 1
    return RowsRead(invitees=invitees, problems=problems, rejected=rejected)
