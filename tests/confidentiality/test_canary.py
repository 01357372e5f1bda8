"""T1 and T2: one contractor's amounts are looked for where they must not be: answers to every kind of search, refusals,
log lines, feeds, and the tables of the other services. What the routes themselves answer is tried in
test_route_matrix.py.
"""

import base64
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import text

from shared.audit.chain import chain_all
from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from shared.logs import without_values
from tests.architecture.test_routes import APPS
from tests.confidentiality.forged import operations_of
from tests.confidentiality.matrix import LONG, Matrix, Party
from tests.confidentiality.victim import AGREED, NUMBERS, PAID, PRICE, SUM, Victim, a_victim, bought, looked_into
from tests.conftest import a_person, a_service, an_api_client, signed_in
from tests.platform import TILE, Story, admitted, stocked

SORTS = ("relevance", "price", "lead_time", "carbon")
SEARCHES: list[dict[str, Any]] = [
    {"q": "瓷砖 600x600", "explain": "true", "quantity": "20", "unit": "m2", "region": "110105"},
    {"q": "瓷砖", "facets": "supplier,type,size,kind", "limit": 100},
    {"q": "TILE-A", "offers": 50},
    {"q": "7391"},
    {"type": "FN-TILE", "in_stock": "true", "offers": 50, "currency": "CNY"},
    *({"type": "FN-TILE", "sort": sort, "limit": 1, "quantity": "6000", "unit": "m2"} for sort in SORTS),
]
CURSOR = re.compile(r"cursor=([A-Za-z0-9_\-]+)")


@pytest.fixture
async def victim(story: Story, tmp_path: Path) -> Victim:
    return await a_victim(story, tmp_path)


def others(victim: Victim) -> dict[str, Principal | None]:
    """Everybody but A and its supplier, in every role there is."""
    story, roles = victim.story, [role for role in Role if role is not Role.OPERATOR]
    return {
        "rival contractor": a_person(*roles, company_id=story.b, group_id=story.b, circle_ids=victim.circles),
        "another supplier": a_person(Role.SUPPLIER_SALES, Role.SUPPLIER_FINANCE, Role.ADMIN, company_id=new_id()),
        "another supplier's ERP": an_api_client(Scope.STOCK_WRITE, Scope.ORDERS_READ, company_id=new_id()),
        "operator": story.operator,
        "a service": a_service(*(scope for scope in Scope if scope is not Scope.FEED_READ)),
        "nobody": None,
    }


def told_by(answer: httpx.Response) -> str:
    """All of an answer: its body, its headers, and what the cursor in its Link header keeps."""
    kept = [
        base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
        for cursor in CURSOR.findall(answer.headers.get("Link", ""))
    ]
    return " ".join([answer.text, str(answer.headers), *kept])


async def searched(story: Story, who: Principal | None) -> list[httpx.Response]:
    """The answers to everything about prices that anybody may ask."""
    asked = [("/catalog/search", params) for params in SEARCHES]
    asked += [
        ("/catalog/suggest", {"q": "瓷砖"}),
        ("/catalog/compare", {"variant": TILE, "quantity": "6000", "unit": "m2"}),
        ("/orders/price-statistics", {"variant_key": TILE, "region": "110105"}),
    ]
    return [await story.asked(path.split("/")[1], path, who, params=params) for path, params in asked]


async def test_no_search_sort_facet_or_cursor_tells_it(victim: Victim):
    own = [told_by(answer) for answer in await searched(victim.story, victim.everyone)]
    assert [each for each in own if PRICE in each], "A itself finds the offer that names it"
    for name, who in others(victim).items():
        answers = await searched(victim.story, who)
        assert all(answer.status_code < 500 for answer in answers)
        assert not [answer.url for answer in answers if NUMBERS.search(told_by(answer))], name


async def test_a_rival_is_told_the_same_whether_it_happened_or_not(story: Story):
    """Nothing shows through in another way either: no count, no order of hits, no best price, no figure."""
    await stocked(story)
    await admitted(story)
    body = {"categories": ["finishes_misc"], "grade": "B", "reason": "Trial order."}
    await story.done("POST", f"/suppliers/{story.supplier}/admissions", story.buyer(story.b), body)
    await story.rekeyed()
    rival = a_person(*(role for role in Role if role is not Role.OPERATOR), company_id=story.b, group_id=story.b)
    apps: dict[str, Any] = {service: http._transport for service, http in story.doors.http.items()}
    questions = [
        each
        for service, door in apps.items()
        for each in operations_of(service, door.app)
        if each.method == "GET" and "{" not in each.path and each.path not in LONG
    ]

    async def everything() -> dict[str, str]:
        found = {str(answer.url): answer for answer in await searched(story, rival)}
        found |= {each.path: await story.asked(each.service, each.path, rival) for each in questions}
        return {asked: re.sub(r'"request_id":"[^"]*"', "", answer.text) for asked, answer in found.items()}

    before = await everything()
    assert len([each for each in before.values() if "45.6" in each]) > 5, "the rival finds what is offered to it"
    await bought(Victim(story=story, folder=None))
    after = await everything()
    assert not {asked: (before[asked], after[asked]) for asked in before if before[asked] != after[asked]}


