"""Reservations over HTTP, for `orders`; and for operators the proof that stock and reservations agree."""

import asyncio
from typing import Annotated

from fastapi import Query, Request, Response

from services.suppliers.reservations import actions, queries
from services.suppliers.reservations.desk import ReservationDesk, ReservationsBusy, asked
from shared.contracts.reservations import (
    ReleaseAnswer,
    ReleaseRequest,
    ReleaseResult,
    ReserveAnswer,
    ReserveRequest,
    StockDrift,
)
from shared.database import SystemSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT
from shared.identity import Operator, Reserver

router = house_router("/suppliers", tag="reservations")


def _desk(request: Request) -> ReservationDesk:
    state = request.app.state
    if not hasattr(state, "reservation_desk"):
        state.reservation_desk = ReservationDesk(state.database)
    desk: ReservationDesk = state.reservation_desk
    return desk


@router.post(
    "/reservations",
    summary="Hold the goods of baskets, each whole or not at all",
    response_model=ReserveAnswer,
    responses=refusals(ReservationsBusy),
    openapi_extra=EXEMPT,
)
async def reserve(request: Request, body: ReserveRequest, _: Reserver, now: Now) -> Response:
    """Hold every line of a basket, or none, with every reason of every line.

    Safe to repeat without an Idempotency-Key: the reservation id names the intent, and the same id with the same
    content gets the same answer with the reservation's present state. Prices in the answer are frozen.
    """
    desk = _desk(request)
    results = await asyncio.gather(*(desk.baskets.submit(asked(basket, at=now)) for basket in body.baskets))
    return Response(b'{"results":[' + b",".join(results) + b"]}", media_type="application/json")


# The suppliers whose stock comes back are known only after reading, and the caller is a service: no one company.
@router.post("/reservations/release", summary="Let go what no order takes", openapi_extra=EXEMPT)
async def release(body: ReleaseRequest, _: Reserver, session: SystemSession, now: Now) -> ReleaseAnswer:
    """Give back held goods. Harmless to repeat, and for reservations that an order has taken."""
    states = await actions.release(session, reservation_ids=body.reservation_ids, at=now)
    return ReleaseAnswer(
        results=[ReleaseResult(reservation_id=id_, state=states.get(id_)) for id_ in body.reservation_ids]
    )


@router.get("/operations/stock-drift", summary="Stock rows whose reserved goods are not those of their reservations")
async def stock_drift(
    _: Operator, session: SystemSession, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[StockDrift]:
    """Empty, or something is wrong: every row's `reserved` is the sum of its live reservation lines."""
    rows = await queries.stock_drift(session, limit=limit)
    return [StockDrift.model_validate(row) for row in rows]
