"""The restricted and banned list over HTTP: operators keep it, everybody reads it."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from services.catalog.restrictions import actions, importing, queries, rules
from services.catalog.restrictions.actions import RestrictionContradicts, RestrictionExists, RestrictionNotFound
from services.catalog.restrictions.schemas import (
    NewRestriction,
    RestrictionChange,
    RestrictionView,
    restriction_view,
)
from services.catalog.restrictions.tables import RestrictionEntry
from services.catalog.standards.files import FILE_BYTES_AT_MOST, RegisterFileRefused
from services.catalog.standards.record import decisions_of
from services.catalog.standards.schemas import DecisionView, ImportReport
from shared.clock import business_date
from shared.contracts.fields import Name, QueryText, RegionCode
from shared.contracts.standards import RestrictionKind
from shared.database import ReadSession, SystemSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/restrictions", tag="restrictions")

CSV_BODY = {
    "x-body-limit": FILE_BYTES_AT_MOST,
    "requestBody": {
        "required": True,
        "description": f"CSV, UTF-8 or GB18030. Columns: {', '.join(importing.COLUMNS)} (or 限制类型, 构件类型, …).",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    },
}


def _view(row: RestrictionEntry, *, on: date, response: Response | None = None) -> RestrictionView:
    if response is not None:
        response.headers["ETag"] = etag(row.version)
    live = rules.live(from_on=row.from_on, until_on=row.until_on, on=on)
    return restriction_view(row.state, live=live, updated_at=row.updated_at)


@router.get("", summary="Restricted and banned goods", responses=refusals(CursorInvalid))
async def restrictions(
    _: Visitor,
    session: ReadSession,
    paging: PageQuery,
    now: Now,
    response: Response,
    *,
    type_code: Annotated[QueryText | None, Query(max_length=100, alias="type", examples=["RB-HRB"])] = None,
    kind: RestrictionKind | None = None,
    on: Annotated[date | None, Query(description="Only those that hold on this day.")] = None,
) -> list[RestrictionView]:
    """In the order they were made."""
    rows = await queries.restrictions_page(
        session,
        type_code=None if type_code is None else type_code.upper(),
        kind=kind,
        on=on,
        after=paging.after_as(UUID)[0] if paging.after else None,  # type: ignore[index]
        limit=paging.limit + 1,
    )
    day = on or business_date(now)
    return [_view(row, on=day) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.get("/in-force", summary="What holds at a place on a day")
async def in_force(
    _: Visitor,
    session: ReadSession,
    now: Now,
    *,
    region: Annotated[RegionCode | None, Query(description="None: what holds in the whole country.")] = None,
    on: Annotated[date | None, Query(description="None: today.")] = None,
) -> list[RestrictionView]:
    """Everything that could refuse an order for delivery there, on that day."""
    day = on or business_date(now)
    rows = await queries.restrictions_for(session, on=day, region=region)
    return [_view(row, on=day) for row in rows]


@router.post("", summary="Add an entry", status_code=201, responses=refusals(RestrictionExists, RestrictionContradicts))
async def add(
    body: NewRestriction, caller: Operator, session: SystemSession, now: Now, response: Response
) -> RestrictionView:
    """From its day on listing (if banned) and ordering into its regions are refused with the entry quoted."""
    row = await actions.add_restriction(session, entry=body.as_rule, reason=body.reason, by=caller, at=now)
    response.headers["Location"] = f"/catalog/restrictions/{row.id}"
    return _view(row, on=business_date(now), response=response)


@router.post(
    "/imports", summary="Import a CSV of entries", responses=refusals(RegisterFileRefused), openapi_extra=CSV_BODY
)
async def import_file(
    request: Request,
    caller: Operator,
    session: SystemSession,
    now: Now,
    *,
    dry_run: Annotated[bool, Query(description="Say what would happen, and do nothing.")] = False,
    reason: Annotated[Name | None, Query()] = None,
) -> ImportReport:
    """Rows that cannot be taken are named, the others are; the same file again changes nothing."""
    return await importing.import_restrictions(
        session, body=await request.body(), dry_run=dry_run, reason=reason or "", by=caller, at=now
    )


@router.get("/{restriction_id}", summary="One entry", responses=refusals(RestrictionNotFound))
async def read(restriction_id: UUID, _: Visitor, session: ReadSession, now: Now, response: Response) -> RestrictionView:
    """With the ETag that a correction needs."""
    row = await queries.restriction(session, restriction_id=restriction_id)
    if row is None:
        raise RestrictionNotFound(f"The list has no entry {restriction_id}.")
    return _view(row, on=business_date(now), response=response)


@router.put(
    "/{restriction_id}",
    summary="Correct an entry's last day and wording",
    responses=refusals(RestrictionNotFound, RestrictionContradicts, VersionChanged, VersionNeeded),
)
async def change(
    *,
    restriction_id: UUID,
    body: RestrictionChange,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> RestrictionView:
    """What the entry is about does not change; end it, and add another."""
    row = await actions.change_restriction(
        session,
        restriction_id=restriction_id,
        until_on=body.until_on,
        wording=body.text,
        expected_version=version,
        reason=body.reason,
        by=caller,
        at=now,
    )
    return _view(row, on=business_date(now), response=response)


@router.get("/{restriction_id}/history", summary="Who said what, and when", responses=refusals(RestrictionNotFound))
async def history(restriction_id: UUID, _: Operator, session: ReadSession) -> list[DecisionView]:
    """Append-only, each entry chained to the one before by its hash."""
    rows = await decisions_of(session, register="restriction", subject=str(restriction_id))
    if not rows:
        raise RestrictionNotFound(f"The list has no entry {restriction_id}.")
    return [
        DecisionView(number=row.number, entry=row.entry, hash=bytes(row.hash).hex(), decided_at=row.decided_at)
        for row in rows
    ]
