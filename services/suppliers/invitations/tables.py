"""Invitations and the files they came from. They belong to the contractor group that invites."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.schema import Table


class Invitation(Table, table=True):
    """A contractor asks a company to become a supplier. Its code is shown once; the hash stays."""

    __tablename__ = "supplier_invitations"
    __table_args__ = (
        UniqueConstraint("code_hash"),
        Index(None, "supplier_id", postgresql_where=sql("supplier_id IS NOT NULL")),
        CheckConstraint("(supplier_id IS NULL) = (accepted_at IS NULL)", name="accepted"),
        CheckConstraint("accepted_at IS NULL OR revoked_at IS NULL", name="one_end"),
        CheckConstraint("expires_at > created_at", name="expires"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    """The contractor group, as the inviter's token named it."""
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    company_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    inviter_name: str = Field(sa_column=Column(Text, nullable=False))
    """The company's, as the invited see it."""
    invited_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    company_name: str = Field(sa_column=Column(Text, nullable=False))
    tax_id: str | None = Field(default=None, sa_column=Column(Text))
    """Only a company with this one may accept."""
    email: str | None = Field(default=None, sa_column=Column(Text))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    opened_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    supplier_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    accepted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class InvitationFile(Table, table=True):
    """A file of invitations that was taken: the same one again does nothing."""

    __tablename__ = "supplier_invitation_files"

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    file_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    invited: int = Field(sa_column=Column(Integer, nullable=False))
    rejected: int = Field(sa_column=Column(Integer, nullable=False))
    problems: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    sent_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    sent_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
