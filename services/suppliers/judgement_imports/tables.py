"""Evaluations and blacklist entries as a legacy platform held them, staged: they stay with their group (T5, T7).

No other group sees them and nothing is derived from them until the steps of scores and blacklists take them over
(`actions.to_hand_over`, `actions.handed_over`).
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, DateTime, Index, Numeric, Text, Uuid, text
from sqlmodel import Field

from services.suppliers.schema import Table


class StagedJudgement(Table, table=True):
    """One evaluation (dimension and score) or one blacklist entry (level, evidence and expiry) about a supplier."""

    __tablename__ = "staged_judgements"
    __table_args__ = (
        CheckConstraint("kind IN ('evaluation', 'blacklist')", name="kind"),
        CheckConstraint("kind <> 'evaluation' OR num_nonnulls(dimension, score) = 2", name="evaluation"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint(
            "kind <> 'blacklist' OR (num_nonnulls(level, reason, expires_on) = 3 AND expires_on >= judged_on)",
            name="blacklist",
        ),
        CheckConstraint("level IN ('no_invite', 'no_new_order', 'stop_delivery')", name="level"),
        CheckConstraint("ended_at IS NULL OR handed_over_at IS NULL", name="used_stays"),
        Index("ix_staged_judgements_import", "company_id", "import_id"),
        Index(
            "ix_staged_judgements_waiting",
            "kind",
            "group_id",
            postgresql_where=text("handed_over_at IS NULL AND ended_at IS NULL"),
        ),
        Index(
            "uq_staged_judgements_once",
            "group_id",
            "kind",
            "supplier_id",
            "judged_on",
            "dimension",
            "reason",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    company_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    judged_on: date = Field(sa_column=Column(Date, nullable=False))
    dimension: str | None = Field(default=None, sa_column=Column(Text))
    score: Decimal | None = Field(default=None, sa_column=Column(Numeric(6, 2)))
    """Of 100."""
    level: str | None = Field(default=None, sa_column=Column(Text))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    evidence: str | None = Field(default=None, sa_column=Column(Text))
    expires_on: date | None = Field(default=None, sa_column=Column(Date))
    import_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    row_no: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """Its import was rolled back."""
    handed_over_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
