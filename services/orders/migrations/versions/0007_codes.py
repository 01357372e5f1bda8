"""The buyers' own material codes of order lines, each with the mapping by which it meant what was ordered.

The buyer's alone: no supplier sees them. Written with the order, never changed.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ORDERED_CODES = """
    CREATE TABLE ordered_codes (
        buyer_id uuid NOT NULL,
        order_id uuid NOT NULL,
        line_no integer NOT NULL,
        code text NOT NULL,
        mapping_id uuid NOT NULL,
        mapping_version integer NOT NULL,
        CONSTRAINT pk_ordered_codes PRIMARY KEY (buyer_id, order_id, line_no),
        CONSTRAINT ck_ordered_codes_code CHECK (code <> '')
    )"""


def upgrade() -> None:
    for statement in (
        _ORDERED_CODES,
        "CREATE INDEX ix_ordered_codes_code ON ordered_codes (buyer_id, code)",
        *row_security("ordered_codes", "buyer_id"),
        *append_only("ordered_codes", service="orders"),
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "Which codes were ordered would be lost; there is no way back."
    raise NotImplementedError(message)
