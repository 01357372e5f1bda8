"""Blacklists, consents, stages that stop and papers that end: told to both sides, without what only one may read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from services.members.reactions import REACTIONS
from services.members.stages.jobs import look_at_open_gates
from services.members.webhooks.facts import READERS
from services.members.webhooks.schemas import ConsentMessage, ExpiryMessage, StageMessage
from shared.contracts.blacklists import BlacklistAppealed, BlacklistChanged
from shared.contracts.suppliers import ConsentChanged, DocumentExpiring
from shared.database import transaction
from shared.ids import new_id
from tests.members.federation import CATEGORY, Federation
from tests.members.webhooks.conftest import Office, Receiver

URL = "http://127.0.0.1:9/hook"
PUBLIC_URL = "https://8.8.8.8/"
"""The federation's app knows no open hosts; a literal public address needs no resolver."""


async def told(office: Office, company: UUID, endpoint: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["type"], each["path"]) for each in reversed(await office.deliveries(company, endpoint))]


def listed(owner: UUID | None, *suppliers: UUID, what: str = "listed") -> dict[str, Any]:
    return BlacklistChanged(
        entry_id=new_id(),
        owner_group_id=owner,
        what=what,
        supplier_ids=list(suppliers),
        level="NO_NEW_ORDER",
        reason_class="BRIBERY",
        categories=[],
        type_codes=[],
        regions=[],
        project_ids=[],
        starts_on=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
        status="ACTIVE",
        version=1,
    ).model_dump(mode="json")


async def companies(office: Office, *kinds: str) -> list[tuple[UUID, dict[str, Any]]]:
    made = [await office.world.company(kind) for kind in kinds]
    return [(company, await office.endpoint(company, URL)) for company in made]


async def test_an_entry_of_a_blacklist_goes_to_its_owner_and_whom_it_names_each_where_it_may_read(office: Office):
    [(owner, at_owner), (named, at_named), (rival, at_rival), (other, at_other)] = await companies(
        office, "contractor_group", "supplier", "contractor_group", "supplier"
    )
    data = listed(owner, named)
    await office.follow(office.event("suppliers", "blacklist.changed", data, subject=data["entry_id"]))
    kept = ("blacklist.changed", f"/suppliers/blacklist/entries/{data['entry_id']}")
    about_us = ("blacklist.changed", "/suppliers/blacklist/about-us")
    assert await told(office, owner, at_owner) == [kept]
    assert await told(office, named, at_named) == [about_us]
    assert await told(office, rival, at_rival) == [], "a group's list is its own matter (T7)"
    assert await told(office, other, at_other) == []


async def test_what_the_owners_people_only_propose_is_not_told_to_the_supplier(office: Office):
    [(owner, at_owner), (named, at_named)] = await companies(office, "contractor_group", "supplier")
    for what in ("softening asked", "proposal rejected"):
        await office.follow(office.event("suppliers", "blacklist.changed", listed(owner, named, what=what)))
    assert len(await told(office, owner, at_owner)) == 2
    assert await told(office, named, at_named) == []


async def test_an_official_entry_goes_to_whom_it_names_and_an_appeal_to_both_sides(office: Office):
    [(owner, at_owner), (named, at_named)] = await companies(office, "contractor_group", "supplier")
    await office.follow(office.event("suppliers", "blacklist.changed", listed(None, named)))
    assert await told(office, owner, at_owner) == []
    appealed = BlacklistAppealed(entry_id=new_id(), appeal_id=new_id(), owner_group_id=owner, supplier_id=named)
    await office.follow(office.event("suppliers", "blacklist.appealed", appealed.model_dump(mode="json")))
    assert len(await told(office, owner, at_owner)) == 1
    assert len(await told(office, named, at_named)) == 2


async def test_a_message_of_a_blacklist_says_neither_level_nor_reason(office: Office, receiver: Receiver):
    named = await office.world.company("supplier")
    await office.endpoint(named, receiver.url)
    await office.follow(office.event("suppliers", "blacklist.changed", listed(await office.world.company(), named)))
    await office.later(seconds=1)
    [heard] = receiver.heard
    assert set(orjson.loads(heard.body)["data"]) == {"subject_id", "path", "company_id"}
    assert b"BRIBERY" not in heard.body
    assert b"NO_NEW_ORDER" not in heard.body


def consent(supplier: UUID, audience: Any, to: UUID | None, *, revoked: bool = False) -> dict[str, Any]:
    return ConsentChanged(
        consent_id=new_id(),
        supplier_id=supplier,
        what=["profile"],
        audience=audience,
        to_id=to,
        until=date(2027, 6, 30),
        revoked=revoked,
    ).model_dump(mode="json")


