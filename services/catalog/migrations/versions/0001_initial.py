"""Units, component types and their versions, codes, carbon factors, variants, and the search's read model.

Beside the tables this sets what SQLModel cannot declare:

- versions of types and variants are append-only;
- the app only reads: what it may write is variants (and the house tables). The worker publishes and indexes;
- an indexed offer is read by who holds one of its audience keys (`app.viewer_keys`), so the visibility policy of
  `shared.audience` stands in the database too. Everything else here is public.
"""

from alembic import op

from shared.house_tables import house_schema
from shared.walls import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UNITS = """
    CREATE TABLE units (
        code text NOT NULL,
        name_zh text NOT NULL,
        unece text NOT NULL,
        dimension text NOT NULL,
        decimals smallint NOT NULL,
        sort smallint NOT NULL,
        CONSTRAINT pk_units PRIMARY KEY (code),
        CONSTRAINT ck_units_decimals CHECK (decimals BETWEEN 0 AND 6)
    )"""

_CATEGORIES = """
    CREATE TABLE categories (
        key text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        sort smallint NOT NULL,
        CONSTRAINT pk_categories PRIMARY KEY (key)
    )"""

_STANDARDS = """
    CREATE TABLE standards (
        number text NOT NULL,
        title_zh text NOT NULL,
        edition_check text NOT NULL,
        CONSTRAINT pk_standards PRIMARY KEY (number)
    )"""

_TYPES = """
    CREATE TABLE component_types (
        code text NOT NULL,
        version integer NOT NULL,
        content_hash text NOT NULL,
        status text NOT NULL,
        category text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        supply_mode text NOT NULL,
        base_unit text NOT NULL,
        definition jsonb NOT NULL,
        published_at timestamptz NOT NULL,
        CONSTRAINT pk_component_types PRIMARY KEY (code),
        CONSTRAINT fk_component_types_category FOREIGN KEY (category) REFERENCES categories (key),
        CONSTRAINT fk_component_types_base_unit FOREIGN KEY (base_unit) REFERENCES units (code),
        CONSTRAINT ck_component_types_code CHECK (code ~ '^[A-Z]{2}-[A-Z0-9]+$'),
        CONSTRAINT ck_component_types_version CHECK (version > 0),
        CONSTRAINT ck_component_types_status CHECK (status IN ('ACTIVE', 'DEPRECATED')),
        CONSTRAINT ck_component_types_supply_mode CHECK (
            supply_mode IN ('stock', 'make_to_order', 'engineer_to_order', 'rental')
        )
    )"""

_TYPE_VERSIONS = """
    CREATE TABLE component_type_versions (
        code text NOT NULL,
        version integer NOT NULL,
        content_hash text NOT NULL,
        definition jsonb NOT NULL,
        published_at timestamptz NOT NULL,
        CONSTRAINT pk_component_type_versions PRIMARY KEY (code, version),
        CONSTRAINT fk_component_type_versions_code FOREIGN KEY (code) REFERENCES component_types (code)
    )"""

_TYPE_STANDARDS = """
    CREATE TABLE type_standards (
        type_code text NOT NULL,
        standard_number text NOT NULL,
        sort smallint NOT NULL,
        CONSTRAINT pk_type_standards PRIMARY KEY (type_code, standard_number),
        CONSTRAINT fk_type_standards_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT fk_type_standards_standard_number FOREIGN KEY (standard_number) REFERENCES standards (number)
    )"""

_CODES = """
    CREATE TABLE classification_codes (
        system text NOT NULL,
        edition text NOT NULL,
        code text NOT NULL,
        type_code text NOT NULL,
        relation text NOT NULL,
        CONSTRAINT pk_classification_codes PRIMARY KEY (system, edition, code, type_code),
        CONSTRAINT fk_classification_codes_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT ck_classification_codes_relation CHECK (relation IN ('primary', 'also')),
        CONSTRAINT ck_classification_codes_code CHECK (char_length(code) BETWEEN 1 AND 100)
    )"""

_CARBON = """
    CREATE TABLE carbon_factors (
        type_code text NOT NULL,
        unit text NOT NULL,
        typical numeric NOT NULL,
        low numeric NOT NULL,
        high numeric NOT NULL,
        source text NOT NULL,
        confidence text NOT NULL,
        CONSTRAINT pk_carbon_factors PRIMARY KEY (type_code),
        CONSTRAINT fk_carbon_factors_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT fk_carbon_factors_unit FOREIGN KEY (unit) REFERENCES units (code),
        CONSTRAINT ck_carbon_factors_range CHECK (low >= 0 AND low <= typical AND typical <= high),
        CONSTRAINT ck_carbon_factors_confidence CHECK (confidence IN ('low', 'medium', 'high')),
        CONSTRAINT ck_carbon_factors_source CHECK (source <> '')
    )"""

_VARIANTS = """
    CREATE TABLE variants (
        id uuid NOT NULL,
        key text NOT NULL,
        type_code text NOT NULL,
        type_version integer NOT NULL,
        category text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        properties jsonb NOT NULL,
        supply_mode text NOT NULL,
        base_unit text NOT NULL,
        base_decimals smallint NOT NULL,
        unit_factors jsonb NOT NULL,
        unit_decimals jsonb NOT NULL,
        spec_hash text NOT NULL,
        carbon numeric(18, 6),
        standards text[] NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_variants PRIMARY KEY (id),
        CONSTRAINT uq_variants_key UNIQUE (key),
        CONSTRAINT fk_variants_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT ck_variants_key CHECK (key LIKE type_code || '|%' AND char_length(key) <= 2000),
        CONSTRAINT ck_variants_properties CHECK (jsonb_typeof(properties) = 'object'),
        CONSTRAINT ck_variants_base_unit CHECK ((unit_factors ->> base_unit)::numeric = 1),
        CONSTRAINT ck_variants_spec_hash CHECK (spec_hash ~ '^[0-9a-f]{64}$'),
        CONSTRAINT ck_variants_carbon CHECK (carbon >= 0)
    )"""

