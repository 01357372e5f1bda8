"""The audit log: what was done and refused, by whom, chained for each company it concerns."""

from alembic import op

from shared.house_tables import audit_schema

revision = "0002_trust"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in audit_schema("orders"):
        op.execute(statement)


def downgrade() -> None:
    message = "A log that only grows does not go away."
    raise NotImplementedError(message)
