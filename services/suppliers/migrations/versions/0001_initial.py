"""Suppliers, items, offers, stock levels, syncs.

Beside the tables this sets what SQLModel cannot declare:

- row level security: a supplier's rows are its own. An offer is also readable by who holds one of its audience
  keys (`app.viewer_keys`), so the visibility policy of `shared.audience` stands in the database too;
- `stock_band`, which says in SQL what `inventory.rules.band` says in Python;
- room on the pages of offers and stock levels, so that a new price or count stays on its page (HOT updates).
"""

from alembic import op

from shared.house_tables import house_schema
from shared.walls import append_only, row_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SUPPLIERS = """
    CREATE TABLE suppliers (
        company_id uuid NOT NULL,
        name text NOT NULL,
        tax_id text NOT NULL,
        status text NOT NULL,
        categories text[] NOT NULL,
        regions text[] NOT NULL,
        qualified_until date,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_suppliers PRIMARY KEY (company_id),
        CONSTRAINT ck_suppliers_status CHECK (status IN ('REGISTERED', 'QUALIFIED', 'SUSPENDED', 'EXITED')),
        CONSTRAINT ck_suppliers_qualified_for_something CHECK (status <> 'QUALIFIED' OR cardinality(categories) > 0)
    )"""

_DECISIONS = """
    CREATE TABLE supplier_decisions (
        supplier_id uuid NOT NULL,
        number integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        decided_at timestamptz NOT NULL,
        CONSTRAINT pk_supplier_decisions PRIMARY KEY (supplier_id, number)
    )"""

_KNOWN_VARIANTS = """
    CREATE TABLE known_variants (
        key text NOT NULL,
        id uuid NOT NULL,
        type_code text NOT NULL,
        category text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        base_unit text NOT NULL,
        base_decimals smallint NOT NULL,
        unit_factors jsonb NOT NULL,
        unit_decimals jsonb NOT NULL,
        spec_hash text NOT NULL,
        snapshot jsonb NOT NULL,
        learned_at timestamptz NOT NULL,
        CONSTRAINT pk_known_variants PRIMARY KEY (key),
        CONSTRAINT uq_known_variants_id UNIQUE (id)
    )"""

_ITEMS = """
    CREATE TABLE items (
        supplier_id uuid NOT NULL,
        item_no text NOT NULL,
        id uuid NOT NULL,
        variant_id uuid NOT NULL,
        variant_key text NOT NULL,
        type_code text NOT NULL,
        category text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        brand text,
        base_unit text NOT NULL,
        base_decimals smallint NOT NULL,
        status text NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_items PRIMARY KEY (supplier_id, item_no),
        CONSTRAINT uq_items_supplier_id_id UNIQUE (supplier_id, id),
        CONSTRAINT ck_items_status CHECK (status IN ('PUBLISHED', 'WITHDRAWN')),
        CONSTRAINT ck_items_item_no CHECK (char_length(item_no) BETWEEN 1 AND 100)
    )"""

