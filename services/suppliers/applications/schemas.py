"""Bodies of the application and identity routes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints

from services.suppliers.applications.rules import ApplicationState, DocumentKind, IdentityState
from services.suppliers.applications.tables import Application, Identity
from services.suppliers.onboarding.rules import Level
from services.suppliers.onboarding.schemas import SupplierView
from services.suppliers.papers.rules import PaperKind, Trade
from shared.contracts.fields import Answer, Body, CalendarDate, Name, RegionCode

Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$"), Field(examples=["rebar"])]
Categories = Annotated[list[Category], Field(min_length=1, max_length=100, examples=[["rebar"]])]
Regions = Annotated[list[RegionCode], Field(max_length=500, examples=[["11", "310000"]])]
Number = Annotated[SecretStr, Field(min_length=5, max_length=60)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class ApplicationGiven(Body):
    """What a supplier asks to be qualified for."""

    trade: Trade = Field(description="`maker` makes the goods; `trader` sells others' and needs the maker's letter.")
    categories: Categories
    regions: Regions = Field(default_factory=list, description="GB/T 2260; none: everywhere.")
    invitation_code: Annotated[str, StringConstraints(min_length=8, max_length=200)] | None = Field(
        default=None, description="Of the contractor that invited you, if one did.", examples=["dgs_3kP…"]
    )


class IdentityBody(Body):
    """Who stands behind the supplier. Numbers are kept as keyed hashes and their last digits."""

    representative_name: Name = Field(examples=["王芳"])
    document_kind: DocumentKind = DocumentKind.RESIDENT_ID
    document_number: Number = Field(examples=["11010519491231002X"])
    bank_name: Name = Field(examples=["中国工商银行上海分行"])
    account_name: Name = Field(examples=["示范钢铁贸易有限公司"])
    account_number: Number = Field(examples=["6222020200112233"])


class Decided(Body):
    """A decision with its reason."""

    reason: Reason = Field(examples=["Licence and register entry agree."])


class Returned(Decided):
    """Back to the supplier."""

    papers: dict[UUID, Reason] = Field(
        default_factory=dict, max_length=500, description="By paper, why it will not do; it counts as refused."
    )


class Approved(Decided):
    """Qualified, for all or a part of what was asked."""

    categories: Categories
    regions: Regions = Field(default_factory=list, description="None: everywhere, where that was asked.")
    level: Level
    until: CalendarDate | None = Field(
        default=None, description="The last day, at most that of the first needed paper to end; none: that very day."
    )


class IdentityView(Answer):
    """Who stands behind a supplier, masked; for the supplier itself and operators."""

    supplier_id: UUID
    representative_name: str
    document_kind: DocumentKind
    document_masked: str = Field(examples=["****002X"])
    bank_name: str
    account_name: str
    account_masked: str = Field(examples=["****2233"])
    state: IdentityState
    reason: str
    given_at: datetime
    decided_at: datetime | None
    due_on: date | None = Field(description="To be verified again by this day.")
    version: int


class ApplicationView(Answer):
    """An application, for the supplier itself and operators."""

    id: UUID
    supplier_id: UUID
    state: ApplicationState
    trade: Trade
    categories: list[str]
    regions: list[str]
    paper_ids: list[UUID]
    findings: list[dict[str, Any]] = Field(description="Of the last return: paper and reason.")
    reviewer_name: str | None
    reason: str
    level: str | None
    granted: list[str]
    until: date | None
    rounds: int
    version: int
    waiting_since: datetime
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None


class OnboardingView(Answer):
    """Where a supplier stands, and what it still needs."""

    supplier: SupplierView
    identity: IdentityView | None
    application: ApplicationView | None = Field(description="The newest.")
    missing: dict[str, list[PaperKind]] = Field(description="By category asked for, the papers still needed.")
    ended: dict[str, date] = Field(description="By category it may sell, the last day of a needed paper that ended.")


class QueuedApplication(Answer):
    """An application in the reviewers' queue."""

    id: UUID
    supplier_id: UUID
    supplier_name: str
    tax_id: str
    state: ApplicationState
    trade: Trade
    categories: list[str]
    regions: list[str]
    rounds: int
    waiting_since: datetime
    reviewer_name: str | None
    identity_state: IdentityState | None
    due_on: date | None
    version: int


class DueIdentity(Answer):
    """An identity to be verified, for the first time or again."""

    supplier_id: UUID
    supplier_name: str
    tax_id: str
    state: IdentityState
    given_at: datetime
    due_on: date | None
    version: int


class NeededPapers(Answer):
    """What a category needs."""

    category: str
    maker: list[PaperKind]
    trader: list[PaperKind]


def identity_view(identity: Identity) -> IdentityView:
    """Masked: the last characters alone."""
    return IdentityView.model_validate(
        {
            **identity.model_dump(exclude={"document_hash", "account_hash", "representative_hash"}),
            "document_masked": f"****{identity.document_tail}",
            "account_masked": f"****{identity.account_tail}",
        }
    )


def application_view(application: Application) -> ApplicationView:
    """As it stands."""
    return ApplicationView.model_validate(application)


def needed_views(needed: Mapping[str, Mapping[Trade, Sequence[PaperKind]]]) -> list[NeededPapers]:
    """By category, for makers and traders."""
    return [
        NeededPapers(category=category, maker=list(kinds[Trade.MAKER]), trader=list(kinds[Trade.TRADER]))
        for category, kinds in needed.items()
    ]
