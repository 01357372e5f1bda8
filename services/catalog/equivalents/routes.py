"""Equivalents over HTTP: contractors propose, a second person decides, everybody sees what is meant for them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import variant_actions
from services.catalog.components.variant_actions import VARIANT_REFUSALS, VariantNotFound
from services.catalog.equivalents import actions, queries
from services.catalog.equivalents.actions import (
    AlreadyProposed,
    EndsBeforeItBegins,
    EquivalentNotFound,
    NoUnitInCommon,
    OperatorDecides,
    SameVariant,
    SecondPersonNeeded,
    StatusForbids,
)
from services.catalog.equivalents.rules import EquivalentStatus
from services.catalog.equivalents.schemas import (
    DecisionBody,
    EquivalentView,
    NewEquivalent,
    SubstituteView,
    WithdrawalBody,
)
from services.catalog.equivalents.tables import Equivalent
from shared.audience import viewer_keys
from shared.clock import business_date
from shared.contracts.fields import QueryText
from shared.database import ReadSession, SystemSession, WriteSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import BUYER_ROLES, Operator, Principal, Requires, Role, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/equivalents", tag="equivalents")

Proposer = Annotated[Principal, Depends(Requires(roles=[*BUYER_ROLES, Role.OPERATOR]))]
Decider = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.APPROVER, Role.ADMIN]))]


async def _views(session: AsyncSession, rows: Sequence[Equivalent]) -> list[EquivalentView]:
    variants = await queries.variants_of(session, rows=rows)
    return [
        EquivalentView.model_validate(
            {**row.model_dump(), "from_key": variants[row.from_id].key, "to_key": variants[row.to_id].key}
        )
        for row in rows
    ]


async def _view(session: AsyncSession, row: Equivalent, response: Response) -> EquivalentView:
    response.headers["ETag"] = etag(row.version)
    return (await _views(session, [row]))[0]


@router.get("", summary="What may stand for a variant", responses=refusals(VariantNotFound, *VARIANT_REFUSALS))
async def substitutes(
    caller: Visitor,
    session: ReadSession,
    now: Now,
    *,
    variant: Annotated[
        QueryText, Query(min_length=1, max_length=2000, examples=["RB-HRB|diameter=20,grade=HRB400,length=12"])
    ],
    on: Annotated[date | None, Query(description="None: today.")] = None,
) -> list[SubstituteView]:
    """Approved ones that hold on the day and are meant for the caller, each with its rule and who approved it."""
    found = await variant_actions.known_variant(session, key=variant)
    keys = viewer_keys() if caller is None else caller.viewer_keys
    shown = await queries.equivalents_of(session, variant_ids=[found.id], viewer=keys, on=on or business_date(now))
    return [SubstituteView.model_validate(each) for each in shown.get(found.id, ())]


@router.post(
    "",
    summary="Propose a substitute",
    status_code=201,
    responses=refusals(*VARIANT_REFUSALS, SameVariant, NoUnitInCommon, EndsBeforeItBegins, AlreadyProposed),
)
async def propose(
    body: NewEquivalent, caller: Proposer, session: WriteSession, now: Now, response: Response
) -> EquivalentView:
    """Until a second person approves it, nobody else sees it; then it is shown, never applied by itself."""
    row = await actions.propose(session, proposal=body.as_proposal, by=caller, at=now)
    return await _view(session, row, response)


@router.get("/own", summary="Your company's equivalents", responses=refusals(CursorInvalid))
async def own(
    caller: Proposer,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    status: EquivalentStatus | None = None,
) -> list[EquivalentView]:
    """In the order they were proposed, in every status."""
    after = paging.after_as(UUID)
    rows = await queries.own_page(
        session, company_id=caller.company, status=status, after=after[0] if after else None, limit=paging.limit + 1
    )
    return await _views(session, paging.page(rows, response, key=lambda row: [row.id]))


@router.get("/for-everyone", summary="What is proposed for everyone", responses=refusals(CursorInvalid))
async def for_everyone(
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    status: EquivalentStatus | None = None,
) -> list[EquivalentView]:
    """Whoever proposed it; for operators, who decide on it."""
    after = paging.after_as(UUID)
    rows = await queries.for_everyone_page(
        session, status=status, after=after[0] if after else None, limit=paging.limit + 1
    )
    return await _views(session, paging.page(rows, response, key=lambda row: [row.id]))


@router.post(
    "/{equivalent_id}/decision",
    summary="Approve or reject one of your company's",
    responses=refusals(
        EquivalentNotFound, OperatorDecides, SecondPersonNeeded, StatusForbids, VersionChanged, VersionNeeded
    ),
)
async def decide(
    *,
    equivalent_id: UUID,
    body: DecisionBody,
    caller: Decider,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> EquivalentView:
    """Somebody else than who proposed it; from then on the company and its group see it."""
    row = await actions.decide(
        session,
        equivalent_id=equivalent_id,
        decision=body.decision,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return await _view(session, row, response)


@router.post(
    "/for-everyone/{equivalent_id}/decision",
    summary="Approve or reject for everyone",
    responses=refusals(EquivalentNotFound, SecondPersonNeeded, StatusForbids, VersionChanged, VersionNeeded),
)
async def decide_for_everyone(
    *,
    equivalent_id: UUID,
    body: DecisionBody,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> EquivalentView:
    """An operator who did not propose it."""
    row = await actions.decide_for_everyone(
        session,
        equivalent_id=equivalent_id,
        decision=body.decision,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return await _view(session, row, response)


@router.post(
    "/{equivalent_id}/withdrawal",
    summary="Take back one of your company's",
    responses=refusals(EquivalentNotFound, StatusForbids, VersionChanged, VersionNeeded),
)
async def withdraw(
    *,
    equivalent_id: UUID,
    body: WithdrawalBody,
    caller: Proposer,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> EquivalentView:
    """It is shown no more. To have it again, propose it anew."""
    row = await actions.withdraw(
        session, equivalent_id=equivalent_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    return await _view(session, row, response)


@router.post(
    "/for-everyone/{equivalent_id}/withdrawal",
    summary="Take away what is for everyone",
    responses=refusals(EquivalentNotFound, StatusForbids, VersionChanged, VersionNeeded),
)
async def withdraw_for_everyone(
    *,
    equivalent_id: UUID,
    body: WithdrawalBody,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> EquivalentView:
    """By an operator, whoever proposed it."""
    row = await actions.withdraw_for_everyone(
        session, equivalent_id=equivalent_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    return await _view(session, row, response)
