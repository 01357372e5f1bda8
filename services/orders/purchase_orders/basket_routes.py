"""HTTP of baskets: placing one, and reading it again."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.orders.projects.actions import DeliveryPointNotFound, ProjectNotFound
from services.orders.purchase_orders import queries
from services.orders.purchase_orders.codes import CatalogAway, CodesNotMeant
from services.orders.purchase_orders.documents import AmountTooLarge
from services.orders.purchase_orders.placement import (
    BasketMalformed,
    BasketRefused,
    DeliveryPointClosed,
    MembersAway,
    Placement,
    ProjectNotActive,
    Purchase,
    ReservationExpired,
    ReservationOver,
    ReservationUnknown,
    SuppliersAway,
)
from services.orders.purchase_orders.views import basket_view
from shared.contracts.orders import LINES_AT_MOST, BasketBody, BasketPlacement
from shared.database import ReadSession
from shared.errors import NotFound, Unprocessable, refusals
from shared.http import Now, json_response
from shared.http import router as house_router
from shared.idempotency import (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    RequestStillRunning,
    hash_of,
    key_of,
)
from shared.identity import Buyer, Purchaser

router = house_router("/orders/baskets", tag="baskets")


class TooManyLines(Unprocessable):
    """A basket has at most 10,000 lines; place several baskets."""


class BasketNotFound(NotFound):
    """Your company has no such basket."""


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with its definitions in place: the body is read by hand and has no component of its own."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rpartition("/")[2]])
            return {name: resolve(value) for name, value in node.items()}
        return [resolve(each) for each in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


_EXAMPLE = {
    "project_id": "019ab3c0-0000-7000-8000-000000000001",
    "delivery_point_id": "019ab3c0-0000-7000-8000-000000000002",
    "currency": "CNY",
    "instructions": "卸货用塔吊, 08:00-10:00",
    "lines": [
        {
            "offer_id": "019ab3c0-0000-7000-8000-000000000003",
            "quantity": "22.500",
            "unit": "t",
            "need_by": "2026-12-15",
            "cost_code": "01-02-REBAR",
        }
    ],
}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": _inlined(BasketBody.model_json_schema()), "example": _EXAMPLE}},
}


def _parsed(raw: bytes) -> BasketBody:
    """The body, read in one pass.

    Raises:
        TooManyLines, RequestValidationError.
    """
    try:
        return BasketBody.model_validate_json(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        if any(problem["type"] == "too_long" and problem["loc"] == ("lines",) for problem in problems):
            raise TooManyLines(
                f"A basket has at most {LINES_AT_MOST} lines; place several baskets.", limit=LINES_AT_MOST
            ) from error
        raise RequestValidationError([{**problem, "loc": ("body", *problem["loc"])} for problem in problems]) from error


@router.post(
    "",
    status_code=201,
    summary="Place a basket: reserve goods and order them",
    response_model=BasketPlacement,
    responses=refusals(
        IdempotencyKeyMissing,
        TooManyLines,
        BasketMalformed,
        IdempotencyKeyReused,
        ProjectNotFound,
        DeliveryPointNotFound,
        ProjectNotActive,
        DeliveryPointClosed,
        BasketRefused,
        CodesNotMeant,
        AmountTooLarge,
        RequestStillRunning,
        ReservationOver,
        ReservationExpired,
        ReservationUnknown,
        SuppliersAway,
        MembersAway,
        CatalogAway,
    ),
    openapi_extra={"requestBody": _BODY},
)
async def place_basket(request: Request, caller: Purchaser, now: Now) -> Response:
    """Orders lines of any number of suppliers, all or none: one purchase order for each supplier.

    Goods are reserved first, with prices frozen, then the orders are written. The same Idempotency-Key again gets
    the same answer and never a second order. After `503` repeat with the same key: there is one order or none.
    """
    raw = await request.body()
    placement: Placement = request.app.state.placement
    purchase = Purchase(caller=caller, key=key_of(request), hash=hash_of(request, raw), body=_parsed(raw), at=now)
    return await placement.place(purchase)


@router.get(
    "/{basket_id}",
    summary="A basket and its purchase orders",
    response_model=BasketPlacement,
    responses=refusals(BasketNotFound),
)
async def read_basket(basket_id: UUID, caller: Buyer, session: ReadSession) -> Response:
    """The basket as it stands now."""
    basket = await queries.basket(session, buyer_id=caller.company, basket_id=basket_id)
    if basket is None:
        raise BasketNotFound(f"There is no basket {basket_id}.")
    orders = await queries.orders_of_basket(session, buyer_id=caller.company, basket_id=basket_id)
    lines = await queries.lines_of(session, orders=orders)
    pending = await queries.pending_changes(session, orders=orders)
    codes = await queries.codes_of(session, orders=orders)
    return json_response(basket_view(basket, orders, lines=lines, pending=pending, codes=codes))
