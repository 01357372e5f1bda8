"""Scopes of services that take legacy suppliers in and count open orders."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = "'feed:read', 'reservations:write', 'variants:resolve', 'companies:read', 'measurements:read'"
_AFTER = f"{_BEFORE}, 'companies:register', 'orders:count'"


def _allow(scopes: str) -> None:
    op.execute("ALTER TABLE api_clients DROP CONSTRAINT ck_api_clients_scopes")
    op.execute(
        f"""
        ALTER TABLE api_clients ADD CONSTRAINT ck_api_clients_scopes CHECK (
            cardinality(scopes) > 0 AND scopes <@ CASE kind
                WHEN 'service' THEN ARRAY[{scopes}]
                ELSE ARRAY['stock:write', 'prices:write', 'orders:read', 'orders:respond'] END
        )"""
    )


def upgrade() -> None:
    _allow(_AFTER)


def downgrade() -> None:
    _allow(_BEFORE)
