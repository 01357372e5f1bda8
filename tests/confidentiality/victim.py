"""A contractor with something of every kind, and the marks that nobody else may ever read.

Numbers are amounts agreed or paid (T1); words are what a company wrote for itself. Each occurs nowhere else, so finding
one in an answer is finding a leak.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from services.catalog.data_out import DATA_OUT as CATALOG_OUT
from services.members.data_out import DATA_OUT as MEMBERS_OUT
from services.orders.data_out import DATA_OUT as ORDERS_OUT
from services.suppliers.data_out import DATA_OUT as SUPPLIERS_OUT
from shared.data_out.jobs import ExportRunner
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.legacy_imports import csv_of
from tests.members.federation import CATEGORY
from tests.platform import TILE, Story, admitted, drafted, in_one_circle, stocked

PRICE, QUANTITY, SUM = "7391.57", "6211", "45909041.27"
AGREED = "8264.9137"
PAID, PAID_QUANTITY = "5173.6428", "4877"
NUMBERS = re.compile(
    r"7,?391\.57|(?<![0-9a-f-])6,?211(?![0-9a-f-])|45,?909,?041|8,?264\.9137|5,?173\.6428"
    r"|(?<![0-9a-f-])4,?877(?![0-9a-f-])|25,?231,?85[56]"
)
"""Unit price, quantity and sum of an order; the price of a staged agreement; price, quantity and sum of the past."""
WORD = "QZX"
WORDS = re.compile(rf"{WORD}-\w+")
LATER = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
DATA_OUT = {"members": MEMBERS_OUT, "catalog": CATALOG_OUT, "suppliers": SUPPLIERS_OUT, "orders": ORDERS_OUT}
AGREEMENTS = "协议编号,供应商税号,物料编码,价格类型,单价,税率,是否含税,信息价来源,开始日期,结束日期,地区,最近使用日期"
PRICES = "日期,物料编码,单价,计量单位,数量,类别"
EVALUATIONS = "税号,日期,维度,分数,理由"


@dataclass
class Victim:
    """A's things as the addresses of routes name them; `own` where two services use one name for two things."""

    story: Story
    folder: Any
    ids: dict[str, str] = field(default_factory=dict)
    own: dict[tuple[str, str], str] = field(default_factory=dict)
    """By the beginning of the address and the name of the parameter."""

    @property
    def everyone(self) -> Principal:
        """Somebody of A in all the roles a contractor's people have."""
        roles = [Role.REQUESTER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.ADMIN]
        return a_person(*roles, company_id=self.story.a, group_id=self.story.a, circle_ids=self.circles)

    @property
    def seller(self) -> Principal:
        roles = [Role.SUPPLIER_SALES, Role.SUPPLIER_FINANCE, Role.ADMIN]
        return a_person(*roles, company_id=self.story.supplier)

    @property
    def circles(self) -> frozenset[UUID]:
        return frozenset({self.story.circle}) if self.story.circle else frozenset()

    @property
    def fields(self) -> dict[str, str]:
        """A's things by the names that bodies and queries give them."""
        own = ("company_id", "group_id", "supplier_id", "offer_id", "basket_id", "order_id", "project_id", "circle_id")
        places = ("delivery_point_id", "category", "admission_id", "consent_id", "stock_point")
        return {name: self.ids[name] for name in own + places if name in self.ids} | {
            "owner_id": self.ids["company_id"],
            "to_id": self.ids["company_id"],
            "buyer_id": self.ids["company_id"],
            "vanishing_id": self.ids["supplier_id"],
            "supplier": self.ids["supplier_id"],
            "variant": TILE,
            "variant_key": TILE,
            "offer": self.ids["offer_id"],
            "legacy_code": f"{WORD}-1",
        }

    def address(self, pattern: str) -> str:
        """A route's pattern with A's ids in it; a new id where A has nothing of the kind."""

        def named(found: re.Match[str]) -> str:
            name = found[1].partition(":")[0]
            for (beginning, known), value in self.own.items():
                if known == name and pattern.startswith(beginning):
                    return value
            return self.ids.get(name, str(new_id()))

        return re.sub(r"\{([^}]+)\}", named, pattern)

    async def upload(self, path: str, body: bytes, **params: str) -> dict[str, Any]:
        headers = signed_in(self.everyone) | once() | {"Content-Type": "text/csv"}
        http = self.story.doors.http[path.split("/")[1]]
        answer = await http.post(path, content=body, headers=headers, params=params)
        assert answer.status_code in {200, 202}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def app(self, service: str) -> FastAPI:
        transport: Any = self.story.doors.http[service]._transport
        app: FastAPI = transport.app
        return app

    async def worked_off(self, service: str, runner: str) -> None:
        """What the service's worker would do with the files it was given."""
        while await getattr(self.app(service).state, runner).run_next():
            pass


