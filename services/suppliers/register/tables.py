"""Editions, restrictions and component types as `catalog` told them, and how often they changed. No company's data."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.schema import Table


class KnownEdition(Table, table=True):
    """An edition of a standard; also those in force, so that a mistyped one is noticed."""

    __tablename__ = "known_editions"
    __table_args__ = (Index(None, "number_key"),)

    key: str = Field(sa_column=Column(Text, primary_key=True))
    number_key: str = Field(sa_column=Column(Text, nullable=False))
    designation: str = Field(sa_column=Column(Text, nullable=False))
    withdrawn_on: date | None = Field(default=None, sa_column=Column(Date))
    replaced_by: str | None = Field(default=None, sa_column=Column(Text))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    """That of the entry at `catalog`: an older one, told again, changes nothing."""


class KnownRestriction(Table, table=True):
    """An entry of the restricted and banned list."""

    __tablename__ = "known_restrictions"
    __table_args__ = (CheckConstraint("until_on >= from_on", name="validity"),)

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    banned: bool = Field(sa_column=Column(Boolean, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    properties: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    from_on: date = Field(sa_column=Column(Date, nullable=False))
    until_on: date | None = Field(default=None, sa_column=Column(Date))
    source: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))


class KnownType(Table, table=True):
    """A component type of the dictionary; also those in use, so that one that comes back is told apart."""

    __tablename__ = "known_types"
    __table_args__ = (
        CheckConstraint("deprecated_on IS NOT NULL OR (successor IS NULL AND reason IS NULL)", name="deprecation"),
    )

    code: str = Field(sa_column=Column(Text, primary_key=True))
    category: str | None = Field(default=None, sa_column=Column(Text))
    """None: told before it was kept."""
    deprecated_on: date | None = Field(default=None, sa_column=Column(Date))
    successor: str | None = Field(default=None, sa_column=Column(Text))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    """That of the dictionary which made it so: an older one, told again, changes nothing."""


class RegisterVersion(Table, table=True):
    """One row: it grows with each change, so that a process asks one number to know that its memory is good."""

    __tablename__ = "register_version"
    __table_args__ = (CheckConstraint("one", name="one_row"),)

    one: bool = Field(default=True, sa_column=Column(Boolean, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
