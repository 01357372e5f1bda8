"""Gates measured over HTTP: what a neighbour does not answer is not measured, and what the report counts is shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx

from services.members.stages.gate_data import MeasuredByNeighbours
from services.members.stages.jobs import look_at_open_gates
from shared.audience import Stage
from shared.clients.catalog import CatalogClient
from shared.clients.measurements import QualityClient, SpendClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.contracts.measurements import ReachOfViewer, VisibilityCounts
from shared.database import Database
from shared.ids import new_id
from tests.members.federation import CATEGORY, Federation

Answerer = Callable[[httpx.Request], httpx.Response]


def neighbours(database: Database, answer: Answerer) -> MeasuredByNeighbours:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test")

    def client(name: str) -> ServiceClient:
        return ServiceClient(name, http, FixedToken("token"))

    return MeasuredByNeighbours(
        database=database,
        catalog=CatalogClient(client("catalog")),
        spend=SpendClient(client("orders")),
        quality=QualityClient(client("suppliers")),
    )


async def test_each_service_is_asked_for_its_own(federation: Federation):
    top, below = await federation.group(), await federation.group()
    link = {"parent_id": str(top), "kind": "group", "valid_from": "2020-01-01"}
    made = await federation.world.post(f"/members/companies/{below}/links", link, as_=federation.world.as_operator)
    assert made.status_code == 201, made.text
    asked: list[tuple[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, sorted(request.url.params.get_list("company_id"))))
        if request.url.path == "/catalog/types":
            return httpx.Response(200, json=[{"code": "FN-TILE"}, {"code": "FN-PAINT"}])
        common = {"group_id": str(top), "category": CATEGORY}
        if request.url.path == "/orders/measurements/mapped-spend":
            assert request.url.params.get_list("type_code") == ["FN-TILE", "FN-PAINT"]
            when = {"since": "2026-01-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}
            return httpx.Response(200, json={**common, **when, "share": "0.9123"})
        body = {**common, "active_suppliers": 3, "valid_share": "0.6666", "expired_share": "0.3334"}
        return httpx.Response(200, json=body)

    told = await neighbours(federation.database, answer).measured(group_id=top, category=CATEGORY, at=datetime.now(UTC))
    assert told.model_dump(mode="json") == {
        "mapped_spend_share": "0.9123",
        "valid_supplier_share": "0.6666",
        "expired_document_share": "0.3334",
        "trading_operator_groups": [],
    }
    assert ("/orders/measurements/mapped-spend", sorted([str(top), str(below)])) in asked


async def test_what_a_neighbour_does_not_answer_is_not_measured(federation: Federation):
    group = await federation.group()

    def down(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/suppliers"):
            raise httpx.ConnectError("refused")
        if request.url.path.startswith("/orders"):
            return httpx.Response(500)
        return httpx.Response(200, json=[])

    gate_data = neighbours(federation.database, down)
    told = await gate_data.measured(group_id=group, category=CATEGORY, at=datetime.now(UTC))
    asked_of_others = told.model_dump(exclude={"trading_operator_groups"})
    assert set(asked_of_others.values()) == {None}
    counted = await gate_data.visibility(
        group_id=group, category=CATEGORY, stage=Stage.S2, circle_id=new_id(), circle_group_ids=[]
    )
    assert counted is None


async def test_an_unknown_category_is_refused_by_name(federation: Federation):
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"code": "UnknownCategory", "detail": "There is no category 'x'."})

    assert not await neighbours(federation.database, answer).is_category("x")
    group = await federation.group()
    body = {"to_stage": "S2", "reason": "年度计划", "circle_id": str(new_id())}
    refused = await federation.post(group, "stages/no_such/changes", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "UnknownCategory")
    assert refused.json()["errors"][0]["field"] == "category"


async def test_the_report_names_the_groups_it_counts_for(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    change = await federation.drafted(a, "S2", circle)
    assert (await federation.get(a, f"{change}/report")).json()["live"] is None, "nobody counted"
    reach = {"suppliers_opened": 1, "offers_opened": 7, "suppliers_closed": 0, "offers_closed": 0}
    federation.gate_data.counts = VisibilityCounts(
        group_id=a,
        category=CATEGORY,
        suppliers=2,
        offers=9,
        viewers=[ReachOfViewer(viewer=f"group:{b}", **reach), ReachOfViewer(viewer="members", **reach)],
    )
    live = (await federation.get(a, f"{change}/report")).json()["live"]
    assert [(each["viewer"], each["group_id"]) for each in live["viewers"]] == [
        ("示范公司", str(b)),
        ("members", None),
    ]
    asked = federation.gate_data.asked_to_count
    assert (asked[0], asked[2], asked[3], sorted(asked[4])) == (a, "S2", circle, sorted([a, b]))
    stranger = await federation.get(a, f"{change}/report", as_=federation.as_(b))
    assert stranger.status_code == 404


async def test_a_gate_that_falls_and_holds_again_is_told_once_each(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    await federation.all_evidence()
    await federation.opened(a, circle)

    async def look(days: int) -> int:
        at = datetime.now(UTC) + timedelta(days=days)
        return await look_at_open_gates(federation.database.system, gate_data=federation.gate_data, at=at)

    assert await look(8) == 0
    federation.gate_data.mapped_spend_share = None
    assert [await look(9), await look(10)] == [1, 1]
    (stage,) = (await federation.get(a, "stages")).json()
    assert (stage["stage"], stage["fallen_gates"]) == ("S2", ["mapped_spend"])
    (told,) = await federation.events("stage.gates-changed")
    assert (told["fallen"], told["recovered"]) == ({"mapped_spend": None}, [])
    federation.gate_data.mapped_spend_share = Decimal("0.9")
    assert await look(11) == 0
    assert (await federation.events("stage.gates-changed"))[-1]["recovered"] == ["mapped_spend"]
    (stage,) = (await federation.get(a, "stages")).json()
    assert stage["fallen_gates"] == []
