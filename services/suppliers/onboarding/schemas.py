"""Bodies of the supplier's record."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_serializer

from services.suppliers.onboarding.rules import Level
from shared.contracts.fields import Answer, Body, CalendarDate, Name, RegionCode, Text


class RegisterSupplier(Body):
    """Register a company of `members` as a supplier."""

    company_id: UUID


class Qualify(Body):
    """What a supplier may sell, where and until when."""

    categories: list[Name] = Field(min_length=1, max_length=100, examples=[["rebar", "concrete_cement"]])
    regions: list[RegionCode] = Field(
        default_factory=list, max_length=500, description="None: everywhere.", examples=[["11", "310000"]]
    )
    until: CalendarDate | None = Field(default=None, description="The last day; none: until suspended.")
    level: Level | None = Field(default=None, description="None leaves the level as it is.")
    reason: Text = Field(default="", examples=["Licence and site visit checked."])


class Suspend(Body):
    """Stop new business with a supplier; its data may still be kept current."""

    reason: Name = Field(examples=["Licence expired."])


class SupplierView(Answer):
    """A supplier, as everyone may know it."""

    company_id: UUID
    name: str = Field(examples=["示范钢铁贸易有限公司"])
    tax_id: str = Field(examples=["91310000MA1FL0000X"])
    status: str = Field(examples=["QUALIFIED"])
    categories: list[str] = Field(examples=[["rebar"]])
    regions: list[str] = Field(examples=[["11"]])
    qualified_until: date | None
    level: str | None = Field(examples=["B"])
    affiliated_with_operator: bool = Field(description="It belongs to an operator's group.")
    version: int
    created_at: datetime
    updated_at: datetime


class DecisionView(Answer):
    """One entry of a supplier's history. `hash` is SHA-256 over the hash before (32 zero bytes first) and `entry`
    as canonical JSON: keys sorted, no spaces, UTF-8."""

    number: int
    entry: dict[str, Any]
    hash: bytes
    decided_at: datetime

    @field_serializer("hash")
    def _hex(self, value: bytes) -> str:
        return value.hex()
