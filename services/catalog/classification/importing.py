"""An operator's CSV of codes: read row by row, judged and written in batches, each bad row told."""

import contextlib
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification.actions import judged, write_codes
from services.catalog.classification.rules import COLUMNS, CodeFault, CodeRow, Origin, code_row
from services.catalog.uploads import actions as upload_actions
from services.catalog.uploads import queries as upload_queries
from services.catalog.uploads.receiving import Received
from services.catalog.uploads.rules import DryRun, Kind, RowProblem, Severity
from services.catalog.uploads.tables import Upload
from shared.errors import Unprocessable
from shared.identity import Principal

BYTES_AT_MOST = 32 * 1024 * 1024
ROWS_AT_MOST = 200_000
_BATCH = 5_000
_CELL_AT_MOST = 10_000


class CodeFileRefused(Unprocessable):
    """The file as a whole cannot be read: not UTF-8 or GB18030, no header with the columns, or too many rows."""


@dataclass(slots=True)
class CodeFile:
    """The rows of a file that have the shape of a row, by line, and the others with what is wrong."""

    rows: list[tuple[int, CodeRow]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    read: int = 0


def read_codes(file: Received) -> CodeFile:
    """Every row of the file, in order. Nothing is asked of the database.

    Raises:
        CodeFileRefused: the file as a whole cannot be read.
    """
    found, seen = CodeFile(), dict[tuple[str, str, str, str], int]()
    for line, cells in _lines(_text_of(file.file.read())):
        found.read += 1
        if found.read > ROWS_AT_MOST:
            raise CodeFileRefused(f"The file has more than {ROWS_AT_MOST} rows; send it in parts.")
        row = code_row(cells)
        if isinstance(row, CodeFault):
            found.problems.append(_problem(line, row))
        elif row.key in seen:
            told = CodeFault(
                field="code", code="DuplicateRow", message=f"The same code stands in line {seen[row.key]}."
            )
            found.problems.append(_problem(line, told))
        else:
            seen[row.key] = line
            found.rows.append((line, row))
    return found


def _text_of(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CodeFileRefused("The file is neither UTF-8 nor GB18030.")


def _lines(text: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    if "\x00" in text:
        raise CodeFileRefused("The file holds NUL characters.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        missing = [column for column in COLUMNS if column not in header and column not in {"edition", "relation"}]
        unknown = [column for column in header if column not in COLUMNS]
        if missing or unknown or len(set(header)) != len(header):
            raise CodeFileRefused(f"The first line names the columns {', '.join(COLUMNS)}; it has {header[:10]}.")
        for cells in reader:
            if any(len(cell) > _CELL_AT_MOST for cell in cells):
                raise CodeFileRefused(f"A cell before line {reader.line_num} is longer than {_CELL_AT_MOST}.")
            if any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(header) - len(cells))]
                yield reader.line_num, dict(zip(header, padded, strict=False))
    except csv.Error as problem:
        raise CodeFileRefused(f"The file is no CSV near line {reader.line_num}: {problem}.") from problem


def _problem(line: int, fault: CodeFault) -> RowProblem:
    return RowProblem(
        severity=Severity.REJECTED, row=str(line), field=fault.field, code=fault.code, message=fault.message
    )


async def import_codes(
    session: AsyncSession, *, file: Received, codes: CodeFile, dry_run: bool, by: Principal, at: datetime
) -> tuple[Upload, bool]:
    """Take the good rows of a file; the upload, and whether this very file was taken before."""
    await upload_queries.lock_uploads(session, kind=Kind.CODES)
    before = await upload_queries.taken_before(session, kind=Kind.CODES, file_hash=file.digest)
    if before is not None:
        return before, True
    counts = {"rows": codes.read, "added": 0, "changed": 0, "unchanged": 0}
    problems = list(codes.problems)
    with contextlib.suppress(DryRun):
        async with session.begin_nested():
            for start in range(0, len(codes.rows), _BATCH):
                await _take(session, codes.rows[start : start + _BATCH], counts, problems, by=by, at=at)
            if dry_run:
                raise DryRun
    upload = await upload_actions.record(
        session,
        kind=Kind.CODES,
        file=file,
        dry_run=dry_run,
        counts=counts,
        problems=sorted(problems, key=lambda each: int(each.row)),
        by=by,
        at=at,
    )
    return upload, False


async def _take(
    session: AsyncSession,
    rows: Sequence[tuple[int, CodeRow]],
    counts: dict[str, int],
    problems: list[RowProblem],
    *,
    by: Principal,
    at: datetime,
) -> None:
    results = await judged(session, rows=[row for _, row in rows])
    good = []
    for (line, _), result in zip(rows, results, strict=True):
        if isinstance(result, CodeFault):
            problems.append(_problem(line, result))
        else:
            good.append(result)
    done = await write_codes(session, rows=good, origin=Origin.OPERATOR, by=by, at=at)
    counts["added"] += done.added
    counts["changed"] += done.changed
    counts["unchanged"] += done.unchanged
