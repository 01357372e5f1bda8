"""Projects, baskets, purchase orders, their changes and history.

Beside the tables this sets walls that SQLModel cannot declare: row level security (an order belongs to both its
companies), history that only grows, and a trigger that lets a line move only along the legal moves of domain.md 5.8
and never changes what was frozen when it was placed.
"""

from alembic import op

from shared.house_tables import house_schema
from shared.walls import append_only, row_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PROJECTS = """
    CREATE TABLE projects (
        buyer_id uuid NOT NULL,
        id uuid NOT NULL,
        number text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_projects PRIMARY KEY (buyer_id, id),
        CONSTRAINT uq_projects_buyer_id_number UNIQUE (buyer_id, number),
        CONSTRAINT ck_projects_status CHECK (status IN ('ACTIVE', 'ON_HOLD', 'CLOSED'))
    )"""

_DELIVERY_POINTS = """
    CREATE TABLE delivery_points (
        buyer_id uuid NOT NULL,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        name text NOT NULL,
        region text NOT NULL,
        address text NOT NULL,
        contact_name text,
        contact_phone text,
        active boolean NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_delivery_points PRIMARY KEY (buyer_id, id),
        CONSTRAINT fk_delivery_points_buyer_id_project_id FOREIGN KEY (buyer_id, project_id) REFERENCES projects (buyer_id, id),
        CONSTRAINT ck_delivery_points_region CHECK (region ~ '^[0-9]{2}([0-9]{4})?$')
    )"""

_NUMBER_COUNTERS = """
    CREATE TABLE number_counters (
        buyer_id uuid NOT NULL,
        kind text NOT NULL,
        year smallint NOT NULL,
        last integer NOT NULL,
        CONSTRAINT pk_number_counters PRIMARY KEY (buyer_id, kind, year)
    )"""

_BASKETS = """
    CREATE TABLE baskets (
        buyer_id uuid NOT NULL,
        id uuid NOT NULL,
        project_id uuid NOT NULL,
        delivery_point_id uuid NOT NULL,
        currency text NOT NULL,
        note text,
        placed_by uuid NOT NULL,
        placed_at timestamptz NOT NULL,
        CONSTRAINT pk_baskets PRIMARY KEY (buyer_id, id)
    )"""

_PURCHASE_ORDERS = """
    CREATE TABLE purchase_orders (
        buyer_id uuid NOT NULL,
        id uuid NOT NULL,
        basket_id uuid NOT NULL,
        number text NOT NULL,
        supplier_id uuid NOT NULL,
        supplier_name text NOT NULL,
        supplier_tax_id text NOT NULL,
        buyer_name text NOT NULL,
        buyer_tax_id text NOT NULL,
        project_id uuid NOT NULL,
        project_number text NOT NULL,
        project_name text NOT NULL,
        delivery jsonb NOT NULL,
        instructions text,
        currency text NOT NULL,
        net numeric(18,2) NOT NULL,
        tax numeric(18,2) NOT NULL,
        gross numeric(18,2) NOT NULL,
        state text NOT NULL,
        awaits_supplier boolean NOT NULL,
        awaits_buyer boolean NOT NULL,
        version integer NOT NULL,
        placed_by uuid NOT NULL,
        placed_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        history_length integer NOT NULL,
        history_hash bytea NOT NULL,
        CONSTRAINT pk_purchase_orders PRIMARY KEY (buyer_id, id),
        CONSTRAINT ck_purchase_orders_state CHECK (
            state IN ('ISSUED', 'PARTLY_CONFIRMED', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CLOSED',
            'REJECTED', 'CANCELLED')
        ),
        CONSTRAINT ck_purchase_orders_gross CHECK (gross = net + tax),
        CONSTRAINT ck_purchase_orders_version CHECK (version >= 1 AND history_length >= 1)
    )"""

