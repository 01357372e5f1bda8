"""The audit log of `orders`: what was done and refused, for whom it is kept, that it only grows, and its chain."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import orjson
import psycopg
import pytest
from sqlalchemy import text

from infra.postgres import ServiceUrls
from services.orders.app import TRANSACTION_SECONDS
from shared.audit.chain import chain_all
from shared.audit.files import Fault, Head, verify
from shared.audit.refusals import BURST, Bound
from shared.database import transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import World

CANARY = "3271.654321"


def admin_of(company_id: UUID | None) -> Principal:
    return a_person(Role.ADMIN, company_id=company_id)


async def log_of(world: World, company_id: UUID | None) -> list[dict[str, Any]]:
    """A company's log, oldest first, chained up to now."""
    await chain_all(world.database.system, service="orders")
    answer = await world.read(admin_of(company_id), "/orders/audit/entries", limit=200)
    assert answer.status_code == 200, answer.text
    return list(answer.json()[::-1])


async def exported(world: World, company_id: UUID | None, **params: Any) -> list[bytes]:
    answer = await world.read(admin_of(company_id), "/orders/audit/export", **params)
    assert answer.status_code == 200, answer.text
    return answer.content.splitlines(keepends=True)


async def head_of(world: World, company_id: UUID | None) -> Head:
    body = (await world.read(admin_of(company_id), "/orders/audit/head")).json()
    return Head(number=body["number"], hash=body["hash"])


async def entries_in(world: World) -> int:
    async with world.database.system() as session:
        return int(await session.scalar(text("SELECT count(*) FROM audit_entries")) or 0)


async def test_a_command_leaves_one_entry_with_who_what_and_for_whom(world: World):
    before = len(await log_of(world, world.buyer.company_id))
    headers = signed_in(world.buyer) | once() | {"X-Request-Id": "request-7"}
    body = {"name": "Gate 3", "region": "110105", "address": "建国路3号"}
    path = f"/orders/projects/{world.project_id}/delivery-points"
    assert (await world.http.post(path, json=body, headers=headers)).status_code == 201

    entry = (await log_of(world, world.buyer.company_id))[before]

    assert entry["act"] == "POST /orders/projects/{project_id}/delivery-points"
    assert entry["objects"]["project_id"] == world.project_id
    assert entry["actor"] == {"kind": "person", "id": str(world.buyer.subject), "name": "Test Person"}
    assert entry["company"]["id"] == str(world.buyer.company_id)
    assert (entry["roles"], entry["outcome"], entry["status"]) == (["buyer"], "done", 201)
    assert entry["request_id"] == "request-7"


async def test_a_repeated_command_leaves_no_second_entry(world: World):
    key = once()
    offer = world.suppliers.offer()
    basket = world.basket(world.line(offer))
    assert (await world.place(basket, key=key)).status_code == 201
    length = len(await log_of(world, world.buyer.company_id))
    assert (await world.place(basket, key=key)).status_code == 201
    assert len(await log_of(world, world.buyer.company_id)) == length


async def test_placing_and_answering_an_order_stands_in_the_log_of_both_sides(world: World):
    offer = world.suppliers.offer()
    basket = await world.placed(world.line(offer))
    order = basket["orders"][0]
    answered = await world.act(world.seller(offer), order, "response", {"lines": [], "others": "accept"})
    assert answered.status_code == 200, answered.text

    buyers = [entry["act"] for entry in await log_of(world, world.buyer.company_id)]
    suppliers = [entry["act"] for entry in await log_of(world, offer.supplier_id)]

    assert buyers[-2:] == ["POST /orders/baskets", "POST /orders/purchase-orders/{order_id}/response"]
    assert suppliers == ["POST /orders/purchase-orders/{order_id}/response"]


async def test_what_is_rolled_back_is_not_in_the_log_as_done(world: World):
    await world.open_project(number="ONCE")
    body = {"number": "ONCE", "name": "x", "delivery_points": []}
    answer = await world.http.post("/orders/projects", json=body, headers=signed_in(world.buyer) | once())
    assert answer.status_code == 409
    entry = (await log_of(world, world.buyer.company_id))[-1]
    assert (entry["outcome"], entry["status"]) == ("ProjectNumberTaken", 409)


