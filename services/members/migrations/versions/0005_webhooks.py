"""Webhook endpoints, deliveries, attempts; which suppliers a category concerns.

Beside the tables this sets row level security: a company sees its own endpoints and what was sent to them. Which
supplier is qualified for what is for the worker alone.
"""

from alembic import op

from shared.walls import row_security

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ENDPOINTS = """
    CREATE TABLE webhook_endpoints (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        event_types text[] NOT NULL,
        secret text NOT NULL,
        previous_secret text,
        previous_secret_until timestamptz,
        status text NOT NULL,
        disabled_at timestamptz,
        disabled_why text,
        failing_since timestamptz,
        last_delivered_at timestamptz,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        created_by uuid NOT NULL,
        CONSTRAINT pk_webhook_endpoints PRIMARY KEY (company_id, id),
        CONSTRAINT fk_webhook_endpoints_company_id FOREIGN KEY (company_id) REFERENCES companies (id),
        CONSTRAINT ck_webhook_endpoints_url CHECK (url ~ '^https?://' AND length(url) <= 2000),
        CONSTRAINT ck_webhook_endpoints_event_types CHECK (cardinality(event_types) > 0),
        CONSTRAINT ck_webhook_endpoints_secret CHECK (secret LIKE 'whsec_%'),
        CONSTRAINT ck_webhook_endpoints_previous_secret CHECK (
            num_nonnulls(previous_secret, previous_secret_until) <> 1
        ),
        CONSTRAINT ck_webhook_endpoints_status CHECK (status IN ('ENABLED', 'DISABLED')),
        CONSTRAINT ck_webhook_endpoints_disabled CHECK (
            (status = 'DISABLED') = (disabled_at IS NOT NULL) AND num_nonnulls(disabled_at, disabled_why) <> 1
        ),
        CONSTRAINT ck_webhook_endpoints_disabled_why CHECK (disabled_why IN ('company', 'gone', 'failing')),
        CONSTRAINT ck_webhook_endpoints_version CHECK (version >= 1)
    )"""

_DELIVERIES = """
    CREATE TABLE webhook_deliveries (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        endpoint_id uuid NOT NULL,
        event_id uuid NOT NULL,
        type text NOT NULL,
        subject_id text NOT NULL,
        path text NOT NULL,
        told jsonb NOT NULL,
        occurred_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        status text NOT NULL,
        attempts integer NOT NULL,
        tries integer NOT NULL,
        next_attempt_at timestamptz,
        lease uuid,
        delivered_at timestamptz,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (company_id, id),
        CONSTRAINT fk_webhook_deliveries_company_id_endpoint_id FOREIGN KEY (company_id, endpoint_id)
            REFERENCES webhook_endpoints (company_id, id) ON DELETE CASCADE,
        CONSTRAINT uq_webhook_deliveries_once UNIQUE (company_id, endpoint_id, event_id, subject_id),
        CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'HELD')),
        CONSTRAINT ck_webhook_deliveries_next_attempt CHECK ((status = 'PENDING') = (next_attempt_at IS NOT NULL)),
        CONSTRAINT ck_webhook_deliveries_lease CHECK (lease IS NULL OR status = 'PENDING'),
        CONSTRAINT ck_webhook_deliveries_delivered CHECK (status <> 'DELIVERED' OR delivered_at IS NOT NULL),
        CONSTRAINT ck_webhook_deliveries_attempts CHECK (attempts >= tries AND tries >= 0)
    )"""

_ATTEMPTS = """
    CREATE TABLE webhook_attempts (
        company_id uuid NOT NULL,
        delivery_id uuid NOT NULL,
        number integer NOT NULL,
        started_at timestamptz NOT NULL,
        duration_ms integer,
        http_status integer,
        fault text,
        answer text,
        CONSTRAINT pk_webhook_attempts PRIMARY KEY (company_id, delivery_id, number),
        CONSTRAINT fk_webhook_attempts_company_id_delivery_id FOREIGN KEY (company_id, delivery_id)
            REFERENCES webhook_deliveries (company_id, id) ON DELETE CASCADE,
        CONSTRAINT ck_webhook_attempts_outcome CHECK (duration_ms IS NULL OR num_nonnulls(http_status, fault) >= 1)
    )"""

_QUALIFIED = """
    CREATE TABLE qualified_suppliers (
        company_id uuid NOT NULL,
        categories text[] NOT NULL,
        CONSTRAINT pk_qualified_suppliers PRIMARY KEY (company_id)
    )"""

_INDEXES = [
    """
    CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (company_id, endpoint_id, next_attempt_at)
        WHERE status = 'PENDING'""",
    "CREATE INDEX ix_webhook_deliveries_company_id_endpoint_id_id ON webhook_deliveries (company_id, endpoint_id, id)",
    "CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at)",
    "CREATE INDEX ix_qualified_suppliers_categories ON qualified_suppliers USING gin (categories)",
]


def upgrade() -> None:
    statements = [
        _ENDPOINTS,
        _DELIVERIES,
        _ATTEMPTS,
        _QUALIFIED,
        *_INDEXES,
        *row_security("webhook_endpoints", "company_id"),
        *row_security("webhook_deliveries", "company_id"),
        *row_security("webhook_attempts", "company_id"),
        "ALTER TABLE qualified_suppliers ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE qualified_suppliers FORCE ROW LEVEL SECURITY",
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    for table in ("qualified_suppliers", "webhook_attempts", "webhook_deliveries", "webhook_endpoints"):
        op.execute(f"DROP TABLE {table}")