_PURCHASE_ORDER_LINES = """
    CREATE TABLE purchase_order_lines (
        buyer_id uuid NOT NULL,
        order_id uuid NOT NULL,
        line_no integer NOT NULL,
        supplier_id uuid NOT NULL,
        offer_id uuid NOT NULL,
        item_no text NOT NULL,
        stock_point text,
        variant_id uuid NOT NULL,
        variant_key text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        brand text,
        spec_hash text NOT NULL,
        ordered_quantity numeric(18,3) NOT NULL,
        quantity numeric(18,3) NOT NULL,
        unit text NOT NULL,
        unit_decimals smallint NOT NULL,
        priced_quantity numeric(18,3) NOT NULL,
        price_unit text NOT NULL,
        ordered_base_quantity numeric(18,3) NOT NULL,
        base_quantity numeric(18,3) NOT NULL,
        base_unit text NOT NULL,
        base_decimals smallint NOT NULL,
        unit_factor numeric(18,9) NOT NULL,
        unit_price numeric(18,6) NOT NULL,
        tax_rate numeric(7,6) NOT NULL,
        tax_inclusive boolean NOT NULL,
        net numeric(18,2) NOT NULL,
        tax numeric(18,2) NOT NULL,
        gross numeric(18,2) NOT NULL,
        need_by date NOT NULL,
        promised_by date NOT NULL,
        state text NOT NULL,
        cost_code text,
        note text,
        CONSTRAINT pk_purchase_order_lines PRIMARY KEY (buyer_id, order_id, line_no),
        CONSTRAINT ck_purchase_order_lines_state CHECK (
            state IN ('OPEN', 'CONFIRMED', 'IN_PRODUCTION', 'PARTLY_SHIPPED', 'SHIPPED', 'PARTLY_RECEIVED',
            'RECEIVED', 'CLOSED', 'SHORT_CLOSED', 'CANCELLED', 'REJECTED')
        ),
        CONSTRAINT ck_purchase_order_lines_quantity CHECK (quantity >= 0 AND quantity <= ordered_quantity),
        CONSTRAINT ck_purchase_order_lines_base_quantity CHECK (
            base_quantity >= 0 AND base_quantity <= ordered_base_quantity
        ),
        CONSTRAINT ck_purchase_order_lines_void_is_zero CHECK (
            (quantity = 0) = (state IN ('CANCELLED', 'REJECTED'))
        ),
        CONSTRAINT ck_purchase_order_lines_base_follows CHECK ((quantity = 0) = (base_quantity = 0)),
        CONSTRAINT ck_purchase_order_lines_gross CHECK (gross = net + tax),
        CONSTRAINT ck_purchase_order_lines_terms CHECK (
            unit_price >= 0 AND tax_rate >= 0 AND tax_rate < 1 AND unit_factor > 0
        )
    )"""

_LINE_CHANGES = """
    CREATE TABLE line_changes (
        buyer_id uuid NOT NULL,
        order_id uuid NOT NULL,
        id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        line_no integer NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        quantity numeric(18,3),
        promised_by date,
        reason text,
        proposed_by uuid NOT NULL,
        proposed_at timestamptz NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        decision_note text,
        CONSTRAINT pk_line_changes PRIMARY KEY (buyer_id, order_id, id),
        CONSTRAINT ck_line_changes_kind CHECK (kind IN ('response', 'cancellation')),
        CONSTRAINT ck_line_changes_state CHECK (state IN ('PROPOSED', 'ACCEPTED', 'REJECTED', 'WITHDRAWN')),
        CONSTRAINT ck_line_changes_content CHECK (
            (kind = 'response') = (quantity IS NOT NULL AND promised_by IS NOT NULL)
        ),
        CONSTRAINT ck_line_changes_decided CHECK ((state = 'PROPOSED') = (decided_at IS NULL))
    )"""

_ORDER_HISTORY = """
    CREATE TABLE order_history (
        buyer_id uuid NOT NULL,
        order_id uuid NOT NULL,
        seq integer NOT NULL,
        supplier_id uuid NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_order_history PRIMARY KEY (buyer_id, order_id, seq)
    )"""

_INDEXES = [
    "CREATE INDEX ix_delivery_points_buyer_id_project_id ON delivery_points (buyer_id, project_id)",
    "CREATE INDEX ix_purchase_orders_buyer_id_basket_id ON purchase_orders (buyer_id, basket_id)",
    "CREATE UNIQUE INDEX ix_purchase_orders_buyer_id_number ON purchase_orders (buyer_id, number)",
    "CREATE INDEX ix_purchase_orders_buyer_id_project_id_id ON purchase_orders (buyer_id, project_id, id)",
    "CREATE INDEX ix_purchase_orders_supplier_id_id ON purchase_orders (supplier_id, id)",
    "CREATE UNIQUE INDEX ix_line_changes_one_proposed ON line_changes (buyer_id, order_id, line_no) WHERE state = 'PROPOSED'",
]