_OFFERS = """
    CREATE TABLE offers (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL,
        item_no text NOT NULL,
        offer_code text NOT NULL,
        stock_point text,
        price numeric(18, 6) NOT NULL,
        currency text NOT NULL,
        tax_inclusive boolean NOT NULL,
        tax_rate numeric(7, 6) NOT NULL,
        unit text NOT NULL,
        unit_factor numeric(18, 9) NOT NULL,
        unit_decimals smallint NOT NULL,
        min_quantity numeric(18, 3),
        step_quantity numeric(18, 3),
        lead_time_days integer NOT NULL,
        regions text[] NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        audience text NOT NULL,
        audience_ids uuid[] NOT NULL,
        audience_keys text[] NOT NULL,
        tiers jsonb NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_offers PRIMARY KEY (supplier_id, id),
        CONSTRAINT uq_offers_supplier_id_item_no_offer_code UNIQUE (supplier_id, item_no, offer_code),
        CONSTRAINT fk_offers_supplier_id_item_no FOREIGN KEY (supplier_id, item_no)
            REFERENCES items (supplier_id, item_no),
        CONSTRAINT ck_offers_status CHECK (status IN ('ACTIVE', 'WITHDRAWN')),
        CONSTRAINT ck_offers_price CHECK (price >= 0),
        CONSTRAINT ck_offers_tax_rate CHECK (tax_rate >= 0 AND tax_rate < 1),
        CONSTRAINT ck_offers_currency CHECK (currency ~ '^[A-Z]{3}$'),
        CONSTRAINT ck_offers_unit_factor CHECK (unit_factor > 0),
        CONSTRAINT ck_offers_min_quantity CHECK (min_quantity > 0),
        CONSTRAINT ck_offers_step_quantity CHECK (step_quantity > 0),
        CONSTRAINT ck_offers_lead_time_days CHECK (lead_time_days BETWEEN 0 AND 3650),
        CONSTRAINT ck_offers_validity CHECK (valid_until >= valid_from),
        CONSTRAINT ck_offers_valid_from CHECK (valid_from BETWEEN '2000-01-01' AND '9999-12-31'),
        CONSTRAINT ck_offers_valid_until CHECK (valid_until BETWEEN '2000-01-01' AND '9999-12-31'),
        CONSTRAINT ck_offers_audience CHECK (audience IN ('PARTIES', 'ORG', 'CIRCLE', 'MEMBERS', 'PUBLIC')),
        CONSTRAINT ck_offers_offer_code CHECK (char_length(offer_code) BETWEEN 1 AND 100),
        CONSTRAINT ck_offers_stock_point CHECK (char_length(stock_point) BETWEEN 1 AND 100),
        CONSTRAINT ck_offers_tiers CHECK (jsonb_typeof(tiers) = 'array')
    ) WITH (fillfactor = 80)"""

_STOCK_LEVELS = """
    CREATE TABLE stock_levels (
        supplier_id uuid NOT NULL,
        item_no text NOT NULL,
        stock_point text NOT NULL,
        on_hand numeric(18, 3) NOT NULL,
        reserved numeric(18, 3) NOT NULL DEFAULT 0,
        shortfall numeric(18, 3) NOT NULL DEFAULT 0,
        as_of timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_stock_levels PRIMARY KEY (supplier_id, item_no, stock_point),
        CONSTRAINT fk_stock_levels_supplier_id_item_no FOREIGN KEY (supplier_id, item_no)
            REFERENCES items (supplier_id, item_no),
        CONSTRAINT ck_stock_levels_reserved CHECK (reserved >= 0),
        CONSTRAINT ck_stock_levels_not_oversold CHECK (reserved <= on_hand),
        CONSTRAINT ck_stock_levels_shortfall CHECK (shortfall >= 0),
        CONSTRAINT ck_stock_levels_stock_point CHECK (char_length(stock_point) BETWEEN 1 AND 100),
        CONSTRAINT ck_stock_levels_as_of CHECK (as_of >= '2000-01-01T00:00:00Z' AND as_of < '9999-12-31T00:00:00Z')
    ) WITH (fillfactor = 80)"""

_STOCK_BAND = """
    CREATE FUNCTION stock_band(on_hand numeric, reserved numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN on_hand - reserved <= 0 THEN 'out'
        WHEN (on_hand - reserved) * 10 < on_hand THEN 'low'
        ELSE 'in'
    END"""

