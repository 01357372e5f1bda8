"""Registers of standards and of restricted goods with their history, and equivalents between variants.

Beside the tables this sets:

- the registers are the operators': the app only reads them, and their history is append-only;
- equivalents are a company's (forced row level security), readable by who holds one of their audience keys.
"""

from alembic import op

from shared.walls import append_only, row_security

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EDITIONS = """
    CREATE TABLE standard_editions (
        key text NOT NULL,
        number_key text NOT NULL,
        number text NOT NULL,
        edition text NOT NULL,
        designation text NOT NULL,
        title text NOT NULL,
        kind text NOT NULL,
        published_on date,
        effective_on date,
        withdrawn_on date,
        replaced_by text,
        replaced_by_key text,
        source text NOT NULL,
        edition_check text NOT NULL,
        version integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_standard_editions PRIMARY KEY (key),
        CONSTRAINT ck_standard_editions_key CHECK (char_length(key) BETWEEN 1 AND 120 AND key !~ '[[:space:]]'),
        CONSTRAINT ck_standard_editions_told CHECK (number <> '' AND title <> '' AND source <> ''),
        CONSTRAINT ck_standard_editions_kind CHECK (kind IN ('mandatory', 'recommended', 'group', 'enterprise')),
        CONSTRAINT ck_standard_editions_edition_check
            CHECK (edition_check IN ('seen', 'own', 'verify', 'edition_unclear')),
        CONSTRAINT ck_standard_editions_effective_after_published CHECK (effective_on >= published_on),
        CONSTRAINT ck_standard_editions_withdrawn_after_effective
            CHECK (withdrawn_on >= coalesce(effective_on, published_on)),
        CONSTRAINT ck_standard_editions_not_replaced_by_itself CHECK (replaced_by_key <> key),
        CONSTRAINT ck_standard_editions_successor_has_key
            CHECK ((replaced_by IS NULL) = (replaced_by_key IS NULL))
    )"""

_DECISIONS = """
    CREATE TABLE register_decisions (
        register text NOT NULL,
        subject text NOT NULL,
        number integer NOT NULL,
        entry jsonb NOT NULL,
        hash bytea NOT NULL,
        decided_at timestamptz NOT NULL,
        CONSTRAINT pk_register_decisions PRIMARY KEY (register, subject, number),
        CONSTRAINT ck_register_decisions_register CHECK (register IN ('standard', 'restriction'))
    )"""

_RESTRICTIONS = """
    CREATE TABLE restrictions (
        id uuid NOT NULL,
        content_key text NOT NULL,
        kind text NOT NULL,
        type_code text NOT NULL,
        properties jsonb NOT NULL,
        regions text[] NOT NULL,
        from_on date NOT NULL,
        until_on date,
        source text NOT NULL,
        text text NOT NULL,
        version integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_restrictions PRIMARY KEY (id),
        CONSTRAINT uq_restrictions_content_key UNIQUE (content_key),
        CONSTRAINT fk_restrictions_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT ck_restrictions_kind CHECK (kind IN ('banned', 'restricted')),
        CONSTRAINT ck_restrictions_properties CHECK (jsonb_typeof(properties) = 'object'),
        CONSTRAINT ck_restrictions_validity CHECK (until_on >= from_on),
        CONSTRAINT ck_restrictions_told CHECK (source <> '' AND text <> ''),
        CONSTRAINT ck_restrictions_regions CHECK (cardinality(regions) <= 500)
    )"""

_EQUIVALENTS = """
    CREATE TABLE equivalents (
        company_id uuid NOT NULL,
        id uuid NOT NULL,
        group_id uuid,
        from_id uuid NOT NULL,
        to_id uuid NOT NULL,
        both_ways boolean NOT NULL,
        rule text NOT NULL,
        evidence text[] NOT NULL,
        scope text NOT NULL,
        status text NOT NULL,
        audience_keys text[] NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        proposed_by uuid NOT NULL,
        proposed_by_name text NOT NULL,
        proposed_at timestamptz NOT NULL,
        decided_by uuid,
        decided_by_name text,
        decided_at timestamptz,
        decision_reason text,
        withdrawn_by uuid,
        withdrawn_at timestamptz,
        withdrawal_reason text,
        version integer NOT NULL,
        CONSTRAINT pk_equivalents PRIMARY KEY (company_id, id),
        CONSTRAINT uq_equivalents_id UNIQUE (id),
        CONSTRAINT fk_equivalents_from_id FOREIGN KEY (from_id) REFERENCES variants (id),
        CONSTRAINT fk_equivalents_to_id FOREIGN KEY (to_id) REFERENCES variants (id),
        CONSTRAINT ck_equivalents_two_variants CHECK (from_id <> to_id),
        CONSTRAINT ck_equivalents_scope CHECK (scope IN ('own', 'everyone')),
        CONSTRAINT ck_equivalents_status CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
        CONSTRAINT ck_equivalents_validity CHECK (valid_until >= valid_from),
        CONSTRAINT ck_equivalents_second_person CHECK (decided_by <> proposed_by),
        CONSTRAINT ck_equivalents_decided CHECK (
            (num_nonnulls(decided_by, decided_by_name, decided_at) IN (0, 3))
            AND (status NOT IN ('APPROVED', 'REJECTED') OR decided_by IS NOT NULL)
        ),
        CONSTRAINT ck_equivalents_withdrawn CHECK ((status = 'WITHDRAWN') = (withdrawn_at IS NOT NULL)),
        CONSTRAINT ck_equivalents_seen_when_approved CHECK (
            status = 'APPROVED' OR NOT audience_keys && ARRAY['members', 'public']
        )
    )"""

_INDEXES = (
    "CREATE INDEX ix_standard_editions_number_key ON standard_editions (number_key)",
    "CREATE INDEX ix_restrictions_type_code ON restrictions (type_code)",
    "CREATE INDEX ix_equivalents_from_id ON equivalents (from_id)",
    "CREATE INDEX ix_equivalents_to_id ON equivalents (to_id)",
    (
        "CREATE UNIQUE INDEX uq_equivalents_open ON equivalents (company_id, from_id, to_id, scope) "
        "WHERE status IN ('PROPOSED', 'APPROVED')"
    ),
)

_AUDIENCE = """
    CREATE POLICY audience ON equivalents FOR SELECT USING (
        audience_keys && (SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))
    )"""


def upgrade() -> None:
    statements = [
        _EDITIONS,
        _DECISIONS,
        _RESTRICTIONS,
        _EQUIVALENTS,
        *_INDEXES,
        *append_only("register_decisions", service="catalog"),
        "REVOKE INSERT, UPDATE, DELETE ON standard_editions, restrictions, register_decisions FROM catalog_app",
        "REVOKE DELETE, TRUNCATE ON standard_editions, restrictions, equivalents FROM catalog_app, catalog_worker",
        *row_security("equivalents", "company_id"),
        _AUDIENCE,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "Orders were refused by what these registers say; there is no way back."
    raise NotImplementedError(message)
