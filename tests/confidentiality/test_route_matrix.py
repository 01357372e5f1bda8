"""Every route tried by every role: of the owner, of another company, of the operator without a case file, by a machine
and by nobody.

The requests are made up from the OpenAPI documents and are about A's things. Whatever the answer: it is no accident
(500), it carries nothing of A's to anybody else, and no stranger changes a row of A's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from tests.architecture.test_routes import APPS, BY_RIGHT, SERVICES
from tests.confidentiality.matrix import Matrix, Party, opens
from tests.confidentiality.victim import AGREED, PRICE, QUANTITY, WORD, Victim, a_victim
from tests.conftest import a_person, a_service, an_api_client, once, signed_in
from tests.members.conftest import World as Members
from tests.platform import Story

SUPPLIERS_SCOPES = (Scope.STOCK_WRITE, Scope.PRICES_WRITE, Scope.ORDERS_READ, Scope.ORDERS_RESPOND)
SUPPLIERS_ROLES = (Role.SUPPLIER_SALES, Role.SUPPLIER_FINANCE, Role.ADMIN)
CONTRACTORS_ROLES = (Role.REQUESTER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.ADMIN)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_right_that_a_route_does_not_name_opens_nothing(
    service: str, http_to: Callable[[FastAPI], httpx.AsyncClient]
):
    """Each role and scope by itself; the database is not there, so whoever is let in fails loudly."""
    http = http_to(APPS[service])
    holders: dict[str, Principal] = {role: a_person(role) for role in Role}
    holders |= {scope: an_api_client(scope) for scope in SUPPLIERS_SCOPES}
    holders |= {scope: a_service(scope) for scope in Scope if scope not in SUPPLIERS_SCOPES}
    let_in = []
    for route in (each for each in BY_RIGHT if each.service == service):
        for right, who in holders.items():
            if opens(route, frozenset({right})):
                continue
            answer = await http.request(route.method, route.address, headers=signed_in(who) | once())
            if (answer.status_code, answer.json()["code"]) != (403, "RightMissing"):
                let_in.append((str(route), right, answer.status_code))
    assert not let_in


async def strangers(victim: Victim) -> list[Party]:
    """One party for each right, so that no right is hidden by another."""
    story, seller = victim.story, await Members(http=victim.story.doors.http["members"]).company("supplier")
    rival: dict[str, Any] = {"company_id": story.b, "group_id": story.b, "circle_ids": victim.circles}
    return [
        Party("nobody", None),
        Party("no role", a_person(company_id=story.b)),
        *(Party(f"rival's {role}", a_person(role, **rival)) for role in CONTRACTORS_ROLES),
        *(Party(f"another supplier's {role}", a_person(role, company_id=seller)) for role in SUPPLIERS_ROLES),
        Party("another supplier's ERP", an_api_client(*SUPPLIERS_SCOPES, company_id=seller)),
    ]


def the_trusted(victim: Victim) -> list[Party]:
    scopes = [scope for scope in Scope if scope not in SUPPLIERS_SCOPES and scope is not Scope.FEED_READ]
    return [
        Party("operator", victim.story.operator, trusted=True),
        Party("another operator", a_person(Role.OPERATOR, company_id=victim.story.operator.company_id), trusted=True),
        *(Party(f"service with {scope}", a_service(scope), trusted=True) for scope in scopes),
    ]


def its_own(victim: Victim) -> list[Party]:
    story = victim.story
    own: dict[str, Any] = {"company_id": story.a, "group_id": story.a, "circle_ids": victim.circles}
    return [
        *(Party(f"A's {role}", a_person(role, **own), reads=True) for role in CONTRACTORS_ROLES),
        *(
            Party(f"its supplier's {role}", a_person(role, company_id=story.supplier), reads=True)
            for role in SUPPLIERS_ROLES
        ),
        Party("its supplier's ERP", an_api_client(*SUPPLIERS_SCOPES, company_id=story.supplier), reads=True),
    ]


KEPT_BY_THE_HOUSE = ("procrastinate", "alembic", "idempotency", "follower", "sessions", "attempts")


async def rows_of(victim: Victim) -> dict[tuple[str, str], set[str]]:
    """A's rows of every table of every service, as they stand."""
    own = [victim.ids[each] for each in ("company_id", "order_id", "basket_id", "project_id", "offer_id")]
    found: dict[tuple[str, str], set[str]] = {}
    for service, database in victim.story.databases.items():
        async with database.system() as session:
            tables = await session.scalars(
                text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            )
            for table in tables.all():
                if any(word in table for word in KEPT_BY_THE_HOUSE):
                    continue
                rows = await session.scalars(
                    text(f'SELECT to_jsonb(t)::text FROM "{table}" AS t WHERE to_jsonb(t)::text LIKE ANY (:own)'),
                    {"own": [f"%{each}%" for each in own]},
                )
                found[service, table] = set(rows.all())
    return found


async def test_no_stranger_reads_or_changes_anything(story: Story, tmp_path: Path):
    victim = await a_victim(story, tmp_path)
    matrix = Matrix.of(victim)
    before = await rows_of(victim)
    assert len([table for table, rows in before.items() if rows]) > 20, "there is something to lose"
    wrong = [each for party in await strangers(victim) for each in await matrix.tried_by(party)]
    assert not wrong, "\n".join(wrong)
    after = await rows_of(victim)
    lost = {table: rows - after[table] for table, rows in before.items() if rows - after[table]}
    assert not lost
    assert matrix.answers[200] > 100, matrix.answers
    assert matrix.answers[404] > 300, matrix.answers


async def test_operators_and_services_read_no_price_and_no_route_fails_them_or_the_owner(story: Story, tmp_path: Path):
    """T2: also an operator's sight ends where contract prices begin; the case file has its own door, tried beside."""
    victim = await a_victim(story, tmp_path)
    matrix = Matrix.of(victim)
    victim.ids["case_file_id"] = str(new_id())
    wrong = [each for party in the_trusted(victim) + its_own(victim) for each in await matrix.tried_by(party)]
    assert not wrong, "\n".join(wrong)


async def test_the_owner_finds_every_mark(story: Story, tmp_path: Path):
    """What nobody else was told can be asked: the marks stand in answers to the same requests."""
    victim = await a_victim(story, tmp_path)
    matrix = Matrix.of(victim)
    matrix.operations = matrix.questions
    for party in (Party("A", victim.everyone, reads=True), Party("its supplier", victim.seller, reads=True)):
        await matrix.tried_by(party)
    assert matrix.read >= {PRICE, QUANTITY, "45909041", AGREED, "25231855"}
    words = ("project", "gate", "line", "cost", "late", "cracked", "report", "invited", "rule", "hook")
    assert matrix.read >= {f"{WORD}-{what}" for what in words}
