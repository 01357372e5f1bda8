"""Consents and their histories. Rows are the supplier's."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.consents.rules import Given
from services.suppliers.schema import Table
from shared.audience import Audience


class Consent(Table, table=True):
    """A supplier lets others read parts of its record. Once revoked it stays revoked: a trigger sees to it."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint(
            "cardinality(what) > 0 AND what <@ ARRAY['profile', 'qualification_documents', 'qualification_decision',"
            " 'evaluation']",
            name="what",
        ),
        CheckConstraint("audience IN ('ORG', 'CIRCLE', 'MEMBERS')", name="audience"),
        CheckConstraint("(audience = 'MEMBERS') = (to_id IS NULL)", name="to_whom"),
        CheckConstraint("history_length >= 1", name="history"),
        Index(None, "id", unique=True),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    what: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    audience: str = Field(sa_column=Column(Text, nullable=False))
    to_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    until: date = Field(sa_column=Column(Date, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    recorded_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    revoked_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    history_length: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))

    @property
    def given(self) -> Given:
        """As the rules take it."""
        return Given(
            supplier_id=self.supplier_id,
            what=frozenset(self.what),
            audience=Audience(self.audience),
            to_id=self.to_id,
            until=self.until,
            revoked_at=self.revoked_at,
        )


class ConsentHistory(Table, table=True):
    """What happened to a consent: recorded, read under, revoked. Append-only; `hash` chains it to the entry before."""

    __tablename__ = "consent_history"
    __table_args__ = (ForeignKeyConstraint(["supplier_id", "consent_id"], ["consents.supplier_id", "consents.id"]),)

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    consent_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