async def a_victim(story: Story, folder: Any) -> Victim:
    """A, its circle with B, and everything A has made."""
    await stocked(story)
    await admitted(story)
    await in_one_circle(story)
    victim = Victim(story=story, folder=folder)
    steps: list[Callable[[Victim], Awaitable[None]]] = [
        bought, _administered, _judged, _mapped, _imported, _declared, looked_into, _exported,
    ]  # fmt: skip
    for step in steps:
        await step(victim)
    return victim


async def bought(victim: Victim) -> None:
    """An offer that names A alone, and A's order by it."""
    story, buyer = victim.story, victim.everyone
    terms = {"price": PRICE, "tax_inclusive": True, "tax_rate": "0.13", "unit": "m2", "stock_point": None}
    named = {"audience": "PARTIES", "audience_ids": [str(story.a)]}
    body = {**terms, **named, "item_no": "TILE-A", "variant": {"key": TILE}}
    offer = await story.done("POST", "/suppliers/offers", victim.seller, body)
    await story.rekeyed()
    point = {"name": f"{WORD}-gate", "region": "110105", "address": "建国路1号"}
    opened = {"number": "P-1", "name": f"{WORD}-project", "delivery_points": [point]}
    project = await story.done("POST", "/orders/projects", buyer, opened)
    place = project["delivery_points"][0]["id"]
    line = {"offer_id": offer["id"], "quantity": QUANTITY, "unit": "m2", "need_by": "2099-01-01"}
    line |= {"note": f"{WORD}-line", "cost_code": f"{WORD}-cost"}
    basket = {"project_id": project["id"], "delivery_point_id": place, "note": f"{WORD}-note", "lines": [line]}
    placed = await story.done("POST", "/orders/baskets", buyer, basket)
    assert placed["totals"]["gross"] == SUM
    await story.rekeyed()
    victim.ids |= {
        "company_id": str(story.a),
        "group_id": str(story.a),
        "supplier_id": str(story.supplier),
        "offer_id": offer["id"],
        "basket_id": placed["basket_id"],
        "order_id": placed["orders"][0]["id"],
        "project_id": project["id"],
        "delivery_point_id": place,
        "circle_id": str(story.circle),
        "category": CATEGORY,
        "key": TILE,
        "item_no": "TILE-A",
        "stock_point": "main",
        "code": "FN-TILE",
    }


async def _administered(victim: Victim) -> None:
    story, admin = victim.story, victim.everyone
    base = f"/members/companies/{story.a}"
    person = {"email": "qzx@a.example", "name": f"{WORD}-person", "roles": ["buyer"]}
    hook = {"url": "https://93.184.216.34/hook", "event_types": ["order.placed"], "description": f"{WORD}-hook"}
    people = await story.done("POST", f"{base}/people", admin, person)
    victim.ids["person_id"] = people.get("id") or people["person_id"]
    victim.ids["endpoint_id"] = (await story.done("POST", f"{base}/webhooks", admin, hook))["id"]
    victim.ids["change_id"] = (await drafted(story)).rsplit("/", 1)[1]


