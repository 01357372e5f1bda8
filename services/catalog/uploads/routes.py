"""HTTP of uploads: what became of them. The files themselves go to the routes of what they bring."""

import csv
import io
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.catalog.uploads import queries
from services.catalog.uploads.rules import KEPT_AT_MOST, Kind, formula_safe
from services.catalog.uploads.schemas import SHOWN_AT_MOST, UploadView, upload_view
from shared.database import SystemSession
from shared.errors import NotFound, refusals
from shared.http import router as house_router
from shared.identity import Operator
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/uploads", tag="uploads")

_COLUMNS = ("row", "severity", "field", "code", "message")


class UploadNotFound(NotFound):
    """No upload has this id."""


@router.get("", summary="Files uploaded to the dictionary, the newest first", responses=refusals(CursorInvalid))
async def uploads(
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    kind: Annotated[Kind | None, Query()] = None,
) -> list[UploadView]:
    """Without their problems."""
    after = paging.after_as(UUID)
    rows = await queries.uploads_page(session, kind=kind, before=after[0] if after else None, limit=paging.limit)
    return [upload_view(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.get("/{upload_id}", summary="What became of a file", responses=refusals(UploadNotFound))
async def upload(upload_id: UUID, _: Operator, session: SystemSession) -> UploadView:
    """Counts and the first problems."""
    row = await queries.upload(session, upload_id=upload_id)
    if row is None:
        raise UploadNotFound(f"No upload has the id {upload_id}.")
    return upload_view(row, await queries.problems(session, upload_id=upload_id, limit=SHOWN_AT_MOST))


@router.get(
    "/{upload_id}/problems.csv",
    summary="The rows of a file that have problems, as CSV",
    response_class=Response,
    responses={**refusals(UploadNotFound), 200: {"content": {"text/csv": {}}}},
)
async def problems(upload_id: UUID, _: Operator, session: SystemSession) -> Response:
    """row, severity, field, code, message; at most ten thousand, in the order of the file."""
    if await queries.upload(session, upload_id=upload_id) is None:
        raise UploadNotFound(f"No upload has the id {upload_id}.")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in await queries.problems(session, upload_id=upload_id, limit=KEPT_AT_MOST):
        writer.writerow([formula_safe(str(getattr(each, column))) for column in _COLUMNS])
    headers = {"Content-Disposition": f'attachment; filename="upload-{upload_id}.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
