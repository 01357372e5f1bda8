"""A company reads its own audit log: as a list, as a file whose chain anybody can verify, and its head to note down."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from shared.audit.files import EMPTY, MEDIA_TYPE, Head, closing_line, entry_line, head_line
from shared.contracts.fields import Answer
from shared.database import Database, ReadSession, Sessions, transaction
from shared.errors import refusals
from shared.http import router as house_router
from shared.identity import Principal, Requires, Role
from shared.paging import CursorInvalid, PageQuery

PAGE = 1000
AuditReader = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.OPERATOR]))]
"""Who may read the log of the company it acts for."""
From = Annotated[AwareDatetime | None, Query(alias="from", description="Entries from this moment on.")]
To = Annotated[AwareDatetime | None, Query(description="Entries before this moment.")]
After = Annotated[int, Query(ge=0, lt=2**63, description="Entries behind this number.")]

_HEAD = text("SELECT number, hash, at FROM audit_links WHERE owner_id = :owner_id ORDER BY number DESC LIMIT 1")
_LINK = text("SELECT hash FROM audit_links WHERE owner_id = :owner_id AND number = :number")
_RANGE = text(
    """
    SELECT min(number) AS first, max(number) AS last FROM audit_links
    WHERE owner_id = :owner_id AND number > :after
      AND (CAST(:begin AS timestamptz) IS NULL OR at >= CAST(:begin AS timestamptz))
      AND (CAST(:end AS timestamptz) IS NULL OR at < CAST(:end AS timestamptz))
    """
)
_ENTRIES = text(
    """
    SELECT l.number, l.hash, e.entry
    FROM audit_links l JOIN audit_entries e ON e.txid = l.txid AND e.seq = l.seq AND e.owner_id = l.owner_id
    WHERE l.owner_id = :owner_id AND l.number BETWEEN :first AND :last
    ORDER BY l.number
    """
)


class AuditHead(Answer):
    """The end of a company's chain in this service. Note it elsewhere: it convicts whoever rewrites the log."""

    service: str
    owner_id: UUID
    number: int
    hash: str
    at: datetime | None


class AuditEntry(Answer):
    """One act."""

    number: int
    at: datetime
    actor: dict[str, str | None]
    company: dict[str, str | None]
    roles: list[str]
    act: str
    objects: dict[str, str]
    outcome: str
    status: int | None
    request_id: str | None
    detail: dict[str, str | int]
    hash: str


async def head_of(session: AsyncSession, *, owner_id: UUID) -> tuple[Head, datetime | None]:
    """The end of an owner's chain, and when its last act was."""
    row = (await session.execute(_HEAD, {"owner_id": owner_id})).one_or_none()
    if row is None:
        return EMPTY, None
    return Head(number=row.number, hash=bytes(row.hash).hex()), row.at


async def file_lines(
    sessions: Sessions, *, service: str, owner_id: UUID, first: int, last: int
) -> AsyncIterator[bytes]:
    """The file of an owner's entries `first` to `last`, a page in memory at a time; empty when last < first."""
    before = EMPTY
    if first > 1:
        async with transaction(sessions, owner_id) as session:
            found = await session.scalar(_LINK, {"owner_id": owner_id, "number": first - 1})
        before = Head(number=first - 1, hash=bytes(found).hex() if found is not None else EMPTY.hash)
    head = before
    yield head_line(service=service, owner_id=str(owner_id), before=before)
    for begin in range(first, last + 1, PAGE):
        async with transaction(sessions, owner_id) as session:
            page = {"owner_id": owner_id, "first": begin, "last": min(begin + PAGE - 1, last)}
            rows = (await session.execute(_ENTRIES, page)).all()
        lines = [
            entry_line(row.entry, service=service, owner_id=str(owner_id), number=row.number, digest=bytes(row.hash))
            for row in rows
        ]
        if rows:
            head = Head(number=rows[-1].number, hash=bytes(rows[-1].hash).hex())
        yield b"".join(lines)
    yield closing_line(head)


def audit_router(service: str) -> APIRouter:
    """The audit log of one service, for the company the caller acts for."""
    router = house_router(f"/{service}/audit", tag="audit")

    @router.get("/head", summary="The head of your company's audit chain")
    async def head(caller: AuditReader, session: ReadSession) -> AuditHead:
        """How many entries are chained and the hash over all of them; the newest seconds may still be waiting."""
        found, at = await head_of(session, owner_id=caller.company)
        return AuditHead(service=service, owner_id=caller.company, number=found.number, hash=found.hash, at=at)

    _add_entries(router)

    @router.get(
        "/export",
        summary="Download your company's audit log",
        openapi_extra={"responses": {"200": {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}},
    )
    async def export(
        *, request: Request, caller: AuditReader, begin: From = None, to: To = None, after: After = 0
    ) -> StreamingResponse:
        """A file of one JSON document a line that `dougong audit verify FILE` checks without us.

        `from`, `to` and `after` choose a run of entries without a gap; its first line says after which hash it begins.
        """
        database: Database = request.app.state.database
        async with transaction(database.app, caller.company) as session:
            chosen = {"owner_id": caller.company, "after": after, "begin": begin, "end": to}
            row = (await session.execute(_RANGE, chosen)).one()
            at_end, _ = await head_of(session, owner_id=caller.company)
        first, last = (at_end.number + 1, at_end.number) if row.first is None else (row.first, row.last)
        return StreamingResponse(
            file_lines(database.app, service=service, owner_id=caller.company, first=first, last=last),
            media_type=MEDIA_TYPE,
            headers={"Content-Disposition": f'attachment; filename="audit-{service}-{first}-{last}.ndjson"'},
        )

    return router


def _number(value: Any) -> int:
    """A part of a cursor as the number of an entry."""
    if not isinstance(value, int) or not 0 < value < 2**62:
        message = "no entry has this number"
        raise ValueError(message)
    return value


def _add_entries(router: APIRouter) -> None:
    @router.get("/entries", summary="Your company's audit log", responses=refusals(CursorInvalid))
    async def entries(
        caller: AuditReader, session: ReadSession, paging: PageQuery, response: Response
    ) -> list[AuditEntry]:
        """The newest first: who did what, or was refused what, for or about your company."""
        after = paging.after_as(_number)
        top, _ = await head_of(session, owner_id=caller.company)
        last = top.number if after is None else after[0] - 1
        first = max(1, last - paging.limit)
        rows = await session.execute(_ENTRIES, {"owner_id": caller.company, "first": first, "last": last})
        found = [
            AuditEntry.model_validate({**row.entry, "number": row.number, "hash": bytes(row.hash).hex()})
            for row in rows
        ]
        return paging.page(found[::-1], response, key=lambda entry: [entry.number])