async def a_buyer(story: Story) -> Victim:
    """A with its order and a case file on it, and nothing else."""
    await stocked(story)
    await admitted(story)
    victim = Victim(story=story, folder=None)
    await bought(victim)
    await looked_into(victim)
    return victim


async def test_no_refusal_tells_it(story: Story):
    ids = (await a_buyer(story)).ids
    rival = story.buyer(story.b)
    order = f"/orders/purchase-orders/{ids['order_id']}"
    line = {"offer_id": ids["offer_id"], "quantity": "20", "unit": "m2"}
    mine = await story.order(story.b)
    assert mine.status_code in {201, 409, 422}
    told = [
        mine,
        await story.call("POST", "/suppliers/offers/quote", rival, {"lines": [line]}),
        await story.call("POST", f"{order}/cancellation", rival, {"reason": "x"}, headers={"If-Match": '"1"'}),
        await story.call("POST", f"{order}/response", rival, {"others": "accept"}, headers={"If-Match": '"1"'}),
        await story.call("POST", "/orders/case-files", rival, {"owner_id": str(story.a), "reason": "x", "days": 3}),
    ]
    assert not [answer.text for answer in told if NUMBERS.search(told_by(answer))]


async def test_no_line_of_a_log_tells_it(story: Story, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Neither when it happens nor when somebody fails with it; both kinds of log, as verbose as operators may set."""
    lines: list[str] = []

    def kept(_: Any, __: str, event: Any) -> Any:
        lines.append(str(event))
        raise structlog.DropEvent

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        processors=[
            structlog.contextvars.merge_contextvars,
            without_values,
            structlog.processors.format_exc_info,
            kept,
        ],
    )
    with caplog.at_level(logging.INFO):
        victim = await a_victim(story, tmp_path)
        matrix = Matrix.of(victim)
        for who in (victim.everyone, victim.seller, story.buyer(story.b)):
            await matrix.tried_by(Party("anybody", who, reads=True))
    assert len(lines) > 300
    told = [line for line in lines + [record.getMessage() for record in caplog.records] if NUMBERS.search(line)]
    assert not told


async def test_contract_amounts_stand_in_orders_alone(victim: Victim):
    """What was agreed is no other service's to keep: not in an index, an event, a webhook, a log."""
    await victim.story.told()
    for number in (SUM, AGREED, PAID):
        assert await rows_with(victim.story, "orders", number), "it is where it belongs"
        for service in ("members", "catalog", "suppliers"):
            assert not await rows_with(victim.story, service, number), (service, number)
    assert not await rows_with(victim.story, "members", PRICE)


async def rows_with(story: Story, service: str, number: str) -> set[str]:
    """The tables of a service's database in which a number stands, whatever its column."""
    async with story.databases[service].system() as session:
        tables = await session.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        found = set()
        for table in tables.all():
            counted = await session.scalar(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE to_jsonb(t)::text LIKE :number'),
                {"number": f"%{number}%"},
            )
            found |= {table} if counted else set()
    return found


@pytest.mark.parametrize("role", [*Role, *(scope for scope in Scope if scope is not Scope.FEED_READ)])
async def test_nobody_but_our_own_services_reads_a_feed(role: str, http_to: Callable[[FastAPI], httpx.AsyncClient]):
    who = a_person(Role(role)) if role in set(Role) else a_service(Scope(role))
    for service, app in APPS.items():
        assert (await http_to(app).get(f"/{service}/feed", headers=signed_in(who))).status_code == 403, service


async def test_an_operator_reads_it_in_a_case_file_and_the_owner_sees_that(story: Story):
    """T2: in the owner's list of looks and in its audit log; neither of them tells it again."""
    victim = await a_buyer(story)
    ids = victim.ids
    case = f"/orders/case-files/{ids['case_file_id']}"
    closed = await story.call("GET", f"/orders/purchase-orders/{ids['order_id']}", story.operator)
    assert closed.status_code == 403
    looked = await story.call("GET", f"{case}/purchase-orders/{ids['order_id']}", story.operator)
    assert NUMBERS.search(looked.text)
    colleague = a_person(Role.OPERATOR, company_id=story.operator.company_id)
    other = await story.call("GET", f"{case}/purchase-orders/{ids['order_id']}", colleague)
    assert other.status_code in {403, 404}
    assert not NUMBERS.search(other.text)

    looks = await story.done("GET", f"{case}/looks", story.admin(story.a))
    assert ids["order_id"] in str(looks)
    await chain_all(story.databases["orders"].system, service="orders")
    log = await story.done("GET", "/orders/audit/entries", story.admin(story.a), params={"limit": 200})
    assert [entry for entry in log if "case-files" in str(entry) and str(story.operator.subject) in str(entry)]
    assert not NUMBERS.search(str(looks) + str(log))

    await story.done("POST", f"{case}/end", story.admin(story.a), {})
    ended = await story.call("GET", f"{case}/purchase-orders/{ids['order_id']}", story.operator)
    assert ended.status_code in {403, 404, 409}
    assert not NUMBERS.search(ended.text)
