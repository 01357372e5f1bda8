"""The metadata all tables of this service belong to."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from shared.database import house_metadata
from shared.importing.tables import add_import_tables

metadata = house_metadata()
add_import_tables(metadata)


class Table(SQLModel, registry=registry(metadata=metadata)):
    """Parent of every table of this service. Table classes do not validate: bodies, rules and CHECKs do."""
