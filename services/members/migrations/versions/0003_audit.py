"""The audit log: what was done and refused, by whom, chained for each company it concerns; exports; companies that leave; and affiliates of operators."""

from alembic import op

from shared.house_tables import audit_schema, export_schema
from shared.walls import row_security

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LEFT = [
    "ALTER TABLE companies ADD COLUMN left_at timestamptz",
    "ALTER TABLE companies DROP CONSTRAINT ck_companies_status",
    """
    ALTER TABLE companies ADD CONSTRAINT ck_companies_status
        CHECK (status IN ('ACTIVE', 'SUSPENDED', 'LEFT', 'CLOSED') AND (status <> 'LEFT' OR left_at IS NOT NULL))""",
]

_LEAVINGS = [
    """
    CREATE TABLE leavings (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        state text NOT NULL,
        reason text NOT NULL,
        asked_by uuid NOT NULL,
        asked_at timestamptz NOT NULL,
        notice_until timestamptz NOT NULL,
        ended_by uuid,
        ended_at timestamptz,
        CONSTRAINT pk_leavings PRIMARY KEY (company_id, id),
        CONSTRAINT fk_leavings_company_id FOREIGN KEY (company_id) REFERENCES companies (id),
        CONSTRAINT ck_leavings_state CHECK (state IN ('ASKED', 'WITHDRAWN', 'EFFECTIVE')),
        CONSTRAINT ck_leavings_ended CHECK ((state = 'ASKED') = (ended_at IS NULL)),
        CONSTRAINT ck_leavings_ended_by CHECK (num_nonnulls(ended_at, ended_by) <> 1),
        CONSTRAINT ck_leavings_two_or_notice CHECK (
            state <> 'EFFECTIVE' OR ended_by <> asked_by OR ended_at >= notice_until
        )
    )""",
    "CREATE UNIQUE INDEX ix_leavings_asked ON leavings (company_id) WHERE state = 'ASKED'",
    "REVOKE DELETE, TRUNCATE ON leavings FROM members_app, members_worker",
    *row_security("leavings", "company_id"),
]

_AFFILIATES = [
    """
    CREATE TABLE operator_affiliates (
        company_id uuid NOT NULL,
        operator_id uuid NOT NULL,
        since timestamptz NOT NULL,
        CONSTRAINT pk_operator_affiliates PRIMARY KEY (company_id),
        CONSTRAINT fk_operator_affiliates_company_id FOREIGN KEY (company_id) REFERENCES companies (id)
    )""",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON operator_affiliates FROM members_app",
]


def upgrade() -> None:
    for statement in (*audit_schema("members"), *export_schema(), *_LEFT, *_LEAVINGS, *_AFFILIATES):
        op.execute(statement)


def downgrade() -> None:
    message = "A log that only grows does not go away."
    raise NotImplementedError(message)
