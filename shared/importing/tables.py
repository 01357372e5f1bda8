"""The four tables of a service that imports legacy files: imports, their rows, row errors, history.

All of it is company data: row level security shows it to the company that sent the file, and to nobody else.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.importing.states import MACHINES, OVER, JobState, RowState
from shared.walls import append_only, row_security


def _listed(values: type[JobState | RowState] | tuple[JobState, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


LIVE = f"state NOT IN ({_listed(OVER)})"
TO_DO = f"state IN ({_listed(MACHINES)})"
_CHECKS = {
    "legacy_imports": {
        "state": f"state IN ({_listed(JobState)})",
        "file_hash": "octet_length(file_hash) = 32",
        "failed_with_problem": "(state = 'FAILED') = (problem IS NOT NULL)",
        "two_people": "approved_by <> uploaded_by",
        "approved": "num_nonnulls(approved_by, approved_name, approved_at) IN (0, 3)",
        "approved_by_someone": "state NOT IN ('APPROVED', 'PUBLISHED', 'ROLLED_BACK') OR approved_by IS NOT NULL",
    },
    "legacy_import_rows": {
        "state": f"state IN ({_listed(RowState)})",
        "two_people": "decided_by <> imported_by",
        "decided": "(decided_by IS NULL) = (decided_at IS NULL)",
        "declined_by_someone": "state <> 'DECLINED' OR decided_by IS NOT NULL",
        "outcome": "(state = 'TAKEN') = (outcome IS NULL)",
    },
    "legacy_import_errors": {"severity": "severity IN ('rejected', 'warning')"},
}
_INDEXES = (
    ("uq_legacy_imports_file", "legacy_imports", ("company_id", "kind", "file_hash"), LIVE),
    ("ix_legacy_imports_to_do", "legacy_imports", ("created_at",), TO_DO),
    ("ix_legacy_import_rows_state", "legacy_import_rows", ("company_id", "import_id", "state", "row_no"), None),
    ("ix_legacy_import_history_import", "legacy_import_history", ("company_id", "import_id", "at"), None),
)
TABLES = ("legacy_imports", "legacy_import_rows", "legacy_import_errors", "legacy_import_history")


def add_import_tables(metadata: MetaData) -> None:
    """Declare the tables in a service's metadata; `import_schema` creates them in its migration."""
    _add_imports(metadata)
    _add_rows(metadata)
    for table, checks in _CHECKS.items():
        for name, rule in checks.items():
            metadata.tables[table].append_constraint(CheckConstraint(rule, name=name))
    for name, table, columns, where in _INDEXES:
        Index(
            name,
            *(metadata.tables[table].c[column] for column in columns),
            unique=name.startswith("uq_"),
            postgresql_where=None if where is None else text(where),
        )


