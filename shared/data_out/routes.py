"""A company's own data as a file: asked for, watched, fetched. For its admin alone."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import FileResponse

from shared.contracts.fields import Answer, Body
from shared.database import ReadSession, WriteSession
from shared.errors import Conflict, NotFound, refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import OwnAdmin
from shared.ids import new_id
from shared.paging import CursorInvalid, PageQuery

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ExportNotFound(NotFound):
    """Your company has no such export."""


class ExportUnderWay(Conflict):
    """An export of your company is being made; wait for it. `export_id` is its id."""


class ExportNotReady(Conflict):
    """There is no file: the export is not done yet, failed, or its file was kept long enough."""


class ExportAsked(Body):
    """`with_exports`: SHA-256 of the files of the other services, so that together they are a whole drill."""

    with_exports: dict[str, Digest] = Field(default_factory=dict, max_length=10)


class ExportView(Answer):
    """An export of a company's data."""

    id: UUID
    state: str = Field(description="REQUESTED, RUNNING, DONE, FAILED or EXPIRED (its file is gone)")
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None
    bytes: int | None
    sha256: str | None
    files: list[dict[str, Any]] | None = Field(description="Name, rows, bytes and SHA-256 of each file in the ZIP.")
    problem: str | None


_COLUMNS = "id, state, requested_by, requested_at, finished_at, bytes, sha256, files, problem, file"
_READ = text(f"SELECT {_COLUMNS} FROM data_exports WHERE company_id = :company_id AND id = :id")
_RUNNING = text("SELECT id FROM data_exports WHERE company_id = :company_id AND state IN ('REQUESTED', 'RUNNING')")
_PAGE = text(
    f"SELECT {_COLUMNS} FROM data_exports WHERE company_id = :company_id "
    "AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid)) ORDER BY id DESC LIMIT :limit"
)
_ASK = text(
    "INSERT INTO data_exports (company_id, id, state, requested_by, requested_at, detail) "
    "VALUES (:company_id, :id, 'REQUESTED', :by, :at, CAST(:detail AS jsonb))"
)


async def _found(session: AsyncSession, *, company_id: UUID, export_id: UUID) -> Any:
    row = (await session.execute(_READ, {"company_id": company_id, "id": export_id})).one_or_none()
    if row is None:
        raise ExportNotFound(f"There is no export {export_id}.")
    return row


def data_out_router(service: str) -> APIRouter:
    """The exports of one service."""
    router = house_router(f"/{service}/exports", tag="data out")

    @router.post("", status_code=202, summary="Export your company's data", responses=refusals(ExportUnderWay))
    async def ask(
        body: ExportAsked, caller: OwnAdmin, session: WriteSession, now: Now, response: Response
    ) -> ExportView:
        """Every row of your company in this service, as a ZIP of JSON lines with a manifest and the audit log.

        Ids of other companies and of their people are pseudonyms, stable inside one export.
        """
        export_id = new_id()
        detail = orjson.dumps({"with_exports": body.with_exports}).decode()
        row = {"company_id": caller.company, "id": export_id, "by": caller.subject, "at": now, "detail": detail}
        try:
            async with session.begin_nested():
                await session.execute(_ASK, row)
        except IntegrityError as taken:
            running = await session.scalar(_RUNNING, {"company_id": caller.company})
            raise ExportUnderWay("An export of your company is being made.", export_id=str(running)) from taken
        response.headers["Location"] = f"/{service}/exports/{export_id}"
        return ExportView.model_validate(await _found(session, company_id=caller.company, export_id=export_id))

    @router.get("", summary="Exports of your company's data", responses=refusals(CursorInvalid))
    async def list_exports(
        caller: OwnAdmin, session: ReadSession, paging: PageQuery, response: Response
    ) -> list[ExportView]:
        """The newest first."""
        before = paging.after_as(UUID)
        rows = await session.execute(
            _PAGE,
            {"company_id": caller.company, "before": before[0] if before else None, "limit": paging.limit + 1},
        )
        shown = paging.page(rows.all(), response, key=lambda row: [row.id])
        return [ExportView.model_validate(row) for row in shown]

    @router.get("/{export_id}", summary="What became of an export", responses=refusals(ExportNotFound))
    async def read(export_id: UUID, caller: OwnAdmin, session: ReadSession) -> ExportView:
        """DONE when its file can be fetched; the file is kept for seven days."""
        return ExportView.model_validate(await _found(session, company_id=caller.company, export_id=export_id))

    @router.get(
        "/{export_id}/file",
        summary="Fetch the file of an export",
        responses=refusals(ExportNotFound, ExportNotReady),
        response_class=FileResponse,
    )
    async def fetch(request: Request, export_id: UUID, caller: OwnAdmin, session: ReadSession) -> FileResponse:
        """A ZIP; `dougong export` fetches those of all services and verifies them."""
        row = await _found(session, company_id=caller.company, export_id=export_id)
        folder: Path = request.app.state.settings.data_dir / "exports"
        if row.state != "DONE" or not (folder / row.file).is_file():
            raise ExportNotReady(f"Export {export_id} is {row.state}; there is no file to fetch.")
        return FileResponse(folder / row.file, media_type="application/zip", filename=f"{service}-{export_id}.zip")

    return router
