"""A contractor group with people of different rights, a supplier with an offer, and short words for lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from shared.clock import business_date
from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, once, signed_in
from tests.suppliers.world import REBAR, World, csv_of

LISTS = "/suppliers/blacklist"
HEADER = "item_no;variant;stock_point;on_hand;price;tax_rate;tax_inclusive;unit;audience"


def day(days: int) -> str:
    """So many days from today."""
    return (business_date(datetime.now(UTC)) + timedelta(days=days)).isoformat()


@dataclass
class Lists:
    """Who keeps the list of one group, and what they do."""

    world: World
    group_id: UUID = field(default_factory=new_id)
    lister: Principal = field(init=False)
    second: Principal = field(init=False)
    buyer: Principal = field(init=False)
    seller: Principal = field(init=False)
    offer_id: str = ""

    def __post_init__(self) -> None:
        self.lister = self.person(Role.APPROVER)
        self.second = self.person(Role.ADMIN)
        self.buyer = self.person(Role.BUYER)
        self.seller = a_person(Role.SUPPLIER_SALES, company_id=self.world.supplier_id)

    def person(self, *roles: Role) -> Principal:
        return a_person(*roles, company_id=self.group_id, group_id=self.group_id)

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "supplier_id": str(self.world.supplier_id),
            "level": "NO_NEW_ORDER",
            "expires_on": day(100),
            "reason_class": "QUALITY",
            "reason": "SECRET-REASON: three batches failed.",
            "evidence": "report QA-17",
        } | changes

    async def post(
        self, path: str, who: Principal, body: Mapping[str, Any], *, version: int | None = None
    ) -> httpx.Response:
        return await self.world.call("POST", f"{LISTS}{path}", who, json=body, version=version)

    async def put_on(self, who: Principal | None = None, **changes: Any) -> dict[str, Any]:
        body = self.body(**changes)
        body = {name: value for name, value in body.items() if value is not None}
        path = "/official-entries" if "source" in body else "/entries"
        answer = await self.post(path, who or self.lister, body)
        assert answer.status_code == 201, answer.text
        entry: dict[str, Any] = answer.json()
        return entry

    async def entry(self, entry_id: str, who: Principal | None = None) -> dict[str, Any]:
        answer = await self.world.call("GET", f"{LISTS}/entries/{entry_id}", who or self.lister)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def act(self, entry: Mapping[str, Any], what: str, who: Principal, **body: Any) -> httpx.Response:
        """On the entry's present version."""
        version = (await self.entry(entry["id"]))["version"]
        return await self.post(f"/entries/{entry['id']}/{what}", who, body, version=version)

    async def lift(self, entry: Mapping[str, Any]) -> None:
        for what, who, body in (
            ("lifting", self.lister, {"why": "made good"}),
            ("decision", self.second, {"decision": "approve"}),
        ):
            answer = await self.act(entry, what, who, **body)
            assert answer.status_code == 200, answer.text

    async def an_offer(self) -> None:
        """Of rebar, for every member."""
        row = f"A-1;{REBAR};main;1000;3250.50;0.13;true;t;MEMBERS"
        await self.world.synced(csv_of(row, header=HEADER))
        self.offer_id = str(next(iter((await self.world.offers()).values()))["id"])

    async def reserve(self, *, who: Principal | None = None, lines: int = 1, **changes: Any) -> dict[str, Any]:
        """A basket of the group's; what became of it."""
        buyer = who or self.buyer
        basket = {
            "reservation_id": str(new_id()),
            "buyer_company_id": str(buyer.company),
            "buyer_group_id": str(buyer.group_id) if buyer.group_id else None,
            "currency": "CNY",
            "region": "110105",
            "lines": [
                {"line_no": number, "offer_id": self.offer_id, "quantity": "1", "unit": "t", "need_by": day(90)}
                for number in range(1, lines + 1)
            ],
        } | changes
        answer = await self.world.http.post(
            "/suppliers/reservations",
            json={"baskets": [basket]},
            headers=signed_in(a_service(Scope.RESERVATIONS_WRITE)) | once(),
        )
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["results"][0]
        return result

    async def refused(self, **changes: Any) -> list[str]:
        """The codes that a basket of the group's is refused with; none: it was held."""
        return [refusal["code"] for refusal in (await self.reserve(**changes))["refusals"]]
