"""One supplier, one buyer, an operator, and doubles of the two services that `suppliers` asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from services.suppliers.app import create_app
from services.suppliers.settings import Settings
from services.suppliers.spaces.actions import stages_told
from services.suppliers.spaces.jobs import rekey_offers
from shared.audience import Stage
from shared.clients.transport import ServiceAway, ServiceRefused
from shared.contracts.catalog import VariantError, VariantReference, VariantResult, VariantSnapshot
from shared.contracts.members import CompanyIdentity, StageChanged, TaxId
from shared.database import Database, transaction
from shared.identity import Principal, Role, Scope, TokenVerifier
from shared.ids import new_id
from tests.conftest import a_person, an_api_client, once, signed_in

REBAR = "RB-HRB|diameter=20,grade=HRB400E,length=12"
REBAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
BOLT = "HW-BOLT|size=M12"

_NAMES = UUID("0190aaaa-0000-7000-8000-000000000000")


def snapshot_of(key: str) -> VariantSnapshot:
    """A variant as `catalog` would answer: rebar in tonnes, everything else in pieces."""
    code, _, rest = key.partition("|")
    rebar = code.startswith("RB-")
    return VariantSnapshot(
        id=uuid5(_NAMES, key),
        key=key,
        type_code=code,
        type_version=1,
        category="rebar" if rebar else "finishes_misc",
        name_zh=f"构件 {key}",
        name_en=f"component {key}",
        properties=dict(part.split("=") for part in rest.split(",")),
        supply_mode="stock",
        base_unit="t" if rebar else "piece",
        base_decimals=3 if rebar else 0,
        unit_factors={"t": Decimal(1), "kg": Decimal("0.001"), "piece": Decimal("0.02964")}
        if rebar
        else {"piece": Decimal(1), "box": Decimal(100)},
        unit_decimals={"t": 3, "kg": 3, "piece": 0, "box": 0},
        spec_hash="ab" * 32,
        standards=[],
    )


class CatalogDouble:
    """Knows every key whose type begins with RB- or HW-; a type with properties becomes a key."""

    def __init__(self) -> None:
        self.asked: list[VariantReference] = []
        self.away = False

    async def resolve(
        self, *, references: Sequence[VariantReference], timeout_seconds: float = 30
    ) -> list[VariantResult]:
        if self.away:
            raise ServiceAway("catalog cannot be reached.")
        self.asked += references
        return [self._result(reference) for reference in references]

    def _result(self, reference: VariantReference) -> VariantResult:
        key = reference.key
        if key is None:
            values = ",".join(f"{name}={value}" for name, value in sorted((reference.properties or {}).items()))
            key = f"{reference.type}|{values}"
        if not key.startswith(("RB-", "HW-")) or "|" not in key or "=" not in key:
            return VariantResult(error=VariantError(code="UnknownType", detail=f"No type {key}.", field="type"))
        return VariantResult(variant=snapshot_of(key))


class MembersDouble:
    """Knows the companies it was told."""

    def __init__(self) -> None:
        self.companies: dict[UUID, CompanyIdentity] = {}
        self.taken_in: list[tuple[str, str]] = []

    def add(
        self,
        company_id: UUID,
        *,
        kinds: Sequence[str] = ("supplier",),
        status: str = "ACTIVE",
        tax_id: str = "91310000MA1FL00000",
        name: str = "示范钢铁",
    ) -> None:
        self.companies[company_id] = CompanyIdentity(
            id=company_id,
            name=name,
            name_zh=name,
            name_en=None,
            tax_id=TaxId(scheme="USCC", country="CN", value=tax_id),
            kinds=list(kinds),
            status=status,
        )

    async def take_in_supplier(self, *, tax_id: str, name_zh: str, branch: bool, key: str) -> CompanyIdentity:
        self.taken_in.append((tax_id, key))
        known = next((each for each in self.companies.values() if each.tax_id.value == tax_id), None)
        if known is None:
            known = CompanyIdentity(
                id=new_id(),
                name=name_zh,
                name_zh=name_zh,
                name_en=None,
                tax_id=TaxId(scheme="USCC", country="CN", value=tax_id),
                kinds=["branch", "supplier"] if branch else ["supplier"],
                status="ACTIVE",
            )
            self.companies[known.id] = known
        return known

    async def company(self, *, company_id: UUID) -> CompanyIdentity:
        if company_id not in self.companies:
            raise ServiceRefused({"code": "CompanyNotFound", "detail": "No."}, http_status=404)
        return self.companies[company_id]


@dataclass
class World:
    """The service as its callers meet it."""

    app: FastAPI
    http: httpx.AsyncClient
    database: Database
    folder: Path
    catalog: CatalogDouble
    members: MembersDouble
    supplier_id: UUID = field(default_factory=new_id)
    operator: Principal = field(default_factory=lambda: a_person(Role.OPERATOR))
    buyer: Principal = field(default_factory=lambda: a_person(Role.BUYER))
    market_group_id: UUID = field(default_factory=new_id)
    """A contractor group whose categories are open markets."""

    @property
    def erp(self) -> Principal:
        """The supplier's API client."""
        return an_api_client(Scope.STOCK_WRITE, Scope.PRICES_WRITE, company_id=self.supplier_id)

    async def call(
        self, method: str, path: str, caller: Principal | None, *, version: int | None = None, **request: Any
    ) -> httpx.Response:
        headers = {} if caller is None else signed_in(caller)
        if method == "POST":
            headers |= once()
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return await self.http.request(method, path, headers=headers | request.pop("headers", {}), **request)

    async def register(self, supplier_id: UUID | None = None) -> httpx.Response:
        supplier_id = supplier_id or self.supplier_id
        self.members.add(supplier_id)
        return await self.call("POST", "/suppliers", self.operator, json={"company_id": str(supplier_id)})

    async def qualify(self, supplier_id: UUID | None = None, *, version: int = 1, **body: Any) -> httpx.Response:
        path = f"/suppliers/{supplier_id or self.supplier_id}/qualification"
        body = {"categories": ["rebar", "finishes_misc"], **body}
        return await self.call("POST", path, self.operator, version=version, json=body)

    async def admit(
        self,
        group_id: UUID,
        *categories: str,
        supplier_id: UUID | None = None,
        caller: Principal | None = None,
        **body: Any,
    ) -> httpx.Response:
        """A contractor group, known to `members` from now on, admits the supplier; recorded by the operator."""
        if group_id not in self.members.companies:
            self.members.add(group_id, kinds=("contractor",))
        body = {"group_id": str(group_id), "categories": list(categories), "reason": "Sample test passed.", **body}
        path = f"/suppliers/{supplier_id or self.supplier_id}/admissions"
        return await self.call("POST", path, caller or self.operator, json=body)

    async def stage(self, group_id: UUID, category: str, stage: Stage, *, circle_id: UUID | None = None) -> None:
        """What the feed of `members` tells when a group opens or closes a category."""
        told = StageChanged(
            group_id=group_id,
            category=category,
            stage=stage,
            circle_id=circle_id,
            before_stage=Stage.S1,
            before_circle_id=None,
            change_id=new_id(),
            what="took effect",
        )
        async with transaction(self.database.system) as session:
            await stages_told(session, told=[told], at=datetime.now(UTC))

    async def open_market(self, *categories: str, supplier_id: UUID | None = None) -> None:
        """Let every member see the supplier's offers, as far as their own audience goes: a group whose spaces are open
        markets admits it."""
        wanted = categories or ("rebar", "finishes_misc")
        for category in wanted:
            await self.stage(self.market_group_id, category, Stage.S3)
        admitted = await self.admit(self.market_group_id, *wanted, supplier_id=supplier_id)
        assert admitted.status_code == 201, admitted.text
        await self.rekey()

    async def rekey(self) -> int:
        """What the worker does after reaches changed."""
        return await rekey_offers(self.database, at=datetime.now(UTC))

    async def sync(
        self,
        body: bytes | str,
        *,
        kind: str = "text/csv",
        method: str = "PUT",
        caller: Principal | None = None,
        supplier_id: UUID | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> httpx.Response:
        return await self.call(
            method,
            f"/suppliers/{supplier_id or self.supplier_id}/sync",
            caller or self.erp,
            content=body.encode() if isinstance(body, str) else body,
            headers={"Content-Type": kind, **(headers or {})},
            params=params,
        )

    async def synced(self, body: bytes | str, **request: Any) -> dict[str, Any]:
        """A sync that is worked off at once; its view."""
        answer = await self.sync(body, **request)
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def stock(self) -> dict[tuple[str, str], dict[str, Any]]:
        answer = await self.call("GET", f"/suppliers/{self.supplier_id}/stock", self.erp, params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return {(row["item_no"], row["stock_point"]): row for row in answer.json()}

    async def offers(self) -> dict[tuple[str, str], dict[str, Any]]:
        answer = await self.call("GET", "/suppliers/offers", self.erp, params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return {(row["item_no"], row["offer_code"]): row for row in answer.json()}

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with transaction(self.database.system) as session:
            return [dict(row) for row in (await session.execute(text(query), values)).mappings()]

    async def execute(self, statement: str, **values: Any) -> None:
        async with transaction(self.database.system) as session:
            await session.execute(text(statement), values)

    async def reserve(self, item_no: str, quantity: str, *, stock_point: str = "main") -> None:
        await self.execute(
            "UPDATE stock_levels SET reserved = CAST(:quantity AS numeric) "
            "WHERE supplier_id = :supplier_id AND item_no = :item_no AND stock_point = :stock_point",
            quantity=quantity,
            supplier_id=self.supplier_id,
            item_no=item_no,
            stock_point=stock_point,
        )


def csv_of(*rows: str, header: str) -> str:
    return "\n".join([header, *rows]) + "\n"


FULL_HEADER = "item_no;variant;stock_point;on_hand;price;tax_rate;tax_inclusive;unit"


def new_items(*names: str, stock_point: str = "main", on_hand: str = "100", price: str = "3250.50") -> str:
    """A file that makes items of rebar with stock and a price."""
    rows = (f"{name};{REBAR};{stock_point};{on_hand};{price};0.13;true;t" for name in names)
    return csv_of(*rows, header=FULL_HEADER)


def settings_for(folder: Path, **changes: Any) -> Settings:
    return Settings(database_url="", system_database_url="", data_dir=folder, **changes)


def app_over(
    database: Database,
    verifier: TokenVerifier,
    settings: Settings,
    *,
    catalog: CatalogDouble,
    members: MembersDouble,
) -> FastAPI:
    return create_app(settings, database=database, verifier=verifier, members=members, catalog=catalog)
