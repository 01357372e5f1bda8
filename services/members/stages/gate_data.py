"""The port through which the gates see what other services measure."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.contracts.members import GateMeasurements


class GateData(Protocol):
    """Measures one contractor group in one category.

    Asked before a transaction begins, never inside one. What it cannot find out, also because a service does not
    answer, it leaves None: the gate then fails as not measured.
    """

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements: ...


class NothingMeasured:
    """While no other service measures anything: every gate that needs it fails."""

    async def measured(self, *, group_id: UUID, category: str, at: datetime) -> GateMeasurements:  # noqa: ARG002
        return GateMeasurements()
