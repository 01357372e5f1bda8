"""The port through which the gates, and the report before a step, see what other services know."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.members.companies.neutrality import groups_where_operators_trade_anywhere
from services.members.companies.queries import companies_of_group
from shared.audience import Stage
from shared.clients.catalog import CatalogClient
from shared.clients.measurements import QualityClient, SpendClient
from shared.clients.transport import ServiceRefused
from shared.clock import business_date
from shared.contracts.measurements import MappedSpend, SupplierQuality, VisibilityCounts
from shared.contracts.members import GateMeasurements
from shared.database import Database, transaction
from shared.errors import Refusal
from shared.logs import log


class GateData(Protocol):
    """Measures one contractor group in one category.

    Asked before a transaction begins, never inside one. What it cannot find out, also because a service does not
    answer, it leaves None: the gate then fails as not measured.
    """

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements: ...

    async def is_category(self, category: str) -> bool:
        """Whether the catalog has it. Raises ServiceAway, ServiceUnknown."""
        ...

    async def visibility(
        self, *, group_id: UUID, category: str, stage: Stage, circle_id: UUID, circle_group_ids: Sequence[UUID]
    ) -> VisibilityCounts | None:
        """What a stage would open to whom, counted; None while nobody can count it."""
        ...


class NothingMeasured:
    """Where this service runs alone: every gate that needs others fails, and no category is known to be wrong."""

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements:  # noqa: ARG002
        return GateMeasurements()

    async def is_category(self, category: str) -> bool:  # noqa: ARG002
        return True

    async def visibility(
        self,
        *,
        group_id: UUID,  # noqa: ARG002
        category: str,  # noqa: ARG002
        stage: Stage,  # noqa: ARG002
        circle_id: UUID,  # noqa: ARG002
        circle_group_ids: Sequence[UUID],  # noqa: ARG002
    ) -> VisibilityCounts | None:
        return None


class MeasuredByNeighbours:
    """Asks `catalog` what a category is, `orders` for shares of spend and `suppliers` for its suppliers."""

    def __init__(
        self, *, database: Database, catalog: CatalogClient, spend: SpendClient, quality: QualityClient
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._spend = spend
        self._quality = quality

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements:
        spend = await self._mapped_spend(group_id=group_id, category=category, at=at)
        quality = await self._supplier_quality(group_id=group_id, category=category, at=at)
        async with transaction(self._database.system) as session:
            trading = await groups_where_operators_trade_anywhere(session, at=at)
        return GateMeasurements(
            mapped_spend_share=None if spend is None else spend.share,
            valid_supplier_share=None if quality is None else quality.valid_share,
            expired_document_share=None if quality is None else quality.expired_share,
            trading_operator_groups=trading,
        )

    async def _mapped_spend(self, *, group_id: UUID, category: str, at: datetime) -> MappedSpend | None:
        try:
            async with transaction(self._database.system) as session:
                companies = await companies_of_group(session, group_id=group_id, on=business_date(at))
            types = await self._catalog.type_codes(category=category)
            return await self._spend.mapped_spend(
                group_id=group_id, category=category, company_ids=companies, type_codes=types, at=at
            )
        except Refusal as problem:
            log.warning("gate_not_measured", gate="mapped_spend", category=category, why=problem.detail)
            return None

    async def _supplier_quality(self, *, group_id: UUID, category: str, at: datetime) -> SupplierQuality | None:
        try:
            return await self._quality.supplier_quality(group_id=group_id, category=category, at=at)
        except Refusal as problem:
            log.warning("gate_not_measured", gate="suppliers", category=category, why=problem.detail)
            return None

    async def is_category(self, category: str) -> bool:
        try:
            await self._catalog.type_codes(category=category)
        except ServiceRefused as refused:
            if refused.problem_code != "UnknownCategory":
                raise
            return False
        return True

    async def visibility(
        self, *, group_id: UUID, category: str, stage: Stage, circle_id: UUID, circle_group_ids: Sequence[UUID]
    ) -> VisibilityCounts | None:
        try:
            return await self._quality.visibility(
                group_id=group_id,
                category=category,
                stage=stage,
                circle_id=circle_id,
                circle_group_ids=circle_group_ids,
            )
        except Refusal as problem:
            log.warning("visibility_not_counted", category=category, why=problem.detail)
            return None