_LINE_GUARD = [
    """
    CREATE FUNCTION guard_purchase_order_line() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
            ('OPEN', 'CONFIRMED'),
            ('OPEN', 'CANCELLED'),
            ('OPEN', 'REJECTED'),
            ('CONFIRMED', 'IN_PRODUCTION'),
            ('CONFIRMED', 'PARTLY_SHIPPED'),
            ('CONFIRMED', 'SHIPPED'),
            ('CONFIRMED', 'CANCELLED'),
            ('IN_PRODUCTION', 'PARTLY_SHIPPED'),
            ('IN_PRODUCTION', 'SHIPPED'),
            ('IN_PRODUCTION', 'CANCELLED'),
            ('PARTLY_SHIPPED', 'SHIPPED'),
            ('PARTLY_SHIPPED', 'PARTLY_RECEIVED'),
            ('PARTLY_SHIPPED', 'SHORT_CLOSED'),
            ('SHIPPED', 'PARTLY_RECEIVED'),
            ('SHIPPED', 'RECEIVED'),
            ('PARTLY_RECEIVED', 'RECEIVED'),
            ('PARTLY_RECEIVED', 'SHORT_CLOSED'),
            ('RECEIVED', 'CLOSED'),
            ('SHORT_CLOSED', 'CLOSED')
        ) THEN
            RAISE EXCEPTION 'a line cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.quantity > OLD.quantity OR NEW.base_quantity > OLD.base_quantity THEN
            RAISE EXCEPTION 'the quantity of a line only falls' USING ERRCODE = 'check_violation';
        END IF;
        IF ROW (
            OLD.ordered_quantity, OLD.ordered_base_quantity, OLD.offer_id, OLD.supplier_id, OLD.item_no,
            OLD.stock_point, OLD.variant_id, OLD.variant_key, OLD.spec_hash, OLD.unit, OLD.unit_decimals,
            OLD.price_unit, OLD.base_unit, OLD.base_decimals, OLD.unit_factor, OLD.unit_price,
            OLD.tax_rate, OLD.tax_inclusive, OLD.need_by
        ) IS DISTINCT FROM ROW (
            NEW.ordered_quantity, NEW.ordered_base_quantity, NEW.offer_id, NEW.supplier_id, NEW.item_no,
            NEW.stock_point, NEW.variant_id, NEW.variant_key, NEW.spec_hash, NEW.unit, NEW.unit_decimals,
            NEW.price_unit, NEW.base_unit, NEW.base_decimals, NEW.unit_factor, NEW.unit_price,
            NEW.tax_rate, NEW.tax_inclusive, NEW.need_by
        ) THEN
            RAISE EXCEPTION 'what was frozen on a line does not change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER guard BEFORE UPDATE ON purchase_order_lines
    FOR EACH ROW EXECUTE FUNCTION guard_purchase_order_line()""",
    """
    CREATE FUNCTION guard_line_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state <> 'PROPOSED' THEN
            RAISE EXCEPTION 'a decided change does not change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    "CREATE TRIGGER guard BEFORE UPDATE ON line_changes FOR EACH ROW EXECUTE FUNCTION guard_line_change()",
]

# The answers of placed baskets are stored once and read almost never: compressing them costs more than it saves.
_PLAIN_BODIES = "ALTER TABLE idempotency_keys ALTER COLUMN body SET STORAGE EXTERNAL"


# What was ordered and what was changed about it can be moved on, never made unseen.
_NOTHING_IS_REMOVED = (
    "REVOKE DELETE, TRUNCATE ON baskets, purchase_orders, purchase_order_lines, line_changes "
    "FROM orders_app, orders_worker"
)


def upgrade() -> None:
    statements = [
        *house_schema("orders"),
        _PLAIN_BODIES,
        _PROJECTS,
        _DELIVERY_POINTS,
        _NUMBER_COUNTERS,
        _BASKETS,
        _PURCHASE_ORDERS,
        _PURCHASE_ORDER_LINES,
        _LINE_CHANGES,
        _ORDER_HISTORY,
        *_INDEXES,
        *_LINE_GUARD,
        *append_only("order_history", service="orders"),
        _NOTHING_IS_REMOVED,
        *row_security("projects", "buyer_id"),
        *row_security("delivery_points", "buyer_id"),
        *row_security("number_counters", "buyer_id"),
        *row_security("baskets", "buyer_id"),
        *row_security("purchase_orders", "buyer_id", "supplier_id"),
        *row_security("purchase_order_lines", "buyer_id", "supplier_id"),
        *row_security("line_changes", "buyer_id", "supplier_id"),
        *row_security("order_history", "buyer_id", "supplier_id"),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """There is nothing before the first migration."""
    raise NotImplementedError
