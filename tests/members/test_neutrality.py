"""Operators do not trade from the first open space on (T8); who stands under one top with an operator is named."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.members.companies.neutrality import (
    TRADING_KINDS,
    TRADING_ROLES,
    Held,
    groups_where_operators_trade_anywhere,
    kinds_fault,
    roles_fault,
    tell_affiliates,
)
from services.members.companies.rules import CompanyKind
from shared.database import Database
from tests.members.conftest import PASSWORD, World, a_uscc, an_email
from tests.members.federation import Federation

roles = st.frozensets(st.sampled_from([*sorted(TRADING_ROLES), "operator", "admin"]), max_size=4)
kinds = st.frozensets(st.sampled_from([kind.value for kind in CompanyKind]), min_size=1, max_size=3)
held = st.builds(Held, roles=roles, kinds=kinds)


async def open_a_space(database: Database) -> None:
    """A group's category stands at S3, as after an effective stage change."""
    async with database.system() as session, session.begin():
        group = await session.scalar(text("SELECT id FROM companies WHERE 'contractor_group' = ANY (kinds) LIMIT 1"))
        await session.execute(
            text(
                "INSERT INTO stages (group_id, category, stage, change_id, since, version) "
                "VALUES (:group, 'finishes_misc', 'S3', gen_random_uuid(), now(), 1)"
            ),
            {"group": group},
        )


async def invite(world: World, company: UUID, email: str, *roles: str) -> httpx.Response:
    body = {"email": email, "name": "李娜", "roles": roles, "verified": True}
    return await world.post(f"/members/companies/{company}/people", body, as_=world.as_operator)


