"""Legacy framework agreements, staged, and price history.

Beside the tables this sets:

- row level security: a staged line is seen by its company, its group and its supplier; what was paid by company and
  group alone;
- no two staged lines of a group for one supplier, variant, region and day (exclusion constraint);
- neither a price nor what it is about is ever rewritten: the grants leave only the columns that say ended or mapped.
"""

from alembic import op

from shared.importing.tables import import_schema
from shared.walls import row_security

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STAGED = """
    CREATE TABLE staged_agreement_lines (
        group_id uuid NOT NULL,
        id uuid NOT NULL DEFAULT uuidv7(),
        company_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        agreement_no text NOT NULL,
        legacy_code text NOT NULL,
        variant_id uuid NOT NULL,
        variant_key text NOT NULL,
        mapping_id uuid NOT NULL,
        mapping_version integer NOT NULL,
        price_kind text NOT NULL,
        price numeric(18,6),
        unit text,
        tax_rate numeric(7,6) NOT NULL,
        tax_inclusive boolean NOT NULL,
        index_name text,
        index_premium numeric(18,6),
        valid_from date NOT NULL,
        valid_to date NOT NULL,
        tolerance numeric(7,6),
        region text NOT NULL,
        flags text[] NOT NULL,
        import_id uuid NOT NULL,
        row_no bigint NOT NULL,
        staged_at timestamptz NOT NULL,
        withdrawn_at timestamptz,
        taken_over_at timestamptz,
        CONSTRAINT pk_staged_agreement_lines PRIMARY KEY (group_id, id),
        CONSTRAINT ck_staged_agreement_lines_period CHECK (valid_to >= valid_from),
        CONSTRAINT ck_staged_agreement_lines_price_kind CHECK (price_kind IN ('fixed', 'floating')),
        CONSTRAINT ck_staged_agreement_lines_price CHECK (price_kind <> 'fixed' OR price > 0),
        CONSTRAINT ck_staged_agreement_lines_index_named CHECK (price_kind <> 'floating' OR index_name IS NOT NULL),
        CONSTRAINT ck_staged_agreement_lines_tax_rate CHECK (tax_rate >= 0 AND tax_rate < 1),
        CONSTRAINT ex_staged_agreement_lines_one_a_day EXCLUDE USING gist (
            uuidrange(group_id, group_id, '[]') WITH =,
            uuidrange(supplier_id, supplier_id, '[]') WITH =,
            uuidrange(variant_id, variant_id, '[]') WITH =,
            uuidrange(md5(region)::uuid, md5(region)::uuid, '[]') WITH =,
            daterange(valid_from, valid_to, '[]') WITH &&
        ) WHERE (withdrawn_at IS NULL)
    )"""

_PRICE_HISTORY = """
    CREATE TABLE price_history (
        company_id uuid NOT NULL,
        import_id uuid NOT NULL,
        row_no bigint NOT NULL,
        group_id uuid NOT NULL,
        paid_on date NOT NULL,
        legacy_code text NOT NULL,
        price numeric(18,6) NOT NULL,
        unit text,
        quantity numeric(18,3) NOT NULL,
        amount numeric(18,2) NOT NULL,
        category text,
        variant_id uuid,
        mapping_id uuid,
        mapping_version integer,
        recorded_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_price_history PRIMARY KEY (company_id, import_id, row_no),
        CONSTRAINT ck_price_history_amounts CHECK (price > 0 AND quantity > 0 AND amount >= 0),
        CONSTRAINT ck_price_history_mapped CHECK (num_nonnulls(variant_id, mapping_id, mapping_version) IN (0, 3)),
        CONSTRAINT ck_price_history_category CHECK (mapping_id IS NULL OR category IS NOT NULL)
    )"""

_INDEXES = [
    "CREATE INDEX ix_staged_agreement_lines_import ON staged_agreement_lines (company_id, import_id)",
    "CREATE INDEX ix_staged_agreement_lines_supplier ON staged_agreement_lines (supplier_id, id)",
    "CREATE INDEX ix_price_history_group ON price_history (group_id, paid_on)",
    """
    CREATE INDEX ix_price_history_unmapped ON price_history (company_id, legacy_code)
    WHERE mapping_id IS NULL AND ended_at IS NULL""",
]

_GRANTS = [
    "REVOKE UPDATE, DELETE, TRUNCATE ON staged_agreement_lines, price_history FROM orders_app, orders_worker",
    "GRANT UPDATE (withdrawn_at, taken_over_at) ON staged_agreement_lines TO orders_app, orders_worker",
    "GRANT UPDATE (variant_id, mapping_id, mapping_version, category, ended_at) ON price_history TO orders_app, orders_worker",
]


def upgrade() -> None:
    statements = [
        *import_schema("orders"),
        "CREATE TYPE uuidrange AS RANGE (subtype = uuid)",
        _STAGED,
        _PRICE_HISTORY,
        *_INDEXES,
        *row_security("staged_agreement_lines", "company_id", "group_id", "supplier_id"),
        *row_security("price_history", "company_id", "group_id"),
        *_GRANTS,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "What contractors brought from their legacy platforms would be lost; there is no way back."
    raise NotImplementedError(message)
