"""Putting an upload on record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.uploads.receiving import Received
from services.catalog.uploads.rules import KEPT_AT_MOST, Kind, RowProblem, Severity
from services.catalog.uploads.tables import Upload
from shared.identity import Principal
from shared.ids import new_id

_PROBLEMS = text(
    """
    INSERT INTO dictionary_upload_problems (upload_id, place, severity, row, field, code, message)
    SELECT :upload_id, place, severity, row, field, code, message
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS p (
        place integer, severity text, "row" text, field text, code text, message text
    )
    """
)


async def record(
    session: AsyncSession,
    *,
    kind: Kind,
    file: Received,
    dry_run: bool,
    subject: UUID | None = None,
    counts: Mapping[str, int],
    problems: Sequence[RowProblem],
    by: Principal,
    at: datetime,
) -> Upload:
    """Keep what became of a file, with its first ten thousand remarks."""
    upload = Upload(
        id=new_id(),
        kind=kind,
        file_name=file.name,
        file_hash=file.digest,
        bytes=file.size,
        dry_run=dry_run,
        subject=None if subject is None else str(subject),
        counts=dict(counts),
        rejected=sum(each.severity is Severity.REJECTED for each in problems),
        warned=sum(each.severity is Severity.WARNING for each in problems),
        by_id=by.subject,
        by_name=by.name,
        at=at,
    )
    session.add(upload)
    await session.flush()
    if problems:
        rows = [
            {
                "place": place,
                "severity": each.severity,
                "row": each.row,
                "field": each.field,
                "code": each.code,
                "message": each.message[:500],
            }
            for place, each in enumerate(problems[:KEPT_AT_MOST])
        ]
        await session.execute(_PROBLEMS, {"upload_id": upload.id, "rows": orjson.dumps(rows).decode()})
    return upload
