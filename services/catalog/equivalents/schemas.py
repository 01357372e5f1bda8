"""Bodies of equivalents."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.catalog.equivalents.actions import Proposal
from services.catalog.equivalents.rules import Decision, EquivalentScope, EquivalentStatus
from shared.contracts.catalog import VariantReference
from shared.contracts.fields import Answer, Body, CalendarDate, Name, Text

Evidence = Annotated[list[Annotated[Text, Field(min_length=1, max_length=500)]], Field(max_length=20)]


class NewEquivalent(Body):
    """That `substitute` may stand for `of`."""

    of: VariantReference
    substitute: VariantReference
    both_ways: bool = Field(default=False, description="Whether each may stand for the other.")
    rule: Text = Field(min_length=1, description="Why, and under which conditions.", examples=["同强度等级,设计同意"])
    evidence: Evidence = Field(default_factory=list, description="Documents, addresses, design approvals.")
    scope: EquivalentScope = Field(
        default=EquivalentScope.OWN, description="`own`: your company and its group. `everyone`: an operator decides."
    )
    valid_from: CalendarDate | None = Field(default=None, description="None: today.")
    valid_until: CalendarDate | None = Field(default=None, description="The last day; none: until withdrawn.")

    @property
    def as_proposal(self) -> Proposal:
        return Proposal(**{name: getattr(self, name) for name in Proposal.__dataclass_fields__})


class DecisionBody(Body):
    """What a second person says."""

    decision: Decision
    reason: Name


class WithdrawalBody(Body):
    """Why it no longer holds."""

    reason: Name


class EquivalentView(Answer):
    """An equivalent as its company and operators see it."""

    id: UUID
    company_id: UUID
    from_key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400,length=12"])
    to_key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    both_ways: bool
    rule: str
    evidence: list[str]
    scope: EquivalentScope
    status: EquivalentStatus
    valid_from: date
    valid_until: date | None
    proposed_by: UUID
    proposed_by_name: str
    proposed_at: datetime
    decided_by: UUID | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    version: int


class SubstituteView(Answer):
    """A variant that may stand for the one asked about; it is for people to choose it."""

    equivalent_id: UUID
    variant_id: UUID
    variant_key: str
    name_zh: str
    name_en: str
    both_ways: bool
    rule: str
    evidence: list[str]
    scope: EquivalentScope
    approved_by: str
    approved_at: datetime
    valid_from: date
    valid_until: date | None
