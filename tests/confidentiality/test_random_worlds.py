"""T1 and T6 with random owners, stages, circles, admissions, consents and viewers, over all four services at once.

Four contractor groups, one supplier with an offer for each audience, each at a price that occurs nowhere else. Dice
open and close categories, move groups in and out of circles, admit and end, consent and revoke, and buy. Every few
steps somebody asks everything there is to ask; the answers must hold each price that table 3.2 of domain.md lets the
viewer see and no other, and no sum of an order but the viewer's own. The table stands here once more, by hand.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.audience import Audience, Stage
from shared.contracts.members import CIRCLE_CHANGED, STAGE_CHANGED, CircleChanged, StageChanged
from shared.database import transaction
from shared.feed import publish
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.confidentiality.matrix import Matrix
from tests.confidentiality.victim import Victim
from tests.conftest import a_person
from tests.members.conftest import World as Members
from tests.members.federation import CATEGORY
from tests.platform import TILE, Story, stocked

ROLES = (Role.REQUESTER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.ADMIN)
ROUNDS, STEPS = 6, 4


@dataclass(frozen=True)
class Offered:
    """One offer, to whom it is meant, and its price."""

    id: str
    audience: Audience
    named: frozenset[UUID]
    price: str


@dataclass
class RandomWorld:
    """What the dice did, and who may see what by the table."""

    story: Story
    dice: random.Random
    groups: list[UUID] = field(default_factory=list)
    circles: dict[UUID, set[UUID]] = field(default_factory=dict)
    stages: dict[UUID, tuple[Stage, UUID | None]] = field(default_factory=dict)
    admitted: dict[UUID, str] = field(default_factory=dict)
    consents: list[str] = field(default_factory=list)
    offers: list[Offered] = field(default_factory=list)
    sums: dict[str, UUID] = field(default_factory=dict)
    """Each order's sum, and whose it is."""
    orders: list[str] = field(default_factory=list)
    paid: set[tuple[UUID, str]] = field(default_factory=set)
    """Who bought by which offer: the price stands on the group's own order, whatever closes later."""

    @property
    def seller(self) -> Principal:
        return a_person(Role.SUPPLIER_SALES, Role.ADMIN, company_id=self.story.supplier)

    def person(self, group: UUID) -> Principal:
        circles = frozenset(circle for circle, members in self.circles.items() if group in members)
        return a_person(*ROLES, company_id=group, group_id=group, circle_ids=circles)

    async def begin(self) -> None:
        await stocked(self.story)
        members = Members(http=self.story.doors.http["members"])
        more = [await members.company("contractor_group") for _ in range(2)]
        self.groups = [self.story.a, self.story.b, *more]
        self.circles = {new_id(): set() for _ in range(2)}
        first, second, *_ = self.groups
        meant: list[tuple[Audience, Sequence[UUID]]] = [
            (Audience.PARTIES, [first]),
            (Audience.PARTIES, [second]),
            (Audience.ORG, [first, second]),
            (Audience.CIRCLE, [next(iter(self.circles))]),
            (Audience.MEMBERS, []),
            (Audience.PUBLIC, []),
        ]
        for number, (audience, named) in enumerate(meant):
            price = f"7{number}13.{number}7"
            terms = {"price": price, "tax_inclusive": True, "tax_rate": "0.13", "unit": "m2", "stock_point": None}
            whom = {"audience": audience.value, "audience_ids": [str(each) for each in named]}
            body = {**terms, **whom, "item_no": f"T-{number}", "variant": {"key": TILE}}
            made = await self.story.done("POST", "/suppliers/offers", self.seller, body)
            self.offers.append(Offered(made["id"], audience, frozenset(named), price))
        await self.story.rekeyed()

    async def told(self, kind: str, what: Any) -> None:
        """A fact of `members`, as its feed tells it: the gates that lead to it are tried elsewhere."""
        async with transaction(self.story.databases["members"].system) as session:
            await publish(session, type=kind, subject="x", data=what, at=datetime.now(UTC))

    async def opens(self, group: UUID) -> None:
        within = [circle for circle, members in self.circles.items() if group in members]
        stage = self.dice.choice([Stage.S1, *([Stage.S2] if within else []), Stage.S3])
        await self.stage(group, stage, self.dice.choice(within) if stage is Stage.S2 else None)

    async def stage(self, group: UUID, stage: Stage, circle: UUID | None) -> None:
        before, circle_before = self.stages.get(group, (Stage.S1, None))
        self.stages[group] = (stage, circle)
        what = StageChanged(
            group_id=group, category=CATEGORY, stage=stage, circle_id=circle,
            before_stage=before, before_circle_id=circle_before, change_id=new_id(), what="took effect",
        )  # fmt: skip
        await self.told(STAGE_CHANGED, what)

    async def moves(self, group: UUID) -> None:
        circle = self.dice.choice(list(self.circles))
        self.circles[circle] ^= {group}
        for owner, (_, opened_to) in list(self.stages.items()):
            if opened_to == circle and owner not in self.circles[circle]:
                await self.stage(owner, Stage.S1, None)
        what = CircleChanged(
            circle_id=circle, name="圈", status="ACTIVE", what="joined", group_id=group,
            member_ids=sorted(self.circles[circle]),
        )  # fmt: skip
        await self.told(CIRCLE_CHANGED, what)

    async def decides(self, group: UUID) -> None:
        """The group admits the supplier, or ends it."""
        who = self.person(group)
        if group in self.admitted:
            path = f"/suppliers/admissions/{self.admitted.pop(group)}/ending"
            await self.story.done("POST", path, who, {"reason": "As the dice say."}, headers={"If-Match": '"1"'})
            return
        body = {"categories": [CATEGORY], "reason": "As the dice say."}
        made = await self.story.done("POST", f"/suppliers/{self.story.supplier}/admissions", who, body)
        self.admitted[group] = made[0]["id"]

    async def consents_to(self, group: UUID) -> None:
        """The supplier shares its profile with a group, or takes that back; prices are no part of it."""
        if self.consents and self.dice.random() < 0.5:
            path = f"/suppliers/consents/{self.consents.pop()}/revocation"
            await self.story.call("POST", path, self.seller, {"reason": "As the dice say."})
            return
        until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        what = ["profile", "qualification_decision", "evaluation"]
        body = {"what": what, "audience": "ORG", "to_id": str(group), "until": until}
        self.consents.append((await self.story.done("POST", "/suppliers/consents", self.seller, body))["id"])

    async def buys(self, group: UUID) -> None:
        """An order of a quantity of its own, by any offer; refused where the table does not show it."""
        offer, quantity = self.dice.choice(self.offers), 101 + 7 * len(self.orders)
        who = self.person(group)
        point = {"name": "Gate", "region": "110105", "address": "建国路1号"}
        named = {"number": f"P-{new_id()}", "name": "商务楼", "delivery_points": [point]}
        project = await self.story.done("POST", "/orders/projects", who, named)
        basket = {
            "project_id": project["id"],
            "delivery_point_id": project["delivery_points"][0]["id"],
            "lines": [{"offer_id": offer.id, "quantity": str(quantity), "unit": "m2", "need_by": "2099-01-01"}],
        }
        answer = await self.story.call("POST", "/orders/baskets", who, basket)
        assert answer.is_success == self.may_see(who, offer), (offer, answer.text)
        if answer.is_success:
            placed = answer.json()
            self.sums[placed["totals"]["gross"]] = group
            self.orders.append(placed["orders"][0]["id"])
            self.paid.add((group, offer.id))

    async def step(self) -> None:
        group = self.dice.choice(self.groups)
        acts = [self.opens, self.moves, self.decides, self.decides, self.consents_to, self.buys, self.buys]
        await self.dice.choice(acts)(group)
        await self.story.told()
        await self.story.rekeyed()

    def may_see(self, who: Principal | None, offer: Offered) -> bool:
        """Table 3.2: a price shows in a space that reaches the viewer, to whom its author meant it."""
        if who is not None and who.company_id == self.story.supplier:
            return True
        meant = {
            Audience.PARTIES: who is not None and who.company_id in offer.named,
            Audience.ORG: who is not None and who.group_id in offer.named,
            Audience.CIRCLE: who is not None and bool(who.circle_ids & offer.named),
            Audience.MEMBERS: who is not None and who.company_id is not None,
            Audience.PUBLIC: True,
        }[offer.audience]
        if offer.audience is Audience.PARTIES:
            return meant
        spaces = [space for space in self.admitted if self.reaches(space, who)]
        if offer.audience is Audience.CIRCLE:
            opened = {space: self.stages.get(space, (Stage.S1, None)) for space in spaces}
            spaces = [s for s, (stage, circle) in opened.items() if stage is Stage.S3 or circle in offer.named]
        return meant and bool(spaces)

    def reaches(self, space: UUID, who: Principal | None) -> bool:
        """Whether the space of a group that admitted the supplier is open to the viewer."""
        stage, circle = self.stages.get(space, (Stage.S1, None))
        own = who is not None and who.group_id == space
        fellow = who is not None and circle in who.circle_ids
        return {Stage.S1: own, Stage.S2: own or fellow, Stage.S3: True}[stage]

    def viewers(self) -> list[tuple[str, Principal | None]]:
        people: list[tuple[str, Principal | None]] = [(f"group {n}", self.person(g)) for n, g in enumerate(self.groups)]
        stranger = a_person(Role.SUPPLIER_SALES, Role.ADMIN, company_id=new_id())
        return [*people, ("nobody", None), ("another supplier", stranger), ("the operator", self.story.operator)]

    async def asked_by(self, who: Principal | None) -> str:
        """All that the four services say to somebody who asks everything, about a random group's things."""
        about = self.dice.choice(self.groups)
        ids = {name: str(about) for name in ("company_id", "group_id")} | {"supplier_id": str(self.story.supplier)}
        ids |= {"offer_id": self.dice.choice(self.offers).id, "key": TILE, "category": CATEGORY, "code": "FN-TILE"}
        ids["order_id"] = self.dice.choice(self.orders or [str(new_id())])
        ids["consent_id"] = self.dice.choice(self.consents or [str(new_id())])
        matrix = Matrix.of(Victim(story=self.story, folder=None, ids=ids))
        said = [(await matrix.ask(each, who)).text for each in matrix.questions]
        for sort in ("relevance", "price", "lead_time"):
            params = {"q": "瓷砖", "offers": "50", "sort": sort, "quantity": "1", "unit": "m2", "explain": "true"}
            said.append((await self.story.asked("catalog", "/catalog/search", who, params=params)).text)
        said += [
            (await self.story.asked("suppliers", f"/suppliers/offers/{each.id}", who)).text for each in self.offers
        ]
        return "\n".join(said)


@pytest.mark.parametrize("seed", [3, 13])
async def test_whoever_asks_hears_only_what_the_table_lets_be_heard(story: Story, seed: int):
    world = RandomWorld(story=story, dice=random.Random(seed))
    await world.begin()
    heard = hidden = 0
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            await world.step()
        name, who = world.dice.choice(world.viewers())
        said = await world.asked_by(who)
        own = who.company_id if who is not None else None
        for offer in world.offers:
            shown, told = world.may_see(who, offer), offer.price in said
            assert shown <= told <= (shown or (own, offer.id) in world.paid), (name, offer)
            heard, hidden = heard + shown, hidden + (not told)
        assert not [total for total, group in world.sums.items() if total in said and group != own], name
    assert heard, "somebody sees something"
    assert hidden, "somebody may not"
