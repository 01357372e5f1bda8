"""HTTP of reference dictionaries: importing, browsing, and linking their classes to our types."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification.actions import CodeRefused
from services.catalog.references import actions, queries
from services.catalog.references.actions import (
    ClassNotFound,
    DictionaryNotFound,
    DictionaryVersionExists,
    LinkDecided,
    TypeNotKnown,
    class_named,
)
from services.catalog.references.reading import DictionaryFileRefused, read_dictionary
from services.catalog.references.schemas import (
    ClassSummary,
    ClassView,
    DictionaryView,
    LinkRequest,
    LinkView,
    ReferencePropertyView,
    ReferenceRelationView,
    SuggestionView,
)
from services.catalog.references.tables import ReferenceDictionary
from services.catalog.uploads import queries as upload_queries
from services.catalog.uploads.receiving import FileTooLarge, MediaNotTaken, check_media, received
from services.catalog.uploads.schemas import SHOWN_AT_MOST, UploadView, upload_view
from shared import clock
from shared.contracts.fields import Code, Name, QueryText
from shared.database import Database, ReadSession, SystemSession, transaction
from shared.errors import refusals
from shared.http import MalformedRequest, Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/dictionaries", tag="reference dictionaries")

BYTES_AT_MOST = 32 * 1024 * 1024
ClassCode = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["L-SAB"])]


async def _dictionary(session: AsyncSession, dictionary_id: UUID) -> ReferenceDictionary:
    row = await queries.dictionary(session, dictionary_id=dictionary_id)
    if row is None:
        raise DictionaryNotFound(f"No reference dictionary has the id {dictionary_id}.")
    return row


@router.post(
    "/imports",
    summary="Import a dictionary (bSDD import model, JSON)",
    responses=refusals(MalformedRequest, MediaNotTaken, FileTooLarge, DictionaryFileRefused, DictionaryVersionExists),
    openapi_extra={
        **EXEMPT,
        "x-body-limit": BYTES_AT_MOST,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {
                        "ModelVersion": "2.0",
                        "OrganizationCode": "molio",
                        "DictionaryCode": "cciconstruction",
                        "DictionaryVersion": "1.0",
                        "Classes": [{"Code": "L-SAB", "Name": "Slab", "RelatedIfcEntityNamesList": ["IfcSlab"]}],
                    },
                }
            },
        },
    },
)
async def import_dictionary(
    request: Request,
    caller: Operator,
    dry_run: Annotated[bool, Query(description="Say what would happen and store nothing.")] = False,
    file_name: Annotated[QueryText | None, Query(max_length=200)] = None,
) -> UploadView:
    """Classes, properties, allowed values and relations, at most 32 MB. What can be kept is kept, oddities are told.

    A newer version stands beside the older ones. The same file again changes nothing and answers with what became
    of it then, so this needs no Idempotency-Key. Nothing is linked to our types by an import.
    """
    check_media(request, "application/json")
    database: Database = request.app.state.database
    async with received(request, name=file_name, limit=BYTES_AT_MOST) as file:
        read = await asyncio.to_thread(lambda: read_dictionary(file.file.read()))
        async with transaction(database.system) as session:
            upload, repeated = await actions.import_dictionary(
                session, file=file, read=read, dry_run=dry_run, by=caller, at=clock.now()
            )
            problems = await upload_queries.problems(session, upload_id=upload.id, limit=SHOWN_AT_MOST)
    return upload_view(upload, problems, repeated=repeated)


@router.get("", summary="Reference dictionaries, every version")
async def dictionaries(_: Visitor, session: ReadSession) -> list[DictionaryView]:
    """With their licences and what they hold."""
    return [DictionaryView.model_validate(row) for row in await queries.dictionaries(session)]


@router.get("/{dictionary_id}", summary="One reference dictionary", responses=refusals(DictionaryNotFound))
async def dictionary(dictionary_id: UUID, _: Visitor, session: ReadSession) -> DictionaryView:
    """Version, language, licence, status and counts."""
    return DictionaryView.model_validate(await _dictionary(session, dictionary_id))


@router.get(
    "/{dictionary_id}/classes",
    summary="Classes of a dictionary",
    responses=refusals(MalformedRequest, DictionaryNotFound, CursorInvalid),
)
async def classes(
    dictionary_id: UUID,
    _: Visitor,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    *,
    code: Annotated[Name | None, Query(description="The code, or how it begins.", examples=["L-S"])] = None,
    words: Annotated[Name | None, Query(alias="q", description="Part of a name or definition.")] = None,
    parent: Annotated[Name | None, Query(description="Directly below this class.", examples=["cefc"])] = None,
    top: Annotated[bool, Query(description="Only classes without a parent.")] = False,
    ifc: Annotated[Name | None, Query(description="Related to this IFC entity.", examples=["IfcSlab"])] = None,
) -> list[ClassSummary]:
    """Those that fit every filter, in the dictionary's order."""
    await _dictionary(session, dictionary_id)
    after = paging.after_as(int)
    rows = await queries.classes_page(
        session,
        dictionary_id=dictionary_id,
        code=code,
        words=words,
        parent=parent,
        top=top,
        ifc=ifc,
        after=after[0] if after else None,
        limit=paging.limit,
    )
    return [ClassSummary.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.sort])]


