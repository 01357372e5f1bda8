"""What the gates of an open category say since: looked at again while it is open.

`fallen_gates` names those that hold no longer; the category stays open until somebody suspends or reverts it. Our own
services may be given the scope to read measurements.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE stages
            ADD COLUMN gates_looked_at timestamptz,
            ADD COLUMN fallen_gates text[] NOT NULL DEFAULT '{}'"""
    )
    op.execute(
        """
        ALTER TABLE api_clients DROP CONSTRAINT ck_api_clients_scopes,
            ADD CONSTRAINT ck_api_clients_scopes CHECK (
                cardinality(scopes) > 0 AND scopes <@ CASE kind
                    WHEN 'service' THEN ARRAY[
                        'feed:read', 'reservations:write', 'variants:resolve', 'companies:read', 'measurements:read']
                    ELSE ARRAY['stock:write', 'prices:write', 'orders:read', 'orders:respond'] END
            )"""
    )


def downgrade() -> None:
    """What was found is history; it is not dropped."""
    raise NotImplementedError
