"""The register of standards over HTTP: operators keep it, everybody reads it."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response

from services.catalog.standards import actions, importing, queries, rules
from services.catalog.standards.actions import (
    EditionContradicts,
    EditionExists,
    EditionIsAnother,
    EditionNotFound,
    SecondPersonReopens,
)
from services.catalog.standards.files import FILE_BYTES_AT_MOST, RegisterFileRefused
from services.catalog.standards.record import decisions_of
from services.catalog.standards.rules import EditionStatus
from services.catalog.standards.schemas import (
    DecisionView,
    Designation,
    EditionView,
    ImportReport,
    NewEdition,
    Withdrawal,
)
from services.catalog.standards.tables import StandardEdition
from shared.clock import business_date
from shared.contracts.fields import Name, QueryText
from shared.contracts.standards import StandardKind
from shared.database import ReadSession, SystemSession
from shared.designations import edition_key
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/standards", tag="standards")

OnDay = Annotated[date | None, Query(description="Status on this day; none: today.")]
_PATH = Path(max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["GB 1499.2-2024"])
CSV_BODY = {
    "x-body-limit": FILE_BYTES_AT_MOST,
    "requestBody": {
        "required": True,
        "description": f"CSV, UTF-8 or GB18030. Columns: {', '.join(importing.COLUMNS)} (or 标准号, 标准名称, …).",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    },
}


def _view(row: StandardEdition, *, on: date, response: Response | None = None) -> EditionView:
    if response is not None:
        response.headers["ETag"] = etag(row.version)
    status = rules.status_on(effective_on=row.effective_on, withdrawn_on=row.withdrawn_on, on=on)
    return EditionView.model_validate({**row.model_dump(), "status": status})


@router.get("", summary="Editions of standards", responses=refusals(CursorInvalid))
async def editions(
    _: Visitor,
    session: ReadSession,
    paging: PageQuery,
    now: Now,
    response: Response,
    *,
    q: Annotated[QueryText | None, Query(max_length=200, description="Part of a designation or title.")] = None,
    number: Annotated[
        QueryText | None, Query(max_length=100, description="Every edition of one number.", examples=["GB 1499.2"])
    ] = None,
    kind: StandardKind | None = None,
    status: EditionStatus | None = None,
    on: OnDay = None,
) -> list[EditionView]:
    """By designation; with `status` those that are coming, in force or withdrawn on a day."""
    day = on or business_date(now)
    rows = await queries.editions_page(
        session,
        words=q,
        number_key=None if number is None else edition_key(number),
        kind=kind,
        status=status,
        on=day,
        after=paging.after_as(str)[0] if paging.after else None,  # type: ignore[index]
        limit=paging.limit + 1,
    )
    return [_view(row, on=day) for row in paging.page(rows, response, key=lambda row: [row.key])]


@router.post("", summary="Register an edition", status_code=201, responses=refusals(EditionExists, EditionContradicts))
async def register(
    body: NewEdition, caller: Operator, session: SystemSession, now: Now, response: Response
) -> EditionView:
    """An edition as a document tells it; with its withdrawal, when that is known already."""
    row = await actions.register_edition(session, edition=body.as_rule, reason=body.reason, by=caller, at=now)
    response.headers["Location"] = f"/catalog/standards/{row.key}"
    return _view(row, on=business_date(now), response=response)


@router.post(
    "/withdrawals",
    summary="Withdraw an edition from a day on",
    responses=refusals(EditionNotFound, EditionContradicts, SecondPersonReopens, VersionChanged, VersionNeeded),
)
async def withdraw(
    *,
    body: Withdrawal,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> EditionView:
    """From that day offers made to it need an update, and no new order takes them; what is ordered goes on. Once the
    day has come, another operator than who set it puts it off."""
    row = await actions.withdraw_edition(
        session,
        key=edition_key(body.designation),
        withdrawn_on=body.withdrawn_on,
        replaced_by=body.replaced_by,
        source=body.source,
        expected_version=version,
        reason=body.reason,
        by=caller,
        at=now,
    )
    return _view(row, on=business_date(now), response=response)


@router.post(
    "/imports",
    summary="Import a CSV of editions",
    responses=refusals(RegisterFileRefused),
    openapi_extra=CSV_BODY,
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
    """Rows that cannot be taken are named, the others are; an empty cell leaves what is known. Again: nothing."""
    return await importing.import_editions(
        session, body=await request.body(), dry_run=dry_run, reason=reason or "", by=caller, at=now
    )


@router.get("/history", summary="Who said what of an edition, and when", responses=refusals(EditionNotFound))
async def history(
    _: Operator, session: ReadSession, designation: Annotated[Designation, Query(max_length=100)]
) -> list[DecisionView]:
    """Append-only, each entry chained to the one before by its hash."""
    rows = await decisions_of(session, register="standard", subject=edition_key(designation))
    if not rows:
        raise EditionNotFound(f"The register has no edition {designation}.")
    return [
        DecisionView(number=row.number, entry=row.entry, hash=bytes(row.hash).hex(), decided_at=row.decided_at)
        for row in rows
    ]


@router.get("/{designation:path}", summary="One edition", responses=refusals(EditionNotFound))
async def edition(
    designation: Annotated[str, _PATH], _: Visitor, session: ReadSession, now: Now, response: Response
) -> EditionView:
    """However it is written: blanks, full-width signs and capitals do not matter."""
    row = await queries.edition(session, key=edition_key(designation))
    if row is None:
        raise EditionNotFound(f"The register has no edition {designation[:100]}.")
    return _view(row, on=business_date(now), response=response)


@router.put(
    "/{designation:path}",
    summary="Say anew what an edition is",
    responses=refusals(
        EditionNotFound, EditionIsAnother, EditionContradicts, SecondPersonReopens, VersionChanged, VersionNeeded
    ),
)
async def change(
    *,
    designation: Annotated[str, _PATH],
    body: NewEdition,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> EditionView:
    """All of it: what is left out is no longer said. A withdrawal that was a mistake goes away so."""
    row = await actions.change_edition(
        session,
        key=edition_key(designation),
        edition=body.as_rule,
        expected_version=version,
        reason=body.reason,
        by=caller,
        at=now,
    )
    return _view(row, on=business_date(now), response=response)
