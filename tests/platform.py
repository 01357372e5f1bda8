"""All four services in this process, over their own databases: they talk to each other over HTTP, follow each other's
feeds, and the gates of stages are measured from what they know. Two contractor groups and a supplier stand in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml
from fastapi import FastAPI
from joserfc.jwk import KeySetSerialization

from services.catalog import app as catalog_app
from services.catalog import reactions as catalog_reactions
from services.catalog.components.jobs import load_taxonomy
from services.catalog.settings import Settings as CatalogSettings
from services.members import app as members_app
from services.members import reactions as members_reactions
from services.members.leaving.open_orders import OrdersService
from services.members.settings import Settings as MembersSettings
from services.members.stages.gate_data import MeasuredByNeighbours
from services.members.stages.jobs import make_due_changes_effective
from services.orders import app as orders_app
from services.orders import reactions as orders_reactions
from services.orders.settings import Settings as OrdersSettings
from services.suppliers import app as suppliers_app
from services.suppliers import reactions as suppliers_reactions
from services.suppliers.settings import Settings as SuppliersSettings
from services.suppliers.spaces.jobs import rekey_offers
from shared.clients.catalog import CatalogClient
from shared.clients.feed import FeedClient
from shared.clients.measurements import QualityClient, SpendClient
from shared.clients.members import MembersClient
from shared.clients.reservations import ReservationsClient
from shared.clients.suppliers import SuppliersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.database import Database
from shared.follower import Follower
from shared.identity import Principal, Role, Scope, TokenVerifier
from tests.conftest import CreateDatabase, a_person, a_service, fetch_test_keys, once, signed_in, token_for
from tests.members.conftest import World as Members
from tests.members.federation import CATEGORY, EVIDENCE

ROOT = Path(__file__).parents[1]
TILE = "FN-TILE|kind=BIa porcelain 瓷质,size=600x600"
SERVICE = a_service(
    Scope.FEED_READ,
    Scope.COMPANIES_READ,
    Scope.RESERVATIONS_WRITE,
    Scope.VARIANTS_RESOLVE,
    Scope.MEASUREMENTS_READ,
)


class Doors:
    """The services' HTTP, each known to the others before it stands."""

    def __init__(self, http_to: Callable[[FastAPI], httpx.AsyncClient]) -> None:
        self._http_to = http_to
        self.http: dict[str, httpx.AsyncClient] = {}

    def open(self, name: str, app: FastAPI) -> None:
        self.http[name] = self._http_to(app)

    def client(self, name: str) -> ServiceClient:
        doors = self

        class Door(ServiceClient):
            async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
                self.http = doors.http[name]
                return await super().call(method, path, **request)

        return Door(name, httpx.AsyncClient(), FixedToken(token_for(SERVICE)))


