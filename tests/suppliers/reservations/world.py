"""A small market: suppliers with offers and stock, buyers who ask for them over HTTP."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import FastAPI
from sqlalchemy import CursorResult, text

from services.suppliers.reservations.routes import router
from shared.clock import business_date
from shared.database import Database, transaction
from shared.feed import Event
from shared.follower import FeedPage
from shared.http import create_service
from shared.identity import Scope, Verifier
from shared.ids import new_id
from shared.operations import operations_router
from shared.settings import ServiceSettings
from tests.conftest import a_service, signed_in

RESERVER = signed_in(a_service(Scope.RESERVATIONS_WRITE))
NEVER = date(2099, 1, 1)


@dataclass(frozen=True, kw_only=True)
class AnOffer:
    """What a test knows of an offer it made."""

    id: UUID
    supplier_id: UUID
    item_no: str
    stock_point: str | None


@dataclass
class Market:
    """Makes suppliers and offers in a database of `suppliers`."""

    database: Database
    names: list[str] = field(default_factory=list)

    async def run(self, statement: str, **values: Any) -> Any:
        async with transaction(self.database.system) as session:
            result = await session.execute(text(statement), values)
            return result.all() if isinstance(result, CursorResult) and result.returns_rows else None

    async def a_supplier(self, *, status: str = "QUALIFIED", until: date | None = None, regions: Sequence[str] = ()):
        supplier_id = new_id()
        await self.run(
            "INSERT INTO suppliers VALUES (:id, :name, :tax_id, :status, '{rebar}', CAST(:regions AS text[]), :until, "
            "1, now(), now())",
            id=supplier_id,
            name=f"Supplier {supplier_id.hex[-6:]}",
            tax_id=f"TAX{supplier_id.hex[-10:]}",
            status=status,
            regions=list(regions),
            until=until,
        )
        await self.run(
            "INSERT INTO known_variants VALUES ('RB-HRB|diameter=20', :id, 'RB-HRB', 'rebar', '螺纹钢', 'Rebar', "
            "'t', 3, CAST(:factors AS jsonb), CAST(:decimals AS jsonb), 'ab12', '{}', now()) ON CONFLICT DO NOTHING",
            factors='{"t": "1", "kg": "0.001", "piece": "0.02964"}',
            decimals='{"t": 3, "kg": 0, "piece": 0}',
            id=new_id(),
        )
        return supplier_id

    async def an_offer(self, supplier_id: UUID | None = None, *, on_hand: str | None = "1000", **changes: Any):
        """An offer of a new item per ton; `on_hand` None: made to order. `changes` are columns."""
        supplier_id = supplier_id or await self.a_supplier()
        made = AnOffer(
            id=new_id(),
            supplier_id=supplier_id,
            item_no=changes.pop("item_no", f'ITEM "{new_id().hex[-8:]}" \\1'),
            stock_point=None if on_hand is None else "main",
        )
        await self.run(
            "INSERT INTO items SELECT :supplier, :item_no, :id, id, key, type_code, category, name_zh, name_en, "
            "'沙钢', 't', 3, :status, now() FROM known_variants WHERE key = 'RB-HRB|diameter=20'",
            supplier=supplier_id,
            item_no=made.item_no,
            id=new_id(),
            status=changes.pop("item_status", "PUBLISHED"),
        )
        columns = {
            "supplier_id": supplier_id,
            "id": made.id,
            "item_no": made.item_no,
            "offer_code": "default",
            "stock_point": made.stock_point,
            "price": Decimal("3253.00"),
            "currency": "CNY",
            "tax_inclusive": True,
            "tax_rate": Decimal("0.13"),
            "unit": "t",
            "unit_factor": Decimal(1),
            "unit_decimals": 3,
            "lead_time_days": 2,
            "regions": [],
            "valid_from": date(2020, 1, 1),
            "audience": "MEMBERS",
            "audience_ids": [],
            "audience_keys": [f"company:{supplier_id}", "members"],
            "tiers": "[]",
            "status": "ACTIVE",
            "version": 1,
            "updated_at": datetime.now(UTC),
        } | changes
        await self.run(
            f"INSERT INTO offers ({', '.join(columns)}) VALUES "
            f"({', '.join('CAST(:tiers AS jsonb)' if name == 'tiers' else f':{name}' for name in columns)})",
            **columns,
        )
        await self.run(
            "INSERT INTO offer_reaches VALUES (:supplier, 'rebar', :audience, :ids, :keys) ON CONFLICT DO NOTHING",
            supplier=supplier_id,
            audience=columns["audience"],
            ids=columns["audience_ids"],
            keys=columns["audience_keys"],
        )
        if on_hand is not None:
            await self.run(
                "INSERT INTO stock_levels VALUES (:supplier, :item_no, 'main', :on_hand, 0, 0, now(), now())",
                supplier=supplier_id,
                item_no=made.item_no,
                on_hand=Decimal(on_hand),
            )
        return made

    async def stock(self, offer: AnOffer) -> tuple[Decimal, Decimal, Decimal]:
        """On hand, reserved, shortfall."""
        ((on_hand, reserved, shortfall),) = await self.run(
            "SELECT on_hand, reserved, shortfall FROM stock_levels WHERE supplier_id = :supplier AND item_no = :item",
            supplier=offer.supplier_id,
            item=offer.item_no,
        )
        return on_hand, reserved, shortfall

    async def reserved(self, offer: AnOffer) -> Decimal:
        return (await self.stock(offer))[1]

    async def states(self) -> dict[UUID, str]:
        return dict(tuple(row) for row in await self.run("SELECT id, state FROM reservations"))

    async def drift(self) -> list[Any]:
        from services.suppliers.reservations.queries import stock_drift

        async with transaction(self.database.system) as session:
            return list(await stock_drift(session, limit=10))

    async def caught_up(self, moment: datetime) -> None:
        """As if the follower of `orders` had seen all that was committed there until then."""
        await self.run(
            "INSERT INTO follower_cursors VALUES ('orders', '0-0', :moment, now()) "
            "ON CONFLICT (source) DO UPDATE SET caught_up_to = excluded.caught_up_to",
            moment=moment,
        )

    async def follow(self, *, minutes: int = 60) -> None:
        await self.caught_up(datetime.now(UTC) + timedelta(minutes=minutes))


def a_line(offer: AnOffer | UUID, quantity: str = "1", **changes: Any) -> dict[str, Any]:
    offer_id = offer if isinstance(offer, UUID) else offer.id
    return {"line_no": 1, "offer_id": offer_id, "quantity": quantity, "unit": "t", "need_by": NEVER} | changes


def a_basket(*lines: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Lines are numbered in order."""
    return {
        "reservation_id": new_id(),
        "buyer_company_id": new_id(),
        "currency": "CNY",
        "region": "110105",
        "lines": [{**line, "line_no": number} for number, line in enumerate(lines, 1)],
    } | changes


