"""Groups of a circle, and joint notices through the API."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.orders.reactions import REACTIONS
from services.orders.sourcing.jobs import close_due_notices
from shared.contracts.members import CIRCLE_CHANGED, STAGE_CHANGED
from shared.database import Database, transaction
from shared.feed import Event
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import CreateWorld

CATEGORY = "finishes_misc"


def month_after(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().replace(day=1).isoformat()


@dataclass
class Circle:
    """A circle as `members` tells of it, and its groups' buyers."""

    http: httpx.AsyncClient
    database: Database
    id: UUID = field(default_factory=new_id)
    buyers: dict[UUID, Principal] = field(default_factory=dict)
    members: list[UUID] = field(default_factory=list)

    def group(self, *, inside: bool = True) -> UUID:
        """A contractor group, in the circle or outside."""
        group = new_id()
        circles = frozenset({self.id}) if inside else frozenset()
        self.buyers[group] = a_person(Role.BUYER, company_id=group, group_id=group, circle_ids=circles)
        if inside:
            self.members.append(group)
        return group

    async def react(self, kind: str, data: dict[str, Any]) -> None:
        event = Event(
            id=new_id(), source="members", type=kind, subject="x", time=datetime.now(UTC), data=data, position="1-1"
        )
        async with transaction(self.database.system) as session:
            await REACTIONS["members"][kind](session, [event])

    async def told(self, *, status: str = "ACTIVE", members: list[UUID] | None = None) -> None:
        """`members` tells who stands in the circle now."""
        standing = [str(each) for each in (self.members if members is None else members)]
        data = {"circle_id": str(self.id), "name": "圈", "status": status, "what": "joined", "group_id": str(new_id())}
        await self.react(CIRCLE_CHANGED, {**data, "member_ids": standing})

    async def stage(self, group: UUID, stage: str) -> None:
        """`members` tells how far a group has opened CATEGORY."""
        circle = str(self.id) if stage == "S2" else None
        data = {"group_id": str(group), "category": CATEGORY, "stage": stage, "circle_id": circle, "what": "x"}
        before = {"before_stage": "S1", "before_circle_id": None, "change_id": str(new_id())}
        await self.react(STAGE_CHANGED, {**data, **before})

    def notice(self, *quantities: str | None, **more: Any) -> dict[str, Any]:
        lines = [
            {"type_code": f"DOOR-{number}", "unit": "pcs", "quantity": quantity}
            for number, quantity in enumerate(quantities or ("100",), start=1)
        ]
        body = {
            "category": CATEGORY,
            "title": "防火门",
            "region": "110105",
            "month": month_after(70),
            "closes_at": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
            "lines": lines,
        }
        return {**body, **more}

    async def post(self, group: UUID, path: str, body: Any = None) -> httpx.Response:
        headers = signed_in(self.buyers[group]) | once()
        return await self.http.post(f"/orders/joint-notices{path}", json=body, headers=headers)

    async def get(self, group: UUID, path: str = "", **params: Any) -> httpx.Response:
        return await self.http.get(
            f"/orders/joint-notices{path}", headers=signed_in(self.buyers[group]), params=params or None
        )

    async def opened(self, group: UUID, *quantities: str | None, **more: Any) -> str:
        answer = await self.post(group, "", self.notice(*quantities, **more))
        assert answer.status_code == 201, answer.text
        return f"/{answer.json()['id']}"

    async def join(self, group: UUID, path: str, *quantities: str) -> httpx.Response:
        lines = [{"line_no": number, "quantity": quantity} for number, quantity in enumerate(quantities, start=1)]
        return await self.post(group, f"{path}/participation", {"lines": lines})

    async def close(self) -> int:
        """Run the worker on a day after the closing."""
        return await close_due_notices(self.database.system, at=datetime.now(UTC) + timedelta(days=11))

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with transaction(self.database.system) as session:
            return list((await session.execute(text(statement), values)).all())


@pytest.fixture
async def circle(create_world: CreateWorld) -> Circle:
    """A circle of four groups, the first of which has opened CATEGORY to it."""
    world = create_world()
    made = Circle(world.http, world.database)
    for _ in range(4):
        made.group()
    await made.told()
    await made.stage(made.members[0], "S2")
    return made
