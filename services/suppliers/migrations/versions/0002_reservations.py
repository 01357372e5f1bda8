"""Reservations, their lines and what was given back.

Beside the tables this sets:

- row level security: a reservation is its buyer's, a line its supplier's;
- walls against going back: a reservation that ended stays ended, what was given back stays given back, and no row
  is ever removed.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RESERVATIONS = """
    CREATE TABLE reservations (
        id uuid NOT NULL,
        buyer_id uuid NOT NULL,
        request_hash bytea NOT NULL,
        state text NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        lines jsonb NOT NULL,
        CONSTRAINT pk_reservations PRIMARY KEY (id),
        CONSTRAINT ck_reservations_state CHECK (state IN ('HELD', 'CONSUMED', 'RELEASED', 'EXPIRED')),
        CONSTRAINT ck_reservations_expiry CHECK (expires_at > created_at),
        CONSTRAINT ck_reservations_request_hash CHECK (octet_length(request_hash) = 32),
        CONSTRAINT ck_reservations_lines CHECK (jsonb_typeof(lines) = 'array')
    ) WITH (fillfactor = 80)"""

_LINES = """
    CREATE TABLE reservation_lines (
        reservation_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        line_no integer NOT NULL,
        offer_id uuid NOT NULL,
        item_no text NOT NULL,
        stock_point text,
        base_quantity numeric(18, 3) NOT NULL,
        released_quantity numeric(18, 3) NOT NULL DEFAULT 0,
        CONSTRAINT pk_reservation_lines PRIMARY KEY (reservation_id, supplier_id, line_no),
        CONSTRAINT ck_reservation_lines_base_quantity CHECK (base_quantity > 0),
        CONSTRAINT ck_reservation_lines_released_quantity CHECK (released_quantity >= 0),
        CONSTRAINT ck_reservation_lines_not_released_twice CHECK (released_quantity <= base_quantity)
    )"""

_RELEASES = """
    CREATE TABLE reservation_releases (
        supplier_id uuid NOT NULL,
        event_id uuid NOT NULL,
        reservation_id uuid NOT NULL,
        line_no integer NOT NULL,
        base_quantity numeric(18, 3) NOT NULL,
        released_at timestamptz NOT NULL,
        CONSTRAINT pk_reservation_releases PRIMARY KEY (supplier_id, event_id, reservation_id, line_no),
        CONSTRAINT ck_reservation_releases_base_quantity CHECK (base_quantity > 0)
    )"""

_NO_WAY_BACK = (
    """
    CREATE FUNCTION reservation_goes_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% does not go back', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """
    CREATE TRIGGER ends_once BEFORE UPDATE OF state ON reservations FOR EACH ROW
    WHEN (OLD.state <> 'HELD' AND NEW.state <> OLD.state) EXECUTE FUNCTION reservation_goes_back()""",
    """
    CREATE TRIGGER given_back_once BEFORE UPDATE ON reservation_lines FOR EACH ROW
    WHEN (NEW.released_quantity < OLD.released_quantity OR NEW.base_quantity <> OLD.base_quantity)
    EXECUTE FUNCTION reservation_goes_back()""",
    "REVOKE DELETE, TRUNCATE ON reservations, reservation_lines FROM suppliers_app, suppliers_worker",
)


def upgrade() -> None:
    statements = [
        _RESERVATIONS,
        "CREATE INDEX ix_reservations_expiring ON reservations (expires_at) WHERE state = 'HELD'",
        _LINES,
        _RELEASES,
        *_NO_WAY_BACK,
        *append_only("reservation_releases", service="suppliers"),
        *row_security("reservations", "buyer_id"),
        *row_security("reservation_lines", "supplier_id"),
        *row_security("reservation_releases", "supplier_id"),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "Reservations hold stock; without them it would be lost count of."
    raise NotImplementedError(message)
