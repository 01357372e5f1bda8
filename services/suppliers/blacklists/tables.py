"""Entries of blacklists, wishes to soften them, appeals, their history, and the reduced form that others may see."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.blacklists.rules import (
    OFFICIAL,
    AppealStatus,
    EntryStatus,
    Level,
    ProposalStatus,
    ReasonClass,
    SubjectKind,
    Terms,
)
from services.suppliers.schema import Table

_LEVEL = "level IN ('NO_INVITE', 'NO_NEW_ORDER', 'STOP_DELIVERY')"


class BlacklistEntry(Table, table=True):
    """One supplier or legal representative on the list of one owner: a contractor group, or OFFICIAL."""

    __tablename__ = "blacklist_entries"
    __table_args__ = (
        CheckConstraint(_LEVEL, name="level"),
        CheckConstraint("status IN ('ACTIVE', 'LIFTED', 'EXPIRED')", name="status"),
        CheckConstraint("expires_on >= starts_on", name="days"),
        CheckConstraint("(owner_id = '00000000-0000-0000-0000-000000000000') = (source IS NOT NULL)", name="official"),
        CheckConstraint(
            "(subject_kind = 'REPRESENTATIVE') = (representative_hash IS NOT NULL) "
            "AND (subject_kind = 'SUPPLIER') = (tax_id IS NOT NULL) AND (supplier_id IS NULL OR tax_id IS NOT NULL)",
            name="subject",
        ),
        CheckConstraint("reason <> '' AND num_nonnulls(evidence, evidence_sha256) > 0", name="reasoned"),
        CheckConstraint("(status = 'LIFTED') = (num_nonnulls(lifted_at, lifted_by) = 2)", name="lifted"),
        CheckConstraint("lifted_by <> lift_asked_by", name="second_person"),
        CheckConstraint("status <> 'LIFTED' OR lift_asked_by IS NOT NULL", name="lift_asked"),
        CheckConstraint("version >= 1 AND history_length >= 1", name="version"),
        Index(
            "ix_blacklist_entries_one_active",
            "owner_id",
            "tax_id",
            unique=True,
            postgresql_where=text("status = 'ACTIVE'"),
        ),
        Index(
            "ix_blacklist_entries_one_active_person",
            "owner_id",
            "representative_hash",
            unique=True,
            postgresql_where=text("status = 'ACTIVE'"),
        ),
        Index(None, "tax_id"),
        Index(None, "representative_hash"),
        Index("ix_blacklist_entries_ending", "expires_on", postgresql_where=text("status = 'ACTIVE'")),
    )

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    source: str | None = Field(default=None, sa_column=Column(Text))
    """The official list it was taken from; None for a group's own entry."""
    subject_kind: str = Field(sa_column=Column(Text, nullable=False))
    supplier_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """None while no supplier with this tax id is registered."""
    tax_id: str | None = Field(default=None, sa_column=Column(Text))
    representative_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    subject_name: str = Field(sa_column=Column(Text, nullable=False))
    level: str = Field(sa_column=Column(Text, nullable=False))
    reason_class: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    evidence: str | None = Field(default=None, sa_column=Column(Text))
    evidence_sha256: str | None = Field(default=None, sa_column=Column(Text))
    categories: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    regions: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    project_ids: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False))
    starts_on: date = Field(sa_column=Column(Date, nullable=False))
    expires_on: date = Field(sa_column=Column(Date, nullable=False))
    status: str = Field(default=EntryStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    listed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    listed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    lift_asked_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """Who asked for the lifting; for a granted appeal who had put the entry on the list."""
    lifted_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    lifted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    history_length: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))

    @property
    def terms(self) -> Terms:
        """What it forbids."""
        return Terms(
            level=Level(self.level),
            starts_on=self.starts_on,
            expires_on=self.expires_on,
            categories=frozenset(self.categories),
            regions=frozenset(self.regions),
            project_ids=frozenset(self.project_ids),
        )

    @property
    def official(self) -> bool:
        return self.owner_id == OFFICIAL

    @property
    def subject(self) -> SubjectKind:
        return SubjectKind(self.subject_kind)

    @property
    def class_of_reason(self) -> ReasonClass:
        return ReasonClass(self.reason_class)


class BlacklistProposal(Table, table=True):
    """Somebody wishes an entry lifted or softened; another person decides. At most one an entry is undecided."""

    __tablename__ = "blacklist_proposals"
    __table_args__ = (
        CheckConstraint("status IN ('PROPOSED', 'APPROVED', 'REJECTED')", name="status"),
        CheckConstraint("(status = 'PROPOSED') = (num_nonnulls(decided_by, decided_at) = 0)", name="decided"),
        CheckConstraint("decided_by <> asked_by", name="second_person"),
        CheckConstraint("lift = (after IS NULL)", name="content"),
        Index(
            "ix_blacklist_proposals_one_open",
            "owner_id",
            "entry_id",
            unique=True,
            postgresql_where=text("status = 'PROPOSED'"),
        ),
    )

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    lift: bool
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """What the entry would say, whole."""
    why: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=ProposalStatus.PROPOSED, sa_column=Column(Text, nullable=False))
    asked_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    asked_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    note: str | None = Field(default=None, sa_column=Column(Text))


class BlacklistAppeal(Table, table=True):
    """What a listed supplier says against an entry, and the owner's answer by another person than the lister."""

    __tablename__ = "blacklist_appeals"
    __table_args__ = (
        CheckConstraint("status IN ('OPEN', 'GRANTED', 'DECLINED')", name="status"),
        CheckConstraint(
            "(status = 'OPEN') = (num_nonnulls(answered_by, answered_at, answer) = 0)",
            name="answered",
        ),
        CheckConstraint("answered_by <> listed_by AND answered_by <> filed_by", name="another_person"),
        Index(
            "ix_blacklist_appeals_one_open",
            "owner_id",
            "entry_id",
            "supplier_id",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
        Index(None, "supplier_id"),
    )

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    evidence: str | None = Field(default=None, sa_column=Column(Text))
    status: str = Field(default=AppealStatus.OPEN, sa_column=Column(Text, nullable=False))
    listed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    filed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    filed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    answer: str | None = Field(default=None, sa_column=Column(Text))
    answered_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    answered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class BlacklistNotice(Table, table=True):
    """An entry in its reduced form: the fact, the class of reason and the expiry, for those who hold one of its keys.

    A table of its own, so that the second wall opens these members to other groups and no others.
    """

    __tablename__ = "blacklist_notices"
    __table_args__ = (Index(None, "audience_keys", postgresql_using="gin"), Index(None, "tax_id"))

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    tax_id: str | None = Field(default=None, sa_column=Column(Text))
    subject_name: str = Field(sa_column=Column(Text, nullable=False))
    reason_class: str = Field(sa_column=Column(Text, nullable=False))
    source: str | None = Field(default=None, sa_column=Column(Text))
    starts_on: date = Field(sa_column=Column(Date, nullable=False))
    expires_on: date = Field(sa_column=Column(Date, nullable=False))
    categories: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """Decide in which spaces it stands; not shown."""
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class BlacklistHistory(Table, table=True):
    """What happened to an entry, each step hashed with the one before. Append-only."""

    __tablename__ = "blacklist_history"

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BlacklistVersion(Table, table=True):
    """Counts the changes of an owner's list: whoever keeps the list in memory reads it again when this differs."""

    __tablename__ = "blacklist_versions"

    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
