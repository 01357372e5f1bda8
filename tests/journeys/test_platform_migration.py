"""A contractor's legacy platform is taken over: an invented export of known content goes through all four services.

The services run in this process over their own databases, their workers beside them; the command's own code calls
them over HTTP from another thread, as a person would. What the report says is compared with what was planted.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI

from infra.api import Api
from infra.migration_report import as_markdown, report_of, write_report
from infra.platform_migration import Migration, Outcome, People, figures
from infra.seed.legacy_export import Planted, Sizes, write_legacy_export
from services.catalog.app import create_app as catalog_app
from services.catalog.components.jobs import load_taxonomy
from services.catalog.mapping.jobs import work_mappings
from services.catalog.settings import Settings as CatalogSettings
from services.members.app import create_app as members_app
from services.members.settings import Settings as MembersSettings
from services.orders.app import create_app as orders_app
from services.orders.settings import Settings as OrdersSettings
from services.suppliers.app import create_app as suppliers_app
from services.suppliers.settings import Settings as SuppliersSettings
from shared.clients.catalog import CatalogClient
from shared.clients.members import MembersClient
from shared.clients.orders import OpenOrdersClient
from shared.clients.reservations import ReservationsClient
from shared.clients.suppliers import SuppliersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.identity import Principal, Role, Scope, TokenVerifier
from shared.ids import new_id
from shared.importing.runner import work_imports
from tests.conftest import CreateDatabase, a_person, a_service, signed_in, token_for

ROOT = Path(__file__).parents[2]
ON = date(2026, 11, 25)
SMALL = Sizes(codes=120, suppliers=60, agreements=40, prices=200, evaluations=40, listed=12)
SCOPES = {
    "suppliers": (Scope.COMPANIES_READ, Scope.COMPANIES_REGISTER, Scope.VARIANTS_RESOLVE, Scope.ORDERS_COUNT),
    "orders": (Scope.COMPANIES_READ, Scope.RESERVATIONS_WRITE, Scope.VARIANTS_RESOLVE),
}


class Bridge(httpx.BaseTransport):
    """Carries the command's calls into the event loop in which the services run."""

    def __init__(self, apps: dict[str, FastAPI], loop: asyncio.AbstractEventLoop) -> None:
        self._apps = {name: httpx.ASGITransport(app=app) for name, app in apps.items()}
        self._loop = loop
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        service = request.url.path.split("/")[1]
        content = request.read()

        async def ask() -> httpx.Response:
            asked = httpx.Request(request.method, request.url, headers=request.headers, content=content)
            answer = await self._apps[service].handle_async_request(asked)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(timeout=120)