def code(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")


REFUSED = (409, "OperatorsDoNotTrade")


async def test_before_any_space_is_open_a_purchasing_centre_may_run_its_own(world: World):
    centre = await world.company("contractor_group", "operator")
    assert (await invite(world, centre, an_email(), "operator", "buyer")).status_code == 201


async def test_from_then_on_no_company_becomes_both(world: World, database: Database):
    await world.company("contractor_group")
    trading, operating = await world.company("supplier"), await world.company("operator")
    await open_a_space(database)
    body = {"tax_id": {"value": a_uscc()}, "name_zh": "示范", "kinds": ["operator", "contractor"]}
    assert code(await world.post("/members/companies", body, as_=world.as_operator)) == REFUSED
    for company, change in ((trading, ["supplier", "operator"]), (operating, ["operator", "carrier"])):
        answer = await world.http.patch(
            f"/members/companies/{company}", json={"kinds": change}, headers=world.as_operator | {"If-Match": '"1"'}
        )
        assert code(answer) == REFUSED
    body["kinds"] = ["operator", "association"]
    assert (await world.post("/members/companies", body, as_=world.as_operator)).status_code == 201


async def test_and_no_person_gets_both_parts_in_one_company_or_two(world: World, database: Database):
    centre = await world.company("contractor_group", "operator")
    operating, buying, selling = [await world.company(kind) for kind in ("operator", "contractor", "supplier")]
    runner, trader = an_email("runner"), an_email("trader")
    assert (await invite(world, operating, runner, "operator")).status_code == 201
    assert (await invite(world, selling, trader, "supplier_sales")).status_code == 201
    await open_a_space(database)
    assert code(await invite(world, centre, an_email(), "buyer")) == REFUSED
    assert code(await invite(world, centre, an_email(), "operator")) == REFUSED
    assert code(await invite(world, buying, runner, "buyer")) == REFUSED
    assert code(await invite(world, operating, trader, "operator")) == REFUSED
    assert (await invite(world, buying, runner, "admin")).status_code == 201, "an admin alone does not trade"
    assert (await invite(world, buying, trader, "buyer")).status_code == 201


async def test_nor_by_a_change_of_roles(world: World, database: Database):
    await world.company("contractor_group")
    operating, buying = await world.company("operator"), await world.company("contractor")
    email = an_email()
    await world.join(operating, email, "admin")
    person = await world.join(buying, email, "admin")
    await open_a_space(database)
    answer = await world.http.patch(
        f"/members/companies/{buying}/people/{person}",
        json={"roles": ["buyer"]},
        headers=world.as_operator | {"If-Match": '"1"'},
    )
    assert code(answer) == REFUSED


async def test_an_invitation_from_before_does_not_slip_through(world: World, database: Database):
    centre = await world.company("contractor_group", "operator")
    body = {"email": an_email(), "name": "李娜", "roles": ["buyer"]}
    invited = await world.post(f"/members/companies/{centre}/people", body, as_=world.as_operator)
    await open_a_space(database)
    accepted = await world.http.post(
        "/members/invitations/accept", json={"token": invited.json()["invitation_token"], "password": PASSWORD}
    )
    assert code(accepted) == REFUSED


async def test_the_record_names_operators_that_trade_and_affiliates(world: World, database: Database):
    top, operating, sister, stranger = [
        await world.company(kind) for kind in ("contractor_group", "operator", "supplier", "supplier")
    ]
    centre = await world.company("contractor_group", "operator")
    await world.join(centre, an_email(), "operator", "buyer")
    for child in (operating, sister):
        link = {"parent_id": str(top), "valid_from": "2026-01-01"}
        answer = await world.post(f"/members/companies/{child}/links", link, as_=world.as_operator)
        assert answer.status_code == 201
    await open_a_space(database)

    record = (await world.http.get("/members/neutrality", headers=world.as_operator)).json()

    assert (record["neutral"], record["open_spaces"], record["people_with_both"]) == (False, 1, 1)
    trades = {each["company_id"]: each["trades_as"] for each in record["operators"]}
    assert trades == {str(operating): [], str(centre): ["contractor_group"]}
    affiliates = {each["company_id"]: each["operator_id"] for each in record["affiliates"]}
    assert affiliates == {str(top): str(operating), str(sister): str(operating), str(centre): str(centre)}
    assert str(stranger) not in affiliates


@pytest.mark.parametrize("kind", sorted(TRADING_KINDS))
def test_an_operator_is_of_no_kind_that_trades(kind: str):
    assert kinds_fault(["operator", kind])
    assert kinds_fault([kind]) is None
    assert kinds_fault(["operator", "association"]) is None


@given(granted=held, elsewhere=st.lists(held, max_size=3))
def test_what_is_let_through_never_makes_a_person_both(granted: Held, elsewhere: list[Held]):
    if roles_fault(granted, elsewhere=elsewhere) is not None:
        return
    here_operates, here_trades = "operator" in granted.roles, bool(TRADING_ROLES & granted.roles)
    assert not (here_operates and (TRADING_KINDS & granted.kinds or any(TRADING_ROLES & e.roles for e in elsewhere)))
    assert not (here_trades and ("operator" in granted.kinds or any("operator" in e.kinds for e in elsewhere)))


@given(granted=held, elsewhere=st.lists(held, max_size=3))
def test_who_neither_operates_nor_trades_is_never_refused(granted: Held, elsewhere: list[Held]):
    harmless = Held(roles=granted.roles - TRADING_ROLES - {"operator"}, kinds=granted.kinds)
    assert roles_fault(harmless, elsewhere=elsewhere) is None


async def test_affiliates_are_told_once_and_by_the_days_of_the_links(world: World, database: Database):
    top, operating, seller = [await world.company(kind) for kind in ("contractor_group", "operator", "supplier")]
    link = {"parent_id": str(top), "valid_from": "2026-01-01"}
    for child, more in ((operating, {}), (seller, {"valid_until": "2030-01-01"})):
        answer = await world.post(f"/members/companies/{child}/links", {**link, **more}, as_=world.as_operator)
        assert answer.status_code == 201, answer.text

    async def told_on(year: int) -> int:
        async with database.system() as session, session.begin():
            return await tell_affiliates(session, at=datetime(year, 6, 1, tzinfo=UTC))

    async def marked(company: UUID) -> bool:
        answer = await world.http.get(f"/members/companies/{company}", headers=world.as_operator)
        return bool(answer.json()["affiliated_with_operator"])

    assert not await marked(seller)
    assert await told_on(2027) == 2, "the seller, and the contractor above both"
    assert await told_on(2027) == 0
    assert await marked(seller)
    assert await marked(top)
    assert not await marked(operating), "it does not trade"
    assert await told_on(2031) == 1
    assert not await marked(seller)
    async with database.system() as session:
        rows = await session.scalars(
            text(
                "SELECT data->>'operator_id' FROM events WHERE subject = :seller "
                "AND type = 'dev.dougong.members.company.affiliated.v1' ORDER BY txid, seq"
            ),
            {"seller": str(seller)},
        )
        assert rows.all() == [str(operating), None]


async def test_the_groups_for_which_operators_trade_are_found_by_company_person_and_link(
    world: World, database: Database
):
    top, child, private, operating = [
        await world.company(kind) for kind in ("contractor_group", "contractor", "contractor_group", "operator")
    ]
    link = {"parent_id": str(top), "valid_from": "2026-01-01"}
    assert (await world.post(f"/members/companies/{child}/links", link, as_=world.as_operator)).status_code == 201
    centre = await world.company("contractor_group", "operator")
    both = an_email()
    await world.join(operating, both, "operator")
    await world.join(child, both, "buyer")
    await world.join(private, an_email(), "buyer")

    async def found(at: datetime) -> list[UUID]:
        async with database.system() as session:
            return await groups_where_operators_trade_anywhere(session, at=at)

    assert set(await found(datetime.now(UTC))) == {top, centre}
    async with database.system() as session, session.begin():
        await session.execute(text("UPDATE memberships SET valid_until = now() WHERE company_id = :id"), {"id": child})
    assert set(await found(datetime.now(UTC))) == {centre}, "who trades no longer"


async def test_a_space_opens_to_a_circle_only_when_no_operator_trades_in_it(federation: Federation):
    group, partner, elsewhere = [await federation.group() for _ in range(3)]
    circle = await federation.circle(group, partner)
    await federation.all_evidence()
    change = await federation.drafted(group, "S2", circle)
    for trading, status in (([partner], "DRAFT"), ([group], "DRAFT"), (None, "DRAFT"), ([elsewhere], "GATES_CHECKED")):
        federation.gate_data.trading_operator_groups = trading
        checked = (await federation.post(group, f"{change}/gates")).json()
        assert checked["status"] == status, (trading, checked)
        held = {gate["gate"]: gate["passed"] for gate in checked["gates"]}
        assert held["operator_neutrality"] is (status == "GATES_CHECKED"), "a private space elsewhere is its own matter"
    federation.gate_data.trading_operator_groups = [partner]
    refused = await federation.post(group, f"{change}/approvals/tenant")
    assert refused.status_code == 409, "somebody who operates began to trade between check and approval"
    assert await federation.stage(group) == ("S1", None)
