"""Whose group buys, and whose deliveries are stopped.

A buyer's group is not on orders placed before; they count for the buyer's own company. A stop is read by the supplier
it is about, and by a company that buys there and is bound by it: the policy asks the orders the company can see.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STOPS = """
    CREATE TABLE delivery_stops (
        supplier_id uuid NOT NULL,
        owner_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        reason_class text NOT NULL,
        type_codes text[] NOT NULL,
        regions text[] NOT NULL,
        project_ids uuid[] NOT NULL,
        starts_on date NOT NULL,
        expires_on date NOT NULL,
        active boolean NOT NULL,
        entry_version integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_delivery_stops PRIMARY KEY (supplier_id, owner_id, entry_id),
        CONSTRAINT ck_delivery_stops_days CHECK (expires_on >= starts_on)
    )"""

_COMPANIES = "(SELECT string_to_array(nullif(current_setting('app.companies', true), ''), ',')::uuid[])::uuid[]"

_READ = f"""
    CREATE POLICY bound ON delivery_stops FOR SELECT USING (
        supplier_id = ANY ({_COMPANIES}) OR EXISTS (
            SELECT FROM purchase_orders o
            WHERE o.supplier_id = delivery_stops.supplier_id AND (
                delivery_stops.owner_id IN (
                    '00000000-0000-0000-0000-000000000000', coalesce(o.buyer_group_id, o.buyer_id)
                )
            )
        )
    )"""


def upgrade() -> None:
    for statement in (
        "ALTER TABLE purchase_orders ADD COLUMN buyer_group_id uuid",
        _STOPS,
        "CREATE INDEX ix_delivery_stops_owner_id_entry_id ON delivery_stops (owner_id, entry_id)",
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON delivery_stops FROM orders_app",
        "ALTER TABLE delivery_stops ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE delivery_stops FORCE ROW LEVEL SECURITY",
        _READ,
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "It would be forgotten whose deliveries are stopped; there is no way back."
    raise NotImplementedError(message)