@router.get(
    "/{dictionary_id}/classes/{code}",
    summary="One class of a dictionary",
    responses=refusals(MalformedRequest, DictionaryNotFound, ClassNotFound),
)
async def reference_class(dictionary_id: UUID, code: ClassCode, _: Visitor, session: ReadSession) -> ClassView:
    """Its own properties with their allowed values, its relations, what stands above it, and which types it is."""
    _dictionary_row, found = await class_named(session, dictionary_id=dictionary_id, code=code)
    properties = await queries.class_properties(session, dictionary_id=dictionary_id, code=found.code)
    return ClassView(
        **found.model_dump(),
        ancestors=list(await queries.ancestors(session, dictionary_id=dictionary_id, code=found.code)),
        properties=[
            ReferencePropertyView(
                **each.model_dump(),
                name=None if general is None else general.name,
                data_type=None if general is None else general.data_type,
            )
            for each, general in properties
        ],
        relations=[
            ReferenceRelationView.model_validate(each)
            for each in await queries.class_relations(session, dictionary_id=dictionary_id, code=found.code)
        ],
        links=[
            LinkView.model_validate(each)
            for each in await queries.links_of_class(session, dictionary_id=dictionary_id, code=found.code)
        ],
    )


@router.get(
    "/{dictionary_id}/suggestions",
    summary="Classes that may be our types, for an operator to decide",
    responses=refusals(MalformedRequest, DictionaryNotFound, CursorInvalid),
)
async def suggestions(
    dictionary_id: UUID,
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    type_code: Annotated[Code | None, Query(alias="type", examples=["PC-SLAB"])] = None,
) -> list[SuggestionView]:
    """Undecided pairs that share an IFC entity (`IfcSlabStandardCase` counts as `IfcSlab`)."""
    await _dictionary(session, dictionary_id)
    after = paging.after_as(str, str)
    rows = await queries.suggestions(
        session,
        dictionary_id=dictionary_id,
        type_code=type_code,
        after=None if after is None else (after[0], after[1]),
        limit=paging.limit,
    )
    shown = paging.page(rows, response, key=lambda row: [row.class_code, row.type_code])
    return [SuggestionView.model_validate(row) for row in shown]


@router.post(
    "/{dictionary_id}/links",
    status_code=201,
    summary="Decide whether a class is one of our types",
    responses=refusals(
        MalformedRequest,
        DictionaryNotFound,
        ClassNotFound,
        TypeNotKnown,
        LinkDecided,
        CodeRefused,
        IdempotencyKeyMissing,
        IdempotencyKeyReused,
        RequestStillRunning,
    ),
)
async def link(
    dictionary_id: UUID, body: LinkRequest, caller: Operator, session: SystemSession, *, now: Now
) -> LinkView:
    """Accepted, the class becomes a code of the type (system and edition of the dictionary); rejected, it is not
    suggested again. Any class can be linked, suggested or not."""
    row = await actions.decide_link(
        session,
        dictionary_id=dictionary_id,
        class_code=body.class_code,
        type_code=body.type_code,
        relation=body.relation if body.accept else None,
        reason=body.reason,
        by=caller,
        at=now,
    )
    return LinkView.model_validate(row)
