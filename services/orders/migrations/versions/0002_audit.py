"""The audit log: what was done and refused, by whom, chained for each company it concerns; exports; and case files.

A case file belongs to the owner of the documents and to the operator's company. Only its end is ever added to it.
"""

from alembic import op

from shared.house_tables import audit_schema, export_schema
from shared.walls import append_only, row_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CASE_FILES = """
    CREATE TABLE case_files (
        owner_id uuid NOT NULL,
        id uuid NOT NULL,
        owner_name text NOT NULL,
        operator_id uuid NOT NULL,
        operator_name text NOT NULL,
        opened_by uuid NOT NULL,
        opened_by_name text NOT NULL,
        reason text NOT NULL,
        order_ids uuid[],
        opened_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by uuid,
        ended_by_company uuid,
        CONSTRAINT pk_case_files PRIMARY KEY (owner_id, id),
        CONSTRAINT ck_case_files_not_its_own CHECK (owner_id <> operator_id),
        CONSTRAINT ck_case_files_reason CHECK (char_length(reason) >= 10),
        CONSTRAINT ck_case_files_term CHECK (
            expires_at > opened_at AND expires_at <= opened_at + interval '7 days'
        ),
        CONSTRAINT ck_case_files_orders CHECK (cardinality(order_ids) BETWEEN 1 AND 200),
        CONSTRAINT ck_case_files_ended CHECK (num_nonnulls(ended_at, ended_by, ended_by_company) IN (0, 3))
    )"""

_LOOKS = """
    CREATE TABLE case_file_looks (
        owner_id uuid NOT NULL,
        case_file_id uuid NOT NULL,
        id uuid NOT NULL,
        operator_id uuid NOT NULL,
        looked_by uuid NOT NULL,
        looked_by_name text NOT NULL,
        looked_at timestamptz NOT NULL,
        document text NOT NULL,
        document_ids uuid[] NOT NULL,
        CONSTRAINT pk_case_file_looks PRIMARY KEY (owner_id, case_file_id, id),
        CONSTRAINT ck_case_file_looks_document CHECK (document IN ('orders', 'order', 'history', 'basket'))
    )"""

_GUARD = [
    """
    CREATE FUNCTION guard_case_file() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.ended_at IS NOT NULL OR ROW (
            OLD.owner_id, OLD.id, OLD.owner_name, OLD.operator_id, OLD.operator_name, OLD.opened_by,
            OLD.opened_by_name, OLD.reason, OLD.order_ids, OLD.opened_at, OLD.expires_at
        ) IS DISTINCT FROM ROW (
            NEW.owner_id, NEW.id, NEW.owner_name, NEW.operator_id, NEW.operator_name, NEW.opened_by,
            NEW.opened_by_name, NEW.reason, NEW.order_ids, NEW.opened_at, NEW.expires_at
        ) THEN
            RAISE EXCEPTION 'a case file only ends' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    "CREATE TRIGGER guard BEFORE UPDATE ON case_files FOR EACH ROW EXECUTE FUNCTION guard_case_file()",
]


def upgrade() -> None:
    for statement in (
        *audit_schema("orders"),
        *export_schema(),
        _CASE_FILES,
        "CREATE INDEX ix_case_files_operator_id_id ON case_files (operator_id, id)",
        _LOOKS,
        *_GUARD,
        "REVOKE DELETE, TRUNCATE ON case_files FROM orders_app, orders_worker",
        *append_only("case_file_looks", service="orders"),
        *row_security("case_files", "owner_id", "operator_id"),
        *row_security("case_file_looks", "owner_id", "operator_id"),
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "A log that only grows does not go away."
    raise NotImplementedError(message)
