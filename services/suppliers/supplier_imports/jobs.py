"""What the worker does with a supplier list: match it, make the companies that are new, publish, take back."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.merging import actions as merging
from services.suppliers.merging import queries as merging_queries
from services.suppliers.merging.actions import Told
from services.suppliers.onboarding import actions as onboarding
from services.suppliers.onboarding import queries as onboarding_queries
from services.suppliers.onboarding.actions import AlreadySupplier, NotASupplierCompany
from services.suppliers.supplier_imports import actions, queries
from services.suppliers.supplier_imports.matching import Matcher
from services.suppliers.supplier_imports.rules import COLUMNS, KIND, Outcome, Reading, checked, is_branch, reading_of
from shared import clock
from shared.clients.transport import ServiceRefused
from shared.contracts.members import CompanyIdentity
from shared.database import Database, transaction
from shared.importing import store
from shared.importing.columns import Columns, RowError
from shared.importing.states import RowState
from shared.importing.store import Import, Row, Verdict
from shared.sheets import FileRefused

_AT_ONCE = 8
"""Companies asked for at `members` at one time."""
_IDENTITIES_AT_ONCE = 1000


class CompanyIntake(Protocol):
    """Where companies are registered: `shared.clients.members.MembersClient`, or a table in a test."""

    async def take_in_supplier(self, *, tax_id: str, name_zh: str, branch: bool, key: str) -> CompanyIdentity:
        """Raises ServiceRefused, ServiceUnknown, ServiceAway."""
        ...


class SupplierImport:
    """Supplier lists, for the import runner (`shared.importing.runner.ImportKind`)."""

    def __init__(self, *, database: Database, members: CompanyIntake) -> None:
        self._database = database
        self._members = members

    @property
    def name(self) -> str:
        return KIND

    @property
    def columns(self) -> Columns:
        return COLUMNS

    def checked(self, cells: Mapping[str, str]) -> list[RowError]:
        """See `rules.checked`."""
        return checked(cells)

    async def judged(self, job: Import, rows: Sequence[Row]) -> Sequence[Verdict]:
        """By number, else a candidate for a person. Raises FileRefused: OtherTenantNamed."""
        await self._check_relations(job, rows)
        readings = [reading_of(row.row_no, row.cells) for row in rows]
        async with transaction(self._database.system) as session:
            while await merging.complete_identities(session, at=clock.now()):
                pass
        async with transaction(self._database.system) as session:
            by_tax_id = await merging_queries.by_tax_id(session, tax_ids={each.uscc for each in readings if each.uscc})
            known = await merging_queries.identities(
                session,
                name_keys={each.key for each in readings},
                registration_nos={each.registration_no for each in readings if each.registration_no},
            )
        matcher = Matcher(by_tax_id=by_tax_id, known=known, readings=readings)
        return [matcher.verdict(each) for each in readings]

    async def _check_relations(self, job: Import, rows: Sequence[Row]) -> None:
        """Refuse a file that names relations which are not the group's own."""
        named: dict[UUID, int] = {}
        for row in rows:
            text = row.cells.get("relation_id", "")
            try:
                named.update({UUID(text): row.row_no} if text else {})
            except ValueError as error:
                told = f"Row {row.row_no} names a relation {text[:40]!r}, which is none."
                raise FileRefused("OtherTenantNamed", told, row=row.row_no) from error
        async with transaction(self._database.app, job.company_id, job.group_id) as session:
            own = await queries.relation_ids(session, ids=named)
        strange = [row_no for relation_id, row_no in named.items() if relation_id not in own]
        if strange:
            told = f"Row {min(strange)} names a supplier relation that is not yours; this file may hold your own only."
            raise FileRefused("OtherTenantNamed", told, row=min(strange))

    async def prepared(self, job: Import, rows: Sequence[Row]) -> None:
        """Make the companies and the records that are new, some at a time; then keep what they are known by."""
        new = [row for row in rows if row.outcome == Outcome.NEW and "supplier_id" not in row.result]
        for first in range(0, len(new), _AT_ONCE):
            some = new[first : first + _AT_ONCE]
            companies = await asyncio.gather(*(self._company(job, row) for row in some))
            for row, company in zip(some, companies, strict=True):
                await self._register(job, row, company)
        async with transaction(self._database.app, job.company_id) as session:
            ready = await store.rows_of(session, job=job, state=RowState.READY)
        suppliers = suppliers_of(ready)
        told = [each for row in ready if row.row_no in suppliers for each in _told(row, suppliers[row.row_no])]
        for first in range(0, len(told), _IDENTITIES_AT_ONCE):
            async with transaction(self._database.system) as session:
                some_told = told[first : first + _IDENTITIES_AT_ONCE]
                await merging.record_identities(session, told=some_told, source=job.id, at=clock.now())

    async def _company(self, job: Import, row: Row) -> CompanyIdentity | ServiceRefused:
        reading = reading_of(row.row_no, row.cells)
        assert reading.uscc is not None  # noqa: S101 - a row without a number is never NEW
        try:
            return await self._members.take_in_supplier(
                tax_id=reading.uscc,
                name_zh=reading.name,
                branch=is_branch(reading.name),
                key=f"legacy-supplier/{job.id}/{row.row_no}",
            )
        except ServiceRefused as refused:
            return refused

    async def _register(self, job: Import, row: Row, company: CompanyIdentity | ServiceRefused) -> None:
        """Begin the supplier's record, REGISTERED and no more, and note it on the row."""
        now = clock.now()
        refused = company.problem_code if isinstance(company, ServiceRefused) else None
        if isinstance(company, CompanyIdentity):
            try:
                async with transaction(self._database.system) as session:
                    if await onboarding_queries.supplier(session, supplier_id=company.id) is None:
                        await onboarding.register_supplier(session, company=company, by=job.approver, at=now)
            except AlreadySupplier:
                pass
            except NotASupplierCompany:
                refused = NotASupplierCompany.__name__
        if refused is not None or isinstance(company, ServiceRefused):
            told = f"members does not let this company be a supplier: {refused}."
            remark = RowError(column="uscc", code=refused or "Refused", text=told)
            verdict = Verdict(row_no=row.row_no, state=RowState.REFUSED, outcome=refused or "Refused", remarks=[remark])
        else:
            verdict = Verdict(
                row_no=row.row_no,
                state=RowState.READY,
                outcome=Outcome.NEW,
                result={**row.result, "supplier_id": str(company.id)},
            )
        async with transaction(self._database.app, job.company_id) as session:
            await store.write_verdicts(session, job=job, verdicts=[verdict])

    async def published(self, session: AsyncSession, *, job: Import, rows: Sequence[Row], at: datetime) -> int:
        """One relation for each supplier of the list; a company on several rows counts as its first says."""
        suppliers = suppliers_of(rows)
        kept: dict[UUID, dict[str, Any]] = {}
        for row in rows:
            supplier_id = suppliers.get(row.row_no)
            if supplier_id is not None:
                fields = {name: row.cells.get(name) for name in _RELATION_FIELDS}
                kept.setdefault(supplier_id, {"row_no": row.row_no, "supplier_id": supplier_id, **fields})
        await actions.keep_relations(session, job=job, rows=list(kept.values()), at=at)
        return sum(1 for row in rows if row.row_no in suppliers)

    async def taken_back(self, session: AsyncSession, *, job: Import, at: datetime) -> None:
        """See `actions.take_back`."""
        await actions.take_back(session, job=job, at=at)


_RELATION_FIELDS = ("name", "category", "grade", "list_status", "bank", "contacts")


def suppliers_of(rows: Sequence[Row]) -> dict[int, UUID]:
    """The supplier behind each row that has one: named by its result, by a person's choice, or by another row."""
    direct = {row.row_no: UUID(row.result["supplier_id"]) for row in rows if row.result.get("supplier_id")}
    for row in rows:
        place = row.choice or row.result.get("same_as")
        if row.row_no in direct or place is None:
            continue
        if not place.startswith("row-"):
            direct[row.row_no] = UUID(place)
        elif int(place.removeprefix("row-")) in direct:
            direct[row.row_no] = direct[int(place.removeprefix("row-"))]
    return direct


def _told(row: Row, supplier_id: UUID) -> list[Told]:
    reading: Reading = reading_of(row.row_no, row.cells)
    whole = Told(
        supplier_id=supplier_id,
        name=reading.name,
        region=reading.region,
        bank=row.cells.get("bank", ""),
        registration_no=reading.registration_no,
    )
    return [whole, *(Told(supplier_id=supplier_id, name=name, region=reading.region) for name in reading.old_names)]
