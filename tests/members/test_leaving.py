"""A company leaves (T11): with nothing open, by two persons or after a notice; its data stays fetchable."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.members.leaving.jobs import close_the_left
from services.members.leaving.rules import NOTICE, Open, blocks, may_confirm
from shared.clients.transport import ServiceAway
from shared.contracts.orders import OpenOrders
from shared.database import Database
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.members.conftest import CreateApp, World

AT = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass
class AtOrders:
    """What `orders` says is open, or that it is away."""

    open: OpenOrders = field(default_factory=lambda: OpenOrders(as_buyer=0, as_supplier=0))
    away: bool = False
    tokens: list[str] = field(default_factory=list)

    async def open_orders(self, *, token: str) -> OpenOrders:
        self.tokens.append(token)
        if self.away:
            raise ServiceAway("orders cannot be reached.")
        return self.open


@pytest.fixture
def at_orders() -> AtOrders:
    return AtOrders()


@pytest.fixture
def world(create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient], at_orders: AtOrders) -> World:
    return World(http=http_to(create_members(open_orders=at_orders)))


async def act(world: World, company: UUID, who: Principal, what: str = "", **body: Any) -> httpx.Response:
    path = f"/members/companies/{company}/leaving{what}"
    return await world.http.post(path, json=body or None, headers=signed_in(who) | once())


def admin(company: UUID) -> Principal:
    return a_person(Role.ADMIN, company_id=company)


def code(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")


async def test_two_admins_let_a_company_leave_and_everything_of_it_ends(world: World, database: Database):
    company = await world.company("contractor", "supplier")
    _, boss = await world.person(company, "admin", "buyer")
    _, buyer = await world.person(company, "buyer")
    session = (await world.sign_in(buyer)).json()
    key = await world.post(
        f"/members/companies/{company}/api-clients", {"name": "ERP", "scopes": ["orders:read"]}, as_=world.as_operator
    )
    assert key.status_code == 201, key.text

    asked = await act(world, company, admin(company), reason="We merge into another company")
    assert asked.status_code == 201, asked.text
    assert (await world.sign_in(buyer)).status_code == 201, "nothing changes before it is confirmed"
    confirmed = await act(world, company, admin(company), "/confirmation")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "EFFECTIVE"), confirmed.text

    assert code(await world.sign_in(buyer)) == (403, "NoActiveMembership")
    assert (await world.refresh(session["refresh_token"])).status_code == 401
    stays = (await world.sign_in(boss)).json()
    assert stays["company"]["roles"] == ["admin"], "to fetch the data, and for nothing else"
    seen = await world.http.get(f"/members/companies/{company}", headers=world.as_operator)
    assert seen.json()["status"] == "LEFT"
    async with database.system() as opened:
        keys = await opened.scalar(
            text("SELECT count(*) FROM api_clients WHERE company_id = :company AND revoked_at IS NULL"),
            {"company": company},
        )
        told = await opened.scalars(text("SELECT type FROM events WHERE company_id = :company"), {"company": company})
        assert keys == 0
        assert "dev.dougong.members.company.left.v1" in told.all()


async def test_after_thirty_days_it_is_closed_for_its_admins_too(world: World, database: Database):
    company = await world.company("contractor")
    _, boss = await world.person(company, "admin")
    await act(world, company, admin(company), reason="Leaving")
    assert (await act(world, company, admin(company), "/confirmation")).status_code == 200
    now = datetime.now(UTC)
    assert await close_the_left(database.system, at=now + timedelta(days=29)) == 0
    assert (await world.sign_in(boss)).status_code == 201
    assert await close_the_left(database.system, at=now + timedelta(days=31)) == 1
    assert code(await world.sign_in(boss)) == (403, "NoActiveMembership")


async def test_one_person_alone_waits_for_the_notice(world: World, database: Database):
    company = await world.company("supplier")
    alone = admin(company)
    await act(world, company, alone, reason="Leaving")
    assert code(await act(world, company, alone, "/confirmation")) == (409, "SecondPersonNeeded")
    async with database.system() as session, session.begin():
        await session.execute(
            text("UPDATE leavings SET asked_at = asked_at - :notice, notice_until = notice_until - :notice"),
            {"notice": NOTICE},
        )
    assert (await act(world, company, alone, "/confirmation")).status_code == 200


async def test_every_open_thing_is_named(world: World, at_orders: AtOrders):
    company, below = await world.company("contractor_group"), await world.company("contractor")
    link = {"parent_id": str(company), "valid_from": "2026-01-01"}
    assert (await world.post(f"/members/companies/{below}/links", link, as_=world.as_operator)).status_code == 201
    founded = await world.post(
        f"/members/companies/{company}/circles",
        {"name": "North circle", "purpose": "Buying together"},
        as_=signed_in(admin(company)),
    )
    assert founded.status_code == 201, founded.text
    at_orders.open = OpenOrders(as_buyer=2, as_supplier=1)

    answer = await act(world, company, admin(company), reason="Leaving")

    assert code(answer) == (409, "LeavingBlocked")
    rules = [(each["field"], each["rule"]) for each in answer.json()["errors"]]
    assert rules == [
        ("orders_as_buyer", "OpenOrders"),
        ("orders_as_supplier", "OpenOrders"),
        ("circles", "CircleMember"),
        ("companies_below", "CompaniesBelow"),
    ]


async def test_what_was_opened_meanwhile_blocks_the_confirmation(world: World, at_orders: AtOrders):
    company = await world.company("contractor")
    await act(world, company, admin(company), reason="Leaving")
    at_orders.open = OpenOrders(as_buyer=1, as_supplier=0)
    assert code(await act(world, company, admin(company), "/confirmation")) == (409, "LeavingBlocked")
    at_orders.away = True
    assert code(await act(world, company, admin(company), "/confirmation")) == (503, "ServiceAway")


async def test_orders_is_asked_with_the_admins_own_token(world: World, at_orders: AtOrders):
    company = await world.company("contractor")
    who = admin(company)
    headers = signed_in(who)
    path = f"/members/companies/{company}/leaving"
    await world.http.post(path, json={"reason": "Leaving"}, headers=headers | once())
    assert at_orders.tokens == [headers["Authorization"].removeprefix("Bearer ")]


async def test_only_the_companys_own_admins_decide(world: World, at_orders: AtOrders):
    company = await world.company("contractor")
    assert code(await act(world, company, a_person(Role.ADMIN), reason="x")) == (404, "NotYours")
    for role in set(Role) - {Role.ADMIN}:
        assert (await act(world, company, a_person(role, company_id=company), reason="x")).status_code == 403
    assert at_orders.tokens == []
    assert code(await act(world, company, admin(company), "/confirmation")) == (404, "NotLeaving")


async def test_a_leaving_is_withdrawn_and_not_asked_for_twice(world: World):
    company = await world.company("contractor")
    await act(world, company, admin(company), reason="Leaving")
    assert code(await act(world, company, admin(company), reason="Again")) == (409, "AlreadyLeaving")
    assert (await act(world, company, admin(company), "/withdrawal")).json()["state"] == "WITHDRAWN"
    assert code(await act(world, company, admin(company), "/confirmation")) == (404, "NotLeaving")
    assert (await act(world, company, admin(company), reason="Again")).status_code == 201


counts = st.integers(0, 3)


@given(st.builds(Open, **dict.fromkeys(Open.__dataclass_fields__, counts)))
def test_a_company_leaves_exactly_when_nothing_is_open(found: Open):
    open_fields = {name for name in Open.__dataclass_fields__ if getattr(found, name)}
    assert {block.field for block in blocks(found)} == open_fields


@given(same=st.booleans(), after=st.timedeltas(timedelta(0), timedelta(days=20)))
def test_the_same_person_waits_another_does_not(same: bool, after: timedelta):
    asked_by = new_id()
    confirmed_by = asked_by if same else new_id()
    allowed = may_confirm(asked_by=asked_by, confirmed_by=confirmed_by, notice_until=AT + NOTICE, at=AT + after)
    assert allowed == (not same or after >= NOTICE)
