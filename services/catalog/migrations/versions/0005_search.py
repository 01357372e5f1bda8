"""The search as a dictionary in memory over an index of values; freight, certificates and declarations of offers.

The tokens of variants change their meaning and offers gain terms that only the feed can tell, so the read model is
emptied and followed again from the start; until it has caught up the search finds less.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        "TRUNCATE search_variants, search_offers, search_stock, search_suppliers",
        "UPDATE follower_cursors SET position = '0-0', caught_up_to = NULL WHERE source = 'suppliers'",
        """
        ALTER TABLE search_variants
            DROP COLUMN specification, DROP COLUMN name, DROP COLUMN phrases, ADD COLUMN carbon numeric(18, 6)
        """,
        "DROP INDEX ix_search_variants_type_code",
        "DROP INDEX ix_search_variants_tokens",
        "CREATE INDEX ix_search_variants_tokens ON search_variants USING gin (tokens) WITH (fastupdate = off)",
        """
        ALTER TABLE search_offers
            ADD COLUMN type_code text NOT NULL,
            ADD COLUMN standard text,
            ADD COLUMN freight_heads text[] NOT NULL,
            ADD COLUMN freight_price numeric[] NOT NULL,
            ADD COLUMN certificates jsonb NOT NULL,
            ADD COLUMN epd jsonb,
            ADD COLUMN epd_kgco2e numeric,
            ADD COLUMN epd_until date,
            ADD COLUMN comparable numeric GENERATED ALWAYS AS (
                round(price * CASE WHEN tax_inclusive THEN 1 ELSE 1 + tax_rate END / unit_factor, 9)
            ) STORED,
            ADD CONSTRAINT ck_search_offers_freight CHECK (cardinality(freight_heads) = cardinality(freight_price)),
            ADD CONSTRAINT ck_search_offers_epd CHECK (
                (epd IS NULL) = (epd_kgco2e IS NULL) AND (epd IS NULL) = (epd_until IS NULL)
            )
        """,
        """
        CREATE INDEX ix_search_offers_in_price_order
            ON search_offers (type_code, currency, comparable, variant_id) WHERE status = 'ACTIVE'
        """,
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "The index of 0001 is made by following again: drop the search tables there and follow from 0-0."
    raise NotImplementedError(message)