@pytest.mark.parametrize(
    ("who", "path", "body", "outcome"),
    [
        (Role.REQUESTER, "/orders/projects", {"number": "A", "name": "A"}, "RightMissing"),
        (Role.BUYER, "/orders/projects", {"number": 7}, "MalformedRequest"),
        (Role.BUYER, f"/orders/projects/{UUID(int=7)}/delivery-points", None, "ProjectNotFound"),
    ],
)
async def test_a_refused_command_is_recorded_for_the_callers_company(
    world: World, who: Role, path: str, body: dict[str, Any] | None, outcome: str
):
    caller = a_person(who)
    body = body or {"name": "Gate", "region": "11", "address": "here"}
    answer = await world.http.post(path, json=body, headers=signed_in(caller) | once())
    assert answer.json()["code"] == outcome
    entry = (await log_of(world, caller.company_id))[-1]
    assert (entry["outcome"], entry["status"]) == (outcome, answer.status_code)
    assert entry["actor"]["id"] == str(caller.subject)
    assert entry["request_id"] == answer.headers["X-Request-Id"]


TOO_LARGE = {
    "a body of JSON": ("/orders/projects", {}),
    "a file that has no job yet": ("/orders/agreement-imports", {"Content-Type": "text/csv"}),
    "a body for whoever may not send one": ("/orders/projects", {}),
}


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_a_body_that_is_too_large_is_recorded_with_its_size(world: World, what: str):
    path, headers = TOO_LARGE[what]
    caller = a_person(Role.REQUESTER if "may not" in what else Role.BUYER, group_id=new_id())
    sent = signed_in(caller) | once() | headers | {"Content-Length": str(2 * 1024**3)}
    answer = await world.http.post(path, content=b"x", headers=sent)
    assert answer.status_code == 413, answer.text
    entry = (await log_of(world, caller.company_id))[-1]
    assert (entry["act"], entry["outcome"], entry["status"]) == (f"POST {path}", answer.json()["code"], 413)
    assert entry["detail"]["declared_bytes"] == 2 * 1024**3
    assert entry["actor"]["id"] == str(caller.subject)


@pytest.mark.parametrize("token", [None, "x.y.z"])
async def test_a_body_that_is_too_large_of_nobody_is_refused_and_in_no_log(world: World, token: str | None):
    headers = once() | {"Content-Length": str(2 * 1024**3)} | ({"Authorization": f"Bearer {token}"} if token else {})
    before = await entries_in(world)
    assert (await world.http.post("/orders/projects", content=b"x", headers=headers)).status_code == 413
    assert await entries_in(world) == before


async def test_a_body_that_is_no_json_is_recorded(world: World):
    headers = signed_in(world.buyer) | once() | {"Content-Type": "application/json"}
    assert (await world.http.post("/orders/projects", content=b"{", headers=headers)).status_code == 422
    entry = (await log_of(world, world.buyer.company_id))[-1]
    assert (entry["outcome"], entry["actor"]["id"]) == ("MalformedRequest", str(world.buyer.subject))


async def test_reading_leaves_no_entry(world: World):
    before = len(await log_of(world, world.buyer.company_id))
    await world.read(world.buyer, "/orders/projects")
    await world.read(world.buyer, f"/orders/projects/{new_id()}")
    assert len(await log_of(world, world.buyer.company_id)) == before


async def test_a_caller_cannot_fill_the_log_with_refusals(world: World):
    caller = a_person(Role.REQUESTER)
    for _ in range(BURST + 20):
        await world.http.post("/orders/projects", json={}, headers=signed_in(caller) | once())
    assert BURST <= len(await log_of(world, caller.company_id)) < BURST + 20


def test_what_the_bound_left_out_is_told_by_the_next_entry():
    bound, caller = Bound(burst=2, seconds_each=1), new_id()
    assert [bound.take(caller, now=0) for _ in range(5)] == [0, 0, None, None, None]
    assert bound.take(new_id(), now=0) == 0, "another caller has an allowance of its own"
    assert bound.take(caller, now=1) == 3
    assert bound.take(caller, now=1) is None