async def test_a_consent_given_and_revoked_is_told_to_both_sides(office: Office, receiver: Receiver):
    supplier, group, rival = [
        await office.world.company(kind) for kind in ("supplier", "contractor_group", "contractor_group")
    ]
    at_supplier, at_rival = await office.endpoint(supplier, URL), await office.endpoint(rival, URL)
    await office.endpoint(group, receiver.url)
    for revoked in (False, True):
        await office.follow(
            office.event("suppliers", "consent.changed", consent(supplier, "ORG", group, revoked=revoked))
        )
        await office.later(seconds=1)
    bodies = [ConsentMessage.model_validate_json(heard.body) for heard in receiver.heard]
    assert [(each.data.revoked, each.data.supplier_id) for each in bodies] == [("false", supplier), ("true", supplier)]
    assert bodies[0].data.path == f"/suppliers/{supplier}/portable-profile?consent_id={bodies[0].data.subject_id}"
    own = [path.rpartition("/")[2] for _, path in await told(office, supplier, at_supplier)]
    assert own == ["history", "history"]
    assert await told(office, rival, at_rival) == []


async def test_a_consent_for_a_circle_is_told_to_its_groups_and_one_for_everybody_to_its_supplier(
    federation: Federation,
):
    office = Office(federation.world, federation.database)
    first, second, outside = [await federation.group() for _ in range(3)]
    supplier = await office.world.company("supplier")
    endpoints = {each: await office.endpoint(each, PUBLIC_URL) for each in (first, second, outside, supplier)}
    circle = await federation.circle(first, second)
    await office.follow(office.event("suppliers", "consent.changed", consent(supplier, "CIRCLE", circle)))
    await office.follow(office.event("suppliers", "consent.changed", consent(supplier, "MEMBERS", None)))
    assert len(await told(office, first, endpoints[first])) == 1
    assert len(await told(office, second, endpoints[second])) == 1
    assert await told(office, outside, endpoints[outside]) == []
    assert len(await told(office, supplier, endpoints[supplier])) == 2


@pytest.mark.parametrize(
    ("subject", "step", "path"),
    [
        ("paper", 60, "/papers/{id}"),
        ("paper", 30, "/papers/{id}"),
        ("paper", 7, "/papers/{id}"),
        ("paper", 0, "/papers/{id}"),
        ("qualification", 30, "/onboarding"),
        ("identity", 7, "/identity"),
    ],
)
async def test_each_warning_of_what_ends_is_told_to_the_supplier(
    office: Office, receiver: Receiver, subject: Any, step: Any, path: str
):
    supplier, other = [await office.world.company("supplier") for _ in range(2)]
    at_other = await office.endpoint(other, URL)
    await office.endpoint(supplier, receiver.url)
    ending = DocumentExpiring(
        supplier_id=supplier,
        subject=subject,
        subject_id=new_id(),
        kind="production_permit" if subject == "paper" else subject,
        categories=["rebar"],
        ends_on=date(2027, 1, 1),
        step=step,
    )
    await office.follow(office.event("suppliers", "document.expiring", ending.model_dump(mode="json")))
    await office.later(seconds=1)
    said = ExpiryMessage.model_validate_json(receiver.heard[0].body).data
    assert (said.subject, said.kind, said.step) == (subject, ending.kind, str(step))
    assert said.path == f"/suppliers/{supplier}{path.format(id=ending.subject_id)}"
    assert await told(office, other, at_other) == []


async def follow_members(federation: Federation, office: Office, *, after: int = 0) -> int:
    """Let the worker follow what `members` itself published, from the n-th event on."""
    rows = await office.sql("SELECT * FROM events ORDER BY txid, seq")
    for row in rows[after:]:
        if row.type in READERS["members"]:
            kind = row.type.removeprefix("dev.dougong.members.").removesuffix(".v1")
            event = office.event("members", kind, row.data, subject=row.subject, at=row.time)
            async with transaction(federation.database.system) as session:
                await REACTIONS["members"][row.type](session, [event])
    return len(rows)


async def of_stages(office: Office, company: UUID, endpoint: dict[str, Any]) -> list[str]:
    types = [kind for kind, _ in await told(office, company, endpoint)]
    return [kind for kind in types if kind.startswith("stage.")]


async def said_last(office: Office, company: UUID) -> dict[str, Any]:
    """What the newest message of a company says in itself, read as its schema."""
    async with transaction(office.database.system) as session:
        row = (
            await session.execute(
                text("SELECT * FROM webhook_deliveries WHERE company_id = :id ORDER BY occurred_at DESC, id DESC"),
                {"id": company},
            )
        ).first()
    assert row is not None
    data = {"subject_id": row.subject_id, "path": row.path, "company_id": str(company), **row.told}
    message = StageMessage.model_validate({"id": row.id, "type": row.type, "timestamp": row.occurred_at, "data": data})
    return message.data.model_dump(mode="json", exclude_none=True)


