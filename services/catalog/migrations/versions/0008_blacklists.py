"""Blacklists in the search: an offer that its reader may not order, for a list forbids it, says so.

Everything that `suppliers` ever told is followed once more, since it told of blacklists before anybody listened here,
and variants have other tokens now; until then the search finds what was followed.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Kept for the number alone, by the worker alone: an older word about an entry is known by it.
_ENTRIES = """
    CREATE TABLE search_blacklists (
        entry_id uuid NOT NULL,
        seq bigint NOT NULL,
        CONSTRAINT pk_search_blacklists PRIMARY KEY (entry_id)
    )"""

_SUPPLIERS = """
    CREATE TABLE search_blacklisted (
        supplier_id uuid NOT NULL,
        entry_id uuid NOT NULL,
        audience_keys text[] NOT NULL,
        official boolean NOT NULL,
        reason_class text NOT NULL,
        categories text[] NOT NULL,
        region_heads text[] NOT NULL,
        starts_on date NOT NULL,
        expires_on date NOT NULL,
        CONSTRAINT pk_search_blacklisted PRIMARY KEY (supplier_id, entry_id),
        CONSTRAINT fk_search_blacklisted_entry_id_search_blacklists
            FOREIGN KEY (entry_id) REFERENCES search_blacklists ON DELETE CASCADE,
        CONSTRAINT ck_search_blacklisted_days CHECK (expires_on >= starts_on),
        CONSTRAINT ck_search_blacklisted_audience CHECK (cardinality(audience_keys) > 0)
    )"""

_WALL = [
    "ALTER TABLE search_blacklisted ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE search_blacklisted FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY audience ON search_blacklisted FOR SELECT USING (
        audience_keys && (SELECT string_to_array(nullif(current_setting('app.viewer_keys', true), ''), ','))
    )""",
]


def upgrade() -> None:
    for statement in (
        "SET lock_timeout = '5s'",
        _ENTRIES,
        _SUPPLIERS,
        "CREATE INDEX ix_search_blacklisted_entry_id ON search_blacklisted (entry_id)",
        "REVOKE ALL ON search_blacklists FROM catalog_app",
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON search_blacklisted FROM catalog_app",
        *_WALL,
        "TRUNCATE search_variants",
        "UPDATE follower_cursors SET position = '0-0', caught_up_to = NULL WHERE source = 'suppliers'",
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE search_blacklisted")
    op.execute("DROP TABLE search_blacklists")