def today() -> date:
    return business_date(datetime.now(UTC))


def app_over(database: Database, verifier: Verifier) -> FastAPI:
    from services.suppliers.reactions import REACTIONS

    return create_service(
        name="suppliers",
        title="suppliers",
        description="",
        settings=ServiceSettings(database_url="", system_database_url=""),
        database=database,
        verifier=verifier,
        routers=[router, operations_router("suppliers", reactions=REACTIONS)],
    )


async def reserve(http: httpx.AsyncClient, *baskets: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = await http.post(
        "/suppliers/reservations",
        content=orjson.dumps({"baskets": baskets}),
        headers={**RESERVER, "Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def reserve_one(http: httpx.AsyncClient, *lines: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    (result,) = await reserve(http, a_basket(*lines, **changes))
    return result


async def release(http: httpx.AsyncClient, *reservation_ids: UUID | str) -> list[str | None]:
    answer = await http.post(
        "/suppliers/reservations/release",
        json={"reservation_ids": [str(each) for each in reservation_ids]},
        headers=RESERVER,
    )
    assert answer.status_code == 200, answer.text
    return [result["state"] for result in answer.json()["results"]]


async def all_at_once(asking: Callable[[int], Any], *, times: int) -> list[Any]:
    return list(await asyncio.gather(*(asking(number) for number in range(times))))


class OrdersFeed:
    """The feed of `orders`, as a list."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.as_of = datetime.now(UTC)

    def placed(self, reservation_id: UUID | str) -> Event:
        data = {
            "basket_id": str(reservation_id),
            "reservation_id": str(reservation_id),
            "buyer_id": str(new_id()),
            "placed_at": datetime.now(UTC).isoformat(),
            "orders": [],
        }
        return self._add("dev.dougong.orders.basket.placed.v1", data)

    def released(self, reservation_id: UUID | str, offer: AnOffer, *lines: tuple[int, str]) -> Event:
        data = {
            "reservation_id": str(reservation_id),
            "order_id": str(new_id()),
            "supplier_id": str(offer.supplier_id),
            "reason": "cancelled",
            "lines": [{"line_no": number, "base_quantity": quantity} for number, quantity in lines],
        }
        return self._add("dev.dougong.orders.lines.released.v1", data)

    def _add(self, kind: str, data: dict[str, Any]) -> Event:
        event = Event(
            id=new_id(),
            source="orders",
            type=kind,
            subject="test",
            time=datetime.now(UTC),
            data=data,
            position=f"1-{len(self.events) + 1}",
        )
        self.events.append(event)
        return event

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        start = int(after.partition("-")[2])
        events = self.events[start : start + limit]
        return FeedPage(
            events=events,
            position=events[-1].position if events else after,
            as_of=self.as_of,
            caught_up=len(events) < limit,
        )
