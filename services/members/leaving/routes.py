"""HTTP of leaving, for a company's own admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from services.members.leaving import actions, queries
from services.members.leaving.actions import (
    AlreadyLeaving,
    LeavingBlocked,
    NotLeaving,
    NotTakingPart,
    SecondPersonNeeded,
)
from services.members.leaving.open_orders import OpenOrdersSource
from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.fields import Answer, Body, Name
from shared.contracts.orders import OpenOrders
from shared.database import ReadSession, SystemSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Credentials, NotYours, OwnAdmin, same_company

router = house_router("/members/companies/{company_id}/leaving", tag="leaving")
_AWAY = (ServiceAway, ServiceUnknown, ServiceRefused)


class LeavingAsked(Body):
    """Why the company leaves; kept, shown to nobody else."""

    reason: Name


class LeavingView(Answer):
    """How far the leaving is."""

    id: UUID
    state: str
    reason: str
    asked_by: UUID
    asked_at: datetime
    notice_until: datetime
    ended_by: UUID | None
    ended_at: datetime | None


async def _open_orders(request: Request, company_id: UUID, caller: OwnAdmin, credentials: Credentials) -> OpenOrders:
    """Asked before the transaction begins (design.md rule 2)."""
    same_company(caller, company_id, what="The company")
    source: OpenOrdersSource = request.app.state.open_orders
    return await source.open_orders(token=credentials.credentials if credentials else "")


AtOrders = Annotated[OpenOrders, Depends(_open_orders)]


@router.post(
    "",
    status_code=201,
    summary="Ask to leave",
    responses=refusals(NotYours, NotTakingPart, AlreadyLeaving, LeavingBlocked, *_AWAY),
)
async def ask(
    company_id: UUID, body: LeavingAsked, caller: OwnAdmin, open_orders: AtOrders, session: WriteSession, *, now: Now
) -> LeavingView:
    """When nothing is open. Another admin confirms at once, or you after seven days; nothing changes before."""
    same_company(caller, company_id, what="The company")
    leaving = await actions.ask_to_leave(
        session, company_id=company_id, reason=body.reason, open_orders=open_orders, caller=caller, at=now
    )
    return LeavingView.model_validate(leaving)


@router.get("", summary="How far the leaving is", responses=refusals(NotYours, NotLeaving))
async def read(company_id: UUID, caller: OwnAdmin, session: ReadSession) -> LeavingView:
    """The last one asked for, whatever became of it."""
    same_company(caller, company_id, what="The company")
    leaving = await queries.latest(session, company_id=company_id)
    if leaving is None:
        raise NotLeaving("The company has not asked to leave.")
    return LeavingView.model_validate(leaving)


@router.post("/withdrawal", summary="Stay after all", responses=refusals(NotYours, NotLeaving))
async def withdraw(company_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now) -> LeavingView:
    """As long as it is not in effect."""
    same_company(caller, company_id, what="The company")
    return LeavingView.model_validate(await actions.withdraw(session, company_id=company_id, caller=caller, at=now))


@router.post(
    "/confirmation",
    summary="Confirm the leaving",
    responses=refusals(NotYours, NotLeaving, NotTakingPart, SecondPersonNeeded, LeavingBlocked, *_AWAY),
)
async def confirm(
    company_id: UUID, caller: OwnAdmin, open_orders: AtOrders, session: SystemSession, now: Now
) -> LeavingView:
    """From here on: sessions and keys end, the supplier's record is closed, no new business. For thirty days the
    company's admins may sign in to fetch its data; what was traded is kept as long as the law asks."""
    same_company(caller, company_id, what="The company")
    leaving = await actions.confirm(session, company_id=company_id, open_orders=open_orders, caller=caller, at=now)
    return LeavingView.model_validate(leaving)