_SEARCH_VARIANTS = """
    CREATE TABLE search_variants (
        variant_id uuid NOT NULL,
        variant_key text NOT NULL,
        type_code text NOT NULL,
        category text NOT NULL,
        properties jsonb NOT NULL,
        unit_factors jsonb NOT NULL,
        tokens text[] NOT NULL,
        specification text[] NOT NULL,
        name text[] NOT NULL,
        phrases text[] NOT NULL,
        CONSTRAINT pk_search_variants PRIMARY KEY (variant_id),
        CONSTRAINT uq_search_variants_variant_key UNIQUE (variant_key)
    )"""

_SEARCH_SUPPLIERS = """
    CREATE TABLE search_suppliers (
        supplier_id uuid NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        categories text[] NOT NULL,
        regions text[] NOT NULL,
        region_heads text[] NOT NULL,
        qualified_until date,
        seq bigint NOT NULL,
        CONSTRAINT pk_search_suppliers PRIMARY KEY (supplier_id)
    )"""

_SEARCH_OFFERS = """
    CREATE TABLE search_offers (
        supplier_id uuid NOT NULL,
        offer_id uuid NOT NULL,
        variant_id uuid NOT NULL,
        item_no text NOT NULL,
        category text NOT NULL,
        brand text,
        price numeric(18, 6) NOT NULL,
        currency text NOT NULL,
        tax_inclusive boolean NOT NULL,
        tax_rate numeric(7, 6) NOT NULL,
        unit text NOT NULL,
        unit_factor numeric(18, 9) NOT NULL,
        base_unit text NOT NULL,
        min_quantity numeric(18, 3),
        step_quantity numeric(18, 3),
        lead_time_days integer NOT NULL,
        regions text[] NOT NULL,
        region_heads text[] NOT NULL,
        valid_from date NOT NULL,
        valid_until date,
        audience_keys text[] NOT NULL,
        tier_from numeric[] NOT NULL,
        tier_price numeric[] NOT NULL,
        stock_point text,
        status text NOT NULL,
        seq bigint NOT NULL,
        price_seq bigint NOT NULL,
        CONSTRAINT pk_search_offers PRIMARY KEY (supplier_id, offer_id),
        CONSTRAINT ck_search_offers_status CHECK (status IN ('ACTIVE', 'WITHDRAWN')),
        CONSTRAINT ck_search_offers_price CHECK (price >= 0),
        CONSTRAINT ck_search_offers_unit_factor CHECK (unit_factor > 0),
        CONSTRAINT ck_search_offers_tiers CHECK (cardinality(tier_from) = cardinality(tier_price))
    ) WITH (fillfactor = 85)"""

_SEARCH_STOCK = """
    CREATE TABLE search_stock (
        supplier_id uuid NOT NULL,
        item_no text NOT NULL,
        stock_point text NOT NULL,
        available numeric(18, 3) NOT NULL,
        band text NOT NULL,
        as_of timestamptz NOT NULL,
        seq bigint NOT NULL,
        CONSTRAINT pk_search_stock PRIMARY KEY (supplier_id, item_no, stock_point),
        CONSTRAINT ck_search_stock_band CHECK (band IN ('out', 'low', 'in')),
        CONSTRAINT ck_search_stock_available CHECK (available >= 0)
    ) WITH (fillfactor = 85)"""

_INDEXES = [
    "CREATE INDEX ix_component_types_category ON component_types (category)",
    "CREATE INDEX ix_type_standards_standard_number ON type_standards (standard_number)",
    "CREATE INDEX ix_classification_codes_lower_code ON classification_codes (lower(code) text_pattern_ops)",
    "CREATE INDEX ix_classification_codes_type_code ON classification_codes (type_code)",
    "CREATE INDEX ix_variants_type_code ON variants (type_code)",
    "CREATE INDEX ix_search_variants_tokens ON search_variants USING gin (tokens)",
    "CREATE INDEX ix_search_variants_properties ON search_variants USING gin (properties jsonb_path_ops)",
    "CREATE INDEX ix_search_variants_type_code ON search_variants (type_code)",
    "CREATE INDEX ix_search_offers_variant_id ON search_offers (variant_id) WHERE status = 'ACTIVE'",
]

_APP_ONLY_READS = (
    "units",
    "categories",
    "standards",
    "component_types",
    "component_type_versions",
    "type_standards",
    "classification_codes",
    "carbon_factors",
    "search_variants",
    "search_suppliers",
    "search_offers",
    "search_stock",
)

_OFFER_AUDIENCE = [
    "ALTER TABLE search_offers ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE search_offers FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY audience ON search_offers FOR SELECT USING (
        audience_keys && (SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))
    )""",
]


def upgrade() -> None:
    statements = [
        *house_schema("catalog"),
        _UNITS,
        _CATEGORIES,
        _STANDARDS,
        _TYPES,
        _TYPE_VERSIONS,
        _TYPE_STANDARDS,
        _CODES,
        _CARBON,
        _VARIANTS,
        _SEARCH_VARIANTS,
        _SEARCH_SUPPLIERS,
        _SEARCH_OFFERS,
        _SEARCH_STOCK,
        *_INDEXES,
        *append_only("component_type_versions", service="catalog"),
        *append_only("variants", service="catalog"),
        *(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM catalog_app" for table in _APP_ONLY_READS),
        *_OFFER_AUDIENCE,
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "The first migration has nothing before it; drop the database instead."
    raise NotImplementedError(message)
