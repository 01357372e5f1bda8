"""Bodies of consents and of the portable profile."""

from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, field_serializer, model_validator

from services.suppliers.consents.rules import Form, Shared
from shared.audience import Audience
from shared.contracts.fields import Answer, Body, CalendarDate, Name


class ConsentBody(Body):
    """What, to whom, until when."""

    what: list[Shared] = Field(min_length=1, max_length=4, examples=[["profile", "qualification_decision"]])
    audience: Literal[Audience.ORG, Audience.CIRCLE, Audience.MEMBERS] = Field(examples=["ORG"])
    to_id: UUID | None = Field(default=None, description="The contractor group (ORG) or circle (CIRCLE).")
    until: CalendarDate = Field(description="The last day.", examples=["2027-06-30"])

    @model_validator(mode="after")
    def _somebody_is_named(self) -> Self:
        if (self.audience is Audience.MEMBERS) == (self.to_id is not None):
            message = "to_id belongs to the audiences ORG and CIRCLE, and those need it"
            raise ValueError(message)
        return self


class RevokeBody(Body):
    """Why it is taken back."""

    reason: Name = Field(examples=["The tender is over."])


class ConsentView(Answer):
    """A consent of the caller's company."""

    id: UUID
    supplier_id: UUID
    what: list[Shared]
    audience: Audience
    to_id: UUID | None
    until: date
    recorded_at: datetime
    revoked_at: datetime | None


class ConsentEntry(Answer):
    """One entry. `hash` is SHA-256 over the hash before (32 zero bytes first) and `entry` as canonical JSON."""

    number: int
    entry: dict[str, Any]
    hash: bytes
    at: datetime

    @field_serializer("hash")
    def _hex(self, value: bytes) -> str:
        return value.hex()


class ConsentHistoryView(Answer):
    """A consent's history, who read under it among it, and whether its hash chain holds."""

    entries: list[ConsentEntry]
    intact: bool


class CommonProfile(Answer):
    """What the supplier says of itself and the common qualification found."""

    status: str
    categories: list[str]
    regions: list[str]
    qualified_until: date | None


class RecognisedDecision(Answer):
    """A contractor group's decision, as far as it is open: in full, or only from whom and of which day."""

    admission_id: UUID
    category: str
    form: Form
    group_id: UUID
    decided_on: date
    status: str | None = Field(description="In full form only, like what follows.")
    level: str | None
    grade: str | None
    until: date | None


class PortableProfile(Answer):
    """A supplier's record as its consent and the stages open it to the caller."""

    supplier_id: UUID
    name: str
    tax_id: str
    consent_id: UUID | None
    profile: CommonProfile | None = Field(description="Null: not open to you.")
    documents: Form = Field(description="Whether its qualification documents are open to you.")
    evaluation: Form = Field(description="Whether evaluations of it are open to you, and in which form.")
    decisions: list[RecognisedDecision]
