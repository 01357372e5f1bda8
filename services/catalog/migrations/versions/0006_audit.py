"""The audit log: what was done and refused, by whom, chained for each company it concerns; exports; affiliates of operators."""

from alembic import op

from shared.house_tables import audit_schema, export_schema

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AFFILIATED = "ALTER TABLE search_suppliers ADD COLUMN affiliated boolean NOT NULL DEFAULT false"


def upgrade() -> None:
    for statement in (*audit_schema("catalog"), *export_schema(), _AFFILIATED):
        op.execute(statement)


def downgrade() -> None:
    message = "A log that only grows does not go away."
    raise NotImplementedError(message)