async def test_no_price_and_no_body_is_in_the_log(world: World):
    offer = world.suppliers.offer(price=CANARY)
    basket = await world.placed(world.line(offer, note="秘密 note"))
    await world.act(world.buyer, basket["orders"][0], "cancellation", {"reason": "秘密 reason"})
    assert CANARY in (await world.order(world.buyer, basket["orders"][0]["id"]))["lines"][0]["unit_price"]
    await log_of(world, world.buyer.company_id)
    async with world.database.system() as session:
        rows = (await session.execute(text("SELECT entry::text FROM audit_entries"))).scalars().all()
    assert rows
    assert not [row for row in rows if CANARY in row or "秘密" in row]


async def test_a_company_reads_its_own_log_only(world: World):
    assert await log_of(world, world.buyer.company_id)
    stranger = a_person(Role.ADMIN)
    assert (await world.read(stranger, "/orders/audit/entries")).json() == []
    assert (await world.read(stranger, "/orders/audit/head")).json()["number"] == 0
    async with transaction(world.database.app, stranger.company) as session:
        for table in ("audit_entries", "audit_links"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_only_admins_and_operators_read_it(world: World):
    for role in set(Role) - {Role.ADMIN, Role.OPERATOR}:
        someone = a_person(role, company_id=world.buyer.company_id)
        for path in ("head", "entries", "export"):
            assert (await world.read(someone, f"/orders/audit/{path}")).status_code == 403


async def test_the_export_verifies_offline_against_the_head(world: World):
    for number in range(5):
        await world.open_project(number=f"P-{number}")
    length = len(await log_of(world, world.buyer.company_id))
    verdict = verify(await exported(world, world.buyer.company_id), noted=await head_of(world, world.buyer.company_id))
    assert (verdict.intact, verdict.entries, verdict.service) == (True, length, "orders")
    part = verify(await exported(world, world.buyer.company_id, after=3))
    assert (part.intact, part.first, part.entries) == (True, 4, length - 3)
    nothing = verify(await exported(world, world.buyer.company_id, after=length))
    assert (nothing.intact, nothing.entries, nothing.first) == (True, 0, length + 1)


async def test_a_part_by_time_is_a_run_without_a_gap(world: World):
    for number in range(4):
        await world.open_project(number=f"T-{number}")
    log = await log_of(world, world.buyer.company_id)
    lines = await exported(world, world.buyer.company_id, **{"from": log[1]["at"], "to": log[3]["at"]})
    verdict = verify(lines)
    assert (verdict.intact, verdict.first, verdict.entries) == (True, 2, 2)


async def test_who_changes_the_database_itself_is_found_out(world: World):
    for number in range(4):
        await world.open_project(number=f"X-{number}")
    length = len(await log_of(world, world.buyer.company_id))
    noted = await head_of(world, world.buyer.company_id)

    def as_owner(*statements: str) -> None:
        with psycopg.connect(world.owner_url, autocommit=True) as connection:
            for table in ("audit_entries", "audit_links"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL, NO FORCE ROW LEVEL SECURITY".encode())
            for statement in statements:
                connection.execute(statement.encode())

    owner = world.buyer.company_id
    place = f"(SELECT (txid, seq)::text FROM audit_links WHERE owner_id = '{owner}' AND number = 2)"
    as_owner(f'UPDATE audit_entries SET entry = entry || \'{{"outcome": "done?"}}\' WHERE (txid, seq)::text = {place}')
    verdict = verify(await exported(world, owner), noted=noted)
    assert (verdict.fault, verdict.number) == (Fault.CHANGED, 2)

    as_owner(f"DELETE FROM audit_entries WHERE (txid, seq)::text = {place}")
    verdict = verify(await exported(world, owner), noted=noted)
    assert (verdict.fault, verdict.number) == (Fault.MISSING, 2)

    as_owner(f"DELETE FROM audit_links WHERE owner_id = '{owner}' AND number >= 2")
    verdict = verify(await exported(world, owner), noted=noted)
    assert (verdict.fault, verdict.number) == (Fault.TRUNCATED, 2)

    await chain_all(world.database.system, service="orders")
    verdict = verify(await exported(world, owner), noted=noted)
    assert (verdict.fault, verdict.number, noted.number) == (Fault.TRUNCATED, length, length), "chained anew, one short"


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize("table", ["audit_entries", "audit_links"])
def test_the_log_cannot_be_rewritten_by_the_service(service_urls: Callable[[str], ServiceUrls], table: str, role: str):
    with psycopg.connect(getattr(service_urls("orders"), role), autocommit=True) as connection:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at = now()", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_not_even_the_owner_of_the_tables_rewrites_it_by_mistake(service_urls: Callable[[str], ServiceUrls]):
    urls = service_urls("orders")
    with psycopg.connect(urls.worker, autocommit=True) as connection:
        connection.execute("INSERT INTO audit_entries (owner_id, at, entry) VALUES (gen_random_uuid(), now(), '{}')")
        connection.execute(
            "INSERT INTO audit_links SELECT owner_id, 1, txid, seq, at, '\\x00' FROM audit_entries LIMIT 1"
        )
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="follows no link"):
            connection.execute(
                "INSERT INTO audit_links SELECT owner_id, 3, txid, seq + 9, at, '\\x00' FROM audit_entries LIMIT 1"
            )
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        for table in ("audit_entries", "audit_links"):
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY".encode())
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at = now()"):
                with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
                    connection.execute(statement.encode())


def test_the_app_makes_no_links(service_urls: Callable[[str], ServiceUrls]):
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(service_urls("orders").app, autocommit=True) as connection, refused:
        connection.execute("INSERT INTO audit_links VALUES (gen_random_uuid(), 1, '1', 1, now(), '\\x00')")


async def test_chaining_beside_writers_leaves_no_gap_and_no_entry_out(world: World):
    """Entries of several owners commit in any order while two chaining jobs run over one another."""
    owners = [new_id() for _ in range(3)]
    writing = True

    async def act(number: int) -> None:
        async with transaction(world.database.app) as session:
            await session.execute(
                text("INSERT INTO audit_entries (owner_id, at, entry) VALUES (:owner, now(), CAST(:entry AS jsonb))"),
                {"owner": owners[number % 3], "entry": orjson.dumps({"act": f"{number}"}).decode()},
            )
            await asyncio.sleep(0.002 * (number % 7))

    async def chain() -> None:
        while writing:
            await chain_all(world.database.system, service="orders", block=7)
            await asyncio.sleep(0)

    chaining = [asyncio.create_task(chain()) for _ in range(2)]
    for begin in range(0, 120, 6):
        await asyncio.gather(*(act(number) for number in range(begin, begin + 6)))
    writing = False
    await asyncio.gather(*chaining)
    await chain_all(world.database.system, service="orders")

    for owner in owners:
        async with transaction(world.database.app, owner) as session:
            numbers = (await session.execute(text("SELECT number FROM audit_links ORDER BY number"))).scalars().all()
        assert numbers == list(range(1, 41))
        lines = await exported(world, owner)
        assert verify(lines, noted=await head_of(world, owner)).intact
        assert len({orjson.loads(line)["act"] for line in lines[1:-1]}) == 40


async def test_an_entry_waits_for_older_transactions(world: World):
    """What commits late cannot belong before an entry that has its number already."""
    owner = new_id()
    insert = text("INSERT INTO audit_entries (owner_id, at, entry) VALUES (:owner, now(), '{}')")
    async with world.database.app() as late, late.begin():
        await late.execute(insert, {"owner": owner})
        async with transaction(world.database.app) as session:
            await session.execute(insert, {"owner": owner})
        await chain_all(world.database.system, service="orders")
        assert (await head_of(world, owner)).number == 0
    await chain_all(world.database.system, service="orders")
    assert (await head_of(world, owner)).number == 2
    assert TRANSACTION_SECONDS < 60, "the oldest transaction, and with it the chain, is never far behind"


async def test_a_log_that_cannot_be_written_does_not_change_the_answer(world: World):
    with psycopg.connect(world.owner_url, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON audit_entries FROM orders_app")
    answer: httpx.Response = await world.http.post(
        "/orders/projects", json={}, headers=signed_in(a_person(Role.BUYER)) | once()
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")
