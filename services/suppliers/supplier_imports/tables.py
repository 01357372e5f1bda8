"""What a contractor group's own ledger says of a supplier. It stays with the group, whatever becomes of the record."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Text, Uuid, text
from sqlmodel import Field

from services.suppliers.schema import Table


class SupplierRelation(Table, table=True):
    """Grade, list and contacts of a supplier at one group, from one import. A merge leaves it as it is."""

    __tablename__ = "supplier_relations"
    __table_args__ = (
        CheckConstraint("ended_at >= recorded_at", name="period"),
        CheckConstraint("(ended_by IS NULL) OR (ended_at IS NOT NULL)", name="ended"),
        Index(
            "uq_supplier_relations_current",
            "group_id",
            "supplier_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_supplier_relations_import", "company_id", "import_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    company_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    category: str | None = Field(default=None, sa_column=Column(Text))
    grade: str | None = Field(default=None, sa_column=Column(Text))
    list_status: str | None = Field(default=None, sa_column=Column(Text))
    bank: str | None = Field(default=None, sa_column=Column(Text))
    contacts: str | None = Field(default=None, sa_column=Column(Text))
    import_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    row_no: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    ended_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The import that replaced it, or was rolled back."""
