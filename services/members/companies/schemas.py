"""Bodies of the company routes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.members.companies.rules import CompanyKind, CompanyStatus, LinkKind, SizeClass, TaxScheme
from shared.contracts.fields import Answer, Body, Name
from shared.contracts.members import CompanyIdentity

Country = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True), Field(examples=["CN"])]


class TaxIdGiven(Body):
    """A tax id as people write it: spaces, hyphens, full-width and lower-case characters are understood."""

    scheme: TaxScheme = TaxScheme.USCC
    country: Country = "CN"
    value: Annotated[str, Field(max_length=64, examples=["91110000MA4GCAL01D"])]


class CompanyRegistration(Body):
    """A company to register; at least one name."""

    tax_id: TaxIdGiven
    name_zh: Name | None = Field(default=None, examples=["示范建工集团有限公司"])
    name_en: Name | None = Field(default=None, examples=["Demo Construction Group"])
    kinds: list[CompanyKind] = Field(min_length=1, max_length=12, examples=[["contractor"]])
    size_class: SizeClass | None = None
    size_declared_on: date | None = Field(
        default=None, description="The day the company declared its size; goes with `size_class`."
    )


class CompanyChange(Body):
    """What to change; members left out stay as they are. A former name is kept."""

    name_zh: Name | None = None
    name_en: Name | None = None
    kinds: list[CompanyKind] | None = Field(default=None, min_length=1, max_length=12)
    status: CompanyStatus | None = Field(default=None, description="CLOSED is final.")


class SizeDeclaration(Body):
    """The company declares its size class; payment terms follow from it at contract signing."""

    size_class: SizeClass
    size_declared_on: date


class LinkGiven(Body):
    """The parent the company stands under from a day on."""

    parent_id: UUID
    kind: LinkKind = LinkKind.GROUP
    valid_from: date = Field(examples=["2026-01-01"])
    valid_until: date | None = Field(default=None, description="First day on which it no longer stands there.")


class LinkEnd(Body):
    """The first day on which the company no longer stands under the parent."""

    valid_until: date = Field(examples=["2027-01-01"])


class FormerName(Answer):
    """A name the company bore up to that moment."""

    name_zh: str | None
    name_en: str | None
    replaced_at: datetime


class LinkView(Answer):
    """A company's stand under a parent."""

    id: UUID
    child_id: UUID
    parent_id: UUID
    kind: LinkKind
    valid_from: date
    valid_until: date | None


class CompanyRecord(CompanyIdentity):
    """The whole record, for the company itself and the operator."""

    group_id: UUID = Field(description="The top of the chain of links today; the company itself when it stands alone.")
    size_class: SizeClass | None
    size_declared_on: date | None
    former_names: list[FormerName]
    version: int
    created_at: datetime
    updated_at: datetime


class OperatorView(Answer):
    """A company that runs spaces, and as what it trades beside."""

    company_id: UUID
    name: str
    trades_as: list[str]


class AffiliateView(Answer):
    """A company that trades and stands under one top with an operator: marked wherever it sells (e-commerce law)."""

    company_id: UUID
    name: str
    operator_id: UUID


class NeutralityRecord(Answer):
    """Whether who operates trades, as of now (T8)."""

    neutral: bool = Field(description="Nobody both operates and trades.")
    open_spaces: int = Field(description="Pairs of contractor group and category beyond S1.")
    people_with_both: int
    operators: list[OperatorView]
    affiliates: list[AffiliateView]
