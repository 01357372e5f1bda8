"""Bodies and answers of supplier merges."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_serializer

from services.suppliers.merging.rules import Basis, MergeState
from shared.contracts.fields import Answer, Body, Name


class PairView(Answer):
    """Two records that may be one company."""

    first: UUID
    first_name: str
    second: UUID
    second_name: str
    basis: Basis = Field(description="SAME_USCC is certain; NAME_REGION_BANK is for a person to judge.")


class MergeProposed(Body):
    """One record is to stand for another; both ids stay, one resolves to the other."""

    survivor_id: UUID
    vanishing_id: UUID
    reason: Name = Field(examples=["Renamed in 2021; the business register shows one company."])


class ReasonGiven(Body):
    """Why."""

    reason: Name


class MergeView(Answer):
    """A merge document."""

    id: UUID
    survivor_id: UUID
    vanishing_id: UUID
    basis: Basis
    reason: str
    state: MergeState
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    undone_by: UUID | None
    undone_at: datetime | None


class MergeEntryView(Answer):
    """One entry of a merge's history, chained like a supplier's."""

    number: int
    entry: dict[str, Any]
    hash: bytes
    at: datetime

    @field_serializer("hash")
    def _hex(self, value: bytes) -> str:
        return value.hex()
