"""Codes of component types in every system."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text, text
from sqlmodel import Field

from services.catalog.schema import Table


class ClassificationCode(Table, table=True):
    """A code of some system that finds a component type."""

    __tablename__ = "classification_codes"
    __table_args__ = (
        CheckConstraint("relation IN ('primary', 'also')", name="relation"),
        CheckConstraint("char_length(code) BETWEEN 1 AND 100", name="code"),
        Index(
            "ix_classification_codes_lower_code",
            text("lower(code)"),
            postgresql_ops={"lower(code)": "text_pattern_ops"},
        ),
        Index(None, "type_code"),
    )

    system: str = Field(sa_column=Column(Text, primary_key=True))
    edition: str = Field(sa_column=Column(Text, primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    relation: str = Field(sa_column=Column(Text, nullable=False))
