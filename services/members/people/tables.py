"""People, their memberships in companies, their passwords and invitations, and wrong passwords counted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.members.people import rules
from services.members.people.rules import MembershipStatus, PersonStatus
from services.members.schema import Table


class Person(Table, table=True):
    """A human being, known by an e-mail address; acts for companies through memberships."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("email"),)

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    email: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=PersonStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Membership(Table, table=True):
    """What a person may do for a company, from when until when.

    The migration adds what keeps a person to one membership of a company at a time (an exclusion constraint).
    """

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("cardinality(roles) > 0", name="roles"),
        CheckConstraint("valid_until >= valid_from", name="period"),
        Index(None, "person_id"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    person_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("people.id"), nullable=False))
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    status: str = Field(default=MembershipStatus.INVITED, sa_column=Column(Text, nullable=False))
    valid_from: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    valid_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = 1
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    def stands(self, *, at: datetime) -> bool:
        """Whether it gives its roles at `at`."""
        return rules.stands(status=self.status, valid_from=self.valid_from, valid_until=self.valid_until, at=at)


class Credential(Table, table=True):
    """A person's password, as an Argon2id hash. The app's role sees no row of this table."""

    __tablename__ = "credentials"

    person_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("people.id"), primary_key=True))
    password_hash: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    """Sessions begun before it are over."""


class Invitation(Table, table=True):
    """A one-time token that the company hands to the person; only its SHA-256 is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        ForeignKeyConstraint(["company_id", "membership_id"], ["memberships.company_id", "memberships.id"]),
        UniqueConstraint("token_hash"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    membership_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Attempts(Table, table=True):
    """Wrong passwords in the running window, by account or by network."""

    __tablename__ = "attempts"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"), Index(None, "window_start"))

    key: str = Field(sa_column=Column(Text, primary_key=True))
    """`account:<SHA-256 of the e-mail>` or `network:<address>`: no e-mail of a stranger is kept."""
    window_start: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    failures: int = 0
