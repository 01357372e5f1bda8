"""What the worker does with evaluations and blacklists: find the suppliers, stage, take back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.judgement_imports import actions
from services.suppliers.judgement_imports.rules import COLUMNS, EVALUATION, Outcome, checked, level_of
from services.suppliers.merging import queries as merging_queries
from shared.database import Database, transaction
from shared.importing.columns import Columns, RowError
from shared.importing.states import RowState
from shared.importing.store import Import, Row, Verdict
from shared.tax_numbers import is_registration_number, normalised


class JudgementImport:
    """One of the two kinds, for the import runner."""

    def __init__(self, kind: str, *, database: Database) -> None:
        self._kind = kind
        self._database = database

    @property
    def name(self) -> str:
        return self._kind

    @property
    def columns(self) -> Columns:
        return COLUMNS[self._kind]

    def checked(self, cells: Mapping[str, str]) -> list[RowError]:
        """See `rules.checked`."""
        return checked(self._kind, cells)

    async def judged(self, job: Import, rows: Sequence[Row]) -> Sequence[Verdict]:  # noqa: ARG002
        """A row whose number no supplier has is refused; a repeated one is refused but the first."""
        numbers = {row.row_no: normalised(row.cells["uscc"]) for row in rows}
        async with transaction(self._database.system) as session:
            known = await merging_queries.by_tax_id(session, tax_ids=set(numbers.values()))
            old = await merging_queries.identities(
                session, registration_nos={each for each in numbers.values() if is_registration_number(each)}
            )
        holders: dict[str, set[UUID]] = {number: {found[0]} for number, found in known.items()}
        for each in old:
            holders.setdefault(each.registration_no or "", set()).add(each.supplier_id)
        seen: dict[tuple[str, ...], int] = {}
        return [self._verdict(row, holders.get(numbers[row.row_no], set()), seen) for row in rows]

    def _verdict(self, row: Row, holders: set[UUID], seen: dict[tuple[str, ...], int]) -> Verdict:
        if len(holders) != 1:
            told = "No supplier on record has this number; import the supplier list first."
            remark = RowError(column="uscc", code=Outcome.SUPPLIER_UNKNOWN, text=told)
            return _refused(row, Outcome.SUPPLIER_UNKNOWN, remark)
        supplier_id = str(next(iter(holders)))
        said = (supplier_id, row.cells["date"], row.cells.get("dimension", ""), row.cells.get("reason", ""))
        first = seen.setdefault(said, row.row_no)
        if first != row.row_no:
            remark = RowError(column="uscc", code=Outcome.REPEATED, text=f"Row {first} says the same.")
            return _refused(row, Outcome.REPEATED, remark)
        return Verdict(
            row_no=row.row_no, state=RowState.READY, outcome=Outcome.STAGED, result={"supplier_id": supplier_id}
        )

    async def prepared(self, job: Import, rows: Sequence[Row]) -> None:
        """Nothing."""

    async def published(self, session: AsyncSession, *, job: Import, rows: Sequence[Row], at: datetime) -> int:
        """Stage them; they stay with the group."""
        blacklist = self._kind != EVALUATION
        staged = [
            {
                "row_no": row.row_no,
                "supplier_id": row.result["supplier_id"],
                "judged_on": row.cells["date"],
                "dimension": row.cells.get("dimension"),
                "score": row.cells.get("score"),
                "level": level_of(row.cells.get("level", "")) if blacklist else None,
                "reason": row.cells.get("reason"),
                "evidence": row.cells.get("evidence"),
                "expires_on": row.cells.get("expiry"),
            }
            for row in rows
        ]
        kind = "blacklist" if blacklist else "evaluation"
        return await actions.stage(session, job=job, kind=kind, rows=staged, at=at)

    async def taken_back(self, session: AsyncSession, *, job: Import, at: datetime) -> None:
        """See `actions.take_back`."""
        await actions.take_back(session, job=job, at=at)


def _refused(row: Row, outcome: Outcome, remark: RowError) -> Verdict:
    return Verdict(row_no=row.row_no, state=RowState.REFUSED, outcome=outcome, remarks=[remark])
