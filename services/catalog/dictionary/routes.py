"""HTTP of the dictionary: proposals and their review, versions, and differences between them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from services.catalog.components import queries as component_queries
from services.catalog.dictionary import actions, queries
from services.catalog.dictionary.actions import (
    NotYourProposal,
    ProposalNotFound,
    ProposalOutdated,
    ProposalSettled,
    ProposalUnsound,
    SecondPersonNeeded,
)
from services.catalog.dictionary.schemas import (
    DictionaryDifference,
    DictionaryVersionView,
    ProposalRequest,
    ProposalSummary,
    ProposalView,
    Return,
    SpecificationView,
    TypeDifference,
    TypeVersionView,
)
from services.catalog.dictionary.tables import Proposal
from services.catalog.dictionary.views import dictionary_difference, proposal_summary, proposal_view, type_difference
from shared.database import ReadSession, SystemSession
from shared.errors import NotFound, refusals
from shared.http import ExpectedVersion, MalformedRequest, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.idempotency import IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog", tag="dictionary")

_ONCE = (IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning)
_SEEN = (VersionNeeded, VersionChanged)
Number = Annotated[int, Query(ge=1, le=2**31 - 1)]
Code = Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["RB-HRB"])]


class VersionNotFound(NotFound):
    """The dictionary, or the type, has no such version."""


class SpecificationNotFound(NotFound):
    """No variant has this specification."""


def _changes(body: ProposalRequest) -> list[dict[str, Any]]:
    return [
        {"publish": each.publish.as_entry}
        if hasattr(each, "publish")
        else {"deprecate": each.deprecate.model_dump(mode="json")}
        for each in body.changes
    ]


async def _answer(session: SystemSession, response: Response, proposal: Proposal) -> ProposalView:
    response.headers["ETag"] = etag(proposal.revision)
    return await proposal_view(session, proposal)


@router.post(
    "/dictionary/proposals",
    status_code=201,
    summary="Propose changes to the dictionary",
    responses=refusals(MalformedRequest, ProposalUnsound, *_ONCE),
)
async def propose(
    body: ProposalRequest, caller: Operator, session: SystemSession, response: Response, now: Now
) -> ProposalView:
    """New types, new versions of types, deprecations with a successor. Nothing changes before a second person agrees.

    A property and a value that were published are never removed and never mean something else: they are deprecated
    (`deprecated`, `retired`) with a successor. A type's code, kinds, units and base unit stay.
    """
    proposal = await actions.propose(
        session, title=body.title, note=body.note, changes=_changes(body), by=caller, at=now
    )
    return await _answer(session, response, proposal)


@router.get("/dictionary/proposals", summary="Proposals, the newest first", responses=refusals(CursorInvalid))
async def proposals(
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    state: Annotated[Literal["PROPOSED", "RETURNED", "PUBLISHED", "WITHDRAWN"] | None, Query()] = None,
) -> list[ProposalSummary]:
    """Those in one state, or all."""
    after = paging.after_as(UUID)
    rows = await queries.proposals_page(session, state=state, before=after[0] if after else None, limit=paging.limit)
    return [proposal_summary(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.get("/dictionary/proposals/{proposal_id}", summary="One proposal", responses=refusals(ProposalNotFound))
async def proposal(proposal_id: UUID, _: Operator, session: SystemSession, response: Response) -> ProposalView:
    """Its changes, what differs from what is published, and who did what to it."""
    row = await queries.proposal(session, proposal_id=proposal_id)
    if row is None:
        raise ProposalNotFound(f"No proposal has the id {proposal_id}.")
    return await _answer(session, response, row)


@router.put(
    "/dictionary/proposals/{proposal_id}",
    summary="Revise a proposal",
    responses=refusals(MalformedRequest, ProposalNotFound, NotYourProposal, ProposalSettled, ProposalUnsound, *_SEEN),
)
async def revise(
    *,
    proposal_id: UUID,
    body: ProposalRequest,
    caller: Operator,
    expected: ExpectedVersion,
    session: SystemSession,
    response: Response,
    now: Now,
) -> ProposalView:
    """Other changes in place of those proposed or returned; they wait for review again."""
    row = await actions.revise(
        session,
        proposal_id=proposal_id,
        expected=expected,
        title=body.title,
        note=body.note,
        changes=_changes(body),
        by=caller,
        at=now,
    )
    return await _answer(session, response, row)


@router.post(
    "/dictionary/proposals/{proposal_id}/return",
    summary="Return a proposal with the reason",
    responses=refusals(MalformedRequest, ProposalNotFound, SecondPersonNeeded, ProposalSettled, *_SEEN, *_ONCE),
)
async def send_back(
    *,
    proposal_id: UUID,
    body: Return,
    caller: Operator,
    expected: ExpectedVersion,
    session: SystemSession,
    response: Response,
    now: Now,
) -> ProposalView:
    """Who proposed it may revise it; a second person decides."""
    row = await actions.send_back(
        session, proposal_id=proposal_id, expected=expected, reason=body.reason, by=caller, at=now
    )
    return await _answer(session, response, row)


@router.post(
    "/dictionary/proposals/{proposal_id}/approval",
    summary="Approve a proposal: it becomes the next version of the dictionary",
    responses=refusals(
        ProposalNotFound, SecondPersonNeeded, ProposalSettled, ProposalOutdated, ProposalUnsound, *_SEEN, *_ONCE
    ),
)
async def approve(
    *,
    proposal_id: UUID,
    caller: Operator,
    expected: ExpectedVersion,
    session: SystemSession,
    response: Response,
    now: Now,
) -> ProposalView:
    """By another operator than who proposed it. All changes are published together, each told as an event."""
    row = await actions.approve(session, proposal_id=proposal_id, expected=expected, by=caller, at=now)
    return await _answer(session, response, row)


@router.post(
    "/dictionary/proposals/{proposal_id}/withdrawal",
    summary="Withdraw a proposal",
    responses=refusals(ProposalNotFound, NotYourProposal, ProposalSettled, *_SEEN, *_ONCE),
)
async def withdraw(
    *,
    proposal_id: UUID,
    caller: Operator,
    expected: ExpectedVersion,
    session: SystemSession,
    response: Response,
    now: Now,
) -> ProposalView:
    """For good; it stays on record."""
    row = await actions.withdraw(session, proposal_id=proposal_id, expected=expected, by=caller, at=now)
    return await _answer(session, response, row)


@router.get(
    "/dictionary/versions", summary="Versions of the dictionary, the newest first", responses=refusals(CursorInvalid)
)
async def dictionary_versions(
    _: Visitor, session: ReadSession, paging: PageQuery, response: Response
) -> list[DictionaryVersionView]:
    """Each publication that changed something: first the taxonomy we ship, then reviewed proposals."""
    after = paging.after_as(int)
    rows = await queries.dictionary_versions_page(session, before=after[0] if after else None, limit=paging.limit)
    return [
        DictionaryVersionView(**row.model_dump(), types=types)
        for row, types in paging.page(rows, response, key=lambda pair: [pair[0].version])
    ]


@router.get(
    "/dictionary/diff",
    summary="What differs between two versions of the dictionary",
    responses=refusals(MalformedRequest, VersionNotFound),
)
async def dictionary_diff(
    _: Visitor,
    session: ReadSession,
    *,
    before: Annotated[Number, Query(alias="from")],
    after: Annotated[Number, Query(alias="to")],
) -> DictionaryDifference:
    """Types added, changed and deprecated, with every difference; `to` is the later one."""
    newest = await component_queries.newest_dictionary_version(session)
    if not before <= after <= newest:
        raise VersionNotFound(f"Name versions from 1 to {newest}, the earlier one as `from`.")
    return await dictionary_difference(session, before=before, after=after)


@router.get("/types/{code}/versions", summary="Versions of a component type", responses=refusals(VersionNotFound))
async def type_versions(code: Code, _: Visitor, session: ReadSession) -> list[TypeVersionView]:
    """Every published one, the newest first."""
    rows = await queries.versions_of_type(session, code=code.upper())
    if not rows:
        raise VersionNotFound(f"No component type has the code {code!r}.")
    return [TypeVersionView.model_validate(row) for row in rows]


@router.get(
    "/types/{code}/diff",
    summary="What differs between two versions of a component type",
    responses=refusals(MalformedRequest, VersionNotFound),
)
async def type_diff(
    code: Code,
    _: Visitor,
    session: ReadSession,
    *,
    before: Annotated[Number, Query(alias="from")],
    after: Annotated[Number, Query(alias="to")],
) -> TypeDifference:
    """Names, units, properties, allowed values, codes, standards and all else, each before and after."""
    key = code.upper()
    definitions = await queries.definitions_of(session, versions=[(key, before), (key, after)])
    if len(definitions) < len({before, after}):
        raise VersionNotFound(f"{code!r} has no version {before} or {after}.")
    return type_difference(
        definitions[key, before], definitions[key, after], version_before=before, version_after=after
    )


@router.get(
    "/specifications/{spec_hash}",
    summary="What a specification hash stands for",
    responses=refusals(MalformedRequest, SpecificationNotFound),
)
async def specification(
    spec_hash: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="As an order line has it.")],
    _: Visitor,
    session: ReadSession,
) -> SpecificationView:
    """The type, its version, the version of the dictionary and the identity values that an order line froze.

    The hash is SHA-256 over type, version and values, so none of them can change behind an order's back.
    """
    variant = await queries.variant_by_spec_hash(session, spec_hash=spec_hash)
    row = None if variant is None else await component_queries.type_by_code(session, code=variant.type_code)
    if variant is None or row is None:
        raise SpecificationNotFound(f"No variant has the specification {spec_hash}.")
    version = await queries.dictionary_version_of(session, code=row.code, type_version=variant.type_version)
    return SpecificationView(
        spec_hash=spec_hash,
        variant=variant.snapshot,
        dictionary_version=version,
        type_version_now=row.version,
        type_status=row.status,
        successor=row.successor,
    )


@router.get(
    "/types/{code}/document",
    summary="A component type as a document, to propose the next version from",
    responses=refusals(MalformedRequest, VersionNotFound),
)
async def type_document(
    code: Code,
    _: Visitor,
    session: ReadSession,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> dict[str, Any]:
    """Edit it and send it back as `publish` of a proposal."""
    row = await component_queries.type_by_code(session, code=code.upper())
    wanted = version if version is not None or row is None else row.version
    definitions = {} if wanted is None else await queries.definitions_of(session, versions=[(code.upper(), wanted)])
    if not definitions:
        raise VersionNotFound(f"{code!r} has no such version.")
    return dict(next(iter(definitions.values())))