class Token:
    """Somebody who is signed in."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def token(self, *, renew: bool = False) -> str:
        return token_for(self.principal)


@dataclass
class Platform:
    """All four services, and the people of one contractor."""

    apps: dict[str, FastAPI]
    api: Api
    folder: Path
    importer: Principal
    second: Principal

    def as_(self, principal: Principal) -> Api:
        return self.api.signed_in(Token(principal))

    async def migrate(self, *, with_second: bool = True, only_dry: bool = False) -> list[Outcome]:
        people = People(
            importer=self.as_(self.importer),
            second=self.as_(self.second) if with_second else None,
            accept_sample=True,
        )
        run = Migration(folder=self.folder, people=people, only_dry=only_dry, say=lambda _: None)
        return await asyncio.to_thread(run.run)

    async def report(self, outcomes: list[Outcome]) -> dict[str, Any]:
        return await asyncio.to_thread(
            lambda: report_of(outcomes, importer=self.as_(self.importer), admin=None, today=ON)
        )


def client_of(name: str, app: Callable[..., Any], caller: str) -> ServiceClient:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")
    return ServiceClient(name, http, FixedToken(token_for(a_service(*SCOPES[caller]))))


@pytest.fixture
async def platform(create_database: CreateDatabase, verifier: TokenVerifier, tmp_path: Path) -> AsyncIterator[Platform]:
    nowhere: dict[str, Any] = {"database_url": "", "system_database_url": "", "log_level": "CRITICAL"}
    databases = {name: create_database(name) for name in ("members", "catalog", "suppliers", "orders")}
    document = yaml.safe_load((ROOT / "infra" / "seed" / "taxonomy.yaml").read_text(encoding="utf-8"))
    await load_taxonomy(databases["catalog"].system, document=document, at=datetime.now(UTC))
    given: dict[str, dict[str, Any]] = {
        name: {"database": database, "verifier": verifier} for name, database in databases.items()
    }
    members = members_app(MembersSettings(**nowhere), **given["members"])
    catalog = catalog_app(CatalogSettings(**nowhere, data_dir=tmp_path / "c"), **given["catalog"])
    late: dict[str, FastAPI] = {}
    orders = orders_app(
        OrdersSettings(**nowhere, data_dir=tmp_path / "o"),
        **given["orders"],
        reservations=ReservationsClient(client_of("suppliers", _Late(late, "suppliers"), "orders")),
        companies=MembersClient(client_of("members", members, "orders")),
        suppliers=SuppliersClient(client_of("suppliers", _Late(late, "suppliers"), "orders")),
        catalog=CatalogClient(client_of("catalog", catalog, "orders")),
    )
    late["suppliers"] = suppliers = suppliers_app(
        SuppliersSettings(**nowhere, data_dir=tmp_path / "s"),
        **given["suppliers"],
        members=MembersClient(client_of("members", members, "suppliers")),
        catalog=CatalogClient(client_of("catalog", catalog, "suppliers")),
        orders=OpenOrdersClient(client_of("orders", orders, "suppliers")),
    )
    apps = {"members": members, "catalog": catalog, "suppliers": suppliers, "orders": orders}
    stop = asyncio.Event()
    working = [
        asyncio.create_task(work_mappings(catalog.state.mapping_runner, stop, idle_seconds=0.05)),
        *(
            asyncio.create_task(work_imports(app.state.import_runner, stop, idle_seconds=0.05))
            for app in (suppliers, orders)
        ),
    ]
    company = new_id()
    api = Api(dict.fromkeys(apps, "http://127.0.0.1:1"), transport=Bridge(apps, asyncio.get_running_loop()))
    yield Platform(
        apps=apps,
        api=api,
        folder=tmp_path / "export",
        importer=a_person(Role.BUYER, company_id=company, group_id=company),
        second=a_person(Role.APPROVER, company_id=company, group_id=company),
    )
    stop.set()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*working)
    api.close()


class _Late:
    """An app that is made after those that call it."""

    def __init__(self, apps: dict[str, FastAPI], name: str) -> None:
        self._apps, self._name = apps, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._apps[self._name](scope, receive, send)


def by_kind(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {each.kind.name: each for each in outcomes}


def check_against(planted: Planted, outcomes: list[Outcome]) -> None:
    """Every figure of the report is what was planted."""
    found = by_kind(outcomes)
    told = {name: figures(outcome) for name, outcome in found.items()}
    for name, rows in planted.rows.items():
        assert told[name]["read"] == rows, name
    codes, ledger = planted.fates["materials"], planted.fates["suppliers"]
    assert (told["materials"]["mapped"], told["materials"]["merged"]) == (codes["clear"], codes["repeated"])
    assert told["materials"]["refused"] == codes["rejected"]
    assert told["materials"]["waiting"] == codes["other"] + codes["broader"] + codes["split"]
    assert found["suppliers"].rows["READY"] == {"NEW": ledger["NEW"], "MERGED": ledger["MERGED"]}
    assert told["suppliers"]["waiting"] == ledger["CANDIDATE"]
    assert told["suppliers"]["refused"] == ledger["Unidentified"] + ledger["rejected"]
    agreed = planted.fates["agreements"]
    assert told["agreements"]["staged"] == agreed["STAGED"]
    refused = found["agreements"].rows["REFUSED"]
    assert refused == {
        fate: count for fate, count in agreed.items() if fate not in {"STAGED", "rejected", "ExpiredButUsed"}
    }
    assert found["agreements"].job["remarks"]["ExpiredButUsed"] == agreed["ExpiredButUsed"]
    paid = planted.fates["prices"]
    assert (told["prices"]["mapped"], told["prices"]["staged"], told["prices"]["refused"]) == (
        paid["MAPPED"],
        paid["UNMAPPED"],
        paid["rejected"],
    )
    for name in ("evaluations", "blacklist"):
        fates = planted.fates[name]
        assert (told[name]["staged"], told[name]["refused"]) == (fates["STAGED"], fates.total() - fates["STAGED"])


async def test_what_the_report_says_is_what_was_planted(platform: Platform):
    planted = write_legacy_export(platform.folder, on=ON, sizes=SMALL)
    outcomes = await platform.migrate()
    assert [(each.kind.name, each.state, each.stopped) for each in outcomes] == [
        (name, "PUBLISHED", None)
        for name in ("materials", "suppliers", "agreements", "prices", "evaluations", "blacklist")
    ]
    check_against(planted, outcomes)
    report = await platform.report(outcomes)
    assert report["suppliers"]["suppliers"] == planted.fates["suppliers"]["NEW"]
    assert report["suppliers"]["open_duplicates"] == 2 * planted.fates["suppliers"]["twin"]
    gates = {each["category"]: {gate["gate"]: gate for gate in each["gates"]} for each in report["gates"]}
    assert gates["rebar"]["valid_suppliers"]["measured"] == report["suppliers"]["sound_share"]
    assert 0 < float(gates["rebar"]["mapped_spend"]["measured"]) <= 1
    assert gates["rebar"]["independent_groups"]["measured"] is None
    markdown, document = write_report(report, platform.folder / "report")
    assert "not measured" in markdown.read_text(encoding="utf-8")
    assert document.stat().st_size > 1000
    assert "TaxFlagMissing" in as_markdown(report)
    assert "UsccCheckDigit" in (platform.folder / "report" / "suppliers-errors.csv").read_text(encoding="utf-8")
    again = await platform.migrate()
    assert [(each.state, each.repeated, each.import_id) for each in again] == [
        ("PUBLISHED", True, each.import_id) for each in outcomes
    ]
    check_against(planted, again)


async def test_without_a_second_person_it_stops_and_goes_on_when_one_comes(
    platform: Platform, http_to: Callable[[FastAPI], httpx.AsyncClient]
):
    write_legacy_export(platform.folder, on=ON, sizes=SMALL)
    for file in platform.folder.glob("*.csv"):
        if file.stem not in {"suppliers", "blacklist"}:
            file.unlink()
    dry = await platform.migrate(only_dry=True)
    assert [each.state for each in dry] == ["MATCHED", "MATCHED"]
    outcomes = await platform.migrate(with_second=False)
    assert [each.state for each in outcomes] == ["IN_REVIEW", "IN_REVIEW"]
    assert "second person" in str(outcomes[0].stopped)
    relations = http_to(platform.apps["suppliers"])
    seen = await relations.get("/suppliers/relations", headers=signed_in(platform.importer))
    assert seen.json() == []
    own = Platform(**{**vars(platform), "second": platform.importer})
    refused = await own.migrate()
    assert [str(each.stopped).split(":")[0] for each in refused] == ["OwnImport", "OwnImport"]
    done = by_kind(await platform.migrate())
    assert {each.state for each in done.values()} == {"PUBLISHED"}
    assert done["suppliers"].import_id == dry[0].import_id