@dataclass
class Story:
    """All four services, two contractor groups and a supplier."""

    doors: Doors
    databases: dict[str, Database]
    gate_data: MeasuredByNeighbours
    operator: Principal
    a: UUID
    b: UUID
    supplier: UUID
    followers: list[Follower] = field(default_factory=list)
    circle: UUID | None = None
    offer: str = ""

    def buyer(self, group: UUID) -> Principal:
        circles = frozenset({self.circle}) if self.circle else frozenset[UUID]()
        return a_person(Role.BUYER, Role.REQUESTER, company_id=group, group_id=group, circle_ids=circles)

    def admin(self, group: UUID) -> Principal:
        return a_person(Role.ADMIN, company_id=group, group_id=group, subject=group)

    async def call(self, method: str, path: str, who: Principal, body: Any = None, **more: Any) -> httpx.Response:
        headers = signed_in(who) | (once() if method == "POST" else {}) | more.pop("headers", {})
        service = path.split("/")[1]
        return await self.doors.http[service].request(method, path, json=body, headers=headers, **more)

    async def asked(self, service: str, path: str, who: Principal | None, **more: Any) -> httpx.Response:
        """A question by anybody, also by nobody."""
        return await self.doors.http[service].get(path, headers={} if who is None else signed_in(who), **more)

    async def done(self, method: str, path: str, who: Principal, body: Any = None, **more: Any) -> Any:
        answer = await self.call(method, path, who, body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def told(self) -> None:
        """Everything that happened reaches everybody who follows, but for the new keys of offers."""
        for _ in range(2):
            for follower in self.followers:
                while await follower.step():
                    pass

    async def rekeyed(self) -> None:
        await rekey_offers(self.databases["suppliers"], at=datetime.now(UTC))
        await self.told()

    async def finds(self, group: UUID) -> bool:
        found = await self.done("GET", "/catalog/search", self.buyer(group), params={"q": "瓷砖 600x600"})
        return any(offer["offer_id"] == self.offer for hit in found["items"] for offer in hit["offers"])

    async def is_quoted(self, group: UUID) -> bool:
        return await self.quoted_to(self.buyer(group))

    async def quoted_to(self, who: Principal) -> bool:
        lines = {"lines": [{"offer_id": self.offer, "quantity": "20", "unit": "m2"}]}
        return bool((await self.done("POST", "/suppliers/offers/quote", who, lines))["fits"])

    async def order(self, group: UUID, **line_more: Any) -> httpx.Response:
        buyer = self.buyer(group)
        point = {"name": "Gate 2", "region": "110105", "address": "建国路1号"}
        body = {"number": f"P-{datetime.now(UTC):%H%M%S%f}", "name": "商务楼", "delivery_points": [point]}
        project = await self.done("POST", "/orders/projects", buyer, body)
        line = {"offer_id": self.offer, "quantity": "20", "unit": "m2", "need_by": "2099-01-01"} | line_more
        basket = {
            "project_id": project["id"],
            "delivery_point_id": project["delivery_points"][0]["id"],
            "lines": [line],
        }
        return await self.call("POST", "/orders/baskets", buyer, basket)


@pytest.fixture
async def story(
    create_database: CreateDatabase, http_to: Callable[[FastAPI], httpx.AsyncClient], tmp_path: Path
) -> Story:
    databases = {name: create_database(name) for name in ("members", "catalog", "suppliers", "orders")}
    document = yaml.safe_load((ROOT / "infra" / "seed" / "taxonomy.yaml").read_text(encoding="utf-8"))
    await load_taxonomy(databases["catalog"].system, document=document, at=datetime.now(UTC))

    async def keys() -> KeySetSerialization:
        return await fetch_test_keys()

    verifier = TokenVerifier(issuer="dougong", fetch_keys=keys)
    urls: dict[str, Any] = {
        "database_url": "",
        "system_database_url": "",
        "log_level": "CRITICAL",
        "data_dir": tmp_path,
    }
    doors = Doors(http_to)
    gate_data = MeasuredByNeighbours(
        database=databases["members"],
        catalog=CatalogClient(doors.client("catalog")),
        spend=SpendClient(doors.client("orders")),
        quality=QualityClient(doors.client("suppliers")),
    )
    doors.open(
        "orders",
        orders_app.create_app(
            OrdersSettings(**urls),
            database=databases["orders"],
            verifier=verifier,
            reservations=ReservationsClient(doors.client("suppliers")),
            companies=MembersClient(doors.client("members")),
            suppliers=SuppliersClient(doors.client("suppliers")),
            catalog=CatalogClient(doors.client("catalog")),
        ),
    )
    doors.open(
        "members",
        members_app.create_app(
            MembersSettings(**urls),
            database=databases["members"],
            verifier=verifier,
            gate_data=gate_data,
            open_orders=OrdersService(doors.http["orders"]),
        ),
    )
    doors.open(
        "catalog", catalog_app.create_app(CatalogSettings(**urls), database=databases["catalog"], verifier=verifier)
    )
    doors.open(
        "suppliers",
        suppliers_app.create_app(
            SuppliersSettings(**urls),
            database=databases["suppliers"],
            verifier=verifier,
            members=MembersClient(doors.client("members")),
            catalog=CatalogClient(doors.client("catalog")),
        ),
    )
    members = Members(http=doors.http["members"])
    operators = await members.company("operator")
    made = Story(
        doors=doors,
        databases=databases,
        gate_data=gate_data,
        operator=a_person(Role.OPERATOR, company_id=operators),
        a=await members.company("contractor_group"),
        b=await members.company("contractor_group"),
        supplier=await members.company("supplier"),
    )
    follows = {
        "members": members_reactions.REACTIONS,
        "suppliers": suppliers_reactions.REACTIONS,
        "orders": orders_reactions.REACTIONS,
        "catalog": catalog_reactions.REACTIONS,
    }
    made.followers = [
        Follower(
            source=source,
            feed=FeedClient(doors.client(source)),
            sessions=databases[follower].system,
            reactions=reactions,
        )
        for follower, sources in follows.items()
        for source, reactions in sources.items()
    ]
    return made


async def stocked(story: Story) -> None:
    """The supplier is qualified and offers tiles to every member; its stock is large."""
    await story.done("POST", "/suppliers", story.operator, {"company_id": str(story.supplier)})
    qualified = {"categories": [CATEGORY], "reason": "Checked."}
    path = f"/suppliers/{story.supplier}/qualification"
    await story.done("POST", path, story.operator, qualified, headers={"If-Match": '"1"'})
    sales = a_person(Role.SUPPLIER_SALES, company_id=story.supplier)
    terms = {"price": "45.60", "tax_inclusive": True, "tax_rate": "0.13", "unit": "m2", "stock_point": None}
    listed = await story.done(
        "POST", "/suppliers/offers", sales, {**terms, "item_no": "TILE-600", "variant": {"key": TILE}}
    )
    story.offer = listed["id"]
    await story.told()


async def admitted(story: Story) -> None:
    body = {"categories": [CATEGORY], "grade": "A", "reason": "Sample test passed."}
    await story.done("POST", f"/suppliers/{story.supplier}/admissions", story.buyer(story.a), body)
    await story.rekeyed()


async def in_one_circle(story: Story) -> None:
    base = "/members/companies/{}/circles"
    founded = await story.done("POST", base.format(story.a), story.admin(story.a), {"name": "联合采购圈"})
    story.circle = UUID(founded["id"])
    path = f"{base}/{story.circle}"
    await story.done("POST", f"{path.format(story.a)}/invitations", story.admin(story.a), {"group_id": str(story.b)})
    await story.done("POST", f"{path.format(story.b)}/acceptance", story.admin(story.b))
    await story.told()


async def on_record(story: Story) -> None:
    today = datetime.now(UTC).date().isoformat()
    for kind, state in EVIDENCE:
        body = {"kind": kind, "state": state, "on": today, "reference": "run 1"}
        await story.done("POST", "/members/gate-evidence", story.operator, body)


async def drafted(story: Story) -> str:
    """The address of A's change to S2, to the circle."""
    stages = f"/members/companies/{story.a}/stages/{CATEGORY}/changes"
    body = {"to_stage": "S2", "circle_id": str(story.circle), "reason": "年度计划"}
    made = await story.done("POST", stages, story.admin(story.a), body)
    return f"{stages}/{made['id']}"


async def checked(story: Story, change: str) -> tuple[str, dict[str, str | None]]:
    """The status after the gates were checked, and what was measured."""
    found = await story.done("POST", f"{change}/gates", story.admin(story.a))
    return found["status"], {gate["gate"]: gate["measured"] for gate in found["gates"]}


async def announced(story: Story, change: str) -> None:
    await story.done("POST", f"{change}/approvals/tenant", story.admin(story.a))
    await story.done("POST", f"{change}/approvals/operator", story.operator)
    day = datetime.now(UTC) + timedelta(days=7, minutes=1)
    await story.done("POST", f"{change}/announcement", story.operator, {"effective_from": day.isoformat()})
    await story.rekeyed()


async def in_effect(story: Story) -> None:
    in_eight_days = datetime.now(UTC) + timedelta(days=8)
    sessions = story.databases["members"].system
    assert await make_due_changes_effective(sessions, gate_data=story.gate_data, at=in_eight_days) == 1
    await story.told()
    await story.rekeyed()
