"""Contractor groups, circles and stage changes, made through the API as their admins and operators would."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from services.members.stages.jobs import make_due_changes_effective
from shared.audience import Stage
from shared.contracts.measurements import VisibilityCounts
from shared.contracts.members import GateMeasurements
from shared.database import Database, transaction
from shared.identity import Principal, Role
from tests.conftest import a_person, signed_in
from tests.members.conftest import World

CATEGORY = "finishes_misc"
EVIDENCE = [
    ("confidentiality_suite", "green"),
    ("external_audit", "passed"),
    ("rules_published", "in_force"),
    ("operator_neutrality", "stated"),
    ("export_drill", "passed"),
]


@dataclass
class Measured:
    """What other services measure, as a test sets it; counts how often it was asked."""

    mapped_spend_share: Decimal | None = Decimal("0.97")
    valid_supplier_share: Decimal | None = Decimal(1)
    expired_document_share: Decimal | None = Decimal(0)
    trading_operator_groups: list[UUID] | None = field(default_factory=list)
    asked: list[tuple[UUID, str]] = field(default_factory=list)

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements:
        self.asked.append((group_id, category))
        return GateMeasurements(
            mapped_spend_share=self.mapped_spend_share,
            valid_supplier_share=self.valid_supplier_share,
            expired_document_share=self.expired_document_share,
            trading_operator_groups=self.trading_operator_groups,
        )

    categories: frozenset[str] = frozenset({CATEGORY, "rebar", "concrete_cement"})

    async def is_category(self, category: str) -> bool:
        return category in self.categories

    counts: VisibilityCounts | None = None

    async def visibility(
        self, *, group_id: UUID, category: str, stage: Stage, circle_id: UUID, circle_group_ids: Sequence[UUID]
    ) -> VisibilityCounts | None:
        self.asked_to_count = (group_id, category, stage, circle_id, list(circle_group_ids))
        return self.counts


@dataclass
class Federation:
    """Shortcuts through the API."""

    world: World
    database: Database
    gate_data: Measured
    admins: dict[UUID, Principal] = field(default_factory=dict)
    operator: Principal | None = None

    async def group(self, *kinds: str) -> UUID:
        """A contractor group with one admin."""
        company = await self.world.company(*(kinds or ("contractor_group",)))
        self.admins[company] = a_person(Role.ADMIN, company_id=company)
        return company

    def as_(self, group: UUID) -> dict[str, str]:
        return signed_in(self.admins[group])

    async def as_operator(self) -> dict[str, str]:
        """An operator of a registered company of its own."""
        if self.operator is None:
            self.operator = a_person(Role.OPERATOR, company_id=await self.world.company("operator"))
        return signed_in(self.operator)

    async def get(self, group: UUID, path: str, *, as_: dict[str, str] | None = None) -> httpx.Response:
        return await self.world.http.get(f"/members/companies/{group}/{path}", headers=as_ or self.as_(group))

    async def post(
        self, group: UUID, path: str, body: Any = None, *, as_: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.world.post(f"/members/companies/{group}/{path}", body, as_=as_ or self.as_(group))

    async def circle(self, *groups: UUID) -> UUID:
        """A circle of these groups, the first of which founded it."""
        founder = groups[0]
        answer = await self.post(founder, "circles", {"name": "联合采购圈"})
        assert answer.status_code == 201, answer.text
        circle = UUID(answer.json()["id"])
        for place, group in enumerate(groups[1:], start=1):
            await self.enter(circle, group, members=groups[:place])
        return circle

    async def enter(self, circle: UUID, group: UUID, *, members: tuple[UUID, ...]) -> None:
        invited = await self.post(members[0], f"circles/{circle}/invitations", {"group_id": str(group)})
        assert invited.status_code == 201, invited.text
        for member in members[1:]:
            agreed = await self.post(member, f"circles/{circle}/invitations/{group}/agreement")
            assert agreed.status_code == 200, agreed.text
        accepted = await self.post(group, f"circles/{circle}/acceptance")
        assert accepted.status_code == 200, accepted.text

    async def evidence(self, kind: str, state: str, **more: Any) -> httpx.Response:
        body = {"kind": kind, "state": state, "on": datetime.now(UTC).date().isoformat(), "reference": "run 1", **more}
        return await self.world.post("/members/gate-evidence", body, as_=await self.as_operator())

    async def all_evidence(self) -> None:
        for kind, state in EVIDENCE:
            answer = await self.evidence(kind, state)
            assert answer.status_code == 201, answer.text

    async def draft(self, group: UUID, to_stage: str, circle: UUID | None = None) -> httpx.Response:
        body = {"to_stage": to_stage, "reason": "年度计划", "circle_id": None if circle is None else str(circle)}
        return await self.post(group, f"stages/{CATEGORY}/changes", body)

    async def drafted(self, group: UUID, to_stage: str, circle: UUID | None = None) -> str:
        """The path of a new change."""
        answer = await self.draft(group, to_stage, circle)
        assert answer.status_code == 201, answer.text
        return f"stages/{CATEGORY}/changes/{answer.json()['id']}"

    async def approve(self, group: UUID, change: str) -> list[httpx.Response]:
        """Both sides."""
        return [
            await self.post(group, f"{change}/approvals/tenant"),
            await self.post(group, f"{change}/approvals/operator", as_=await self.as_operator()),
        ]

    async def announced(self, group: UUID, change: str) -> None:
        checked = await self.post(group, f"{change}/gates")
        assert checked.json()["status"] == "GATES_CHECKED", checked.text
        for answer in await self.approve(group, change):
            assert answer.status_code == 200, answer.text
        effective_from = datetime.now(UTC) + timedelta(days=7, minutes=1)
        answer = await self.post(group, f"{change}/announcement", {"effective_from": effective_from.isoformat()})
        assert answer.status_code == 200, answer.text

    async def due(self) -> int:
        """Run the worker on a day eight days from now."""
        return await make_due_changes_effective(
            self.database.system, gate_data=self.gate_data, at=datetime.now(UTC) + timedelta(days=8)
        )

    async def opened(self, group: UUID, circle: UUID) -> str:
        """The path of a change to S2 that is in effect."""
        change = await self.drafted(group, "S2", circle)
        await self.announced(group, change)
        assert await self.due() == 1
        return change

    async def stage(self, group: UUID) -> tuple[str, str | None]:
        """The group's stage in CATEGORY, and its circle."""
        found = [each for each in (await self.get(group, "stages")).json() if each["category"] == CATEGORY]
        return (found[0]["stage"], found[0]["circle_id"]) if found else ("S1", None)

    async def events(self, type_end: str) -> list[dict[str, Any]]:
        async with transaction(self.database.system) as session:
            rows = await session.execute(
                text("SELECT data FROM events WHERE type = :type ORDER BY txid, seq"),
                {"type": f"dev.dougong.members.{type_end}.v1"},
            )
            return [row.data for row in rows]
