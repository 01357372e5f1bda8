"""What the worker does with a price history: resolve its codes, keep it, and ask again about codes mapped later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.price_history import actions, queries
from services.orders.price_history.rules import COLUMNS, KIND, amount_of, category_of, checked
from shared.contracts.catalog import CodeMeaning
from shared.database import Database, transaction
from shared.importing.columns import Columns, RowError
from shared.importing.states import RowState
from shared.importing.store import Import, Row, Verdict

_CODES_AT_ONCE = 2_000


class CodeSource(Protocol):
    """Where codes are variants: `shared.clients.catalog.CatalogClient`, or a table in a test."""

    async def meanings(
        self, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str]
    ) -> dict[str, list[CodeMeaning]]:
        """Raises ServiceUnknown, ServiceAway."""
        ...


class PriceHistoryImport:
    """What was paid, for the import runner."""

    def __init__(self, *, catalog: CodeSource) -> None:
        self._catalog = catalog

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
        """Every row is kept; those whose code has a published mapping say so."""
        meanings = await self._catalog.meanings(
            company_id=job.company_id, group_id=job.group_id, codes=sorted({row.cells["code"] for row in rows})
        )
        verdicts = []
        for row in rows:
            means = meanings.get(row.cells["code"])
            result = actions.meaning_of(means) if means else {}
            verdicts.append(
                Verdict(
                    row_no=row.row_no, state=RowState.READY, outcome="MAPPED" if means else "UNMAPPED", result=result
                )
            )
        return verdicts

    async def prepared(self, job: Import, rows: Sequence[Row]) -> None:
        """Nothing."""

    async def published(self, session: AsyncSession, *, job: Import, rows: Sequence[Row], at: datetime) -> int:
        """Keep the rows."""
        kept = [
            {
                "row_no": row.row_no,
                "paid_on": row.cells["date"],
                "legacy_code": row.cells["code"],
                "price": row.cells["price"],
                "unit": row.cells.get("unit"),
                "quantity": row.cells["qty"],
                "amount": amount_of(row.cells),
                "category": category_of(row.cells.get("category", "")),
                **row.result,
            }
            for row in rows
        ]
        return await actions.keep(session, job=job, rows=kept, at=at)

    async def taken_back(self, session: AsyncSession, *, job: Import, at: datetime) -> None:
        """See `actions.take_back`."""
        await actions.take_back(session, job=job, at=at)


async def resolve_again(database: Database, catalog: CodeSource) -> int:
    """Ask about the codes that meant nothing when their rows were imported; how many rows know it now."""
    known = 0
    after: tuple[UUID, str] | None = None
    while True:
        async with transaction(database.system) as session:
            rows = await queries.unmapped_codes(session, after=after, limit=_CODES_AT_ONCE)
        if not rows:
            return known
        for (company_id, group_id), some in groupby(rows, key=lambda row: (row.company_id, row.group_id)):
            codes = [row.legacy_code for row in some]
            meanings = await catalog.meanings(company_id=company_id, group_id=group_id, codes=codes)
            async with transaction(database.app, company_id) as session:
                known += await actions.note_meanings(session, company_id=company_id, meanings=meanings)
        after = (rows[-1].company_id, rows[-1].legacy_code)
