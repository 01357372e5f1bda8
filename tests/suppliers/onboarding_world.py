"""Builders of onboarding: files of papers, a company that applies, a contractor that invites."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
from pypdf import PdfWriter

from shared.clock import business_date, now
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.world import World

TODAY = business_date(now())
TAX_ID = "91320500MA2DEMQ7X8"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00" * 32
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 32

BASIC = ("business_licence", "legal_representative", "bank_proof", "tax_status")
IDENTITY = {
    "representative_name": "王芳",
    "document_number": "11010519491231002X",
    "bank_name": "中国工商银行上海分行",
    "account_name": "示范钢铁",
    "account_number": "6222 0202 0011 2233",
}


def pdf(change: Callable[[PdfWriter], Any] = lambda _: None, *, mark: str = "") -> bytes:
    """A PDF of one blank page, changed; `mark` makes it another file."""
    writer = PdfWriter()
    writer.add_blank_page(width=200, height=200)
    writer.add_metadata({"/Title": mark or str(new_id())})
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@dataclass
class Applicant:
    """A company that wants to be a supplier, and its admin."""

    world: World
    company_id: UUID = field(default_factory=new_id)
    tax_id: str = TAX_ID

    def __post_init__(self) -> None:
        self.world.members.add(self.company_id, tax_id=self.tax_id)
        self.admin: Principal = a_person(Role.ADMIN, Role.SUPPLIER_SALES, company_id=self.company_id)

    @property
    def path(self) -> str:
        return f"/suppliers/{self.company_id}"

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return await self.world.call(method, f"{self.path}{path}", self.admin, **request)

    async def review(self, method: str, path: str, **request: Any) -> httpx.Response:
        return await self.world.call(method, f"{self.path}{path}", self.world.operator, **request)

    async def apply(self, *categories: str, **more: Any) -> httpx.Response:
        body = {"trade": "maker", "categories": categories or ("finishes_misc",), **more}
        return await self.call("POST", "/application", json=body)

    async def give(
        self,
        kind: str,
        *,
        body: bytes | None = None,
        file_name: str = "paper.pdf",
        caller: Principal | None = None,
        headers: dict[str, str] | None = None,
        **particulars: Any,
    ) -> httpx.Response:
        said = {
            "kind": kind,
            "issuer": "上海市市场监督管理局",
            "number": "No. 1",
            "valid_from": (TODAY - timedelta(days=30)).isoformat(),
            "file_name": file_name,
            **particulars,
        }
        return await self.world.call(
            "POST",
            f"{self.path}/papers",
            caller or self.admin,
            params={name: value for name, value in said.items() if value is not None},
            content=pdf() if body is None else body,
            headers=headers or {"Content-Type": "application/octet-stream"},
        )

    async def given(self, kind: str, **particulars: Any) -> dict[str, Any]:
        """A paper that is taken."""
        answer = await self.give(kind, **particulars)
        assert answer.status_code == 201, answer.text
        paper: dict[str, Any] = answer.json()
        return paper

    async def check(self, paper: dict[str, Any], outcome: str = "accepted", reason: str = "") -> httpx.Response:
        return await self.review("POST", f"/papers/{paper['id']}/check", json={"outcome": outcome, "reason": reason})

    async def version(self) -> int:
        application = (await self.call("GET", "/application")).json()
        version: int = application["version"]
        return version

    async def verified(self, **until: date) -> None:
        """The basic papers are in, and the identity is verified."""
        for kind in BASIC:
            await self.given(kind, valid_until=until[kind].isoformat() if kind in until else None)
        assert (await self.call("PUT", "/identity", json=IDENTITY)).status_code == 200
        answer = await self.review("POST", "/identity/verification", version=1, json={"reason": "Register agrees."})
        assert answer.status_code == 200, answer.text

    async def step(self, name: str, *, by: Principal | None = None, **body: Any) -> httpx.Response:
        """A step of the application, with its present version."""
        version = body.pop("version", None) or await self.version()
        request = {"json": body} if body else {}
        return await self.world.call(
            "POST", f"{self.path}/application/{name}", by or self.world.operator, version=version, **request
        )

    async def submit(self) -> httpx.Response:
        return await self.step("submission", by=self.admin)

    async def qualified(self, *categories: str, **approval: Any) -> dict[str, Any]:
        """Approved for what it asked."""
        asked = list(categories or ("finishes_misc",))
        assert (await self.submit()).status_code == 200
        assert (await self.step("review")).status_code == 200
        answer = await self.step("approval", **{"categories": asked, "level": "B", "reason": "Good.", **approval})
        assert answer.status_code == 200, answer.text
        application: dict[str, Any] = answer.json()
        return application


@dataclass
class Contractor:
    """A contractor that invites."""

    world: World
    company_id: UUID = field(default_factory=new_id)
    group_id: UUID = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self.world.members.add(self.company_id, kinds=("contractor",), name="示范建工")
        self.buyer: Principal = a_person(Role.BUYER, company_id=self.company_id, group_id=self.group_id)

    async def call(self, method: str, path: str = "", **request: Any) -> httpx.Response:
        return await self.world.call(method, f"/suppliers/invitations{path}", self.buyer, **request)

    async def invite(self, **more: Any) -> dict[str, Any]:
        answer = await self.call("POST", json={"name": "示范钢铁", **more})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def funnel(self) -> dict[str, int]:
        states = (await self.call("GET", "/funnel")).json()["states"]
        return {state: count for state, count in states.items() if count}
