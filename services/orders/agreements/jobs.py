"""What the worker does with legacy agreements: resolve both keys, refuse what is unclear, stage the rest."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.agreements import actions, queries
from services.orders.agreements.rules import (
    COLUMNS,
    EXPIRED_BUT_USED,
    KIND,
    TOLD,
    Line,
    Outcome,
    checked,
    expired_but_used,
    on_the_same_days,
    price_kind,
    refused,
)
from shared.contracts.catalog import CodeMeaning
from shared.database import Database, transaction
from shared.importing.columns import Columns, RowError
from shared.importing.states import RowState
from shared.importing.store import Import, Row, Verdict
from shared.tax_numbers import normalised

_KIT = "kit"


class SupplierSource(Protocol):
    """Where numbers are suppliers: `shared.clients.suppliers.SuppliersClient`, or a table in a test."""

    async def resolve(self, *, numbers: Sequence[str]) -> dict[str, UUID | None]:
        """Raises ServiceUnknown, ServiceAway."""
        ...


class CodeSource(Protocol):
    """Where codes are variants: `shared.clients.catalog.CatalogClient`, or a table in a test."""

    async def meanings(
        self, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str]
    ) -> dict[str, list[CodeMeaning]]:
        """Raises ServiceUnknown, ServiceAway."""
        ...


class AgreementImport:
    """Legacy framework agreements, for the import runner."""

    def __init__(self, *, database: Database, suppliers: SupplierSource, catalog: CodeSource) -> None:
        self._database = database
        self._suppliers = suppliers
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
        """Both keys must resolve and the terms be clear; two prices for one day are refused both."""
        suppliers = await self._suppliers.resolve(numbers=sorted({_number(row) for row in rows}))
        meanings = await self._catalog.meanings(
            company_id=job.company_id,
            group_id=job.group_id,
            codes=sorted({row.cells["legacy_code"] for row in rows}),
        )
        lines, refusals = [], {}
        results: dict[int, dict[str, Any]] = {}
        for row in rows:
            supplier_id, means = suppliers.get(_number(row)), meanings.get(row.cells["legacy_code"], [])
            why = refused(row.cells) or _unresolved(supplier_id, means)
            if why is not None:
                refusals[row.row_no] = why
                continue
            lines.append(_line(row, str(supplier_id), means[0]))
            results[row.row_no] = _result(str(supplier_id), means[0])
        refusals |= dict.fromkeys(on_the_same_days(lines), Outcome.TWO_PRICES_SAME_DAY)
        staged = await self._staged(job, lines)
        refusals |= {
            line.row_no: Outcome.ALREADY_STAGED
            for line in lines
            if line.row_no not in refusals and _meets(line, staged.get(line.key, []))
        }
        return [_verdict(row, refusals.get(row.row_no), results.get(row.row_no, {})) for row in rows]

    async def _staged(self, job: Import, lines: Sequence[Line]) -> dict[tuple[str, str, str], list[tuple[date, date]]]:
        ids = [UUID(each) for each in {line.supplier_id for line in lines}]
        async with transaction(self._database.app, job.company_id, job.group_id) as session:
            rows = await queries.staged_days(session, group_id=job.group_id, supplier_ids=ids)
        staged: dict[tuple[str, str, str], list[tuple[date, date]]] = {}
        for row in rows:
            key = (str(row.supplier_id), str(row.variant_id), row.region)
            staged.setdefault(key, []).append((row.valid_from, row.valid_to))
        return staged

    async def prepared(self, job: Import, rows: Sequence[Row]) -> None:
        """Nothing."""

    async def published(self, session: AsyncSession, *, job: Import, rows: Sequence[Row], at: datetime) -> int:
        """Stage the lines."""
        return await actions.stage(session, job=job, rows=[_staged_line(row) for row in rows], at=at)

    async def taken_back(self, session: AsyncSession, *, job: Import, at: datetime) -> None:
        """See `actions.take_back`."""
        await actions.take_back(session, job=job, at=at)


def _number(row: Row) -> str:
    return normalised(row.cells["supplier_uscc"])


def _unresolved(supplier_id: UUID | None, means: Sequence[CodeMeaning]) -> Outcome | None:
    if supplier_id is None:
        return Outcome.SUPPLIER_UNKNOWN
    if not means:
        return Outcome.CODE_NOT_MAPPED
    return Outcome.CODE_MEANS_SEVERAL if len(means) > 1 or means[0].relation == _KIT else None


def _line(row: Row, supplier_id: str, means: CodeMeaning) -> Line:
    return Line(
        row_no=row.row_no,
        supplier_id=supplier_id,
        variant_id=str(means.variant_id),
        region=row.cells.get("region", ""),
        valid_from=date.fromisoformat(row.cells["valid_from"]),
        valid_to=date.fromisoformat(row.cells["valid_to"]),
    )


def _result(supplier_id: str, means: CodeMeaning) -> dict[str, Any]:
    return {
        "supplier_id": supplier_id,
        "variant_id": str(means.variant_id),
        "variant_key": means.variant_key,
        "mapping_id": str(means.mapping_id),
        "mapping_version": means.version,
    }


def _meets(line: Line, staged: Sequence[tuple[date, date]]) -> bool:
    return any(line.valid_from <= until and since <= line.valid_to for since, until in staged)


def _verdict(row: Row, why: Outcome | None, result: Mapping[str, Any]) -> Verdict:
    if why is not None:
        column, told = TOLD[why]
        remark = RowError(column=column, code=why, text=told)
        return Verdict(row_no=row.row_no, state=RowState.REFUSED, outcome=why, remarks=[remark])
    if not expired_but_used(row.cells):
        return Verdict(row_no=row.row_no, state=RowState.READY, outcome=Outcome.STAGED, result=result)
    told = "It was used after its last day; look at what was bought then."
    remark = RowError(column="valid_to", code=EXPIRED_BUT_USED, text=told, severity="warning")
    return Verdict(
        row_no=row.row_no,
        state=RowState.READY,
        outcome=Outcome.STAGED,
        result={**result, "flags": [EXPIRED_BUT_USED]},
        remarks=[remark],
    )


_COPIED = (
    "agreement_no", "legacy_code", "price", "unit", "tax_rate", "tax_inclusive", "index_name", "index_premium",
    "valid_from", "valid_to", "tolerance",
)  # fmt: skip


def _staged_line(row: Row) -> dict[str, Any]:
    return {
        **{name: row.cells.get(name) for name in _COPIED},
        **row.result,
        "row_no": row.row_no,
        "price_kind": price_kind(row.cells),
        "region": row.cells.get("region", ""),
        "flags": row.result.get("flags", []),
    }