_SYNC_JOBS = """
    CREATE TABLE sync_jobs (
        supplier_id uuid NOT NULL,
        id uuid NOT NULL,
        feed text NOT NULL,
        mode text NOT NULL,
        sequence bigint,
        state text NOT NULL,
        phase text NOT NULL,
        outcome text,
        expected_sequence bigint,
        idempotency_key text,
        request_hash bytea NOT NULL,
        format text NOT NULL,
        file text NOT NULL,
        bytes_total bigint NOT NULL,
        encoding text,
        may_price boolean NOT NULL,
        sent_by text NOT NULL,
        prepared jsonb,
        position bigint NOT NULL DEFAULT 0,
        bytes_done bigint NOT NULL DEFAULT 0,
        rows_done bigint NOT NULL DEFAULT 0,
        accepted bigint NOT NULL DEFAULT 0,
        unchanged bigint NOT NULL DEFAULT 0,
        rejected bigint NOT NULL DEFAULT 0,
        warned bigint NOT NULL DEFAULT 0,
        nameless bigint NOT NULL DEFAULT 0,
        zeroed bigint NOT NULL DEFAULT 0,
        warnings text[] NOT NULL DEFAULT '{}',
        problem jsonb,
        attempts integer NOT NULL DEFAULT 0,
        lease_id uuid,
        lease_until timestamptz,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        CONSTRAINT pk_sync_jobs PRIMARY KEY (supplier_id, id),
        CONSTRAINT ck_sync_jobs_state CHECK (state IN ('RECEIVED', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED')),
        CONSTRAINT ck_sync_jobs_mode CHECK (mode IN ('full', 'delta')),
        CONSTRAINT ck_sync_jobs_sequence CHECK (sequence >= 0),
        CONSTRAINT ck_sync_jobs_failed_with_problem CHECK ((state = 'FAILED') = (problem IS NOT NULL))
    )"""

_SYNC_INDEXES = (
    "CREATE UNIQUE INDEX uq_sync_jobs_one_at_a_time ON sync_jobs (supplier_id) WHERE state IN ('RECEIVED', 'RUNNING')",
    (
        "CREATE UNIQUE INDEX uq_sync_jobs_idempotency_key ON sync_jobs (supplier_id, idempotency_key) "
        "WHERE idempotency_key IS NOT NULL"
    ),
    "CREATE INDEX ix_sync_jobs_unfinished ON sync_jobs (created_at) WHERE state IN ('RECEIVED', 'RUNNING')",
)

_SYNC_ROW_PROBLEMS = """
    CREATE TABLE sync_row_problems (
        supplier_id uuid NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint NOT NULL,
        severity text NOT NULL,
        item_no text,
        field text NOT NULL,
        code text NOT NULL,
        message text NOT NULL,
        CONSTRAINT pk_sync_row_problems PRIMARY KEY (supplier_id, job_id, row_no),
        CONSTRAINT ck_sync_row_problems_severity CHECK (severity IN ('rejected', 'warning'))
    )"""

_SYNC_SEEN = """
    CREATE TABLE sync_seen (
        supplier_id uuid NOT NULL,
        job_id uuid NOT NULL,
        row_no bigint NOT NULL,
        item_no text NOT NULL,
        stock_point text,
        CONSTRAINT pk_sync_seen PRIMARY KEY (supplier_id, job_id, row_no)
    )"""

_SYNC_STREAMS = """
    CREATE TABLE sync_streams (
        supplier_id uuid NOT NULL,
        feed text NOT NULL,
        last_sequence bigint NOT NULL,
        snapshot_needed boolean NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_sync_streams PRIMARY KEY (supplier_id, feed)
    )"""

_OWN_ROWS = (
    "items",
    "offers",
    "stock_levels",
    "supplier_decisions",
    "sync_jobs",
    "sync_row_problems",
    "sync_seen",
    "sync_streams",
)

_OFFER_AUDIENCE = """
    CREATE POLICY audience ON offers FOR SELECT USING (
        audience_keys && (SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))
    )"""


def upgrade() -> None:
    statements = [
        *house_schema("suppliers"),
        _SUPPLIERS,
        _DECISIONS,
        _KNOWN_VARIANTS,
        _ITEMS,
        _OFFERS,
        "CREATE INDEX ix_offers_id ON offers (id)",
        _STOCK_LEVELS,
        _STOCK_BAND,
        _SYNC_JOBS,
        *_SYNC_INDEXES,
        _SYNC_ROW_PROBLEMS,
        _SYNC_SEEN,
        _SYNC_STREAMS,
        *append_only("supplier_decisions", service="suppliers"),
        *row_security("suppliers", "company_id"),
        "CREATE POLICY known_to_all ON suppliers FOR SELECT USING (true)",
    ]
    for table in _OWN_ROWS:
        statements += row_security(table, "supplier_id")
    statements.append(_OFFER_AUDIENCE)
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "The first migration has nothing before it; drop the database instead."
    raise NotImplementedError(message)
