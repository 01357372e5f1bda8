"""Bodies of the admission routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, field_serializer

from services.suppliers.admissions.rules import AdmissionStatus
from shared.contracts.fields import Answer, Body, CalendarDate, Code, Name

CategoryCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]


class EvidenceBody(Body):
    """What the group looked at before it decided."""

    kind: Literal["sample_test", "site_visit", "trial_order", "other"]
    result: Literal["passed", "passed_with_remarks", "failed"] = "passed"
    on: CalendarDate = Field(examples=["2026-10-12"])
    reference: Name = Field(examples=["试样报告 2026-118"])


class ReliesOnBody(Body):
    """Another group's decision that this one recognises, and the supplier's consent that covers it."""

    admission_id: UUID
    consent_id: UUID


class AdmitBody(Body):
    """Admit a supplier for categories; again: renew, or lift a suspension."""

    group_id: UUID | None = Field(
        default=None, description="For operators, who record it on behalf of a group; others admit for their own."
    )
    categories: list[CategoryCode] = Field(min_length=1, max_length=100, examples=[["rebar"]])
    level: Code | None = Field(default=None, description="The group's own class.", examples=["strategic"])
    grade: Code | None = Field(default=None, examples=["A"])
    until: CalendarDate | None = Field(default=None, description="The last day; none: until suspended or ended.")
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=50)
    relies_on: ReliesOnBody | None = None
    reason: Name = Field(examples=["Sample test and site visit passed."])


class DecideBody(Body):
    """Suspend or end an admission."""

    reason: Name = Field(examples=["Two late deliveries in a row."])


class AdmissionView(Answer):
    """An admission. The supplier does not see the group's own level, grade and evidence."""

    id: UUID
    group_id: UUID
    supplier_id: UUID
    category: str
    status: AdmissionStatus
    level: str | None
    grade: str | None
    evidence: list[dict[str, Any]]
    until: date | None
    relies_on_id: UUID | None
    relies_on_group_id: UUID | None = Field(description="Recognised from this group …")
    relies_on_date: date | None = Field(description="… which decided on this day.")
    consent_id: UUID | None
    on_behalf: bool = Field(description="Recorded by an operator for the group.")
    decided_on: date
    version: int
    created_at: datetime
    updated_at: datetime


class AdmissionEntry(Answer):
    """One decision. `hash` is SHA-256 over the hash before (32 zero bytes first) and `entry` as canonical JSON."""

    number: int
    entry: dict[str, Any]
    hash: bytes
    decided_at: datetime

    @field_serializer("hash")
    def _hex(self, value: bytes) -> str:
        return value.hex()


class AdmissionHistoryView(Answer):
    """An admission's history and whether its hash chain holds."""

    entries: list[AdmissionEntry]
    intact: bool