def _add_imports(metadata: MetaData) -> None:
    moment = DateTime(timezone=True)
    Table(
        "legacy_imports",
        metadata,
        Column("company_id", Uuid, primary_key=True),
        Column("id", Uuid, primary_key=True),
        Column("group_id", Uuid, nullable=False),
        Column("company_name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("file_hash", LargeBinary, nullable=False),
        Column("file_name", Text, nullable=False),
        Column("file", Text, nullable=False),
        Column("format", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("dry_run", Boolean, nullable=False),
        Column("uploaded_by", Uuid, nullable=False),
        Column("approved_by", Uuid),
        Column("approved_name", Text),
        Column("approved_at", moment),
        Column("bytes_total", BigInteger, nullable=False),
        Column("rows_read", BigInteger, nullable=False, server_default=text("0")),
        Column("rows_rejected", BigInteger, nullable=False, server_default=text("0")),
        Column("rows_published", BigInteger, nullable=False, server_default=text("0")),
        Column("warnings", ARRAY(Text), nullable=False, server_default=text("'{}'")),
        Column("problem", JSONB),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("lease_id", Uuid),
        Column("lease_until", moment),
        Column("created_at", moment, nullable=False),
        Column("updated_at", moment, nullable=False),
    )


def _add_rows(metadata: MetaData) -> None:
    moment = DateTime(timezone=True)
    Table(
        "legacy_import_rows",
        metadata,
        Column("company_id", Uuid, primary_key=True),
        Column("import_id", Uuid, primary_key=True),
        Column("row_no", BigInteger, primary_key=True),
        Column("imported_by", Uuid, nullable=False),
        Column("cells", JSONB, nullable=False),
        Column("state", Text, nullable=False),
        Column("outcome", Text),
        Column("result", JSONB, nullable=False, server_default=text("'{}'")),
        Column("choice", Text),
        Column("decided_by", Uuid),
        Column("decided_at", moment),
        Column("note", Text),
    )
    Table(
        "legacy_import_errors",
        metadata,
        Column("company_id", Uuid, primary_key=True),
        Column("import_id", Uuid, primary_key=True),
        Column("row_no", BigInteger, primary_key=True),
        Column("column_name", Text, primary_key=True),
        Column("code", Text, primary_key=True),
        Column("severity", Text, nullable=False),
        Column("text", Text, nullable=False),
    )
    Table(
        "legacy_import_history",
        metadata,
        Column("company_id", Uuid, primary_key=True),
        Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
        Column("import_id", Uuid, nullable=False),
        Column("row_no", BigInteger),
        Column("before", Text),
        Column("after", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("who_name", Text, nullable=False),
        Column("at", moment, nullable=False),
        Column("note", Text),
    )


def _created(table: str, columns: str, key: str) -> str:
    checks = "".join(f", CONSTRAINT ck_{table}_{name} CHECK ({rule})" for name, rule in _CHECKS.get(table, {}).items())
    return f"CREATE TABLE {table} ({columns}, CONSTRAINT pk_{table} PRIMARY KEY ({key}){checks})"


def import_schema(service: str) -> list[str]:
    """SQL that creates the tables and their walls."""
    return [
        _created(
            "legacy_imports",
            "company_id uuid NOT NULL, id uuid NOT NULL, group_id uuid NOT NULL, company_name text NOT NULL, "
            "kind text NOT NULL, file_hash bytea NOT NULL, file_name text NOT NULL, file text NOT NULL, "
            "format text NOT NULL, state text NOT NULL, dry_run boolean NOT NULL, uploaded_by uuid NOT NULL, "
            "approved_by uuid, approved_name text, approved_at timestamptz, bytes_total bigint NOT NULL, "
            "rows_read bigint NOT NULL DEFAULT 0, rows_rejected bigint NOT NULL DEFAULT 0, "
            "rows_published bigint NOT NULL DEFAULT 0, warnings text[] NOT NULL DEFAULT '{}', problem jsonb, "
            "attempts integer NOT NULL DEFAULT 0, lease_id uuid, lease_until timestamptz, "
            "created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL",
            "company_id, id",
        ),
        _created(
            "legacy_import_rows",
            "company_id uuid NOT NULL, import_id uuid NOT NULL, row_no bigint NOT NULL, imported_by uuid NOT NULL, "
            "cells jsonb NOT NULL, state text NOT NULL, outcome text, result jsonb NOT NULL DEFAULT '{}', "
            "choice text, decided_by uuid, decided_at timestamptz, note text",
            "company_id, import_id, row_no",
        ),
        _created(
            "legacy_import_errors",
            "company_id uuid NOT NULL, import_id uuid NOT NULL, row_no bigint NOT NULL, column_name text NOT NULL, "
            "code text NOT NULL, severity text NOT NULL, text text NOT NULL",
            "company_id, import_id, row_no, column_name, code",
        ),
        _created(
            "legacy_import_history",
            "company_id uuid NOT NULL, id uuid NOT NULL DEFAULT uuidv7(), import_id uuid NOT NULL, row_no bigint, "
            "before text, after text NOT NULL, who text NOT NULL, who_name text NOT NULL, at timestamptz NOT NULL, "
            "note text",
            "company_id, id",
        ),
        *(
            f"CREATE {'UNIQUE ' if name.startswith('uq_') else ''}INDEX {name} ON {table} ({', '.join(columns)})"
            + ("" if where is None else f" WHERE {where}")
            for name, table, columns, where in _INDEXES
        ),
        *(statement for table in TABLES for statement in row_security(table, "company_id")),
        *append_only("legacy_import_history", service=service),
    ]
