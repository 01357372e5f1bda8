"""A company's material codes on their way through the service: uploaded by one person, reviewed by another."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import xlsxwriter

from services.catalog.mapping.jobs import MappingRunner
from services.catalog.mapping.parsing import XLSX_MEDIA
from services.catalog.mapping.standards import KeptRegister, StandardsRegister
from shared.database import Database
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in

HEADER = "物料编码,名称,规格型号,单位"
BAR_ROW = "A-001,钢筋,三级抗震 Φ20 12米,吨"
BAR = "RB-HRB|diameter=20,grade=HRB400E,length=12"


def a_colleague(of: Principal, *roles: Role) -> Principal:
    """Somebody else of the same company."""
    return a_person(*(roles or (Role.BUYER,)), company_id=of.company_id, group_id=of.group_id)


def csv_file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def workbook(*rows: list[Any], merged: dict[str, str] | None = None) -> bytes:
    """An XLSX of these rows; `merged` are ranges with their text."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            sheet.write(number, place, value)
    for cells, text in (merged or {}).items():
        sheet.merge_range(cells, text)
    book.close()
    return out.getvalue()


@dataclass
class Mapping:
    """The service, its worker, and two people of one company."""

    http: httpx.AsyncClient
    database: Database
    folder: Path
    importer: Principal = field(default_factory=lambda: a_person(Role.BUYER, group_id=new_id()))
    standards: StandardsRegister = field(default_factory=KeptRegister)

    def __post_init__(self) -> None:
        self.reviewer = a_colleague(self.importer)

    @property
    def company(self) -> UUID:
        return self.importer.company

    async def send(
        self, body: bytes, *, as_: Principal | None = None, media: str = "text/csv", **params: Any
    ) -> httpx.Response:
        headers = {**signed_in(as_ or self.importer), **once(), "Content-Type": media}
        return await self.http.post("/catalog/mapping-jobs", content=body, headers=headers, params=params)

    async def work(self) -> None:
        """Let the worker work off all there is."""
        runner = MappingRunner(database=self.database, folder=self.folder, standards=self.standards)
        while await runner.run_next():
            pass

    async def imported(self, body: bytes, *, media: str = "text/csv", **params: Any) -> dict[str, Any]:
        """A file taken as far as the machine may."""
        answer = await self.send(body, media=media, **params)
        assert answer.status_code in {200, 202}, answer.text
        await self.work()
        return await self.job(answer.json()["id"])

    async def imported_sheet(self, body: bytes) -> dict[str, Any]:
        return await self.imported(body, media=XLSX_MEDIA)

    async def get(self, path: str, *, as_: Principal | None = None, **params: Any) -> httpx.Response:
        return await self.http.get(f"/catalog{path}", headers=signed_in(as_ or self.importer), params=params or None)

    async def post(self, path: str, body: Any, *, as_: Principal | None = None) -> httpx.Response:
        headers = {**signed_in(as_ or self.reviewer), **once()}
        return await self.http.post(f"/catalog{path}", json=body, headers=headers)

    async def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(f"/mapping-jobs/{job_id}")).json()
        return found

    async def rows(self, job: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        answer = await self.get(f"/mapping-jobs/{job['id']}/rows", **params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def errors(self, job: dict[str, Any]) -> list[tuple[int, str, str]]:
        found = (await self.get(f"/mapping-jobs/{job['id']}/errors")).json()
        return [(each["row"], each["column"], each["code"]) for each in found]

    async def decide(
        self, job: dict[str, Any], *decisions: dict[str, Any], as_: Principal | None = None
    ) -> httpx.Response:
        return await self.post(f"/mapping-jobs/{job['id']}/decisions", {"decisions": decisions}, as_=as_)

    async def approve(self, job: dict[str, Any], *, as_: Principal | None = None, **body: Any) -> httpx.Response:
        return await self.post(f"/mapping-jobs/{job['id']}/approval", body, as_=as_)

    async def accept_sample(self, job: dict[str, Any]) -> None:
        """Look at the rows that were drawn from those accepted automatically."""
        answer = await self.post(
            f"/mapping-jobs/{job['id']}/acceptances", {"states": ["AUTO_ACCEPTED"], "sampled": True}
        )
        assert answer.status_code == 200, answer.text

    async def published(self, body: bytes, *, leave_open: bool = True, **params: Any) -> dict[str, Any]:
        """A file taken all the way: sampled rows are confirmed, then all is approved."""
        job = await self.imported(body, **params)
        await self.accept_sample(job)
        approved = await self.approve(job, leave_open=leave_open)
        assert approved.status_code == 200, approved.text
        await self.work()
        return await self.job(job["id"])

    async def meaning(self, code: str, *, as_: Principal | None = None, **params: Any) -> list[str]:
        """The variants a code finds; none when it is not there."""
        answer = await self.get("/mappings", as_=as_, code=code, **params)
        if answer.status_code == 404:
            assert answer.json()["code"] == "MappingNotFound"
            return []
        return [each["variant_key"] for each in answer.json()]
