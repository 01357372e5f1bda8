"""Bodies of the case file routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.orders.case_files.rules import DAYS_MAX, ORDERS_MAX, REASON_LENGTH_MIN, Standing
from shared.contracts.fields import Answer, Body, Text

Reason = Annotated[
    Text, StringConstraints(min_length=REASON_LENGTH_MIN), Field(examples=["Dispute 2026-17: price of line 3"])
]


class NewCaseFile(Body):
    """Whose documents, why, and for how long. The owner reads every word of it at once."""

    owner_id: UUID
    reason: Reason
    days: int = Field(default=1, ge=1, le=DAYS_MAX)
    order_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=ORDERS_MAX,
        description="Only these orders; all if absent.",
    )


class CaseFileView(Answer):
    """A case file, the same to the owner and to the operator who opened it."""

    id: UUID
    owner_id: UUID
    owner_name: str
    operator_id: UUID
    operator_name: str
    opened_by: UUID
    opened_by_name: str
    reason: str
    order_ids: list[UUID] | None
    standing: Standing
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: UUID | None
    ended_by_company: UUID | None


class LookView(Answer):
    """One look into a case file."""

    id: UUID
    looked_by: UUID
    looked_by_name: str
    looked_at: datetime
    document: str = Field(description="orders (a list), order, history or basket")
    document_ids: list[UUID] = Field(description="The orders that were shown.")
