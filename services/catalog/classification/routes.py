"""HTTP of classification codes and their systems."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from services.catalog.classification import actions, importing, queries
from services.catalog.classification.actions import (
    CodeNotFound,
    CodeOfTheDictionary,
    CodeRefused,
    CodeSystemExists,
    PatternMalformed,
)
from services.catalog.classification.importing import BYTES_AT_MOST, CodeFileRefused
from services.catalog.classification.rules import CodeFault, code_row
from services.catalog.classification.schemas import (
    CodeEventView,
    CodeRequest,
    CodeRetirement,
    CodeSystemRequest,
    CodeSystemView,
    CodeView,
)
from services.catalog.classification.tables import System
from services.catalog.uploads import queries as upload_queries
from services.catalog.uploads.receiving import FileTooLarge, MediaNotTaken, check_media, received
from services.catalog.uploads.schemas import SHOWN_AT_MOST, UploadView, upload_view
from shared import clock
from shared.contracts.fields import Code, Name, QueryText
from shared.database import Database, ReadSession, SystemSession, transaction
from shared.errors import FieldError, Unprocessable, refusals
from shared.http import MalformedRequest, Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog", tag="classification")

_ONCE = (IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning)


class UnknownCodeSystem(Unprocessable):
    """There is no such code system; GET /catalog/code-systems lists them."""


@router.get("/code-systems", summary="Code systems: whose codes, under which licence, of which shape")
async def code_systems(_: Visitor, session: ReadSession) -> list[CodeSystemView]:
    """Every system whose codes find component types."""
    return [CodeSystemView.model_validate(row) for row in await queries.systems(session)]


@router.post(
    "/code-systems",
    status_code=201,
    summary="Open a code system",
    responses=refusals(MalformedRequest, PatternMalformed, CodeSystemExists, *_ONCE),
)
async def add_code_system(
    body: CodeSystemRequest, caller: Operator, session: SystemSession, now: Now
) -> CodeSystemView:
    """Its codes can be added from now on; a system is never removed."""
    new = System(**body.model_dump(), created_by=caller.subject, created_by_name=caller.name, created_at=now)
    return CodeSystemView.model_validate(await actions.add_system(session, new=new))


@router.get(
    "/codes",
    summary="Find component types by a code of any system",
    responses=refusals(MalformedRequest, UnknownCodeSystem),
)
async def codes(
    _: Visitor,
    session: ReadSession,
    code: Annotated[Name, Query(examples=["IfcSlab.FLOOR"], description="Case does not matter.")],
    system: Annotated[Code | None, Query(examples=["IFC"], description="Case does not matter.")] = None,
    edition: Annotated[
        QueryText | None, Query(max_length=40, examples=["IFC4X3"], description="Codes of all editions fit, too.")
    ] = None,
) -> list[CodeView]:
    """Own codes, IFC entities (with or without a predefined type), GB/T, CCI, UNSPSC, ETIM … each find their types.

    A code nobody uses finds nothing: an empty list. Retired codes find nothing.
    """
    named = None
    if system is not None:
        known = await queries.system_named(session, code=system)
        if known is None:
            error = FieldError(field="system", rule="UnknownCodeSystem", message="no such code system")
            raise UnknownCodeSystem(f"There is no code system {system!r}.", errors=[error])
        named = known.code
    rows = await queries.codes_matching(session, code=code, system=named, edition=edition)
    return [CodeView.model_validate(row) for row in rows]


@router.post(
    "/codes",
    status_code=201,
    summary="Add a code to a type",
    responses=refusals(MalformedRequest, CodeRefused, *_ONCE),
)
async def add_code(body: CodeRequest, caller: Operator, session: SystemSession, now: Now) -> CodeView:
    """Adding it again changes nothing; a retired one is taken up again. Who did it and when is kept."""
    row = code_row(body.model_dump(mode="json"))
    if isinstance(row, CodeFault):
        raise CodeRefused(row.message, errors=[FieldError(field=row.field, rule=row.code, message=row.message)])
    return CodeView.model_validate(await actions.add_code(session, row=row, by=caller, at=now))


@router.post(
    "/codes/retirements",
    summary="Retire a code of a type",
    responses=refusals(MalformedRequest, CodeNotFound, CodeOfTheDictionary, *_ONCE),
)
async def retire_code(body: CodeRetirement, caller: Operator, session: SystemSession, now: Now) -> CodeView:
    """It finds its type no longer and stays on record. Codes a type's definition names go by a proposal."""
    row = await actions.retire_code(session, **body.model_dump(), by=caller, at=now)
    return CodeView.model_validate(row)


@router.get(
    "/codes/events", summary="Who added, changed and retired codes, the newest first", responses=refusals(CursorInvalid)
)
async def code_events(
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    type_code: Annotated[Code | None, Query(alias="type")] = None,
) -> list[CodeEventView]:
    """Of one type, or of all."""
    after = paging.after_as(UUID)
    rows = await queries.events_page(
        session, type_code=type_code, before=after[0] if after else None, limit=paging.limit
    )
    return [CodeEventView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.post(
    "/codes/imports",
    summary="Add codes from a CSV file",
    responses=refusals(MalformedRequest, MediaNotTaken, FileTooLarge, CodeFileRefused),
    openapi_extra={
        **EXEMPT,
        "x-body-limit": BYTES_AT_MOST,
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "system,edition,code,type_code,relation\nGB/T 51269,2017,30-13.10.10,PC-SLAB,primary\n",
                }
            },
        },
    },
)
async def import_codes(
    request: Request,
    caller: Operator,
    dry_run: Annotated[bool, Query(description="Say what would happen and change nothing.")] = False,
    file_name: Annotated[QueryText | None, Query(max_length=200)] = None,
) -> UploadView:
    """Columns system, edition, code, type_code, relation; UTF-8 or GB18030; at most 32 MB and 200,000 rows.

    Rows are judged one by one: good ones are taken, bad ones told with line, field and rule (`problems.csv` of the
    upload). The same file again changes nothing and answers with what became of it then, so this needs no
    Idempotency-Key.
    """
    check_media(request, "text/csv")
    database: Database = request.app.state.database
    async with received(request, name=file_name, limit=BYTES_AT_MOST) as file:
        read = await asyncio.to_thread(importing.read_codes, file)
        async with transaction(database.system) as session:
            upload, repeated = await importing.import_codes(
                session, file=file, codes=read, dry_run=dry_run, by=caller, at=clock.now()
            )
            problems = await upload_queries.problems(session, upload_id=upload.id, limit=SHOWN_AT_MOST)
    return upload_view(upload, problems, repeated=repeated)