async def _judged(victim: Victim) -> None:
    story, who = victim.story, victim.everyone
    (admission,) = await story.done("GET", "/suppliers/admissions", who)
    victim.ids["admission_id"] = admission["id"]
    today = datetime.now(UTC).date().isoformat()
    score = {"category": CATEGORY, "dated_on": today, "dimension": "service", "score": "71", "reason": f"{WORD}-late"}
    await story.done("POST", f"/suppliers/scores/of/{story.supplier}/evaluations", who, score)
    entry = {
        "level": "NO_INVITE",
        "expires_on": LATER,
        "reason_class": "QUALITY",
        "reason": f"{WORD}-cracked",
        "evidence": f"{WORD}-report",
        "tax_id": "91330100MA3XYH8K24",
        "name": "某某建材",
    }
    victim.ids["entry_id"] = (await story.done("POST", "/suppliers/blacklist/entries", who, entry))["id"]
    consent = {
        "what": ["profile"],
        "audience": "ORG",
        "to_id": str(story.a),
        "until": LATER,
    }
    victim.ids["consent_id"] = (await story.done("POST", "/suppliers/consents", victim.seller, consent))["id"]
    invited = {"name": f"{WORD}-invited", "email": "new@s.example", "categories": [CATEGORY]}
    victim.ids["invitation_id"] = (await story.done("POST", "/suppliers/invitations", who, invited))["id"]


async def _mapped(victim: Victim) -> None:
    """A's material code means the tile; a second person approves."""
    story = victim.story
    job = await victim.upload(
        "/catalog/mapping-jobs", csv_of("物料编码,名称,规格型号,单位", f"{WORD}-1,瓷砖,600x600,m2")
    )
    victim.own["/catalog/mapping-jobs", "job_id"] = job["id"]
    await victim.worked_off("catalog", "mapping_runner")
    path = f"/catalog/mapping-jobs/{job['id']}"
    means = {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": TILE, "relation": "exact"}]}
    colleague = a_person(Role.BUYER, company_id=story.a, group_id=story.a)
    await story.done("POST", f"{path}/decisions", colleague, {"decisions": [means]})
    await story.done("POST", f"{path}/approval", colleague, {"leave_open": True})
    await victim.worked_off("catalog", "mapping_runner")


async def _imported(victim: Victim) -> None:
    """Agreements and prices of the legacy platform, as far as the machine takes them."""
    story = victim.story
    uscc = (await story.done("GET", f"/members/companies/{story.supplier}", victim.seller))["tax_id"]["value"]
    agreement = f"{WORD}-KJ,{uscc},{WORD}-1,固定价,{AGREED},13%,含税,,2026-01-01,2099-12-31,,"
    paid = f"2026/10/08,{WORD}-1,{PAID},m2,{PAID_QUANTITY},瓷砖"
    judged = f"{uscc},2026-10-08,service,71,{WORD}-slow"
    for path, body in (
        ("/orders/agreement-imports", csv_of(AGREEMENTS, agreement)),
        ("/orders/price-history-imports", csv_of(PRICES, paid)),
        ("/suppliers/evaluation-imports", csv_of(EVALUATIONS, judged)),
    ):
        job = await victim.upload(path, body)
        victim.own[path, "import_id"] = job["id"]
        service = path.split("/")[1]
        await victim.worked_off(service, "import_runner")
        reviewer = a_person(Role.APPROVER, company_id=story.a, group_id=story.a)
        await story.done("POST", f"{path}/{job['id']}/approval", reviewer, {"leave_open": True})
        await victim.worked_off(service, "import_runner")


async def _declared(victim: Victim) -> None:
    """What is A's own meaning of equal, and what it would buy together with others."""
    same = {"of": {"key": TILE}, "substitute": {"key": TILE.replace("600x600", "800x800")}, "rule": f"{WORD}-rule"}
    made = await victim.story.done("POST", "/catalog/equivalents", victim.everyone, same)
    victim.ids["equivalent_id"] = made["id"]


async def looked_into(victim: Victim) -> None:
    """A case file of the operator's on A."""
    opened = {"owner_id": str(victim.story.a), "reason": "Complaint 17", "days": 3}
    answer = await victim.story.call("POST", "/orders/case-files", victim.story.operator, opened)
    assert answer.status_code == 201, answer.text
    victim.ids["case_file_id"] = answer.json()["id"]


async def _exported(victim: Victim) -> None:
    """A's export of every service, ready to be fetched."""
    for service, data_out in DATA_OUT.items():
        job = await victim.story.done("POST", f"/{service}/exports", victim.everyone, {})
        victim.own[f"/{service}/exports", "export_id"] = job["id"]
        runner = ExportRunner(data_out, database=victim.story.databases[service], data_dir=victim.folder)
        assert await runner.work_one()
        done = await victim.story.done("GET", f"/{service}/exports/{job['id']}", victim.everyone)
        assert done["state"] == "DONE", done
