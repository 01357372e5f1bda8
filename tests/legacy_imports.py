"""A legacy file on its way through a service: uploaded by one person, reviewed by another, worked off in between."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from shared.identity import Principal, Role
from shared.ids import new_id
from shared.importing.runner import ImportRunner
from shared.tax_numbers import check_digit
from tests.conftest import a_person, once, signed_in


def a_uscc(serial: int, *, province: str = "32") -> str:
    """A made-up USCC with the right check digit."""
    body = f"91{province}0500MA{serial:07d}"
    return body + check_digit(body)


def csv_of(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


@dataclass
class Legacy:
    """One kind of file at one service, and two people of one company."""

    http: httpx.AsyncClient
    runner: ImportRunner
    prefix: str
    importer: Principal = field(default_factory=lambda: a_person(Role.BUYER, group_id=new_id()))

    def __post_init__(self) -> None:
        self.reviewer = a_person(Role.APPROVER, company_id=self.importer.company_id, group_id=self.importer.group_id)

    @property
    def group_id(self) -> UUID:
        assert self.importer.group_id is not None
        return self.importer.group_id

    async def send(
        self, body: bytes, *, as_: Principal | None = None, media: str = "text/csv", **params: Any
    ) -> httpx.Response:
        headers = {**signed_in(as_ or self.importer), **once(), "Content-Type": media}
        return await self.http.post(self.prefix, content=body, headers=headers, params=params)

    async def work(self) -> None:
        while await self.runner.run_next():
            pass

    async def imported(self, body: bytes, **params: Any) -> dict[str, Any]:
        """A file taken as far as the machine may."""
        answer = await self.send(body, **params)
        assert answer.status_code in {200, 202}, answer.text
        await self.work()
        return await self.job(answer.json()["id"])

    async def get(self, path: str, *, as_: Principal | None = None, **params: Any) -> httpx.Response:
        return await self.http.get(
            f"{self.prefix}{path}", headers=signed_in(as_ or self.importer), params=params or None
        )

    async def post(self, path: str, body: Any = None, *, as_: Principal | None = None) -> httpx.Response:
        headers = {**signed_in(as_ or self.reviewer), **once()}
        return await self.http.post(f"{self.prefix}{path}", json=body or {}, headers=headers)

    async def job(self, import_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(f"/{import_id}")).json()
        return found

    async def rows(self, job: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        answer = await self.get(f"/{job['id']}/rows", limit=200, **params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def outcomes(self, job: dict[str, Any]) -> dict[int, str]:
        return {row["row_no"]: row["outcome"] for row in await self.rows(job)}

    async def errors(self, job: dict[str, Any]) -> list[tuple[int, str, str]]:
        found = (await self.get(f"/{job['id']}/errors", limit=200)).json()
        return [(each["row"], each["column"], each["code"]) for each in found]

    async def decide(self, job: dict[str, Any], *decisions: dict[str, Any]) -> httpx.Response:
        return await self.post(f"/{job['id']}/decisions", {"decisions": list(decisions)})

    async def published(self, body: bytes, *, leave_open: bool = True, **params: Any) -> dict[str, Any]:
        """A file taken all the way."""
        job = await self.imported(body, **params)
        assert job["state"] == "IN_REVIEW", job
        approved = await self.post(f"/{job['id']}/approval", {"leave_open": leave_open})
        assert approved.status_code == 200, approved.text
        await self.work()
        return await self.job(job["id"])
