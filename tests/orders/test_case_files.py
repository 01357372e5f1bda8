"""Case files (T2): the one way operator staff see a price, with reason, time limit and a log that the owner sees."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.postgres import ServiceUrls
from services.orders.case_files.rules import DAYS_MAX, Standing, Term, expiry, opens
from shared.audit.chain import chain_all
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import World
from tests.orders.neighbours import Offer

PRICE = "3271.654321"
REASON = "Dispute 2026-17: the price of line 1"
moments = st.timedeltas(timedelta(0), timedelta(days=7000)).map(lambda since: datetime(2020, 1, 1, tzinfo=UTC) + since)


@dataclass
class Case:
    """An operator, an owner with an order, and a case file between them."""

    world: World
    operator: Principal
    admin: Principal
    offer: Offer
    order: dict[str, Any]
    basket_id: str
    file: dict[str, Any]

    def path(self, rest: str = "") -> str:
        return f"/orders/case-files/{self.file['id']}{rest}"

    async def look(self, who: Principal | None = None, rest: str | None = None) -> httpx.Response:
        rest = f"/purchase-orders/{self.order['id']}" if rest is None else rest
        return await self.world.read(who or self.operator, self.path(rest))

    async def looks(self) -> list[dict[str, Any]]:
        answer = await self.world.read(self.admin, self.path("/looks"))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def end(self, who: Principal) -> httpx.Response:
        return await self.world.http.post(self.path("/end"), headers=signed_in(who) | once())

    async def expire(self) -> None:
        """Let the days pass: nobody but the owner of the tables can do that."""
        with psycopg.connect(self.world.owner_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE case_files DISABLE TRIGGER guard, NO FORCE ROW LEVEL SECURITY")
            connection.execute(
                "UPDATE case_files SET opened_at = opened_at - interval '8 days', "
                "expires_at = expires_at - interval '8 days'"
            )
            connection.execute("ALTER TABLE case_files ENABLE TRIGGER guard, FORCE ROW LEVEL SECURITY")


async def opened(world: World, operator: Principal, owner: UUID | None, **more: Any) -> httpx.Response:
    body = {"owner_id": str(owner), "reason": REASON, "days": 2, **more}
    return await world.http.post("/orders/case-files", json=body, headers=signed_in(operator) | once())


@pytest.fixture
async def case(world: World) -> Case:
    offer = world.suppliers.offer(price=PRICE)
    basket = await world.placed(world.line(offer))
    operator = a_person(Role.OPERATOR)
    answer = await opened(world, operator, world.buyer.company_id)
    assert answer.status_code == 201, answer.text
    return Case(
        world=world,
        operator=operator,
        admin=a_person(Role.ADMIN, company_id=world.buyer.company_id),
        offer=offer,
        order=basket["orders"][0],
        basket_id=basket["basket_id"],
        file=answer.json(),
    )


async def test_without_a_case_file_an_operator_reads_no_price(world: World):
    offer = world.suppliers.offer(price=PRICE)
    basket = await world.placed(world.line(offer))
    order = basket["orders"][0]["id"]
    staff = [
        a_person(Role.OPERATOR),
        a_person(Role.OPERATOR, Role.ADMIN),
        # Even a token that names every role opens nothing without being a party.
        a_person(*Role),
    ]
    for operator in staff:
        for path in (
            "/orders/purchase-orders",
            f"/orders/purchase-orders/{order}",
            f"/orders/purchase-orders/{order}/history",
            f"/orders/purchase-orders/{order}/history/verify",
            f"/orders/baskets/{basket['basket_id']}",
            f"/orders/projects/{world.project_id}",
            "/orders/operations/parked-events",
            "/orders/operations/followers",
            "/orders/feed",
            "/orders/audit/entries",
            "/orders/audit/export",
            "/orders/case-files",
            f"/orders/case-files/{new_id()}/purchase-orders/{order}",
        ):
            answer = await world.read(operator, path)
            assert PRICE not in answer.text, path
            assert answer.status_code in {403, 404} or "export" in path or answer.json() == [], path


async def test_the_owner_sees_the_file_at_once_with_its_reason(case: Case):
    listed = (await case.world.read(case.admin, "/orders/case-files")).json()
    assert [each["id"] for each in listed] == [case.file["id"]]
    assert listed[0]["reason"] == REASON
    assert listed[0]["opened_by"] == str(case.operator.subject)
    assert listed[0]["standing"] == "OPEN"


async def test_a_look_shows_what_the_owner_sees_and_is_logged(case: Case):
    shown = await case.look()
    assert shown.status_code == 200, shown.text
    assert shown.json() == await case.world.order(case.world.buyer, case.order["id"])
    assert PRICE in shown.text
    for rest, document in (
        ("/purchase-orders", "orders"),
        (f"/purchase-orders/{case.order['id']}/history", "history"),
        (f"/baskets/{case.basket_id}", "basket"),
    ):
        assert (await case.look(rest=rest)).status_code == 200
        newest = (await case.looks())[0]
        assert newest["document"] == document
        assert newest["document_ids"] == [case.order["id"]]
        assert newest["looked_by"] == str(case.operator.subject)
    assert len(await case.looks()) == 4


async def test_looks_stand_in_the_audit_logs_of_the_owner_and_the_operator(case: Case):
    await case.look()
    await case.end(case.admin)
    await case.look()
    await chain_all(case.world.database.system, service="orders")
    operator_admin = a_person(Role.ADMIN, company_id=case.operator.company_id)
    for reader in (case.admin, operator_admin):
        entries = (await case.world.read(reader, "/orders/audit/entries")).json()
        told = [(each["act"].partition(" ")[0], each["outcome"]) for each in entries[:4][::-1]]
        assert told == [("POST", "done"), ("GET", "done"), ("POST", "done"), ("GET", "CaseFileEnded")]
        assert entries[0]["objects"]["order_id"] == case.order["id"]
        assert PRICE not in str(entries)


async def test_the_supplier_side_is_what_a_suppliers_case_opens(case: Case):
    file = (await opened(case.world, case.operator, case.offer.supplier_id)).json()
    path = f"/orders/case-files/{file['id']}/purchase-orders/{case.order['id']}"
    shown = (await case.world.read(case.operator, path)).json()
    assert shown == await case.world.order(case.world.seller(case.offer), case.order["id"])
    assert "cost_code" not in shown["lines"][0]


async def test_a_file_opens_to_nobody_else(case: Case):
    colleague = a_person(Role.OPERATOR, company_id=case.operator.company_id)
    rival = a_person(Role.OPERATOR)
    buyer = case.world.buyer
    tried = {
        "CaseFileOfAnother": colleague,
        "CaseFileNotFound": rival,
        "RightMissing": buyer,
    }
    for code, who in tried.items():
        answer = await case.look(who)
        assert answer.json()["code"] == code
        assert PRICE not in answer.text
    moved = replace(case.operator, company_id=new_id())
    assert (await case.look(moved)).json()["code"] == "CaseFileNotFound"
    both = replace(case.admin, roles=frozenset({Role.OPERATOR, Role.ADMIN}))
    assert (await case.look(both)).json()["code"] == "CaseFileOfAnother"
    assert await case.looks() == []


@pytest.mark.parametrize("rest", ["", "/looks"])
async def test_only_the_owner_and_the_operators_company_read_the_file(case: Case, rest: str):
    allowed = [case.operator, case.admin, a_person(Role.OPERATOR, company_id=case.operator.company_id)]
    for who in allowed:
        assert (await case.look(who, rest)).status_code == 200
    for who in (a_person(Role.ADMIN), a_person(Role.OPERATOR), a_person(Role.ADMIN, company_id=case.offer.supplier_id)):
        answer = await case.look(who, rest)
        assert (answer.status_code, answer.json()["code"]) == (404, "CaseFileNotFound")
        assert REASON not in (await case.world.read(who, "/orders/case-files")).text


async def test_an_expired_file_opens_nothing(case: Case):
    await case.expire()
    for rest in ("/purchase-orders", f"/purchase-orders/{case.order['id']}", f"/baskets/{case.basket_id}"):
        answer = await case.look(rest=rest)
        assert (answer.status_code, answer.json()["code"]) == (409, "CaseFileExpired")
    assert (await case.look(case.admin, "")).json()["standing"] == "EXPIRED"
    assert (await case.end(case.admin)).json()["code"] == "CaseFileExpired"


async def test_the_owner_ends_it_at_any_time(case: Case):
    assert (await case.end(case.admin)).json()["standing"] == "ENDED"
    assert (await case.look()).json()["code"] == "CaseFileEnded"
    assert (await case.end(case.operator)).json()["code"] == "CaseFileEnded"
    assert (await case.end(a_person(Role.ADMIN))).status_code == 404


async def test_a_file_about_named_orders_opens_those_alone(case: Case):
    other = (await case.world.placed(case.world.line(case.offer)))["orders"][0]
    file = (await opened(case.world, case.operator, case.admin.company_id, order_ids=[case.order["id"]])).json()
    case.file = file
    assert (await case.look()).status_code == 200
    assert [each["id"] for each in (await case.look(rest="/purchase-orders")).json()] == [case.order["id"]]
    refused = [
        f"/purchase-orders/{other['id']}",
        f"/purchase-orders/{other['id']}/history",
        f"/baskets/{other['basket_id']}",
        f"/purchase-orders/{new_id()}",
    ]
    for rest in refused:
        answer = await case.look(rest=rest)
        assert (answer.status_code, answer.json()["code"]) == (403, "NotInCaseFile")


async def test_a_file_about_another_owner_does_not_open_an_order(case: Case):
    case.file = (await opened(case.world, case.operator, new_id(), order_ids=[case.order["id"]])).json()
    answer = await case.look()
    assert (answer.status_code, answer.json()["code"]) == (403, "NotInCaseFile")
    assert (await case.look(rest="/purchase-orders")).json() == []


async def test_nothing_can_be_done_to_an_order_through_a_file(case: Case):
    for what in ("cancellation", "response", "changes/decision"):
        answer = await case.world.act(case.operator, case.order, what, {"reason": "x"})
        assert answer.status_code == 403
        posted = await case.world.http.post(
            case.path(f"/purchase-orders/{case.order['id']}/{what}"), json={}, headers=signed_in(case.operator) | once()
        )
        assert posted.status_code == 404


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"days": 0}, "GreaterThanEqual"),
        ({"days": DAYS_MAX + 1}, "LessThanEqual"),
        ({"reason": "because"}, "TooShort"),
        ({"reason": "          \u3000      "}, "TooShort"),
        ({"order_ids": []}, "TooShort"),
        ({"owner_id": "x"}, "UuidParsing"),
    ],
)
async def test_a_file_without_a_reason_or_with_too_much_time_is_refused(world: World, more: dict[str, Any], rule: str):
    answer = await opened(world, a_person(Role.OPERATOR), new_id(), **more)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["rule"] == rule


async def test_a_reason_that_is_too_short_is_counted_in_characters(world: World):
    texts = (await opened(world, a_person(Role.OPERATOR), new_id(), reason="because")).json()["errors"][0]["message"]
    lists = (await opened(world, a_person(Role.OPERATOR), new_id(), order_ids=[])).json()["errors"][0]["message"]
    assert ("10 characters" in texts, "1 item" in lists) == (True, True), (texts, lists)


async def test_an_operator_opens_no_file_about_its_own_company_and_nobody_else_opens_one(world: World):
    operator = a_person(Role.OPERATOR)
    assert (await opened(world, operator, operator.company_id)).json()["code"] == "OwnDocuments"
    for role in set(Role) - {Role.OPERATOR}:
        assert (await opened(world, a_person(role), new_id())).status_code == 403


async def test_the_fact_travels_without_the_reason(case: Case):
    await case.end(case.admin)
    events = await case.world.events("case_file.changed")
    assert [event["what"] for event in events] == ["opened", "ended"]
    assert REASON not in str(events)


@pytest.mark.parametrize("role", ["app", "worker"])
def test_looks_and_files_cannot_be_unwritten(service_urls: Callable[[str], ServiceUrls], role: str):
    with psycopg.connect(getattr(service_urls("orders"), role), autocommit=True) as connection:
        for statement in (
            "DELETE FROM case_files",
            "TRUNCATE case_files",
            "DELETE FROM case_file_looks",
            "UPDATE case_file_looks SET document = 'order'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


async def test_a_file_is_not_prolonged_reopened_or_given_another_reason(case: Case):
    with psycopg.connect(case.world.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE case_files NO FORCE ROW LEVEL SECURITY")
        for change in (
            "expires_at = expires_at + interval '1 day'",
            "reason = 'another reason altogether'",
            "order_ids = NULL, owner_id = operator_id",
            "opened_by = gen_random_uuid()",
        ):
            with pytest.raises(psycopg.errors.CheckViolation, match="only ends"):
                connection.execute(f"UPDATE case_files SET {change}".encode())
        end = "ended_at = now(), ended_by = gen_random_uuid(), ended_by_company = owner_id"
        connection.execute(f"UPDATE case_files SET {end}".encode())
        with pytest.raises(psycopg.errors.CheckViolation, match="only ends"):
            connection.execute("UPDATE case_files SET ended_at = NULL, ended_by = NULL, ended_by_company = NULL")


@given(opened_at=moments, days=st.integers(1, DAYS_MAX), after=st.timedeltas(timedelta(0), timedelta(days=20)))
def test_a_file_stands_for_its_days_and_no_moment_longer(opened_at: datetime, days: int, after: timedelta):
    term = Term(opened_at=opened_at, expires_at=expiry(opened_at=opened_at, days=days), ended_at=None)
    within = after < timedelta(days=days)
    assert (term.standing(at=opened_at + after) == Standing.OPEN) == within
    ended = replace(term, ended_at=opened_at)
    assert ended.standing(at=opened_at + after) == Standing.ENDED


@given(st.integers().filter(lambda days: not 1 <= days <= DAYS_MAX))
def test_no_other_number_of_days_is_possible(days: int):
    with pytest.raises(ValueError, match="1 to 7 days"):
        expiry(opened_at=datetime(2026, 1, 1, tzinfo=UTC), days=days)


def test_no_list_opens_all_and_a_list_only_what_it_names():
    one, other = new_id(), new_id()
    assert opens(None, one)
    assert opens([one], one)
    assert not opens([one], other)
