"""Companies, their former names, and the dated links between them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKey, Index, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.members.companies.rules import CompanyStatus, Link, LinkKind
from services.members.schema import Table
from shared.contracts.members import TaxId


class Company(Table, table=True):
    """One party of the platform, known by its tax id."""

    __tablename__ = "companies"
    __table_args__ = (
        UniqueConstraint("tax_country", "tax_scheme", "tax_value"),
        CheckConstraint("num_nonnulls(name_zh, name_en) > 0", name="named"),
        CheckConstraint("cardinality(kinds) > 0", name="kinds"),
        CheckConstraint("num_nonnulls(size_class, size_declared_on) <> 1", name="size_has_date"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    tax_country: str = Field(sa_column=Column(Text, nullable=False))
    tax_scheme: str = Field(sa_column=Column(Text, nullable=False))
    tax_value: str = Field(sa_column=Column(Text, nullable=False))
    name_zh: str | None = Field(default=None, sa_column=Column(Text))
    name_en: str | None = Field(default=None, sa_column=Column(Text))
    kinds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    size_class: str | None = Field(default=None, sa_column=Column(Text))
    size_declared_on: date | None = Field(default=None, sa_column=Column(Date))
    status: str = Field(default=CompanyStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    left_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = 1
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def name(self) -> str:
        """The name to show: the registered Chinese one where there is one."""
        return self.name_zh or self.name_en or ""

    @property
    def tax_id(self) -> TaxId:
        return TaxId(scheme=self.tax_scheme, country=self.tax_country, value=self.tax_value)

    @property
    def takes_part(self) -> bool:
        """Whether its people and API clients may sign in."""
        return self.status == CompanyStatus.ACTIVE


class CompanyName(Table, table=True):
    """A name the company bore up to `replaced_at`: old invoices keep it. Append-only."""

    __tablename__ = "company_names"

    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    replaced_at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    name_zh: str | None = Field(default=None, sa_column=Column(Text))
    name_en: str | None = Field(default=None, sa_column=Column(Text))


class OperatorAffiliate(Table, table=True):
    """A company that trades under one top with an operator, as it was last told to others. Readable to all."""

    __tablename__ = "operator_affiliates"

    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    operator_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class CompanyLink(Table, table=True):
    """A company stands under another for some days.

    The migration adds what keeps a company under at most one parent on any day (an exclusion constraint).
    """

    __tablename__ = "company_links"
    __table_args__ = (
        CheckConstraint("child_id <> parent_id", name="not_itself"),
        CheckConstraint("valid_until >= valid_from", name="period"),
        Index(None, "parent_id"),
    )

    child_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    parent_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), nullable=False))
    kind: str = Field(default=LinkKind.GROUP, sa_column=Column(Text, nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def as_rule(self) -> Link:
        return Link(
            child=self.child_id, parent=self.parent_id, valid_from=self.valid_from, valid_until=self.valid_until
        )
