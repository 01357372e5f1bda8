"""Case files and every look into them. Both the owner of the documents and the operator's company see their rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.orders.case_files.rules import Term
from services.orders.schema import Table


class CaseFile(Table, table=True):
    """Why, for how long and to whom an owner's documents are open. Only its end is ever added (a trigger)."""

    __tablename__ = "case_files"
    __table_args__ = (
        CheckConstraint("owner_id <> operator_id", name="not_its_own"),
        CheckConstraint("char_length(reason) >= 10", name="reason"),
        CheckConstraint("expires_at > opened_at AND expires_at <= opened_at + interval '7 days'", name="term"),
        CheckConstraint("cardinality(order_ids) BETWEEN 1 AND 200", name="orders"),
        CheckConstraint("num_nonnulls(ended_at, ended_by, ended_by_company) IN (0, 3)", name="ended"),
        Index(None, "operator_id", "id"),
    )

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    owner_name: str = Field(sa_column=Column(Text, nullable=False))
    operator_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    operator_name: str = Field(sa_column=Column(Text, nullable=False))
    opened_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    opened_by_name: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    order_ids: list[UUID] | None = Field(default=None, sa_column=Column(ARRAY(Uuid)))
    """The orders it is about; None: all of the owner's."""
    opened_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    ended_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    ended_by_company: UUID | None = Field(default=None, sa_column=Column(Uuid))

    @property
    def term(self) -> Term:
        return Term(opened_at=self.opened_at, expires_at=self.expires_at, ended_at=self.ended_at)


class CaseFileLook(Table, table=True):
    """One look: who saw which document of the owner, and when. Append-only."""

    __tablename__ = "case_file_looks"
    __table_args__ = (CheckConstraint("document IN ('orders', 'order', 'history', 'basket')", name="document"),)

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    case_file_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    operator_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    looked_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    looked_by_name: str = Field(sa_column=Column(Text, nullable=False))
    looked_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    document: str = Field(sa_column=Column(Text, nullable=False))
    document_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    """The orders that were shown."""