async def test_an_announced_change_that_is_suspended_is_told_to_whom_it_was_announced(federation: Federation):
    office = Office(federation.world, federation.database)
    group, partner, outside = [await federation.group() for _ in range(3)]
    endpoints = {each: await office.endpoint(each, PUBLIC_URL) for each in (group, partner, outside)}
    circle = await federation.circle(group, partner)
    await federation.all_evidence()
    change = await federation.drafted(group, "S2", circle)
    await federation.announced(group, change)
    suspended = await federation.post(group, f"{change}/suspension", {"reason": "SECRET-REASON"})
    assert suspended.status_code == 200, suspended.text
    seen = await follow_members(federation, office)
    for company in (group, partner):
        assert await of_stages(office, company, endpoints[company]) == ["stage.announced", "stage.stopped"]
    said = await said_last(office, partner)
    assert (said["what"], said["to_stage"], said["category"]) == ("suspended", "S2", CATEGORY)
    assert await of_stages(office, outside, endpoints[outside]) == []
    assert not [
        row for row in await office.sql("SELECT told::text AS said FROM webhook_deliveries") if "SECRET" in row.said
    ]
    reverted = await federation.post(group, f"{change}/reversal", {"reason": "again"})
    assert reverted.status_code == 200, reverted.text
    await follow_members(federation, office, after=seen)
    assert len(await of_stages(office, group, endpoints[group])) == 3
    assert len(await of_stages(office, partner, endpoints[partner])) == 2, "it heard that it does not come"


async def test_those_who_lose_sight_when_a_group_leaves_or_a_circle_ends_are_told(federation: Federation):
    office = Office(federation.world, federation.database)
    group, partner, third = [await federation.group() for _ in range(3)]
    endpoints = {each: await office.endpoint(each, PUBLIC_URL) for each in (group, partner, third)}
    circle = await federation.circle(group, partner, third)
    await federation.all_evidence()
    await federation.opened(group, circle)
    seen = await follow_members(federation, office)
    dissolved = await federation.post(group, f"circles/{circle}/dissolution", {"reason": "over"})
    assert dissolved.status_code == 200, dissolved.text
    await follow_members(federation, office, after=seen)
    for company in (partner, third):
        kinds = [kind for kind, _ in await told(office, company, endpoints[company])]
        assert sorted(kinds[-2:]) == ["circle.changed", "stage.changed"], "the circle ended, and the stage with it"
    async with transaction(office.database.system) as session:
        said = await session.scalar(
            text(
                "SELECT told FROM webhook_deliveries WHERE type = 'stage.changed' AND company_id = :id "
                "AND told->>'stage' = 'S1'"
            ),
            {"id": partner},
        )
    assert said is not None
    assert (said["before_stage"], said["what"]) == ("S2", "reverted")


async def test_the_market_that_opens_or_closes_is_told_to_everybody_who_takes_part(office: Office):
    [(group, at_group), (stranger, at_stranger), (seller, at_seller)] = await companies(
        office, "contractor_group", "contractor_group", "supplier"
    )
    gone = await office.world.company("supplier")
    at_gone = await office.endpoint(gone, URL)
    await office.sql("UPDATE companies SET status = 'SUSPENDED' WHERE id = :id", id=gone)
    data = {"group_id": str(group), "category": CATEGORY, "circle_id": str(new_id()), "change_id": str(new_id())}
    closing = {**data, "stage": "S2", "before_stage": "S3", "before_circle_id": None, "what": "suspended"}
    await office.follow(office.event("members", "stage.changed", closing))
    for company, endpoint in ((group, at_group), (stranger, at_stranger), (seller, at_seller)):
        assert await of_stages(office, company, endpoint) == ["stage.changed"]
    assert await told(office, gone, at_gone) == []
    narrower = {**data, "stage": "S1", "before_stage": "S2", "before_circle_id": None, "what": "suspended"}
    await office.follow(office.event("members", "stage.changed", narrower))
    assert len(await of_stages(office, stranger, at_stranger)) == 1, "a circle is not everybody's matter"


async def test_gates_that_fall_and_hold_again_are_told_to_the_group_alone(federation: Federation):
    office = Office(federation.world, federation.database)
    group, partner = [await federation.group() for _ in range(2)]
    endpoints = {each: await office.endpoint(each, PUBLIC_URL, "stage.gates_changed") for each in (group, partner)}
    circle = await federation.circle(group, partner)
    await federation.all_evidence()
    await federation.opened(group, circle)
    federation.gate_data.mapped_spend_share = None
    at = datetime.now(UTC) + timedelta(days=9)
    assert await look_at_open_gates(federation.database.system, gate_data=federation.gate_data, at=at) == 1
    await follow_members(federation, office)
    path = f"/members/companies/{group}/stages"
    assert await told(office, group, endpoints[group]) == [("stage.gates_changed", path)]
    assert await told(office, partner, endpoints[partner]) == []
    [stage] = (await federation.get(group, "stages")).json()
    assert stage["fallen_gates"] == ["mapped_spend"], "what fell is read there"
