"""Sessions and their refresh tokens, API clients, and the keys that sign access tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.members.schema import Table


class Session(Table, table=True):
    """One sign-in of a person on one device: the family of refresh tokens that follow each other."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "person_id"), Index(None, "expires_at"))

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    person_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("people.id"), nullable=False))
    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), nullable=False))
    """For whom the person acts now; a refresh may choose another."""
    begun_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    revoked_why: str | None = Field(default=None, sa_column=Column(Text))


class RefreshToken(Table, table=True):
    """256 random bits, kept as SHA-256; good for one use."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(None, "session_id"),
        Index("ix_refresh_tokens_unused", "session_id", unique=True, postgresql_where=text("used_at IS NULL")),
    )

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False))
    issued_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class ApiClient(Table, table=True):
    """A program that signs in with a secret (256 random bits, kept as SHA-256)."""

    __tablename__ = "api_clients"
    __table_args__ = (
        UniqueConstraint("client_id"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        CheckConstraint("(kind = 'service') = (company_id IS NULL)", name="company"),
        CheckConstraint("num_nonnulls(previous_secret_hash, previous_secret_until) <> 1", name="previous_secret"),
        Index(None, "company_id", "id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    client_id: str = Field(sa_column=Column(Text, nullable=False))
    company_id: UUID | None = Field(default=None, sa_column=Column(Uuid, ForeignKey("companies.id")))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous_secret_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    previous_secret_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    expires_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class SigningKey(Table, table=True):
    """An Ed25519 key. At most one is current; a retired one stays published until its last token has ended.

    The private half stands here in clear, so that every process signs with the same key and rotation is one
    transaction. Row level security closes the table to the app's role; who holds the worker's role, the owner's or
    a backup of this database can sign tokens, and these are to be kept as the key itself would be.
    """

    __tablename__ = "signing_keys"
    __table_args__ = (
        CheckConstraint("num_nonnulls(retired_at, published_until) <> 1", name="retired"),
        Index(
            "ix_signing_keys_current",
            text("(retired_at IS NULL)"),
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    kid: str = Field(sa_column=Column(Text, primary_key=True))
    private_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    public_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    retired_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    published_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
