"""What the search keeps in memory tells when it changed; an index in price order that row level security lets in."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REGISTERS = ("component_types", "units", "carbon_factors", "restrictions", "standard_editions")

_STATES = """
    CREATE TABLE register_states (
        name text NOT NULL,
        txid bigint NOT NULL,
        CONSTRAINT pk_register_states PRIMARY KEY (name, txid)
    )"""

# Rows of transactions before are taken away unless another writer has them in hand, so nobody waits for anybody.
_CHANGED = """
    CREATE FUNCTION register_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    BEGIN
        INSERT INTO register_states VALUES (TG_TABLE_NAME, CAST(CAST(pg_current_xact_id() AS text) AS bigint))
        ON CONFLICT DO NOTHING;
        DELETE FROM register_states WHERE (name, txid) IN (
            SELECT name, txid FROM register_states
            WHERE name = TG_TABLE_NAME AND txid <> CAST(CAST(pg_current_xact_id() AS text) AS bigint)
            FOR UPDATE SKIP LOCKED
        );
        RETURN NULL;
    END $$"""


_PRICE_ORDER = [
    """
    ALTER TABLE search_offers ADD COLUMN price_order double precision GENERATED ALWAYS AS (
        CAST(round(price * CASE WHEN tax_inclusive THEN 1 ELSE 1 + tax_rate END / unit_factor, 9) AS double precision)
    ) STORED""",
    "DROP INDEX ix_search_offers_in_price_order",
    """
    CREATE INDEX ix_search_offers_in_price_order
        ON search_offers (type_code, currency, price_order, comparable, variant_id) WHERE status = 'ACTIVE'""",
]


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        _STATES,
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON register_states FROM catalog_app, catalog_worker",
        _CHANGED,
        "REVOKE EXECUTE ON FUNCTION register_changed() FROM public",
        *(
            f"INSERT INTO register_states VALUES ('{register}', CAST(CAST(pg_current_xact_id() AS text) AS bigint))"
            for register in _REGISTERS
        ),
        *(
            f"CREATE TRIGGER register_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {register} "
            "FOR EACH STATEMENT EXECUTE FUNCTION register_changed()"
            for register in _REGISTERS
        ),
        *_PRICE_ORDER,
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_search_offers_in_price_order")
    op.execute(
        "CREATE INDEX ix_search_offers_in_price_order "
        "ON search_offers (type_code, currency, comparable, variant_id) WHERE status = 'ACTIVE'"
    )
    op.execute("ALTER TABLE search_offers DROP COLUMN price_order")
    for register in _REGISTERS:
        op.execute(f"DROP TRIGGER register_changed ON {register}")
    op.execute("DROP FUNCTION register_changed()")
    op.execute("DROP TABLE register_states")
